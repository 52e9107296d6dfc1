//! pyftpdlib: a library, so its configuration is a program.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::{Config, Listen};
use crate::namespaces::IPV6;
use crate::site::{PASSWORD, Site, USER};

pub(super) fn prepare(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    let mut text = format!(
        "from pyftpdlib.authorizers import DummyAuthorizer\n\
         from pyftpdlib.handlers import FTPHandler\n\
         from pyftpdlib.servers import FTPServer\n\
         accounts = DummyAuthorizer()\n\
         accounts.add_anonymous('/srv')\n\
         accounts.add_user('{USER}', '{PASSWORD}', '/srv')\n\
         class Handler(FTPHandler):\n    authorizer = accounts\n"
    );
    if let Some((low, high)) = config.range {
        let _ = writeln!(text, "    passive_ports = range({low}, {high} + 1)");
    }
    if let Some(address) = config.announce {
        let _ = writeln!(text, "    masquerade_address = '{address}'");
    }
    if config.no_epsv {
        text += "    proto_cmds = {k: v for k, v in FTPHandler.proto_cmds.items() if k != 'EPSV'}\n";
    }
    text += "class Server(FTPServer):\n    pass\n";
    if config.one_session {
        text += "Server.max_cons_per_ip = 1\n";
    }
    // Each family has a listener of its own; all of them share one loop.
    if config.listen != Listen::Ipv6 {
        text += "server = Server(('0.0.0.0', 21), Handler)\n";
    }
    if config.listen != Listen::Ipv4 {
        let _ = writeln!(text, "server = Server(('{IPV6}', 21), Handler)");
    }
    text += "server.serve_forever()\n";
    let file = folder.join("server.py");
    fs::write(&file, text)?;
    Ok(site.python(&file))
}

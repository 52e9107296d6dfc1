//! pyftpdlib: a library, so its configuration is a program.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::{Config, Listen, Tls};
use crate::namespaces::IPV6;
use crate::site::{PASSWORD, Site, USER};

pub(super) fn prepare(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    let handler = if config.tls == Tls::None { "FTPHandler" } else { "TLS_FTPHandler" };
    let port = config.port;
    let mut text = format!(
        "from pyftpdlib.authorizers import DummyAuthorizer\n\
         from pyftpdlib.handlers import FTPHandler, {handler}\n\
         from pyftpdlib.servers import FTPServer\n\
         accounts = DummyAuthorizer()\n\
         accounts.add_anonymous('/srv')\n\
         accounts.add_user('{USER}', '{PASSWORD}', '/srv')\n\
         class Handler({handler}):\n    authorizer = accounts\n"
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
    if config.tls != Tls::None {
        let _ = writeln!(text, "    certfile = '{}'", site.certificate_file().display());
    }
    if config.tls == Tls::Demanded {
        text += "    tls_control_required = True\n    tls_data_required = True\n";
    }
    text += "class Server(FTPServer):\n    pass\n";
    if config.one_session {
        text += "Server.max_cons_per_ip = 1\n";
    }
    // Each family has a listener of its own; all of them share one loop.
    if config.listen != Listen::Ipv6 {
        let _ = writeln!(text, "server = Server(('0.0.0.0', {port}), Handler)");
    }
    if config.listen != Listen::Ipv4 {
        let _ = writeln!(text, "server = Server(('{IPV6}', {port}), Handler)");
    }
    text += "server.serve_forever()\n";
    let file = folder.join("server.py");
    fs::write(&file, text)?;
    Ok(site.python(&file))
}

//! aioftp: another library in Python, written independently.

use std::fmt::Write as _;
use std::fs;
use std::io;
use std::path::Path;

use super::{Config, Listen};
use crate::namespaces::IPV6;
use crate::site::{PASSWORD, Site, USER};

pub(super) fn prepare(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    let host = if config.listen == Listen::Ipv6 { IPV6 } else { "0.0.0.0" };
    let mut options = String::new();
    if let Some((low, high)) = config.range {
        let _ = write!(options, ", data_ports=range({low}, {high} + 1)");
    }
    if let Some(address) = config.announce {
        let _ = write!(options, ", ipv4_pasv_forced_response_address='{address}'");
    }
    let most = if config.one_session { ", maximum_connections=1" } else { "" };
    let text = format!(
        "import asyncio, pathlib, aioftp\n\
         served = pathlib.Path('/srv')\n\
         users = [aioftp.User(base_path=served{most}), aioftp.User('{USER}', '{PASSWORD}', base_path=served)]\n\
         asyncio.run(aioftp.Server(users{options}).run('{host}', 21))\n"
    );
    let file = folder.join("server.py");
    fs::write(&file, text)?;
    Ok(site.python(&file))
}

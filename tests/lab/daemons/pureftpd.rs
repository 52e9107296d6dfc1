//! Pure-FTPd, by its one file, or as Debian's wrapper starts it.

use std::fs;
use std::io;
use std::path::Path;

use super::{Config, Daemon, Listen, Tls};
use crate::site::Site;

pub(super) fn prepare(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    match config.printed {
        Some(printed) if printed.elsewhere => one_file(site, config, folder),
        Some(_) => debian(site, config, folder),
        None => by_file(site, config, folder),
    }
}

/// As it is configured outside of Debian: by one file, which the daemon reads.
fn one_file(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    let directives = config.block(Daemon::PureFtpd, "server-directives-conf")?.unwrap_or_default();
    let file = folder.join("pure-ftpd.conf");
    let rest = format!(
        "NoAnonymous no\nAnonymousCantUpload yes\nDontResolve yes\nSyslogFacility none\nPIDFile {}\n",
        folder.join("pid").display()
    );
    fs::write(&file, rest + &directives)?;
    let mut words = site.program("pure-ftpd");
    words.push(file.display().to_string());
    Ok(words)
}

/// As Debian configures it: by its own wrapper, whose folder holds a file for each directive. The commands that are printed
/// write there, in a copy of /etc that only this server sees.
fn debian(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    let commands = config.block(Daemon::PureFtpd, "server-directives")?.unwrap_or_default();
    let root = site.unpacked().display().to_string();
    let script = format!(
        "set -e\n\
         cp -a /etc {folder}/etc\n\
         cp -a {root}/etc/pure-ftpd {folder}/etc/\n\
         mount --bind {folder}/etc /etc\n\
         echo no > /etc/pure-ftpd/conf/NoAnonymous\n\
         echo none > /etc/pure-ftpd/conf/SyslogFacility\n\
         rm -f /etc/pure-ftpd/conf/AltLog\n\
         {commands}\n\
         options=$(perl {root}/usr/sbin/pure-ftpd-wrapper --show-options)\n\
         echo \"$options\"\n\
         exec {program} $(echo \"$options\" | sed 's/ -B//') -g {folder}/pid\n",
        folder = folder.display(),
        program = site.program("pure-ftpd").join(" "),
    );
    Ok(vec!["sh".to_owned(), "-c".to_owned(), script])
}

/// As outside of Debian, with what a scenario sets.
fn by_file(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    let yes = |wanted: bool| if wanted { "yes" } else { "no" };
    let mut lines = format!(
        "ChrootEveryone yes\nNoAnonymous no\nAnonymousCantUpload yes\nUnixAuthentication yes\nSyslogFacility none\n\
         PIDFile {pid}\nBind ,{port}\nIPV4Only {four}\nIPV6Only {six}\nDontResolve {quick}\n\
         MaxClientsNumber 5\n",
        pid = folder.join("pid").display(),
        port = config.port,
        four = yes(config.listen == Listen::Ipv4),
        six = yes(config.listen == Listen::Ipv6),
        quick = yes(config.slow_names.is_none()),
    );
    if let Some((low, high)) = config.range {
        lines += &format!("PassivePortRange {low} {high}\n");
    }
    if let Some(address) = config.announce {
        lines += &format!("ForcePassiveIP {address}\n");
    }
    if config.one_session {
        lines += "MaxClientsPerIP 1\n";
    }
    if config.no_epsv {
        lines += "BrokenClientsCompatibility yes\n";
    }
    if config.tls != Tls::None {
        // 1: allowed, 2: for the login, 3: for data too.
        let level = if config.tls == Tls::Demanded { "3" } else { "1" };
        lines += &format!("TLS {level}\nCertFile {}\n", site.certificate_file().display());
    }
    let file = folder.join("pure-ftpd.conf");
    fs::write(&file, lines)?;
    let mut words = site.program("pure-ftpd");
    words.push(file.display().to_string());
    Ok(words)
}

//! Pure-FTPd, by its command line: Debian's wrapper makes one too.

use std::fs;
use std::io;
use std::path::Path;

use super::{Config, Daemon, Listen, Tls};
use crate::site::Site;

pub(super) fn prepare(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    match config.printed {
        Some(printed) if printed.elsewhere => one_file(site, config, folder),
        Some(_) => debian(site, config, folder),
        None => Ok(by_options(site, config, folder)),
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

fn by_options(site: &Site, config: &Config, folder: &Path) -> Vec<String> {
    let mut words = site.program("pure-ftpd");
    // -A: everybody stays below his home; -i: anonymous uploads nothing; -f none: no syslog.
    words.extend(["-A", "-i", "-l", "unix", "-f", "none", "-g"].map(str::to_owned));
    words.push(folder.join("pid").display().to_string());
    words.extend(["-S".to_owned(), format!(",{}", config.port)]);
    match config.listen {
        Listen::Ipv4 => words.push("-4".to_owned()),
        Listen::Ipv6 => words.push("-6".to_owned()),
        Listen::Both => {}
    }
    if config.slow_names.is_none() {
        words.push("-H".to_owned());
    }
    if let Some((low, high)) = config.range {
        words.extend(["-p".to_owned(), format!("{low}:{high}")]);
    }
    if let Some(address) = config.announce {
        words.extend(["-P".to_owned(), address.to_owned()]);
    }
    if config.one_session {
        words.extend(["-C".to_owned(), "1".to_owned()]);
    }
    if config.no_epsv {
        words.push("-b".to_owned());
    }
    if config.tls != Tls::None {
        let file = site.certificate_file().display().to_string();
        // 1: allowed, 2: for the login, 3: for data too.
        let level = if config.tls == Tls::Demanded { "3" } else { "1" };
        words.extend(["-Y".to_owned(), level.to_owned(), "-2".to_owned(), file]);
    }
    words
}

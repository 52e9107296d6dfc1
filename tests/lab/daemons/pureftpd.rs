//! Pure-FTPd, by its command line: Debian's wrapper makes one too.

use std::path::Path;

use super::{Config, Listen, Tls};
use crate::site::Site;

pub(super) fn prepare(site: &Site, config: &Config, folder: &Path) -> Vec<String> {
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

//! The ftpd of GNU inetutils. It has no passive range and no address to announce: what it cannot be told it is not told.

use super::{Config, Listen};
use crate::site::Site;

pub(super) fn prepare(site: &Site, config: &Config) -> Vec<String> {
    let family = match config.listen {
        Listen::Ipv4 => "-4 ",
        Listen::Ipv6 => "-6 ",
        Listen::Both => "",
    };
    // It goes into the background by itself; the shell stays, as process number 1.
    let run = format!("{} -D {family}-p/run/ftpd.pid; exec sleep 1000", site.program("ftpd").join(" "));
    vec!["sh".to_owned(), "-c".to_owned(), run]
}

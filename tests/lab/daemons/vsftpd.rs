//! vsftpd, as Debian packages it.

use std::fs;
use std::io;
use std::path::Path;

use super::{Config, Daemon, Listen, Tls};
use crate::site::Site;

pub(super) fn prepare(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    // `listen_ipv6=YES` serves IPv4 too, and then `pasv_address` is ignored: what it announces is 0.0.0.0.
    let ipv4 = config.listen == Listen::Ipv4;
    let yes = |wanted: bool| if wanted { "YES" } else { "NO" };
    let printed = config.block(Daemon::Vsftpd, "server-directives")?;
    let listen = match &printed {
        Some(directives) => directives.clone(),
        None => format!("listen={}\nlisten_ipv6={}\n", yes(ipv4), yes(!ipv4)),
    };
    let mut lines = format!(
        "{listen}background=NO\nanonymous_enable=YES\nanon_root=/srv\nlocal_enable=YES\n\
         local_root=/srv\npam_service_name=vsftpd\nsecure_chroot_dir=/run/empty\n\
         seccomp_sandbox=NO\nvsftpd_log_file={}\n",
        folder.join("vsftpd.log").display()
    );
    if let Some((low, high)) = config.range {
        lines += &format!("pasv_min_port={low}\npasv_max_port={high}\n");
    }
    if let Some(address) = config.announce {
        lines += &format!("pasv_address={address}\n");
    }
    if config.one_session {
        lines += "max_per_ip=1\n";
    }
    if config.no_epsv {
        lines += "cmds_denied=EPSV\n";
    }
    if config.port != 21 {
        lines += &format!("listen_port={}\n", config.port);
    }
    if config.tls != Tls::None {
        lines += &format!(
            "ssl_enable=YES\nforce_local_logins_ssl={demanded}\nforce_local_data_ssl={demanded}\n\
             force_anon_logins_ssl={demanded}\nforce_anon_data_ssl={demanded}\nallow_anon_ssl={anonymous}\n\
             require_ssl_reuse={reuse}\nimplicit_ssl={implicit}\nrsa_cert_file={file}\n",
            demanded = yes(config.tls == Tls::Demanded),
            anonymous = yes(config.tls != Tls::NotForAnonymous),
            reuse = yes(config.tls == Tls::Resuming),
            implicit = yes(config.tls == Tls::Implicit),
            file = site.certificate_file().display()
        );
    }
    let file = folder.join("vsftpd.conf");
    fs::write(&file, &lines)?;
    let mut words = site.program("vsftpd");
    words.push(file.display().to_string());
    let both = config.printed.is_some() && config.listen == Listen::Both;
    if both { with_second(site, config, folder, &words, &lines) } else { Ok(words) }
}

/// The second instance that is printed for two families: a copy of the first file in which other lines stand.
fn with_second(
    site: &Site,
    config: &Config,
    folder: &Path,
    first: &[String],
    lines: &str,
) -> io::Result<Vec<String>> {
    let directives = config.block(Daemon::Vsftpd, "server-directives-ipv6")?.unwrap_or_default();
    let name = |line: &str| line.split('=').next().unwrap_or_default().to_owned();
    let replaced: Vec<String> = directives.lines().map(name).collect();
    let kept: String = lines
        .lines()
        .filter(|line| !replaced.contains(&name(line)) && !line.starts_with("pasv_address="))
        .flat_map(|line| [line, "\n"])
        .collect();
    let file = folder.join("vsftpd-ipv6.conf");
    fs::write(&file, kept + &directives)?;
    let second = site.program("vsftpd").join(" ");
    let script = format!("{second} {} & exec {}", file.display(), first.join(" "));
    Ok(vec!["sh".to_owned(), "-c".to_owned(), script])
}

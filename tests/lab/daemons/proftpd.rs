//! `ProFTPD` with `mod_tls`.

use std::fs;
use std::io;
use std::path::Path;

use super::{Config, Daemon, Listen, Tls};
use crate::namespaces::{IPV6, PRIVATE, ROUTED};
use crate::site::Site;

pub(super) fn prepare(site: &Site, config: &Config, folder: &Path) -> io::Result<Vec<String>> {
    let ipv4 = format!("{PRIVATE} {ROUTED}");
    let addresses = match config.listen {
        Listen::Ipv4 => ipv4,
        Listen::Ipv6 => IPV6.to_owned(),
        Listen::Both => format!("{ipv4} {IPV6}"),
    };
    let conf_d = folder.join("conf.d");
    fs::create_dir_all(&conf_d)?;
    fs::write(conf_d.join("empty.conf"), "")?;
    let printed = config.block(Daemon::Proftpd, "server-directives")?;
    if let Some(directives) = &printed {
        fs::write(conf_d.join("passive.conf"), directives)?;
    }
    // What is printed for IPv6 switches it on by itself.
    let ipv6 = config.listen != Listen::Ipv4 && printed.is_none();
    let ipv6 = if printed.is_some() && config.listen != Listen::Ipv4 {
        String::new()
    } else {
        format!("UseIPv6 {}\n", on(ipv6))
    };
    let text = format!(
        "ServerName Lab\nServerType standalone\nDefaultAddress {addresses}\nSocketBindTight off\nPort {port}\n\
         {ipv6}ModulePath {modules}\nLoadModule mod_tls.c\nUser nobody\nGroup nogroup\n\
         UseReverseDNS {names}\nPidFile /run/proftpd.pid\nScoreboardFile /run/scoreboard\nSystemLog {log}\n\
         TransferLog none\nWtmpLog off\nDelayEngine off\nAuthOrder mod_auth_unix.c\nRequireValidShell off\n\
         DefaultRoot /srv\n\
         <Anonymous /srv>\n User ftp\n Group ftp\n UserAlias anonymous ftp\n RequireValidShell off\n\
         <Limit WRITE>\n DenyAll\n </Limit>\n</Anonymous>\n\
         <Global>\n{global}</Global>\nInclude {conf_d}/*.conf\n",
        port = config.port,
        modules = site.proftpd_modules().display(),
        names = on(config.slow_names.is_some()),
        log = folder.join("proftpd.log").display(),
        global = global(site, config),
        conf_d = conf_d.display(),
    );
    let file = folder.join("proftpd.conf");
    fs::write(&file, text)?;
    let mut words = site.program("proftpd");
    words.extend(["-n".to_owned(), "-c".to_owned(), file.display().to_string()]);
    Ok(words)
}

fn on(wanted: bool) -> &'static str {
    if wanted { "on" } else { "off" }
}

/// What counts for every virtual server.
fn global(site: &Site, config: &Config) -> String {
    let mut lines = String::new();
    if let Some((low, high)) = config.range {
        lines += &format!("PassivePorts {low} {high}\n");
    }
    if let Some(address) = config.announce {
        lines += &format!("MasqueradeAddress {address}\n");
    }
    if config.one_session {
        lines += "MaxConnectionsPerHost 1\n";
    }
    if config.no_epsv {
        lines += "<Limit EPSV>\n DenyAll\n</Limit>\n";
    }
    if config.strict_source {
        lines += "AllowForeignAddress off\n";
    }
    if config.tls != Tls::None {
        let file = site.certificate_file();
        let file = file.display();
        let demanded = on(config.tls == Tls::Demanded);
        lines += &format!(
            "TLSEngine on\nTLSRequired {demanded}\nTLSECCertificateFile {file}\nTLSECCertificateKeyFile {file}\n"
        );
        let implicit = if config.tls == Tls::Implicit { " UseImplicitSSL" } else { "" };
        if config.tls != Tls::Resuming {
            lines += &format!("TLSOptions NoSessionReuseRequired{implicit}\n");
        }
    }
    lines
}

//! The servers' own directives, and how they are taken over.

use super::request::{Request, Server};
use super::{Block, Section, lines};

pub(super) fn blocks(request: &Request) -> Vec<Block> {
    match request.server {
        Server::Vsftpd => vsftpd(request),
        Server::Proftpd => proftpd(request),
        Server::PureFtpd => pureftpd(request),
        Server::Filezilla => filezilla(request),
        Server::Iis => iis(request),
    }
}

fn directives(title: &str, language: &'static str, text: &str) -> Block {
    Block::new("server-directives", Section::Server, title, language, &lines(text))
}

fn reload(text: &str) -> Block {
    Block::new("server-reload", Section::Server, "Take it over", "sh", &lines(text))
}

/// A line, if there is a value for it.
fn with<T: std::fmt::Display>(name: &str, value: Option<T>) -> String {
    value.map_or_else(String::new, |value| format!("{name}{value}\n"))
}

fn other_port(request: &Request, name: &str) -> String {
    with(name, Some(request.port).filter(|port| *port != 21))
}

/// vsftpd.conf(5). A listener of IPv6 serves IPv4 too, but then announces 0.0.0.0 where `pasv_address` is set: hence one
/// instance for each family.
fn vsftpd(request: &Request) -> Vec<Block> {
    let range = request.range;
    let common = format!(
        "pasv_enable=YES\npasv_min_port={}\npasv_max_port={}\n{}",
        range.min,
        range.max,
        other_port(request, "listen_port=")
    );
    let files = [
        ("/etc/vsftpd.conf", "Debian, Ubuntu, SUSE, Arch"),
        ("/etc/vsftpd/vsftpd.conf", "RHEL, Fedora, Alpine"),
    ];
    let mut blocks = Vec::new();
    let restart = "systemctl restart vsftpd\nsystemctl --no-pager status vsftpd";
    if let Some(address) = request.public_ipv4 {
        let text =
            format!("listen=YES\nlisten_ipv6=NO\npasv_address={address}\npasv_addr_resolve=NO\n{common}");
        let note = "Change these lines where they stand already; of two lines with one name the last one counts. No blank before \
                    or after \"=\", no comment behind a value. Other pasv_* lines (pasv_promiscuous) go.";
        blocks.push(directives("Directives", "ini", &text).into_files(&files).note(note));
        blocks.push(
            reload(restart).note("A restart: a reload leaves the listener and resolved names as they were."),
        );
    }
    if let Some(address) = request.public_ipv6 {
        let text =
            format!("listen=NO\nlisten_ipv6=YES\n{}{common}", listen_address6(request, &address.to_string()));
        if request.ipv4() {
            blocks.extend(vsftpd_second(&text));
        } else {
            let note = "No pasv_address: over IPv6 there is EPSV alone, which names no address, and with a pasv_address this \
                        listener would announce 0.0.0.0 to everybody.";
            blocks.push(directives("Directives", "ini", &text).into_files(&files).note(note));
            blocks.push(reload(restart));
        }
    }
    blocks
}

/// Beside an IPv4 listener on all addresses, the one of IPv6 needs an address of its own.
fn listen_address6(request: &Request, address: &str) -> String {
    if request.ipv4() { format!("listen_address6={address}\n") } else { String::new() }
}

fn vsftpd_second(text: &str) -> [Block; 2] {
    let note = "A second instance, for IPv6: a copy of the first file in which these lines stand instead, and no pasv_address.";
    let unit = "cat > /etc/systemd/system/vsftpd-ipv6.service <<'END'\n\
                [Unit]\n\
                Description=vsftpd over IPv6\n\
                After=network-online.target\n\
                Wants=network-online.target\n\
                \n\
                [Service]\n\
                ExecStart=/usr/sbin/vsftpd /etc/vsftpd-ipv6.conf\n\
                Restart=on-failure\n\
                \n\
                [Install]\n\
                WantedBy=multi-user.target\n\
                END\n\
                systemctl daemon-reload\n\
                systemctl enable --now vsftpd-ipv6";
    [
        Block::new("server-directives-ipv6", Section::Server, "Directives for IPv6", "ini", &lines(text))
            .into_files(&[("/etc/vsftpd-ipv6.conf", "all")])
            .note(note),
        Block::new("server-reload-ipv6", Section::Server, "Start it", "sh", &lines(unit)),
    ]
}

/// `ProFTPD`'s directives `MasqueradeAddress`, `PassivePorts`, `UseIPv6`, `Port`.
fn proftpd(request: &Request) -> Vec<Block> {
    let range = request.range;
    let address = with("  MasqueradeAddress ", request.public_ipv4);
    let ipv6 = if request.public_ipv6.is_some() { "UseIPv6 on\n" } else { "" };
    let text = format!(
        "{}{ipv6}<Global>\n{address}  PassivePorts {} {}\n</Global>\n",
        other_port(request, "Port "),
        range.min,
        range.max
    );
    let note = "Remove other MasqueradeAddress and PassivePorts lines first: of two the first one counts, and one outside of \
                <Global> outranks it, but does not count for any <VirtualHost>.";
    vec![
        directives("Directives", "apache", &text).note(note).into_files(&[
            ("/etc/proftpd/conf.d/passive.conf", "Debian, Ubuntu: a file of its own"),
            ("/etc/proftpd.conf", "RHEL, Fedora"),
            ("/usr/local/etc/proftpd.conf", "FreeBSD"),
        ]),
        reload("proftpd -t && systemctl reload proftpd").note(
            "Sessions that are open keep the old values. On FreeBSD: proftpd -t && service proftpd reload",
        ),
    ]
}

/// Pure-FTPd is configured in two ways: by Debian's wrapper, one file for each directive, or by one file.
fn pureftpd(request: &Request) -> Vec<Block> {
    let range = request.range;
    let pair = format!("{} {}", range.min, range.max);
    let folder = "/etc/pure-ftpd/conf";
    let mut files = vec![format!("echo '{pair}' > {folder}/PassivePortRange")];
    let mut conf = vec![format!("PassivePortRange {pair}")];
    let mut superfluous = vec!["NATmode"];
    match request.public_ipv4 {
        Some(address) => {
            files.push(format!("echo '{address}' > {folder}/ForcePassiveIP"));
            conf.push(format!("ForcePassiveIP {address}"));
            superfluous.push("IPV6Only");
        }
        None => superfluous.push("ForcePassiveIP"),
    }
    if request.public_ipv6.is_some() {
        superfluous.push("IPV4Only");
    }
    if request.port != 21 {
        files.push(format!("echo ',{}' > {folder}/Bind", request.port));
        conf.push(format!("Bind ,{}", request.port));
    }
    let paths: Vec<String> = superfluous.iter().map(|name| format!("{folder}/{name}")).collect();
    files.push(format!("rm -f {}", paths.join(" ")));
    conf.push("NATmode no".to_owned());
    let debian = "Debian's wrapper reads one file for each directive, and does not read /etc/pure-ftpd/pure-ftpd.conf at all. \
                  (NATmode, in spite of its name, switches passive mode off.)";
    let one_file = "Everywhere else: one file. Change the lines where they stand already, comments on lines of their own.";
    vec![
        Block::new("server-directives", Section::Server, "Directives on Debian and Ubuntu", "sh", &files)
            .note(debian),
        reload("pure-ftpd-wrapper --show-options\nsystemctl restart pure-ftpd")
            .note("The first line shows what the daemon will be told, or which file is wrong."),
        Block::new("server-directives-conf", Section::Server, "Directives elsewhere", "ini", &conf)
            .note(one_file)
            .into_files(&[
                ("/etc/pure-ftpd/pure-ftpd.conf", "RHEL, Fedora"),
                ("/usr/local/etc/pure-ftpd.conf", "FreeBSD"),
                (
                    "/var/cpanel/conf/pureftpd/local",
                    "cPanel, written \"Name: value\"; then setupftpserver pure-ftpd --force",
                ),
            ]),
        Block::new(
            "server-reload-conf",
            Section::Server,
            "Take it over",
            "sh",
            &lines("systemctl restart pure-ftpd"),
        ),
    ]
}

/// `settings.xml` of `FileZilla` Server 1.x.
fn filezilla(request: &Request) -> Vec<Block> {
    let range = request.range;
    let address =
        with("  <host_override>", request.public_ipv4.map(|address| format!("{address}</host_override>")));
    let local = if request.ipv4() {
        "  <do_not_override_host_if_peer_is_local>true</do_not_override_host_if_peer_is_local>\n"
    } else {
        ""
    };
    let text = format!(
        "<pasv>\n{address}{local}  <port_range>\n    <min>{}</min>\n    <max>{}</max>\n  </port_range>\n</pasv>\n",
        range.min, range.max
    );
    let public = request.public_ipv4.map_or_else(
        || "leave it empty (IPv6 has EPSV, which names no address)".to_owned(),
        |address| address.to_string(),
    );
    let by_hand = format!(
        "Page \"Passive mode\" of the FTP server's settings:\n\
         Use custom port range: From {} To {}\n\
         Public IP or hostname: {public}\n\
         Use local IP for local connections: yes\n",
        range.min, range.max
    );
    let note = "In the file it is the element <pasv> below <filezilla>, <ftp_server>, <session>. Stop the service before you edit.";
    vec![
        Block::new(
            "server-interface",
            Section::Server,
            "In the Administration Interface",
            "text",
            &lines(&by_hand),
        )
        .note("It takes effect at once, and the file below need not be touched."),
        directives("Or in the file", "xml", &text).note(note).into_files(&[
            ("C:\\ProgramData\\filezilla-server\\settings.xml", "Windows"),
            ("/opt/filezilla-server/etc/settings.xml", "Debian, Ubuntu"),
        ]),
        Block::new(
            "server-reload",
            Section::Server,
            "Take the file over",
            "bat",
            &lines("net stop filezilla-server\nnet start filezilla-server"),
        )
        .note("On Linux: systemctl reload filezilla-server"),
    ]
}

/// IIS: the range belongs to the whole server, the address to a site.
fn iis(request: &Request) -> Vec<Block> {
    let range = request.range;
    let address = request.public_ipv4.map_or_else(String::new, |address| {
        format!(
            "Set-ItemProperty \"IIS:\\Sites\\$site\" -Name ftpServer.firewallSupport.externalIp4Address -Value '{address}'\n"
        )
    });
    let text = format!(
        "Import-Module WebAdministration\n\
         $site = 'Default FTP Site'\n\
         $firewall = @{{ PSPath = 'MACHINE/WEBROOT/APPHOST'; Filter = 'system.ftpServer/firewallSupport' }}\n\
         Set-WebConfigurationProperty @firewall -Name lowDataChannelPort -Value {}\n\
         Set-WebConfigurationProperty @firewall -Name highDataChannelPort -Value {}\n{address}",
        range.min, range.max
    );
    vec![
        directives("Directives, in an elevated PowerShell", "powershell", &text).note(
            "Put your site's name into the second line. IIS tells the address to every client, those in its own network \
             included: they need hairpin NAT, EPSV, or a site of their own.",
        ),
        Block::new("server-reload", Section::Server, "Take it over", "powershell", &lines("Restart-Service ftpsvc"))
            .note("The FTP service, not the site alone: the range is read when the service starts."),
    ]
}

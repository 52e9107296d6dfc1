//! Files that nobody wrote for an FTP server: whatever is handed in, a grammar returns.

use super::testing::Files;
use super::{AUDITED, guess, read};

/// Small deterministic noise (xorshift).
struct Noise(u64);

impl Noise {
    fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0
    }
}

/// Pieces out of which configurations are made, and what does not belong there.
const PIECES: [&str; 36] = [
    "pasv_min_port=",
    "pasv_address=",
    "listen_ipv6=YES",
    "PassivePorts ",
    "<Global>",
    "</Global>",
    "<VirtualHost ",
    "</VirtualHost>",
    "<IfModule mod_tls.c>",
    "</IfModule>",
    "MasqueradeAddress ",
    "Include /f",
    "Include /",
    "PassivePortRange ",
    "ForcePassiveIP",
    "50000",
    "65536",
    "-1",
    "99999999999999999999",
    " ",
    "\t",
    "\n",
    "\r\n",
    "\\\n",
    "\"",
    "=",
    "<",
    ">",
    "\0",
    "\u{feff}",
    "é",
    "<filezilla>",
    "<ftp_server>",
    "<configuration>",
    "&x;",
    "<!DOCTYPE a [<!ENTITY x \"y\">]>",
];

fn all(text: &str) {
    let _ = guess("/f", text);
    for product in AUDITED {
        for path in ["/f", "/etc/pure-ftpd/conf/"] {
            let configuration = read(
                product,
                path,
                &mut Files::of(&[("/f", text), ("/etc/pure-ftpd/conf/PassivePortRange", text)]),
            );
            for remark in &configuration.remarks {
                assert!(remark.place.line >= 1 && remark.place.column >= 1, "{product}: {remark:?}");
                assert!(!remark.title.is_empty() && !remark.says.is_empty(), "{product}: {remark:?}");
            }
            for server in &configuration.servers {
                assert!(server.range.range.min <= server.range.range.max, "{product}: {:?}", server.range);
            }
        }
    }
}

#[test]
fn noise_is_survived() {
    let mut noise = Noise(0x9e37_79b9_7f4a_7c15);
    for _ in 0..400 {
        let count = noise.next() % 60;
        let text: String =
            (0..count).map(|_| PIECES[usize::try_from(noise.next()).unwrap_or(0) % PIECES.len()]).collect();
        all(&text);
    }
}

#[test]
fn odd_files_are_survived() {
    for text in [
        "",
        "\n\n\n",
        "\0\0\0\0",
        "\u{feff}",
        &"a".repeat(300_000),
        &"<a>".repeat(50_000),
        &"<Global>\n".repeat(5_000),
        &"Include /f\n".repeat(500),
        &"x=y\n".repeat(20_000),
        &"\\\n".repeat(20_000),
        "<filezilla><ftp_server><session><pasv><port_range><min/><max/></port_range></pasv></session></ftp_server></filezilla>",
        "<FileZillaServer><Settings><Item name=\"Use custom PASV ports\">1</Item></Settings></FileZillaServer>",
        "<configuration><system.ftpServer><firewallSupport lowDataChannelPort=\"9\"/></system.ftpServer></configuration>",
    ] {
        all(text);
    }
}

#[test]
fn products_are_told_by_name_or_content() {
    use super::Product;
    for (path, text, product) in [
        ("/etc/vsftpd.conf", "", Some(Product::Vsftpd)),
        ("/tmp/x", "pasv_enable=YES\nlisten=YES", Some(Product::Vsftpd)),
        ("/etc/proftpd/proftpd.conf", "", Some(Product::ProFtpd)),
        ("/tmp/x", "ServerName x\n<Global>\nPassivePorts 1 2\n</Global>", Some(Product::ProFtpd)),
        ("/etc/pure-ftpd/conf/", "", Some(Product::PureFtpd)),
        ("/tmp/x", "PassivePortRange 1 2\nNATmode no", Some(Product::PureFtpd)),
        ("C:\\ProgramData\\filezilla-server\\settings.xml", "", Some(Product::FileZilla)),
        ("/tmp/x", "<FileZillaServer></FileZillaServer>", Some(Product::FileZillaLegacy)),
        (
            "/tmp/x",
            "<configuration><system.ftpServer></system.ftpServer></configuration>",
            Some(Product::Iis),
        ),
        ("/tmp/x", "hello world", None),
    ] {
        assert_eq!(guess(path, text), product, "{path} {text}");
    }
}

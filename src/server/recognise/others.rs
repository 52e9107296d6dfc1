//! What libraries, portable servers, appliances and hosted services say.
//! Sources: runs of pyftpdlib 1.5.10 and 2.2.0 and libunftp 0.23.1, the sources of
//! aioftp, `SFTPGo`, Apache `FtpServer` and `DrFTPD`, and the greeting collections.

use super::super::product::Product;
use super::wording::Place::{Anywhere, Greeting, To};
use super::wording::Weight::{Fits, Fixed, Hint, Names, Own};
use super::wording::{FEAT, Hit, Line, SYST, Wording};

/// The wordings of each product.
pub(super) const WORDINGS: &[(Product, &[Wording])] = &[
    (Product::Pyftpdlib, PYFTPDLIB),
    (Product::Aioftp, AIOFTP),
    (Product::Libunftp, LIBUNFTP),
    (Product::SftpGo, SFTPGO),
    (Product::ApacheMina, APACHE_MINA),
    (Product::DrFtpd, DRFTPD),
    (Product::CrushFtp, CRUSHFTP),
    (Product::AwsTransfer, AWS_TRANSFER),
    (Product::Synology, SYNOLOGY),
    (Product::MikroTik, MIKROTIK),
];

const PYFTPDLIB: &[Wording] = &[
    (Greeting, Names, &["{}pyftpdlib {v} ready.{}"]),
    (Greeting, Hint, &["421 Too many connections. Service temporarily unavailable."]),
    (Greeting, Hint, &["421 Too many connections from the same IP address."]),
    (FEAT, Own, &["Features supported:", "End FEAT."]),
    (Anywhere, Own, &["331 Username ok, send password."]),
    (Anywhere, Own, &["530 Log in with USER and PASS first."]),
    (Anywhere, Own, &["500 Command \"{}\" not understood."]),
    (Anywhere, Own, &["200 I successfully did nothing'."]),
    (Anywhere, Own, &["200 I successfully done nothin'."]), // before 1.5.10
    (Anywhere, Own, &["227 Entering passive mode ({})."]),
    (Anywhere, Own, &["229 Entering extended passive mode ({})."]),
    (Anywhere, Own, &["200 Type set to: {}."]),
    (Anywhere, Own, &["421 Passive data channel timed out."]),
    (Anywhere, Own, &["425 Rejected data connection from foreign address {}."]),
    (Anywhere, Own, &["501 Rejected data connection to foreign address {}."]),
    (Anywhere, Own, &["425 Too many connections. Can't open data channel."]),
    (Anywhere, Own, &["220 Other commands other than EPSV are now disabled."]),
    (Anywhere, Own, &["501 {} not allowed after EPSV ALL."]),
    (Anywhere, Own, &["522 Network protocol not supported (use {})."]),
    (Anywhere, Hint, &["150 File status okay. About to open data connection."]),
    (Anywhere, Hint, &["125 Data connection already open. Transfer starting."]),
    (Anywhere, Hint, &["550 SSL/TLS required on the {} channel."]),
    (Anywhere, Hint, &["530 Authentication failed. Disconnecting."]),
    (Anywhere, Hint, &["200 PBSZ=0 successful."]),
    (Anywhere, Hint, &["214 Help command successful."]),
    (Anywhere, Fits, &["234 AUTH TLS successful."]),
    (Anywhere, Fits, &["200 Protection set to Private"]),
    (Anywhere, Fits, &["230 Login successful."]),
    (Anywhere, Fits, &["200 Always in UTF8 mode."]),
    (Anywhere, Fits, &["530 Authentication failed."]),
    (Anywhere, Fits, &["257 \"{}\" is the current directory."]),
];

const AIOFTP: &[Wording] =
    &[(To("PASV"), Own, &["227-listen socket created"]), (To("EPSV"), Own, &["229-listen socket created"])];

const LIBUNFTP: &[Wording] = &[
    (Greeting, Names, &["220 Welcome to the libunftp FTP server"]),
    (To("HELP"), Fixed, &["{}Powered by libunftp: {v}"]),
    (To("HELP"), Fixed, &["{}View the docs at: https://unftp.rs/"]),
    (To("STAT"), Fixed, &["{}powered by libunftp: {v}{}"]),
    (FEAT, Own, &["Extensions supported:", "SITE MD5", "END"]),
    (Anywhere, Own, &["150 Sending directory list"]),
    (Anywhere, Own, &["200 Successfully did nothing"]),
    (Anywhere, Own, &["425 Could not resolve DNS address '{}'"]),
    (Anywhere, Hint, &["200 Always in binary mode"]),
    (Anywhere, Hint, &["425 No data connection established"]),
    (Anywhere, Hint, &["530 Please authenticate"]),
    (Anywhere, Hint, &["331 Password Required"]),
    (Anywhere, Hint, &["221 Bye!"]),
    (Anywhere, Fits, &["230 User logged in, proceed"]),
];

const SFTPGO: &[Wording] = &[
    (Greeting, Names, &["220{}SFTPGo_{v}{}"]),
    // The sentences are those of ftpserverlib, a library that others use too.
    (FEAT, Fits, &["These are my features", "end"]),
    (Anywhere, Fits, &["150 Using transfer connection"]),
    (Anywhere, Fits, &["226 Closing transfer connection"]),
    (Anywhere, Fits, &["550 unable to open transfer: no transfer connection"]),
    (Anywhere, Fits, &["230 Password ok, continue"]),
];

const APACHE_MINA: &[Wording] = &[
    (SYST, Fixed, &["215 UNIX Type: Apache FtpServer"]),
    (FEAT, Own, &["Extensions supported", "LANG en;zh-tw;ja;is", "MD5"]),
    (Anywhere, Hint, &["229 Entering Passive Mode ({})"]),
    (Anywhere, Hint, &["331 User name okay, need password for {}."]),
    // RFC 959's own sentences.
    (Greeting, Fits, &["220 Service ready for new user."]),
    (Anywhere, Fits, &["230 User logged in, proceed."]),
    (Anywhere, Fits, &["150 File status okay; about to open data connection."]),
];

const DRFTPD: &[Wording] = &[
    (Greeting, Names, &["{}DrFTPD {v}{}"]),
    (SYST, Hint, &["215 UNIX system type."]),
    (Anywhere, Own, &["500 You need to use a client supporting PRET (PRE Transfer) to use PASV"]),
];

const CRUSHFTP: &[Wording] = &[
    // The major version alone, as in "CrushFTP10!".
    (Greeting, Names, &["{}Welcome to CrushFTP{v}!"]),
    (Greeting, Names, &["{}Welcome to CrushFTP{}"]),
    (Greeting, Names, &["{}CrushFTP Server Ready{}"]),
    (Greeting, Own, &["421 Your IP is banned, no further requests will be processed from this IP ({})."]),
    (Anywhere, Hint, &["550 Command not recognized or allowed."]),
];

/// Its greeting is not documented; see also [`aws_ports`] and [`Product::from_host_name`].
const AWS_TRANSFER: &[Wording] =
    &[(FEAT, Hint, &["530 Access denied."]), (Anywhere, Fits, &["230 User logged in, proceed."])];

const SYNOLOGY: &[Wording] = &[
    (Greeting, Names, &["220 Synology FTP server ready."]),
    (Greeting, Names, &["220 DiskStation FTP server ready."]),
    (Greeting, Names, &["220 Disk Station FTP server at {} ready."]),
];

const MIKROTIK: &[Wording] =
    &[(Greeting, Names, &["{}(MikroTik {v}){}"]), (SYST, Fixed, &["215 UNIX MikroTik {v}"])];

/// AWS Transfer Family announces ports 8192 to 8200 and no others: a hint, if all were of these.
pub(super) fn aws_ports<'a>(lines: &[Line<'a>]) -> Option<Hit<'a>> {
    let mut announced = None;
    for line in lines.iter().filter(|line| matches!(line.place, "PASV" | "EPSV")) {
        match announced_port(line.text) {
            Some(8192..=8200) => announced = Some(line),
            Some(_) => return None,
            None => {}
        }
    }
    announced.map(|line| Hit {
        product: Product::AwsTransfer,
        place: line.place,
        weight: Hint,
        version: None,
        lines: vec![line.text],
    })
}

/// The port of a 227 or 229; roughly, for nothing but a hint depends on it.
fn announced_port(text: &str) -> Option<u16> {
    let numbers: Vec<u16> =
        text.split(|c: char| !c.is_ascii_digit()).filter_map(|digits| digits.parse().ok()).collect();
    match *numbers.as_slice() {
        [227, .., high @ 0..=255, low @ 0..=255] => Some(high * 256 + low),
        [229, .., port] => Some(port),
        _ => None,
    }
}

//! What IIS and the two `FileZilla` Servers say, and the commercial servers of
//! Windows. Sources: `FileZilla`'s own code (1.7.3, 1.9.4 and 0.9.60), IIS dialogues in
//! public threads, and the greeting collections of nmap, recog and `OpenVAS`.

use super::super::product::Product;
use super::wording::Place::{Anywhere, Greeting, To};
use super::wording::Weight::{Fits, Fixed, Hint, Names, Own};
use super::wording::{FEAT, SYST, Wording};

/// The wordings of each product.
pub(super) const WORDINGS: &[(Product, &[Wording])] = &[
    (Product::FileZilla, FILEZILLA),
    (Product::FileZilla, FILEZILLA_BOTH),
    (Product::FileZillaLegacy, FILEZILLA_LEGACY),
    (Product::FileZillaLegacy, FILEZILLA_BOTH),
    (Product::Iis, IIS),
    (Product::ServU, SERV_U),
    (Product::Cerberus, CERBERUS),
    (Product::WsFtp, WS_FTP),
    (Product::Titan, TITAN),
    (Product::Wing, WING),
    (Product::Xlight, XLIGHT),
    (Product::CoreFtp, CORE_FTP),
    (Product::Gene6, GENE6),
    (Product::GlobalScape, GLOBALSCAPE),
    (Product::Bitvise, BITVISE),
];

/// Whether a version may be this product's: 0.x is the elder `FileZilla` Server, the rest the
/// younger, and [`FILEZILLA_BOTH`] holds the greetings of either.
pub(super) fn generation_agrees(product: Product, version: Option<&str>) -> bool {
    let elder = version.map(|version| version.starts_with("0."));
    match product {
        Product::FileZilla => elder != Some(true),
        Product::FileZillaLegacy => elder != Some(false),
        _ => true,
    }
}

const FILEZILLA_BOTH: &[Wording] = &[
    (Greeting, Names, &["{}FileZilla Server {v}{}"]),
    (Greeting, Names, &["{}FileZilla Server version {v}{}"]),
    (Greeting, Names, &["{}FileZilla Server v{v}{}"]),
    (Greeting, Names, &["220{}FileZilla Server"]),
    (Greeting, Hint, &["220{}Please visit https://filezilla-project.org{}"]),
    (
        Anywhere,
        Own,
        &[
            "500 You are connected using IPv6. PASV is only for IPv4. You have to use the EPSV command instead.",
        ],
    ),
    (Anywhere, Own, &["501 What are you trying to do? Go away."]),
    (Anywhere, Own, &["202 UTF8 mode is always enabled. No need to send this command{}"]),
    (Anywhere, Hint, &["200 Protection level set to P"]),
    (Anywhere, Hint, &["530 Please log in with USER and PASS first."]),
    (Anywhere, Fits, &["200 Type set to {}"]),
];

const FILEZILLA: &[Wording] = &[
    (Greeting, Names, &["{}FileZilla Pro{} Server {v}"]),
    // The full stop is all that tells it from 0.9 under an edited greeting.
    (SYST, Fixed, &["215 UNIX emulated by FileZilla."]),
    (FEAT, Own, &["Features:", "MLST type*;size*;modify*;perm*;", "TVFS", "MFMT", "End"]),
    (Anywhere, Own, &["331 Please, specify the password."]),
    (Anywhere, Own, &["150 About to start data transfer."]),
    (Anywhere, Own, &["425 Cannot prepare for data connection."]),
    (Anywhere, Own, &["425 Error while transfering data: {}"]), // their spelling
    (Anywhere, Own, &["425 Unable to build data connection: TLS session of data connection not resumed."]),
    (Anywhere, Own, &["425 Unable to build data connection: No or wrong ALPN on data connection"]),
    (Anywhere, Own, &["425 Use PORT, PASV or EPSV first."]),
    (Anywhere, Hint, &["503 Use AUTH first."]),
    (Anywhere, Fits, &["234 Using authentication type TLS."]),
    (Anywhere, Hint, &["534 Protection level C not allowed"]),
    (Anywhere, Hint, &["150 Starting data transfer."]),
    (Anywhere, Hint, &["226 Operation successful"]),
    (Anywhere, Hint, &["500 Wrong command."]),
    (Anywhere, Hint, &["421 Login time exceeded. Closing control connection."]),
    (Anywhere, Fits, &["230 Login successful."]),
    (Anywhere, Fits, &["200 EPSV ALL command successful."]),
    (Anywhere, Fits, &["500 Illegal PASV command, EPSV ALL in effect."]),
    (Anywhere, Fits, &["425 Use PORT or PASV first."]),
];

const FILEZILLA_LEGACY: &[Wording] = &[
    (Greeting, Own, &["220{}written by Tim Kosse{}"]),
    (SYST, Fixed, &["215 UNIX emulated by FileZilla"]),
    // FEAT differs from 1.x in what it lacks, which proves nothing; CLNT it has.
    (FEAT, Hint, &["Features:", "MLST type*;size*;modify*;", "CLNT", "MFMT", "End"]),
    (Anywhere, Own, &["150 Data channel opened for {}"]),
    (Anywhere, Own, &["425 Can't open data connection for transfer of \"{}\""]),
    (
        Anywhere,
        Own,
        &[
            "425 Rejected data connection for transfer of \"{}\", IP addresses of control and data connection do not match",
        ],
    ),
    (Anywhere, Own, &["426 Connection closed; aborted transfer of \"{}\""]),
    (
        Anywhere,
        Own,
        &[
            "450 TLS session of data connection has not resumed or the session does not match the control connection",
        ],
    ),
    (Anywhere, Own, &["530 This server does not allow plain FTP. You have to use FTP over TLS."]),
    (Anywhere, Own, &["534 This server requires an encrypted data connection with PROT P"]),
    // 1.x says this too, but only to PORT.
    (To("PASV"), Own, &["421 Could not create socket{}"]),
    (To("EPSV"), Own, &["421 Could not create socket{}"]),
    (Anywhere, Hint, &["214 Have a nice day."]),
    // WIZnet's network chips and the jsftpd library have copied these.
    (Anywhere, Fits, &["150 Opening data channel for {}"]),
    (Anywhere, Fits, &["226 Successfully transferred \"{}\""]),
    (Anywhere, Fits, &["230 Logged on"]),
    (Anywhere, Fits, &["234 Using authentication type TLS"]),
    (Anywhere, Fits, &["331 Password required for {}"]),
];

const IIS: &[Wording] = &[
    (Greeting, Names, &["{}Microsoft FTP Service (Version {v}).{}"]),
    (Greeting, Names, &["{}Microsoft FTP Service{}"]),
    (SYST, Own, &["215 Windows_NT{}"]),
    (FEAT, Own, &["Extended features supported:", "AUTH TLS;TLS-C;SSL;TLS-P;", "END"]),
    (FEAT, Hint, &["FEAT", "SIZE", "MDTM", "END"]), // IIS 6
    (Anywhere, Own, &["331 Anonymous access allowed, send identity (e-mail name) as password."]),
    (Anywhere, Own, &["234 AUTH command ok. Expecting TLS Negotiation."]),
    (Anywhere, Own, &["534 Policy requires SSL."]),
    (Anywhere, Own, &["534 Local policy on server does not allow TLS secure connections."]),
    (Anywhere, Hint, &["331 Password required"]),
    (Anywhere, Hint, &["230 User logged in."]),
    (Anywhere, Hint, &["530 User cannot log in{}"]),
    (Anywhere, Hint, &["125 Data connection already open; Transfer starting."]),
    (Anywhere, Hint, &["425 Cannot open data connection."]),
    (Anywhere, Hint, &["500 Command not allowed."]),
    (Anywhere, Hint, &["200 PROT command successful."]),
    // With a suppressed greeting this answers the first line sent (nmap).
    (Anywhere, Hint, &["451 The parameter is incorrect."]),
    (Anywhere, Fits, &["200 PBSZ command successful."]),
    (Anywhere, Fits, &["331 Password required for {}."]),
    (Anywhere, Fits, &["550 The system cannot find the file specified."]),
];

const SERV_U: &[Wording] = &[
    (Greeting, Names, &["{}Serv-U FTP Server v{v} {}"]),
    (Greeting, Names, &["{}Serv-U FTP Server{}"]),
    (To("CSID"), Fixed, &["200 Name=Serv-U; Version={v};{}"]),
    (Anywhere, Hint, &["431 Unable to negotiate secure command connection."]),
    (Anywhere, Hint, &["250 Directory changed to {}"]),
    (Anywhere, Hint, &["226 Transfer complete. {} bytes transferred. {} KB/sec."]),
    (Anywhere, Fits, &["331 User name okay, need password."]),
    (Anywhere, Fits, &["230 User logged in, proceed."]),
    (Anywhere, Fits, &["530 Not logged in."]),
];

const CERBERUS: &[Wording] = &[
    (Greeting, Names, &["{}Cerberus FTP Server{}"]),
    (Greeting, Names, &["220{}Created by Cerberus, LLC"]),
    (Greeting, Names, &["220{}Created by Grant Averett{}"]),
    (Greeting, Own, &["421-Not currently accepting logins at this address. Try back{}"]),
    (Anywhere, Own, &["331 User {}, password please"]),
    (Anywhere, Own, &["230 Password Ok, User logged in"]),
    (Anywhere, Own, &["200 PROT P OK, data channel will be secured"]),
    (Anywhere, Own, &["521 Not logged in - Secure authentication required"]),
    (Anywhere, Hint, &["200 Type Binary"]),
];

const WS_FTP: &[Wording] = &[
    (Greeting, Names, &["{} WS_FTP Server {v}({}"]),
    (FEAT, Own, &["Extensions supported", "XQUOTA", "AUTH SSL;TLS-P;", "end"]),
    (SYST, Hint, &["215 UNIX"]),
    (Anywhere, Own, &["200 PRIVATE data channel protection level set"]),
    (Anywhere, Hint, &["331 Enter password"]),
    (Anywhere, Fits, &["230 User logged in"]),
];

const TITAN: &[Wording] =
    &[(Greeting, Names, &["{}Titan FTP Server {v} Ready.{}"]), (Greeting, Names, &["{}Titan FTP Server{}"])];

const WING: &[Wording] = &[
    (Greeting, Names, &["{}Wing FTP Server {v} ready...{}"]),
    (Greeting, Names, &["{}Wing FTP Server{}"]),
    (Greeting, Names, &["{}UNREGISTERED WING FTP SERVER{}"]),
    (Anywhere, Fits, &["331 Password required for {}"]),
    (Anywhere, Fits, &["230 User {} logged in."]),
    (Anywhere, Fits, &["200 Type set to {}"]),
];

const XLIGHT: &[Wording] = &[
    (Greeting, Names, &["{}Xlight FTP Server {v} ready...{}"]),
    (Greeting, Names, &["{}Xlight FTP Server{}"]),
    (Anywhere, Fits, &["331 Password required for {}"]),
];

const CORE_FTP: &[Wording] = &[
    (Greeting, Names, &["{}Core FTP Server Version {v}, build {}"]),
    (Greeting, Names, &["{}Core FTP Server{}"]),
];

const GENE6: &[Wording] = &[
    (Greeting, Names, &["{}Gene6 FTP Server v{v} {}"]),
    (Greeting, Names, &["{} by G6 FTP Server ready {}"]),
];

const GLOBALSCAPE: &[Wording] =
    &[(Greeting, Names, &["{}GlobalSCAPE EFT Server (v. {v}){}"]), (Greeting, Names, &["220 EFT Server{}"])];

const BITVISE: &[Wording] = &[(Greeting, Names, &["{}Bitvise SSH Server {v}{}"])];

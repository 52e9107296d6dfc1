//! What the servers of Linux and the BSDs say. Sources: runs of vsftpd 3.0.3
//! and 3.0.5, `ProFTPD` 1.3.8, Pure-FTPd 1.0.50 and inetutils 2.4 on loopback, and
//! the sources of WU-FTPD 2.8.

use super::super::product::Product;
use super::wording::Place::{Anywhere, Greeting, To};
use super::wording::Weight::{Fits, Fixed, Hint, Names, Own};
use super::wording::{FEAT, SYST, Wording};

/// The wordings of each product.
pub(super) const WORDINGS: &[(Product, &[Wording])] = &[
    (Product::Vsftpd, VSFTPD),
    (Product::ProFtpd, PROFTPD),
    (Product::Qnap, QNAP),
    (Product::PureFtpd, PURE_FTPD),
    (Product::Inetutils, INETUTILS),
    (Product::WuFtpd, WU_FTPD),
];

const VSFTPD: &[Wording] = &[
    (Greeting, Names, &["{}(vsFTPd {v}{}"]),
    // The image delfer/alpine-ftp-server, which is vsftpd with this greeting.
    (Greeting, Names, &["220 Welcome Alpine ftp server https://hub.docker.com/r/delfer/{}"]),
    (Greeting, Own, &["421 There are too many connected users, please try later."]),
    (Greeting, Own, &["421 There are too many connections from your internet address."]),
    // STAT shows the version even under an edited greeting.
    (To("STAT"), Fixed, &["{}vsFTPd {v} - secure, fast, stable"]),
    (FEAT, Own, &["Features:", "PASV", "REST STREAM", "TVFS", "End"]),
    (Anywhere, Own, &["331 Please specify the password."]),
    (Anywhere, Own, &["200 Switching to {} mode."]),
    (Anywhere, Own, &["150 Here comes the directory listing."]),
    (Anywhere, Own, &["226 Directory send OK."]),
    (Anywhere, Own, &["200 PORT command successful. Consider using PASV."]),
    (Anywhere, Own, &["234 Proceed with negotiation."]),
    (Anywhere, Own, &["200 PROT now {}."]),
    (Anywhere, Own, &["500 OOPS: {}"]),
    (Anywhere, Own, &["500 HTTP protocol commands not allowed."]),
    (Anywhere, Own, &["530 This FTP server is anonymous only."]),
    (Anywhere, Own, &["530 Non-anonymous sessions must use encryption."]),
    (Anywhere, Own, &["530 Anonymous sessions may not use encryption."]),
    (Anywhere, Own, &["522 SSL connection failed{}session reuse required{}"]),
    (Anywhere, Own, &["522 Data connections must be encrypted."]),
    (Anywhere, Own, &["425 Security: Bad IP connecting."]),
    (Anywhere, Own, &["421 Data timeout. Reconnect. Sorry."]),
    (Anywhere, Hint, &["425 Failed to establish connection."]),
    (Anywhere, Hint, &["200 NOOP ok."]),
    (Anywhere, Hint, &["200 EPSV ALL ok."]),
    (Anywhere, Hint, &["200 PBSZ set to 0."]),
    (Anywhere, Hint, &["214 Help OK."]),
    (Anywhere, Fits, &["230 Login successful."]),
    (Anywhere, Fits, &["200 Always in UTF8 mode."]),
    (Anywhere, Fits, &["425 Use PORT or PASV first."]),
    (Anywhere, Fits, &["530 Please login with USER and PASS."]),
    (Anywhere, Fits, &["257 \"{}\" is the current directory"]),
];

// Without a full stop where BSD, FileZilla and pyftpdlib set one.
const PROFTPD: &[Wording] = &[
    (Greeting, Names, &["{}ProFTPD {v} Server{}"]),
    (Greeting, Names, &["{}ProFTPD Server{}"]),
    (Greeting, Own, &["530 Sorry, the maximum number of {} are already connected."]),
    (Greeting, Fits, &["220 {} FTP server ready"]),
    (To("CSID"), Fixed, &["200 name=ProFTPD;version={v};{}"]),
    (FEAT, Own, &["Features:", "MFF modify;UNIX.group;UNIX.mode;", "End"]),
    (Anywhere, Own, &["331 Anonymous login ok, send your complete email address as your password{}"]),
    (Anywhere, Own, &["230 Anonymous access granted, restrictions apply{}"]),
    (Anywhere, Own, &["530 Sorry, the maximum number of {} are already connected."]),
    (Anywhere, Own, &["421 No transfer timeout ({} seconds): closing control connection"]),
    (Anywhere, Own, &["211-Status of '{}'"]),
    (Anywhere, Hint, &["421 Idle timeout ({} seconds): closing control connection"]),
    (Anywhere, Hint, &["500 {} not understood"]),
    (Anywhere, Hint, &["530 Please login with USER and PASS"]),
    (Anywhere, Hint, &["501 {}: Operation not permitted"]),
    (Anywhere, Hint, &["150 Opening {} mode data connection for file list"]),
    (Anywhere, Hint, &["425 Unable to build data connection: Operation not permitted"]),
    (Anywhere, Hint, &["425 Unable to build data connection: Permission denied"]),
    (Anywhere, Hint, &["425 Unable to build data connection: Connection refused"]),
    (Anywhere, Hint, &["550 SSL/TLS required on the control channel"]),
    (Anywhere, Hint, &["522 SSL/TLS required on the data channel"]),
    (Anywhere, Hint, &["534 Unwilling to accept security parameters"]),
    (Anywhere, Hint, &["234 AUTH TLS successful"]),
    (Anywhere, Hint, &["200 PBSZ 0 successful"]),
    (Anywhere, Hint, &["200 UTF8 set to on"]),
    (Anywhere, Hint, &["500 Illegal PASV command, EPSV ALL in effect"]),
    (Anywhere, Fits, &["200 Protection set to Private"]),
    (Anywhere, Fits, &["200 NOOP command successful"]),
    (Anywhere, Fits, &["200 EPSV ALL command successful"]),
    (Anywhere, Fits, &["214-The following commands are recognized (* =>'s unimplemented):"]),
    (Anywhere, Fits, &["331 Password required for {}"]),
    (Anywhere, Fits, &["230 User {} logged in"]),
    (Anywhere, Fits, &["200 Type set to {}"]),
    (Anywhere, Fits, &["257 \"{}\" is the current directory"]),
];

const QNAP: &[Wording] = &[(Greeting, Names, &["{}NASFTPD Turbo station {v} Server (ProFTPD){}"])];

const PURE_FTPD: &[Wording] = &[
    // "Welcome to" is translated, the frame and the name are not.
    (Greeting, Names, &["{}---{}Pure-FTPd{}---{}"]),
    (Greeting, Own, &["220-You are user number {} of {} allowed."]),
    (Greeting, Own, &["220-Local time is now {}. Server port: {}."]),
    (Greeting, Own, &["220-Only anonymous FTP is allowed here"]),
    (Greeting, Own, &["220-This is a private system - No anonymous login"]),
    (Greeting, Own, &["220{}You will be disconnected after {} of inactivity."]),
    (Greeting, Own, &["421 {} users (the maximum) are already logged in, sorry"]),
    (Greeting, Own, &["421 Too many connections ({}) from this IP"]),
    (Greeting, Own, &["421 Illegal forced IP for passive connections"]),
    (To("HELP"), Fixed, &["214 Pure-FTPd - http{}"]),
    (To("STAT"), Fixed, &["211 http{}pureftpd.org/"]),
    (FEAT, Own, &["Extensions supported:", "ESTA", "End."]),
    (FEAT, Own, &["MLST type*;size*;sizd*;modify*;{}"]),
    (Anywhere, Own, &["331 User {} OK. Password required"]),
    (Anywhere, Own, &["331 Any password will work"]),
    (Anywhere, Own, &["230 Any password will work"]),
    (Anywhere, Own, &["230 Anonymous user logged in"]),
    (Anywhere, Own, &["230 OK. Current directory is {}"]),
    (Anywhere, Own, &["530 You aren't logged in"]),
    (Anywhere, Own, &["200 Data protection level set to \"{}\""]),
    (Anywhere, Own, &["221-Goodbye. You uploaded {} and downloaded {} kbytes."]),
    (Anywhere, Own, &["257 \"{}\" is your current location"]),
    (Anywhere, Own, &["229 Extended Passive mode OK ({})"]),
    (Anywhere, Own, &["425 All reserved TCP ports are busy"]),
    (Anywhere, Own, &["425 You cannot use PASV on IPv6 connections. Use EPSV instead."]),
    (Anywhere, Own, &["500 I won't open a connection to {} (only to {})"]),
    (Anywhere, Own, &["501 Sorry, but I won't connect to ports < 1024"]),
    (Anywhere, Own, &["421-Sorry, cleartext sessions and weak ciphers are not accepted on this server."]),
    (Anywhere, Own, &["521 Data connection cannot be opened with this PROT setting."]),
    (Anywhere, Own, &["421 Timeout - try typing a little faster next time"]),
    (Anywhere, Own, &["500 HTTP command: [{}]"]),
    (Anywhere, Hint, &["530 Login authentication failed"]),
    (Anywhere, Hint, &["234 AUTH TLS OK."]),
    (Anywhere, Hint, &["500 This security scheme is not implemented"]),
    // The FTP servers for Arduino and ESP boards have copied these.
    (Anywhere, Fits, &["200 Zzz..."]),
    (Anywhere, Fits, &["200 TYPE is now {}"]),
    (Anywhere, Fits, &["150 Accepted data connection"]),
    (Anywhere, Fits, &["226 {} matches total"]),
    (Anywhere, Fits, &["425 No data connection"]),
];

const INETUTILS: &[Wording] = &[
    (Greeting, Names, &["{} FTP server (GNU inetutils {v}) ready."]),
    (To("STAT"), Fixed, &["{}ftpd (GNU inetutils) {v}"]),
    // The release of the kernel follows; BSD and wu-ftpd print nothing like it.
    (SYST, Own, &["215 UNIX Type: L8 Version: Linux {}.{}"]),
    (FEAT, Own, &["Supported extensions:", "LPRT", "LPSV", "End"]),
    // PASV over IPv6, answered as if it had been LPSV.
    (To("PASV"), Own, &["228 Entering Long Passive Mode ({})"]),
    (Anywhere, Fits, &["331 Guest login ok, type your name as password."]),
    (Anywhere, Fits, &["230 Guest login ok, access restrictions apply."]),
    (Anywhere, Fits, &["331 Password required for {}."]),
    (Anywhere, Fits, &["230 User {} logged in."]),
    (Anywhere, Fits, &["530 Please login with USER and PASS."]),
    (Anywhere, Fits, &["214 Direct comments to ftp-bugs@{}"]),
];

const WU_FTPD: &[Wording] = &[
    (Greeting, Names, &["{} FTP server (Version wu-{v}{}"]),
    (Anywhere, Own, &["425 Possible PASV port theft, cannot open data connection."]),
    (Anywhere, Fits, &["230 Guest login ok, access restrictions apply."]),
    (Anywhere, Fits, &["530 Please login with USER and PASS."]),
];

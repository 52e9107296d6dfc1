//! `FileZilla` Server 1.9.4 on a listener without TLS, after its source (`commander.cpp`).

use super::{Features, Stages, TlsWords, Wording, say};

const HELP: &str = "214-The following commands are recognized.\n\
    ABOR ALLO APPE AUTH CDUP CLNT CWD DELE EPRT EPSV \n\
    FEAT HELP LIST MDTM MFMT MKD MLSD MLST MODE NLST \n\
    NOOP NOP OPTS PASS PASV PBSZ PORT PROT PWD QUIT \n\
    REST RETR RMD RNFR RNTO SIZE STAT STOR STRU SYST \n\
    TYPE USER XCWD XMKD XPWD XRMD \n\
    214 Help ok.";

const DATA: Stages = Stages {
    waiting: Some("150 About to start data transfer."),
    begin: "150 Starting data transfer.",
    end: "226 Operation successful",
};

pub(super) static WORDING: Wording = Wording {
    greeting: "220-FileZilla Server 1.9.4\n220 Please visit https://filezilla-project.org/",
    full: "421 Too many active connections, try again later",
    goodbye: "221 Goodbye.",
    line_too_long: "500 Syntax error, command line not recognized.",

    before_login: &["AUTH", "CLNT", "CSID", "FEAT", "HELP", "NOOP", "OPTS", "PBSZ", "PROT", "SYST"],
    not_logged_in: "530 Please log in with USER and PASS first.",
    unknown: "500 Wrong command.",
    unknown_needs_login: false,

    password_wanted: "331 Please, specify the password.",
    anonymous_wanted: "331 Please, specify the password.",
    logged_in: "230 Login successful.",
    anonymous_in: "230 Login successful.",
    login_incorrect: "530 Login incorrect.",
    // It counts to five, and counts every 5xx before the login; three is near enough for a script.
    login_given_up: Some("530 Login incorrect."),
    user_first: "503 Login with USER first.",
    tls_login: say("503 Use AUTH first."),
    tls_data: "425 Error while transfering data: PROT C is not allowed when the control connection is secure. Use PROT P.",
    tls_data_at_passive: false,

    tls: TlsWords {
        auth: "234 Using authentication type TLS.",
        pbsz: "200 PBSZ=0",
        private: "200 Protection level set to P",
        clear: "200 Protection level set to C",
        clear_refused: "534 Protection level C not allowed",
        not_resumed: say("425 Unable to build data connection: TLS session of data connection not resumed."),
        data_failed: "425 Unable to build data connection: TLS handshake failed",
    },
    features: Features {
        first: "211-Features:",
        lines: &[
            "MDTM",
            "REST STREAM",
            "SIZE",
            "MLST type*;size*;modify*;perm*;",
            "MLSD",
            "AUTH SSL",
            "AUTH TLS",
            "PROT",
            "PBSZ",
            "UTF8",
            "TVFS",
            "EPSV",
            "EPRT",
            "MFMT",
        ],
        tls: &[],
        last: "211 End",
    },
    working_directory: "257 \"{path}\" is current directory.",
    directory_changed: "250 CWD command successful",
    // The wording of the 550s was not seen: guessed.
    no_such_directory: "550 Couldn't open the directory",
    no_such_file: "550 Couldn't open the file",
    no_size: "550 Couldn't open the file",
    not_allowed: "550 Permission denied",
    deleted: "250 File deleted successfully.",
    restart: "350 Restarting at {size}",
    fixed: &[
        ("SYST", "215 UNIX emulated by FileZilla."),
        ("NOOP", "200 Noop ok."),
        ("HELP", HELP),
        ("STAT", "211-FTP Server status:\nUp and running, yay!\n211 End of status"),
        ("TYPE I", "200 Type set to I"),
        ("TYPE A", "200 Type set to A"),
        ("TYPE", "501 Unsupported type. Supported types are I, I N, A, A N and L 8."),
        ("OPTS UTF8 ON", "202 UTF8 mode is always enabled. No need to send this command"),
        ("OPTS", "501 Option not understood"),
        ("ABOR", "226 ABOR command successful."),
        // What it says when the handshake cannot begin.
        ("AUTH", "504 TLS handshaking failed!"),
        ("PBSZ", "502 Command PBSZ not implemented for this authentication type"),
        ("PROT", "502 Command PROT not implemented for this authentication type"),
        ("CSID", "500 Wrong command."),
        ("CLNT", "200 Don't care."),
    ],

    pasv: "227 Entering Passive Mode ({h},{p1},{p2})",
    epsv: "229 Entering Extended Passive Mode (|||{port}|)",
    pasv_on_ipv6: "500 You are connected using IPv6. PASV is only for IPv4. You have to use the EPSV command instead.",
    epsv_all: "200 EPSV ALL command successful.",
    pasv_after_epsv_all: Some("500 Illegal PASV command, EPSV ALL in effect."),
    protocols: [&["1", "2"], &["1", "2"]],
    wrong_protocol: "522 Network protocol not supported, use (1,2)",
    no_protocol: "522 Network protocol not supported, use (1,2)",
    // It has no such switch: guessed.
    passive_off: "500 Wrong command.",
    no_free_port: Some(say("425 Cannot prepare for data connection.")),

    no_passive: "425 Use PORT, PASV or EPSV first.",
    listing: DATA,
    download: DATA,
    upload: DATA,
    patience: None, // an hour, the activity timeout: it has no timer of its own for this
    never_connected: say("425 Unable to build data connection: ETIMEDOUT - Connection attempt timed out"),
    foreign_source: Some("425 Unable to build data connection: EINVAL - Invalid argument passed"),
    aborted: "425 Error while transfering data: ECONNABORTED - Connection aborted",
    hears_during_transfer: true,
    keeps_listener: false,
    dos_listing: false,
    lingers: false,
};

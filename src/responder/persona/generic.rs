//! A server of no known make, with the replies of RFC 959 and RFC 2428.

use super::{Features, Stages, TlsWords, Wording, say};

const HELP: &str = "214-The following commands are recognized:\n \
    ABOR AUTH CDUP CWD DELE EPSV FEAT HELP LIST MDTM MLSD NLST NOOP OPTS\n \
    PASS PASV PWD QUIT REST RETR SIZE STAT STOR SYST TYPE USER\n\
    214 Help command successful.";

pub(super) static WORDING: Wording = Wording {
    greeting: "220 FTP server ready.",
    full: "421 Too many users, try again later.",
    goodbye: "221 Goodbye.",
    line_too_long: "500 Command line too long.",

    before_login: &[
        "ABOR", "AUTH", "CLNT", "CSID", "FEAT", "HELP", "NOOP", "OPTS", "PBSZ", "PROT", "STAT", "SYST",
    ],
    not_logged_in: "530 Not logged in.",
    unknown: "500 Syntax error, command unrecognized.",
    unknown_needs_login: false,

    password_wanted: "331 User name okay, need password.",
    anonymous_wanted: "331 Guest login ok, send your e-mail address as password.",
    logged_in: "230 User logged in, proceed.",
    anonymous_in: "230 Guest login ok, access restrictions apply.",
    login_incorrect: "530 Login incorrect.",
    login_given_up: Some("421 Too many failed logins, closing control connection."),
    user_first: "503 Bad sequence of commands.",
    tls_login: say("530 TLS is required: send AUTH TLS first."),
    tls_data: "521 Data connection cannot be opened with this PROT setting.",
    tls_data_at_passive: false,

    // Guessed, where a client can see it.
    tls: TlsWords {
        auth: "234 Security data exchange complete.",
        pbsz: "200 PBSZ=0",
        private: "200 Data channel protected.",
        clear: "200 Data channel clear.",
        clear_refused: "534 Request denied for policy reasons.",
        not_resumed: say("522 TLS session of the data connection not resumed."),
        data_failed: "425 TLS handshake failed.",
    },
    features: Features {
        first: "211-Features:",
        lines: &["EPSV", "MDTM", "MLST type*;size*;modify*;", "PASV", "REST STREAM", "SIZE", "UTF8"],
        tls: &["AUTH TLS", "PBSZ", "PROT"],
        last: "211 End",
    },
    working_directory: "257 \"{path}\" is the current directory.",
    directory_changed: "250 Directory changed.",
    no_such_directory: "550 {name}: No such file or directory.",
    no_such_file: "550 {name}: No such file or directory.",
    no_size: "550 {name}: No such file or directory.",
    not_allowed: "550 {name}: Permission denied.",
    deleted: "250 File deleted.",
    restart: "350 Restarting at {size}.",
    fixed: &[
        ("SYST", "215 UNIX Type: L8"),
        ("NOOP", "200 Command okay."),
        ("HELP", HELP),
        ("STAT", "211-FTP server status:\n {login}\n211 End of status."),
        ("TYPE I", "200 Type set to I."),
        ("TYPE A", "200 Type set to A."),
        ("TYPE", "504 Command not implemented for that parameter."),
        ("OPTS UTF8 ON", "200 UTF8 is always on."),
        ("OPTS", "501 Option not understood."),
        ("ABOR", "226 ABOR command successful."),
        ("AUTH", "502 Command not implemented."),
        ("PBSZ", "502 Command not implemented."),
        ("PROT", "502 Command not implemented."),
        ("CSID", "502 Command not implemented."),
        ("CLNT", "502 Command not implemented."),
    ],

    pasv: "227 Entering Passive Mode ({h},{p1},{p2})",
    epsv: "229 Entering Extended Passive Mode (|||{port}|)",
    pasv_on_ipv6: "501 PASV is for IPv4 only, use EPSV.",
    epsv_all: "200 EPSV ALL command successful.",
    pasv_after_epsv_all: Some("501 PASV not allowed after EPSV ALL."),
    protocols: [&["1"], &["2"]],
    wrong_protocol: "522 Network protocol not supported, use ({own})",
    no_protocol: "501 Syntax error in parameters.",
    passive_off: "502 Command not implemented.",
    no_free_port: Some(say("425 Can't open passive connection: Address already in use.")),

    no_passive: "425 Use PASV or EPSV first.",
    listing: Stages {
        waiting: None,
        begin: "150 Opening {mode} mode data connection for the listing.",
        end: "226 Transfer complete.",
    },
    download: Stages {
        waiting: None,
        begin: "150 Opening {mode} mode data connection for {name} ({size} bytes).",
        end: "226 Transfer complete.",
    },
    upload: Stages {
        waiting: None,
        begin: "150 Opening {mode} mode data connection for {name}.",
        end: "226 Transfer complete.",
    },
    patience: Some(60),
    never_connected: say("425 Can't open data connection."),
    foreign_source: Some("425 Data connection from a foreign address refused."),
    aborted: "426 Connection closed; transfer aborted.",
    hears_during_transfer: true,
    keeps_listener: false,
    dos_listing: false,
    lingers: false,
};

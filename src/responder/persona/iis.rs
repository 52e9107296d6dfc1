//! IIS 10 on Windows Server. HELP, STAT, 421 and the reply to unknown commands were not seen: guessed.

use super::{Features, Stages, TlsWords, Wording, say};

const HELP: &str = "214-The following commands are recognized (* ==>'s unimplemented).\n \
    ABOR ACCT ADAT * ALLO APPE AUTH CCC CDUP CWD DELE ENC * EPRT EPSV FEAT HELP HOST LANG LIST\n \
    MDTM MIC * MKD MODE NLST NOOP OPTS PASS PASV PBSZ PORT PROT PWD QUIT REIN REST RETR RMD\n \
    RNFR RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCUP XCWD XMKD XPWD XRMD\n\
    214 HELP command successful.";

const STAT: &str = "211-Microsoft FTP Service status:\n \
    Logged in as {user}\n \
    TYPE: {mode}, FORM: Nonprint; STRUcture: File; transfer MODE: STREAM\n \
    No data connection\n\
    211 End of status.";

const DATA: Stages = Stages {
    waiting: Some("150 Opening {mode} mode data connection."),
    begin: "125 Data connection already open; Transfer starting.",
    end: "226 Transfer complete.",
};

pub(super) static WORDING: Wording = Wording {
    greeting: "220 Microsoft FTP Service",
    full: "421 Maximum clients reached, service unavailable.",
    goodbye: "221 Goodbye.",
    line_too_long: "500 Command line too long.",

    before_login: &["AUTH", "FEAT", "HELP", "NOOP", "OPTS", "PBSZ", "PROT", "SYST"],
    not_logged_in: "530 Please login with USER and PASS.",
    unknown: "500 Command not understood.",
    unknown_needs_login: false,

    password_wanted: "331 Password required",
    anonymous_wanted: "331 Anonymous access allowed, send identity (e-mail name) as password.",
    logged_in: "230 User logged in.",
    anonymous_in: "230 User logged in.",
    login_incorrect: "530 User cannot log in.",
    login_given_up: None,
    user_first: "503 Login with USER first.",
    tls_login: say("534 Policy requires SSL."),
    tls_data: "534 Policy requires SSL.",
    tls_data_at_passive: false,

    // Guessed, where a client can see it.
    tls: TlsWords {
        auth: "234 AUTH command ok. Expecting TLS Negotiation.",
        pbsz: "200 PBSZ command successful.",
        private: "200 PROT command successful.",
        clear: "200 PROT command successful.",
        clear_refused: "534 Policy requires SSL.",
        not_resumed: say("425 Cannot open data connection: TLS session not resumed."),
        data_failed: "425 Cannot open data connection: TLS handshake failed.",
    },
    features: Features {
        first: "211-Extended features supported:",
        // No EPSV, though it works.
        lines: &[
            "LANG EN*",
            "UTF8",
            "AUTH TLS;TLS-C;SSL;TLS-P;",
            "PBSZ",
            "PROT C;P;",
            "CCC",
            "HOST",
            "SIZE",
            "MDTM",
            "REST STREAM",
        ],
        tls: &[],
        last: "211 END",
    },
    working_directory: "257 \"{path}\" is current directory.",
    directory_changed: "250 CWD command successful.",
    // The blank at the end is real.
    no_such_directory: "550 The system cannot find the file specified. ",
    no_such_file: "550 The system cannot find the file specified. ",
    no_size: "550 The system cannot find the file specified. ",
    not_allowed: "550 Access is denied. ",
    deleted: "250 DELE command successful.",
    restart: "350 Restarting at {size}.",
    fixed: &[
        ("SYST", "215 Windows_NT"),
        ("NOOP", "200 noop command successful."),
        ("HELP", HELP),
        ("STAT", STAT),
        ("TYPE I", "200 Type set to I."),
        ("TYPE A", "200 Type set to A."),
        ("TYPE", "504 Command not implemented for that parameter."),
        ("OPTS UTF8 ON", "200 OPTS UTF8 command successful - UTF8 encoding now ON."),
        ("OPTS", "501 Parameter not understood."),
        ("ABOR", "226 ABOR command successful."),
        ("AUTH", "534 Local policy on server does not allow TLS secure connections."),
        ("PBSZ", "503 Bad sequence of commands."),
        ("PROT", "503 Bad sequence of commands."),
        ("CSID", "500 Command not understood."),
        ("CLNT", "500 Command not understood."),
        ("MLSD", "500 Command not understood."),
    ],

    pasv: "227 Entering Passive Mode ({h},{p1},{p2}).",
    epsv: "229 Entering Extended Passive Mode (|||{port}|)",
    pasv_on_ipv6: "425 Cannot open data connection.",
    epsv_all: "200 EPSV ALL command successful.",
    pasv_after_epsv_all: Some("501 Parameter not understood."),
    protocols: [&["1"], &["2"]],
    wrong_protocol: "522 Network protocol not supported, use ({own})",
    no_protocol: "501 Parameter not understood.",
    // Request filtering can refuse any command.
    passive_off: "500 Command not allowed.",
    no_free_port: Some(say("425 Cannot open data connection.")),

    no_passive: "425 Cannot open data connection.",
    listing: DATA,
    download: DATA,
    upload: DATA,
    patience: Some(60),
    never_connected: say("425 Cannot open data connection."),
    foreign_source: Some("425 Cannot open data connection."),
    aborted: "426 Connection closed; transfer aborted.",
    hears_during_transfer: true,
    keeps_listener: false,
    dos_listing: true,
    lingers: false,
};

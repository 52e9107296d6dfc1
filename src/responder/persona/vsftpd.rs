//! vsftpd 3.0.5 as Debian builds it.

use super::{Features, Stages, TlsWords, Wording, last_words, say};

const HELP: &str = "214-The following commands are recognized.\n \
    ABOR ACCT ALLO APPE CDUP CWD  DELE EPRT EPSV FEAT HELP LIST MDTM MKD\n \
    MODE NLST NOOP OPTS PASS PASV PORT PWD  QUIT REIN REST RETR RMD  RNFR\n \
    RNTO SITE SIZE SMNT STAT STOR STOU STRU SYST TYPE USER XCUP XCWD XMKD\n \
    XPWD XRMD\n\
    214 Help OK.";

const STAT: &str = "211-FTP server status:\n     \
    Connected to {local}\n     \
    Logged in as {account}\n     \
    TYPE: {mode}\n     \
    No session bandwidth limit\n     \
    Session timeout in seconds is 300\n     \
    Control connection is plain text\n     \
    Data connections will be plain text\n     \
    At session startup, client count was 1\n     \
    vsFTPd 3.0.5 - secure, fast, stable\n\
    211 End of status";

pub(super) static WORDING: Wording = Wording {
    greeting: "220 (vsFTPd 3.0.5)",
    full: "421 There are too many connected users, please try later.",
    goodbye: "221 Goodbye.",
    line_too_long: "500 Input line too long.",

    before_login: &["FEAT"],
    not_logged_in: "530 Please login with USER and PASS.",
    unknown: "500 Unknown command.",
    unknown_needs_login: true,

    password_wanted: "331 Please specify the password.",
    anonymous_wanted: "331 Please specify the password.",
    logged_in: "230 Login successful.",
    anonymous_in: "230 Login successful.",
    login_incorrect: "530 Login incorrect.",
    login_given_up: Some("530 Login incorrect."),
    user_first: "503 Login with USER first.",
    tls_login: last_words("530 {kind} sessions must use encryption."),
    tls_data: "522 Data connections must be encrypted.",
    tls_data_at_passive: false,

    tls: TlsWords {
        auth: "234 Proceed with negotiation.",
        pbsz: "200 PBSZ set to 0.",
        private: "200 PROT now Private.",
        clear: "200 PROT now Clear.",
        clear_refused: "534 PROT C is not allowed.",
        not_resumed: last_words("522 SSL connection failed: session reuse required"),
        data_failed: "522 SSL connection failed",
    },
    features: Features {
        first: "211-Features:",
        lines: &["EPRT", "EPSV", "MDTM", "PASV", "REST STREAM", "SIZE", "TVFS"],
        tls: &["AUTH TLS", "PBSZ", "PROT"],
        last: "211 End",
    },
    working_directory: "257 \"{path}\" is the current directory",
    directory_changed: "250 Directory successfully changed.",
    no_such_directory: "550 Failed to change directory.",
    no_such_file: "550 Failed to open file.",
    no_size: "550 Could not get file size.",
    not_allowed: "550 Permission denied.",
    deleted: "250 Delete operation successful.",
    restart: "350 Restart position accepted ({size}).",
    fixed: &[
        ("SYST", "215 UNIX Type: L8"),
        ("NOOP", "200 NOOP ok."),
        ("HELP", HELP),
        ("STAT", STAT),
        ("TYPE I", "200 Switching to Binary mode."),
        ("TYPE A", "200 Switching to ASCII mode."),
        ("TYPE", "500 Unrecognised TYPE command."),
        ("OPTS UTF8 ON", "200 Always in UTF8 mode."),
        ("OPTS", "501 Option not understood."),
        ("ABOR", "225 No transfer to ABOR."),
        ("AUTH", "500 Unknown command."),
        ("PBSZ", "550 Permission denied."),
        ("PROT", "550 Permission denied."),
        ("CSID", "500 Unknown command."),
        ("CLNT", "500 Unknown command."),
        ("MLSD", "500 Unknown command."),
    ],

    pasv: "227 Entering Passive Mode ({h},{p1},{p2}).",
    epsv: "229 Entering Extended Passive Mode (|||{port}|)",
    pasv_on_ipv6: "227 Entering Passive Mode (0,0,0,0,{p1},{p2}).",
    epsv_all: "200 EPSV ALL ok.",
    pasv_after_epsv_all: Some("550 Permission denied."),
    protocols: [&["1"], &["1", "2"]],
    wrong_protocol: "522 Bad network protocol.",
    no_protocol: "522 Bad network protocol.",
    passive_off: "550 Permission denied.",
    // Both halves of the daemon write their own epitaph.
    no_free_port: Some(last_words("500 OOPS: vsf_sysutil_bind\n500 OOPS: priv_sock_get_int")),

    no_passive: "425 Use PORT or PASV first.",
    listing: Stages {
        waiting: None,
        begin: "150 Here comes the directory listing.",
        end: "226 Directory send OK.",
    },
    download: Stages {
        waiting: None,
        begin: "150 Opening BINARY mode data connection for {path} ({size} bytes).",
        end: "226 Transfer complete.",
    },
    upload: Stages { waiting: None, begin: "150 Ok to send data.", end: "226 Transfer complete." },
    patience: Some(60),
    never_connected: say("425 Failed to establish connection."),
    foreign_source: Some("425 Security: Bad IP connecting."),
    aborted: "426 Failure writing network stream.",
    hears_during_transfer: false,
    keeps_listener: false,
    dos_listing: false,
    lingers: false,
};

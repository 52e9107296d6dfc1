//! `ProFTPD` 1.3.8 as Debian builds it, without `mod_tls`.

use super::{Features, Stages, TlsWords, Wording, last_words, say};

const HELP: &str = "214-The following commands are recognized (* =>'s unimplemented):\n \
    CWD     XCWD    CDUP    XCUP    SMNT*   QUIT    PORT    PASV    \n \
    EPRT    EPSV    ALLO    RNFR    RNTO    DELE    MDTM    RMD     \n \
    XRMD    MKD     XMKD    PWD     XPWD    SIZE    SYST    HELP    \n \
    NOOP    FEAT    OPTS    HOST    CLNT    AUTH*   CCC*    CONF*   \n \
    ENC*    MIC*    PBSZ*   PROT*   TYPE    STRU    MODE    RETR    \n \
    STOR    STOU    APPE    REST    ABOR    RANG    USER    PASS    \n \
    ACCT*   REIN*   LIST    NLST    STAT    SITE    MLSD    MLST    \n\
    214 Direct comments to root@{local}";

const STAT: &str = "211-Status of 'Debian'\n \
    Connected from {local} ({local})\n \
    Logged in as {account}\n \
    TYPE: {mode}, STRUcture: File, Mode: Stream\n \
    No data connection\n\
    211 End of status";

const MFF: &str = "MFF modify;UNIX.group;UNIX.mode;";
const MLST: &str = "MLST modify*;perm*;size*;type*;unique*;UNIX.group*;UNIX.groupname*;UNIX.mode*;\
    UNIX.owner*;UNIX.ownername*;";

pub(super) static WORDING: Wording = Wording {
    greeting: "220 ProFTPD Server (Debian) [{local}]",
    // MaxInstances drops connections without a word; this is the text of a client limit at login, which is what people see.
    full: "421 Sorry, the maximum number of allowed clients are already connected.",
    goodbye: "221 Goodbye.",
    line_too_long: "500 Command too long",

    before_login: &["AUTH", "CLNT", "CSID", "FEAT", "HELP", "NOOP", "OPTS", "PBSZ", "PROT", "SYST"],
    not_logged_in: "530 Please login with USER and PASS",
    unknown: "500 {command} not understood",
    unknown_needs_login: false,

    password_wanted: "331 Password required for {user}",
    anonymous_wanted: "331 Anonymous login ok, send your complete email address as your password",
    logged_in: "230 User {user} logged in",
    anonymous_in: "230 Anonymous access granted, restrictions apply",
    login_incorrect: "530 Login incorrect.",
    login_given_up: Some("530 Login incorrect."),
    user_first: "503 Login with USER first",
    tls_login: say("550 SSL/TLS required on the control channel"),
    tls_data: "522 SSL/TLS required on the data channel",
    tls_data_at_passive: false,

    tls: TlsWords {
        auth: "234 AUTH TLS successful",
        pbsz: "200 PBSZ 0 successful",
        private: "200 Protection set to Private",
        clear: "200 Protection set to Clear",
        clear_refused: "534 Unwilling to accept security parameters",
        not_resumed: say("425 Unable to build data connection: Operation not permitted"),
        data_failed: "425 Unable to build data connection: Operation not permitted",
    },
    features: Features {
        first: "211-Features:",
        lines: &[
            "CLNT",
            "CSID",
            "EPRT",
            "EPSV",
            "HOST",
            "LANG C.UTF-8*",
            "MDTM",
            MFF,
            "MFMT",
            MLST,
            "RANG STREAM",
            "REST STREAM",
            "SIZE",
            "TVFS",
            "UTF8",
        ],
        tls: &["AUTH TLS", "CCC", "PBSZ", "PROT", "SSCN"],
        last: "211 End",
    },
    working_directory: "257 \"{path}\" is the current directory",
    directory_changed: "250 CWD command successful",
    no_such_directory: "550 {name}: No such file or directory",
    no_such_file: "550 {name}: No such file or directory",
    no_size: "550 {name}: No such file or directory",
    not_allowed: "550 {name}: Permission denied",
    deleted: "250 DELE command successful",
    restart: "350 Restarting at {size}. Send STORE or RETRIEVE to initiate transfer",
    fixed: &[
        ("SYST", "215 UNIX Type: L8"),
        ("NOOP", "200 NOOP command successful"),
        ("HELP", HELP),
        ("STAT", STAT),
        ("TYPE I", "200 Type set to I"),
        ("TYPE A", "200 Type set to A"),
        ("TYPE", "504 TYPE not implemented for that parameter"),
        ("OPTS UTF8 ON", "200 UTF8 set to on"),
        ("OPTS", "501 OPTS: parameter not understood"),
        ("ABOR", "226 Abort successful"),
        ("AUTH", "500 AUTH not understood"),
        ("PBSZ", "500 PBSZ not understood"),
        ("PROT", "500 PROT not understood"),
        ("CSID", "200 name=ProFTPD;version=1.3.8;casesensitive=1;"),
        ("CLNT", "200 OK"),
    ],

    pasv: "227 Entering Passive Mode ({h},{p1},{p2}).",
    epsv: "229 Entering Extended Passive Mode (|||{port}|)",
    // Only the last group of the IPv6 address gets through.
    pasv_on_ipv6: "227 Entering Passive Mode (1,{p1},{p2}).",
    epsv_all: "200 EPSV ALL command successful",
    pasv_after_epsv_all: Some("500 Illegal PASV command, EPSV ALL in effect"),
    protocols: [&["1"], &["1", "2"]],
    wrong_protocol: "522 Network protocol not supported, use (1)",
    no_protocol: "501 EPSV: unknown network protocol",
    passive_off: "501 {command}: Operation not permitted",
    no_free_port: None,

    // Without PASV it tries an active connection to the client's control port.
    no_passive: "425 Unable to build data connection: Connection refused",
    listing: Stages {
        waiting: None,
        begin: "150 Opening {mode} mode data connection for file list",
        end: "226 Transfer complete",
    },
    download: Stages {
        waiting: None,
        begin: "150 Opening {mode} mode data connection for {name} ({size} bytes)",
        end: "226 Transfer complete",
    },
    upload: Stages {
        waiting: None,
        begin: "150 Opening {mode} mode data connection for {name}",
        end: "226 Transfer complete",
    },
    patience: None, // 300 s
    never_connected: last_words("421 No transfer timeout (300 seconds): closing control connection"),
    foreign_source: Some("425 Unable to build data connection: Permission denied"),
    aborted: "426 Transfer aborted. Data connection closed",
    hears_during_transfer: false,
    keeps_listener: false,
    dos_listing: false,
    // Seen with 1.3.8: a client that keeps its end open waits ten seconds (TimeoutLinger).
    lingers: true,
};

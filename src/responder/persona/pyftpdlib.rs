//! pyftpdlib 2.2.0 without TLS.

use super::{Features, Stages, TlsWords, Wording, say};

const HELP: &str = "214-The following commands are recognized:\n \
    ABOR   ALLO   APPE   CDUP   CWD    DELE   EPRT   EPSV  \n \
    FEAT   HELP   LIST   MDTM   MFMT   MKD    MLSD   MLST  \n \
    MODE   NLST   NOOP   OPTS   PASS   PASV   PORT   PWD   \n \
    QUIT   REIN   REST   RETR   RMD    RNFR   RNTO   SITE  \n \
    SIZE   STAT   STOR   STOU   STRU   SYST   TYPE   USER  \n \
    XCUP   XCWD   XMKD   XPWD   XRMD  \n\
    214 Help command successful.";

const STAT: &str = "211-FTP server status:\n \
    Connected to: {local}:21\n \
    {login}\n \
    TYPE: {mode}; STRUcture: File; MODE: Stream\n \
    Data connection closed.\n\
    211 End of status.";

const DATA: Stages = Stages {
    waiting: Some("150 File status okay. About to open data connection."),
    begin: "125 Data connection already open. Transfer starting.",
    end: "226 Transfer complete.",
};

pub(super) static WORDING: Wording = Wording {
    greeting: "220 pyftpdlib 2.2.0 ready.",
    full: "421 Too many connections. Service temporarily unavailable.",
    goodbye: "221 Goodbye.",
    line_too_long: "500 Command too long.",

    before_login: &[
        "AUTH", "CLNT", "CSID", "FEAT", "HELP", "NOOP", "OPTS", "PBSZ", "PROT", "STAT", "SYST", "TYPE",
    ],
    not_logged_in: "530 Log in with USER and PASS first.",
    unknown: "500 Command \"{command}\" not understood.",
    unknown_needs_login: false,

    password_wanted: "331 Username ok, send password.",
    anonymous_wanted: "331 Username ok, send password.",
    logged_in: "230 Login successful.",
    anonymous_in: "230 Login successful.",
    login_incorrect: "530 Authentication failed.",
    login_given_up: Some("530 Authentication failed. Disconnecting."),
    user_first: "503 Login with USER first.",
    tls_login: say("550 SSL/TLS required on the control channel."),
    tls_data: "550 SSL/TLS required on the data channel.",
    tls_data_at_passive: true,

    // Guessed, where a client can see it.
    tls: TlsWords {
        auth: "234 AUTH TLS successful.",
        pbsz: "200 PBSZ=0 successful.",
        private: "200 Protection set to Private",
        clear: "200 Protection set to Clear",
        clear_refused: "534 Clear data is not allowed.",
        not_resumed: say("522 TLS session not resumed."),
        data_failed: "425 TLS handshake failed.",
    },
    features: Features {
        first: "211-Features supported:",
        lines: &[
            "EPRT",
            "EPSV",
            "MDTM",
            "MFMT",
            "MLST type*;perm*;size*;modify*;unique*;unix.mode;unix.uid;unix.gid;",
            "REST STREAM",
            "SIZE",
            "TVFS",
            "UTF8",
        ],
        tls: &["AUTH SSL", "AUTH TLS", "PBSZ", "PROT"],
        last: "211 End FEAT.",
    },
    working_directory: "257 \"{path}\" is the current directory.",
    directory_changed: "250 \"{path}\" is the current directory.",
    no_such_directory: "550 No such file or directory.",
    no_such_file: "550 No such file or directory.",
    no_size: "550 No such file or directory.",
    not_allowed: "550 Not enough privileges.",
    deleted: "250 File removed.",
    restart: "350 Restarting at position {size}.",
    fixed: &[
        ("SYST", "215 UNIX Type: L8"),
        // The stray quotation mark is real.
        ("NOOP", "200 I successfully did nothing'."),
        ("HELP", HELP),
        ("STAT", STAT),
        ("TYPE I", "200 Type set to: Binary."),
        ("TYPE A", "200 Type set to: ASCII."),
        ("TYPE", "504 Unsupported type."),
        ("OPTS UTF8 ON", "200 Always in UTF8 mode."),
        ("OPTS", "501 Invalid argument."),
        ("ABOR", "225 No transfer to abort."),
        ("AUTH", "500 Command \"AUTH\" not understood."),
        ("PBSZ", "500 Command \"PBSZ\" not understood."),
        ("PROT", "500 Command \"PROT\" not understood."),
        ("CSID", "500 Command \"CSID\" not understood."),
        ("CLNT", "500 Command \"CLNT\" not understood."),
    ],

    pasv: "227 Entering passive mode ({h},{p1},{p2}).",
    epsv: "229 Entering extended passive mode (|||{port}|).",
    pasv_on_ipv6: "227 Entering passive mode ({address},{p1},{p2}).",
    epsv_all: "220 Other commands other than EPSV are now disabled.",
    pasv_after_epsv_all: Some("501 PASV not allowed after EPSV ALL."),
    protocols: [&["1"], &["2"]],
    wrong_protocol: "522 Network protocol not supported (use {own}).",
    no_protocol: "501 Unknown network protocol (use {own}).",
    passive_off: "500 Command \"{command}\" not understood.",
    no_free_port: None,

    // Not a 425: it believes that a connection will come.
    no_passive: "150 File status okay. About to open data connection.",
    listing: DATA,
    download: DATA,
    upload: DATA,
    patience: Some(30),
    never_connected: say("421 Passive data channel timed out."),
    foreign_source: Some("425 Rejected data connection from foreign address {peer}."),
    aborted: "426 Transfer aborted via ABOR.",
    hears_during_transfer: true,
    keeps_listener: false,
    dos_listing: false,
    lingers: false,
};

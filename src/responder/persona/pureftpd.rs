//! Pure-FTPd 1.0.50 as Debian builds it, TLS off (which it lists among its features all the same).

use super::{Features, Stages, TlsWords, Wording, last_words, say};

const GREETING: &str = "220---------- Welcome to Pure-FTPd [privsep] [TLS] ----------\n\
    220-You are user number 1 of 50 allowed.\n\
    220-Local time is now 15:12. Server port: 21.\n\
    220-IPv6 connections are also welcome on this server.\n\
    220 You will be disconnected after 15 minutes of inactivity.";

const HELP: &str = "214-The following SITE commands are recognized\n ALIAS\n CHMOD\n IDLE\n UTIME\n\
    214 Pure-FTPd - http://pureftpd.org/";

const MLST: &str = "MLST type*;size*;sizd*;modify*;UNIX.mode*;UNIX.uid*;UNIX.gid*;unique*;";

pub(super) static WORDING: Wording = Wording {
    greeting: GREETING,
    full: "421 50 users (the maximum) are already logged in, sorry",
    goodbye: "221-Goodbye. You uploaded 0 and downloaded 0 kbytes.\n221 Logout.",
    line_too_long: "500 Line too long",

    before_login: &["ABOR", "AUTH", "FEAT", "HELP", "NOOP", "OPTS", "PBSZ", "PROT", "SYST"],
    not_logged_in: "530 You aren't logged in",
    unknown: "500 Unknown command",
    unknown_needs_login: true,

    password_wanted: "331 User {user} OK. Password required",
    anonymous_wanted: "230 Anonymous user logged in",
    logged_in: "230 OK. Current directory is /",
    anonymous_in: "230 Any password will work",
    login_incorrect: "530 Login authentication failed",
    login_given_up: None,
    user_first: "530 Please tell me who you are",
    tls_login: say("421-Sorry, cleartext sessions and weak ciphers are not accepted on this server.\n\
         421 Please reconnect using TLS security mechanisms."),
    tls_data: "521 Data connection cannot be opened with this PROT setting.",
    tls_data_at_passive: false,

    tls: TlsWords {
        auth: "234 AUTH TLS OK.",
        pbsz: "200 PBSZ=0",
        private: "200 Data protection level set to \"private\"",
        clear: "200 Data protection level set to \"clear\"",
        clear_refused: "534 Fallback to [C] is not allowed",
        not_resumed: say("425 TLS session not resumed"),
        data_failed: "425 TLS handshake failed",
    },
    features: Features {
        first: "211-Extensions supported:",
        lines: &[
            "UTF8",
            "EPRT",
            "IDLE",
            "MDTM",
            "SIZE",
            "MFMT",
            "REST STREAM",
            MLST,
            "MLSD",
            "PRET",
            "AUTH TLS",
            "PBSZ",
            "PROT",
            "TVFS",
            "ESTA",
            "PASV",
            "EPSV",
            "ESTP",
        ],
        tls: &[],
        last: "211 End.",
    },
    working_directory: "257 \"{path}\" is your current location",
    directory_changed: "250 OK. Current directory is {path}",
    no_such_directory: "550 Can't change directory to {name}: No such file or directory",
    no_such_file: "550 Can't open {name}: No such file or directory",
    no_size: "550 Can't check for file existence",
    not_allowed: "553 Can't open that file: Permission denied",
    deleted: "250 Deleted {name}",
    restart: "350 Restarting at {size}",
    fixed: &[
        ("SYST", "215 UNIX Type: L8"),
        ("NOOP", "200 Zzz..."),
        ("HELP", HELP),
        ("STAT", "211 https://www.pureftpd.org/"),
        ("TYPE I", "200 TYPE is now 8-bit binary"),
        ("TYPE A", "200 TYPE is now ASCII"),
        ("TYPE", "504 Unknown TYPE"),
        ("OPTS", "504 Unknown command"),
        ("ABOR", "226 Since you see this ABOR must've succeeded"),
        ("AUTH", "500 This security scheme is not implemented"),
        ("PBSZ", "503 PBSZ=0"),
        ("PROT", "503 PROT must be preceded by a successful PBSZ command"),
        ("CSID", "500 Unknown command"),
        ("CLNT", "500 Unknown command"),
    ],

    pasv: "227 Entering Passive Mode ({h},{p1},{p2})",
    epsv: "229 Extended Passive mode OK (|||{port}|)",
    pasv_on_ipv6: "425 You cannot use PASV on IPv6 connections. Use EPSV instead.",
    epsv_all: "220 Active mode is disabled",
    pasv_after_epsv_all: None,
    protocols: [&[], &[]],
    wrong_protocol: "522 Only IPv4 and IPv6 are supported (1,2)",
    no_protocol: "522 Only IPv4 and IPv6 are supported (1,2)",
    passive_off: "500 Unknown command",
    no_free_port: Some(say("425 All reserved TCP ports are busy")),

    no_passive: "425 No data connection",
    listing: Stages {
        waiting: None,
        begin: "150 Accepted data connection",
        end: "226-Options: -l \n226 {count} matches total",
    },
    download: Stages {
        waiting: None,
        begin: "150-Accepted data connection\n150 {kbytes} kbytes to download",
        end: "226-File successfully transferred\n226 0.001 seconds (measured here), 1.00 Mbytes per second",
    },
    upload: Stages {
        waiting: None,
        begin: "150 Accepted data connection",
        end: "226-File successfully transferred\n226 0.001 seconds (measured here), 1.00 Mbytes per second",
    },
    patience: None, // 15 minutes
    never_connected: last_words("421 Timeout (no new data for 900 seconds)"),
    foreign_source: None,
    aborted: "426 Transfer aborted",
    hears_during_transfer: false,
    keeps_listener: true,
    dos_listing: false,
    lingers: false,
};

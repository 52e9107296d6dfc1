//! The words and habits of real daemons, as data.
//!
//! One file per daemon. What is in them was read off real servers or their sources (`knowledge/servers-*.md` and the
//! transcripts); lines that were not are marked as guessed. To add a daemon: one file, one line in [`Persona`], one in
//! `wording`.

mod filezilla;
mod generic;
mod iis;
mod proftpd;
mod pureftpd;
mod pyftpdlib;
mod vsftpd;

use serde::Deserialize;

use super::action::Then;

/// Whose words the server uses.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
pub enum Persona {
    /// vsftpd 3.0.5.
    #[serde(rename = "vsftpd")]
    Vsftpd,
    /// `ProFTPD` 1.3.8.
    #[serde(rename = "proftpd")]
    Proftpd,
    /// Pure-FTPd 1.0.50.
    #[serde(rename = "pure-ftpd")]
    PureFtpd,
    /// `FileZilla` Server 1.9.4.
    #[serde(rename = "filezilla")]
    FileZilla,
    /// IIS 10.
    #[serde(rename = "iis")]
    Iis,
    /// pyftpdlib 2.2.0.
    #[serde(rename = "pyftpdlib")]
    Pyftpdlib,
    /// No product: the examples of RFC 959 and RFC 2428.
    #[default]
    #[serde(rename = "generic")]
    Generic,
}

impl Persona {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Vsftpd,
        Self::Proftpd,
        Self::PureFtpd,
        Self::FileZilla,
        Self::Iis,
        Self::Pyftpdlib,
        Self::Generic,
    ];

    /// The name in scenario files and on the command line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Vsftpd => "vsftpd",
            Self::Proftpd => "proftpd",
            Self::PureFtpd => "pure-ftpd",
            Self::FileZilla => "filezilla",
            Self::Iis => "iis",
            Self::Pyftpdlib => "pyftpdlib",
            Self::Generic => "generic",
        }
    }

    pub(super) const fn wording(self) -> &'static Wording {
        match self {
            Self::Vsftpd => &vsftpd::WORDING,
            Self::Proftpd => &proftpd::WORDING,
            Self::PureFtpd => &pureftpd::WORDING,
            Self::FileZilla => &filezilla::WORDING,
            Self::Iis => &iis::WORDING,
            Self::Pyftpdlib => &pyftpdlib::WORDING,
            Self::Generic => &generic::WORDING,
        }
    }
}

/// A reply and what it does to the session.
#[derive(Clone, Copy, Debug)]
pub(super) struct Say {
    pub(super) text: &'static str,
    pub(super) then: Then,
}

/// A reply after which the session lives.
const fn say(text: &'static str) -> Say {
    Say { text, then: Then::Continue }
}

/// A reply that is the session's last.
const fn last_words(text: &'static str) -> Say {
    Say { text, then: Then::Close }
}

/// What a daemon says around one kind of transfer.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stages {
    /// Said at once while there is no data connection yet; `None`: silence until there is one.
    pub(super) waiting: Option<&'static str>,
    /// Said when there is one, unless `waiting` has been.
    pub(super) begin: &'static str,
    /// Said at the end.
    pub(super) end: &'static str,
}

/// The list of features.
#[derive(Clone, Copy, Debug)]
pub(super) struct Features {
    pub(super) first: &'static str,
    pub(super) lines: &'static [&'static str],
    /// More of them where TLS is on.
    pub(super) tls: &'static [&'static str],
    pub(super) last: &'static str,
}

/// What a daemon says about TLS.
#[derive(Clone, Copy, Debug)]
pub(super) struct TlsWords {
    pub(super) auth: &'static str,
    pub(super) pbsz: &'static str,
    pub(super) private: &'static str,
    pub(super) clear: &'static str,
    /// PROT C where data has to be protected.
    pub(super) clear_refused: &'static str,
    /// A data connection that does not resume the control connection's session.
    pub(super) not_resumed: Say,
    /// A data connection whose handshake failed.
    pub(super) data_failed: &'static str,
}

/// All words and habits of a daemon. Lines are parted by `\n`; placeholders as in [`super::Action`], and besides `{h}` (the
/// address with commas), `{command}`, `{path}`, `{name}`, `{size}`, `{count}`, `{mode}`, `{local}`, `{kind}`, `{login}`,
/// `{own}`, `{account}`, `{kbytes}` and `{peer}`.
#[derive(Debug)]
#[expect(clippy::struct_excessive_bools, reason = "habits, each on its own; no state hides in them")]
pub(super) struct Wording {
    pub(super) greeting: &'static str,
    /// One session too many.
    pub(super) full: &'static str,
    pub(super) goodbye: &'static str,
    pub(super) line_too_long: &'static str,

    /// Commands that need no login, besides USER, PASS and QUIT.
    pub(super) before_login: &'static [&'static str],
    pub(super) not_logged_in: &'static str,
    pub(super) unknown: &'static str,
    /// Whether even a command that does not exist is first told to log in.
    pub(super) unknown_needs_login: bool,

    pub(super) password_wanted: &'static str,
    /// To USER anonymous; a 2xx here is the login.
    pub(super) anonymous_wanted: &'static str,
    pub(super) logged_in: &'static str,
    pub(super) anonymous_in: &'static str,
    pub(super) login_incorrect: &'static str,
    /// The third failure in a session; `None`: patience without end.
    pub(super) login_given_up: Option<&'static str>,
    /// PASS without USER.
    pub(super) user_first: &'static str,
    /// USER where TLS is forced.
    pub(super) tls_login: Say,
    /// A transfer where TLS is forced, or already its PASV.
    pub(super) tls_data: &'static str,
    pub(super) tls_data_at_passive: bool,

    pub(super) tls: TlsWords,
    pub(super) features: Features,
    pub(super) working_directory: &'static str,
    pub(super) directory_changed: &'static str,
    pub(super) no_such_directory: &'static str,
    pub(super) no_such_file: &'static str,
    pub(super) no_size: &'static str,
    pub(super) not_allowed: &'static str,
    pub(super) deleted: &'static str,
    pub(super) restart: &'static str,
    /// Commands with one fixed answer, by `VERB ARGUMENT` or `VERB`.
    pub(super) fixed: &'static [(&'static str, &'static str)],

    pub(super) pasv: &'static str,
    pub(super) epsv: &'static str,
    /// PASV over IPv6; with a port in it, it is an offer.
    pub(super) pasv_on_ipv6: &'static str,
    pub(super) epsv_all: &'static str,
    /// PASV after EPSV ALL; `None`: as if nothing had been said.
    pub(super) pasv_after_epsv_all: Option<&'static str>,
    /// Arguments of EPSV that are taken over IPv4 and over IPv6; an empty list takes anything.
    pub(super) protocols: [&'static [&'static str]; 2],
    pub(super) wrong_protocol: &'static str,
    /// EPSV with something that is no number.
    pub(super) no_protocol: &'static str,
    /// PASV or EPSV where the administrator has switched it off.
    pub(super) passive_off: &'static str,
    /// No free port; `None`: silently takes a port of the kernel's choice, outside the range.
    pub(super) no_free_port: Option<Say>,

    pub(super) no_passive: &'static str,
    pub(super) listing: Stages,
    pub(super) download: Stages,
    pub(super) upload: Stages,
    /// How long a transfer waits for its connection, in seconds; `None`: longer than any session here lives.
    pub(super) patience: Option<u64>,
    pub(super) never_connected: Say,
    /// A data connection from another address; `None`: closed without a word, and the wait goes on.
    pub(super) foreign_source: Option<&'static str>,
    pub(super) aborted: &'static str,
    /// Whether ABOR and QUIT are heard while a transfer runs.
    pub(super) hears_during_transfer: bool,
    /// Whether one PASV serves several transfers.
    pub(super) keeps_listener: bool,
    pub(super) dos_listing: bool,
    /// Whether 226 waits until the client has closed its end of the data connection too.
    pub(super) lingers: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_scenario_files() {
        #[derive(Deserialize)]
        struct Holder {
            persona: Persona,
        }
        for persona in Persona::ALL {
            let text = format!("persona = '{}'", persona.name());
            assert_eq!(toml::from_str::<Holder>(&text).unwrap().persona, persona);
        }
    }

    #[test]
    fn every_reply_ends_with_a_line_that_carries_its_code() {
        for persona in Persona::ALL {
            let words = persona.wording();
            let fixed = words.fixed.iter().map(|(_, text)| *text);
            for text in fixed.chain([words.greeting, words.goodbye, words.not_logged_in, words.listing.end]) {
                let (first, last) = (text.split('\n').next().unwrap(), text.split('\n').next_back().unwrap());
                assert_eq!(first.get(..3), last.get(..3), "{}: {text}", persona.name());
                assert_eq!(last.get(3..4), Some(" "), "{}: {text}", persona.name());
            }
        }
    }

    #[test]
    fn every_persona_has_an_answer_to_what_a_client_may_ask() {
        for persona in Persona::ALL {
            for verb in
                ["SYST", "NOOP", "HELP", "STAT", "TYPE", "OPTS", "ABOR", "AUTH", "PBSZ", "PROT", "CSID"]
            {
                let answered = persona.wording().fixed.iter().any(|(key, _)| *key == verb);
                assert!(answered, "{} has no {verb}", persona.name());
            }
        }
    }
}

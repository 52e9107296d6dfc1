//! Which product is it, told by everything it has said.
//!
//! A greeting can be edited and a sentence copied, so no single line decides.
//! Each *place* a line came from (the greeting, or the answer to one command)
//! counts once; places that agree raise the certainty, a place that speaks
//! for another product lowers it, and nothing is ever concluded from a line
//! that is missing. The lines themselves are data, in `recognise/wording.rs`.

mod case;
mod others;
mod pattern;
mod unix;
mod windows;
mod wording;

use serde::{Deserialize, Serialize};

use super::product::Product;
use case::Case;
use wording::Hit;

/// What the server has said so far: reply lines as received, code and separator included
/// (`220-FileZilla Server 1.9.4`, ` MDTM`, `211 End`).
#[derive(Clone, Copy, Debug, Default)]
pub struct Clues<'a> {
    /// The lines sent on connecting, whatever their code.
    pub greeting: &'a [String],
    /// The answer to SYST.
    pub syst: Option<&'a str>,
    /// The answer to FEAT.
    pub feat: &'a [String],
    /// Every other answer, under the verb of its command in upper case. A verb may come twice.
    pub replies: &'a [(String, Vec<String>)],
}

/// A product, how sure we are, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Recognised {
    /// The product.
    pub product: Product,
    /// Its version as the server printed it, without any hotfix or packaging.
    pub version: Option<String>,
    /// How sure.
    pub certainty: Certainty,
    /// The lines that speak for it, strongest first, then those that speak against it.
    pub because: Vec<String>,
}

/// How sure a recognition is; ordered from least to most.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Certainty {
    /// Plain sentences that fit, or a claim that something else contradicts.
    Possible,
    /// One clear clue, a greeting for example.
    Likely,
    /// Independent clues agree.
    Certain,
}

/// The product these clues point to, or `None` if they point to none or to several.
#[must_use]
pub fn recognise(clues: &Clues<'_>) -> Option<Recognised> {
    let lines = wording::lines(clues);
    let hits = wording::hits(&lines);
    let cases = case::cases(&hits);
    let best = case::winner(&cases)?;
    let against: Vec<&Hit<'_>> = cases
        .iter()
        .filter(|case| !case::related(case.product, best.product))
        .flat_map(Case::telling)
        .collect();
    let mut certainty = best.certainty()?;
    if !against.is_empty() {
        certainty = match certainty {
            Certainty::Certain => Certainty::Likely,
            Certainty::Likely => Certainty::Possible,
            Certainty::Possible => return None,
        };
    }
    Some(Recognised {
        product: best.product,
        version: best.version().map(str::to_owned),
        certainty,
        because: best.reasons(&against),
    })
}

/// Adds what the host name tells of hosted services (see [`Product::from_host_name`]).
///
/// A server that was recognised as something the service does not run keeps
/// its name: a host name may point anywhere.
#[must_use]
pub fn with_host_name(recognised: Option<Recognised>, host: &str) -> Option<Recognised> {
    let Some(service) = Product::from_host_name(host) else { return recognised };
    let reason = format!("the host name belongs to {service}");
    match recognised {
        None => Some(Recognised {
            product: service,
            version: None,
            certainty: Certainty::Likely,
            because: vec![reason],
        }),
        Some(mut found) if found.product == service || service.built_on() == Some(found.product) => {
            found.product = service;
            found.certainty = Certainty::Certain;
            found.because.insert(0, reason);
            Some(found)
        }
        other => other,
    }
}

/// Whether a firewall on the way blanks out what the server says of itself:
/// a greeting of asterisks, or `215 XXXXXXXX` (Cisco ASA, `inspect ftp strict`).
#[must_use]
pub fn masked_by_firewall(clues: &Clues<'_>) -> bool {
    wording::lines(clues)
        .iter()
        .filter(|line| line.place == wording::GREETING || line.place == "SYST")
        .any(|line| is_mask(line.text.get(3..).unwrap_or_default()))
}

/// Only asterisks, or only the letter X: three or more, as no product says.
fn is_mask(text: &str) -> bool {
    let mut marks = text.trim_start_matches('-').chars().filter(|c| !c.is_whitespace());
    let Some(first @ ('*' | 'X')) = marks.next() else { return false };
    let mut more = 0;
    marks.all(|mark| {
        more += 1;
        mark == first
    }) && more >= 2
}

#[cfg(test)]
mod tests {
    use super::*;

    fn owned(lines: &[&str]) -> Vec<String> {
        lines.iter().map(ToString::to_string).collect()
    }

    /// Recognises a dialogue given as (verb, reply lines); the verb "" stands for the greeting.
    fn heard(dialogue: &[(&str, &[&str])]) -> Option<Recognised> {
        let of = |verb: &str| {
            let lines = dialogue.iter().filter(|(said, _)| *said == verb);
            lines.flat_map(|(_, lines)| owned(lines)).collect::<Vec<_>>()
        };
        let replies: Vec<_> = dialogue
            .iter()
            .filter(|(verb, _)| !matches!(*verb, "" | "SYST" | "FEAT"))
            .map(|(verb, lines)| ((*verb).to_owned(), owned(lines)))
            .collect();
        let (greeting, syst, feat) = (of(""), of("SYST"), of("FEAT"));
        let syst = syst.first().map(String::as_str);
        recognise(&Clues { greeting: &greeting, syst, feat: &feat, replies: &replies })
    }

    fn verdict(dialogue: &[(&str, &[&str])]) -> Option<(Product, Certainty)> {
        heard(dialogue).map(|found| (found.product, found.certainty))
    }

    const VSFTPD_FEAT: &[&str] =
        &["211-Features:", " EPRT", " EPSV", " MDTM", " PASV", " REST STREAM", " SIZE", " TVFS", "211 End"];
    const PROFTPD_FEAT: &[&str] = &[
        "211-Features:",
        " CSID",
        " LANG C.UTF-8*",
        " MDTM",
        " MFF modify;UNIX.group;UNIX.mode;",
        " MFMT",
        " RANG STREAM",
        " TVFS",
        "211 End",
    ];

    #[test]
    fn a_greeting_alone_is_likely_and_confirmed_it_is_certain() {
        let greeting: (&str, &[&str]) = ("", &["220 (vsFTPd 3.0.5)"]);
        assert_eq!(verdict(&[greeting]), Some((Product::Vsftpd, Certainty::Likely)));
        let found = heard(&[greeting, ("FEAT", VSFTPD_FEAT)]).unwrap();
        assert_eq!((found.product, found.certainty), (Product::Vsftpd, Certainty::Certain));
        assert_eq!(found.version.as_deref(), Some("3.0.5"));
        assert_eq!(found.because[0], "the greeting says \"220 (vsFTPd 3.0.5)\"");
        assert!(found.because[1].starts_with("FEAT is answered"), "{:?}", found.because);
    }

    #[test]
    fn an_edited_greeting_hides_nothing() {
        let vsftpd = [
            ("", &["220 Welcome to ACME"][..]),
            ("USER", &["331 Please specify the password."]),
            ("PASS", &["230 Login successful."]),
            ("STAT", &["211-FTP server status:", "     vsFTPd 3.0.3 - secure, fast, stable"]),
        ];
        let found = heard(&vsftpd).unwrap();
        assert_eq!((found.product, found.certainty), (Product::Vsftpd, Certainty::Certain));
        assert_eq!(found.version.as_deref(), Some("3.0.3"));

        let proftpd = [
            ("", &["220 ACME FTP"][..]),
            ("FEAT", PROFTPD_FEAT),
            ("CSID", &["200 name=ProFTPD;version=1.3.8;casesensitive=1;"]),
        ];
        assert_eq!(heard(&proftpd).unwrap().version.as_deref(), Some("1.3.8"));
        assert_eq!(verdict(&proftpd), Some((Product::ProFtpd, Certainty::Certain)));
    }

    #[test]
    fn shared_sentences_name_nobody() {
        assert_eq!(verdict(&[("PASS", &["230 Login successful."])]), None);
        let bsd = [
            ("", &["220 host FTP server ready."][..]),
            ("SYST", &["215 UNIX Type: L8"]),
            ("USER", &["331 Password required for u."]),
            ("PASS", &["230 User u logged in."]),
            ("QUIT", &["221 Goodbye."]),
        ];
        assert_eq!(verdict(&bsd), None);
        assert_eq!(verdict(&[("PASV", &["227 Entering Passive Mode (10,0,0,5,238,85)."])]), None);
        assert_eq!(verdict(&[]), None);
    }

    #[test]
    fn many_shared_sentences_do_not_outvote_a_name() {
        let xlight = [
            ("", &["220 Xlight FTP Server 3.9 ready..."][..]),
            ("USER", &["331 Password required for u"]),
            ("PASS", &["230 User u logged in"]),
            ("TYPE", &["200 Type set to I"]),
            ("NOOP", &["200 NOOP command successful"]),
            ("PROT", &["200 Protection set to Private"]),
            ("PWD", &["257 \"/\" is the current directory"]),
        ];
        assert_eq!(verdict(&xlight), Some((Product::Xlight, Certainty::Likely)));
    }

    #[test]
    fn one_plain_sentence_is_not_enough_and_two_are_possible() {
        let authenticate: (&str, &[&str]) = ("STAT", &["530 Please authenticate"]);
        assert_eq!(verdict(&[authenticate]), None);
        let repeated = [authenticate, ("MLSD", authenticate.1)];
        assert_eq!(verdict(&repeated), None);
        let both = [authenticate, ("QUIT", &["221 Bye!"])];
        assert_eq!(verdict(&both), Some((Product::Libunftp, Certainty::Possible)));
    }

    #[test]
    fn copied_sentences_do_not_make_a_product() {
        // An ESP board with the sentences of Pure-FTPd.
        let board = [
            ("", &["220-Welcome to FTP for ESP8266/ESP32", "220 By David Paiva"][..]),
            ("TYPE", &["200 TYPE is now 8-bit binary"]),
            ("LIST", &["150 Accepted data connection", "226 3 matches total"]),
            ("NOOP", &["200 Zzz..."]),
        ];
        assert_eq!(verdict(&board), None);
        // A WIZnet chip with those of FileZilla Server 0.9.
        let chip = [
            ("SYST", &["215 UNIX emulated by WIZnet"][..]),
            ("USER", &["331 Password required for u"]),
            ("PASS", &["230 Logged on"]),
            ("LIST", &["150 Opening data channel for directory listing of \"/\""]),
        ];
        assert_eq!(verdict(&chip), None);
        // A name and one product's sentences together are needed to be certain.
        let unnamed = [
            ("FEAT", VSFTPD_FEAT),
            ("USER", &["331 Please specify the password."]),
            ("LIST", &["150 Here comes the directory listing.", "226 Directory send OK."]),
        ];
        assert_eq!(verdict(&unnamed), Some((Product::Vsftpd, Certainty::Likely)));
    }

    #[test]
    fn contradiction_lowers_and_says_so() {
        let dialogue = [("", &["220 (vsFTPd 2.3.4)"][..]), ("FEAT", PROFTPD_FEAT)];
        let found = heard(&dialogue).unwrap();
        assert_eq!((found.product, found.certainty), (Product::Vsftpd, Certainty::Possible));
        assert!(found.because.last().unwrap().starts_with("but, as from ProFTPD, FEAT"));

        // Two plain sentences do not name another product beside a greeting, but they tell.
        let hinted = [
            ("", &["220 (vsFTPd 3.0.5)"][..]),
            ("USER", &["331 Password Required"]),
            ("QUIT", &["221 Bye!"]),
        ];
        assert_eq!(verdict(&hinted), Some((Product::Vsftpd, Certainty::Possible)));

        // What is compiled in outvotes the greeting.
        let outvoted = [
            ("", &["220 (vsFTPd 2.3.4)"][..]),
            ("FEAT", PROFTPD_FEAT),
            ("PASS", &["230 Anonymous access granted, restrictions apply"]),
        ];
        assert_eq!(verdict(&outvoted), Some((Product::ProFtpd, Certainty::Possible)));
    }

    #[test]
    fn the_filezillas_are_told_apart_by_version_or_full_stop() {
        let visit = "220 Please visit https://filezilla-project.org/";
        let elder = [("", &["220-FileZilla Server 0.9.60 beta", visit][..])];
        let found = heard(&elder).unwrap();
        assert_eq!(found.product, Product::FileZillaLegacy);
        assert_eq!(found.version.as_deref(), Some("0.9.60"));
        let hidden = ("", &["220-FileZilla Server", visit][..]);
        assert_eq!(verdict(&[hidden]), Some((Product::FileZilla, Certainty::Likely)));
        for (syst, product) in [
            ("215 UNIX emulated by FileZilla.", Product::FileZilla),
            ("215 UNIX emulated by FileZilla", Product::FileZillaLegacy),
        ] {
            let found = verdict(&[hidden, ("SYST", &[syst])]);
            assert_eq!(found, Some((product, Certainty::Certain)));
        }
    }

    #[test]
    fn a_nas_keeps_its_name_and_speaks_as_the_server_it_runs() {
        let greeting = "220 NASFTPD Turbo station 1.3.5a Server (ProFTPD) [192.168.1.100]";
        let found = heard(&[("", &[greeting]), ("FEAT", PROFTPD_FEAT)]).unwrap();
        assert_eq!((found.product, found.certainty), (Product::Qnap, Certainty::Certain));
        assert_eq!(found.version.as_deref(), Some("1.3.5a"));
    }

    #[test]
    fn aws_is_possible_by_its_ports_and_certain_by_its_name() {
        let dialogue =
            [("FEAT", &["530 Access denied."][..]), ("PASV", &["227 Entering Passive Mode (0,0,0,0,32,4)"])];
        let found = heard(&dialogue);
        assert_eq!(
            found.as_ref().map(|found| (found.product, found.certainty)),
            Some((Product::AwsTransfer, Certainty::Possible))
        );
        let host = "s-0.server.transfer.eu-west-1.amazonaws.com";
        assert_eq!(with_host_name(found, host).unwrap().certainty, Certainty::Certain);
    }

    #[test]
    fn a_host_name_adds_but_does_not_overrule() {
        let azure = "waws-prod-db3-025.ftp.azurewebsites.windows.net";
        let iis = heard(&[("", &["220 Microsoft FTP Service"])]);
        let found = with_host_name(iis.clone(), azure).unwrap();
        assert_eq!((found.product, found.certainty), (Product::AzureAppService, Certainty::Certain));
        assert_eq!(with_host_name(None, azure).unwrap().certainty, Certainty::Likely);
        assert_eq!(with_host_name(iis.clone(), "ftp.example.com"), iis);
        let vsftpd = heard(&[("", &["220 (vsFTPd 3.0.5)"])]);
        assert_eq!(with_host_name(vsftpd.clone(), azure), vsftpd);
    }

    #[test]
    fn masks_are_seen_and_name_nobody() {
        let masked = |greeting: &str, syst: Option<&str>| {
            let greeting = owned(&[greeting]);
            let clues = Clues { greeting: &greeting, syst, ..Clues::default() };
            assert_eq!(recognise(&clues), None);
            masked_by_firewall(&clues)
        };
        assert!(masked("220 ****", None));
        assert!(masked("220 *** **************", None));
        assert!(masked("220 Welcome", Some("215 XXXXXXXXXXXXXXXXXX")));
        assert!(!masked("220 Welcome", Some("215 UNIX Type: L8")));
        assert!(!masked("220 ", Some("215")));
        assert!(!masked("220 X2 FTP", None));
    }
}

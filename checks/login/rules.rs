//! What the answers to USER and PASS mean.

use crate::checks::support::{each, quoted};
use crate::evidence::{Answer, Endpoint, Evidence, Login};
use crate::finding::{Detail, Location, Scope, Severity};
use crate::ftp::Reply;

/// The server takes no login, or no data connection, without TLS.
pub(super) fn tls_required(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        if endpoint.under_tls() {
            return None;
        }
        let (verb, reply) = demand(endpoint)?;
        let title = format!("the server demands TLS ({verb})");
        let off = evidence.told.tls.as_deref() == Some("off");
        let detail = format!(
            "{verb} in clear text was answered with \"{}\". The server serves only clients that encrypt{} Passive mode was not \
             tested; nothing is said against it.",
            reply.last_line(),
            if off {
                ", and --tls off was given: leave it out."
            } else {
                ", and yet it did not offer TLS where it was looked for: --tls required asks for it in any case."
            }
        );
        // A sound policy is no fault of the server: what is missing is our own test.
        let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail).severity(Severity::Unknown);
        Some(seen.quote(quoted(verb, reply)))
    })
}

/// The reply that demands TLS, with the command that it answers.
fn demand(endpoint: &Endpoint) -> Option<(&'static str, &Reply)> {
    let login = endpoint.login.as_ref();
    let answers = [
        ("USER", login.and_then(|login| login.user_answer.as_ref())),
        ("PASS", login.and_then(|login| login.pass_answer.as_ref())),
    ];
    let offers = endpoint.offers.iter().map(|offer| (offer.mode.verb(), Some(&offer.answer)));
    let transfers = endpoint
        .transfers
        .iter()
        .flat_map(|transfer| [transfer.preliminary.as_ref(), transfer.completion.as_ref()])
        .map(|answer| ("LIST", answer));
    answers
        .into_iter()
        .chain(offers)
        .chain(transfers)
        .filter_map(|(verb, answer)| Some((verb, answer?.reply()?)))
        .find(|(_, reply)| demands_tls(reply))
}

/// Whether a refusal asks for TLS, by code and words of the servers that do.
pub(in crate::checks) fn demands_tls(reply: &Reply) -> bool {
    const WORDS: &[&str] = &[
        "ssl/tls required",
        "tls is required",
        "tls required",
        "requires ssl",
        "requires tls",
        "use auth first",
        "must use encryption",
        "must be encrypted",
        "cleartext sessions",
        "does not allow plain ftp",
        "secure authentication required",
        "prot p required",
        "with this prot setting",
        "requires an encrypted",
        "requires protected",
    ];
    matches!(reply.code, 421 | 425 | 503 | 521 | 522 | 530 | 534 | 550)
        && WORDS.iter().any(|words| reply.says(words))
}

/// The anonymous login was refused and there were no credentials to try.
pub(super) fn login_required(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        if let Some(kept_back) = kept_back(evidence, endpoint) {
            return Some(kept_back);
        }
        let login = endpoint.login.as_ref().filter(|login| !login.succeeded())?;
        if let Some(reason) = &login.withheld {
            return Some(withheld(endpoint, &login.user, reason));
        }
        if evidence.told.named_user {
            return None;
        }
        let reply = refusal(login).filter(|reply| reply.code != 421 && !gives_up(reply))?;
        let title = "anonymous login is refused, and no user was named".to_owned();
        let detail = format!(
            "The server answered \"{}\". That is a usual setting and no fault. Passive mode can only be tested after a \
             login: name a user with --user NAME.",
            reply.last_line()
        );
        Some(Detail::new(Scope::endpoint(endpoint.address), title, detail).quote(quoted("login", reply)))
    })
}

/// A password that was not sent, since TLS was promised and did not come about.
fn kept_back(evidence: &Evidence, endpoint: &Endpoint) -> Option<Detail> {
    let tls = endpoint.tls.as_ref().filter(|tls| tls.handshake.is_none() && evidence.told.named_user)?;
    withheld(endpoint, "the user", tls.stopped.as_deref()?).into()
}

fn withheld(endpoint: &Endpoint, user: &str, reason: &str) -> Detail {
    let title = format!("the password of {user} was not sent: it would have crossed the network in clear");
    let detail = format!(
        "{reason}. A password is not sent in clear to a server that could take it encrypted. If you accept that, say so with \
         --tls off; or test with an anonymous login.",
        reason = capitalised(reason)
    );
    Detail::new(Scope::endpoint(endpoint.address), title, detail)
}

/// The credentials given were refused.
pub(super) fn login_failed(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let login = endpoint.login.as_ref().filter(|login| !login.succeeded() && login.withheld.is_none())?;
        // Without a reply that is control-lost; a 421 is the server's goodbye; anonymous refused is login-required.
        let last = login.pass_answer.as_ref().or(login.user_answer.as_ref())?;
        let reply = last.reply().filter(|reply| reply.code != 421)?;
        let user = &login.user;
        if gives_up(reply) {
            let title = format!("the server gives up at the login as {user}");
            let detail = format!(
                "The login as {user} ended with \"{}\". That is no refusal but a fault of the server's own: something that it \
                 needs for this user (a home directory, a file, a right) is not as it has to be. Passive mode was not tested.",
                reply.last_line()
            );
            let detail =
                Detail::new(Scope::endpoint(endpoint.address), title, detail).location(Location::Server);
            return Some(detail.quote(quoted("login", reply)));
        }
        if !evidence.told.named_user && reply.code >= 400 {
            return None;
        }
        let title = format!("the login as {user} is refused");
        let detail = format!(
            "The login as {user} ended with \"{}\". Wrong name or password, an account that FTP does not accept (no valid \
             shell, not on the server's list of users), or a home directory that cannot be entered. Passive mode was not \
             tested.",
            reply.last_line()
        );
        Some(Detail::new(Scope::endpoint(endpoint.address), title, detail).quote(quoted("login", reply)))
    })
}

/// Whether it is the word by which vsftpd dies: a fault of its own and no answer to who logs in.
fn gives_up(reply: &Reply) -> bool {
    reply.code == 500 && reply.says("OOPS")
}

fn refusal(login: &Login) -> Option<&Reply> {
    let last = login.pass_answer.as_ref().or(login.user_answer.as_ref())?;
    last.reply().filter(|reply| reply.code >= 400)
}

/// A named user's password crossed the network in clear.
pub(super) fn credentials_in_clear(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let compared = endpoint.cleartext.as_ref().and_then(|plain| plain.login.as_ref());
        let sent = |login: &&Login| login.password_in_clear;
        let (login, why) = match (endpoint.login.as_ref().filter(sent), compared.filter(sent)) {
            (Some(login), _) if evidence.told.tls.as_deref() == Some("off") => {
                (login, "--tls off was given".to_owned())
            }
            (Some(login), _) => {
                let tls = endpoint.tls.as_ref().and_then(|tls| tls.answer.as_ref());
                let answer = tls.or(login.auth_tls.as_ref()).map(Answer::describe).unwrap_or_default();
                (login, format!("The server offers no TLS (AUTH TLS → {answer})"))
            }
            (None, Some(login)) => (login, "--compare-cleartext was given".to_owned()),
            (None, None) => return None,
        };
        let title = format!("the password of {} crossed the network in clear", login.user);
        let detail = format!(
            "{why}, so the password was sent unencrypted. Whoever can listen on the path can read it."
        );
        Some(Detail::new(Scope::endpoint(endpoint.address), title, detail))
    })
}

fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn demands_for_tls_of_real_servers() {
        for line in [
            "530 Non-anonymous sessions must use encryption.",
            "550 SSL/TLS required on the control channel",
            "522 SSL/TLS required on the data channel",
            "522 Data connections must be encrypted.",
            "421-Sorry, cleartext sessions and weak ciphers are not accepted on this server.",
            "521 Data connection cannot be opened with this PROT setting.",
            "534 Policy requires SSL.",
            "503 Use AUTH first.",
            "530 This server does not allow plain FTP. You have to use FTP over TLS.",
            "530 TLS required",
        ] {
            let reply = Reply { code: line[..3].parse().unwrap(), lines: vec![line.to_owned()] };
            assert!(demands_tls(&reply), "{line}");
        }
        for line in ["530 Login incorrect.", "550 Permission denied.", "425 Use PORT or PASV first."] {
            let reply = Reply { code: line[..3].parse().unwrap(), lines: vec![line.to_owned()] };
            assert!(!demands_tls(&reply), "{line}");
        }
    }
}

//! What an unfinished transfer means.

use super::upload;
use crate::checks::login::demands_tls;
use crate::checks::paths::in_vain;
use crate::checks::port_range::{other_source, wrong_peer as wrong_peer_by_proof};
use crate::checks::support::{each, product_at, quoted};
use crate::evidence::{Answer, DataEnd, Endpoint, Evidence, Fate, Mode, Outcome, Transfer, Upload};
use crate::finding::{Confidence, Detail, Location, Scope, Severity};
use crate::ftp::Reply;
use crate::server::Product;

/// Transfers as every client makes them: neither held to small segments nor without the TLS session that it might have
/// resumed. What fails at TLS is told by its own findings.
fn ordinary(endpoint: &Endpoint) -> impl Iterator<Item = &Transfer> {
    endpoint.transfers.iter().filter(|transfer| {
        let own_session = transfer.tls.as_ref().is_some_and(|tls| !tls.reuse);
        !own_session && !transfer.failed_at_tls()
    })
}

/// The server refuses the data connection because of the address that it comes from.
pub(super) fn source_refused(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| by_reply(endpoint).or_else(|| other_source(endpoint)))
}

fn by_reply(endpoint: &Endpoint) -> Option<Detail> {
    let answers = ordinary(endpoint).flat_map(|transfer| {
        let replies = [transfer.refusal(), transfer.completion.as_ref().and_then(Answer::reply)];
        replies.into_iter().flatten().map(move |reply| (verb(transfer), reply))
    });
    let unasked = endpoint.unasked.iter().map(|reply| ("data connection", reply));
    let (verb, reply) = answers.chain(unasked).find(|(_, reply)| refuses_source(reply))?;
    let title = "the server refuses the data connection because of its source address".to_owned();
    let detail = format!(
        "The data connection opened, and the server answered \"{}\": it saw it come from another address than the \
             control connection. A device in front of the server replaces the source address of data connections \
             (source NAT, a container's proxy, a load balancer), or this side leaves by several public addresses.",
        reply.last_line()
    );
    let scope = Scope::endpoint(endpoint.address);
    Some(Detail::new(scope, title, detail).quote(quoted(verb, reply)))
}

/// Words of the servers that check the peer's address; the code is 425 in all of them.
fn refuses_source(reply: &Reply) -> bool {
    const WORDS: &[&str] = &[
        "bad ip connecting",
        "unable to build data connection: permission denied",
        "rejected data connection from foreign address",
        "data connection security requirements not met",
        "addresses of control and data connection do not match",
        "possible pasv port theft",
        "unable to build data connection: einval",
    ];
    reply.code == 425 && WORDS.iter().any(|words| reply.says(words))
}

/// The data connection opens and the server never sees it.
pub(super) fn wrong_peer(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        if let Some(seen) = wrong_peer_by_proof(endpoint) {
            return Some(seen);
        }
        let transfer =
            ordinary(endpoint).find(|transfer| in_vain(transfer) && !explained_elsewhere(transfer))?;
        let (how, confidence) = unseen(endpoint, transfer)?;
        let to = transfer.data.to;
        let title = format!("{to} accepts the data connection, but the server does not see it");
        let detail = format!(
            "The connection to {to} opened, and yet {}: {how}. Something else answers on that port: another host \
             to which the passive ports are forwarded, a SYN proxy or security product that opens every port, a load \
             balancer that chose another back end, or another service.{}",
            if transfer.upload.is_some() { "no upload came about" } else { "no data came" },
            if transfer.preliminary.as_ref().is_some_and(|answer| answer.reply().is_none()) {
                " A device that swallows the command on the control connection looks the same."
            } else {
                ""
            }
        );
        let scope = scope(endpoint, transfer);
        let seen = Detail::new(scope, title, detail).confidence(confidence);
        Some(seen.quote(format!("data connection to {to} opened")).quote(how))
    })
}

/// Transfers that fail over an address or a demand for TLS are told by their own findings.
fn explained_elsewhere(transfer: &Transfer) -> bool {
    transfer.refusal().is_some_and(|reply| demands_tls(reply) || refuses_source(reply))
}

/// The sign that the server did not see our connection, and how sure it is. Servers that send their 150 only after they
/// have accepted the data connection give it away by silence; from the others silence means less.
fn unseen(endpoint: &Endpoint, transfer: &Transfer) -> Option<(String, Confidence)> {
    if let Some(greeting) = &transfer.foreign_greeting {
        return Some((format!("another service greeted there: \"{greeting}\""), Confidence::Certain));
    }
    if let Some(reply) = transfer.refusal().filter(|reply| reply.code == 425 || reply.code == 421) {
        return Some((format!("the server answered \"{}\"", reply.last_line()), Confidence::Certain));
    }
    let silent = |answer: &Option<Answer>| matches!(answer, Some(Answer::Silence { .. }));
    let product = product_at(endpoint).map(|known| known.product);
    let early = product.and_then(Product::sends_150_before_data_connection);
    match &transfer.preliminary {
        // A server that answers before the data connection has not heard the command: that is no matter of the data path.
        _ if silent(&transfer.preliminary) && early == Some(true) => None,
        _ if silent(&transfer.preliminary) => {
            let confidence = if early == Some(false) { Confidence::Likely } else { Confidence::Possible };
            Some((format!("the server did not react to {}", transfer.command), confidence))
        }
        // FileZilla Server words its 150 by whether the data connection is there.
        Some(answer) if answer.reply().is_some_and(|reply| reply.says("about to start data transfer")) => {
            Some(("the server still waits for the data connection".to_owned(), Confidence::Likely))
        }
        Some(Answer::Reply(reply)) if early == Some(true) && silent(&transfer.completion) => {
            Some((format!("after \"{}\" the server kept silent", reply.last_line()), Confidence::Possible))
        }
        _ if transfer.end == Some(DataEnd::Reset) => {
            Some(("the connection was reset before any data".to_owned(), Confidence::Possible))
        }
        _ => None,
    }
}

/// Fewer bytes than announced, or a connection that broke in mid-stream.
pub(super) fn truncated(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let (transfer, how) = ordinary(endpoint).find_map(|transfer| Some((transfer, cut(transfer)?)))?;
        let title = format!("the data of {} is cut short", transfer.command);
        let sent = if transfer.upload.is_some() { "sent" } else { "brought" };
        let detail = format!(
            "{} {sent} {} bytes: {how}. A firewall or virus scanner that looks into the data, a timeout of a device on the \
             path, or a server that broke off looks like this. The server's log tells whether it saw an error.",
            transfer.command, transfer.bytes
        );
        let seen = Detail::new(scope(endpoint, transfer), title, detail);
        Some(quotes(transfer, seen))
    })
}

fn cut(transfer: &Transfer) -> Option<String> {
    let ended = matches!(transfer.end, Some(DataEnd::Closed | DataEnd::Reset));
    let refusal = transfer.completion.as_ref().and_then(Answer::reply).filter(|reply| reply.code >= 400);
    if let Some(upload) = &transfer.upload {
        return cut_upload(transfer, upload, refusal);
    }
    match (transfer.expected_bytes, &transfer.end) {
        (Some(expected), _) if ended && transfer.bytes < expected => {
            Some(format!("the server had announced {expected}"))
        }
        (_, Some(DataEnd::Reset)) if transfer.bytes > 0 => Some("then the connection was reset".to_owned()),
        _ if transfer.bytes > 0 && refusal.is_some_and(|reply| matches!(reply.code, 425 | 426 | 451)) => {
            refusal.map(|reply| format!("then the server broke off with \"{}\"", reply.last_line()))
        }
        _ => None,
    }
}

/// An upload that did not arrive whole. What the server breaks off for reasons of its own (a full disk, a quota) is told as
/// a refusal.
fn cut_upload(transfer: &Transfer, upload: &Upload, refusal: Option<&Reply>) -> Option<String> {
    let size = transfer.expected_bytes.unwrap_or(transfer.bytes);
    let stored = upload
        .stored_bytes()
        .map_or_else(String::new, |stored| format!("; of {size} the server has {stored}"));
    match (refusal, &transfer.end) {
        (_, Some(DataEnd::Stalled { .. })) => None,
        (None, _)
            if transfer.stored_short() && transfer.completion.as_ref().is_some_and(Answer::positive) =>
        {
            Some(format!("of {size} the server has {}, although it confirmed them", upload.stored_bytes()?))
        }
        (Some(reply), _) if refused_for_itself(reply) || transfer.bytes == 0 => None,
        (Some(reply), _) if matches!(reply.code, 425 | 426) => {
            Some(format!("then the server broke off with \"{}\"{stored}", reply.last_line()))
        }
        (_, Some(DataEnd::Reset)) => Some(format!("then the connection was reset{stored}")),
        (None, Some(DataEnd::Closed)) if transfer.bytes < size => {
            Some(format!("then the server ended it before the end{stored}"))
        }
        _ => None,
    }
}

/// Whether a reply refuses a file for reasons of the server's own: rights, a name, space (RFC 959 §4.2.2).
fn refused_for_itself(reply: &Reply) -> bool {
    matches!(reply.code, 450..=452 | 500..=599)
}

/// A transfer stalled, and the same one came through with small segments.
pub(super) fn mtu_black_hole(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        if let Some(seen) = black_hole_of_uploads(endpoint) {
            return Some(seen);
        }
        let same = |a: &Transfer, b: &Transfer| a.command == b.command && a.mode == b.mode;
        let usual = |transfer: &&Transfer| transfer.segment.is_none() && transfer.upload.is_none();
        let stalled = ordinary(endpoint).filter(usual).find(|transfer| transfer.stalled())?;
        let tried = || endpoint.transfers.iter().filter(|transfer| same(transfer, stalled));
        let passes =
            tried().filter(|transfer| transfer.completed()).filter_map(|transfer| transfer.segment).max()?;
        let fails =
            tried().filter(|transfer| transfer.stalled()).filter_map(|transfer| transfer.segment).min();
        // A segment travels with the headers of TCP (20) and of IPv4 (20) or IPv6 (40).
        let headers = if endpoint.address.is_ipv6() { 60 } else { 40 };
        let size = match fails {
            Some(fails) => format!("between {} and {} bytes", passes + headers, fails + headers),
            None => format!("above {} bytes", passes + headers),
        };
        let title = format!("packets {size} from the server are lost on the way");
        let detail = format!(
            "{} stalled after {} bytes; held to segments of {passes} bytes, the same transfer came through. Packets of full \
             size do not arrive, and the message that should tell the server so (ICMP \"fragmentation needed\") is lost or \
             filtered. Short listings work, long ones and files hang. A tunnel, a VPN or PPPoE on the way, or a wrong MTU at \
             either end, does this.",
            stalled.command, stalled.bytes
        );
        let seen = Detail::new(scope(endpoint, stalled), title, detail);
        Some(tried().fold(seen, |seen, transfer| {
            let segment = transfer
                .segment
                .map_or("usual segments".to_owned(), |segment| format!("segments of {segment} bytes"));
            seen.quote(format!("with {segment}: {}", super::describe(transfer)))
        }))
    })
}

/// An upload stalled, and one in small segments came through: here the lost packets are this side's.
fn black_hole_of_uploads(endpoint: &Endpoint) -> Option<Detail> {
    let uploads = || endpoint.transfers.iter().filter(|transfer| transfer.upload.is_some());
    let stalled = uploads().find(|transfer| transfer.segment.is_none() && transfer.stalled())?;
    let small = uploads().find(|transfer| transfer.segment.is_some() && transfer.completed())?;
    let (segment, headers) = (small.segment?, if endpoint.address.is_ipv6() { 60 } else { 40 });
    let passes = segment + headers;
    let title = format!(
        "large packets from this side are lost on the way to the server (those of {passes} bytes pass)"
    );
    let detail = format!(
        "An upload stalled after {} bytes; held to segments of {segment} bytes, one of {} bytes came through. Packets of full \
         size from here do not arrive, and the message that should tell this host so (ICMP \"fragmentation needed\") is lost \
         or filtered. Commands and small files work, larger uploads hang. A tunnel, a VPN or PPPoE on the way, or a wrong MTU \
         at either end, does this.",
        stalled.bytes, small.bytes
    );
    let seen = Detail::new(scope(endpoint, stalled), title, detail);
    let told = |how: String, transfer: &Transfer| format!("with {how}: {}", super::describe(transfer));
    let seen = seen.quote(told("usual segments".to_owned(), stalled));
    Some(seen.quote(told(format!("segments of {segment} bytes"), small)))
}

/// Bytes stop flowing, or never begin to although the server has begun.
pub(super) fn stalled(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let (transfer, silent_ms) = ordinary(endpoint)
            .filter(|transfer| transfer.segment.is_none())
            .find_map(|transfer| match transfer.end {
                Some(DataEnd::Stalled { silent_ms }) => Some((transfer, silent_ms)),
                _ => None,
            })?;
        let began = transfer.preliminary.as_ref().is_some_and(|answer| answer.reply().is_some())
            || transfer.bytes > 0;
        if !began || transfer.foreign_greeting.is_some() {
            return None;
        }
        let seconds = silent_ms / 1000.0;
        let title = format!("the transfer stalls after {} bytes", transfer.bytes);
        let confirmed = transfer.completion.as_ref().is_some_and(Answer::positive);
        if transfer.upload.is_some() {
            return Some(stalled_upload(endpoint, transfer, seconds));
        }
        let detail = if transfer.bytes == 0 {
            format!(
                "The server announced the data ({}) and in {seconds:.0} s not one byte came. If short listings work and long \
                 ones do not, packets of full size are lost on the way (MTU); otherwise the server is slow to read the \
                 directory, or it writes to another connection.",
                transfer.preliminary.as_ref().map(Answer::describe).unwrap_or_default()
            )
        } else {
            format!(
                "After {} bytes nothing came for {seconds:.0} s{}. Packets of full size that are lost on the way (MTU), a \
                 device that inspects the data, or a server that hangs look like this.",
                transfer.bytes,
                if confirmed { ", although the server says that all is sent" } else { "" }
            )
        };
        let seen = Detail::new(scope(endpoint, transfer), title, detail);
        Some(quotes(transfer, seen))
    })
}

/// An upload stalls: here the large packets are ours, so a narrow link that swallows them lies before it reaches the server.
fn stalled_upload(endpoint: &Endpoint, transfer: &Transfer, seconds: f64) -> Detail {
    let (bytes, size) = (transfer.bytes, transfer.expected_bytes.unwrap_or(transfer.bytes));
    let stored = transfer.upload.as_ref().and_then(Upload::stored_bytes);
    let listed = endpoint.transfers.iter().any(|other| other.upload.is_none() && other.completed());
    let title = if bytes < size {
        format!("the upload stalls after {bytes} of {size} bytes")
    } else {
        format!("the upload of {size} bytes is sent, and the server does not take its end in")
    };
    let what = if bytes < size {
        format!("After {bytes} of {size} bytes nothing more was accepted for {seconds:.0} s.")
    } else {
        format!(
            "All {size} bytes were given to the network, and for {seconds:.0} s the server neither confirmed nor closed."
        )
    };
    let (held, likely) = match stored {
        Some(stored) if stored >= size => (
            " The server has all of it, so the data arrived.".to_owned(),
            "A server that hangs or still looks through the file (a virus scanner), or a device that swallows the end of the \
             connection or the server's word, looks like this.",
        ),
        stored => (
            stored.map_or_else(String::new, |stored| format!(" The server has {stored} bytes of it.")),
            "Packets of full size from this side that are lost on the way to the server (a smaller MTU whose ICMP message is \
             filtered), a device that inspects or holds back uploads, or a server that stopped reading (a full or slow \
             disk) look like this.",
        ),
    };
    let one_way =
        if listed { "Data from the server came through, so only this direction is affected. " } else { "" };
    let detail = format!("{what}{held} {one_way}{likely}");
    quotes(transfer, Detail::new(scope(endpoint, transfer), title, detail))
}

/// The file of an upload could not be removed.
pub(super) fn left_behind(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let transfer = endpoint.transfers.iter().find(|transfer| upload::remains(transfer))?;
        let left = transfer.upload.as_ref()?;
        let (why, quote) = match &left.fate {
            Fate::Answered { answer } => (
                format!("DELE was answered with {}", answer.describe()),
                format!("DELE → {}", answer.describe()),
            ),
            _ => (
                "The connection was lost, or the time was up, before it could be removed".to_owned(),
                "DELE was not sent".to_owned(),
            ),
        };
        // The server knows no such file, it seems, and words it in its own way.
        let unseen = upload::denied(transfer) && !transfer.completed();
        let verb = if unseen { "may be" } else { "is" };
        let title = format!("the uploaded file {} {verb} left on the server", left.file);
        let holds = left.stored_bytes().map_or_else(
            || "The file may hold some of the upload".to_owned(),
            |stored| format!("The file has {stored} bytes"),
        );
        let directory = "the directory that the session began in (of the login, or of the URL)";
        let detail = format!(
            "{why}. {holds}, and lies in {directory}. It is nothing but test text: remove it by hand. An account that may \
             write and not remove collects such a file with every such check."
        );
        let (severity, confidence) = match left.stored_bytes() {
            Some(_) => (Severity::Warning, Confidence::Certain),
            None if unseen => (Severity::Info, Confidence::Possible),
            None => (Severity::Warning, Confidence::Likely),
        };
        let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail);
        Some(seen.severity(severity).confidence(confidence).location(Location::Server).quote(quote))
    })
}

/// The data is whole and the closing reply does not come.
pub(super) fn completion_lost(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let transfer = ordinary(endpoint).find(|transfer| {
            let unconfirmed =
                matches!(transfer.completion, Some(Answer::Silence { .. } | Answer::Closed { .. }));
            let whole = transfer.expected_bytes.is_none_or(|expected| transfer.bytes >= expected);
            transfer.end == Some(DataEnd::Closed) && unconfirmed && whole
        })?;
        let answer = transfer.completion.as_ref().map(Answer::describe).unwrap_or_default();
        let title = "the data arrives, but the server's closing reply does not".to_owned();
        let sent = if transfer.upload.is_some() { "sent" } else { "brought" };
        let detail = format!(
            "{} {sent} {} bytes and the data connection ended in order, but 226 never came: {answer}. Clients report an \
             error or hang after a complete transfer. In a short transfer like this one the server is the likely cause; \
             after long ones it is an idle timeout of a NAT device or firewall for the control connection.",
            transfer.command, transfer.bytes
        );
        let seen = Detail::new(scope(endpoint, transfer), title, detail).location(Location::Unknown);
        Some(quotes(transfer, seen))
    })
}

/// The control connection died in a silence.
pub(super) fn idle_killed(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let lost = endpoint.idle.iter().find(|test| !test.keep_alive && !test.survived())?;
        let cured =
            endpoint.idle.iter().find(|test| test.keep_alive).map(crate::evidence::IdleTest::survived);
        let seconds = lost.silent_ms / 1000.0;
        let title = format!("the control connection does not live through {seconds:.0} s of silence");
        let detail = format!(
            "LIST was sent, nothing moved on the control connection, and then the data connection came: the server's next \
             word did not arrive ({}). {} A device on the way forgets connections on which nothing moves; transfers that \
             take longer end in an error although the file is complete.",
            lost.answer.describe(),
            match cured {
                Some(true) => "With TCP keep-alive the connection lived on.",
                Some(false) => "TCP keep-alive did not help.",
                None => "",
            }
        );
        let confidence = if cured == Some(true) { Confidence::Certain } else { Confidence::Likely };
        let seen = Detail::new(Scope::endpoint(endpoint.address), title, detail).confidence(confidence);
        Some(endpoint.idle.iter().fold(seen, |seen, test| {
            let how = if test.keep_alive { "with" } else { "without" };
            seen.quote(format!(
                "{:.0} s {how} keep-alive: {}",
                test.silent_ms / 1000.0,
                test.answer.describe()
            ))
        }))
    })
}

/// Refused on its own merits after the data path had been shown to work.
pub(super) fn refused(evidence: &Evidence) -> Vec<Detail> {
    each(evidence, |endpoint| {
        let transfer = ordinary(endpoint).find(|transfer| {
            transfer.refusal().is_some_and(|reply| {
                let unbegun = transfer.bytes == 0 || transfer.upload.is_some();
                refused_for_itself(reply) && !demands_tls(reply) && unbegun
            })
        })?;
        if transfer.upload.is_some() {
            return refused_upload(endpoint, transfer);
        }
        let reply = transfer.refusal()?;
        let listed = endpoint.transfers.iter().any(Transfer::completed);
        let opened = transfer.data.outcome == Outcome::Open;
        let title = format!("the server refuses {}: \"{}\"", transfer.command, reply.last_line());
        let detail = format!(
            "{}The refusal is about the file or the directory: permissions, a path that does not exist, or a command that is \
             switched off. {}",
            if opened { "The data connection opened, so the way is free. " } else { "" },
            if listed {
                "A listing came through before."
            } else {
                "A listing to the end was not seen, though."
            }
        );
        let severity = if listed { Severity::Warning } else { Severity::Unknown };
        let scope = scope(endpoint, transfer);
        Some(Detail::new(scope, title, detail).severity(severity).quote(quoted(verb(transfer), reply)))
    })
}

/// The server takes no upload, or breaks it off for reasons of its own.
fn refused_upload(endpoint: &Endpoint, transfer: &Transfer) -> Option<Detail> {
    let reply = transfer.refusal()?;
    let title = if transfer.bytes > 0 {
        format!("the server breaks the upload off after {} bytes: \"{}\"", transfer.bytes, reply.last_line())
    } else {
        format!("the server refuses the upload: \"{}\"", reply.last_line())
    };
    let because = match reply.code {
        452 | 552 => "No space is left, or a quota is used up.",
        553 => "The name is not allowed, or this user may not write here.",
        450 | 451 => "The server cannot write at the moment: a busy file, a disk error, a limit.",
        500 | 502 => "The command is switched off.",
        _ => "This user may not write in this directory, or uploads are switched off.",
    };
    let works = endpoint.transfers.iter().any(Transfer::completed);
    let detail = format!(
        "{} was answered with \"{}\". {because} It is about the file and not about the connection. {}",
        verb(transfer),
        reply.last_line(),
        if works { "A listing came through before." } else { "A transfer to the end was not seen, though." }
    );
    let severity = if works { Severity::Warning } else { Severity::Unknown };
    let seen = Detail::new(scope(endpoint, transfer), title, detail).severity(severity);
    Some(seen.quote(quoted(verb(transfer), reply)))
}

/// About the one mode that was used, unless no other one succeeded: then about the endpoint.
fn scope(endpoint: &Endpoint, transfer: &Transfer) -> Scope {
    let other = if transfer.mode == Mode::Pasv { Mode::Epsv } else { Mode::Pasv };
    let only_this = endpoint.transfers.iter().any(|seen| seen.mode == other && seen.completed());
    if only_this { Scope::mode(endpoint.address, transfer.mode) } else { Scope::endpoint(endpoint.address) }
}

fn verb(transfer: &Transfer) -> &str {
    transfer.command.split(' ').next().unwrap_or_default()
}

fn quotes(transfer: &Transfer, seen: Detail) -> Detail {
    let words = [&transfer.preliminary, &transfer.completion].into_iter().flatten().map(Answer::describe);
    let seen = words.fold(seen, |seen, word| seen.quote(format!("{} → {word}", verb(transfer))));
    let direction = if transfer.upload.is_some() { "sent" } else { "received" };
    seen.quote(format!("{} bytes {direction}", transfer.bytes))
}

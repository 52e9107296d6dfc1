//! Asks a stand-in (`pasvcheck serve`) for a proof of each port: that it is the stand-in which answers there, and on the
//! very port that was asked.
//!
//! Nothing of this is sent before the control connection's own server has given itself to know as a stand-in, and nothing
//! goes to any other address than the control connection's.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::FuturesUnordered;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::{sleep, timeout};

use crate::clock::Stopwatch;
use crate::evidence::{
    Access, Answer, Endpoint, Offer, PortState, Proof, Refusal, SentReply, StandIn, proof_spans,
};
use crate::ftp::{Argument, Command};
use crate::net::survey::Rate;
use crate::probe::Session;
use crate::standin::proof::{FEATURE, GREETING, Handshake, LONGEST_LINE, SessionKey, Side, WORD, nonce};

/// Ports asked at once.
const WINDOW: usize = 512;

/// Ports without a proof that are looked at again before that is believed of all of them.
const SAMPLE: usize = 64;

/// Rounds of looking again, as long as each brings proofs.
const ROUNDS: u32 = 6;

/// Looks in vain after which no more is hoped for. One port's look may be lost on the way, three in a row hardly.
const IN_VAIN: usize = 3;

/// Bytes of a stranger's words that are kept.
const MOST_WORDS: usize = 80;

/// Whether a stand-in answers: it says so in its greeting and in its answer to FEAT, of which a device may mask one.
pub(super) fn stands_in(endpoint: &Endpoint) -> bool {
    let greeting = endpoint.greeting.as_ref().map(|greeting| &greeting.answer);
    let says = |answer: Option<&Answer>, words: &str| {
        answer.and_then(Answer::reply).is_some_and(|reply| reply.says(words))
    };
    says(greeting, GREETING) || says(endpoint.features.as_ref(), FEATURE)
}

/// How long a port may take to open.
#[derive(Clone, Copy, Debug)]
struct Patience {
    /// With room for a SYN that was lost.
    patient: Duration,
    /// Once most ports are silent: a survey asks them again.
    quick: Duration,
}

impl Patience {
    fn of(patient: Duration) -> Self {
        Self { patient, quick: patient }
    }

    /// What is fit after so many ports have opened, and so many have not.
    fn after(self, opened: usize, silent: usize) -> Duration {
        if silent >= SAMPLE && silent > opened { self.quick } else { self.patient }
    }
}

/// What came of it: the facts, the states of the ports that were asked, and the ports that have yet to be surveyed.
pub(super) struct Proved {
    pub(super) stand_in: StandIn,
    pub(super) open: BTreeMap<u16, PortState>,
    pub(super) left: Vec<u16>,
    key: Option<SessionKey>,
    proofs: BTreeMap<u16, Proof>,
    clock: Stopwatch,
}

/// Asks the ports for their proofs.
pub(super) async fn prove(session: &mut Session<'_>, ports: Vec<u16>) -> Proved {
    let clock = Stopwatch::start();
    let (access, key) = match introduce(session).await {
        Ok((access, key)) => (access, Some(key)),
        Err(why) => (Access::Refused { why }, None),
    };
    let stand_in =
        StandIn { access, proofs: Vec::new(), client_seen: None, replies: Vec::new(), elapsed_ms: 0.0 };
    let mut proved =
        Proved { stand_in, open: BTreeMap::new(), left: ports, key, proofs: BTreeMap::new(), clock };
    let quick = (session.rtt() * 4).clamp(Duration::from_millis(250), Duration::from_millis(950));
    let patient = session.plan.limits.second + session.rtt() * 4;
    proved.pass(session, Patience { patient, quick }, WINDOW).await;
    proved
}

impl Proved {
    /// More looks, after the survey: at ports that turned out to open, and at those without a proof. As in a survey, a
    /// sample decides whether another look at all of them is worth its time.
    pub(super) async fn again(&mut self, session: &mut Session<'_>, states: &BTreeMap<u16, PortState>) {
        let mut in_vain = 0;
        for round in 1..=ROUNDS {
            let unproven = |port: &u16| match self.proofs.get(port) {
                Some(Proof::Unopened) | None => states.get(port) == Some(&PortState::Open),
                Some(proof) => proof.elsewhere(),
            };
            let known = states.keys().chain(self.proofs.keys()).copied().collect::<BTreeSet<u16>>();
            let ports: Vec<u16> = known.into_iter().filter(unproven).collect();
            if ports.is_empty() || self.key.is_none() || session.left().is_zero() {
                return;
            }
            if !self.still_known(session).await {
                // What had no answer may have had none for that reason: it proves nothing.
                return self.proofs.retain(|_, proof| !proof.elsewhere());
            }
            let step = ports.len().div_ceil(SAMPLE);
            let (sample, rest): (Vec<_>, Vec<_>) =
                ports.into_iter().enumerate().partition(|(place, _)| place % step == 0);
            // Room for one more retransmission each time.
            let patience = session.plan.limits.second * round + session.rtt() * 4;
            let before = self.proven();
            let asked = sample.len();
            self.left = sample.into_iter().map(|(_, port)| port).collect();
            self.pass(session, Patience::of(patience), SAMPLE).await;
            in_vain = if self.proven() == before { in_vain + asked } else { 0 };
            if in_vain >= IN_VAIN {
                return;
            }
            self.left = rest.into_iter().map(|(_, port)| port).collect();
            self.pass(session, Patience::of(patience), WINDOW / 2).await;
        }
    }

    /// How many ports are proven.
    fn proven(&self) -> usize {
        self.proofs.values().filter(|proof| proof.proven()).count()
    }

    /// Whether the stand-in still knows this session; without its control connection it forgets whom to answer. A lost one
    /// is opened again.
    async fn still_known(&mut self, session: &mut Session<'_>) -> bool {
        if session.ask(Command::Noop).await.positive() {
            return true;
        }
        if !session.reopen().await {
            return false;
        }
        self.key = introduce(session).await.ok().map(|(_, key)| key);
        self.key.is_some()
    }

    /// Asks the ports that are left. Those that do not open stay left.
    async fn pass(&mut self, session: &mut Session<'_>, patience: Patience, window: usize) {
        let Some(key) = self.key.clone() else { return };
        let control = session.endpoint().address;
        let ports = std::mem::take(&mut self.left);
        let (allowed, refused): (Vec<u16>, Vec<u16>) = ports
            .into_iter()
            .partition(|port| session.contact.allows(control, SocketAddr::new(control, *port)).is_ok());
        self.left = refused;
        let answers: BTreeMap<u16, Proof> =
            ask_all(session, &key, &allowed, patience, window).await.into_iter().collect();
        self.left.extend(allowed.into_iter().filter(|port| !answers.contains_key(port)));
        for (port, proof) in answers {
            if proof == Proof::Unopened {
                self.left.push(port);
            } else {
                self.open.insert(port, PortState::Open);
            }
            self.proofs.insert(port, proof);
        }
    }

    /// The facts, with what the stand-in reports of this session.
    pub(super) async fn finish(mut self, session: &mut Session<'_>) -> StandIn {
        if let Some(key) = &self.key
            && session.connected()
            && let Some(report) = site(session, "PASVCHECK REPORT").await.reply()
        {
            let inner = report.lines.get(1..report.lines.len().saturating_sub(1)).unwrap_or_default();
            let lines: Vec<&str> = inner.iter().map(String::as_str).collect();
            if let Some((seen, sent)) = key.read_report(&lines) {
                self.stand_in.replies = pair(&session.endpoint().offers, sent);
                self.stand_in.client_seen = Some(seen);
            }
        }
        if let Some(seen) = self.stand_in.client_seen {
            for proof in self.proofs.values_mut() {
                if *proof == (Proof::OtherSource { address: seen }) {
                    *proof = Proof::Proven;
                }
            }
        }
        self.stand_in.proofs = proof_spans(self.proofs.into_iter().collect());
        self.stand_in.elapsed_ms = self.clock.elapsed_ms();
        self.stand_in
    }
}

/// Puts what was sent beside what arrived. The stand-in tells of this session alone, so its last reply is our last offer.
fn pair(offers: &[Offer], sent: Vec<String>) -> Vec<SentReply> {
    let answered: Vec<&Offer> = offers.iter().filter(|offer| offer.answer.reply().is_some()).collect();
    let ours = answered.len().saturating_sub(sent.len());
    let skipped = sent.len().saturating_sub(answered.len());
    let pairs = sent.into_iter().skip(skipped).zip(&answered[ours..]);
    pairs
        .filter_map(|(sent, offer)| {
            let arrived = offer.answer.reply()?.last_line().to_owned();
            Some(SentReply { mode: offer.mode, sent, arrived })
        })
        .collect()
}

async fn site(session: &mut Session<'_>, words: &str) -> Answer {
    match Argument::new(words) {
        Ok(words) => session.ask(Command::Site(words)).await,
        Err(error) => Answer::Garbled { problem: error.to_string() },
    }
}

/// Makes itself known, and learns whether there are proofs to be had.
async fn introduce(session: &mut Session<'_>) -> Result<(Access, SessionKey), Refusal> {
    let unanswered = |answer: &Answer| Refusal::Unanswered { instead: answer.describe() };
    let client = nonce()
        .ok_or_else(|| Refusal::Unanswered { instead: "this host gives no random numbers".to_owned() })?;
    let answer = site(session, &format!("{WORD} HELLO {client}")).await;
    let text = answer.reply().map(|reply| reply.text().to_owned()).unwrap_or_default();
    let words: Vec<&str> = text.split(' ').collect();
    let secret = session.plan.stand_in_secret.clone();
    match (words.as_slice(), secret) {
        (["PASVCHECK", "OPEN", name, token], None) => Ok((Access::ToAll, SessionKey::of_token(name, token))),
        (["PASVCHECK", "OPEN", ..], Some(_)) => Err(Refusal::NoneAsked),
        (["PASVCHECK", "PROVE", ..], None) => Err(Refusal::NoSecret),
        (["PASVCHECK", "PROVE", name, server], Some(secret)) => {
            let shake = Handshake { secret: &secret, client: &client, server, session: name };
            let answer = site(session, &format!("{WORD} PROVE {}", shake.proof(Side::Client))).await;
            let text = answer.reply().map(|reply| reply.text().to_owned()).unwrap_or_default();
            match text.split(' ').collect::<Vec<_>>().as_slice() {
                ["PASVCHECK", "KNOWN", proof] if shake.agrees(Side::Server, proof) => {
                    Ok((Access::BySecret, shake.key()))
                }
                ["PASVCHECK", "KNOWN" | "REFUSED", ..] => Err(Refusal::WrongSecret),
                _ => Err(unanswered(&answer)),
            }
        }
        _ => Err(unanswered(&answer)),
    }
}

/// Asks many ports, at the pace of a survey. Ports that there was no time for are missing.
async fn ask_all(
    session: &Session<'_>,
    key: &SessionKey,
    ports: &[u16],
    patience: Patience,
    window: usize,
) -> Vec<(u16, Proof)> {
    let clock = Stopwatch::start();
    let pause = match session.plan.rate {
        Rate::Max => 0.0,
        Rate::PerSecond(rate) => 1.0 / f64::from(rate.max(1)),
    };
    let mut answers: Vec<(u16, Proof)> = Vec::with_capacity(ports.len());
    let (mut waiting, mut sent) = (ports.iter().copied(), 0_u32);
    let mut flying = FuturesUnordered::new();
    let (mut stopped, mut silent) = (false, 0);
    loop {
        let due = Duration::from_secs_f64(pause * f64::from(sent)).saturating_sub(clock.elapsed());
        let over = stopped || session.left().is_zero();
        let may_send = !over && flying.len() < window && waiting.len() > 0;
        if may_send && due.is_zero() {
            let patience = patience.after(answers.len() - silent, silent);
            flying.extend(waiting.next().map(|port| ask(session, key, port, patience)));
            sent += 1;
            continue;
        }
        if flying.is_empty() && !may_send {
            return answers;
        }
        tokio::select! {
            Some((port, proof)) = flying.next() => {
                silent += usize::from(proof == Proof::Unopened);
                answers.push((port, proof));
            }
            () = sleep(due), if may_send => {}
            // What is in flight is waited for, no longer.
            _ = tokio::signal::ctrl_c() => stopped = true,
        }
        session.progress(&format!("asking each port for its proof: {} of {}", answers.len(), ports.len()));
    }
}

/// Asks one port for its proof.
async fn ask(session: &Session<'_>, key: &SessionKey, port: u16, patience: Duration) -> (u16, Proof) {
    (port, proof_of(session, key, port, patience).await)
}

async fn proof_of(session: &Session<'_>, key: &SessionKey, port: u16, patience: Duration) -> Proof {
    let to = SocketAddr::new(session.endpoint().address, port);
    let Some(mut stream) = session.connect(to, patience).await.stream else { return Proof::Unopened };
    // Whatever answers, nothing of it is left in TIME-WAIT.
    stream.reset_on_close();
    let mut heard = Vec::new();
    let dialogue = async {
        stream.write_all(key.question().as_bytes()).await?;
        let mut limited = (&mut stream).take(LONGEST_LINE as u64);
        while !heard.contains(&b'\n') {
            if limited.read_buf(&mut heard).await? == 0 {
                break;
            }
        }
        Ok::<(), std::io::Error>(())
    };
    let ended = timeout(patience + session.plan.limits.second, dialogue).await;
    let text = String::from_utf8_lossy(&heard);
    match key.read_answer(&text) {
        // Whether the address is the control connection's is known when the stand-in has told that one.
        Some(answer) if answer.port == port => Proof::OtherSource { address: answer.from },
        Some(answer) => Proof::Shifted { by: i32::from(answer.port) - i32::from(port) },
        None if heard.is_empty() && ended.is_err() => Proof::Silent,
        None if heard.is_empty() => Proof::Closed,
        None => {
            let words: String = text.trim_end().chars().take(MOST_WORDS).collect();
            Proof::Foreign { received: session.scrubbed(&words) }
        }
    }
}

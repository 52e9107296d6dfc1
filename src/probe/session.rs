//! One run in progress: the open control connection, the evidence so far, and what checks may do with the network.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join;

use super::Progress;
use crate::clock::{Deadline, Stopwatch};
use crate::evidence::{
    Answer, Cleartext, Client, Connect, Endpoint, Entry, Evidence, Handshake, HandshakeOutcome, Login, Loss,
    Mode, Offer, Outcome, Patience, Speaker, Told, Transfer, Via, Visit,
};
use crate::ftp::{Command, Control, Reply};
use crate::net::contact::Contact;
use crate::net::tls::TlsClient;
use crate::net::{Connected, Network, Stream};
use crate::plan::{Credentials, Plan, TlsUse};

/// Reconnects that one endpoint may cost.
const RECONNECT_LIMIT: u32 = 2;

/// A run in progress. Checks get it one after the other, by `&mut`: nothing is shared and nothing locked.
#[derive(Debug)]
pub struct Session<'a> {
    /// What is to be done.
    pub plan: &'a Plan,
    /// The door to the outside.
    pub network: &'a dyn Network,
    /// What was seen so far.
    pub evidence: Evidence,
    /// What may be contacted.
    pub contact: Contact,
    /// The open control connection.
    control: Option<Control<Box<dyn Stream>>>,
    /// How control connections are secured, once that is decided.
    guard: Option<Guard>,
    /// Whether data connections of this session are secured (PROT P).
    private: bool,
    /// What was seen before a session apart began, whose facts are kept on their own.
    aside: Option<Aside>,
    /// The segment size that data connections ask for.
    segment: Option<u16>,
    /// An open connection and the endpoint whose session it will be.
    kept: Option<(usize, Box<dyn Stream>, Option<IpAddr>)>,
    last_reply: Option<(String, Reply)>,
    endpoint: Option<usize>,
    clock: Stopwatch,
    deadline: Deadline,
    progress: Sink<'a>,
}

/// How control connections are secured.
#[derive(Clone, Debug)]
pub struct Guard {
    /// The TLS client, with the sessions that data connections resume.
    pub client: Arc<TlsClient>,
    /// The command that asks for TLS; `None` where it begins with the first byte.
    pub command: Option<Command>,
}

/// Facts of an endpoint that were put aside.
#[derive(Debug)]
struct Aside {
    login: Option<Login>,
    offers: Vec<Offer>,
    transfers: Vec<Transfer>,
    losses: Vec<Loss>,
    guard: Option<Guard>,
    greeting: Option<Answer>,
}

/// What is done while a data connect is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Meanwhile {
    /// The distance of the server is measured, on the control connection.
    Measure,
    /// Nothing.
    Nothing,
    /// The way to this port and to the control port is walked.
    Walk(SocketAddr),
}

struct Sink<'a>(&'a dyn Progress);

impl std::fmt::Debug for Sink<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Sink")
    }
}

impl<'a> Session<'a> {
    /// A run that has not begun.
    pub fn new(plan: &'a Plan, network: &'a dyn Network, progress: &'a dyn Progress) -> Self {
        let networks = network.own_networks();
        let told = Told {
            range: plan.range,
            public_address: plan.public_address,
            named_user: matches!(plan.login, Credentials::Named { .. }),
            policy: plan.policy.clone(),
            no_public_address: false,
            insecure: plan.tls.insecure,
            own_addresses_only: plan.own_addresses_only,
            cert_days: plan.tls.cert_days,
            tls: (plan.tls.mode != TlsUse::Auto).then(|| plan.tls.mode.name().to_owned()),
        };
        let evidence = Evidence {
            target: plan.target.clone(),
            told,
            client: Client { networks: networks.clone() },
            ..Evidence::default()
        };
        Self {
            plan,
            network,
            evidence,
            contact: Contact::new(networks, plan.follow_private).targets_only(plan.own_addresses_only),
            control: None,
            guard: None,
            private: false,
            aside: None,
            segment: None,
            kept: None,
            last_reply: None,
            endpoint: None,
            clock: Stopwatch::start(),
            deadline: Deadline::after(plan.limits.run),
            progress: Sink(progress),
        }
    }

    /// Milliseconds since the run began.
    #[must_use]
    pub fn elapsed_ms(&self) -> f64 {
        self.clock.elapsed_ms()
    }

    /// What is left of the run's time.
    #[must_use]
    pub fn left(&self) -> Duration {
        self.deadline.left()
    }

    /// Tells the user what is being waited for.
    pub fn progress(&self, what: &str) {
        match self.current() {
            Some(endpoint) if self.evidence.endpoints.len() > 1 => {
                self.progress.0.at(&format!("{}: {what}", endpoint.address));
            }
            _ => self.progress.0.at(what),
        }
    }

    /// The endpoint that is being checked.
    #[must_use]
    pub fn current(&self) -> Option<&Endpoint> {
        self.evidence.endpoints.get(self.endpoint?)
    }

    /// The endpoint that is being checked.
    ///
    /// # Panics
    /// Never inside a check of an endpoint: the runner has entered one.
    #[must_use]
    pub fn endpoint(&self) -> &Endpoint {
        self.current().expect("the runner entered an endpoint")
    }

    /// The endpoint that is being checked, to add facts to.
    ///
    /// # Panics
    /// As [`endpoint`](Self::endpoint).
    pub fn endpoint_mut(&mut self) -> &mut Endpoint {
        let index = self.endpoint.expect("the runner entered an endpoint");
        &mut self.evidence.endpoints[index]
    }

    /// Address and port of the control connection.
    #[must_use]
    pub fn control_address(&self) -> SocketAddr {
        SocketAddr::new(self.endpoint().address, self.plan.target.port)
    }

    /// Round-trip time of the control connection; zero before it is known.
    #[must_use]
    pub fn rtt(&self) -> Duration {
        let ms = self.current().and_then(Endpoint::rtt_ms).unwrap_or(0.0);
        Duration::from_secs_f64(ms / 1000.0)
    }

    /// Begins with an endpoint, on the connection that was kept for it if there is one.
    pub(super) fn enter(&mut self, index: usize) {
        self.endpoint = Some(index);
        (self.guard, self.private) = (None, false);
        if self.kept.as_ref().is_some_and(|(kept, ..)| *kept == index)
            && let Some((_, stream, local)) = self.kept.take()
        {
            self.adopt(stream, local);
        }
    }

    /// Keeps the first open connection for the session of its endpoint; hands back any other.
    pub fn keep_first(
        &mut self,
        index: usize,
        stream: Option<Box<dyn Stream>>,
        local: Option<IpAddr>,
    ) -> Option<Box<dyn Stream>> {
        let stream = stream?;
        if self.kept.is_some() {
            return Some(stream);
        }
        self.kept = Some((index, stream, local));
        None
    }

    /// Ends with an endpoint.
    pub(super) async fn leave(&mut self) {
        self.quit().await;
        self.endpoint = None;
    }

    /// Ends the session: QUIT, and a short wait for the answer, so that the server's log shows an orderly end.
    pub async fn quit(&mut self) {
        let patience = Duration::from_millis(500) + self.rtt() * 2;
        if let Some(control) = self.control.as_mut().filter(|control| control.ended().is_none()) {
            let _ = control.ask(&Command::Quit, patience).await;
        }
        self.abandon();
    }

    /// Ends the session with QUIT, whose answer nobody waits for.
    pub async fn hang_up(&mut self) {
        let patience = self.deadline.cap(Duration::from_millis(200));
        if let Some(control) = self.control.as_mut().filter(|control| control.ended().is_none()) {
            let _ = control.send(&Command::Quit, patience).await;
        }
        self.abandon();
    }

    /// Moves the dialogue so far into the evidence.
    pub(super) fn flush(&mut self) {
        if let (Some(control), Some(index)) = (&mut self.control, self.endpoint) {
            let lines = control.take_transcript();
            self.evidence.endpoints[index].dialogue.extend(lines);
        }
    }

    /// Connects, no longer than the run lasts.
    pub async fn connect(&self, to: SocketAddr, patience: Duration) -> Connected {
        self.network.connect(to, self.deadline.cap(patience)).await
    }

    /// Takes a fresh stream as the endpoint's control connection.
    pub fn adopt(&mut self, stream: Box<dyn Stream>, local: Option<IpAddr>) {
        self.talk_over(stream, format!("control connection to {} opened", self.control_address()));
        self.private = false;
        let endpoint = self.endpoint_mut();
        endpoint.sessions += 1;
        endpoint.local_address = local;
    }

    fn talk_over(&mut self, stream: Box<dyn Stream>, remark: String) {
        self.flush();
        let mut control = Control::new(stream, self.clock);
        if let Credentials::Named { password, .. } = &self.plan.login {
            control.protect(password);
        }
        control.remark(remark);
        self.control = Some(control);
    }

    /// Puts TLS on the control connection. One whose handshake fails is of no use any more.
    pub async fn secure_control(&mut self, client: &Arc<TlsClient>) -> Handshake {
        let patience = self.deadline.cap(self.plan.limits.handshake);
        self.flush();
        let Some(control) = self.control.take() else {
            let outcome = HandshakeOutcome::Closed { reset: false };
            return Handshake { outcome, offered_session: false, elapsed_ms: 0.0 };
        };
        let early = control.unfinished();
        if !early.is_empty() {
            // Clear text behind the answer to AUTH: a complaint of the server's, and no part of the protected dialogue.
            let received = self.scrubbed(early.lines().next().unwrap_or_default().trim());
            let outcome = HandshakeOutcome::NotTls { received };
            return Handshake { outcome, offered_session: false, elapsed_ms: 0.0 };
        }
        let mut opened = Arc::clone(client).secure(control.into_stream(), true, patience).await;
        self.scrub_handshake(&mut opened.fact);
        let remark = format!("TLS on the control connection: {}", opened.fact.describe());
        if let Some(stream) = opened.stream {
            self.talk_over(stream, remark);
        } else {
            let at_ms = self.clock.elapsed_ms();
            self.endpoint_mut().dialogue.push(Entry { at_ms, from: Speaker::Note, line: remark });
        }
        opened.fact
    }

    /// From now on control connections are secured so; `None` for clear text.
    pub fn set_guard(&mut self, guard: Option<Guard>) {
        self.guard = guard;
    }

    /// Tells whether data connections of this session are secured.
    pub fn set_private(&mut self, private: bool) {
        self.private = private;
    }

    /// Who secures the data connections of this session, if anybody.
    #[must_use]
    pub fn data_guard(&self) -> Option<Arc<TlsClient>> {
        self.guard.as_ref().filter(|_| self.private).map(|guard| Arc::clone(&guard.client))
    }

    /// Whether the control connection is secured.
    #[must_use]
    pub fn guarded(&self) -> bool {
        self.guard.is_some()
    }

    /// Begins a session apart, in clear text: its facts are gathered on their own until
    /// [`end_apart`](Self::end_apart). The runner ends it too, should time run out.
    pub async fn begin_apart(&mut self) {
        self.quit().await;
        let guard = self.guard.take();
        let endpoint = self.endpoint_mut();
        let aside = Aside {
            login: endpoint.login.take(),
            offers: std::mem::take(&mut endpoint.offers),
            transfers: std::mem::take(&mut endpoint.transfers),
            losses: std::mem::take(&mut endpoint.losses),
            guard,
            greeting: None,
        };
        self.aside = Some(aside);
    }

    /// Ends it, if it was begun: its facts become the endpoint's clear text session, and those from before come back.
    pub fn end_apart(&mut self) {
        let Some(aside) = self.aside.take() else { return };
        self.guard = aside.guard;
        let endpoint = self.endpoint_mut();
        let cleartext = Cleartext {
            greeting: aside.greeting,
            login: std::mem::replace(&mut endpoint.login, aside.login),
            offers: std::mem::replace(&mut endpoint.offers, aside.offers),
            transfers: std::mem::replace(&mut endpoint.transfers, aside.transfers),
            losses: std::mem::replace(&mut endpoint.losses, aside.losses),
        };
        endpoint.cleartext = Some(cleartext);
    }

    /// Gives the control connection up without a word, for one that never spoke.
    pub fn abandon(&mut self) {
        self.flush();
        self.control = None;
    }

    /// Whether there is a control connection that can still be used.
    #[must_use]
    pub fn connected(&self) -> bool {
        self.control.as_ref().is_some_and(|control| control.ended().is_none())
    }

    /// The control connection, where a check needs more than [`ask`](Self::ask).
    pub fn control(&mut self) -> Option<&mut Control<Box<dyn Stream>>> {
        self.control.as_mut()
    }

    /// Waits for a reply that no command asks for: the greeting.
    pub async fn listen(&mut self, patience: Duration) -> Answer {
        let patience = self.deadline.cap(patience);
        match &mut self.control {
            Some(control) => control.answer(patience).await,
            None => Answer::Closed { reset: false },
        }
    }

    /// Sends a command and waits for its reply. A connection that does not answer is given up, since a late reply would
    /// be taken for the next command's.
    pub async fn ask(&mut self, command: Command) -> Answer {
        let patience = self.deadline.cap(self.plan.limits.reply);
        self.ask_within(command, patience).await
    }

    /// [`ask`](Self::ask) with another patience.
    pub async fn ask_within(&mut self, command: Command, patience: Duration) -> Answer {
        let patience = self.deadline.cap(patience);
        let answer = match &mut self.control {
            Some(control) => control.ask(&command, patience).await,
            None => Answer::Closed { reset: false },
        };
        self.note_loss(command.verb(), &answer);
        answer
    }

    /// Asks for a passive offer and adds it to the evidence; its index among the offers.
    pub async fn offer(&mut self, mode: Mode) -> usize {
        let patience = self.deadline.cap(self.plan.limits.reply);
        let (answer, read) = match &mut self.control {
            Some(control) => control.ask_passive(&Command::Passive(mode), patience).await,
            None => (Answer::Closed { reset: false }, None),
        };
        let unasked = self.control.as_mut().map(Control::take_unasked).unwrap_or_default();
        self.endpoint_mut().unasked.extend(unasked);
        self.note_loss(mode.verb(), &answer);
        let (announced, malformed) = match read {
            Some(Ok(announced)) => (Some(announced), None),
            Some(Err(problem)) => (None, Some(problem.to_string())),
            None => (None, None),
        };
        let offers = &mut self.endpoint_mut().offers;
        offers.push(Offer { mode, answer, announced, malformed, visits: Vec::new() });
        offers.len() - 1
    }

    /// Connects to an offer, if the rules on foreign addresses allow it, and adds the outcome to the evidence.
    pub async fn visit(&mut self, offer: usize, via: Via, patience: Patience) -> Option<Box<dyn Stream>> {
        let allowed = match patience {
            Patience::Quick => self.plan.limits.quick,
            Patience::Patient => self.plan.limits.patient,
        };
        self.visit_within(offer, via, patience, allowed, Meanwhile::Nothing).await
    }

    /// [`visit`](Self::visit) with a patience of its own (two round trips are added to it), and something to do while a
    /// silent port is waited for.
    pub async fn visit_within(
        &mut self,
        offer: usize,
        via: Via,
        patience: Patience,
        allowed: Duration,
        meanwhile: Meanwhile,
    ) -> Option<Box<dyn Stream>> {
        let control = self.endpoint().address;
        let announced = self.endpoint().offers.get(offer)?.announced?;
        let address = match via {
            Via::Advertised => announced.address.map_or(control, IpAddr::V4),
            Via::Control => control,
        };
        let to = SocketAddr::new(address, announced.port);
        let connected = match self.contact.allows(control, to) {
            Ok(()) => {
                let allowed = (allowed + self.rtt() * 2).min(self.plan.limits.connect);
                let allowed = self.deadline.cap(allowed);
                let connecting = match self.segment {
                    Some(segment) => self.network.connect_small(to, segment, allowed),
                    None => self.network.connect(to, allowed),
                };
                join(connecting, self.pass_the_time(meanwhile)).await.0
            }
            Err(reason) => {
                let fact = Connect { to, outcome: Outcome::NotContacted { reason }, elapsed_ms: 0.0 };
                Connected { fact, stream: None, local: None }
            }
        };
        self.remark(format!("data connection to {to}: {}", connected.fact.describe()));
        // Silence that our own deadline cut short was not waited out.
        let cut_short = connected.fact.outcome == Outcome::Silent && self.left().is_zero();
        let patience = if cut_short { Patience::Quick } else { patience };
        if let Some(offer) = self.endpoint_mut().offers.get_mut(offer) {
            offer.visits.push(Visit { via, patience, connect: connected.fact });
        }
        connected.stream
    }

    /// From now on data connections ask the server for segments of at most so many bytes.
    pub fn limit_segments(&mut self, segment: Option<u16>) {
        self.segment = segment;
    }

    /// The segment size that data connections ask for.
    #[must_use]
    pub fn segment(&self) -> Option<u16> {
        self.segment
    }

    async fn pass_the_time(&mut self, meanwhile: Meanwhile) {
        match meanwhile {
            Meanwhile::Nothing => {}
            Meanwhile::Measure => self.measure_distance().await,
            Meanwhile::Walk(to) => self.walk_both(to).await,
        }
    }

    /// Text from the network without the password, for what does not come over the control connection.
    #[must_use]
    pub fn scrubbed(&self, text: &str) -> String {
        match &self.plan.login {
            Credentials::Named { password, .. } => password.scrub(text),
            Credentials::Anonymous => text.to_owned(),
        }
    }

    /// Takes the password out of what came in place of TLS: a server that knows it from elsewhere may well say it.
    pub fn scrub_handshake(&self, handshake: &mut Handshake) {
        if let HandshakeOutcome::NotTls { received } = &mut handshake.outcome {
            *received = self.scrubbed(received);
        }
    }

    /// Adds a remark to the dialogue.
    pub fn remark(&mut self, remark: String) {
        if let Some(control) = &mut self.control {
            control.remark(remark);
        }
    }

    /// Opens a new control connection and logs in again, after the old one was lost. `false` if it is not worth it or
    /// does not work.
    pub async fn reopen(&mut self) -> bool {
        self.reopen_within(RECONNECT_LIMIT).await
    }

    /// [`reopen`](Self::reopen) with another limit of reconnects, for an experiment that costs a session each time.
    pub async fn reopen_within(&mut self, limit: u32) -> bool {
        if self.connected() {
            return true;
        }
        if self.endpoint().sessions > limit {
            return false;
        }
        self.progress("connecting again, since the control connection was lost");
        self.dial().await && crate::checks::login::enter(self).await
    }

    /// Opens a control connection and secures it as the one before was, up to where the login begins.
    pub async fn dial(&mut self) -> bool {
        if self.left().is_zero() {
            return false;
        }
        let connected = self.connect(self.control_address(), self.plan.limits.connect).await;
        let Some(stream) = connected.stream else { return false };
        self.adopt(stream, connected.local);
        let guard = self.guard.clone();
        if let Some(Guard { client, command: None }) = &guard
            && !self.secure_control(client).await.done()
        {
            return false;
        }
        let greeting = self.listen(self.plan.limits.greeting).await;
        let welcome = greeting.code() == Some(220);
        if let Some(aside) = &mut self.aside {
            aside.greeting = Some(greeting.clone());
        }
        if !welcome {
            self.note_loss("connect", &greeting);
            self.abandon();
            return false;
        }
        match guard {
            Some(Guard { client, command: Some(command) }) => {
                self.ask(command).await.positive() && self.secure_control(&client).await.done()
            }
            _ => true,
        }
    }

    /// Notes a 421, which announces the end of the session (RFC 959 §4.2.2), where no further command would find it out.
    pub fn note_goodbye(&mut self, verb: &str, answer: &Answer) {
        if let Some(reply) = answer.reply().filter(|reply| reply.code == 421) {
            let verb = Some(verb.to_owned());
            let loss = Loss {
                after: verb.clone(),
                how: answer.clone(),
                last_reply: Some(reply.clone()),
                last_command: verb,
                in_clear: None,
            };
            self.endpoint_mut().losses.push(loss);
        }
    }

    /// Notes that the control connection ended in answer to a command, and lets go of one that is silent or garbled.
    pub fn note_loss(&mut self, verb: &str, answer: &Answer) {
        if let Answer::Reply(reply) = answer {
            self.last_reply = Some((verb.to_owned(), reply.clone()));
            return;
        }
        // Silence that our own deadline cut short is nobody's fault.
        let cut_short = matches!(answer, Answer::Silence { .. }) && self.left().is_zero();
        if self.control.is_none() || cut_short {
            return;
        }
        let (last_command, last_reply) = self.last_reply.take().unzip();
        let in_clear = self.control.as_ref().and_then(|control| control.stream().in_clear());
        let in_clear = in_clear.map(|text| self.scrubbed(&text));
        self.abandon();
        let after = Some(verb.to_owned());
        let loss = Loss { after, how: answer.clone(), last_reply, last_command, in_clear };
        self.endpoint_mut().losses.push(loss);
    }
}

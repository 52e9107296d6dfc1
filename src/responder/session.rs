//! One client's dialogue: hears a command, lets the script answer, or does what the persona would.

use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::TcpStream;
use tokio::sync::OwnedSemaphorePermit;
use tokio::time::sleep;

use super::action::{Action, Then};
use super::control::{Command, Control, Heard};
use super::files;
use super::passive::Listener;
use super::script::Family;
use super::server::{Shared, plain};
use super::stranger;
use super::template::{self, Values};
use super::tls::{Wire, answer_as_of_old};

/// The commands behind which there is more than a fixed answer.
const KNOWN: [&str; 21] = [
    "CDUP", "CWD", "DELE", "EPSV", "FEAT", "LIST", "MDTM", "MLSD", "NLST", "PASS", "PASV", "PWD", "QUIT",
    "REST", "RETR", "SIZE", "STOR", "USER", "XCUP", "XCWD", "XPWD",
];

/// One client and what it has said so far.
#[derive(Debug)]
pub(super) struct Session {
    pub(super) control: Control,
    pub(super) shared: Arc<Shared>,
    /// Held until the client says QUIT, or goes.
    seat: Option<OwnedSemaphorePermit>,
    pub(super) local: IpAddr,
    pub(super) peer: IpAddr,
    /// The name given, while it waits for its password or is logged in.
    pub(super) user: Option<String>,
    pub(super) logged_in: bool,
    pub(super) failures: u32,
    pub(super) epsv_all: bool,
    pub(super) folder: String,
    /// Where the next download begins.
    pub(super) restart: u64,
    pub(super) listener: Option<Listener>,
    pub(super) values: Values,
    /// Whether data connections are under TLS (PROT P).
    pub(super) private: bool,
    heard: usize,
}

/// The two ends of a connection.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ends {
    local: IpAddr,
    peer: IpAddr,
}

impl Ends {
    pub(super) fn of(stream: &TcpStream) -> io::Result<Self> {
        Ok(Self { local: plain(stream.local_addr()?.ip()), peer: plain(stream.peer_addr()?.ip()) })
    }
}

impl Session {
    pub(super) fn new(stream: Wire, ends: Ends, seat: OwnedSemaphorePermit, shared: Arc<Shared>) -> Self {
        let Ends { local, peer } = ends;
        // A server that was told its public address calls itself by it.
        let name = shared.script.passive.advertise.first().cloned().unwrap_or_else(|| local.to_string());
        let ipv6 = shared.script.family == Family::Ipv6;
        let values = Values { local: name, ipv6, ..Values::default() };
        Self {
            control: Control::new(stream),
            shared,
            seat: Some(seat),
            local,
            peer,
            user: None,
            logged_in: false,
            failures: 0,
            epsv_all: false,
            folder: "/".to_owned(),
            restart: 0,
            listener: None,
            values,
            private: false,
            heard: 0,
        }
    }

    /// Holds the dialogue to its end. An error is a client that left in the middle of a reply.
    pub(super) async fn run(mut self) -> io::Result<()> {
        let shared = Arc::clone(&self.shared);
        let scripted = shared.script.greeting.clone().or_else(|| shared.next_answer("GREETING", ""));
        let mut then = match scripted {
            Some(action) => self.act(&action, shared.words.greeting).await?,
            None => self.say(shared.words.greeting).await?,
        };
        while then == Then::Continue {
            if shared.script.limits.close_after_commands.is_some_and(|most| self.heard >= most) {
                then = Then::Close;
                continue;
            }
            then = match self.hear().await {
                Heard::Command(command) => self.answer(&command).await?,
                Heard::TooLong => self.say(shared.words.line_too_long).await.map(|_| Then::Close)?,
                Heard::Closed => return Ok(()),
            };
        }
        // Before the end can be seen, so that a client that comes back at once finds its seat free.
        if then != Then::Hang {
            self.seat = None;
        }
        match then {
            Then::Continue | Then::Close => self.control.close().await,
            Then::Reset => self.control.reset_on_close(),
            Then::Hang => self.control.hang().await,
        }
        Ok(())
    }

    /// The next command; meanwhile another service may answer at the announced port.
    async fn hear(&mut self) -> Heard {
        let Some(listener) = &mut self.listener else { return self.control.command().await };
        tokio::select! {
            heard = self.control.command() => heard,
            () = listener.play_stranger() => Heard::Closed,
        }
    }

    async fn answer(&mut self, command: &Command) -> io::Result<Then> {
        let shared = Arc::clone(&self.shared);
        shared.log.command(command);
        self.heard += 1;
        self.values.command.clone_from(&command.verb);
        if shared.script.limits.close_on.as_ref().is_some_and(|verb| verb.eq_ignore_ascii_case(&command.verb))
        {
            return Ok(Then::Close);
        }
        match shared.next_answer(&command.verb, &command.argument) {
            None => self.obey(command).await,
            Some(action) if action.usual => self.obey_as_usual(command, &action).await,
            Some(action) => self.recite(command, &action).await,
        }
    }

    /// Lets the persona answer, at the script's pace and with its ending.
    async fn obey_as_usual(&mut self, command: &Command, action: &Action) -> io::Result<Then> {
        pause(action.delay).await;
        self.control.byte_delay = action.byte_delay;
        let then = self.obey(command).await?;
        self.control.byte_delay = Duration::ZERO;
        Ok(if then == Then::Continue { action.then } else { then })
    }

    /// Gives a scripted answer, and believes it: a 230 is a login, a port has a listener behind it.
    async fn recite(&mut self, command: &Command, action: &Action) -> io::Result<Then> {
        let accepted = action.code().is_some_and(|code| (200..300).contains(&code));
        match command.verb.as_str() {
            "USER" => self.name(&command.argument, accepted),
            "PASS" => {
                self.values.password.clone_from(&command.argument);
                self.logged_in = accepted;
            }
            "PASV" | "EPSV" if action.names_port() => {
                if let Err(refusal) = self.offer(command.verb == "PASV") {
                    return self.say_and(refusal).await;
                }
            }
            _ => {}
        }
        let then = self.act(action, "").await?;
        if command.verb == "AUTH" && action.code() == Some(234) && then == Then::Continue {
            // The client now says its TLS hello, and this server speaks no TLS.
            stranger::refuse_tls(self.control.stream()).await?;
            return Ok(Then::Close);
        }
        Ok(then)
    }

    /// Does what the persona does.
    async fn obey(&mut self, command: &Command) -> io::Result<Then> {
        let words = self.shared.words;
        let (verb, argument) = (command.verb.as_str(), command.argument.as_str());
        if let Some(then) = self.obey_about_tls(verb, argument).await? {
            return Ok(then);
        }
        let fixed = self.fixed(verb, argument);
        let known = fixed.is_some() || KNOWN.contains(&verb);
        if !known {
            self.shared.log.unscripted(command);
        }
        match verb {
            "QUIT" => {
                // Before the goodbye: many clients do not wait for the end of the connection.
                self.seat = None;
                return self.say(words.goodbye).await.map(|_| Then::Close);
            }
            "USER" => return self.user(argument).await,
            "PASS" => return self.pass(argument).await,
            _ => {}
        }
        let open_to_all = words.before_login.contains(&verb) || !(known || words.unknown_needs_login);
        if !self.logged_in && !open_to_all {
            return self.say(words.not_logged_in).await;
        }
        match (fixed, known) {
            (Some(text), _) => {
                match (verb, argument.get(..1)) {
                    ("TYPE", Some("I" | "i")) => self.values.binary = true,
                    ("TYPE", Some("A" | "a")) => self.values.binary = false,
                    _ => {}
                }
                self.say(text).await
            }
            (None, true) => self.work(verb, argument).await,
            (None, false) => self.say(words.unknown).await,
        }
    }

    /// AUTH, PBSZ and PROT (RFC 4217), where the script has TLS.
    async fn obey_about_tls(&mut self, verb: &str, argument: &str) -> io::Result<Option<Then>> {
        let shared = Arc::clone(&self.shared);
        let Some(tls) = &shared.script.tls else { return Ok(None) };
        let refused = tls.refused || self.control.secured();
        let known = if tls.ssl_only { argument == "SSL" } else { matches!(argument, "TLS" | "SSL") };
        let words = &shared.words.tls;
        let text = match (verb, argument) {
            ("AUTH", _) if refused => "502 Command not implemented.",
            ("AUTH", _) if !known => "504 Unknown security mechanism.",
            ("AUTH", _) => return self.auth(words.auth).await.map(Some),
            ("PBSZ" | "PROT", _) if !self.control.secured() => return Ok(None),
            ("PBSZ", _) => words.pbsz,
            ("PROT", "P") => {
                self.private = true;
                words.private
            }
            ("PROT", "C") if tls.refuses_clear_data || shared.script.login.needs_tls_data => {
                words.clear_refused
            }
            ("PROT", "C") => {
                self.private = false;
                words.clear
            }
            _ => return Ok(None),
        };
        self.say(text).await.map(Some)
    }

    /// Says 234, and puts TLS on the connection.
    async fn auth(&mut self, text: &str) -> io::Result<Then> {
        let shared = Arc::clone(&self.shared);
        self.say(text).await?;
        let (Some(tls), Some(keys)) = (&shared.script.tls, &shared.keys) else { return Ok(Then::Close) };
        if tls.old {
            answer_as_of_old(self.control.stream()).await?;
            return Ok(Then::Close);
        }
        if let Some(words) = &tls.says_in_clear {
            self.say(words).await?;
            // The hello has to be read, or closing sends a reset that overtakes the words.
            let _ = self.control.stream().read(&mut [0; 4096]).await?;
            return Ok(Then::Close);
        }
        let Some(plain) = self.control.stream().take_plain() else { return Ok(Then::Close) };
        self.control = Control::new(keys.control(plain).await?);
        Ok(Then::Continue)
    }

    /// The commands that look something up, or move data.
    async fn work(&mut self, verb: &str, argument: &str) -> io::Result<Then> {
        let words = self.shared.words;
        match verb {
            "FEAT" => {
                let features = self.features();
                self.say(&features).await
            }
            "PWD" | "XPWD" => {
                self.values.path.clone_from(&self.folder);
                self.say(words.working_directory).await
            }
            "CWD" | "XCWD" => self.change_folder(argument).await,
            "CDUP" | "XCUP" => self.change_folder("..").await,
            "SIZE" | "MDTM" => self.describe(verb, argument).await,
            "REST" => {
                self.restart = argument.trim().parse().unwrap_or(0);
                self.values.size = self.restart;
                self.say(words.restart).await
            }
            "DELE" => self.delete(argument).await,
            "PASV" => self.pasv().await,
            "EPSV" => self.epsv(argument).await,
            "RETR" => self.download(argument).await,
            "STOR" => self.upload(argument).await,
            _ => self.list(verb, argument).await,
        }
    }

    /// The persona's fixed answer, if it has one.
    fn fixed(&self, verb: &str, argument: &str) -> Option<&'static str> {
        let line = format!("{verb} {}", argument.to_ascii_uppercase());
        let find = |wanted: &str| {
            self.shared.words.fixed.iter().find(|(key, _)| *key == wanted).map(|(_, text)| *text)
        };
        find(&line).or_else(|| find(verb))
    }

    fn features(&self) -> String {
        let (list, script) = (&self.shared.words.features, &self.shared.script);
        let told = script.tls.as_ref().is_some_and(|tls| tls.listed);
        let with_tls = script.login.needs_tls_login || script.login.needs_tls_data || told;
        let off = |line: &str| match line {
            "PASV" => !script.passive.pasv,
            "EPSV" | "ESTP" => !script.passive.epsv,
            line => !with_tls && ["AUTH", "PBSZ", "PROT"].iter().any(|word| line.starts_with(word)),
        };
        let mut lines: Vec<&str> = list.lines.iter().copied().filter(|line| !off(line)).collect();
        if with_tls && !list.tls.is_empty() {
            // The daemons that list these only where TLS is on keep their list in order.
            lines.extend(list.tls);
            lines.sort_unstable();
        }
        let lines: String = lines.into_iter().fold(String::new(), |all, line| all + "\n " + line);
        format!("{}{lines}\n{}", list.first, list.last)
    }

    async fn change_folder(&mut self, path: &str) -> io::Result<Then> {
        path.clone_into(&mut self.values.name);
        let folder = files::resolve(&self.folder, path);
        if !self.shared.files().is_folder(&folder) {
            return self.say(self.shared.words.no_such_directory).await;
        }
        self.values.path.clone_from(&folder);
        self.folder = folder;
        self.say(self.shared.words.directory_changed).await
    }

    async fn describe(&mut self, verb: &str, path: &str) -> io::Result<Then> {
        path.clone_into(&mut self.values.name);
        let size = self.shared.files().size(&files::resolve(&self.folder, path));
        match size {
            Some(size) if verb == "SIZE" => self.say(&format!("213 {size}")).await,
            Some(_) => self.say("213 20240101000000").await,
            None => self.say(self.shared.words.no_size).await,
        }
    }

    async fn delete(&mut self, path: &str) -> io::Result<Then> {
        path.clone_into(&mut self.values.name);
        let words = self.shared.words;
        if !self.shared.script.data.writable {
            return self.say(words.not_allowed).await;
        }
        let gone = self.shared.files().delete(&files::resolve(&self.folder, path));
        self.say(if gone { words.deleted } else { words.no_such_file }).await
    }

    /// Sends the persona's words.
    pub(super) async fn say(&mut self, text: &str) -> io::Result<Then> {
        let bytes = template::wire(text, &|name| self.values.get(name));
        self.control.send(&bytes).await.map(|()| Then::Continue)
    }

    /// Sends the script's answer for a moment of a transfer, or else the persona's words.
    pub(super) async fn say_at(&mut self, moment: &str, text: &str) -> io::Result<Then> {
        match self.shared.next_answer(moment, "") {
            Some(action) => self.act(&action, text).await,
            None => self.say(text).await,
        }
    }

    /// Carries out a scripted answer; `usual` is what the persona would say.
    pub(super) async fn act(&mut self, action: &Action, usual: &str) -> io::Result<Then> {
        pause(action.delay).await;
        self.control.byte_delay = action.byte_delay;
        let value = |name: &str| self.values.get(name);
        if action.usual {
            let bytes = template::wire(usual, &value);
            self.control.send(&bytes).await?;
        } else {
            let (mut bytes, raw) = (action.wire_lines(&value), action.wire_raw(&value));
            let more = if action.endless { usize::MAX } else { (action.repeat as usize).saturating_sub(1) };
            bytes.extend_from_slice(&raw);
            self.control.send(&bytes).await?;
            self.control.send_repeatedly(&raw, more).await?;
        }
        self.control.byte_delay = Duration::ZERO;
        Ok(action.then)
    }
}

/// A scripted delay; none is no detour through the timer, whose grain is a millisecond.
async fn pause(delay: Duration) {
    if !delay.is_zero() {
        sleep(delay).await;
    }
}

//! Transfers: wait for the data connection, say 150, move the bytes, say 226; and every way in which that goes wrong.

use std::future::{Future, pending};
use std::io;
use std::net::SocketAddr;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::time::sleep;

use super::action::Then;
use super::control::Interruption;
use super::data::{self, Outcome, Payload};
use super::files::{self, Entry};
use super::passive::Listener;
use super::persona::Stages;
use super::server::plain;
use super::session::Session;
use super::tls::Wire;

/// What a transfer moves.
#[derive(Debug)]
enum Cargo {
    Out(Payload),
    /// Into this path.
    In(String),
}

/// What came of waiting for a data connection.
#[derive(Debug)]
enum Arrival {
    Here(TcpStream),
    /// From an address that has no business here.
    Foreign,
    Nobody,
    Interrupted(Interruption),
}

impl Session {
    /// LIST, NLST and MLSD.
    pub(super) async fn list(&mut self, verb: &str, argument: &str) -> io::Result<Then> {
        let shared = Arc::clone(&self.shared);
        // Options as of `ls` are no path (and no FTP, but clients send them).
        let path = argument.split(' ').filter(|word| !word.starts_with('-')).collect::<Vec<_>>().join(" ");
        let folder = files::resolve(&self.folder, &path);
        let entries = || shared.files().entries(&folder);
        let print = |entry: &Entry| match verb {
            "NLST" => entry.name.clone(),
            "MLSD" => entry.facts(),
            _ if shared.words.dos_listing => entry.dos_line(),
            _ => entry.unix_line(),
        };
        let lines: Vec<String> = match &shared.script.data.listing {
            Some(lines) if verb == "LIST" => lines.clone(),
            Some(lines) => lines.iter().map(|line| print(&Entry::of_listing_line(line))).collect(),
            None => entries().iter().map(print).collect(),
        };
        self.values.count = lines.len();
        let text = lines.iter().flat_map(|line| line.bytes().chain(*b"\r\n")).collect();
        self.transfer(shared.words.listing, Cargo::Out(Payload::Text(text))).await
    }

    pub(super) async fn download(&mut self, path: &str) -> io::Result<Then> {
        let words = self.shared.words;
        let from = std::mem::take(&mut self.restart);
        path.clone_into(&mut self.values.name);
        self.values.path = files::resolve(&self.folder, path);
        let size = self.shared.files().size(&self.values.path);
        let Some(size) = size else { return self.say(words.no_such_file).await };
        self.values.size = size;
        self.transfer(words.download, Cargo::Out(Payload::File { from, size })).await
    }

    pub(super) async fn upload(&mut self, path: &str) -> io::Result<Then> {
        let words = self.shared.words;
        path.clone_into(&mut self.values.name);
        if !self.shared.script.data.writable {
            return self.say(words.not_allowed).await;
        }
        self.values.path = files::resolve(&self.folder, path);
        self.transfer(words.upload, Cargo::In(self.values.path.clone())).await
    }

    async fn transfer(&mut self, stages: Stages, cargo: Cargo) -> io::Result<Then> {
        let shared = Arc::clone(&self.shared);
        let words = shared.words;
        if shared.script.login.needs_tls_data && !self.private {
            return self.say(words.tls_data).await;
        }
        let Some(mut listener) = self.listener.take() else { return self.say(words.no_passive).await };
        let first = if self.takes_connections() { listener.waiting().await } else { None };
        let mut begun = false;
        if let (None, Some(text)) = (&first, stages.waiting) {
            begun = true;
            if let Some(end) = self.begin(text).await? {
                return Ok(end);
            }
        }
        let stream = match self.arrival(first, &mut listener).await {
            Arrival::Here(stream) => stream,
            Arrival::Foreign => {
                return self.say_at("DATA-REFUSED", words.foreign_source.unwrap_or_default()).await;
            }
            Arrival::Nobody => {
                let said = self.say_at("DATA-TIMEOUT", words.never_connected.text).await?;
                return Ok(if said == Then::Continue { words.never_connected.then } else { said });
            }
            Arrival::Interrupted(why) => return self.interrupted(why).await,
        };
        if !begun && let Some(end) = self.begin(stages.begin).await? {
            return Ok(end);
        }
        let mut stream = match self.secure(stream).await? {
            Ok(stream) => stream,
            Err(end) => return Ok(end),
        };
        let mut received = 0;
        let moved = async {
            match &cargo {
                Cargo::Out(payload) => data::send(&mut stream, payload, &shared.script.data).await,
                Cargo::In(_) => data::receive(&mut stream, &shared.script.data, &mut received).await,
            }
        };
        let outcome = tokio::select! {
            outcome = moved => Ok(outcome),
            why = self.control.interruption(words.hears_during_transfer) => Err(why),
        };
        if let Cargo::In(path) = &cargo {
            // As the daemons do: what came of an upload that was broken off stays.
            let kept = if let Ok(Outcome::Complete(size)) = outcome { size } else { received };
            shared.files().store(path.clone(), kept);
        }
        let outcome = match outcome {
            Ok(outcome) => outcome,
            Err(why) => return self.interrupted(why).await,
        };
        if words.lingers && outcome != Outcome::Cut {
            data::linger(&mut stream).await;
        }
        drop(stream);
        if words.keeps_listener {
            self.listener = Some(listener);
        }
        if outcome == Outcome::Cut {
            return self.say_at("DATA-ABORTED", words.aborted).await;
        }
        self.complete(stages.end).await
    }

    /// Puts TLS on the data connection, if it is to have it. The inner error is a refusal that was said.
    async fn secure(&mut self, stream: TcpStream) -> io::Result<Result<Wire, Then>> {
        let shared = Arc::clone(&self.shared);
        let (Some(tls), Some(keys)) = (&shared.script.tls, &shared.keys) else {
            return Ok(Ok(Wire::Plain(stream)));
        };
        if !self.private || tls.clear_data {
            return Ok(Ok(Wire::Plain(stream)));
        }
        let words = &shared.words.tls;
        match keys.data(stream).await {
            Ok((_, false)) if tls.reuse_required => self.say_and(words.not_resumed).await.map(Err),
            Ok((secured, _)) => Ok(Ok(secured)),
            Err(_) => self.say(words.data_failed).await.map(Err),
        }
    }

    /// Says that the transfer begins. `Some` if the script said otherwise, and how the session goes on then.
    async fn begin(&mut self, text: &str) -> io::Result<Option<Then>> {
        let coded = match text.strip_prefix("150") {
            // The code stands at the head of each line, of which some daemons write two.
            Some(_) if self.shared.script.data.start_code_125 => text.replace("150", "125"),
            _ => text.to_owned(),
        };
        let Some(action) = self.shared.next_answer("DATA-BEGIN", "") else {
            self.say(&coded).await?;
            return Ok(None);
        };
        let refused = !action.usual && action.code().is_some_and(|code| code >= 400);
        let then = self.act(&action, &coded).await?;
        Ok((refused || then != Then::Continue).then_some(then))
    }

    /// Says that the transfer is done, or what the script has instead.
    async fn complete(&mut self, text: &str) -> io::Result<Then> {
        let shared = Arc::clone(&self.shared);
        match &shared.script.data.completion {
            _ if shared.script.data.no_completion => Ok(Then::Hang),
            Some(action) => self.act(action, text).await,
            None => self.say_at("DATA-END", text).await,
        }
    }

    /// Says that the transfer failed; the command that stopped it is still to be answered.
    async fn interrupted(&mut self, why: Interruption) -> io::Result<Then> {
        match why {
            Interruption::Abort => self.say_at("DATA-ABORTED", self.shared.words.aborted).await,
            Interruption::Quit => Ok(Then::Continue),
            Interruption::Left => Ok(Then::Close),
        }
    }

    /// Whether the FTP server itself hears of data connections.
    fn takes_connections(&self) -> bool {
        let data = &self.shared.script.data;
        data.accept && data.unsolicited.is_none()
    }

    /// Waits for a data connection from the right address.
    async fn arrival(&mut self, first: Option<(TcpStream, SocketAddr)>, listener: &mut Listener) -> Arrival {
        let words = self.shared.words;
        let mut next = first;
        let mut patience = pin!(self.patience());
        loop {
            let (stream, from) = match next.take() {
                Some(connection) => connection,
                None => match self.next_connection(listener, patience.as_mut()).await {
                    Ok(connection) => connection,
                    Err(arrival) => return arrival,
                },
            };
            if !self.shared.script.data.refuse_source && plain(from.ip()) == self.peer {
                // As on the control connection. Fails only on a dead socket.
                let _ = stream.set_nodelay(true);
                return Arrival::Here(stream);
            }
            self.values.peer = from.to_string();
            if words.foreign_source.is_some() {
                return Arrival::Foreign;
            }
        }
    }

    async fn next_connection(
        &mut self,
        listener: &mut Listener,
        patience: Pin<&mut impl Future<Output = ()>>,
    ) -> Result<(TcpStream, SocketAddr), Arrival> {
        let accepts = self.takes_connections();
        let connection = async {
            if accepts {
                return listener.accept().await;
            }
            listener.play_stranger().await;
            pending().await
        };
        tokio::select! {
            connection = connection => Ok(connection),
            () = patience => Err(Arrival::Nobody),
            why = self.control.interruption(self.shared.words.hears_during_transfer) => Err(Arrival::Interrupted(why)),
        }
    }

    /// How long to wait for a data connection.
    fn patience(&self) -> impl Future<Output = ()> + use<> {
        let ordered = self.shared.script.data.accept_timeout_ms.map(Duration::from_millis);
        let limit = ordered.or_else(|| self.shared.words.patience.map(Duration::from_secs));
        async move {
            match limit {
                Some(limit) => sleep(limit).await,
                None => pending().await,
            }
        }
    }
}

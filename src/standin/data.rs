//! A port of the range: whoever connects asks for a proof, or waits until a transfer takes the connection.

use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::proof::{LONGEST_LINE, PortAnswer, asked_session};
use super::server::Shared;
use crate::clock::Deadline;

/// How long a connection may stay that asks nothing and that no transfer takes.
const PATIENCE: Duration = Duration::from_secs(8);

/// How long it may take over its question.
const QUESTION: Duration = Duration::from_secs(3);

/// Listens on one port for as long as the stand-in lives.
pub(super) async fn listen(listener: TcpListener, port: u16, shared: Arc<Shared>) {
    let mut guests = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            Some(_) = guests.join_next() => continue,
            accepted = listener.accept() => accepted,
        };
        let Ok((stream, peer)) = accepted else {
            sleep(Duration::from_millis(20)).await;
            continue;
        };
        let Ok(seat) = Arc::clone(&shared.seats).acquire_owned().await else { return };
        let shared = Arc::clone(&shared);
        guests.spawn(async move {
            receive(stream, peer, port, &shared).await;
            drop(seat);
        });
    }
}

/// The first byte decides: one that comes unasked begins a question, for FTP's clients send none before a transfer.
async fn receive(stream: TcpStream, peer: SocketAddr, port: u16, shared: &Shared) {
    let _ = stream.set_nodelay(true);
    let wanted = shared.arrivals.wait(port);
    let mut first = [0];
    tokio::select! {
        byte = stream.peek(&mut first) => {
            if matches!(byte, Ok(1..)) {
                let _ = timeout(QUESTION, prove(stream, peer.ip().to_canonical(), port, shared)).await;
            }
        }
        taker = wanted => {
            if let Ok(taker) = taker {
                let _ = taker.send((stream, peer));
            }
        }
        () = sleep(PATIENCE) => {}
    }
}

/// Answers a question, if it names a session that may ask.
async fn prove(mut stream: TcpStream, from: IpAddr, port: u16, shared: &Shared) {
    let mut line = Vec::new();
    let read = (&mut stream).take(LONGEST_LINE as u64);
    let Ok(line) = read_line(read, &mut line).await else { return };
    let Some((key, client)) = asked_session(line).and_then(|session| shared.key(session)) else { return };
    let answer = key.answer(PortAnswer { port, from });
    if stream.write_all(answer.as_bytes()).await.is_ok() && stream.shutdown().await.is_ok() {
        shared.note(client, port, from);
        // Whoever closes first keeps the remembrance of the connection (TIME-WAIT): the asker does.
        let mut rest = [0; 64];
        while matches!(stream.read(&mut rest).await, Ok(1..)) {}
    }
}

async fn read_line(mut from: impl AsyncReadExt + Unpin, line: &mut Vec<u8>) -> std::io::Result<&str> {
    while !line.ends_with(b"\n") {
        if from.read_buf(line).await? == 0 {
            break;
        }
    }
    std::str::from_utf8(line).map_err(std::io::Error::other)
}

/// A connection handed over to a transfer.
type Handed = (TcpStream, SocketAddr);

/// Connections that wait to be taken by a transfer, by port.
#[derive(Debug, Default)]
pub(super) struct Arrivals {
    waiting: Mutex<HashMap<u16, VecDeque<oneshot::Sender<oneshot::Sender<Handed>>>>>,
    news: Notify,
}

impl Arrivals {
    /// Puts a connection into the queue of its port; the receiver hears who takes it.
    fn wait(&self, port: u16) -> oneshot::Receiver<oneshot::Sender<Handed>> {
        let (offer, wanted) = oneshot::channel();
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = waiting.entry(port).or_default();
        queue.retain(|offer| !offer.is_closed());
        queue.push_back(offer);
        drop(waiting);
        self.news.notify_waiters();
        wanted
    }

    fn next(&self, port: u16) -> Option<oneshot::Sender<oneshot::Sender<Handed>>> {
        let mut waiting = self.waiting.lock().unwrap_or_else(PoisonError::into_inner);
        let queue = waiting.get_mut(&port)?;
        let next = queue.pop_front();
        if queue.is_empty() {
            waiting.remove(&port);
        }
        next
    }

    /// The oldest connection to a port that is still there, or the next one to come; `None` when the time is up.
    pub(super) async fn take(&self, port: u16, patience: Duration) -> Option<Handed> {
        let deadline = Deadline::after(patience);
        loop {
            // Registered before the queue is looked at: news in between are not missed.
            let mut news = std::pin::pin!(self.news.notified());
            news.as_mut().enable();
            while let Some(offer) = self.next(port) {
                let (taker, handed) = oneshot::channel();
                if offer.send(taker).is_ok()
                    && let Ok(handed) = handed.await
                {
                    return Some(handed);
                }
            }
            timeout(deadline.left(), news).await.ok()?;
        }
    }
}

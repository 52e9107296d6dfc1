//! The responder over real sockets, as a client meets it.

mod data;
mod dialogue;
mod faults;
mod life;

use std::future::Future;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::{Responder, Script};

/// Far more than anything on loopback takes; a test that meets it hangs for want of an answer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Long enough to tell silence from an answer on loopback.
const A_WHILE: Duration = Duration::from_millis(100);

fn start(script: &str) -> Responder {
    Responder::start(Script::from_toml(script).unwrap()).unwrap()
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    timeout(PATIENCE, future).await.expect("no answer in time")
}

/// A client that knows just enough FTP.
struct Client {
    control: BufReader<TcpStream>,
}

impl Client {
    async fn connect(server: &Responder) -> Self {
        Self { control: BufReader::new(TcpStream::connect(server.address()).await.unwrap()) }
    }

    /// Connects, takes the greeting, and logs in as anonymous.
    async fn login(server: &Responder) -> Self {
        let mut client = Self::connect(server).await;
        client.expect("220").await;
        if client.ask("USER anonymous").await.starts_with("331") {
            assert!(client.ask("PASS x@y").await.starts_with("230"));
        }
        client
    }

    async fn line(&mut self) -> String {
        let mut line = String::new();
        soon(self.control.read_line(&mut line)).await.unwrap();
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// A whole reply, its lines parted by `\n`; empty at the end of the connection.
    async fn reply(&mut self) -> String {
        let mut reply = self.line().await;
        if reply.as_bytes().get(3) == Some(&b'-') {
            let last = format!("{} ", &reply[..3]);
            loop {
                let line = self.line().await;
                reply = reply + "\n" + &line;
                if line.starts_with(&last) || line.is_empty() {
                    break;
                }
            }
        }
        reply
    }

    async fn expect(&mut self, start: &str) -> String {
        let reply = self.reply().await;
        assert!(reply.starts_with(start), "{start} expected, got {reply:?}");
        reply
    }

    async fn say(&mut self, command: &str) {
        self.control.write_all(format!("{command}\r\n").as_bytes()).await.unwrap();
    }

    async fn ask(&mut self, command: &str) -> String {
        self.say(command).await;
        self.reply().await
    }

    /// Whether nothing comes for a while, the end of the connection included.
    async fn hears_nothing(&mut self) -> bool {
        timeout(A_WHILE, self.control.fill_buf()).await.is_err()
    }

    /// What is left of the connection, to its end; an error if it was reset.
    async fn rest(&mut self) -> std::io::Result<Vec<u8>> {
        let mut rest = Vec::new();
        soon(self.control.read_to_end(&mut rest)).await.map(|_| rest)
    }

    /// Asks for a passive port, and connects where it really is.
    async fn passive(&mut self, command: &str, server: &Responder) -> TcpStream {
        let reply = self.ask(command).await;
        let port = port_of(&reply).unwrap_or_else(|| panic!("no port in {reply:?}"));
        TcpStream::connect(server.ports().lookup(port).expect("no listener")).await.unwrap()
    }

    /// PASV and a transfer to its end: what came, and the replies.
    async fn fetch(&mut self, command: &str, server: &Responder) -> (Vec<u8>, [String; 2]) {
        let mut data = self.passive("PASV", server).await;
        let begin = self.ask(command).await;
        let bytes = all(&mut data).await.unwrap();
        drop(data); // ProFTPD confirms only then
        (bytes, [begin, self.reply().await])
    }
}

async fn all(stream: &mut TcpStream) -> std::io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    soon(stream.read_to_end(&mut bytes)).await.map(|_| bytes)
}

/// The port in a 227 or 229.
fn port_of(reply: &str) -> Option<u16> {
    let last = reply.split('\n').next_back()?;
    let inside = last.get(4..)?.split_once('(')?.1.split_once(')')?.0;
    if let Some(port) = inside.strip_prefix("|||") {
        return port.trim_end_matches('|').parse().ok();
    }
    let mut numbers = inside.rsplit(',');
    let (low, high): (u16, u16) = (numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?);
    Some(high * 256 + low)
}

//! Who holds a port that cannot be bound. On Linux the system tells; elsewhere, and where it may not, the port is asked.

use std::fmt::Write as _;
use std::io::Read as _;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::time::Duration;

/// Holders that are looked for, and ports that are asked for their greeting.
const MOST_NAMED: usize = 8;

/// How long a local port may take to answer and to greet.
const PATIENCE: Duration = Duration::from_millis(250);

/// A port that somebody else has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Taken {
    /// The port.
    pub port: u16,
    /// Who holds it, as far as that could be found out.
    pub holder: Holder,
}

/// Who holds a port.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Holder {
    /// A listening program: its name, if the system tells, and what its greeting looks like.
    Listener {
        /// The program.
        program: Option<String>,
        /// What answers.
        looks_like: Option<&'static str>,
    },
    /// An outgoing connection of this host, which the kernel gave this port as its own: the range lies in the ephemeral
    /// range.
    Connection,
    /// It was not looked for, or could not be told.
    Unknown,
}

impl Taken {
    /// All of them in words, with what to do.
    #[must_use]
    pub fn describe(taken: &[Self]) -> String {
        let words: Vec<String> = taken.iter().take(MOST_NAMED).map(Self::words).collect();
        let more = match taken.len().saturating_sub(MOST_NAMED) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        let (noun, verb) = if taken.len() == 1 { ("port", "is") } else { ("ports", "are") };
        let mut text = format!("{noun} {}{more} {verb} taken on this host", words.join(", "));
        if taken.iter().any(|one| one.holder == Holder::Connection) {
            text.push_str(
                "; the kernel gives such ports to outgoing connections: reserve the range with sysctl \
                 net.ipv4.ip_local_reserved_ports, or choose one below 32768",
            );
        }
        if taken.iter().any(|one| one.holder != Holder::Connection) {
            let _ = write!(
                text,
                "; stop that program, or choose another port or range (ss -ltnp 'sport = :{}' shows who it is)",
                taken[0].port
            );
        }
        text
    }

    fn words(&self) -> String {
        let port = self.port;
        match &self.holder {
            Holder::Listener { program: Some(program), looks_like: Some(kind) } => {
                format!("{port} (by {program}, {kind})")
            }
            Holder::Listener { program: Some(program), looks_like: None } => format!("{port} (by {program})"),
            Holder::Listener { program: None, looks_like: Some(kind) } => format!("{port} (by {kind})"),
            Holder::Connection => format!("{port} (by an outgoing connection)"),
            Holder::Listener { .. } | Holder::Unknown => port.to_string(),
        }
    }
}

/// Looks for the holders of ports.
pub(super) fn holders(ports: &[u16]) -> Vec<Taken> {
    let sockets = sockets();
    let holder = |(at, port): (usize, &u16)| {
        let here: Vec<&Socket> = sockets.iter().filter(|socket| socket.port == *port).collect();
        let holder = if at >= MOST_NAMED {
            Holder::Unknown
        } else if let Some(listener) = here.iter().find(|socket| socket.listens) {
            Holder::Listener { program: program_of(listener.inode), looks_like: greeting_of(*port) }
        } else if !here.is_empty() {
            Holder::Connection
        } else {
            Holder::Listener { program: None, looks_like: greeting_of(*port) }
        };
        Taken { port: *port, holder }
    };
    ports.iter().enumerate().map(holder).collect()
}

/// A line of `/proc/net/tcp`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Socket {
    port: u16,
    listens: bool,
    inode: u64,
}

fn sockets() -> Vec<Socket> {
    let table = |name: &str| std::fs::read_to_string(format!("/proc/net/{name}")).unwrap_or_default();
    let text = table("tcp") + &table("tcp6");
    text.lines().filter_map(socket).collect()
}

/// Local address, state (0A is "listening") and inode of a line (`proc_pid_net`(5)).
fn socket(line: &str) -> Option<Socket> {
    let words: Vec<&str> = line.split_ascii_whitespace().collect();
    let port = u16::from_str_radix(words.get(1)?.rsplit_once(':')?.1, 16).ok()?;
    let inode = words.get(9)?.parse().ok()?;
    Some(Socket { port, listens: *words.get(3)? == "0A", inode })
}

/// The program that has a socket open, if this user may see it.
fn program_of(inode: u64) -> Option<String> {
    let wanted = format!("socket:[{inode}]");
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    for process in processes {
        let Ok(files) = std::fs::read_dir(process.path().join("fd")) else { continue };
        let mut targets = files.flatten().filter_map(|file| std::fs::read_link(file.path()).ok());
        if targets.any(|target| target.as_os_str() == wanted.as_str()) {
            let name = std::fs::read_to_string(process.path().join("comm")).ok()?;
            return Some(name.trim().to_owned());
        }
    }
    None
}

/// What greets on a port of this host. Nothing is sent to it.
fn greeting_of(port: u16) -> Option<&'static str> {
    let loopback: [IpAddr; 2] = [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    let mut stream = loopback
        .into_iter()
        .find_map(|address| TcpStream::connect_timeout(&SocketAddr::new(address, port), PATIENCE).ok())?;
    stream.set_read_timeout(Some(PATIENCE)).ok()?;
    let mut bytes = [0; 128];
    let read = stream.read(&mut bytes).ok()?;
    kind_of(&String::from_utf8_lossy(&bytes[..read]))
}

fn kind_of(greeting: &str) -> Option<&'static str> {
    let says = |word: &str| greeting.to_ascii_uppercase().contains(word);
    match greeting.get(..4)? {
        "SSH-" => Some("an SSH server"),
        "220 " | "220-" if says("SMTP") => Some("a mail server"),
        "220 " | "220-" if says("PASVCHECK") => Some("a stand-in that already runs"),
        "220 " | "220-" => Some("an FTP server, to go by its greeting"),
        "HTTP" => Some("a web server"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_read() {
        let line = "   0: 00000000:C350 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 4711 1";
        assert_eq!(socket(line), Some(Socket { port: 50_000, listens: true, inode: 4711 }));
        assert_eq!(socket("  sl  local_address rem_address   st tx_queue"), None);
    }

    #[test]
    fn greetings_are_told_apart() {
        assert_eq!(kind_of("SSH-2.0-x"), Some("an SSH server"));
        assert_eq!(kind_of("220 mx.example.com ESMTP"), Some("a mail server"));
        assert_eq!(kind_of("220 (vsFTPd 3.0.3)"), Some("an FTP server, to go by its greeting"));
        assert_eq!(kind_of("x"), None);
    }

    #[test]
    fn many_are_told_in_a_few_words() {
        let taken: Vec<Taken> =
            (50_000..50_012).map(|port| Taken { port, holder: Holder::Unknown }).collect();
        let text = Taken::describe(&taken);
        assert!(text.contains("and 4 more are taken"), "{text}");
        let one = Taken { port: 50_000, holder: Holder::Connection };
        assert!(Taken::describe(&[one]).contains("ip_local_reserved_ports"));
    }
}

//! A link with a delay: two TUN devices in two namespaces and a forwarder between them (`link.py`).

use std::io::{BufRead as _, BufReader};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixDatagram;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::site::Site;

/// The two ends, each a process in its own namespace. They end with the link.
pub(crate) struct DelayedLink(Vec<Child>);

impl DelayedLink {
    /// Starts both ends. `inside` are commands that enter the namespaces, `devices` their names there.
    pub(crate) fn start(
        site: &Site,
        inside: [Command; 2],
        devices: [&str; 2],
        delay: Duration,
    ) -> Result<Self, String> {
        // Datagrams keep the packets apart.
        let (left, right) = UnixDatagram::pair().map_err(|error| error.to_string())?;
        let mut ends = Self(Vec::new());
        for ((mut command, device), socket) in inside.into_iter().zip(devices).zip([left, right]) {
            command
                .args(site.python(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/lab/link.py").as_ref()))
                .arg(device)
                .arg(delay.as_millis().to_string())
                .stdin(OwnedFd::from(socket))
                .stdout(Stdio::piped());
            ends.0.push(command.spawn().map_err(|error| format!("link.py: {error}"))?);
        }
        for end in &mut ends.0 {
            let mut line = String::new();
            let output = end.stdout.take().ok_or("link.py has no output")?;
            let _ = BufReader::new(output).read_line(&mut line);
            if line.trim() != "ready" {
                return Err("link.py did not start: is /dev/net/tun there?".to_owned());
            }
        }
        Ok(ends)
    }
}

impl Drop for DelayedLink {
    fn drop(&mut self) {
        for end in &mut self.0 {
            let _ = end.kill();
            let _ = end.wait();
        }
    }
}

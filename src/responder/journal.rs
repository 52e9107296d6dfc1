//! What the server saw: with it a scripted server can accuse the test that it was never contacted.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::control::Command;

/// So many commands are written down; a client that sends more is only answered.
const MOST_COMMANDS: usize = 4096;

/// What happened so far.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Journal {
    /// Connections to the control port, those refused for want of a seat included.
    pub control_connections: usize,
    /// Connections to passive ports, whether a transfer came of them or not. Those that no transfer took are counted when
    /// their listener goes.
    pub data_connections: usize,
    /// Commands in the order of their arrival over all sessions; never a password.
    pub commands: Vec<String>,
    /// Those among them that neither the persona nor the script knows.
    pub unscripted: Vec<String>,
    /// Whether a session panicked: a fault of this server, which voids the test.
    pub panicked: bool,
}

/// The journal as it is being written; clones share it.
#[derive(Clone, Debug, Default)]
pub(super) struct Log(Arc<Mutex<Journal>>);

impl Log {
    pub(super) fn snapshot(&self) -> Journal {
        self.journal().clone()
    }

    pub(super) fn control_connection(&self) {
        self.journal().control_connections += 1;
    }

    pub(super) fn data_connection(&self) {
        self.journal().data_connections += 1;
    }

    pub(super) fn command(&self, command: &Command) {
        note(&mut self.journal().commands, command);
    }

    pub(super) fn unscripted(&self, command: &Command) {
        note(&mut self.journal().unscripted, command);
    }

    pub(super) fn panicked(&self) {
        self.journal().panicked = true;
    }

    fn journal(&self) -> MutexGuard<'_, Journal> {
        // No code that holds the lock can panic; and if it did, the journal would be what we want to read.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn note(list: &mut Vec<String>, command: &Command) {
    if list.len() < MOST_COMMANDS {
        list.push(command.without_secret());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_never_reach_the_journal() {
        let log = Log::default();
        for line in ["PASS secret", "pass secret word", " PASS secret", "\u{1}PASS secret"] {
            log.command(&Command::parse(line.as_bytes()));
        }
        let shown = log.snapshot().commands;
        assert!(shown.iter().all(|line| line.ends_with("PASS ***")), "{shown:?}");
    }

    #[test]
    fn journal_is_bounded() {
        let log = Log::default();
        for _ in 0..MOST_COMMANDS + 10 {
            log.command(&Command::parse(b"NOOP"));
        }
        assert_eq!(log.snapshot().commands.len(), MOST_COMMANDS);
    }
}

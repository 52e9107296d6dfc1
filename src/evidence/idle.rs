//! What became of a control connection that kept silent.

use serde::{Deserialize, Serialize};

use super::{Answer, Mode};

/// One wait with a silent control connection, after which the server was to speak first.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct IdleTest {
    /// Milliseconds of silence.
    pub silent_ms: f64,
    /// Whether TCP keep-alive probes crossed the connection meanwhile.
    pub keep_alive: bool,
    /// How the data port was asked for.
    pub mode: Mode,
    /// What the server said when its data connection came at last; any reply shows that the connection lives.
    pub answer: Answer,
}

impl IdleTest {
    /// Whether the connection was still alive.
    #[must_use]
    pub fn survived(&self) -> bool {
        self.answer.reply().is_some()
    }
}

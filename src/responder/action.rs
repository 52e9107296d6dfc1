//! One scripted answer: what is sent, how fast, and what becomes of the connection afterwards.

use std::fmt;
use std::time::Duration;

use serde::de::{Error, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer};
use serde::{Deserialize, Deserializer};

use super::script::ScriptError;
use super::template;

/// What happens to the control connection after an answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Then {
    /// The dialogue goes on.
    #[default]
    Continue,
    /// It is closed in an orderly way.
    Close,
    /// It is cut by a reset.
    Reset,
    /// It stays open and says nothing any more.
    Hang,
}

/// One scripted answer. A plain string in a scenario file is an action of one line.
///
/// `lines` and `raw` may hold `{h1}`…`{h4}`, `{p1}`, `{p2}`, `{port}`, `{address}`, `{user}` and `{pass}`. In an answer to
/// PASV or EPSV a port among them opens a listener, which is then announced.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Action {
    /// Do as the persona does; delays and `then` apply around it.
    pub usual: bool,
    /// Lines, each ended by CR LF on the wire.
    pub lines: Vec<String>,
    /// Sent after the lines, without a line end of its own.
    pub raw: String,
    /// Sent after `raw`: bytes that are no text.
    pub raw_bytes: Vec<u8>,
    /// How often `raw` and `raw_bytes` are sent; 0 counts as 1.
    pub repeat: u32,
    /// Sent until the client closes, or 64 MiB have gone.
    pub endless: bool,
    /// Silence before the answer.
    pub delay: Duration,
    /// Pause after each byte: a server that dribbles.
    pub byte_delay: Duration,
    /// What happens afterwards.
    pub then: Then,
}

impl Action {
    /// An answer of one line.
    #[must_use]
    pub fn line(line: impl Into<String>) -> Self {
        Self { lines: vec![line.into()], ..Self::default() }
    }

    /// The same answer with another ending.
    #[must_use]
    pub fn then(self, then: Then) -> Self {
        Self { then, ..self }
    }

    /// Whether the answer names a port, so that a listener has to stand behind it.
    pub(super) fn names_port(&self) -> bool {
        self.lines.iter().chain([&self.raw]).any(|text| template::names_port(text))
    }

    /// The reply code that it begins with, if it begins with one.
    pub(super) fn code(&self) -> Option<u16> {
        let text = self.lines.first().unwrap_or(&self.raw);
        text.get(..3)?.parse().ok()
    }

    /// The lines as they go on the wire.
    pub(super) fn wire_lines(&self, value: template::Value<'_>) -> Vec<u8> {
        self.lines.iter().flat_map(|line| template::wire(line, value)).collect()
    }

    /// The raw part, once.
    pub(super) fn wire_raw(&self, value: template::Value<'_>) -> Vec<u8> {
        let mut raw = template::fill(&self.raw, value).into_bytes();
        raw.extend_from_slice(&self.raw_bytes);
        raw
    }
}

impl From<&str> for Action {
    fn from(line: &str) -> Self {
        Self::line(line)
    }
}

/// The table form in a scenario file.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Written {
    usual: bool,
    lines: Vec<String>,
    raw: String,
    raw_hex: String,
    repeat: u32,
    endless: bool,
    delay_ms: u64,
    byte_delay_ms: u64,
    then: Then,
}

impl TryFrom<Written> for Action {
    type Error = ScriptError;

    fn try_from(written: Written) -> Result<Self, ScriptError> {
        let Written { usual, lines, raw, raw_hex, repeat, endless, delay_ms, byte_delay_ms, then } = written;
        if usual && !(lines.is_empty() && raw.is_empty() && raw_hex.is_empty()) {
            return Err(ScriptError::UsualWithText);
        }
        let raw_bytes = bytes_of_hex(&raw_hex)?;
        let delay = Duration::from_millis(delay_ms);
        let byte_delay = Duration::from_millis(byte_delay_ms);
        Ok(Self { usual, lines, raw, raw_bytes, repeat, endless, delay, byte_delay, then })
    }
}

/// Reads `"16 03 01"`; blanks between the digits are welcome.
fn bytes_of_hex(hex: &str) -> Result<Vec<u8>, ScriptError> {
    let bad = || ScriptError::Hex(hex.to_owned());
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    if !digits.len().is_multiple_of(2) {
        return Err(bad());
    }
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok();
    digits.chunks(2).map(|pair| byte(pair).ok_or_else(bad)).collect()
}

/// One answer or a list of them. An untagged enum would do, but its errors never name the key that is misspelt.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Actions(pub Vec<Action>);

struct ActionsVisitor;

impl<'de> Visitor<'de> for ActionsVisitor {
    type Value = Actions;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a reply line, a table that describes an answer, or a list of these")
    }

    fn visit_str<E: Error>(self, line: &str) -> Result<Actions, E> {
        Ok(Actions(vec![Action::line(line)]))
    }

    fn visit_map<M: MapAccess<'de>>(self, map: M) -> Result<Actions, M::Error> {
        let written = Written::deserialize(MapAccessDeserializer::new(map))?;
        Ok(Actions(vec![Action::try_from(written).map_err(Error::custom)?]))
    }

    fn visit_seq<S: SeqAccess<'de>>(self, mut list: S) -> Result<Actions, S::Error> {
        let mut actions = Vec::new();
        while let Some(action) = list.next_element()? {
            actions.push(action);
        }
        Ok(Actions(actions))
    }
}

impl<'de> Deserialize<'de> for Actions {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ActionsVisitor)
    }
}

impl<'de> Deserialize<'de> for Action {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Actions(mut actions) = Actions::deserialize(deserializer)?;
        match (actions.pop(), actions.is_empty()) {
            (Some(action), true) => Ok(action),
            _ => Err(Error::custom("one answer is wanted here, not a list")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, Deserialize)]
    struct Holder {
        answer: Actions,
    }

    fn read(text: &str) -> Result<Vec<Action>, toml::de::Error> {
        toml::from_str::<Holder>(text).map(|holder| holder.answer.0)
    }

    #[test]
    fn string_is_one_line() {
        assert_eq!(read("answer = '200 ok'").unwrap(), [Action::line("200 ok")]);
    }

    #[test]
    fn list_may_mix_lines_and_tables() {
        let actions = read("answer = ['200 ok', { raw = \"x\\n\", repeat = 3, then = 'reset' }]").unwrap();
        assert_eq!(actions[1].raw, "x\n");
        assert_eq!((actions[1].repeat, actions[1].then), (3, Then::Reset));
    }

    #[test]
    fn misspelt_key_is_named() {
        let error = read("answer = { line = ['200 ok'] }").unwrap_err().to_string();
        assert!(error.contains("unknown field `line`"), "{error}");
    }

    #[test]
    fn hex_must_be_whole_bytes() {
        assert_eq!(read("answer = { raw_hex = '15 03 03' }").unwrap()[0].raw_bytes, [0x15, 3, 3]);
        assert!(read("answer = { raw_hex = '150' }").is_err());
        assert!(read("answer = { raw_hex = 'zz' }").is_err());
    }

    #[test]
    fn lists_do_not_nest() {
        assert!(read("answer = [['200 ok', '200 ok']]").is_err());
    }
}

//! Limits on how long things may take (`-w`, `-c`), in the range syntax of monitoring plugins.
//!
//! The syntax is that of the Monitoring Plugins development guidelines, "Threshold and Ranges": `10` alerts outside 0 to 10,
//! `10:` below 10, `~:10` above 10, `10:20` outside, `@10:20` inside; both ends belong to the range. A number is of
//! seconds, unless `ms`, `s`, `m` or `h` stands behind it.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::finding::Verdict;

/// What is measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Measure {
    /// The whole check of the target, from the look-up of its name to the end of its last session.
    Total,
    /// The slowest data connection that opened, from its SYN until it was open.
    Data,
}

impl Measure {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::Total, Self::Data];

    /// The word of `-w` and `-c`, and the label of the performance data.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Total => "total",
            Self::Data => "data",
        }
    }

    /// What took that long, to begin a sentence with.
    fn subject(self) -> &'static str {
        match self {
            Self::Total => "The whole check",
            Self::Data => "The slowest data connection",
        }
    }
}

/// A range of times, and whether the inside or the outside of it alerts.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
#[serde(try_from = "String", into = "String")]
#[cfg_attr(test, schemars(with = "String"))]
pub struct Range {
    /// Seconds; negative infinity for `~`.
    low: f64,
    /// Seconds; infinity where nothing stands.
    high: f64,
    inside: bool,
}

/// Why a text is no range, or no list of ranges.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ThresholdError {
    /// No time.
    #[error("\"{0}\" is no time; write seconds, or a number with ms, s, m or h: 10, 2.5s, 500ms")]
    Time(String),
    /// The ends are the wrong way round.
    #[error("the range \"{0}\" runs backwards")]
    Backwards(String),
    /// Another word than `total` or `data`.
    #[error("\"{0}\" is not measured; write total=RANGE, data=RANGE or both with a comma between")]
    Measure(String),
    /// The same word twice.
    #[error("{0} has two ranges")]
    Twice(&'static str),
    /// Nothing at all.
    #[error("a range is missing: 10 (at most), 10: (at least), 5:10 (between), @5:10 (not between)")]
    Empty,
}

impl Range {
    /// Whether a time calls for an alert.
    #[must_use]
    pub fn alerts(self, ms: f64) -> bool {
        let seconds = ms / 1000.0;
        (self.low..=self.high).contains(&seconds) == self.inside
    }

    /// What the range says, in words: `allows at most 10 s`.
    fn words(self) -> String {
        let seconds = |value: f64| crate::evidence::duration(value * 1000.0);
        let (low, high) = (self.low.max(0.0), self.high);
        match (self.inside, low > 0.0, high.is_finite()) {
            (false, true, true) => format!("allows {} to {}", seconds(low), seconds(high)),
            (false, true, false) => format!("allows no less than {}", seconds(low)),
            (false, false, true) => format!("allows at most {}", seconds(high)),
            (false, false, false) => "allows any time".to_owned(),
            (true, _, true) => format!("alerts from {} to {}", seconds(low), seconds(high)),
            (true, _, false) => format!("alerts from {} on", seconds(low)),
        }
    }
}

impl FromStr for Range {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let text = text.trim();
        let (inside, bare) = text.strip_prefix('@').map_or((false, text), |bare| (true, bare));
        if bare.is_empty() {
            return Err(ThresholdError::Empty);
        }
        let (low, high) = match bare.split_once(':') {
            None => (0.0, seconds(bare)?),
            Some((low, high)) => {
                let low = match low {
                    "~" => f64::NEG_INFINITY,
                    "" => 0.0,
                    low => seconds(low)?,
                };
                (low, if high.is_empty() { f64::INFINITY } else { seconds(high)? })
            }
        };
        if low > high {
            return Err(ThresholdError::Backwards(text.to_owned()));
        }
        Ok(Self { low, high, inside })
    }
}

/// Seconds, with or without a unit.
fn seconds(text: &str) -> Result<f64, ThresholdError> {
    let wrong = || ThresholdError::Time(text.chars().take(20).collect());
    let (number, factor) = match text {
        text if text.ends_with("ms") => (&text[..text.len() - 2], 0.001),
        text if text.ends_with('s') => (&text[..text.len() - 1], 1.0),
        text if text.ends_with('m') => (&text[..text.len() - 1], 60.0),
        text if text.ends_with('h') => (&text[..text.len() - 1], 3600.0),
        text => (text, 1.0),
    };
    let plain = number.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    let value: f64 = number.parse().map_err(|_| wrong())?;
    if plain && value.is_finite() { Ok(value * factor) } else { Err(wrong()) }
}

impl fmt::Display for Range {
    /// As monitoring plugins write it, in seconds and without a unit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.inside {
            f.write_str("@")?;
        }
        if self.low == f64::NEG_INFINITY {
            f.write_str("~:")?;
        } else if self.low > 0.0 || !self.high.is_finite() {
            write!(f, "{}:", self.low)?;
        }
        if self.high.is_finite() { write!(f, "{}", self.high) } else { Ok(()) }
    }
}

impl TryFrom<String> for Range {
    type Error = ThresholdError;

    fn try_from(text: String) -> Result<Self, ThresholdError> {
        text.parse()
    }
}

impl From<Range> for String {
    fn from(range: Range) -> Self {
        range.to_string()
    }
}

/// The ranges of one level, as typed: `total=10s,data=2s`, or a range alone for the total.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Level {
    /// Of the whole check.
    pub total: Option<Range>,
    /// Of the slowest data connection.
    pub data: Option<Range>,
}

impl Level {
    /// The range of a measure.
    #[must_use]
    pub fn of(&self, measure: Measure) -> Option<Range> {
        match measure {
            Measure::Total => self.total,
            Measure::Data => self.data,
        }
    }

    fn slot(&mut self, measure: Measure) -> &mut Option<Range> {
        match measure {
            Measure::Total => &mut self.total,
            Measure::Data => &mut self.data,
        }
    }
}

impl FromStr for Level {
    type Err = ThresholdError;

    fn from_str(text: &str) -> Result<Self, ThresholdError> {
        let mut level = Self::default();
        for part in text.split(',') {
            let (word, range) = part.split_once('=').unwrap_or(("total", part));
            let word = word.trim();
            let measure = Measure::ALL.into_iter().find(|measure| measure.word() == word);
            let measure = measure.ok_or_else(|| ThresholdError::Measure(word.chars().take(20).collect()))?;
            if level.slot(measure).replace(range.parse()?).is_some() {
                return Err(ThresholdError::Twice(measure.word()));
            }
        }
        Ok(level)
    }
}

/// Both levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Thresholds {
    /// `-w`.
    pub warning: Level,
    /// `-c`.
    pub critical: Level,
}

/// A time held to its thresholds, as the report carries it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(test, derive(schemars::JsonSchema))]
pub struct Held {
    /// What was measured.
    pub measure: Measure,
    /// Milliseconds; `null` if it was not measured (no data connection opened), and then it is not judged.
    pub value_ms: Option<f64>,
    /// The range of `-w`, in seconds and in the syntax of monitoring plugins.
    #[serde(default)]
    pub warning: Option<Range>,
    /// The range of `-c`.
    #[serde(default)]
    pub critical: Option<Range>,
    /// `ok`, `warning` or `critical`.
    pub verdict: Verdict,
}

impl Held {
    /// Holds a time to both levels.
    #[must_use]
    pub fn new(measure: Measure, value_ms: Option<f64>, thresholds: &Thresholds) -> Self {
        let (warning, critical) = (thresholds.warning.of(measure), thresholds.critical.of(measure));
        let alerts = |range: Option<Range>| {
            value_ms.is_some_and(|value| range.is_some_and(|range| range.alerts(value)))
        };
        let verdict = match (alerts(critical), alerts(warning)) {
            (true, _) => Verdict::Critical,
            (_, true) => Verdict::Warning,
            _ => Verdict::Ok,
        };
        Self { measure, value_ms, warning, critical, verdict }
    }

    /// Why it alerts, in a sentence; `None` if it does not.
    #[must_use]
    pub fn reason(&self) -> Option<String> {
        let (option, range) = match self.verdict {
            Verdict::Critical => ("-c", self.critical?),
            Verdict::Warning => ("-w", self.warning?),
            _ => return None,
        };
        let took = crate::evidence::duration(self.value_ms?);
        Some(format!("{} took {took}; {option} {}.", self.measure.subject(), range.words()))
    }
}

/// The levels that a report was held to before, to hold it to them again.
#[must_use]
pub fn recorded(held: &[Held]) -> Thresholds {
    let mut thresholds = Thresholds::default();
    for held in held {
        *thresholds.warning.slot(held.measure) = held.warning;
        *thresholds.critical.slot(held.measure) = held.critical;
    }
    thresholds
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alerts(range: &str, seconds: f64) -> bool {
        range.parse::<Range>().expect(range).alerts(seconds * 1000.0)
    }

    #[test]
    fn ranges_alert_as_the_plugin_guidelines_say() {
        assert!(!alerts("10", 10.0) && alerts("10", 10.1) && !alerts("10", 0.0));
        assert!(alerts("10:", 9.9) && !alerts("10:", 10.0) && !alerts("10:", 1e6));
        assert!(alerts("~:10", 10.1) && !alerts("~:10", 0.0));
        assert!(alerts("10:20", 9.0) && !alerts("10:20", 15.0) && alerts("10:20", 21.0));
        assert!(!alerts("@10:20", 9.0) && alerts("@10:20", 10.0) && alerts("@10:20", 20.0));
        assert!(alerts("@10", 5.0) && !alerts("@10", 11.0));
    }

    #[test]
    fn units_and_spellings() {
        assert!(alerts("500ms", 0.6) && !alerts("500ms", 0.5) && alerts("1m", 61.0) && !alerts("2.5s", 2.0));
        for (typed, shown) in
            [("10s", "10"), ("~:500ms", "~:0.5"), ("@1:2", "@1:2"), ("10:", "10:"), (":5", "5"), ("0:", "0:")]
        {
            assert_eq!(typed.parse::<Range>().unwrap().to_string(), shown);
            assert_eq!(shown.parse::<Range>(), typed.parse::<Range>());
        }
    }

    #[test]
    fn nonsense_is_refused_with_a_reason() {
        for text in ["", "@", "x", "5:x", "-3", "1e9999", "inf", "nan", "5 s"] {
            assert!(text.parse::<Range>().is_err(), "{text}");
        }
        assert_eq!("9:2".parse::<Range>(), Err(ThresholdError::Backwards("9:2".into())));
        assert_eq!("speed=3".parse::<Level>(), Err(ThresholdError::Measure("speed".into())));
        assert_eq!("total=3,4".parse::<Level>(), Err(ThresholdError::Twice("total")));
        let both: Level = "total=10s,data=2s".parse().unwrap();
        assert_eq!((both.total, both.data), ("10".parse().ok(), "2".parse().ok()));
    }

    #[test]
    fn the_reason_names_value_option_and_limit() {
        let thresholds =
            Thresholds { warning: "data=100ms".parse().unwrap(), critical: "data=2".parse().unwrap() };
        let slow = Held::new(Measure::Data, Some(250.0), &thresholds);
        assert_eq!(slow.verdict, Verdict::Warning);
        let reason = "The slowest data connection took 250 ms; -w allows at most 100 ms.";
        assert_eq!(slow.reason().as_deref(), Some(reason));
        assert_eq!(Held::new(Measure::Data, Some(2500.0), &thresholds).verdict, Verdict::Critical);
        assert_eq!(Held::new(Measure::Data, None, &thresholds).verdict, Verdict::Ok);
        assert_eq!(recorded(&[slow]), thresholds);
    }
}

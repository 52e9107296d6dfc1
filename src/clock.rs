//! The only caller of the system clocks; `clippy.toml` sends everybody else here.

use std::time::{Duration, Instant, SystemTime};

/// A running stopwatch: how long ago something began.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    #[expect(clippy::disallowed_methods, reason = "this is the one place")]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }

    /// Milliseconds since the start, to the microsecond: evidence does not need more.
    #[must_use]
    pub fn elapsed_ms(self) -> f64 {
        in_ms(self.elapsed())
    }
}

/// A moment after which waiting ends.
#[derive(Clone, Copy, Debug)]
pub struct Deadline {
    started: Stopwatch,
    allowed: Duration,
}

impl Deadline {
    /// A deadline that lies `allowed` ahead.
    #[must_use]
    pub fn after(allowed: Duration) -> Self {
        Self { started: Stopwatch::start(), allowed }
    }

    /// What is left; zero when the deadline has passed.
    #[must_use]
    pub fn left(self) -> Duration {
        self.allowed.saturating_sub(self.started.elapsed())
    }

    /// `wanted`, or less where the deadline comes first: this is how deadlines nest.
    #[must_use]
    pub fn cap(self, wanted: Duration) -> Duration {
        wanted.min(self.left())
    }

    /// Whether the time is up.
    #[must_use]
    pub fn passed(self) -> bool {
        self.left().is_zero()
    }
}

/// The wall clock as RFC 3339 text in UTC, to the millisecond.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn wall_clock() -> String {
    humantime::format_rfc3339_millis(SystemTime::now()).to_string()
}

/// Seconds since 1970 by the wall clock, in UTC; negative before.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn unix_seconds() -> i64 {
    let since = |duration: Duration| i64::try_from(duration.as_secs()).unwrap_or(i64::MAX);
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(after) => since(after),
        Err(before) => -since(before.duration()),
    }
}

/// Nanoseconds since 1970 by the wall clock, for names that must not meet; zero before.
#[must_use]
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn unix_nanoseconds() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |since| since.as_nanos())
}

/// A duration as milliseconds, rounded to the microsecond.
#[must_use]
pub fn in_ms(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 1e6).round() / 1e3
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_nest() {
        let outer = Deadline::after(Duration::from_millis(50));
        assert!(outer.cap(Duration::from_secs(9)) <= Duration::from_millis(50));
        assert_eq!(outer.cap(Duration::ZERO), Duration::ZERO);
        assert!(Deadline::after(Duration::ZERO).passed());
    }

    #[test]
    fn milliseconds_are_rounded_to_the_microsecond() {
        assert!((in_ms(Duration::from_nanos(1_234_567)) - 1.235).abs() < f64::EPSILON);
    }
}

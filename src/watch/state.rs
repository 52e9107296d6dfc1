//! When a result is news: a state is told once, and a change of it once it has lasted.

use serde::Serialize;

use crate::finding::{Severity, Verdict};
use crate::report::Report;

/// Shortest run of results that is looked at before a target is called unsettled.
const WINDOW: u32 = 10;

/// Most results that can be asked for before a change is told.
pub const MOST_CONFIRMATIONS: u32 = 30;

/// What makes two results equal: the verdict, and the finding that leads to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Condition {
    /// The judgement.
    pub verdict: Verdict,
    /// The gravest cause; `None` where nothing is wrong, and where thresholds alone make the verdict.
    pub finding: Option<String>,
}

impl Condition {
    /// What a report says.
    #[must_use]
    pub fn of(report: &Report) -> Self {
        let finding = report.causes().find(|finding| finding.severity > Severity::Info);
        Self { verdict: report.verdict, finding: finding.map(|finding| finding.id.clone()) }
    }
}

/// A condition, and since when it holds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Held {
    /// What holds.
    #[serde(flatten)]
    pub condition: Condition,
    /// When the first of the results that say so began, RFC 3339 in UTC.
    pub since: String,
}

/// What a result means to whoever watches.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// The first result: where things stand.
    Start(Held),
    /// The state has changed, and as many results as were asked for agree.
    Change {
        /// What was told before.
        previous: Held,
        /// What holds now.
        now: Held,
    },
    /// Results keep differing from what was told, and from each other, so that no change is ever confirmed.
    Unsettled {
        /// What was told, and still counts.
        told: Held,
        /// So many of the last results differ from it …
        differ: u32,
        /// … out of so many.
        of: u32,
    },
}

/// The state of one target. Its size does not grow with the rounds.
#[derive(Clone, Debug)]
pub struct State {
    confirm: u32,
    told: Option<Held>,
    /// A condition that differs from what was told, and how often in a row it was seen.
    candidate: Option<(Held, u32)>,
    /// The last results, the newest in the lowest bit: whether each differed from what was told.
    recent: u64,
    unsettled: bool,
}

impl State {
    /// `confirm`: equal results in a row that make a change, the first included.
    #[must_use]
    pub fn new(confirm: u32) -> Self {
        let confirm = confirm.clamp(1, MOST_CONFIRMATIONS);
        Self { confirm, told: None, candidate: None, recent: 0, unsettled: false }
    }

    /// What was told last; `None` before the first result.
    #[must_use]
    pub fn told(&self) -> Option<&Held> {
        self.told.as_ref()
    }

    /// Takes the next result: what it says, and when it began.
    pub fn next(&mut self, condition: Condition, began: &str) -> Option<News> {
        let seen = Held { condition, since: began.to_owned() };
        let Some(told) = &self.told else {
            self.told = Some(seen.clone());
            return Some(News::Start(seen));
        };
        let differs = told.condition != seen.condition;
        self.recent = (self.recent << 1) | u64::from(differs);
        if !differs {
            self.candidate = None;
            return self.restless();
        }
        let (held, count) = match self.candidate.take() {
            Some((held, count)) if held.condition == seen.condition => (held, count + 1),
            _ => (seen, 1),
        };
        if count < self.confirm {
            self.candidate = Some((held, count));
            return self.restless();
        }
        let previous = told.clone();
        self.told = Some(held.clone());
        (self.recent, self.unsettled) = (0, false);
        Some(News::Change { previous, now: held })
    }

    /// Told once; again only after a change, or after a whole window without a doubt.
    fn restless(&mut self) -> Option<News> {
        let window = (2 * self.confirm).max(WINDOW);
        let differ = (self.recent & ((1 << window) - 1)).count_ones();
        if differ == 0 {
            self.unsettled = false;
        }
        if self.unsettled || differ * 2 < window {
            return None;
        }
        self.unsettled = true;
        let told = self.told.clone()?;
        Some(News::Unsettled { told, differ, of: window })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn condition(word: &str) -> Condition {
        let (verdict, finding) = match word {
            "ok" => (Verdict::Ok, None),
            "unknown" => (Verdict::Unknown, Some("resolver-unreachable")),
            "slow" => (Verdict::Warning, None),
            finding => (Verdict::Critical, Some(finding)),
        };
        Condition { verdict, finding: finding.map(str::to_owned) }
    }

    /// What is told of each result: nothing, a start, a change with its begin, or unrest.
    fn told(confirm: u32, results: &[&str]) -> Vec<String> {
        let mut state = State::new(confirm);
        let words = |held: &Held| {
            format!("{} since {}", held.condition.finding.as_deref().unwrap_or("-"), held.since)
        };
        let told = results.iter().enumerate().map(|(at, result)| {
            match state.next(condition(result), &at.to_string()) {
                None => String::new(),
                Some(News::Start(held)) => format!("start {}", held.condition.verdict),
                Some(News::Change { previous, now }) => {
                    format!("{} to {}: {}", previous.condition.verdict, now.condition.verdict, words(&now))
                }
                Some(News::Unsettled { differ, of, .. }) => format!("{differ} of {of}"),
            }
        });
        told.collect()
    }

    #[test]
    fn the_first_result_is_told_and_a_change_once_it_is_confirmed() {
        assert_eq!(
            told(2, &["ok", "ok", "a", "a", "a"]),
            ["start ok", "", "", "ok to critical: a since 2", ""]
        );
        assert_eq!(
            told(1, &["ok", "a", "ok"]),
            ["start ok", "ok to critical: a since 1", "critical to ok: - since 2"]
        );
        assert_eq!(told(3, &["a", "ok", "ok", "ok"])[3], "critical to ok: - since 1");
    }

    #[test]
    fn one_bad_result_among_good_ones_is_no_news() {
        assert_eq!(told(2, &["ok", "a", "ok", "a", "ok"]), ["start ok", "", "", "", ""]);
        // Two bad results that differ do not confirm each other.
        assert_eq!(told(2, &["ok", "a", "b", "b"]), ["start ok", "", "", "ok to critical: b since 2"]);
    }

    #[test]
    fn another_cause_is_another_state() {
        assert_eq!(told(2, &["a", "b", "b"])[2], "critical to critical: b since 1");
        // The same verdict by a threshold and by nothing else.
        assert_eq!(told(1, &["slow", "slow", "ok"]), ["start warning", "", "warning to ok: - since 2"]);
    }

    #[test]
    fn unknown_is_a_state_like_the_others() {
        let seen = told(2, &["ok", "unknown", "unknown", "ok", "ok"]);
        assert_eq!(seen[2], "ok to unknown: resolver-unreachable since 1");
        assert_eq!(seen[4], "unknown to ok: - since 3");
    }

    #[test]
    fn what_never_settles_is_told_once() {
        let flapping: Vec<&str> = ["ok", "a"].into_iter().cycle().take(60).collect();
        let seen = told(2, &flapping);
        assert_eq!(seen.iter().filter(|word| !word.is_empty()).count(), 2, "{seen:?}");
        assert_eq!(seen[9], "5 of 10");
        // Two faults in turn: always broken, never twice the same.
        let broken: Vec<&str> =
            std::iter::once("ok").chain(["a", "b"].into_iter().cycle().take(20)).collect();
        assert_eq!(told(2, &broken).iter().filter(|word| !word.is_empty()).count(), 2);
        // After a quiet time it may be told again.
        let again: Vec<&str> =
            flapping[..20].iter().chain(&["ok"; 12]).chain(&flapping[..20]).copied().collect();
        assert_eq!(told(2, &again).iter().filter(|word| word.ends_with("of 10")).count(), 2);
        // A long confirmation is not disturbed by it.
        let mut long = vec!["ok"];
        long.extend(["a"; 30]);
        let seen = told(30, &long);
        assert_eq!(seen[30], "ok to critical: a since 1");
        assert_eq!(seen.iter().filter(|word| !word.is_empty()).count(), 2, "{seen:?}");
    }

    #[test]
    fn the_leading_cause_makes_the_condition() {
        let report = |name: &str| crate::report::tests::saved(name);
        assert_eq!(Condition::of(&report("healthy")), condition("ok"));
        let broken = Condition::of(&report("broken"));
        assert_eq!(broken.verdict, Verdict::Critical);
        assert_eq!(
            broken.finding.as_deref(),
            report("broken").causes().next().map(|first| first.id.as_str())
        );
    }
}

//! News about a target, for a person and for a program.

use std::collections::BTreeMap;

use serde::Serialize;

use super::state::{Condition, Held, News};
use crate::evidence::Target;
use crate::finding::{Severity, Verdict};
use crate::report::json;
use crate::report::style::{Style, printable};
use crate::report::{Report, Tool};

/// The version of the message's shape. It changes when a consumer would break.
pub const SCHEMA_VERSION: u32 = 1;

/// Something that is told: about whom, what, and the report that made it news.
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// Different for every event of every run: a receiver that gets one twice knows it again.
    pub id: String,
    /// When it became news, RFC 3339 in UTC.
    pub time: String,
    /// What it is.
    pub news: News,
    /// The result that made it news.
    pub report: Report,
}

/// The event as a program reads it.
#[derive(Serialize)]
struct Message<'a> {
    schema_version: u32,
    tool: &'a Tool,
    id: &'a str,
    event: &'static str,
    time: &'a str,
    target: &'a Target,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    labels: &'a BTreeMap<String, String>,
    previous: Option<&'a Held>,
    #[serde(flatten)]
    now: &'a Held,
    #[serde(skip_serializing_if = "Option::is_none")]
    unsettled: Option<Unsettled>,
    summary: &'a str,
    findings: Vec<Cause<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    report: Option<&'a Report>,
}

/// So many of the last results differ from what counts.
#[derive(Serialize)]
struct Unsettled {
    differ: u32,
    of: u32,
}

/// A finding in short; the report has it in full.
#[derive(Serialize)]
struct Cause<'a> {
    id: &'a str,
    severity: Severity,
    title: &'a str,
}

impl Event {
    /// `start`, `change` or `unsettled`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self.news {
            News::Start(_) => "start",
            News::Change { .. } => "change",
            News::Unsettled { .. } => "unsettled",
        }
    }

    /// What counts from now on.
    #[must_use]
    pub fn now(&self) -> &Held {
        match &self.news {
            News::Start(held) | News::Change { now: held, .. } | News::Unsettled { told: held, .. } => held,
        }
    }

    /// One line of JSON, with the report or without.
    #[must_use]
    pub fn json(&self, with_report: bool) -> String {
        let (previous, unsettled) = match &self.news {
            News::Start(_) => (None, None),
            News::Change { previous, .. } => (Some(previous), None),
            News::Unsettled { differ, of, .. } => (None, Some(Unsettled { differ: *differ, of: *of })),
        };
        let report = &self.report;
        let message = Message {
            schema_version: SCHEMA_VERSION,
            tool: &report.tool,
            id: &self.id,
            event: self.kind(),
            time: &self.time,
            target: &report.target,
            labels: &report.labels,
            previous,
            now: self.now(),
            unsettled,
            summary: &report.summary,
            findings: report
                .causes()
                .map(|cause| Cause { id: &cause.id, severity: cause.severity, title: &cause.title })
                .collect(),
            report: with_report.then_some(report),
        };
        json::text(&message, false)
    }

    /// One line for a person.
    #[must_use]
    pub fn line(&self, style: &Style) -> String {
        // Seconds are enough: `2026-01-31 12:00:00Z`.
        let time = format!("{}Z", self.time.get(..19).unwrap_or(&self.time).replace('T', " "));
        let change = match &self.news {
            News::Start(held) => held_words(style, &held.condition),
            News::Change { previous, now } => {
                format!(
                    "{} → {}",
                    short(&previous.condition, &now.condition),
                    held_words(style, &now.condition)
                )
            }
            News::Unsettled { told, differ, of } => format!(
                "unsettled: {differ} of the last {of} results differ from {}, now {}",
                told.condition.verdict,
                held_words(style, &Condition::of(&self.report))
            ),
        };
        format!("{}  {}  {change}\n", style.dim(&time), style.bold(&printable(&self.report.name())))
    }

    /// The line, and under it what the report says in a sentence.
    #[must_use]
    pub fn paragraph(&self, style: &Style) -> String {
        let mut text = self.line(style);
        if self.now().condition.verdict != Verdict::Ok || self.kind() != "start" {
            text.push_str(&style.wrap(&printable(&self.report.summary), 4));
            text.push('\n');
        }
        text
    }
}

/// `CRITICAL data-port-filtered`.
fn held_words(style: &Style, condition: &Condition) -> String {
    let badge = style.badge(condition.verdict);
    match &condition.finding {
        Some(finding) => format!("{badge} {}", printable(finding)),
        None => badge,
    }
}

/// What was before; its finding only where the verdict alone would not show the difference.
fn short(previous: &Condition, now: &Condition) -> String {
    match &previous.finding {
        Some(finding) if previous.verdict == now.verdict => {
            format!("{} {}", previous.verdict, printable(finding))
        }
        _ => previous.verdict.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::tests::{hostile, saved};

    fn held(verdict: Verdict, finding: Option<&str>) -> Held {
        let condition = Condition { verdict, finding: finding.map(str::to_owned) };
        Held { condition, since: "2026-01-31T11:59:00.000Z".to_owned() }
    }

    fn event(news: News, report: Report) -> Event {
        Event { id: "00ff-1".to_owned(), time: "2026-01-31T12:00:00.123Z".to_owned(), news, report }
    }

    fn change(previous: Held, report: Report) -> Event {
        let condition = Condition::of(&report);
        event(
            News::Change { previous, now: Held { condition, since: "2026-01-31T11:59:00.000Z".into() } },
            report,
        )
    }

    #[test]
    fn a_line_says_when_who_and_what() {
        let broken = saved("broken");
        let finding = broken.causes().next().unwrap().id.clone();
        let name = broken.name();
        let line = change(held(Verdict::Ok, None), broken.clone()).line(&Style::PLAIN);
        assert_eq!(line, format!("2026-01-31 12:00:00Z  {name}  ok → CRITICAL {finding}\n"));
        let other = change(held(Verdict::Critical, Some("control-refused")), broken.clone());
        assert!(other.line(&Style::PLAIN).contains("critical control-refused → CRITICAL"), "{other:?}");
        let text = change(held(Verdict::Ok, None), broken.clone()).paragraph(&Style::PLAIN);
        assert!(text.lines().skip(1).all(|line| line.starts_with("    ")), "{text}");
        let healthy = event(News::Start(held(Verdict::Ok, None)), saved("healthy"));
        assert_eq!(healthy.paragraph(&Style::PLAIN).lines().count(), 1);
        let news = News::Unsettled { told: held(Verdict::Ok, None), differ: 5, of: 10 };
        let line = event(news, broken).line(&Style::PLAIN);
        assert!(line.contains("5 of the last 10 results differ from ok, now CRITICAL"), "{line}");
    }

    #[test]
    fn a_program_gets_one_line_with_all_of_it() {
        let event = change(held(Verdict::Ok, None), saved("broken"));
        let text = event.json(true);
        assert_eq!(text.lines().count(), 1);
        let value: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(value["event"], "change");
        assert_eq!(value["previous"]["verdict"], "ok");
        assert_eq!(value["verdict"], "critical");
        assert_eq!(value["since"], "2026-01-31T11:59:00.000Z");
        assert_eq!(value["finding"], value["findings"][0]["id"]);
        assert_eq!(value["target"], value["report"]["target"]);
        assert_eq!(value["report"]["schema_version"], 1);
        let short: serde_json::Value = serde_json::from_str(&event.json(false)).unwrap();
        assert!(short.get("report").is_none() && short["findings"].is_array());
    }

    #[test]
    fn nothing_hostile_acts_on_the_terminal() {
        let event = change(held(Verdict::Ok, None), hostile());
        for text in [event.paragraph(&Style::PLAIN), event.json(true)] {
            assert!(!text.contains('\u{1b}') && !text.contains('\u{202e}'), "{text}");
        }
        assert_eq!(event.json(true).lines().count(), 1);
    }
}

//! The answer to a probe: what the blackbox exporter's users look for, then the samples of the report.

use std::time::Duration;

use crate::evidence::{Evidence, Step, Target, Told};
use crate::finding::Verdict;
use crate::plan::{Credentials, Plan};
use crate::report::prometheus::Prometheus;
use crate::report::{Renderer as _, Report};

/// Whether the run's time ended before its checks did.
pub(super) fn ran_out(report: &Report) -> bool {
    report.evidence.steps.iter().any(|step| {
        step.out_of_time || step.skipped.as_deref().is_some_and(|reason| reason.contains("no time was left"))
    })
}

/// The report of a probe that was cut off before it had one: nothing is known but that.
pub(super) fn cut_off(plan: &Plan, started_at: String, took: Duration) -> Report {
    let told = Told {
        range: plan.range,
        public_address: plan.public_address,
        named_user: matches!(plan.login, Credentials::Named { .. }),
        own_addresses_only: true,
        ..Told::default()
    };
    let resolve = Step {
        check: "resolve".to_owned(),
        endpoint: None,
        started_ms: 0.0,
        duration_ms: crate::clock::in_ms(took),
        skipped: None,
        out_of_time: true,
    };
    let target = Target { host: plan.target.host.clone(), port: plan.target.port };
    let evidence = Evidence { target, told, steps: vec![resolve], ..Evidence::default() };
    let mut report = Report::of(plan, evidence, started_at, took.as_millis().try_into().unwrap_or(u64::MAX));
    // Without a fact no rule speaks, and silence is not "ok".
    report.verdict = report.verdict.max(Verdict::Unknown);
    report
}

/// The samples. `late`: the deadline came first.
pub(super) fn text(report: &Report, late: bool, took: Duration) -> String {
    let works = matches!(report.verdict, Verdict::Ok | Verdict::Warning) && !late;
    let own = [
        (
            "probe_success",
            "1 if the check came to its end in time and passive mode works from here (ok or warning), else 0.",
            f64::from(u8::from(works)),
        ),
        ("probe_duration_seconds", "How long the probe took, waiting included.", took.as_secs_f64()),
        (
            "pasvcheck_probe_deadline_exceeded",
            "1 if the deadline came before the end of the check, else 0.",
            f64::from(u8::from(late)),
        ),
    ];
    let mut text: String = own
        .map(|(name, help, value)| format!("# HELP {name} {help}\n# TYPE {name} gauge\n{name} {value}\n"))
        .concat();
    let mut samples = Prometheus::default();
    text.push_str(&samples.add(report));
    text.push_str(&samples.finish());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_cut_off_is_unknown_and_no_success() {
        let plan = Plan::new(Target { host: "ftp.example.com".to_owned(), port: 21 });
        let report = cut_off(&plan, "2026-11-25T20:00:00.000Z".to_owned(), Duration::from_millis(9500));
        assert!(ran_out(&report));
        let text = text(&report, true, Duration::from_millis(9500));
        for sample in [
            "\nprobe_success 0\n",
            "\nprobe_duration_seconds 9.5\n",
            "\npasvcheck_probe_deadline_exceeded 1\n",
            "\npasvcheck_exit_code{target=\"ftp.example.com\"} 3\n",
            "\npasvcheck_verdict{target=\"ftp.example.com\",verdict=\"ok\"} 0\n",
        ] {
            assert!(text.contains(sample), "{sample}\n{text}");
        }
    }
}

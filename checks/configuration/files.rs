//! Files and single lines: what cannot be read, is not known, or has no effect.

use super::{each, remarks};
use crate::evidence::{Effect, Evidence, Place, RemarkKind};
use crate::finding::{Confidence, Detail, Location, Scope, Severity};

pub(super) fn unreadable(evidence: &Evidence) -> Vec<Detail> {
    let Some(audit) = &evidence.audit else { return Vec::new() };
    let mut details = Vec::new();
    if audit.configurations.is_empty() {
        let words = "None of the usual places holds a configuration that pasvcheck reads. If the server keeps it elsewhere, name it: \
                     pasvcheck audit --config FILE.";
        let mut detail =
            Detail::new(Scope::default(), "no FTP server's configuration was found on this host", words);
        detail.evidence = audit.searched.iter().map(|path| format!("looked for {path}")).collect();
        details.push(detail);
    }
    for (number, configuration) in audit.configurations.iter().enumerate() {
        for file in &configuration.files {
            let Some(fault) = &file.fault else { continue };
            let title = format!("{} cannot be read: {fault}", file.path);
            let place = Place { file: file.path.clone(), ..Place::default() };
            let detail = Detail::new(Scope::default(), title, String::new()).subject(number);
            details.push(match &file.asked_by {
                // The daemon goes on without an included file; what stands in it is not known.
                Some(asked) if fault.contains("does not exist") => {
                    let words = format!("{} goes on without it.", configuration.product);
                    Detail { detail: words, ..detail }.severity(Severity::Warning).place(Some(asked), None)
                }
                Some(asked) => {
                    let words = "What it holds is missing from this audit, and may change what is in force.";
                    Detail { detail: words.to_owned(), ..detail }.place(Some(asked), None)
                }
                None => {
                    let words = "Nothing can be said about a configuration that was not read. Check the path and the rights of the \
                                 user who runs the audit.";
                    Detail { detail: words.to_owned(), ..detail }.place(Some(&place), None)
                }
            });
        }
    }
    for file in &audit.unread {
        let fault = file.fault.as_deref().unwrap_or_default();
        let place = Place { file: file.path.clone(), ..Place::default() };
        let title = format!("the firewall file {} cannot be read", file.path);
        let words = format!("{fault}. The passive range was not compared with it.");
        details.push(Detail::new(Scope::default(), title, words).place(Some(&place), None));
    }
    if let Some(public) = audit.public.as_ref().filter(|public| public.address.is_none()) {
        let mut detail = Detail::new(
            Scope::default(),
            "nobody told this host's public address",
            "The services that were asked gave no address, so the address in the configuration was not compared with it. Give it \
             with --public-address ADDR.",
        );
        detail.evidence.clone_from(&public.failures);
        details.push(detail);
    }
    details.extend(remarks(evidence, RemarkKind::File, |remark, detail| match remark.effect {
        Effect::Refuses => detail.severity(Severity::Critical),
        _ => detail,
    }));
    details
}

pub(super) fn another_product(evidence: &Evidence) -> Vec<Detail> {
    let (Some(audit), Some(policy)) = (&evidence.audit, &evidence.told.policy) else { return Vec::new() };
    let Some(wanted) = &policy.product else { return Vec::new() };
    let others = audit
        .configurations
        .iter()
        .enumerate()
        .filter(|(_, one)| !one.product.is_empty() && one.product != *wanted);
    others
        .map(|(number, configuration)| {
            let place =
                configuration.files.first().map(|file| Place { file: file.path.clone(), ..Place::default() });
            let title =
                format!("the configuration is {}'s, and the policy requires {wanted}", configuration.product);
            let words = format!("{} says: require.product = \"{wanted}\".", policy.file);
            Detail::new(Scope::default(), title, words)
                .location(Location::Server)
                .subject(number)
                .place(place.as_ref(), None)
        })
        .collect()
}

pub(super) fn unknown_directive(evidence: &Evidence) -> Vec<Detail> {
    remarks(evidence, RemarkKind::UnknownDirective, |remark, detail| match remark.effect {
        Effect::Refuses => detail,
        _ => detail.severity(Severity::Warning).confidence(Confidence::Possible),
    })
}

pub(super) fn bad_value(evidence: &Evidence) -> Vec<Detail> {
    remarks(evidence, RemarkKind::BadValue, |remark, detail| match remark.effect {
        Effect::Slight | Effect::Untold => detail.severity(Severity::Warning),
        Effect::Differs | Effect::Refuses => detail,
    })
}

pub(super) fn not_effective(evidence: &Evidence) -> Vec<Detail> {
    let mut details = remarks(evidence, RemarkKind::Ineffective, |remark, detail| match remark.effect {
        // What is in force instead is judged by itself.
        Effect::Slight => detail.severity(Severity::Warning),
        Effect::Untold => detail.severity(Severity::Warning).confidence(Confidence::Likely),
        Effect::Differs | Effect::Refuses => detail,
    });
    details.extend(newer_than_daemon(evidence));
    details
}

/// Both times are rounded to seconds, the boot's and the process' own: a restart right after an edit is no lapse.
const ROUNDING: u64 = 2;

/// Files that were changed after the daemon was started. A reload leaves the start as it was, so this is a warning.
fn newer_than_daemon(evidence: &Evidence) -> Vec<Detail> {
    let mut details = each(evidence, |subject| {
        let Some(started) = subject.configuration.daemon_started else { return Vec::new() };
        let changed = subject
            .configuration
            .files
            .iter()
            .find(|file| file.modified.is_some_and(|at| at > started + ROUNDING));
        let Some(file) = changed else { return Vec::new() };
        let place = Place { file: file.path.clone(), ..Place::default() };
        let later = file.modified.unwrap_or(started) - started;
        let title = format!("{} was changed after {} was started", file.path, subject.configuration.product);
        let words = format!(
            "The file is {later} s younger than the running daemon. Unless it was reloaded since, the daemon works with what the file \
             said before."
        );
        vec![
            subject
                .detail(title, words)
                .severity(Severity::Warning)
                .confidence(Confidence::Likely)
                .place(Some(&place), None),
        ]
    });
    // Once for a configuration, however many servers it makes.
    details.dedup_by_key(|detail| detail.title.clone());
    details
}

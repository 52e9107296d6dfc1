//! Guards: what ties folders, rules, documents and scenarios together. Each failure names what is missing.

use std::collections::BTreeSet;
use std::path::Path;

use super::{ALL, Reach, owner, rule, rules};
use crate::audit::case::Case;
use crate::demo::{CATALOGUE, Scenario};
use crate::explain::document::{Document, FIX_HEADINGS, HEADINGS, PRODUCTS};
use crate::explain::values::PLACEHOLDERS;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

fn names_in(folder: &Path, extension: &str) -> BTreeSet<String> {
    let entries = std::fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries
        .filter_map(|entry| entry.ok()?.path().file_name()?.to_str().map(str::to_owned))
        .filter_map(|name| name.strip_suffix(extension).map(str::to_owned))
        .collect()
}

fn complain(complaints: &[String]) {
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

#[test]
fn every_folder_is_a_registered_check() {
    let folders: BTreeSet<String> = std::fs::read_dir(root().join("checks"))
        .expect("checks/ can be read")
        .filter_map(Result::ok)
        .filter(|entry| entry.path().is_dir())
        .filter_map(|entry| entry.file_name().into_string().ok())
        .map(|name| name.replace('_', "-"))
        .collect();
    let registered: BTreeSet<String> = ALL.iter().map(|check| check.name.to_owned()).collect();
    assert_eq!(folders, registered, "checks/ and checks::ALL differ");
}

#[test]
fn every_check_needs_only_what_runs_before() {
    for (position, check) in ALL.iter().enumerate() {
        for need in check.needs {
            assert!(ALL[..position].iter().any(|other| other.name == *need), "{} needs {need}", check.name);
        }
    }
}

#[test]
fn every_finding_has_one_name_and_known_causes() {
    let mut seen = BTreeSet::new();
    for rule in rules() {
        assert!(seen.insert(rule.name), "{} stands twice", rule.name);
        let kebab =
            rule.name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-');
        assert!(kebab, "{} is not kebab-case", rule.name);
        for cause in rule.explained_by {
            assert!(
                super::rule(cause).is_some(),
                "{} is explained by {cause}, which is no finding",
                rule.name
            );
        }
    }
}

#[test]
fn no_finding_explains_itself_in_a_circle() {
    fn reaches(from: &str, goal: &str, depth: usize) -> bool {
        let causes = rule(from).map_or(&[][..], |rule| rule.explained_by);
        depth > 0 && causes.iter().any(|cause| *cause == goal || reaches(cause, goal, depth - 1))
    }
    for rule in rules() {
        assert!(!reaches(rule.name, rule.name, 8), "{} explains itself", rule.name);
    }
}

#[test]
fn every_document_belongs_to_a_rule_and_lies_beside_its_check() {
    for check in ALL {
        let folder = root().join("checks").join(check.name.replace('-', "_"));
        let documents = names_in(&folder, ".md");
        let rules: BTreeSet<String> = check.rules.iter().map(|rule| rule.name.to_owned()).collect();
        assert_eq!(documents, rules, "documents and rules of {} differ", check.name);
    }
}

#[test]
fn every_document_follows_the_pattern() {
    let complaints: Vec<String> = rules()
        .flat_map(|rule| {
            document_faults(rule.name, rule.document)
                .into_iter()
                .map(|fault| format!("{}: {fault}", rule.name))
        })
        .collect();
    complain(&complaints);
}

fn document_faults(name: &str, text: &str) -> Vec<String> {
    let document = Document::parse(text);
    let mut faults = Vec::new();
    if document.name != name {
        faults.push(format!("its heading is \"{}\"", document.name));
    }
    if document.lead.is_empty() || document.lead.contains("\n\n") {
        faults.push("the heading is not followed by one sentence".to_owned());
    }
    let headings: Vec<&str> = document.sections.iter().map(|(heading, _)| *heading).collect();
    if headings != HEADINGS {
        faults.push(format!("its headings are {headings:?}"));
    }
    for (heading, body) in document.sections.iter().filter(|(_, body)| body.len() < 20) {
        faults.push(format!("\"{heading}\" says nothing: {body:?}"));
    }
    faults.extend(fix_faults(&document));
    faults.extend(fence_faults(text));
    faults.extend(placeholder_faults(text));
    faults
}

/// All five products, or "Any server" in their place; known headings in the known order.
fn fix_faults(document: &Document<'_>) -> Vec<String> {
    let headings: Vec<&str> = document.fixes().iter().map(|(heading, _)| *heading).collect();
    let mut faults = Vec::new();
    let order: Vec<Option<usize>> =
        headings.iter().map(|heading| FIX_HEADINGS.iter().position(|known| known == heading)).collect();
    if order.iter().any(Option::is_none) || !order.is_sorted() {
        faults.push(format!("the fixes are {headings:?}"));
    }
    let products = PRODUCTS.iter().filter(|product| headings.contains(product)).count();
    if !(products == PRODUCTS.len() || (products == 0 && headings.contains(&"Any server"))) {
        faults.push(format!("the fixes leave products out: {headings:?}"));
    }
    faults.extend(
        document.fixes().iter().filter(|(_, body)| body.len() < 20).map(|(h, _)| format!("no fix for {h}")),
    );
    faults
}

/// A fence without a language would be a Rust test to rustdoc and a guess to everybody else.
fn fence_faults(text: &str) -> Vec<String> {
    const LANGUAGES: [&str; 9] = ["ini", "apache", "sh", "text", "xml", "powershell", "yaml", "nft", "bat"];
    let fences: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("```")).collect();
    let mut faults: Vec<String> = fences
        .iter()
        .step_by(2)
        .filter(|language| !LANGUAGES.contains(language))
        .map(|language| format!("a fence has the language \"{language}\""))
        .collect();
    if fences.len() % 2 == 1 || fences.iter().skip(1).step_by(2).any(|end| !end.is_empty()) {
        faults.push("its fences do not pair".to_owned());
    }
    faults
}

fn placeholder_faults(text: &str) -> Vec<String> {
    let inner = |part: &str| part.split_once('}').map(|(name, _)| name.to_owned());
    text.split('{')
        .skip(1)
        .filter_map(inner)
        .filter(|name| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'))
        .filter(|name| !PLACEHOLDERS.contains(&name.as_str()))
        .map(|name| format!("{{{name}}} is no placeholder"))
        .collect()
}

#[test]
fn every_scenario_file_is_in_the_catalogue() {
    let files = names_in(&root().join("fixtures/scenarios"), ".toml");
    let listed: BTreeSet<String> = CATALOGUE.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(files, listed, "fixtures/scenarios/ and src/demo/catalogue.rs differ");
}

#[test]
fn every_finding_is_expected_by_a_scenario() {
    let mut expected = BTreeSet::new();
    let mut complaints = Vec::new();
    for (name, text) in CATALOGUE {
        match Scenario::parse(text) {
            Ok(scenario) => {
                let expect = scenario.expect;
                let severities = expect.severity.into_keys();
                let named: Vec<String> =
                    expect.findings.into_iter().chain(expect.explained).chain(severities).collect();
                let all = named.iter().chain(&expect.forbidden).chain(&expect.allowed);
                complaints.extend(
                    all.filter(|f| rule(f).is_none())
                        .map(|f| format!("{name} names {f}, which is no finding")),
                );
                expected.extend(named);
            }
            Err(error) => complaints.push(format!("{name}: {error}")),
        }
    }
    let (proven, faults) = expected_by_cases();
    expected.extend(proven);
    complaints.extend(faults);
    complaints.extend(
        rules()
            .filter(|rule| !expected.contains(rule.name))
            .map(|rule| format!("no scenario expects {}", rule.name)),
    );
    complain(&complaints);
}

/// What the audit finds is proven by files, not by a network: `fixtures/configs/`.
fn expected_by_cases() -> (BTreeSet<String>, Vec<String>) {
    let (mut expected, mut complaints) = (BTreeSet::new(), Vec::new());
    for folder in Case::folders(&root().join("fixtures/configs")) {
        match Case::read(&folder) {
            Ok(case) => {
                let named: Vec<String> =
                    case.expect.findings.into_iter().chain(case.expect.ignored).collect();
                let all = named.iter().chain(&case.expect.allowed).chain(case.expect.places.keys());
                let strange = all.filter(|name| owner(name).is_none_or(|check| check.reach != Reach::Host));
                complaints.extend(
                    strange.map(|name| format!("{} names {name}, which no audit finds", folder.display())),
                );
                expected.extend(named);
            }
            Err(error) => complaints.push(error),
        }
    }
    (expected, complaints)
}

#[test]
fn the_front_page_lists_every_check_and_finding() {
    let page = include_str!("README.md");
    let complaints: Vec<String> = rules()
        .filter(|rule| {
            let folder = owner(rule.name).map_or_else(String::new, |check| check.name.replace('-', "_"));
            let severity = format!("{:?}", rule.severity).to_lowercase();
            !page.contains(&format!("| [{0}]({folder}/{0}.md) | {severity} |", rule.name))
        })
        .map(|rule| format!("checks/README.md has no true line for {}", rule.name))
        .chain(
            ALL.iter()
                .filter(|check| !page.contains(check.question))
                .map(|c| format!("checks/README.md lacks {}", c.name)),
        )
        .collect();
    complain(&complaints);
}

/// The walls between the rooms: who may know whom.
#[test]
fn rooms_keep_to_themselves() {
    // An audit judges nothing and writes nothing.
    const AUDIT: [&str; 6] =
        ["crate::checks", "crate::finding", "crate::report", "fs::write", "File::create", "OpenOptions"];
    let mut complaints = Vec::new();
    let walls: [(&str, &[&str]); 17] = [
        ("checks", &["crate::cli", "crate::report"]),
        ("src/ftp", &["crate::net", "tokio::net", "std::net::Tcp"]),
        ("src/net", &["crate::ftp", "crate::checks", "crate::finding"]),
        ("src/evidence", &["crate::finding", "crate::checks", "crate::net", "crate::probe"]),
        ("src/report", &["crate::net::", "crate::probe", "println!", "print!"]),
        (
            "src/watch",
            &["tokio::net", "reqwest", "crate::ftp", "std::process::Command", "println!", "print!"],
        ),
        ("src/diff", &["tokio::net", "crate::net::System", "println!", "print!"]),
        ("src/server", &["crate::net", "crate::probe", "crate::checks"]),
        // Grammars and rule sets are pure: files are handed in.
        ("src/server/config", &["std::fs", "std::process", "crate::firewall", "crate::audit"]),
        (
            "src/firewall",
            &["std::fs", "std::process", "crate::net", "crate::checks", "crate::server", "crate::audit"],
        ),
        // An audit gathers facts; a case, which holds them to findings, is no part of it.
        ("src/audit/mod.rs", &AUDIT),
        ("src/audit/files.rs", &AUDIT),
        ("src/audit/firewalls.rs", &AUDIT),
        ("src/audit/host.rs", &AUDIT),
        ("src/setup", &["crate::checks", "crate::probe", "tokio", "std::fs"]),
        ("src/standin", &["crate::net", "crate::checks", "crate::probe", "crate::ftp"]),
        ("src/exporter", &["crate::checks", "crate::ftp", "crate::net::System", "println!", "print!"]),
    ];
    for (folder, forbidden) in walls {
        visit(&root().join(folder), &mut |path, text| {
            // What a comment refers to is no dependency.
            let code: String = text.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
            for word in forbidden.iter().filter(|word| code.contains(*word)) {
                complaints.push(format!("{} mentions {word}", path.display()));
            }
        });
    }
    complain(&complaints);
}

fn visit(folder: &Path, look: &mut dyn FnMut(&Path, &str)) {
    if folder.is_file() {
        look(folder, &std::fs::read_to_string(folder).expect("a source file"));
        return;
    }
    for entry in std::fs::read_dir(folder).expect("a source folder").filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            visit(&path, look);
        } else if path.extension().is_some_and(|extension| extension == "rs") && !path.ends_with("guards.rs")
        {
            look(&path, &std::fs::read_to_string(&path).expect("a source file"));
        }
    }
}

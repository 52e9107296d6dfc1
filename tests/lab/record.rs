//! Keeping real dialogues as fixtures: `fixtures/replies/PRODUCT-VERSION-CASE.txt`.

use std::fs;
use std::path::Path;

use pasvcheck::evidence::Speaker;

use crate::run::Done;

/// Writes the dialogue of a run, `C: ` for the client's lines and `S: ` for the server's.
pub(crate) fn keep(done: &Done) -> Result<(), String> {
    let Some(report) = done.report.as_ref().filter(|_| done.case.record) else { return Ok(()) };
    let Some(endpoint) = report.evidence.endpoints.first() else { return Ok(()) };
    let version = report.server.as_ref().and_then(|server| server.version.clone());
    let version = version.or_else(|| packaged_version(done)).unwrap_or_else(|| "unknown".to_owned());
    let mut text = format!(
        "# {}, {}\n# {} {version}, as the lab saw it (tests/lab; PASVCHECK_LAB_RECORD=1 writes this file anew)\n",
        done.daemon, done.case.name, done.daemon
    );
    for line in [
        format!("config: {:?}", done.case.config),
        format!("rules: {}", rules(done)),
        format!("run: pasvcheck {}", [done.case.options, &[done.case.target]].concat().join(" ")),
    ] {
        text += &format!("# {line}\n");
    }
    for entry in &endpoint.dialogue {
        let mark = match entry.from {
            Speaker::Client => "C:",
            Speaker::Server => "S:",
            Speaker::Note => "#",
        };
        text += &format!("{mark} {}\n", entry.line);
    }
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/replies");
    let file = folder.join(format!("{}-{version}-{}.txt", done.daemon, slug(done.case.name)));
    fs::create_dir_all(&folder)
        .and_then(|()| fs::write(&file, text))
        .map_err(|error| format!("{}: {error}", file.display()))
}

/// The version in the name of the package that was unpacked, for servers that do not tell theirs.
fn packaged_version(done: &Done) -> Option<String> {
    let folder = crate::site::Site::servers_folder();
    let names = |folder: &Path| {
        let entries = fs::read_dir(folder).into_iter().flatten().flatten();
        entries.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect::<Vec<_>>()
    };
    let wanted = format!("{}_", done.daemon);
    let debian = names(&folder.join("debs")).into_iter().find_map(|name| {
        let version = name.strip_prefix(&wanted)?.split('_').next()?.to_owned();
        Some(version.split('-').next()?.to_owned())
    });
    debian.or_else(|| {
        let wanted = format!("{}-", done.daemon);
        names(&folder.join("python"))
            .into_iter()
            .find_map(|name| Some(name.strip_prefix(&wanted)?.strip_suffix(".dist-info")?.to_owned()))
    })
}

fn rules(done: &Done) -> String {
    let words: Vec<String> = done.case.rules.iter().map(ToString::to_string).collect();
    if words.is_empty() { "none".to_owned() } else { words.join(" | ") }
}

/// A name fit for a file: `private address, nothing announced` → `private-address-nothing-announced`.
pub(crate) fn slug(name: &str) -> String {
    let plain: String =
        name.chars()
            .filter(|letter| !matches!(letter, '\'' | ',' | '%'))
            .map(|letter| {
                if letter.is_ascii_alphanumeric() || letter == '.' {
                    letter.to_ascii_lowercase()
                } else {
                    '-'
                }
            })
            .collect();
    plain.split('-').filter(|part| !part.is_empty()).collect::<Vec<_>>().join("-")
}

//! `--policy FILE`, for `check` and `audit`.

use std::io::Read;
use std::path::Path;

use pasvcheck::clock::wall_clock;
use pasvcheck::evidence::PolicyFacts;
use pasvcheck::policy::Policy;

use super::Problem;

/// Largest policy that is read.
const LIMIT: u64 = 1024 * 1024;

/// Reads the policy file, if one was named.
pub(super) fn read(path: Option<&Path>) -> Result<Option<Policy>, Problem> {
    let Some(path) = path else { return Ok(None) };
    let name = path.display();
    let problem = |error: std::io::Error| Problem::new(format!("the policy {name} cannot be read: {error}"));
    let mut text = String::new();
    let file = std::fs::File::open(path).map_err(problem)?;
    if !file.metadata().map_err(problem)?.is_file() {
        return Err(Problem::new(format!("the policy {name} is no regular file")));
    }
    file.take(LIMIT).read_to_string(&mut text).map_err(problem)?;
    Policy::parse(&text).map(Some).map_err(|error| Problem::new(format!("{name}: {error}")))
}

/// The policy as facts of today's run.
pub(super) fn facts(policy: Option<&Policy>, path: Option<&Path>) -> Option<PolicyFacts> {
    let (policy, path) = (policy?, path?);
    let today: String = wall_clock().chars().take(10).collect();
    Some(policy.facts(&path.display().to_string(), &today))
}

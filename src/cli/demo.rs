//! `pasvcheck demo [SCENARIO]`.

use super::Problem;
use super::args::DemoArgs;
use super::output::Console;

pub(crate) fn run(_args: &DemoArgs, _console: &mut Console) -> Result<u8, Problem> {
    Err(Problem::new("soon"))
}

//! Rules over the whole set of maps, one file each; what sema finds in single maps comes first.

mod allow;
mod echoes;
mod filled;
mod keys_merge;
mod pages;
mod round_trip;
mod unused_values;

pub use allow::{Allowed, allow};
pub use echoes::without_echoes;
pub use pages::{area, page};

use crate::diagnostic::Diagnostic;
use crate::sema::{CheckedProject, Input, analyse};

type Rule = fn(&Input<'_>, &CheckedProject) -> Vec<Diagnostic>;

/// Every rule.
const RULES: &[Rule] = &[filled::check, keys_merge::check, round_trip::check, unused_values::check];

/// Analyses all maps and checks them as a set.
pub fn check(input: &Input<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    let (project, mut findings) = analyse(input);
    findings.extend(RULES.iter().flat_map(|rule| rule(input, &project)));
    (project, findings)
}

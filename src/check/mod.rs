//! Rules over the whole set of maps, one file each; what sema finds in single maps comes first.

mod filled;
pub mod live;
mod unused_values;

use crate::diagnostic::Diagnostic;
use crate::sema::{CheckedProject, Input, analyse};

type Rule = fn(&Input<'_>, &CheckedProject) -> Vec<Diagnostic>;

/// Every rule.
const RULES: &[Rule] = &[filled::check, unused_values::check];

/// Analyses all maps and checks them as a set.
pub fn check(input: &Input<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    let (project, mut findings) = analyse(input);
    findings.extend(RULES.iter().flat_map(|rule| rule(input, &project)));
    (project, findings)
}

//! Rules over the whole set of maps, one file each; what sema finds in single maps comes first.

mod allow;
mod companies;
mod echoes;
mod filled;
mod filters;
mod keys_merge;
pub mod live;
mod pages;
mod regions;
mod rings;
mod round_trip;
mod runs_before;
mod secrets;
mod source_key;
mod statements;
mod undecided;
mod unused_values;
mod writers;

pub use allow::{Allowed, allow};
pub use echoes::without_echoes;
pub use pages::{area, page};

use crate::diagnostic::Diagnostic;
use crate::sema::{CheckedMap, CheckedProject, Input, analyse, effective};
use crate::syntax::ast;

type Rule = fn(&Input<'_>, &CheckedProject) -> Vec<Diagnostic>;

/// Every rule.
const RULES: &[Rule] = &[
    companies::check,
    filled::check,
    filters::check,
    keys_merge::check,
    rings::check,
    round_trip::check,
    runs_before::check,
    source_key::check,
    statements::check,
    writers::check,
];

/// Rules over the files as they were written, the bases of overlays too.
const WRITTEN: &[Rule] = &[secrets::check, undecided::check, unused_values::check];

/// Analyses all maps, each overlay in the place of its base, and checks them as a set.
pub fn check(input: &Input<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    let Some(overlaid) = effective(input) else {
        return rules(input, input);
    };
    let time_zone = input.time_zone.clone();
    let (project, mut findings) = rules(&Input { files: &overlaid.files, time_zone, ..*input }, input);
    findings.splice(0..0, overlaid.findings);
    (project, findings)
}

fn rules(input: &Input<'_>, written: &Input<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    let (project, mut findings) = analyse(input);
    findings.extend(RULES.iter().flat_map(|rule| rule(input, &project)));
    findings.extend(WRITTEN.iter().flat_map(|rule| rule(written, &project)));
    (project, findings)
}

/// A map as it was written.
fn tree<'a>(input: &'a Input<'_>, map: &CheckedMap) -> Option<&'a ast::Map> {
    input.files.iter().flat_map(|(_, f)| &f.maps).find(|m| m.id.as_ref().is_some_and(|i| i.it == map.id))
}

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
mod unused_values;
mod writers;

pub use allow::{Allowed, allow};
pub use echoes::without_echoes;
pub use pages::{area, help, page};

use crate::diagnostic::Diagnostic;
use crate::sema::{CheckedMap, CheckedProject, How, Input, analyse_as};
use crate::syntax::ast;
use std::collections::HashMap;
use std::sync::OnceLock;

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
    secrets::check,
    source_key::check,
    statements::check,
    unused_values::check,
    writers::check,
];

/// Analyses all maps and checks them as a set.
pub fn check(input: &Input<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    check_as(input, How::default())
}

/// [`check`], done as `how` says.
pub fn check_as(input: &Input<'_>, how: How<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    let (project, mut findings) = analyse_as(input, how);
    let found: Vec<OnceLock<Vec<Diagnostic>>> = RULES.iter().map(|_| OnceLock::new()).collect();
    (how.each)(RULES.len(), &|i| {
        // Each number comes once.
        let _ = found[i].set(RULES[i](input, &project));
    });
    findings.extend(found.into_iter().filter_map(OnceLock::into_inner).flatten());
    (project, findings)
}

/// A map as it was written.
fn tree<'a>(input: &'a Input<'_>, map: &CheckedMap) -> Option<&'a ast::Map> {
    input.files.iter().flat_map(|(_, f)| &f.maps).find(|m| m.id.as_ref().is_some_and(|i| i.it == map.id))
}

/// All maps as they were written, by id; of several with one id the first.
fn trees<'a>(input: &'a Input<'_>) -> HashMap<&'a str, &'a ast::Map> {
    let maps = input.files.iter().flat_map(|(_, f)| &f.maps).rev();
    maps.filter_map(|m| Some((m.id.as_ref()?.it.as_str(), m))).collect()
}

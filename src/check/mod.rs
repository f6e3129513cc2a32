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
pub mod rights;
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
pub use pages::{area, help, page};

use crate::diagnostic::Diagnostic;
use crate::sema::{CheckedMap, CheckedProject, How, Input, MadeOf, analyse_as, effective};
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
    source_key::check,
    statements::check,
    writers::check,
];

/// Rules over the files as they were written, the bases of overlays too.
const WRITTEN: &[Rule] = &[secrets::check, undecided::check, unused_values::check];

/// Analyses all maps, each overlay in the place of its base, and checks them as a set.
pub fn check(input: &Input<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    check_as(input, How::default())
}

/// [`check`], done as `how` says.
pub fn check_as(input: &Input<'_>, how: How<'_>) -> (CheckedProject, Vec<Diagnostic>) {
    let Some(overlaid) = effective(input) else {
        return rules(input, input, how, &MadeOf::default());
    };
    let time_zone = input.time_zone.clone();
    let merged = Input { files: &overlaid.files, time_zone, ..*input };
    let (project, mut findings) = rules(&merged, input, how, &overlaid.made_of);
    findings.splice(0..0, overlaid.findings);
    (project, findings)
}

fn rules(input: &Input<'_>, written: &Input<'_>, how: How<'_>, made_of: &MadeOf) -> (CheckedProject, Vec<Diagnostic>) {
    let (project, mut findings) = analyse_as(input, how, made_of);
    let all: Vec<(Rule, &Input<'_>)> =
        RULES.iter().map(|r| (*r, input)).chain(WRITTEN.iter().map(|r| (*r, written))).collect();
    let found: Vec<OnceLock<Vec<Diagnostic>>> = all.iter().map(|_| OnceLock::new()).collect();
    (how.each)(all.len(), &|i| {
        let (rule, input) = all[i];
        // Each number comes once.
        let _ = found[i].set(rule(input, &project));
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

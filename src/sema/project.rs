//! Analyses all maps of a project, and what holds among them: ids, names, prerequisites, order.

use super::Input;
use super::ir::{CheckedMap, CheckedProject};
use super::kept::{Analysed, How, MadeOf};
use super::map::{self, company_lines};
use super::order::{circles, order};
use super::report::Report;
use super::value_map::check_equal_pairs;
use crate::diagnostic::{Code, Diagnostic};
use crate::function::Context;
use crate::source::Span;
use crate::syntax::ast::{Line, Map, Name, ValuesDecl};
use std::collections::{HashMap, HashSet};
use std::sync::{Arc, OnceLock};

/// See [`super::analyse`].
pub(super) fn analyse(input: &Input<'_>, how: How<'_>, made_of: &MadeOf) -> (CheckedProject, Vec<Diagnostic>) {
    let mut report = Report::new(input.sources);
    let values = values(input, &mut report);
    let maps: Vec<&Map> = input.files.iter().flat_map(|(_, f)| &f.maps).collect();
    let mut ok: Vec<bool> = unique(&maps, &mut report);
    let needs = needs(&maps, &mut ok, &mut report);
    let companies = company_lines(&maps);
    let mut results = results(input, &values, &maps, &companies, (how, made_of));
    // What is wrong with a shared value map is found by each map that uses it.
    let mut known: HashSet<(Code, Option<Span>, String)> = HashSet::new();
    known.extend(report.findings.iter().map(|d| (d.code, d.span(), d.message.clone())));
    for d in results.iter().flat_map(|r| &r.findings) {
        if known.insert((d.code, d.span(), d.message.clone())) {
            report.findings.push(d.clone());
        }
    }
    // Indexes among all maps become indexes among those without errors.
    let sound: Vec<bool> = results.iter().zip(ok).map(|(r, ok)| ok && r.map.is_some()).collect();
    let mut place = vec![None; maps.len()];
    for (next, i) in (0..maps.len()).filter(|i| sound[*i]).enumerate() {
        place[i] = Some(next);
    }
    for (i, result) in results.iter_mut().enumerate().filter(|(i, _)| sound[*i]) {
        let needs: Vec<usize> = needs[i].iter().filter_map(|n| place[*n]).collect();
        if let Some(map) = &mut result.map
            && map.needs != needs
        {
            Arc::make_mut(map).needs = needs;
        }
    }
    if let Some(kept) = how.kept {
        kept.keep(input, made_of, &results);
    }
    let maps: Vec<Arc<CheckedMap>> =
        results.into_iter().zip(sound).filter(|(_, sound)| *sound).filter_map(|(r, _)| r.map).collect();
    let project = CheckedProject {
        stores: input.stores.to_vec(),
        order: order(&maps),
        maps,
        companies: input.companies.map(<[String]>::to_vec),
        context: Context { time_zone: input.time_zone.clone() },
    };
    (project, report.findings)
}

/// What each map gives for itself.
fn results(
    input: &Input<'_>,
    values: &HashMap<&str, &ValuesDecl>,
    maps: &[&Map],
    companies: &[Option<Line>],
    (how, made_of): (How<'_>, &MadeOf),
) -> Vec<Analysed> {
    let mut out: Vec<Option<Analysed>> = match how.kept {
        Some(kept) => kept.known(input, made_of),
        None => vec![None; maps.len()],
    };
    let open: Vec<usize> = (0..maps.len()).filter(|i| out[*i].is_none()).collect();
    let done: Vec<OnceLock<Analysed>> = open.iter().map(|_| OnceLock::new()).collect();
    (how.each)(open.len(), &|n| {
        let i = open[n];
        let mut report = Report::new(input.sources);
        let map = map::analyse(input, values, maps[i], companies[i].as_ref(), &mut report).map(Arc::new);
        // Each number comes once.
        let _ = done[n].set(Analysed { map, findings: report.findings });
    });
    for (i, one) in open.into_iter().zip(done) {
        out[i] = one.into_inner();
    }
    let none = || Analysed { map: None, findings: vec![] };
    out.into_iter().map(|one| one.unwrap_or_else(none)).collect()
}

fn values<'a>(input: &Input<'a>, report: &mut Report<'_>) -> HashMap<&'a str, &'a ValuesDecl> {
    let mut out: HashMap<&str, &ValuesDecl> = HashMap::new();
    for decl in input.files.iter().flat_map(|(_, f)| &f.values) {
        check_equal_pairs(&decl.pairs, report);
        match out.get(decl.name.text.as_str()) {
            None => {
                out.insert(&decl.name.text, decl);
            }
            Some(first) => report.add(
                Diagnostic::new(
                    Code::TM0210,
                    decl.name.at.0,
                    format!("there is a value map `{}` already", decl.name.text),
                )
                .related(first.name.at.0, "here")
                .help("use the one, or rename the other: value maps are shared by the whole project"),
            ),
        }
    }
    out
}

/// Ids are unique, and so are names and labels together. False for maps whose id is taken.
fn unique(maps: &[&Map], report: &mut Report<'_>) -> Vec<bool> {
    let mut ids: HashMap<&str, usize> = HashMap::new();
    let mut names: HashMap<&str, (usize, crate::source::At)> = HashMap::new();
    let mut ok = vec![true; maps.len()];
    for (i, m) in maps.iter().enumerate() {
        if let Some(id) = &m.id {
            let first = *ids.entry(&id.it).or_insert(i);
            if first != i {
                ok[i] = false;
                let mut d = Diagnostic::new(Code::TM0208, id.at.0, format!("another map has the id `{}`", id.it));
                if let Some(there) = &maps[first].id {
                    d = d.related(there.at.0, "here");
                }
                report.add(d.help("give this map an id of its own: progress is kept under it"));
            }
        }
        let own = m.name.iter().map(|n| (n.text.as_str(), n.at));
        for (name, at) in own.chain(m.labels.iter().map(|l| (l.it.1.as_str(), l.at))) {
            let (first, there) = *names.entry(name).or_insert((i, at));
            if first != i {
                ok[i] = false;
                report.add(
                    Diagnostic::new(Code::TM0209, at.0, format!("another map is called `{name}`"))
                        .related(there.0, "here")
                        .help("give each map its own: commands take a map by id, name or label"),
                );
            }
        }
    }
    ok
}

/// Prerequisites as indexes; circles are findings, and cut.
fn needs(maps: &[&Map], ok: &mut [bool], report: &mut Report<'_>) -> Vec<Vec<usize>> {
    let ids: HashMap<&str, usize> =
        maps.iter().enumerate().rev().filter_map(|(i, m)| Some((m.id.as_ref()?.it.as_str(), i))).collect();
    let named = |m: &Map| -> Vec<Name> { m.needs.iter().flat_map(|n| n.it.clone()).collect() };
    let mut needs: Vec<Vec<usize>> = vec![];
    for m in maps {
        let mut of = vec![];
        for n in named(m) {
            match ids.get(n.text.as_str()) {
                Some(i) => of.push(*i),
                None => {
                    let message = format!("prerequisite `{}` is not in this project", n.text);
                    report.unknown(Code::TM1002, n.at, message, &n.text, ids.keys().copied());
                }
            }
        }
        needs.push(of);
    }
    for circle in circles(&needs) {
        let (Some(last), Some(first)) = (circle.iter().rev().nth(1), circle.first()) else { continue };
        let id = |i: &usize| maps[*i].id.as_ref().map_or("", |n| n.it.as_str());
        let path: Vec<&str> = circle.iter().map(id).collect();
        let at = named(maps[*last]).iter().find(|n| n.text == id(first)).map(|n| n.at);
        let at = at.unwrap_or(maps[*last].at);
        report.help(
            Code::TM1001,
            at,
            format!("prerequisites go in a circle: {}", path.join(" → ")),
            "remove one of them: a map cannot wait for itself",
        );
        ok[*last] = false;
        needs[*last].retain(|n| n != first);
    }
    needs
}

//! Overlays: a map that `extends` another takes its place, with the base's statements and lines where it says nothing.
//!
//! What comes out is a tree like any other. Each of its nodes keeps the place it was read from, so that a finding about a
//! line of the base stands in the base's file, and one about a line of the overlay in the overlay's.

use super::Input;
use super::kept::MadeOf;
use super::overlay_edits::Edits;
use super::report::Report;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::FileId;
use crate::syntax::ast::{Edit, File, Map, Node, Side, Trivia};
use std::sync::Arc;

/// The files of a project with every overlay in the place of its base.
pub struct Effective {
    /// The files; bases are not in them. An overlay that could not be applied is there without an id, and one with wrong
    /// edits still `extends` its base: neither gives a checked map.
    pub files: Vec<(FileId, Arc<File>)>,
    /// What is wrong with the overlays themselves.
    pub findings: Vec<Diagnostic>,
    /// Which other files the overlays of a file stand on.
    pub made_of: MadeOf,
}

/// Puts overlays in the place of their bases. None where no map extends another.
pub fn effective(input: &Input<'_>) -> Option<Effective> {
    let maps: Vec<&Map> = input.files.iter().flat_map(|(_, f)| &f.maps).collect();
    if maps.iter().all(|m| m.extends.is_none()) {
        return None;
    }
    let mut report = Report::new(input.sources);
    let base = bases(&maps, &mut report);
    let file_of: Vec<FileId> = input.files.iter().flat_map(|(id, f)| f.maps.iter().map(move |_| *id)).collect();
    let mut made_of = MadeOf::default();
    let mut applied: Vec<Option<Map>> = vec![];
    for (i, map) in maps.iter().enumerate() {
        let chain = chain(&base, i);
        for other in chain.iter().flatten().map(|c| file_of[*c]).filter(|f| *f != file_of[i]) {
            made_of.entry(file_of[i]).or_default().push(other);
        }
        let extended = base.contains(&Base::Map(i));
        applied.push(match &map.extends {
            _ if extended => None,
            None => Some((*map).clone()),
            Some(_) => Some(match chain {
                Some(chain) => fold(input, &maps, &chain, &mut report),
                // What is wrong was said; nothing more is made of it.
                None => Map { name: map.name.clone(), extends: map.extends.clone(), at: map.at, ..Map::default() },
            }),
        });
    }
    let mut applied = applied.into_iter();
    let files = input.files.iter().map(|(id, f)| {
        let maps = applied.by_ref().take(f.maps.len()).flatten().collect();
        (*id, Arc::new(File { values: f.values.clone(), maps, end: f.end.clone() }))
    });
    Some(Effective { files: files.collect(), findings: report.findings, made_of })
}

/// The id under which a map of these stands in the project: of an overlay, that of the map at the end of its chain.
pub fn id_of<'a>(maps: &[&'a Map], map: &'a Map) -> Option<&'a str> {
    let mut map = map;
    // A chain is no longer than there are maps, unless it goes in a circle.
    for _ in 0..=maps.len() {
        let Some(base) = &map.extends else { return map.id.as_ref().map(|n| n.it.as_str()) };
        map = find(maps, map, &base.text).and_then(|i| maps.get(i))?;
    }
    None
}

/// Notes at each `set` of an overlay which line of its base it replaces now. `input` is the project that the overlay is
/// part of; what its base lacks is left as it is.
pub fn note_replaced(input: &Input<'_>, over: &mut Map) {
    let Some(name) = over.extends.clone() else { return };
    let maps: Vec<&Map> = input.files.iter().flat_map(|(_, f)| &f.maps).collect();
    let mut unsaid = Report::new(input.sources);
    let base = bases(&maps, &mut unsaid);
    let of = maps.iter().position(|m| m.id.as_ref().is_some_and(|n| n.it == name.text));
    let Some(chain) = of.and_then(|i| chain(&base, i)) else { return };
    let mut map = fold(input, &maps, &chain, &mut unsaid);
    let fold = [Side::Left, Side::Right].map(|side| folds(input, &map, side));
    let edits = Edits::new(input, &mut map, fold, &mut unsaid);
    for edit in &mut over.edits {
        let Edit::Set(line, was) = edit else { continue };
        let Some(mut now) = edits.replaced(line) else { continue };
        now.trivia = was.take().map_or(Trivia::default(), |w| w.trivia);
        *was = Some(Box::new(now));
    }
}

/// Which map an overlay stands on.
#[derive(Clone, Copy, PartialEq)]
enum Base {
    /// It is no overlay.
    None,
    /// This one.
    Map(usize),
    /// There is none that it could stand on.
    Wrong,
}

/// The map of an id, other than the one that asks for it.
fn find(maps: &[&Map], by: &Map, id: &str) -> Option<usize> {
    maps.iter().position(|m| !std::ptr::eq(*m, by) && m.id.as_ref().is_some_and(|n| n.it == id))
}

fn bases(maps: &[&Map], report: &mut Report<'_>) -> Vec<Base> {
    let mut base: Vec<Base> = vec![];
    for (own, map) in maps.iter().enumerate() {
        let Some(name) = &map.extends else {
            base.push(Base::None);
            continue;
        };
        own_id(maps, own, report);
        let Some(i) = find(maps, map, &name.text) else {
            let itself = map.id.as_ref().is_some_and(|n| n.it == name.text);
            let known = maps.iter().filter(|m| !std::ptr::eq(**m, *map)).filter_map(|m| m.id.as_ref());
            match itself {
                true => report.add(circle(map, &format!("{0} → {0}", name.text))),
                false => report.unknown(
                    Code::TM0213,
                    name.at,
                    format!("no map of this project has the id `{}`, so there is nothing to extend", name.text),
                    &name.text,
                    known.map(|n| n.it.as_str()),
                ),
            }
            base.push(Base::Wrong);
            continue;
        };
        let first = base.iter().position(|b| *b == Base::Map(i));
        if let Some(first) = first.and_then(|f| maps[f].extends.as_ref()) {
            let message = format!("another overlay extends `{}` already, and only one can take its place", name.text);
            report.add(
                Diagnostic::new(Code::TM0216, name.at.0, message)
                    .related(first.at.0, "the other one")
                    .help("give one of the two an `id`, and let the other extend that; or make one of both"),
            );
            base.push(Base::Wrong);
            continue;
        }
        base.push(Base::Map(i));
    }
    circles(maps, &mut base, report);
    base
}

/// The id of an overlay is for overlays of it; it must not be another map's. Of two overlays the second is told of.
fn own_id(maps: &[&Map], own: usize, report: &mut Report<'_>) {
    let Some(id) = &maps[own].id else { return };
    let first = maps.iter().enumerate().find(|(i, m)| {
        let before = m.extends.is_none() || *i < own;
        before && *i != own && m.id.as_ref().is_some_and(|n| n.it == id.it)
    });
    let Some(there) = first.and_then(|(_, m)| m.id.as_ref()) else { return };
    report.add(
        Diagnostic::new(Code::TM0208, id.at.0, format!("another map has the id `{}`", id.it))
            .related(there.at.0, "here")
            .help("leave `id` out: an overlay stands in the project under its base's id"),
    );
}

fn circle(map: &Map, path: &str) -> Diagnostic {
    let at = map.extends.as_ref().map_or(map.at, |n| n.at);
    Diagnostic::new(Code::TM0215, at.0, format!("overlays go in a circle: {path}"))
        .help("one of them must extend a map that is no overlay")
}

fn circles(maps: &[&Map], base: &mut [Base], report: &mut Report<'_>) {
    for i in 0..maps.len() {
        let mut path = vec![i];
        while let Some(Base::Map(next)) = path.last().and_then(|l| base.get(*l)).copied() {
            path.push(next);
            if next == i || path.len() > maps.len() {
                break;
            }
        }
        if path.len() > 1 && path.last() == Some(&i) {
            let names: Vec<&str> = path.iter().map(|m| maps[*m].id.as_ref().map_or("", |n| n.it.as_str())).collect();
            report.add(circle(maps[i], &names.join(" → ")));
            // Those that lead into it come to nothing with it.
            path.iter().for_each(|m| base[*m] = Base::Wrong);
        }
    }
}

/// From the map at the end to this one; none if something on the way is wrong.
fn chain(base: &[Base], of: usize) -> Option<Vec<usize>> {
    let mut chain = vec![of];
    loop {
        match base.get(*chain.last()?)? {
            Base::None => break,
            Base::Wrong => return None,
            Base::Map(next) => chain.push(*next),
        }
    }
    chain.reverse();
    Some(chain)
}

fn fold(input: &Input<'_>, maps: &[&Map], chain: &[usize], report: &mut Report<'_>) -> Map {
    let mut steps = chain.iter().map(|i| maps[*i]);
    let mut map = steps.next().cloned().unwrap_or_default();
    let mut wrong = None;
    for over in steps {
        report.failed = false;
        map = apply(input, map, over, report);
        if report.failed {
            wrong = over.extends.clone();
        }
    }
    map.extends = wrong;
    map
}

/// The base with what the overlay says instead.
fn apply(input: &Input<'_>, mut map: Map, over: &Map, report: &mut Report<'_>) -> Map {
    // Whoever adds a part to maps is sent here.
    #[rustfmt::skip]
    let Map {
        name: _, extends: _, id: _, version: _, labels: _, tables: _, operations: _, direct: _, guard: _, company: _,
        key: _, filter: _, on_exit: _, needs: _, initial: _, conflict: _, run: _, fields: _, fields_trivia: _,
        fields_end: _, tests: _, edits: _, at: _, trivia: _, end: _,
    } = over;
    map.at = over.at;
    if over.name.is_some() {
        map.name.clone_from(&over.name);
    }
    macro_rules! restate {
        ($($field:ident),*) => { $(if over.$field.is_some() { map.$field.clone_from(&over.$field); })* };
    }
    restate!(version, tables, company, needs, initial, conflict, run);
    by(&mut map.labels, &over.labels, |(language, _)| language.clone());
    by(&mut map.operations, &over.operations, |n| n.0);
    by(&mut map.direct, &over.direct, |n| n.0);
    by(&mut map.guard, &over.guard, |n| n.0);
    by(&mut map.filter, &over.filter, |n| n.0);
    by(&mut map.on_exit, &over.on_exit, |n| n.0);
    if !over.key.is_empty() {
        map.key.clone_from(&over.key);
    }
    for line in &over.fields {
        report.help(
            Code::TM0115,
            line.at,
            "in an overlay a line says whether it replaces one of the base or comes to them",
            "write `set LINE` or `add LINE` outside of `fields`",
        );
    }
    let fold = [Side::Left, Side::Right].map(|side| folds(input, &map, side));
    Edits::new(input, &mut map, fold, report).apply(&over.edits);
    for test in &over.tests {
        match map.tests.iter_mut().find(|t| t.name.text == test.name.text) {
            Some(same) => same.clone_from(test),
            None => map.tests.push(test.clone()),
        }
    }
    map
}

/// Replaces what is stated for the same side or language.
fn by<T: Clone, K: PartialEq>(base: &mut Vec<Node<T>>, over: &[Node<T>], key: impl Fn(&T) -> K) {
    for node in over {
        match base.iter_mut().find(|b| key(&b.it) == key(&node.it)) {
            Some(same) => same.clone_from(node),
            None => base.push(node.clone()),
        }
    }
}

/// Whether names of that side match without regard to case.
fn folds(input: &Input<'_>, map: &Map, side: Side) -> bool {
    let Some(tables) = &map.tables else { return false };
    let store = if side == Side::Left { &tables.it.left.store } else { &tables.it.right.store };
    input.stores.iter().any(|(n, s)| *n == store.text && s.case_insensitive_names)
}

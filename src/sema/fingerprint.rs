//! A hash of what a map means: layout, comments, labels, tests and versions do not count, schemas do.

use super::env::Env;
use super::ir::Leg;
use super::line::pairs_of;
use super::related::Related;
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::source::At;
use crate::syntax::ast::{File, Line, LineValues, Map, Name, Pairs, Trivia, ValuesDecl};
use crate::syntax::dsl;
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The hash, in hexadecimal.
pub(crate) fn fingerprint(env: &Env<'_>, legs: &[Option<&Leg>]) -> String {
    // The canonical text says all that a tree says, and nothing of where it was written.
    let mut file = File { maps: vec![meaning(env.map)], ..File::default() };
    for line in env.map.key.iter().chain(&env.map.fields) {
        if let (Some(LineValues::Named(name)), Some((pairs, _, _, false))) = (&line.values, pairs_of(env, line)) {
            let mut pairs = pairs.clone();
            strip_pairs(&mut pairs);
            let (at, trivia) = (At::default(), Trivia::default());
            file.values.push(ValuesDecl { name: name.clone(), pairs, at, trivia });
        }
    }
    let mut text = dsl::write(&file);
    for leg in legs.iter().flatten() {
        let (source, target) = (env.side(leg.into.other()), env.side(leg.into));
        let _ = write!(text, "{}>{}", source.name(), target.name());
        for (from, column) in &leg.read.columns {
            let table = if *from == 0 { leg.read.table } else { leg.read.joins[*from - 1].table };
            tell(&mut text, source.schema, table, *column);
        }
        related(&mut text, source.schema, &leg.related);
        for line in &leg.lines {
            let _ = write!(text, "{}:{:?}", line.column, line.ty);
        }
        for c in &leg.key {
            tell(&mut text, target.schema, target.id(), *c);
        }
    }
    let digest = Sha256::digest(text.as_bytes());
    digest.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
}

fn related(text: &mut String, schema: &StoreSchema, all: &[Related]) {
    for r in all {
        for (from, column) in &r.read.columns {
            let join = from.checked_sub(1).and_then(|j| r.read.joins.get(j));
            tell(text, schema, join.map_or(r.read.table, |j| j.table), *column);
        }
        related(text, schema, &r.related);
    }
}

fn tell(text: &mut String, schema: &StoreSchema, table: TableId, column: ColumnId) {
    let t = schema.get(table);
    let c = t.column(column);
    let _ = write!(text, "{}.{}:{:?},{:?},{:?};", t.name, c.name, c.ty, c.collation, c.blank);
}

/// The map without what has no meaning.
fn meaning(map: &Map) -> Map {
    let mut m = map.clone();
    m.name = m.name.map(|n| Name { text: String::new(), at: n.at });
    m.version = None;
    m.labels.clear();
    m.tests.clear();
    (m.trivia, m.end) = (Trivia::default(), Trivia::default());
    (m.fields_trivia, m.fields_end) = (Trivia::default(), Trivia::default());
    m.key.iter_mut().chain(&mut m.fields).for_each(strip);
    macro_rules! bare {
        ($($field:ident),*) => { $(m.$field.iter_mut().for_each(|n| n.trivia = Trivia::default());)* };
    }
    bare!(id, tables, operations, direct, guard, company, filter, on_exit, needs, initial, conflict, run);
    for o in &mut m.operations {
        o.it.1.iter_mut().for_each(|n| n.trivia = Trivia::default());
    }
    m
}

fn strip(line: &mut Line) {
    line.trivia = Trivia::default();
    if let Some(LineValues::Inline(p)) = &mut line.values {
        strip_pairs(p);
    }
}

fn strip_pairs(pairs: &mut Pairs) {
    pairs.end = Trivia::default();
    pairs.pairs.iter_mut().for_each(|p| p.trivia = Trivia::default());
}

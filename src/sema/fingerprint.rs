//! A hash of what a map means: layout, comments, labels, tests and versions do not count, schemas do.

use super::env::Env;
use super::ir::Leg;
use super::line::pairs_of;
use crate::schema::{ColumnId, StoreSchema, TableId};
use crate::source::At;
use crate::syntax::ast::{Line, LineValues, Map, Name, Pair, Pairs, Trivia};
use sha2::{Digest, Sha256};
use std::fmt::Write;

/// The hash, in hexadecimal.
pub(crate) fn fingerprint(env: &Env<'_>, legs: &[Option<&Leg>]) -> String {
    let mut text = String::new();
    let map = meaning(env.map);
    let _ = write!(text, "{map:?}");
    for line in env.map.key.iter().chain(&env.map.fields) {
        if let Some((pairs, _, _, false)) = pairs_of(env, line) {
            let mut pairs = pairs.clone();
            strip_pairs(&mut pairs);
            let _ = write!(text, "{pairs:?}");
        }
    }
    for leg in legs.iter().flatten() {
        let (source, target) = (env.side(leg.into.other()), env.side(leg.into));
        let _ = write!(text, "{}>{}", source.name(), target.name());
        for (from, column) in &leg.read.columns {
            let table = if *from == 0 { leg.read.table } else { leg.read.joins[*from - 1].table };
            tell(&mut text, source.schema, table, *column);
        }
        for line in &leg.lines {
            let _ = write!(text, "{}:{:?}", line.column, line.ty);
        }
        for c in &leg.key {
            tell(&mut text, target.schema, target.id(), *c);
        }
    }
    let digest = Sha256::digest(without_places(&text).as_bytes());
    digest.iter().fold(String::new(), |mut s, b| {
        let _ = write!(s, "{b:02x}");
        s
    })
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
    if let Some(c) = &mut m.company {
        c.it.sign.doubled = false;
    }
    for o in &mut m.operations {
        o.it.1.iter_mut().for_each(|n| n.trivia = Trivia::default());
    }
    m
}

fn strip(line: &mut Line) {
    line.trivia = Trivia::default();
    line.sign.doubled = false;
    if let Some(LineValues::Inline(p)) = &mut line.values {
        strip_pairs(p);
    }
}

fn strip_pairs(pairs: &mut Pairs) {
    pairs.end = Trivia::default();
    pairs.at = At::default();
    for p in &mut pairs.pairs {
        p.trivia = Trivia::default();
        match &mut p.it {
            Pair::Of { sign, .. } | Pair::Else { sign: Some(sign), .. } => sign.doubled = false,
            Pair::Else { sign: None, .. } => {}
        }
    }
}

/// Takes out the places that nodes print (`@12..34`).
fn without_places(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(i) = rest.find('@') {
        out.push_str(&rest[..=i]);
        rest = rest[i + 1..].trim_start_matches(|c: char| c.is_ascii_digit());
        rest = rest.strip_prefix("..").unwrap_or(rest).trim_start_matches(|c: char| c.is_ascii_digit());
    }
    out.push_str(rest);
    out
}

//! TM0902 to TM0905: whether a two-way line gives every value back that it takes, with a value that it does not.

use crate::diagnostic::{Code, Diagnostic};
use crate::schema::StoreSchema;
use crate::sema::round_trip::{Cause, Loss, Way, judge, origin, pairs, shown};
use crate::sema::{CheckedMap, CheckedProject, Input, Line};
use crate::source::At;
use crate::syntax::ast::{self, LineValues, LiteralKind, Pair, Pairs, Side};
use crate::value::{Literal, Type, Value, literal};

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    project.maps.iter().flat_map(|map| in_map(input, project, map)).collect()
}

fn in_map(input: &Input<'_>, project: &CheckedProject, map: &CheckedMap) -> Vec<Diagnostic> {
    let (Some(into_left), Some(into_right)) = (&map.into_left, &map.into_right) else { return vec![] };
    let left: &StoreSchema = &input.stores[map.left.store].1;
    let right: &StoreSchema = &input.stores[map.right.store].1;
    let mut out = vec![];
    for (_, a, b) in pairs(into_left, into_right).filter(|(_, a, b)| !a.exact || !b.exact) {
        let ways = (Way { leg: into_left, line: a, source: right }, Way { leg: into_right, line: b, source: left });
        let Err(Some(loss)) = judge(&project.context, ways.0, ways.1) else { continue };
        let (Some(l), Some(r)) = (origin(left, into_right, &b.value), origin(right, into_left, &a.value)) else {
            continue;
        };
        let (here, other) = match loss.from {
            Side::Left => (l.column, r.column),
            Side::Right => (r.column, l.column),
        };
        out.push(told(input, a, &loss, (&here.ty, &here.name), (&other.ty, &other.name)));
    }
    out
}

fn told(input: &Input<'_>, line: &Line, loss: &Loss, here: (&Type, &str), other: (&Type, &str)) -> Diagnostic {
    let value = shown(&loss.value, here.0);
    let there = shown(&loss.there, other.0);
    let back = loss.back.as_ref().map_or_else(|_| String::new(), |v| shown(v, here.0));
    let pairs = pairs_at(input, line.at);
    let pair = pairs.as_ref().and_then(|(p, _)| pair_of(p, loss.from, &loss.value, here.0));
    let first = pairs.as_ref().and_then(|(p, _)| match &loss.back {
        Ok(v) => pair_of(p, loss.from, v, here.0),
        Err(_) => None,
    });
    let at = match (&loss.cause, &pairs) {
        (Cause::ValueMap | Cause::Refused, Some((_, true))) => pair.unwrap_or(line.at),
        _ => line.at,
    };
    let (code, message, help) = match (loss.cause, &loss.back) {
        (Cause::ValueMap, _) if first.is_some() && *value != *back => (
            Code::TM0902,
            format!("{back} and {value} both become {there}; back, {there} becomes {back}"),
            "give each value its own on the other side; if this is meant, say so: `# allow TM0902: reason`",
        ),
        (Cause::ValueMap, _) => (
            Code::TM0902,
            format!("{value} becomes {there}; back, {there} becomes {back}"),
            "give each value its own on the other side; if this is meant, say so: `# allow TM0902: reason`",
        ),
        (Cause::Form, _) => (
            Code::TM0903,
            format!("{value} becomes {there}, and comes back as {back}"),
            "write one line for each direction, or let only one side be changed",
        ),
        (Cause::Case, _) => (
            Code::TM0903,
            format!(
                "{value} finds the row {there}, since `{}` compares without case, and comes back as {back}",
                other.1
            ),
            "let both columns compare alike: `collation: case-insensitive` in the schema",
        ),
        (Cause::Blank, _) => (
            Code::TM0904,
            format!("{value} in `{}` comes back as {back}: it is what stands for nothing in `{}`", here.1, other.1),
            "give both columns one `blank` in their schemas, or write one line for each direction",
        ),
        (Cause::Refused, back) => (
            Code::TM0905,
            format!(
                "{value} becomes {there}, which has no way back: {}",
                back.as_ref().err().map_or("", String::as_str)
            ),
            "add what is missing for the way back, or write one line for each direction",
        ),
    };
    let mut d = Diagnostic::new(code, at.0, message).help(help);
    if let Some(first) = first.filter(|f| loss.cause == Cause::ValueMap && f.0 != at.0) {
        d = d.related(first.0, format!("back, it is {back}"));
    }
    d
}

/// The value map of the line whose operands stand there, and whether it is the line's own.
fn pairs_at<'a>(input: &'a Input<'_>, at: At) -> Option<(&'a Pairs, bool)> {
    let maps = input.files.iter().flat_map(|(_, f)| &f.maps);
    let mut lines = maps.flat_map(|m| m.key.iter().chain(&m.fields));
    match lines.find(|l| (l.left.at.0.file, l.left.at.0.start) == (at.0.file, at.0.start))?.values.as_ref()? {
        LineValues::Inline(p) => Some((p, true)),
        LineValues::Named(n) => {
            let mut all = input.files.iter().flat_map(|(_, f)| &f.values);
            all.find(|v| v.name.text == n.text).map(|v| (&v.pairs, false))
        }
    }
}

/// The pair that says what a value of a side becomes.
fn pair_of(pairs: &Pairs, from: Side, value: &Value, ty: &Type) -> Option<At> {
    pairs.pairs.iter().find_map(|p| {
        let Pair::Of { left, sign, right } = &p.it else { return None };
        let l = if from == Side::Left { left } else { right };
        (sign.flow.into(from.other()) && literal(plain(l), ty).as_ref() == Ok(value)).then_some(p.at)
    })
}

fn plain(l: &ast::Literal) -> Literal<'_> {
    match &l.kind {
        LiteralKind::Text(t) => Literal::Text(t),
        LiteralKind::Number(n) => Literal::Number(n),
        LiteralKind::Boolean(b) => Literal::Boolean(*b),
        LiteralKind::Null => Literal::Null,
    }
}

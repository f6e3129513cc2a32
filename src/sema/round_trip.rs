//! Whether a two-way line gives every value back that it takes, or which one it does not: the line's own expressions
//! are evaluated there and back, so what is shown is true.
//!
//! Complete where the values that matter can be listed: value maps over anything, choices, booleans, plain lines. Of a
//! pipe the function promises that its inverse gives back what went in; the other way round values are tried at which
//! functions are known to lose (`'007'`, `1.50`, a time of day, letters' case).

use super::expr::Expr;
use super::ir::{Leg, Line, LineTarget};
use super::samples::{named, samples, valid};
use crate::function::Context;
use crate::schema::{Column, StoreSchema};
use crate::syntax::ast::Side;
use crate::value::{Collation, Type, Value, compare, convert};
use std::sync::Arc;

/// Why a value does not come back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A value map makes it one with another.
    ValueMap,
    /// It comes back in another form.
    Form,
    /// It stands for nothing on the other side.
    Blank,
    /// The row it finds is written in other letters.
    Case,
    /// It arrives, and what it became has no way back.
    Refused,
}

/// A value that does not come back.
#[derive(Clone, Debug)]
pub struct Loss {
    /// The side it starts from.
    pub from: Side,
    /// Why.
    pub cause: Cause,
    /// The value.
    pub value: Value,
    /// What it becomes on the other side.
    pub there: Value,
    /// What comes back, or why nothing does.
    pub back: Result<Value, String>,
    /// How many more values of those that were tried have the same fate.
    pub more: usize,
}

/// What a line reads, if that is one column.
#[derive(Clone, Copy, Debug)]
pub struct Origin<'a> {
    /// The cell.
    pub cell: usize,
    /// The column.
    pub column: &'a Column,
    /// Whether it is reached through a lookup.
    pub looked_up: bool,
}

/// The one column that a line's value depends on.
pub fn origin<'a>(schema: &'a StoreSchema, leg: &Leg, value: &Expr) -> Option<Origin<'a>> {
    let mut cells = vec![];
    read_cells(value, &mut cells);
    cells.sort_unstable();
    cells.dedup();
    // Alternatives of one path are one origin, the first.
    let cell = match (cells.as_slice(), value_path(value)) {
        (_, Some(first)) => first,
        ([one], None) => *one,
        _ => return None,
    };
    let (from, id) = leg.read.columns.get(cell)?;
    let table = if *from == 0 { leg.read.table } else { leg.read.joins.get(*from - 1)?.table };
    Some(Origin { cell, column: schema.get(table).column(*id), looked_up: *from != 0 })
}

/// The first cell of the only path below, where that has alternatives.
fn value_path(e: &Expr) -> Option<usize> {
    match e {
        Expr::FirstFound(ways) => ways.first().map(|(_, c)| *c),
        Expr::Convert(x, _) | Expr::Default(x, _) => value_path(x),
        Expr::Map(m) => value_path(&m.of),
        Expr::Call(_, items) => match items.as_slice() {
            [x, rest @ ..] if rest.iter().all(|r| matches!(r, Expr::Constant(_))) => value_path(x),
            _ => None,
        },
        _ => None,
    }
}

/// The cells an expression reads.
pub fn read_cells(e: &Expr, out: &mut Vec<usize>) {
    let mut copy = e.clone();
    copy.each_mut(&mut |x| match x {
        Expr::Slot(i) => out.push(*i),
        Expr::FirstFound(ways) => out.extend(ways.iter().map(|(_, c)| *c)),
        _ => {}
    });
}

/// A line's value for a row in which these cells are filled and every looked-up row is there; in the form of its
/// column. The error is the reason in words.
pub fn run(context: &Context, leg: &Leg, line: &Line, cells: &[(usize, Value)]) -> Result<Value, String> {
    let width = leg.read.columns.len();
    let mut row = vec![Value::Null; width + leg.read.joins.len() + leg.related.len()];
    row.iter_mut().skip(width).take(leg.read.joins.len()).for_each(|flag| *flag = Value::Boolean(true));
    for (cell, v) in cells {
        if let Some(c) = row.get_mut(*cell) {
            *c = v.clone();
        }
    }
    let value = line.value.eval(context, &row).map_err(|e| e.reason)?;
    convert(value.into_owned(), &line.ty)
}

/// What a column gives back of what is written into it; the other letters of the row found where it is looked up.
fn stored(at: &Origin<'_>, value: Value, letters: bool) -> Value {
    if at.column.blank.as_ref() == Some(&value) {
        return Value::Null;
    }
    if !letters {
        return value;
    }
    match value {
        Value::Text(t) if t.bytes().any(|b| b.is_ascii_lowercase()) => Value::text(t.to_ascii_uppercase()),
        Value::Text(t) => Value::text(t.to_ascii_lowercase()),
        other => other,
    }
}

/// Whether a column holds the same: nothing and the empty text are both nothing.
fn same(a: &Value, b: &Value, collation: Collation) -> bool {
    let nothing = |v: &Value| v.is_null() || matches!(v, Value::Text(t) if t.is_empty());
    a == b || (nothing(a) && nothing(b)) || compare(a, b, collation).is_some_and(std::cmp::Ordering::is_eq)
}

/// One direction of a two-way line.
#[derive(Clone, Copy)]
pub struct Way<'a> {
    /// Its leg.
    pub leg: &'a Leg,
    /// The line in it.
    pub line: &'a Line,
    /// The schema of the store it reads.
    pub source: &'a StoreSchema,
}

impl<'a> Way<'a> {
    fn origin(&self) -> Option<Origin<'a>> {
        origin(self.source, self.leg, &self.line.value)
    }
}

/// A value that a two-way line does not give back, if there is one. Lines that are not understood count as losing.
pub fn judge(context: &Context, into_left: Way<'_>, into_right: Way<'_>) -> Result<(), Option<Box<Loss>>> {
    let (Some(left), Some(right)) = (into_right.origin(), into_left.origin()) else { return Err(None) };
    let mut extra = vec![];
    let plain = [into_left, into_right].iter().all(|w| bare(&w.line.value));
    if !plain {
        named(&into_left.line.value, &mut extra);
        named(&into_right.line.value, &mut extra);
    }
    let trips =
        [(Side::Left, &left, &right, into_right, into_left), (Side::Right, &right, &left, into_left, into_right)];
    for (from, here, other, there, back) in trips {
        let mut values = if plain { plain_values(here, other) } else { samples(&here.column.ty) };
        values.extend(extra.iter().filter(|v| valid(v, &here.column.ty)).cloned());
        // What becomes the other side's blank.
        let blank = other.column.blank.iter();
        values.extend(blank.clone().filter(|v| valid(v, &here.column.ty)).cloned());
        let before = blank.filter_map(|b| run(context, back.leg, back.line, &[(other.cell, b.clone())]).ok());
        values.extend(before.filter(|v| !v.is_null()));
        if !here.column.required || here.column.blank.is_some() {
            values.push(Value::Null);
        }
        values.retain(|v| here.column.blank.as_ref() != Some(v));
        let found: Vec<Loss> =
            values.into_iter().filter_map(|v| trip(context, from, here, other, there, back, v)).collect();
        let more = found.len().saturating_sub(1);
        // What comes back as something else says more than what is refused.
        let first = found.iter().position(|l| l.cause != Cause::Refused).unwrap_or(0);
        if let Some(loss) = found.into_iter().nth(first) {
            return Err(Some(Box::new(Loss { more, ..loss })));
        }
    }
    Ok(())
}

/// Of a line that passes values as they are, only these can be lost.
fn plain_values(here: &Origin<'_>, other: &Origin<'_>) -> Vec<Value> {
    let mut values: Vec<Value> = other.column.blank.iter().filter(|v| valid(v, &here.column.ty)).cloned().collect();
    if other.looked_up && other.column.collation == Collation::NoCase && matches!(here.column.ty, Type::Text { .. }) {
        values.extend(samples(&here.column.ty).into_iter().take(3));
    }
    // The blank of a decimal is 0 too where the other side counts in integers.
    if let (Some(Value::Integer(0) | Value::Decimal(_)), Type::Integer | Type::Decimal { .. }) =
        (&other.column.blank, &here.column.ty)
    {
        values.extend(samples(&here.column.ty));
    }
    values
}

fn bare(e: &Expr) -> bool {
    match e {
        Expr::Slot(_) | Expr::FirstFound(_) => true,
        Expr::Convert(x, _) => bare(x),
        _ => false,
    }
}

fn trip(
    context: &Context,
    from: Side,
    here: &Origin<'_>,
    other: &Origin<'_>,
    there: Way<'_>,
    back: Way<'_>,
    value: Value,
) -> Option<Loss> {
    // A value that does not get there at all is told of where it fails, and is not lost.
    let arrived = run(context, there.leg, there.line, &[(here.cell, value.clone())]).ok()?;
    if arrived.is_null() && !there.line.nullable {
        return None;
    }
    let through = matches!(there.line.target, LineTarget::Reference(_)) && other.looked_up;
    let letters = through && other.column.collation == Collation::NoCase;
    let kept = stored(other, arrived.clone(), letters);
    let swallowed = kept.is_null() && !arrived.is_null();
    let returned = run(context, back.leg, back.line, &[(other.cell, kept.clone())])
        .and_then(|v| if v.is_null() && !back.line.nullable { Err("it would be null".into()) } else { Ok(v) });
    let returned = returned.map(|v| stored(here, v, false));
    if let Ok(v) = &returned
        && same(v, &value, here.column.collation)
    {
        return None;
    }
    let mapped = matches!(there.line.value, Expr::Map(_)) || matches!(back.line.value, Expr::Map(_));
    let cause = match &returned {
        _ if swallowed => Cause::Blank,
        Err(_) => Cause::Refused,
        Ok(v) if letters && same(v, &value, Collation::NoCase) => Cause::Case,
        Ok(_) if mapped => Cause::ValueMap,
        Ok(_) => Cause::Form,
    };
    Some(Loss { from, cause, value, there: if letters { kept } else { arrived }, back: returned, more: 0 })
}

/// Sets [`Line::exact`] of the two-way lines of a map.
pub(super) fn settle(
    context: &Context,
    left: (&StoreSchema, &mut Option<Leg>),
    right: (&StoreSchema, &mut Option<Leg>),
) {
    let ((left, Some(into_left)), (right, Some(into_right))) = (left, right) else { return };
    let verdicts: Vec<(usize, bool)> = pairs(into_left, into_right)
        .map(|(n, a, b)| {
            let into_left = Way { leg: into_left, line: a, source: right };
            let into_right = Way { leg: into_right, line: b, source: left };
            (n, judge(context, into_left, into_right).is_ok())
        })
        .collect();
    for line in into_left.lines.iter_mut().chain(&mut into_right.lines) {
        if let Some((_, exact)) = verdicts.iter().find(|(n, _)| Some(*n) == line.two_way) {
            line.exact = *exact;
        }
    }
}

/// The two-way lines of a map: number, into left, into right.
pub fn pairs<'a>(into_left: &'a Leg, into_right: &'a Leg) -> impl Iterator<Item = (usize, &'a Line, &'a Line)> {
    into_left.lines.iter().filter_map(|a| {
        let n = a.two_way?;
        Some((n, a, into_right.lines.iter().find(|b| b.two_way == Some(n))?))
    })
}

/// Two source rows whose keys differ, and become one.
#[derive(Clone, Debug)]
pub struct Merge<'a> {
    /// The source column in which they differ.
    pub column: &'a Column,
    /// The values in it.
    pub values: (Value, Value),
    /// What both become.
    pub becomes: Value,
    /// The line that makes them one (index in [`Leg::lines`]).
    pub line: usize,
}

/// Two values of one source column that the lines of the key make one, if there are such.
pub fn merged<'a>(context: &Context, leg: &Leg, source: &'a StoreSchema, target: &StoreSchema) -> Option<Merge<'a>> {
    let keys: Vec<(usize, &Line, Vec<usize>)> = leg
        .lines
        .iter()
        .enumerate()
        .filter(|(_, l)| l.key)
        .map(|(i, l)| {
            let mut cells = vec![];
            read_cells(&l.value, &mut cells);
            (i, l, cells)
        })
        .collect();
    let mut seen = vec![];
    for (i, _, cells) in &keys {
        for cell in cells {
            if seen.contains(cell) {
                continue;
            }
            seen.push(*cell);
            let (from, id) = leg.read.columns.get(*cell)?;
            let table = if *from == 0 { leg.read.table } else { leg.read.joins.get(*from - 1)?.table };
            let column = source.get(table).column(*id);
            let of: Vec<&(usize, &Line, Vec<usize>)> = keys.iter().filter(|(_, _, c)| c.contains(cell)).collect();
            if let Some(m) = merged_by(context, leg, &of, *cell, column, target) {
                return Some(Merge { line: if of.len() == 1 { *i } else { m.line }, ..m });
            }
        }
    }
    None
}

fn merged_by<'a>(
    context: &Context,
    leg: &Leg,
    lines: &[&(usize, &Line, Vec<usize>)],
    cell: usize,
    column: &'a Column,
    target: &StoreSchema,
) -> Option<Merge<'a>> {
    let mut values = samples(&column.ty);
    for (_, l, _) in lines {
        let mut more = vec![];
        named(&l.value, &mut more);
        values.extend(more.into_iter().filter(|v| valid(v, &column.ty)));
    }
    values.retain(|v| !v.is_null() && column.blank.as_ref() != Some(v));
    // The other cells of the key hold one and the same.
    let others: Vec<(usize, Value)> = lines
        .iter()
        .flat_map(|(_, _, cells)| cells)
        .filter(|c| **c != cell)
        .filter_map(|c| {
            let (from, id) = leg.read.columns.get(*c)?;
            (*from == 0).then_some(())?;
            let _ = id;
            Some((*c, Value::text("x")))
        })
        .collect();
    if !others.is_empty() {
        return None;
    }
    let mut known: Vec<(Value, Vec<Value>)> = vec![];
    for v in values {
        let got: Result<Vec<Value>, String> = lines
            .iter()
            .map(|(_, l, _)| {
                let out = run(context, leg, l, &[(cell, v.clone())])?;
                let end = end_column(leg, l, target);
                Ok(end.map_or(Collation::Exact, |c| c.collation).fold(&out))
            })
            .collect();
        let Ok(got) = got else { continue };
        if got.iter().any(Value::is_null) {
            continue;
        }
        let twin = known.iter().find(|(w, g)| {
            *g == got && !compare(w, &v, column.collation).is_some_and(std::cmp::Ordering::is_eq) && *w != v
        });
        if let Some((w, _)) = twin {
            let (index, line, _) = lines.first()?;
            let becomes = run(context, leg, line, &[(cell, w.clone())]).ok()?;
            return Some(Merge { column, values: (w.clone(), v), becomes, line: *index });
        }
        known.push((v, got));
    }
    None
}

/// Two rows of the source that differ in several columns of the key, and become one.
#[derive(Clone, Debug)]
pub struct Joint<'a> {
    /// The source columns.
    pub columns: Vec<&'a Column>,
    /// Their values in the two rows, in the same order.
    pub rows: (Vec<Value>, Vec<Value>),
    /// What both become.
    pub becomes: Value,
    /// The line that makes them one (index in [`Leg::lines`]).
    pub line: usize,
}

/// More columns than this are not tried together.
const TOGETHER: usize = 3;

/// Two rows that a line of the key makes one because it puts several columns into one value.
pub fn joined<'a>(context: &Context, leg: &Leg, source: &'a StoreSchema, target: &StoreSchema) -> Option<Joint<'a>> {
    let of = |l: &Line| {
        let mut cells = vec![];
        read_cells(&l.value, &mut cells);
        cells.sort_unstable();
        cells.dedup();
        cells
    };
    let keys: Vec<(usize, &Line, Vec<usize>)> =
        leg.lines.iter().enumerate().filter(|(_, l)| l.key).map(|(i, l)| (i, l, of(l))).collect();
    let (at, _, cells) = keys.iter().find(|(_, _, cells)| (2..=TOGETHER).contains(&cells.len()))?;
    // What other lines of the key say of these columns; those that read others too say more than can be tried.
    let lines: Vec<&Line> =
        keys.iter().filter(|(_, _, own)| own.iter().any(|c| cells.contains(c))).map(|(_, l, _)| *l).collect();
    if lines.iter().any(|l| of(l).iter().any(|c| !cells.contains(c))) {
        return None;
    }
    let own: Option<Vec<_>> = cells.iter().map(|c| leg.read.columns.get(*c).filter(|(from, _)| *from == 0)).collect();
    let own: Vec<_> = own?.into_iter().map(|(_, id)| *id).collect();
    let table = source.get(leg.read.table);
    let columns: Vec<&Column> = own.iter().map(|id| table.column(*id)).collect();
    // Rows that agree in a whole key of the source are one row. The company is a part of its own.
    let key = table.keys().find(|k| k.iter().all(|c| table.company == Some(*c) || own.contains(c)))?;
    let telling: Vec<usize> = (0..own.len()).filter(|i| key.contains(&own[*i])).collect();
    let mut rows: Vec<Vec<Value>> = vec![vec![]];
    for column in &columns {
        let values = few(column);
        rows = rows
            .iter()
            .flat_map(|row| values.iter().map(|v| row.iter().chain([v]).cloned().collect::<Vec<Value>>()))
            .collect();
    }
    let mut known: Vec<(Vec<Value>, Vec<Value>)> = vec![];
    for row in rows {
        let filled: Vec<(usize, Value)> = cells.iter().copied().zip(row.iter().cloned()).collect();
        let got: Result<Vec<Value>, String> = lines
            .iter()
            .map(|l| {
                let end = end_column(leg, l, target);
                Ok(end.map_or(Collation::Exact, |c| c.collation).fold(&run(context, leg, l, &filled)?))
            })
            .collect();
        let Ok(got) = got else { continue };
        if got.iter().any(Value::is_null) {
            continue;
        }
        let differs = |other: &[Value]| {
            telling
                .iter()
                .any(|i| compare(&other[*i], &row[*i], columns[*i].collation) != Some(std::cmp::Ordering::Equal))
        };
        if let Some((first, _)) = known.iter().find(|(first, g)| *g == got && differs(first)) {
            let becomes = run(context, leg, leg.lines.get(*at)?, &filled).ok()?;
            return Some(Joint { columns, rows: (first.clone(), row), becomes, line: *at });
        }
        known.push((row, got));
    }
    None
}

/// Values of a column that run into each other when they are put together.
fn few(column: &Column) -> Vec<Value> {
    let all: Vec<Value> = match &column.ty {
        Type::Text { .. } => ["1", "11", "111"].iter().map(Value::text).collect(),
        Type::Integer => [1, 2, 11].map(Value::Integer).to_vec(),
        ty => samples(ty),
    };
    let fits = |v: &Value| valid(v, &column.ty) && !v.is_null() && column.blank.as_ref() != Some(v);
    all.into_iter().filter(fits).take(6).collect()
}

/// The column that a line ends in: its own, or the one a reference is found by.
pub fn end_column<'a>(leg: &Leg, line: &Line, target: &'a StoreSchema) -> Option<&'a Column> {
    match line.target {
        LineTarget::Column(c) => Some(target.get(leg.target.table).column(c)),
        LineTarget::Reference(r) => {
            let index = leg.lines.iter().position(|l| std::ptr::eq(l, line))?;
            let to = leg.references.get(r)?.targets.first()?;
            let (c, _) = to.by.iter().find(|(_, i)| matches!(i, super::ir::ReferenceInput::Line(l) if *l == index))?;
            Some(target.get(to.table).column(*c))
        }
    }
}

/// A value as a map writes it: members by name, long texts cut.
pub fn shown(value: &Value, ty: &Type) -> String {
    let member = |c: &Arc<crate::value::Choice>, i: &i64| c.by_value(*i).map(|m| format!("'{}'", m.name));
    match (value, ty) {
        (Value::Integer(i), Type::Choice(c)) => member(c, i).unwrap_or_else(|| i.to_string()),
        (Value::Text(t), _) if t.chars().count() > 40 => {
            let start: String = t.chars().take(30).collect();
            format!("'{start}…' of {} characters", t.chars().count())
        }
        (Value::Date(_) | Value::DateTime(_) | Value::Uuid(_), _) => format!("'{value}'"),
        (v, _) => v.to_string(),
    }
}

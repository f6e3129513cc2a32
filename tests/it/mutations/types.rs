//! Mistakes in schemas and types, value maps, tails of lines.

use super::kinds::{behind, choice_end, insert, misspelt, plain_lines, points, quoted, rewritten, target};
use super::world::{Edit, M, Mutant, Want, World, range};
use std::ops::Range;
use tablemap::schema::{Column, ColumnId, Table};
use tablemap::source::At;
use tablemap::syntax::ast::{self, ElseAction, ExprKind, Flow, Line, Literal, LiteralKind, Operation, Pair, Side};
use tablemap::value::{DateTimeKind, Type};

/// The text behind `NAME:` of a column in its schema, to the line's end or comment.
fn definition(w: &World, store: usize, c: &Column) -> Option<Range<usize>> {
    let text = &w.files[store].text;
    let from = c.span.end as usize + 1;
    let line = text[from..].split('\n').next().unwrap_or("");
    let code = line.split("  #").next().unwrap_or(line).trim_end();
    let lead = code.len() - code.trim_start().len();
    (!code.trim().is_empty()).then_some(from + lead..from + code.len())
}

fn attribute(w: &World, store: usize, c: &Column, attribute: &str) -> Option<Edit> {
    let r = definition(w, store, c)?;
    let old = w.text(store, r.clone());
    let with = match old.strip_prefix('{') {
        Some(rest) => format!("{{ {attribute},{rest}"),
        None => format!("{{ type: \"{old}\", {attribute} }}"),
    };
    Some(Edit { file: store, at: r, with })
}

/// The schema with another type for a column whose type is written as `old(…)`.
fn retyped(w: &World, store: usize, c: &Column, old: &str, new: &str) -> Option<Edit> {
    let r = definition(w, store, c)?;
    let text = w.text(store, r.clone());
    let at = text.find(old)?;
    let end = if text[at + old.len()..].starts_with('(') { at + text[at..].find(')')? + 1 } else { at + old.len() };
    // Decimals stand in quotes inside of braces.
    let quoted = text[..at].ends_with('"');
    let with = if quoted || !text.starts_with('{') { new.to_string() } else { format!("\"{new}\"") };
    Some(Edit { file: store, at: r.start + at..r.start + end, with })
}

/// Columns that are in no key, no lookup and no company, so that only lines care for their type.
fn free(t: &Table, id: ColumnId) -> bool {
    !t.keys().flatten().any(|k| *k == id)
        && t.company != Some(id)
        && !t.lookups.iter().any(|l| l.targets.iter().any(|x| x.columns.contains(&id)) || l.type_column == Some(id))
}

/// Every line's end that is written, with the leg's side: plain columns only.
fn written<'a>(w: &'a World) -> Vec<(M<'a>, &'a Line, Side, ColumnId, &'a Column)> {
    let mut out = vec![];
    for m in w.maps() {
        for l in &m.map.fields {
            for side in m.legs().into_iter().filter(|s| l.sign.flow.into(*s)) {
                if let Some(e) = choice_end(&m, l, side).filter(|e| e.steps == 1 && free(m.side(side).it(), e.id)) {
                    let column = m.side(side).schema.get(e.table).column(e.id);
                    out.push((m, l, side, e.id, column));
                }
            }
        }
    }
    out
}

fn at_line(m: &M<'_>, l: &Line) -> Want {
    Want::Lines(vec![(m.file, range(l.at))])
}

pub fn read_only(w: &World) -> Vec<Mutant> {
    let planted = |(m, l, side, _, c): (M<'_>, &Line, Side, ColumnId, &Column)| {
        let edit = attribute(w, m.side(side).store, c, "read_only: true")?;
        Some(Mutant { edits: vec![edit], more: None, want: at_line(&m, l) })
    };
    written(w).into_iter().filter_map(planted).collect()
}

pub fn create_only(w: &World) -> Vec<Mutant> {
    let planted = |(m, l, side, _, c): (M<'_>, &Line, Side, ColumnId, &Column)| {
        if l.once || !m.may(side, Operation::Update) {
            return None;
        }
        let edit = attribute(w, m.side(side).store, c, "create_only: true")?;
        Some(Mutant { edits: vec![edit], more: None, want: at_line(&m, l) })
    };
    written(w).into_iter().filter_map(planted).collect()
}

/// Lines that carry a column to a column as it is, with both.
fn carried<'a>(w: &'a World) -> Vec<(M<'a>, &'a Line, Side, &'a Column, &'a Type)> {
    let plain = |l: &Line| l.pipes.is_empty() && l.values.is_none() && l.default.is_none();
    let mut out = vec![];
    for (m, l, side, _, c) in written(w) {
        if plain(l)
            && let Some(from) = choice_end(&m, l, side.other())
        {
            out.push((m, l, side, c, &m.side(side.other()).schema.get(from.table).column(from.id).ty));
        }
    }
    out
}

fn narrowed(w: &World, new: impl Fn(&Type, &Type) -> Option<(&'static str, String)>) -> Vec<Mutant> {
    let mut out = vec![];
    for (m, l, side, c, from) in carried(w) {
        if let Some((old, new)) = new(from, &c.ty)
            && let Some(edit) = retyped(w, m.side(side).store, c, old, &new)
        {
            out.push(Mutant { edits: vec![edit], more: None, want: at_line(&m, l) });
        }
    }
    out
}

pub fn text_narrowed(w: &World) -> Vec<Mutant> {
    narrowed(w, |from, to| match (from, to) {
        (Type::Text { max: Some(a) }, Type::Text { max: Some(b) }) if a <= b && *a > 1 => {
            Some(("text", format!("text({})", a - 1)))
        }
        _ => None,
    })
}

pub fn scale_narrowed(w: &World) -> Vec<Mutant> {
    narrowed(w, |from, to| match (from, to) {
        (Type::Decimal { limits: Some((_, a)) }, Type::Decimal { limits: Some((p, b)) }) if a <= b && *a > 0 => {
            Some(("decimal", format!("decimal({p},{})", a - 1)))
        }
        _ => None,
    })
}

pub fn range_narrowed(w: &World) -> Vec<Mutant> {
    narrowed(w, |from, to| match (from, to) {
        (Type::Integer, Type::Integer) => Some(("integer", "decimal(9,0)".to_string())),
        _ => None,
    })
}

/// New lines that carry a column of one type into one of another; the target is written by no line.
fn carrying(w: &World, fits: impl Fn(&Type, &Type) -> bool) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        let lines = plain_lines(w, &m);
        let Some(last) = lines.last() else { continue };
        for side in m.legs() {
            let (to, from) = (m.side(side), m.side(side.other()));
            let taken = |c: &Column| {
                m.map
                    .key
                    .iter()
                    .chain(&m.map.fields)
                    .any(|l| choice_end(&m, l, side).is_some_and(|e| e.steps == 1 && e.column.name == c.name))
            };
            let targets = to
                .it()
                .columns
                .iter()
                .enumerate()
                .filter(|(i, c)| !c.read_only && free(to.it(), ColumnId(*i as u32)) && !taken(c));
            let mut n = 0;
            for (_, t) in targets {
                for s in from.it().columns.iter().filter(|s| fits(&s.ty, &t.ty)) {
                    n += 1;
                    if n > 6 {
                        break;
                    }
                    let (t, s) = (quoted(&t.name), quoted(&s.name));
                    let text = if side == Side::Left { format!("{t} < {s}") } else { format!("{s} > {t}") };
                    out.push(insert(w, &m, last.at, &text));
                }
            }
        }
    }
    out
}

pub fn boolean_to_integer(w: &World) -> Vec<Mutant> {
    carrying(w, |a, b| matches!((a, b), (Type::Boolean, Type::Integer)))
}

pub fn choice_to_choice(w: &World) -> Vec<Mutant> {
    let differ = |a: &Type, b: &Type| match (a, b) {
        (Type::Choice(a), Type::Choice(b)) => {
            a.members.iter().any(|m| !b.members.iter().any(|x| x.value == m.value && x.name == m.name))
        }
        _ => false,
    };
    let mut out = carrying(w, differ);
    // And the lines that map one choice to another, without their value map.
    for m in w.maps() {
        for l in m.map.fields.iter().filter(|l| l.values.is_some()) {
            let (Some(a), Some(b)) = (choice_end(&m, l, Side::Left), choice_end(&m, l, Side::Right)) else { continue };
            let back = l.sign.flow.into(Side::Left);
            let (from, to) = if back { (b, a) } else { (a, b) };
            if differ(&from.column.ty, &to.column.ty) {
                let end = l.right.at.0.end.max(l.left.at.0.end) as usize;
                out.push(Mutant::new(m.file, range(l.at), w.text(m.file, l.at.0.start as usize..end).to_string()));
            }
        }
    }
    out
}

pub fn date_to_datetime(w: &World) -> Vec<Mutant> {
    carrying(w, |a, b| {
        matches!((a, b), (Type::Date, Type::DateTime { kind: DateTimeKind::Instant | DateTimeKind::Civil }))
    })
}

// ---- value maps

/// The bytes of a pair with what separates it from the next or the one before.
fn pair_bytes(w: &World, file: usize, at: At) -> Range<usize> {
    let text = &w.files[file].text;
    let (start, end) = (at.0.start as usize, at.0.end as usize);
    let line_start = text[..start].rfind('\n').map_or(0, |n| n + 1);
    let alone = text[line_start..start].trim().is_empty()
        && text[end..].trim_start_matches([',', ' ']).starts_with(['\n', '#']);
    if alone {
        return line_start..behind(w, file, end);
    }
    let after = &text[end..];
    if after.starts_with(',') {
        return start..end + 1;
    }
    let before = text[..start].trim_end();
    if before.ends_with(',') { before.len() - 1..end } else { start..end }
}

type Mapped<'a> = (M<'a>, &'a Line, usize, &'a ast::Pairs);

fn mapped(w: &World) -> Vec<Mapped<'_>> {
    let mut out = vec![];
    for m in w.maps() {
        for l in &m.map.fields {
            let Some(values) = &l.values else { continue };
            let (file, pairs) = match values {
                ast::LineValues::Inline(p) => (m.file, p),
                ast::LineValues::Named(n) => {
                    let found = w.asts.iter().enumerate().find_map(|(i, (_, f))| {
                        f.values.iter().find(|v| v.name.text == n.text).map(|v| (w.schemas + i, &v.pairs))
                    });
                    let Some(found) = found else { continue };
                    found
                }
            };
            out.push((m, l, file, pairs));
        }
    }
    out
}

fn closed(t: &Type) -> bool {
    matches!(t, Type::Choice(_) | Type::Boolean)
}

pub fn hole(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (m, l, file, pairs) in mapped(w) {
        if pairs.pairs.iter().any(|p| matches!(p.it, Pair::Else { .. })) || pairs.pairs.len() < 2 {
            continue;
        }
        let sources = m.legs().into_iter().filter(|s| l.sign.flow.into(*s)).map(Side::other);
        if !sources.into_iter().any(|s| choice_end(&m, l, s).is_some_and(|c| closed(&c.column.ty))) {
            continue;
        }
        for p in &pairs.pairs {
            out.push(Mutant::new(file, pair_bytes(w, file, p.at), "").want(Want::Files(vec![m.file])));
        }
    }
    out
}

pub fn doubled_pair(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (_, l, file, pairs) in mapped(w) {
        if l.sign.flow != Flow::Both {
            continue;
        }
        for p in &pairs.pairs {
            if let Pair::Of { sign, .. } = &p.it
                && sign.flow == Flow::Both
            {
                let end = p.at.0.end as usize;
                out.push(Mutant::new(file, end..end, format!(", {}", w.text(file, range(p.at)))));
            }
        }
    }
    out
}

pub fn pair_against(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (m, l, file, pairs) in mapped(w) {
        if l.sign.flow == Flow::Both || file != m.file || matches!(l.values, Some(ast::LineValues::Named(_))) {
            continue;
        }
        for p in &pairs.pairs {
            if let Pair::Of { sign, .. } = &p.it {
                let other = if l.sign.flow == Flow::ToLeft { ">" } else { "<" };
                out.push(Mutant::new(file, range(sign.at), other));
            }
        }
    }
    out
}

pub fn two_sources(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (_, l, file, pairs) in mapped(w) {
        let both: Vec<(&Literal, &Literal)> = pairs
            .pairs
            .iter()
            .filter_map(|p| match &p.it {
                Pair::Of { left, sign, right } if sign.flow == Flow::Both => Some((left, right)),
                _ => None,
            })
            .collect();
        if l.sign.flow != Flow::Both || both.len() < 2 {
            continue;
        }
        for i in 0..both.len() {
            let j = (i + 1) % both.len();
            // The finding may stand at either of the two.
            let lines = |a: &Literal, b: &Literal| Want::Lines(vec![(file, range(a.at)), (file, range(b.at))]);
            let (a, b) = (both[i], both[j]);
            let text = |l: &Literal| w.text(file, range(l.at)).to_string();
            out.push(Mutant::new(file, range(a.1.at), text(b.1)).want(lines(a.0, b.0)));
            out.push(Mutant::new(file, range(a.0.at), text(b.0)).want(lines(a.1, b.1)));
        }
    }
    out
}

/// A literal that no column of the type takes.
fn wrong_literal(t: &Type) -> Option<&'static str> {
    Some(match t {
        Type::Text { .. } => "17",
        Type::Integer | Type::Decimal { .. } | Type::Float => "'many'",
        Type::Boolean => "'perhaps'",
        Type::Date | Type::DateTime { .. } => "'tomorrow'",
        Type::Uuid => "'4711'",
        Type::Choice(_) => "'No such member'",
        _ => return None,
    })
}

/// `else` with a literal: in place of the one that is there, or at the end.
fn with_else(w: &World, l: &Line, file: usize, pairs: &ast::Pairs, literal: &str) -> Option<Mutant> {
    let there = pairs.pairs.iter().find(|p| matches!(p.it, Pair::Else { .. }));
    let sign = if l.sign.flow == Flow::ToLeft { "<" } else { ">" };
    if let Some(p) = there {
        let Pair::Else { action, .. } = &p.it else { return None };
        return match action {
            ElseAction::Pass => None,
            _ => Some(Mutant::new(file, range(p.at), format!("else {literal}"))),
        };
    }
    let last = pairs.pairs.last()?;
    let end = last.at.0.end as usize;
    let _ = w;
    Some(Mutant::new(file, end..end, format!(", else {sign} {literal}")))
}

/// The column that `else` and pairs of a line write into: of a two-way line the right one.
fn into<'a>(m: &M<'a>, l: &Line) -> Option<&'a Column> {
    let side = points(l).unwrap_or(Side::Right);
    let e = choice_end(m, l, side)?;
    Some(m.side(side).schema.get(e.table).column(e.id))
}

pub fn else_type(w: &World) -> Vec<Mutant> {
    mapped(w)
        .into_iter()
        .filter_map(|(m, l, file, pairs)| with_else(w, l, file, pairs, wrong_literal(&into(&m, l)?.ty)?))
        .collect()
}

fn too_long(t: &Type) -> Option<String> {
    match t {
        Type::Text { max: Some(n) } => Some(format!("'{}'", "x".repeat(*n as usize + 1))),
        _ => None,
    }
}

pub fn else_too_long(w: &World) -> Vec<Mutant> {
    mapped(w)
        .into_iter()
        .filter_map(|(m, l, file, pairs)| with_else(w, l, file, pairs, &too_long(&into(&m, l)?.ty)?))
        .collect()
}

// ---- tails

fn literal(text: &str) -> Literal {
    let kind = match text.strip_prefix('\'') {
        Some(t) => LiteralKind::Text(t.trim_end_matches('\'').to_string()),
        None => LiteralKind::Number(text.to_string()),
    };
    Literal { kind, at: At::default() }
}

fn defaults(w: &World, of: impl Fn(&Type) -> Option<String>) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for l in plain_lines(w, &m) {
            let Some(c) = target(&m, l) else { continue };
            // A constant needs no default, and would have none.
            let constant = matches!(l.operand(points(l).unwrap_or(Side::Left).other()).kind, ExprKind::Literal(_));
            if let Some(text) = of(&c.column.ty).filter(|_| !constant) {
                out.extend(rewritten(w, &m, l, |l| l.default = Some(literal(&text))));
            }
        }
    }
    out
}

pub fn default_type(w: &World) -> Vec<Mutant> {
    defaults(w, |t| wrong_literal(t).map(str::to_string))
}

pub fn default_too_long(w: &World) -> Vec<Mutant> {
    defaults(w, too_long)
}

pub fn tail_on_two_way(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for l in plain_lines(w, &m).into_iter().filter(|l| l.sign.flow == Flow::Both) {
            out.extend(rewritten(w, &m, l, |l| l.once = true));
            out.extend(rewritten(w, &m, l, |l| l.default = Some(literal("'x'"))));
        }
    }
    out
}

// ---- lookups

/// `.name` behind columns that are no lookups.
pub fn no_lookup(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for (side, p) in super::kinds::all_paths(&m) {
            let t = m.side(side);
            let [step] = p.steps.as_slice() else { continue };
            let known = t.schema.column(t.table, &step.name.text).is_some();
            if known && t.schema.lookup(t.table, &step.name.text).is_none() {
                let end = p.at.0.end as usize;
                out.push(Mutant::new(m.file, end..end, ".name"));
            }
        }
    }
    out
}

/// A written path that ends at a column of the looked-up table which is no key.
pub fn not_unique(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for l in &m.map.fields {
            for side in m.legs().into_iter().filter(|s| l.sign.flow.into(*s)) {
                let ExprKind::Path(p) = &l.operand(side).kind else { continue };
                let Some(e) = choice_end(&m, l, side).filter(|e| e.steps > 1) else { continue };
                let t = m.side(side).schema.get(e.table);
                let other = |c: &&Column| {
                    std::mem::discriminant(&c.ty) == std::mem::discriminant(&e.column.ty)
                        && !t.keys().flatten().any(|k| t.column(*k).name == c.name)
                };
                let last = &p.steps[p.steps.len() - 1].name;
                let others: Vec<&Column> = t.columns.iter().filter(other).take(2).collect();
                out.extend(others.into_iter().map(|c| Mutant::new(m.file, range(last.at), quoted(&c.name))));
            }
        }
    }
    out
}

/// A lookup to several tables without a choice among them.
pub fn polymorphic(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for (_, p) in super::kinds::all_paths(&m) {
            if let Some(inner) = p.steps.iter().find_map(|s| s.inner.as_ref()) {
                let text = format!("{}.{}", p.steps[0].name.text, w.text(m.file, range(inner.at)));
                out.push(Mutant::new(m.file, range(p.at), text));
            }
        }
        // And new lines over such a lookup.
        let Some(last) = plain_lines(w, &m).last().copied() else { continue };
        for side in m.legs() {
            let (to, from) = (m.side(side), m.side(side.other()));
            let text = |c: &&Column| matches!(c.ty, Type::Text { .. }) && !c.read_only;
            let Some(t) = to.it().columns.iter().find(text) else { continue };
            for look in from.it().lookups.iter().filter(|l| l.targets.len() > 1) {
                let first = from.schema.get(look.targets[0].table);
                for c in first.columns.iter().filter(text).take(2) {
                    let (t, s) = (quoted(&t.name), format!("{}.{}", quoted(&look.name), quoted(&c.name)));
                    let line = if side == Side::Left { format!("{t} < {s}") } else { format!("{s} > {t}") };
                    out.push(insert(w, &m, last.at, &line));
                }
            }
        }
    }
    out
}

pub fn misspelt_direct(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (i, m) in w.maps().into_iter().enumerate() {
        for side in m.legs() {
            let t = m.side(side).it();
            let c = &t.columns[i % t.columns.len()];
            let wrong = misspelt(&c.name, i);
            let known = t.columns.iter().any(|c| c.name.eq_ignore_ascii_case(&wrong));
            let text = format!("direct {}: update ({})", side.word(), quoted(&wrong));
            match m.map.direct.iter().find(|d| d.it.0 == side) {
                _ if known => {}
                Some(d) => out.push(Mutant::new(m.file, range(d.at), text)),
                None => {
                    let Some(tables) = &m.map.tables else { continue };
                    out.push(insert(w, &m, tables.at, &text));
                }
            }
        }
    }
    out
}

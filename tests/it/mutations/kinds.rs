//! Mistakes in names, lines, keys and columns: one function for each kind.

use super::world::{End, M, Mutant, Want, World, end, paths, range, visit};
use std::ops::Range;
use tablemap::function;
use tablemap::schema::Column;
use tablemap::syntax::ast::{self, Arrow, ExprKind, Flow, Line, LineValues, LiteralKind, Operation, Side};
use tablemap::syntax::dsl::write_line;
use tablemap::value::Type;

pub type Make = fn(&World) -> Vec<Mutant>;

pub fn misspelt(name: &str, n: usize) -> String {
    let c: Vec<char> = name.chars().collect();
    let mut out = c.clone();
    match n % 3 {
        // A letter is left out, two change places, one is doubled.
        0 if c.len() > 3 => {
            out.remove(c.len() / 2);
        }
        1 if c.len() > 3 && c[1] != c[2] => out.swap(1, 2),
        _ => out.insert(c.len() / 2, c[c.len() / 2]),
    }
    let out: String = out.into_iter().collect();
    if out == name { format!("{name}x") } else { out }
}

/// Misspellings of a name that none of `known` has.
fn names<'a>(w: &World, sites: impl IntoIterator<Item = (usize, &'a ast::Name, Vec<String>)>) -> Vec<Mutant> {
    let mut out = vec![];
    for (i, (file, name, known)) in sites.into_iter().enumerate() {
        let wrong = misspelt(&name.text, i);
        if w.text(file, range(name.at)) == name.text && !known.iter().any(|k| k.eq_ignore_ascii_case(&wrong)) {
            out.push(Mutant::new(file, range(name.at), wrong));
        }
    }
    out
}

pub fn store(w: &World) -> Vec<Mutant> {
    let maps = w.maps();
    let tables = maps.iter().flat_map(|m| {
        let t = &m.map.tables.as_ref().unwrap().it;
        [(m.file, &t.left.store, vec![]), (m.file, &t.right.store, vec![])]
    });
    names(w, tables)
}

pub fn table(w: &World) -> Vec<Mutant> {
    let maps = w.maps();
    let tables = maps.iter().flat_map(|m| {
        let t = &m.map.tables.as_ref().unwrap().it;
        let known = |s: Side| m.side(s).schema.tables.iter().map(|t| t.name.clone()).collect::<Vec<_>>();
        [(m.file, &t.left.table, known(Side::Left)), (m.file, &t.right.table, known(Side::Right))]
    });
    names(w, tables)
}

/// Every path of a map's statements and lines, with the side it is read on.
pub fn all_paths<'a>(m: &M<'a>) -> Vec<(Side, &'a ast::Path)> {
    let mut out = vec![];
    let mut add = |side: Side, e: &'a ast::Expr| {
        let mut found = vec![];
        paths(e, &mut found);
        out.extend(found.into_iter().map(|p| (side, p)));
    };
    for l in m.map.key.iter().chain(&m.map.fields) {
        add(Side::Left, &l.left);
        add(Side::Right, &l.right);
    }
    if let Some(c) = &m.map.company {
        add(Side::Left, &c.it.left);
        add(Side::Right, &c.it.right);
    }
    m.map.filter.iter().for_each(|f| add(f.it.0, &f.it.1));
    for d in &m.map.direct {
        out.extend(d.it.1.iter().flat_map(|d| d.columns.iter().flatten()).map(|p| (d.it.0, p)));
    }
    for t in &m.map.tests {
        for s in &t.steps {
            if let ast::TestWhat::Row(side, row) = &s.it.what {
                out.extend(row.cells.iter().map(|c| (*side, &c.path)));
            }
        }
    }
    out
}

fn column_of(w: &World, side: Side) -> Vec<Mutant> {
    let maps = w.maps();
    let sites = maps.iter().flat_map(|m| {
        let known: Vec<String> = m.side(side).it().columns.iter().map(|c| c.name.clone()).collect();
        all_paths(m)
            .into_iter()
            .filter(move |(s, p)| *s == side && p.steps.len() == 1 && p.steps[0].name.text != "each")
            .map(move |(_, p)| (m.file, &p.steps[0].name, known.clone()))
    });
    names(w, sites)
}
pub fn left_column(w: &World) -> Vec<Mutant> {
    column_of(w, Side::Left)
}
pub fn right_column(w: &World) -> Vec<Mutant> {
    column_of(w, Side::Right)
}

pub fn lookup_step(w: &World) -> Vec<Mutant> {
    let maps = w.maps();
    let known: Vec<String> = w
        .stores
        .iter()
        .flat_map(|(_, s)| s.tables.iter())
        .flat_map(|t| t.columns.iter().map(|c| c.name.clone()).chain([t.name.clone()]))
        .collect();
    let sites = maps.iter().flat_map(|m| {
        all_paths(m)
            .into_iter()
            .filter(|(_, p)| p.steps.len() > 1)
            .flat_map(|(_, p)| p.steps.iter())
            .map(|s| (m.file, &s.name, known.clone()))
            .collect::<Vec<_>>()
    });
    names(w, sites)
}

/// Every call of a map's lines and filters.
fn calls<'a>(m: &M<'a>) -> Vec<&'a ast::Call> {
    let mut out = vec![];
    let lines = m.map.key.iter().chain(&m.map.fields);
    let exprs = lines.clone().flat_map(|l| [&l.left, &l.right]).chain(m.map.filter.iter().map(|f| &f.it.1));
    for e in exprs {
        visit(e, &mut |e| {
            if let ExprKind::Call(c) = &e.kind {
                out.push(c);
            }
        });
    }
    out.extend(lines.flat_map(|l| &l.pipes));
    out
}

pub fn function_name(w: &World) -> Vec<Mutant> {
    let known: Vec<String> = function::all().iter().map(|f| f.name.to_string()).collect();
    let maps = w.maps();
    names(w, maps.iter().flat_map(|m| calls(m).into_iter().map(|c| (m.file, &c.name, known.clone()))))
}

/// Literals of lines, pairs and filters that name a member of a choice: the place, and the members.
fn members(w: &World) -> Vec<(usize, &ast::Literal, Vec<String>)> {
    let mut out = vec![];
    let is = |c: &Column| match &c.ty {
        Type::Choice(c) => Some(c.members.iter().map(|m| m.name.clone()).collect::<Vec<_>>()),
        _ => None,
    };
    for (file, line, side, l) in pair_literals(w) {
        if let Some(m) = choice_end(&line.0, line.1, side).and_then(|c| is(c.column)) {
            out.push((file, l, m));
        }
    }
    for m in w.maps() {
        for (l, c) in constants(&m) {
            out.extend(is(c.column).map(|members| (m.file, l, members)));
        }
        for f in &m.map.filter {
            for (path, l) in comparisons(&f.it.1) {
                if let Some(members) = end(m.side(f.it.0), path).and_then(|c| is(c.column)) {
                    out.push((m.file, l, members));
                }
            }
        }
        for l in m.map.fields.iter().filter(|l| l.sign.flow != Flow::Both) {
            if let (Some(d), Some(c)) = (&l.default, target(&m, l)) {
                out.extend(is(c.column).map(|members| (m.file, d, members)));
            }
        }
    }
    out
}

/// The column at one end of a line, if that end is a path without forms of several tables.
pub fn choice_end<'a>(m: &M<'a>, line: &Line, side: Side) -> Option<End<'a>> {
    match &line.operand(side).kind {
        ExprKind::Path(p) => end(m.side(side), p),
        _ => None,
    }
}

/// The side a one-way line points to.
pub fn points(line: &Line) -> Option<Side> {
    match line.sign.flow {
        Flow::Both => None,
        Flow::ToLeft => Some(Side::Left),
        Flow::ToRight => Some(Side::Right),
    }
}

/// The column a one-way line points to.
pub fn target<'a>(m: &M<'a>, line: &Line) -> Option<End<'a>> {
    choice_end(m, line, points(line)?)
}

/// The literals of value maps, with the side they stand on and a line that uses them.
#[allow(clippy::type_complexity, reason = "used in this file only")]
fn pair_literals(w: &World) -> Vec<(usize, (M<'_>, &Line), Side, &ast::Literal)> {
    let mut out = vec![];
    for m in w.maps() {
        for line in &m.map.fields {
            let Some((file, pairs)) = w.pairs(&m, line) else { continue };
            for p in &pairs.pairs {
                if let ast::Pair::Of { left, right, sign } = &p.it {
                    let used = line.sign.flow == Flow::Both || sign.flow == Flow::Both || sign.flow == line.sign.flow;
                    if used {
                        out.push((file, (m, line), Side::Left, left));
                        out.push((file, (m, line), Side::Right, right));
                    }
                }
            }
        }
    }
    out
}

fn constants<'a>(m: &M<'a>) -> Vec<(&'a ast::Literal, End<'a>)> {
    let mut out = vec![];
    for l in &m.map.fields {
        let Some(side) = points(l) else { continue };
        if let (ExprKind::Literal(x), Some(c)) = (&l.operand(side.other()).kind, target(m, l))
            && l.values.is_none()
            && l.pipes.is_empty()
        {
            out.push((x, c));
        }
    }
    out
}

fn comparisons(e: &ast::Expr) -> Vec<(&ast::Path, &ast::Literal)> {
    let mut out = vec![];
    visit(e, &mut |e| match &e.kind {
        ExprKind::Binary(_, a, b) => {
            if let (ExprKind::Path(p), ExprKind::Literal(l)) = (&a.kind, &b.kind) {
                out.push((p, l));
            }
        }
        ExprKind::In { of, items, .. } => {
            if let ExprKind::Path(p) = &of.kind {
                out.extend(items.iter().map(|l| (p, l)));
            }
        }
        _ => {}
    });
    out
}

fn wrong_member(n: usize, l: &ast::Literal, members: &[String]) -> Option<String> {
    match &l.kind {
        LiteralKind::Text(t) => {
            let wrong = misspelt(t, n);
            (!members.iter().any(|m| m.eq_ignore_ascii_case(&wrong))).then(|| format!("'{wrong}'"))
        }
        LiteralKind::Number(x) => Some(format!("{x}9")),
        _ => None,
    }
}

pub fn member(w: &World) -> Vec<Mutant> {
    let change = |(n, (file, l, m)): (usize, (usize, &ast::Literal, Vec<String>))| {
        Some(Mutant::new(file, range(l.at), wrong_member(n, l, &m)?))
    };
    members(w).into_iter().enumerate().filter_map(change).collect()
}

pub fn constant(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for (n, (l, c)) in constants(&m).into_iter().enumerate() {
            if let Type::Choice(choice) = &c.column.ty {
                let names: Vec<String> = choice.members.iter().map(|m| m.name.clone()).collect();
                out.extend(wrong_member(n, l, &names).map(|t| Mutant::new(m.file, range(l.at), t)));
                out.push(Mutant::new(m.file, range(l.at), "4711"));
            }
        }
    }
    out
}

pub fn unknown_pair_member(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (n, (file, (m, line), side, l)) in pair_literals(w).into_iter().enumerate() {
        if let Some(Type::Choice(c)) = choice_end(&m, line, side).map(|c| &c.column.ty) {
            let names: Vec<String> = c.members.iter().map(|m| m.name.clone()).collect();
            out.extend(wrong_member(n, l, &names).map(|t| Mutant::new(file, range(l.at), t)));
        }
    }
    out
}

pub fn needs(w: &World) -> Vec<Mutant> {
    let maps = w.maps();
    names(
        w,
        maps.iter()
            .flat_map(|m| m.map.needs.iter().flat_map(|n| &n.it).map(|n| (m.file, n, vec![])).collect::<Vec<_>>()),
    )
}

pub fn values_name(w: &World) -> Vec<Mutant> {
    let maps = w.maps();
    names(
        w,
        maps.iter().flat_map(|m| {
            m.map
                .fields
                .iter()
                .filter_map(|l| match &l.values {
                    Some(LineValues::Named(n)) => Some((m.file, n, vec![])),
                    _ => None,
                })
                .collect::<Vec<_>>()
        }),
    )
}

pub fn number_of_arguments(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for c in calls(&m) {
            let Some(f) = function::find(&c.name.text) else { continue };
            let piped = m.map.key.iter().chain(&m.map.fields).any(|l| l.pipes.iter().any(|p| std::ptr::eq(p, c)));
            let (min, max) = (f.arity.0 - usize::from(piped), f.arity.1 - usize::from(piped));
            let close = c.at.0.end as usize - 1;
            let open = c.name.at.0.end as usize + 1;
            if max < 20 {
                let more = vec!["1"; max + 1 - c.args.len()].join(", ");
                let comma = if c.args.is_empty() { "" } else { ", " };
                out.push(Mutant::new(m.file, close..close, format!("{comma}{more}")));
            }
            if min > 0 {
                out.push(Mutant::new(m.file, open - 1..close + 1, "()"));
            }
        }
    }
    out
}

/// A function's argument that cannot be: numbers piped into text functions, texts into dates, and the other way.
pub fn type_of_arguments(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for l in m.map.fields.iter().filter(|l| l.pipes.is_empty() && l.values.is_none() && l.default.is_none()) {
            let Some(side) = points(l) else { continue };
            let Some(from) = choice_end(&m, l, side.other()) else { continue };
            let pipe = match &from.column.ty {
                Type::Text { .. } => "round(2)",
                Type::Integer | Type::Decimal { .. } => "trim()",
                Type::Date | Type::DateTime { .. } => "upper()",
                Type::Uuid => "add_days(1)",
                _ => "abs()",
            };
            out.extend(rewritten(w, &m, l, |l| l.pipes.push(call(pipe))));
        }
        for c in calls(&m) {
            for a in &c.args {
                if let ExprKind::Literal(ast::Literal { kind: LiteralKind::Number(_), at }) = &a.kind {
                    out.push(Mutant::new(m.file, range(*at), "'two'"));
                }
            }
        }
    }
    out
}

/// `f(1)` as a call.
pub fn call(text: &str) -> ast::Call {
    let mut sources = tablemap::source::Sources::new();
    let text = format!("x > y | {text}");
    let file = sources.add("pipe", text.as_str());
    let (line, _) =
        tablemap::syntax::dsl::parse_line(tablemap::syntax::dsl::Fragment { text: &text, file, offset: &|o| o });
    line.unwrap().pipes.remove(0)
}

/// A line written anew; none where that would lose comments or a value map's lines.
pub fn rewritten(w: &World, m: &M<'_>, l: &Line, change: impl Fn(&mut Line)) -> Option<Mutant> {
    let old = w.text(m.file, range(l.at));
    if old.contains('\n') {
        return None;
    }
    let mut line = l.clone();
    change(&mut line);
    let text = write_line(&line);
    Some(Mutant::new(m.file, range(l.at), text))
}

fn flipped(flow: Flow) -> &'static str {
    match flow {
        Flow::ToLeft => ">",
        _ => "<",
    }
}

/// The first byte behind the text line that holds the end of a place.
pub fn behind(w: &World, file: usize, end: usize) -> usize {
    let text = &w.files[file].text;
    text[end..].find('\n').map_or(text.len(), |n| end + n + 1)
}

/// Lines of `fields` that stand on one text line.
pub fn plain_lines<'a>(w: &World, m: &M<'a>) -> Vec<&'a Line> {
    m.map.fields.iter().filter(|l| !w.text(m.file, range(l.at)).contains('\n')).collect()
}

pub fn insert(w: &World, m: &M<'_>, after: ast_at, text: &str) -> Mutant {
    let at = behind(w, m.file, after.0.end as usize);
    Mutant::new(m.file, at..at, format!("    {text}\n"))
}
#[allow(non_camel_case_types)]
pub type ast_at = tablemap::source::At;

pub fn sign_reversed(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for l in &m.map.fields {
            let Some(side) = points(l) else { continue };
            // In a two-way map the turned line may be right, unless nothing can be written where it then points.
            let stays_wrong = !m.two_way() || !matches!(l.operand(side.other()).kind, ExprKind::Path(_));
            if stays_wrong {
                let sign = flipped(l.sign.flow).repeat(l.sign.at.0.end as usize - l.sign.at.0.start as usize);
                out.push(Mutant::new(m.file, range(l.sign.at), sign));
            }
        }
    }
    out
}

pub fn against_the_arrow(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps().into_iter().filter(|m| !m.two_way()) {
        for l in plain_lines(w, &m) {
            let mut line = l.clone();
            line.sign.flow = if l.sign.flow == Flow::ToLeft { Flow::ToRight } else { Flow::ToLeft };
            out.push(insert(w, &m, l.at, &write_line(&line)));
        }
        for l in &m.map.key {
            let sign = if m.arrow() == Arrow::ToLeft { ">" } else { "<" };
            out.push(Mutant::new(m.file, range(l.sign.at), sign));
        }
    }
    out
}

pub fn two_lines(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for l in plain_lines(w, &m) {
            out.push(insert(w, &m, l.at, &write_line(l)));
        }
    }
    out
}

/// The key statement's bytes, where it stands on one line.
fn key_text(w: &World, m: &M<'_>) -> Option<Range<usize>> {
    let (first, last) = (m.map.key.first()?, m.map.key.last()?);
    let r = first.at.0.start as usize..last.at.0.end as usize;
    (!w.text(m.file, r.clone()).contains('\n')).then_some(r)
}

pub fn key_dropped(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        let Some(r) = key_text(w, &m) else { continue };
        if m.map.key.len() == 1 {
            let start = w.files[m.file].text[..r.start].rfind('\n').unwrap() + 1;
            out.push(Mutant::new(m.file, start..behind(w, m.file, r.end), "").want(Want::Files(vec![m.file])));
            continue;
        }
        for i in 0..m.map.key.len() {
            let mut rest: Vec<String> = m.map.key.iter().map(write_line).collect();
            rest.remove(i);
            out.push(Mutant::new(m.file, r.clone(), rest.join(", ")));
        }
    }
    out
}

pub fn key_doubled(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        let Some(r) = key_text(w, &m) else { continue };
        out.extend(m.map.key.iter().map(|l| Mutant::new(m.file, r.end..r.end, format!(", {}", write_line(l)))));
    }
    out
}

pub fn key_lossy(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for l in m.map.key.iter().filter(|l| l.pipes.is_empty() && l.values.is_none()) {
            let text = |s: Side| choice_end(&m, l, s).is_some_and(|c| matches!(c.column.ty, Type::Text { .. }));
            if text(Side::Left) && text(Side::Right) {
                for pipe in ["left(2)", "trim()", "replace('-', '')", "substring(2)"] {
                    out.extend(rewritten(w, &m, l, |l| l.pipes.push(call(pipe))));
                }
            }
            let number = |s: Side| choice_end(&m, l, s).is_some_and(|c| c.column.ty == Type::Integer);
            if number(Side::Left) && number(Side::Right) {
                out.extend(rewritten(w, &m, l, |l| l.pipes.push(call("abs()"))));
            }
        }
    }
    out
}

/// Another column of the same type that is in no key, at either end of a key pair.
pub fn key_not_unique(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for l in &m.map.key {
            for side in [Side::Left, Side::Right] {
                let mut found = vec![];
                paths(l.operand(side), &mut found);
                let [path] = found.as_slice() else { continue };
                let Some(now) = end(m.side(side), path).filter(|e| e.steps == 1) else { continue };
                let t = m.side(side).it();
                let same = |c: &&Column| {
                    std::mem::discriminant(&c.ty) == std::mem::discriminant(&now.column.ty)
                        && !t.keys().flatten().any(|k| t.column(*k).name == c.name)
                        && t.company.is_none_or(|k| t.column(k).name != c.name)
                        && !c.read_only
                        // A column that another line writes would be two lines for one column.
                        && !m.map.key.iter().chain(&m.map.fields).any(|l| {
                            choice_end(&m, l, side).is_some_and(|e| e.steps == 1 && e.column.name == c.name)
                                && l.sign.flow.into(side)
                        })
                };
                let others: Vec<&Column> = t.columns.iter().filter(same).take(3).collect();
                out.extend(others.into_iter().map(|c| Mutant::new(m.file, range(path.at), quoted(&c.name))));
            }
        }
    }
    out
}

/// A column's name as a map writes it: reserved words stand in quotes.
pub fn quoted(name: &str) -> String {
    let plain = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    if plain { name.to_string() } else { format!("\"{name}\"") }
}

pub fn company_dropped(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        if let Some(c) = &m.map.company {
            let start = w.files[m.file].text[..c.at.0.start as usize].rfind('\n').unwrap() + 1;
            let r = start..behind(w, m.file, c.at.0.end as usize);
            out.push(Mutant::new(m.file, r, "").want(Want::Files(vec![m.file])));
        }
    }
    out
}

pub fn required_dropped(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for l in &m.map.fields {
            for side in m.legs() {
                let Some(c) = choice_end(&m, l, side).filter(|c| c.steps == 1 && l.sign.flow.into(side)) else {
                    continue;
                };
                let by_itself = c.column.generated || c.column.default.is_some() || c.column.blank.is_some();
                if c.column.required && !by_itself && m.may(side, Operation::Create) {
                    let start = w.files[m.file].text[..l.at.0.start as usize].rfind('\n').unwrap() + 1;
                    let r = start..behind(w, m.file, l.at.0.end as usize);
                    out.push(Mutant::new(m.file, r, "").want(Want::Files(vec![m.file])));
                }
            }
        }
    }
    out
}

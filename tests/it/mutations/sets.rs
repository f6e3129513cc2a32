//! Mistakes in statements and filters, and between maps.

use super::kinds::{behind, choice_end, insert, plain_lines, quoted, target};
use super::world::{M, Mutant, Want, World, range};
use tablemap::schema::Column;
use tablemap::syntax::ast::{self, ExprKind, LiteralKind, Operation, Side};
use tablemap::syntax::dsl::write_expr;
use tablemap::value::Type;

/// A statement in the map's head.
fn head(w: &World, m: &M<'_>, text: &str) -> Mutant {
    insert(w, m, m.map.tables.as_ref().unwrap().at, text)
}

/// A filter of a leg's source in place of the one that is there; `{}` is the one that is there.
fn filtered(w: &World, m: &M<'_>, side: Side, text: &str) -> Option<Mutant> {
    match m.map.filter.iter().find(|f| f.it.0 == side) {
        Some(f) => {
            let old = w.text(m.file, range(f.it.1.at));
            let text = text.replace("{}", old);
            (text != old && !old.contains('\n')).then(|| Mutant::new(m.file, range(f.it.1.at), text))
        }
        None if text.contains("{}") => None,
        None => Some(head(w, m, &format!("filter {}: {text}", side.word()))),
    }
}

fn sources<'a>(w: &'a World) -> Vec<(M<'a>, Side)> {
    w.maps().into_iter().flat_map(|m| m.legs().into_iter().map(move |s| (m, s.other()))).collect()
}

/// A guard sees columns of its table and nothing else, so its filter says of constants something else than that they
/// decide nothing.
fn guarded(m: &M<'_>, side: Side) -> bool {
    m.map.direct.iter().any(|d| d.it.0 == side)
}

fn some<'a>(m: &M<'a>, side: Side, is: impl Fn(&Column) -> bool) -> Option<&'a Column> {
    m.side(side).it().columns.iter().find(|c| is(c))
}

fn texts(c: &Column) -> bool {
    matches!(c.ty, Type::Text { .. })
}
fn numbers(c: &Column) -> bool {
    matches!(c.ty, Type::Integer | Type::Decimal { .. })
}

pub fn filter_column(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (m, side) in sources(w) {
        out.extend(filtered(w, &m, side, "{} and NOSUCHCOLUMN is not null"));
        out.extend(filtered(w, &m, side, "nosuchcolumn == 'x'"));
    }
    out
}

pub fn filter_types(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (m, side) in sources(w) {
        let (text, number) = (some(&m, side, texts), some(&m, side, numbers));
        let date = some(&m, side, |c| matches!(c.ty, Type::Date | Type::DateTime { .. }));
        let yes = some(&m, side, |c| c.ty == Type::Boolean);
        let id = some(&m, side, |c| c.ty == Type::Uuid);
        let mut pairs = vec![];
        for (a, b) in [(text, number), (text, date), (text, yes), (number, date), (id, text), (yes, number)] {
            pairs.extend(a.zip(b).map(|(a, b)| format!("{} == {}", quoted(&a.name), quoted(&b.name))));
        }
        pairs.extend(number.map(|c| format!("{} > 'many'", quoted(&c.name))));
        pairs.extend(yes.map(|c| format!("{} == 'perhaps'", quoted(&c.name))));
        pairs.extend(date.map(|c| format!("{} < 'tomorrow'", quoted(&c.name))));
        for p in pairs {
            out.extend(filtered(w, &m, side, &p));
            out.extend(filtered(w, &m, side, &format!("({{}}) and {p}")));
        }
    }
    out
}

/// Whether a cell of the column is never null when read.
fn never_null(c: &Column) -> bool {
    c.required && c.blank.is_none()
}

pub fn filter_true(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (m, side) in sources(w) {
        let mut texts_ = vec!["true".to_string()];
        if !guarded(&m, side) {
            texts_.extend(["1 == 1".into(), "({}) or 'a' == 'a'".into()]);
        }
        if let Some(c) = some(&m, side, never_null) {
            texts_.push(format!("{} is not null", quoted(&c.name)));
        }
        if let Some(c) = some(&m, side, |c| numbers(c) && !never_null(c)) {
            let n = quoted(&c.name);
            texts_.push(format!("{n} is null or {n} is not null"));
            texts_.push(format!("{n} is null or {n} < 5 or {n} >= 5"));
        }
        if let Some(c) = some(&m, side, |c| matches!(c.ty, Type::Choice(_)) && never_null(c)) {
            let (n, Type::Choice(choice)) = (quoted(&c.name), &c.ty) else { continue };
            let members: Vec<String> = choice.members.iter().map(|m| format!("'{}'", m.name)).collect();
            texts_.push(format!("{n} in ({})", members.join(", ")));
        }
        out.extend(texts_.iter().filter_map(|t| filtered(w, &m, side, t)));
    }
    out
}

pub fn filter_false(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for (m, side) in sources(w) {
        let mut texts_ = vec!["false".to_string()];
        if !guarded(&m, side) {
            texts_.extend(["1 == 2".into(), "{} and 'a' == 'b'".into()]);
        }
        if let Some(c) = some(&m, side, never_null) {
            texts_.push(format!("{} is null", quoted(&c.name)));
        }
        if let Some(c) = some(&m, side, numbers) {
            let n = quoted(&c.name);
            texts_.push(format!("{n} > 5 and {n} < 3"));
            texts_.push(format!("{n} is null and {n} > 0"));
            texts_.push(format!("{n} == 1 and {n} == 2"));
        }
        if let Some(c) = some(&m, side, |c| matches!(c.ty, Type::Choice(_)))
            && let Type::Choice(choice) = &c.ty
        {
            let n = quoted(&c.name);
            let (a, b) = (&choice.members[0].name, &choice.members[1].name);
            texts_.push(format!("{n} == '{a}' and {n} == '{b}'"));
        }
        out.extend(texts_.iter().filter_map(|t| filtered(w, &m, side, t)));
    }
    out
}

/// Without `company`, a reference into a table of a company names too little.
pub fn reference_without_company(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        let Some(company) = &m.map.company else { continue };
        for l in &m.map.fields {
            for side in m.legs().into_iter().filter(|s| l.sign.flow.into(*s)) {
                let Some(e) = choice_end(&m, l, side).filter(|e| e.steps > 1) else { continue };
                let t = m.side(side).schema.get(e.table);
                let alone = t.keys().any(|k| k == [e.id]);
                if t.company.is_some() && !alone {
                    let start = w.files[m.file].text[..company.at.0.start as usize].rfind('\n').unwrap() + 1;
                    let r = start..behind(w, m.file, company.at.0.end as usize);
                    out.push(Mutant::new(m.file, r, "").want(Want::Lines(vec![(m.file, range(l.at))])));
                }
            }
        }
    }
    out
}

pub fn circle(w: &World) -> Vec<Mutant> {
    let maps = w.maps();
    let id = |m: &M<'_>| m.map.id.as_ref().map_or(String::new(), |i| i.it.clone());
    let mut out = vec![];
    let mut add = |m: &M<'_>, needs: &str, affected: Vec<usize>| {
        out.push(
            match &m.map.needs {
                Some(n) => {
                    let end = n.it.last().unwrap().at.0.end as usize;
                    Mutant::new(m.file, end..end, format!(", {needs}"))
                }
                None => head(w, m, &format!("needs {needs}")),
            }
            .want(Want::Files(affected)),
        );
    };
    for m in &maps {
        add(m, &id(m), vec![m.file]);
        for needed in m.map.needs.iter().flat_map(|n| &n.it) {
            if let Some(other) = maps.iter().find(|o| id(o) == needed.text) {
                add(other, &id(m), vec![m.file, other.file]);
            }
        }
    }
    out
}

/// A map once more under another id and name, and lines of one map in another that updates the same table.
/// Whether each of two maps marks its rows with a constant of its own.
fn kept_apart(a: &ast::Map, side: Side, b: &ast::Map, other: Side) -> bool {
    let constants = |m: &ast::Map, side: Side| -> Vec<(String, LiteralKind)> {
        let lines = m.fields.iter().filter(|l| l.sign.flow.into(side) && !l.once);
        lines
            .filter_map(|l| match &l.operand(side.other()).kind {
                ExprKind::Literal(value) => Some((write_expr(l.operand(side)), value.kind.clone())),
                _ => None,
            })
            .collect()
    };
    let marks = constants(b, other);
    constants(a, side).iter().any(|(column, value)| marks.iter().any(|(c, v)| c == column && v != value))
}

pub fn two_writers(w: &World) -> Vec<Mutant> {
    let maps = w.maps();
    let mut out = vec![];
    for m in &maps {
        let copy = format!("{}-copy.tmap", m.map.id.as_ref().unwrap().it);
        let mut text = w.files[m.file].text.clone();
        let (name, id) = (m.map.name.as_ref().unwrap(), m.map.id.as_ref().unwrap());
        text.insert_str(id.at.0.end as usize, "-copy");
        text.insert_str(name.at.0.end as usize - 1, " (copy)");
        let text: String = text
            .lines()
            .filter(|l| {
                !l.trim_start().starts_with("label ") && !l.starts_with("values NoYes") && !l.starts_with("values Held")
            })
            .map(|l| format!("{l}\n"))
            .collect();
        // Value maps over several lines belong to the first.
        let text = match (text.find("values BillingType"), text.find("\nmap ")) {
            (Some(a), Some(b)) if a < b => format!("{}{}", &text[..a], &text[b..]),
            _ => text,
        };
        let more = w.files.len();
        let mutant = Mutant { edits: vec![], more: Some((copy, text)), want: Want::Files(vec![m.file, more]) };
        out.push(mutant);
    }
    for a in &maps {
        for b in &maps {
            for side in [Side::Left, Side::Right] {
                let other = if a.side(side).schema.name == b.side(side).schema.name { side } else { side.other() };
                let same = a.file != b.file
                    && a.side(side).store == b.side(other).store
                    && a.side(side).table == b.side(other).table
                    && a.legs().contains(&side)
                    && b.legs().contains(&other)
                    && a.may(side, Operation::Update)
                    && b.may(other, Operation::Update);
                if !same || kept_apart(a.map, side, b.map, other) {
                    continue;
                }
                for l in a.map.fields.iter().filter(|l| l.sign.flow.into(side) && !l.once) {
                    let Some(e) = choice_end(a, l, side).filter(|e| e.steps == 1) else { continue };
                    let written = |l: &tablemap::syntax::ast::Line| {
                        choice_end(b, l, other).is_some_and(|x| x.id == e.id && x.steps == 1)
                    };
                    if b.map.key.iter().chain(&b.map.fields).any(written) {
                        continue;
                    }
                    let value = match &e.column.ty {
                        Type::Text { .. } if a.side(side).it().lookups.iter().all(|l| l.name != e.column.name) => {
                            "'x'".into()
                        }
                        Type::Integer | Type::Decimal { .. } => "1".to_string(),
                        Type::Choice(c) => format!("'{}'", c.members[0].name),
                        Type::Date => "'2026-01-31'".into(),
                        _ => continue,
                    };
                    let column = quoted(&e.column.name);
                    let text = match other {
                        Side::Left => format!("{column} << {value}"),
                        Side::Right => format!("{value} >> {column}"),
                    };
                    let last = plain_lines(w, b).last().unwrap().at;
                    out.push(insert(w, b, last, &text).want(Want::Files(vec![a.file, b.file])));
                }
            }
        }
    }
    out
}

/// A line back: what map A carries from S to T, a map from T to S carries home.
pub fn ring(w: &World) -> Vec<Mutant> {
    let maps = w.maps();
    let mut out = vec![];
    for a in maps.iter().filter(|m| !m.two_way()) {
        for b in maps.iter().filter(|m| !m.two_way()) {
            let (ta, tb) = (a.legs()[0], b.legs()[0]);
            let at = |m: &M<'_>, s: Side| (m.side(s).store, m.side(s).table);
            let back = at(a, ta) == at(b, tb.other()) && at(a, ta.other()) == at(b, tb);
            if !back || !a.may(ta, Operation::Update) || !b.may(tb, Operation::Update) {
                continue;
            }
            for l in a.map.fields.iter().filter(|l| !l.transforms() && !l.once) {
                let (Some(to), Some(from)) = (target(a, l), choice_end(a, l, ta.other())) else { continue };
                if to.steps > 1 || from.steps > 1 {
                    continue;
                }
                let written = |l: &tablemap::syntax::ast::Line| {
                    choice_end(b, l, tb).is_some_and(|x| x.id == from.id && x.steps == 1)
                };
                if b.map.key.iter().chain(&b.map.fields).any(written) {
                    continue;
                }
                let (t, s) = (quoted(&from.column.name), quoted(&to.column.name));
                let text = if tb == Side::Left { format!("{t} < {s}") } else { format!("{s} > {t}") };
                let last = plain_lines(w, b).last().unwrap().at;
                out.push(insert(w, b, last, &text).want(Want::Files(vec![a.file, b.file])));
            }
        }
    }
    out
}

pub fn operations(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps().into_iter().filter(|m| !m.two_way()) {
        let other = m.legs()[0].other();
        for list in ["create, update", "update", "delete"] {
            out.push(head(w, &m, &format!("operations {}: {list}", other.word())));
        }
    }
    out
}

pub fn each(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps().into_iter().filter(M::two_way) {
        if let Some(c) = &m.map.company {
            out.push(Mutant::new(m.file, range(c.it.left.at), "each"));
            out.push(Mutant::new(m.file, range(c.it.right.at), "each"));
        }
    }
    out
}

pub fn on_exit(w: &World) -> Vec<Mutant> {
    let mut out = vec![];
    for m in w.maps() {
        for side in [Side::Left, Side::Right] {
            let filtered = m.map.filter.iter().any(|f| f.it.0 == side.other());
            if !m.legs().contains(&side) {
                out.push(head(w, &m, &format!("on exit {}: leave", side.word())));
                out.push(head(w, &m, &format!("on exit {}: delete", side.word())));
            } else if !filtered && m.map.company.is_none() {
                out.push(head(w, &m, &format!("on exit {}: leave", side.word())));
            }
        }
    }
    out
}

pub fn same_id(w: &World) -> Vec<Mutant> {
    let maps = w.maps();
    let mut out = vec![];
    for (i, a) in maps.iter().enumerate() {
        let b = &maps[(i + 1) % maps.len()];
        let (x, y) = (a.map.id.as_ref().unwrap(), b.map.id.as_ref().unwrap());
        let text = w.text(a.file, range(x.at)).replace(&x.it, &y.it);
        let want = Want::Files(vec![a.file, b.file]);
        out.push(Mutant::new(a.file, range(x.at), text).want(want.clone()));
        let (x, y) = (a.map.name.as_ref().unwrap(), b.map.name.as_ref().unwrap());
        out.push(Mutant::new(a.file, range(x.at), w.text(b.file, range(y.at)).to_string()).want(want.clone()));
        // A label is a name too: of another map's name, or of its label.
        let taken = b.map.labels.first().map_or(&y.text, |l| &l.it.1);
        out.push(head(w, a, &format!("label nl '{}'", taken.replace('\'', "''"))).want(want));
    }
    out
}

/// Passwords, tokens and keys in the project file, in comments and in constants.
pub fn password(w: &World) -> Vec<Mutant> {
    const PROJECT: &str =
        "stores:\n  erp: { kind: memory, schema: erp.schema.yaml }\n  crm: { kind: memory, schema: crm.schema.yaml }\n";
    let mut out = vec![];
    for line in [
        "  log: { kind: postgres, url: \"postgres://tablemap:hunter2@db.example.com/log\", schema: log.schema.yaml }",
        "  log: { kind: odata, url: https://svc:hunter2@example.com/odata, schema: log.schema.yaml }",
        "  log: { kind: postgres, url: \"Server=db;User Id=sa;Password=hunter2;\", schema: log.schema.yaml }",
        "  # password: hunter2",
        "    password: hunter2",
        "    client_secret: \"8Q~hunter2hunter2\"",
    ] {
        let text = format!("{PROJECT}{line}\n");
        let want = Want::Lines(vec![(w.files.len(), PROJECT.len()..text.len())]);
        out.push(Mutant { edits: vec![], more: Some(("tablemap.yaml".into(), text)), want });
    }
    for m in w.maps() {
        let text = "# psql postgres://tablemap:hunter2@db.example.com/crm";
        out.push(head(w, &m, text));
    }
    out
}

//! What identifies a record: the environment's integration key where it is given, a key of a known schema, else a
//! proposal from the names.

use super::lines::{Draft, DraftLine};
use super::names;
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::StoreSchema;
use crate::syntax::ast::{Flow, LineValues, Pair};

/// Chooses the key and takes its lines out of the fields. `given` are integration keys: table and columns; `referred`
/// the columns by which lookups find rows, with the table that the lookup's name suggests.
pub fn choose(
    d: &mut Draft,
    given: &[(String, Vec<String>)],
    known: [Option<&StoreSchema>; 2],
    referred: &[(String, String)],
) {
    let names = |t: &str| t.eq_ignore_ascii_case(&d.right) || t.eq_ignore_ascii_case(&names::singular(&d.right));
    if let Some((_, fields)) = given.iter().find(|(t, _)| names(t)) {
        let fields = fields.clone();
        take_given(d, &fields);
        if !d.key.is_empty() {
            return settle(d);
        }
    }
    let chosen = of_schema(d, known).unwrap_or_else(|| propose(d, referred));
    let mut at = 0;
    let (key, rest): (Vec<DraftLine>, Vec<DraftLine>) = std::mem::take(&mut d.lines).into_iter().partition(|_| {
        at += 1;
        chosen.contains(&(at - 1))
    });
    let moved = |i: usize| i - chosen.iter().filter(|c| **c < i).count();
    d.left_out.iter_mut().for_each(|(i, _)| *i = moved(*i));
    (d.key, d.lines) = (key, rest);
    settle(d);
}

fn take_given(d: &mut Draft, fields: &[String]) {
    for field in fields {
        match d.lines.iter().position(|l| l.written.eq_ignore_ascii_case(field)) {
            Some(i) => {
                let line = d.lines.remove(i);
                d.left_out.iter_mut().filter(|(at, _)| *at > i).for_each(|(at, _)| *at -= 1);
                d.key.push(line);
            }
            None => match names::path(field) {
                Ok(path) if path.steps.len() > 1 && field.to_ascii_lowercase().ends_with(".cdm_companycode") => {
                    d.company = Some(path);
                }
                _ => {
                    let message = format!("the integration key names `{field}`, and no mapping fills it");
                    let finding = Diagnostic::new(Code::TM1305, d.source.at, message)
                        .help("map the column, or give the table another integration key");
                    d.key_remark = Some(super::lines::remark(&finding));
                    d.findings.push(finding);
                }
            },
        }
    }
}

/// What follows from the key: it holds both ways in a two-way map, and a looked-up one carries no deletes.
fn settle(d: &mut Draft) {
    let into_left = d.lines.iter().chain(&d.key).any(|l| l.flow() != Flow::ToRight);
    let looked_up = d.key.iter().any(|l| l.right_path().is_some_and(|p| p.steps.len() > 1));
    d.no_deletes_left = into_left && looked_up;
}

/// A key of a known schema all of whose columns are mapped.
fn of_schema(d: &Draft, known: [Option<&StoreSchema>; 2]) -> Option<Vec<usize>> {
    let usable = |l: &DraftLine| l.plain() || matches!(&l.line.values, Some(LineValues::Inline(_)));
    for (side, schema) in known.into_iter().enumerate().rev() {
        let Some(schema) = schema else { continue };
        let Some(id) = schema.table(if side == 0 { &d.left } else { &d.right }) else { continue };
        let table = schema.get(id);
        for key in table.keys() {
            let columns = key.iter().filter(|c| Some(**c) != table.company);
            let lines: Option<Vec<Vec<usize>>> = columns
                .map(|c| {
                    let name = &table.column(*c).name;
                    let of = |l: &DraftLine| match side {
                        0 => l.left_column().is_some_and(|n| n.eq_ignore_ascii_case(name)),
                        _ => l.right_path().and_then(|p| p.steps.first()).is_some_and(|s| s.name.text == *name),
                    };
                    let found: Vec<usize> =
                        d.lines.iter().enumerate().filter(|(_, l)| usable(l) && of(l)).map(|(i, _)| i).collect();
                    let both: Vec<usize> = found.iter().copied().filter(|i| d.lines[*i].flow() == Flow::Both).collect();
                    let found = if both.is_empty() { found } else { both };
                    (!found.is_empty()).then_some(found)
                })
                .collect();
            if let Some(lines) = lines.filter(|l| !l.is_empty()) {
                return Some(lines.into_iter().flatten().collect());
            }
        }
    }
    None
}

/// A key from the names, with a question to a person.
fn propose(d: &mut Draft, referred: &[(String, String)]) -> Vec<usize> {
    let two_way = d.lines.iter().any(|l| l.flow() == Flow::Both);
    let one_way = d.lines.iter().all(|l| l.flow() == Flow::ToRight) || d.lines.iter().all(|l| l.flow() == Flow::ToLeft);
    let exact = |l: &DraftLine| match &l.line.values {
        Some(LineValues::Inline(p)) => {
            p.pairs.iter().all(|p| matches!(&p.it, Pair::Of { sign, .. } if sign.flow == Flow::Both))
        }
        _ => true,
    };
    let able = |l: &&DraftLine| {
        (one_way || exact(l))
            && l.left_column().is_some()
            && l.right_path().is_some_and(|p| p.steps.iter().all(|s| s.inner.is_none()))
            && l.line.default.is_none()
            && (!two_way || l.flow() == Flow::Both)
    };
    let all: Vec<(usize, &DraftLine)> = d.lines.iter().enumerate().filter(|(_, l)| able(l)).collect();
    let direct = all.iter().filter(|(_, l)| l.right_path().is_some_and(|p| p.steps.len() == 1));
    let mut scored: Vec<(i32, usize)> = direct.map(|(i, l)| (score(d, l, referred), *i)).collect();
    // Of two that suit alike the shorter name is the plainer one.
    scored.sort_by_key(|(s, i)| (-s, d.lines[*i].left_column().map(str::len), *i));
    let paths: Vec<(usize, &DraftLine)> =
        all.iter().filter(|(_, l)| l.right_path().is_some_and(|p| p.steps.len() > 1)).copied().collect();
    // A row that only joins others is known by what it joins.
    let unsure = |i: usize| matches!(&d.lines[i].line.values, Some(LineValues::Inline(p)) if p.pairs.is_empty());
    let joins = paths.iter().filter(|(_, l)| l.plain()).count() > 1;
    let mut key: Vec<usize> = match scored.first() {
        Some((_, i)) if joins && unsure(*i) => paths.iter().filter(|(_, l)| l.plain()).map(|(i, _)| *i).collect(),
        Some((s, i)) if *s >= 4 => {
            let parents = paths.iter().filter(|(_, l)| l.plain() && parent(d, l)).map(|(i, _)| *i);
            parents.chain([*i]).collect()
        }
        _ if !paths.is_empty() => paths.iter().map(|(i, _)| *i).collect(),
        Some((_, i)) => vec![*i],
        None => {
            // None runs both ways: one that brings a column over as it is may.
            let whole = |l: &DraftLine| {
                let single = l.right_path().is_some_and(|p| p.steps.len() == 1);
                l.plain() && l.left_column().is_some() && single
            };
            all.first().map(|(i, _)| *i).or(d.lines.iter().position(whole)).into_iter().collect()
        }
    };
    key.extend(besides(d, &all, &scored, &key));
    key.sort_unstable();
    key.dedup();
    let columns: Vec<String> = key.iter().filter_map(|i| d.lines[*i].left_column().map(|c| format!("`{c}`"))).collect();
    let at = d.source.at;
    if key.is_empty() {
        let message = format!("nothing in `{}` can identify a record", d.source.name());
        d.findings.push(Diagnostic::new(Code::TM1305, at, message).help("write a `key`"));
        return key;
    }
    let message = format!("{}: the key {} is proposed from the names", d.source.name(), columns.join(", "));
    let finding = Diagnostic::new(Code::TM1305, at, message).help(
        "these files carry no keys: compare with the environment's integration keys, or name their file with `--keys`",
    );
    d.key_remark = Some("decide: the key is proposed from the names; the file carries none".into());
    d.findings.push(finding);
    key
}

/// What a proposed key needs besides: the record's own name where the key only names what the record belongs to; both
/// ends and the beginning of what holds between two things for a time.
fn besides(d: &Draft, able: &[(usize, &DraftLine)], scored: &[(i32, usize)], key: &[usize]) -> Vec<usize> {
    let left = |l: &DraftLine| l.left_column().unwrap_or_default().to_lowercase();
    let mut more = vec![];
    if let [only] = key {
        let column = left(&d.lines[*only]);
        let looked_up = |l: &DraftLine| left(l) == column && l.right_path().is_some_and(|p| p.steps.len() > 1);
        if d.lines.iter().any(looked_up) {
            more.extend(scored.iter().find(|(s, i)| *s > 0 && left(&d.lines[*i]) != column).map(|(_, i)| *i));
        }
    }
    let named = |name: &str| able.iter().find(|(_, l)| left(l) == name).map(|(i, _)| *i);
    for (from, line) in able {
        let column = left(line);
        let Some(rest) = column.strip_prefix("from") else { continue };
        if let Some(to) =
            named(&format!("to{rest}")).filter(|_| !["date", "time", "day"].iter().any(|w| rest.contains(w)))
        {
            more.extend([*from, to]);
            more.extend(["validfrom", "effectivefrom", "startdate"].into_iter().find_map(named));
        }
    }
    more
}

/// Whether a lookup leads to the table that this one's rows belong to.
fn parent(d: &Draft, l: &DraftLine) -> bool {
    let Some(first) = l.right_path().and_then(|p| p.steps.first()) else { return false };
    let lookup = names::bare(first.name.text.trim_end_matches("id"));
    let own = names::singular(names::bare(&d.right));
    (own.starts_with(lookup) && own != lookup) || ["hierarchy", "chartofaccounts", "fiscalcalendar"].contains(&lookup)
}

/// Words of columns that are about something else than the record.
const OTHERS: &[&str] = &[
    "address",
    "phone",
    "email",
    "url",
    "fax",
    "party",
    "parent",
    "currency",
    "language",
    "government",
    "street",
    "city",
];

/// How well a line's names suit a key.
fn score(d: &Draft, l: &DraftLine, referred: &[(String, String)]) -> i32 {
    let left = l.left_column().unwrap_or_default().to_lowercase();
    let last = l.right_path().and_then(|p| p.steps.last()).map_or(String::new(), |s| s.name.text.to_lowercase());
    let right = names::bare(&last);
    let words: Vec<String> = d
        .source
        .entity
        .text
        .to_lowercase()
        .split(|c: char| !c.is_alphanumeric())
        .filter(|w| !w.is_empty() && !["cds", "entity", "integration", "v1", "v2", "v3", "v4"].contains(w))
        .map(names::singular)
        .collect();
    let own = words.concat();
    let table = names::singular(names::bare(&d.right));
    let mut score = 0;
    let ends = ["number", "code", "account", "symbol", "identifier", "barcode", "id"];
    let stem = match ends.iter().find_map(|e| left.strip_suffix(e)) {
        Some(stem) => {
            score += 4;
            stem
        }
        None => match left.strip_suffix("name") {
            Some(stem) => {
                score += 3;
                stem
            }
            None => left.as_str(),
        },
    };
    if left == own || left == table {
        score += 3;
    } else if !stem.is_empty()
        && (own.ends_with(stem) || table.ends_with(stem) || words.first().is_some_and(|w| stem.starts_with(w.as_str())))
    {
        score += 2;
    }
    score += match right {
        "name" | "accountnumber" => 2,
        _ if right == table || right == own => 2,
        _ if right.strip_suffix("name").or(right.strip_suffix("id")).is_some_and(|s| s == table) => 2,
        _ if ends.iter().chain(&["name"]).any(|e| right.ends_with(e)) => 1,
        _ => 0,
    };
    if referred.iter().any(|(t, c)| *t == d.right && *c == last) {
        score += 3;
    }
    if OTHERS.iter().any(|w| left.contains(w) && !own.contains(w)) {
        score -= 3;
    }
    if ["description", "notes", "memo", "sequence", "order", "default"].iter().any(|w| left.contains(w)) {
        score -= 5;
    }
    match &l.line.values {
        Some(LineValues::Inline(p)) if p.pairs.is_empty() => score -= 1,
        Some(_) => score -= 4,
        None => {}
    }
    score
}

/// What a draft's lookups find rows by: the table that a lookup's name suggests, and the column.
pub fn referred(d: &Draft) -> Vec<(String, String)> {
    let paths = d.lines.iter().filter_map(DraftLine::right_path);
    let pairs = paths.flat_map(|p| p.steps.windows(2).map(|w| (w[0].name.text.clone(), w[1].name.text.to_lowercase())));
    pairs
        .flat_map(|(lookup, used)| {
            let stem = lookup.strip_suffix("id").unwrap_or(&lookup).trim_end_matches('_').to_string();
            [(names::plural(&stem), used.clone()), (names::plural(&lookup), used)]
        })
        .collect()
}

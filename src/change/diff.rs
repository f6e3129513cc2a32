//! What changed between two versions of map files. Order, layout and comments are no changes.

use super::matching::{self, Matched};
use super::say;
use crate::source::{At, masked};
use crate::syntax::ast::{Edit, File, Flow, Line, LineValues, Map, Node, OnMissing, Pairs, Side, Test, ValuesDecl};
use crate::syntax::dsl;

/// What happened to something.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// It is new.
    Added,
    /// It is gone.
    Removed,
    /// It is another.
    Changed,
}

/// A part of a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Said {
    /// Its canonical text.
    pub text: String,
    /// Where it stands.
    pub at: At,
}

/// One change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// What happened.
    pub kind: Kind,
    /// To what: `line`, `test`, `edit`, `values`, `map`, or the word of a statement.
    pub what: &'static str,
    /// To which: `left.NAME`, a test's name, a side.
    pub subject: String,
    /// As it was; none if it is new.
    pub before: Option<Said>,
    /// As it is; none if it is gone.
    pub after: Option<Said>,
    /// Of a line or a value map, what about it.
    pub details: Vec<Detail>,
}

/// What about a line or a value map changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Detail {
    /// What happened.
    pub kind: Kind,
    /// `direction`, `source`, `target`, `transform`, `values`, `pair`, `default`, `on missing`, `once`.
    pub what: &'static str,
    /// As it was; empty if it is new.
    pub before: String,
    /// As it is; empty if it is gone.
    pub after: String,
}

/// The changes of one map; of file level where there is neither id nor name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MapChanges {
    /// The map's id, else its name, else empty. As it is now, or if it is gone, as it was.
    pub id: String,
    /// Its name.
    pub name: String,
    /// Its changes; never empty.
    pub changes: Vec<Change>,
}

/// What changed from `a` to `b`; each may be several files. Empty where both mean the same.
pub fn diff(a: &[&File], b: &[&File]) -> Vec<MapChanges> {
    let mut out = vec![];
    let (old, new): (Vec<&ValuesDecl>, Vec<&ValuesDecl>) =
        (a.iter().flat_map(|f| &f.values).collect(), b.iter().flat_map(|f| &f.values).collect());
    let changes = each(&old, &new, &matching::named(&old, &new, |v| v.name.text.clone()), |before, after| {
        let said = |v: &&ValuesDecl| Said { text: say::values(v), at: v.at };
        let details = match (before, after) {
            (Some(x), Some(y)) => pairs(&x.pairs, &y.pairs),
            _ => vec![],
        };
        let name = after.or(before).map_or(String::new(), |v| v.name.text.clone());
        change("values", name, before.map(said), after.map(said), details)
    });
    if !changes.is_empty() {
        out.push(MapChanges { id: String::new(), name: String::new(), changes });
    }
    let (old, new): (Vec<&Map>, Vec<&Map>) =
        (a.iter().flat_map(|f| &f.maps).collect(), b.iter().flat_map(|f| &f.maps).collect());
    let matched = matching::maps(&old, &new);
    for (before, after) in couples(&old, &new, &matched) {
        let Some(shown) = after.or(before) else { continue };
        let changes = match (before, after) {
            (Some(x), Some(y)) => map(x, y),
            _ => {
                let said = |m: &&Map| Said { text: title(m), at: m.name.as_ref().map_or(m.at, |n| n.at) };
                change("map", id(shown), before.map(said), after.map(said), vec![]).into_iter().collect()
            }
        };
        if !changes.is_empty() {
            let name = shown.name.as_ref().map_or(String::new(), |n| n.text.clone());
            out.push(MapChanges { id: id(shown), name, changes });
        }
    }
    // Only now: two passwords would look alike.
    out.iter_mut().flat_map(|m| &mut m.changes).for_each(mask);
    out
}

fn mask(c: &mut Change) {
    let said = c.before.iter_mut().chain(&mut c.after).map(|s| &mut s.text);
    let details = c.details.iter_mut().flat_map(|d| [&mut d.before, &mut d.after]);
    said.chain(details).chain([&mut c.subject]).for_each(|t| *t = masked(t));
}

fn id(m: &Map) -> String {
    let name = || m.name.as_ref().map(|n| n.text.clone());
    m.id.as_ref().map(|n| n.it.clone()).or_else(name).unwrap_or_default()
}

fn title(m: &Map) -> String {
    format!("map \"{}\"", m.name.as_ref().map_or("", |n| n.text.as_str()))
}

/// Couples in the order of the new version, what is gone at the end.
fn couples<'a, T>(a: &'a [T], b: &'a [T], matched: &Matched) -> Vec<(Option<&'a T>, Option<&'a T>)> {
    let there = b.iter().zip(matched).map(|(new, old)| (old.and_then(|i| a.get(i)), Some(new)));
    let gone = a.iter().enumerate().filter(|(i, _)| !matched.contains(&Some(*i)));
    there.chain(gone.map(|(_, old)| (Some(old), None))).collect()
}

fn each<T>(
    a: &[T],
    b: &[T],
    matched: &Matched,
    change: impl Fn(Option<&T>, Option<&T>) -> Option<Change>,
) -> Vec<Change> {
    couples(a, b, matched).into_iter().filter_map(|(x, y)| change(x, y)).collect()
}

/// A change, unless both say the same.
fn change(
    what: &'static str,
    subject: impl Into<String>,
    before: Option<Said>,
    after: Option<Said>,
    details: Vec<Detail>,
) -> Option<Change> {
    let kind = match (&before, &after) {
        (None, Some(_)) => Kind::Added,
        (Some(_), None) => Kind::Removed,
        (Some(x), Some(y)) if x.text != y.text && !(details.is_empty() && what == "values") => Kind::Changed,
        _ => return None,
    };
    Some(Change { kind, what, subject: subject.into(), before, after, details })
}

fn map(a: &Map, b: &Map) -> Vec<Change> {
    // Whoever adds a part to maps is sent here.
    #[rustfmt::skip]
    let Map {
        name: _, extends: _, id: _, version: _, labels: _, tables: _, operations: _, direct: _, guard: _, company: _,
        key: _, filter: _, on_exit: _, needs: _, initial: _, conflict: _, run: _, fields: _, fields_trivia: _,
        fields_end: _, tests: _, edits: _, at: _, trivia: _, end: _,
    } = b;
    let mut out = vec![];
    let name = |m: &Map| m.name.as_ref().map(|n| Said { text: title(m), at: n.at });
    out.extend(change("name", "", name(a), name(b), vec![]));
    let base = |m: &Map| m.extends.as_ref().map(|n| Said { text: format!("extends {}", n.text), at: n.at });
    out.extend(change("extends", "", base(a), base(b), vec![]));
    macro_rules! one {
        ($($word:literal $field:ident),*) => { $(
            let said = |m: &Map| m.$field.as_ref().map(|n| {
                Said { text: say::statement(|m| m.$field = Some(say::bare(n))), at: n.at }
            });
            out.extend(change($word, "", said(a), said(b), vec![]));
        )* };
    }
    macro_rules! several {
        ($($word:literal $field:ident $key:expr),*) => { $(
            let key = $key;
            let matched = matching::named(&a.$field, &b.$field, |n| key(&n.it.0));
            out.extend(each(&a.$field, &b.$field, &matched, |x, y| {
                let said = |n: &Node<_>| {
                    Said { text: say::statement(|m| m.$field.push(say::bare(n))), at: n.at }
                };
                let subject = y.or(x).map_or(String::new(), |n| key(&n.it.0));
                change($word, subject, x.map(said), y.map(said), vec![])
            }));
        )* };
    }
    let side = |s: &Side| s.word().to_string();
    one!("id" id, "version" version);
    several!("label" labels |l: &String| l.clone());
    one!("tables" tables);
    several!("operations" operations side, "direct" direct side, "guard" guard side);
    one!("company" company);
    let key = |m: &Map| m.key.first().map(|l| Said { text: say::key(&m.key), at: l.at });
    out.extend(change("key", "", key(a), key(b), vec![]));
    several!("filter" filter side, "on exit" on_exit side);
    one!("needs" needs, "initial" initial, "conflict" conflict, "run" run);
    out.extend(each(&a.fields, &b.fields, &matching::lines(&a.fields, &b.fields), line));
    out.extend(each(&a.edits, &b.edits, &matching::edits(&a.edits, &b.edits), edit));
    let matched = matching::named(&a.tests, &b.tests, |t| t.name.text.clone());
    out.extend(each(&a.tests, &b.tests, &matched, |x, y| {
        let said = |t: &Test| Said { text: say::test(t), at: t.name.at };
        let subject = y.or(x).map_or(String::new(), |t| t.name.text.clone());
        change("test", subject, x.map(said), y.map(said), vec![])
    }));
    out
}

fn line(a: Option<&Line>, b: Option<&Line>) -> Option<Change> {
    let said = |l: &Line| Said { text: say::line(l), at: l.at };
    let details = match (a, b) {
        (Some(a), Some(b)) => line_details(a, b),
        _ => vec![],
    };
    change("line", b.or(a).map_or(String::new(), say::subject), a.map(said), b.map(said), details)
        // The order of pairs says nothing.
        .filter(|c| c.kind != Kind::Changed || !c.details.is_empty())
}

fn edit(a: Option<&Edit>, b: Option<&Edit>) -> Option<Change> {
    let said = |e: &Edit| Said { text: say::edit(e), at: e.at() };
    let subject = |e: &Edit| match e {
        Edit::Set(l, _) | Edit::Add(l) => say::subject(l),
        Edit::AddPairs(c, _) | Edit::Drop(c, _) => say::column(c.side, &c.column.text),
    };
    let details = match (a, b) {
        (Some(Edit::Set(a, _)), Some(Edit::Set(b, _))) | (Some(Edit::Add(a)), Some(Edit::Add(b))) => line_details(a, b),
        (Some(Edit::AddPairs(_, a)), Some(Edit::AddPairs(_, b))) => pairs(a, b),
        _ => vec![],
    };
    change("edit", b.or(a).map_or(String::new(), subject), a.map(said), b.map(said), details)
}

fn detail(what: &'static str, before: impl Into<String>, after: impl Into<String>) -> Option<Detail> {
    let (before, after) = (before.into(), after.into());
    let kind = match (before.is_empty(), after.is_empty()) {
        _ if before == after => return None,
        (true, _) => Kind::Added,
        (_, true) => Kind::Removed,
        _ => Kind::Changed,
    };
    Some(Detail { kind, what, before, after })
}

fn line_details(a: &Line, b: &Line) -> Vec<Detail> {
    let way = |l: &Line| match l.sign.flow {
        Flow::Both => "both ways",
        Flow::ToLeft => "into left",
        Flow::ToRight => "into right",
    };
    let mut out: Vec<Detail> = detail("direction", way(a), way(b)).into_iter().collect();
    for side in [Side::Left, Side::Right] {
        let what = if b.sign.flow.into(side) { "target" } else { "source" };
        out.extend(detail(what, dsl::write_expr(a.operand(side)), dsl::write_expr(b.operand(side))));
    }
    let pipes = |l: &Line| {
        let bare = Line { pipes: vec![], values: None, default: None, on_missing: None, once: false, ..l.clone() };
        let piped = Line { pipes: l.pipes.clone(), ..bare.clone() };
        // The sign is doubled by the pipe.
        let text = say::line(&piped);
        let from = text.find(" | ").filter(|_| !l.pipes.is_empty());
        from.map_or(String::new(), |i| text[i + 1..].to_string())
    };
    out.extend(detail("transform", pipes(a), pipes(b)));
    let shared = |l: &Line| match &l.values {
        Some(LineValues::Named(n)) => format!("values {}", n.text),
        Some(LineValues::Inline(p)) => say::pairs(p),
        None => String::new(),
    };
    match (&a.values, &b.values) {
        (Some(LineValues::Inline(x)), Some(LineValues::Inline(y))) => out.extend(pairs(x, y)),
        _ => out.extend(detail("values", shared(a), shared(b))),
    }
    let default = |l: &Line| {
        let literal = l.default.clone();
        literal.map_or(String::new(), |l| {
            dsl::write_expr(&crate::syntax::ast::Expr { at: l.at, kind: crate::syntax::ast::ExprKind::Literal(l) })
        })
    };
    out.extend(detail("default", default(a), default(b)));
    let missing = |l: &Line| match l.on_missing {
        None => "",
        Some(OnMissing::Park) => "park",
        Some(OnMissing::Null) => "null",
        Some(OnMissing::Error) => "error",
    };
    out.extend(detail("on missing", missing(a), missing(b)));
    let once = |l: &Line| if l.once { "once" } else { "" };
    out.extend(detail("once", once(a), once(b)));
    out
}

fn pairs(a: &Pairs, b: &Pairs) -> Vec<Detail> {
    let matched = matching::pairs(&a.pairs, &b.pairs);
    couples(&a.pairs, &b.pairs, &matched)
        .into_iter()
        .filter_map(|(x, y)| {
            let said = |p: Option<&Node<_>>| p.map_or(String::new(), |p| say::pair(&p.it));
            detail("pair", said(x), said(y))
        })
        .collect()
}

//! The parts of map files that are merged, and how they come together.

use super::merge::{Item, Merge, Slot, trivia};
use super::{matching, merge_line, say};
use crate::diagnostic::Diagnostic;
use crate::source::{At, Span};
use crate::syntax::ast::{
    Edit, EditedColumn, File, Line, LineValues, Map, Name, Node, Pair, Pairs, Side, Test, Trivia, TriviaLine,
    ValuesDecl,
};

/// The outcome of a merge.
#[derive(Debug)]
pub struct Merged {
    /// The file; where both sides changed the same, mine with a comment that shows all versions.
    pub file: File,
    /// What both sides changed.
    pub conflicts: Vec<Diagnostic>,
}

/// Merges two files that were made of one. `mine_at` is where a conflict about what is not in mine is shown.
pub fn merge(base: &File, mine: &File, theirs: &File, mine_at: Span) -> Merged {
    let mut merge = Merge { conflicts: vec![], mine: mine_at };
    let (values, mut left) = merge.list(&base.values, &mine.values, &theirs.values, |a, b| {
        matching::named(a, b, |v: &ValuesDecl| v.name.text.clone())
    });
    let (mut maps, more) = merge.list(&base.maps, &mine.maps, &theirs.maps, |a, b| {
        matching::maps(&a.iter().collect::<Vec<_>>(), &b.iter().collect::<Vec<_>>())
    });
    let mut end = trivia(&base.end, &mine.end, &theirs.end);
    match maps.first_mut() {
        Some(map) => map.trivia.before.splice(0..0, left.drain(..)).for_each(drop),
        None => end.before.extend(left),
    }
    end.before.extend(more);
    Merged { file: File { values, maps, end }, conflicts: merge.conflicts }
}

impl Item for ValuesDecl {
    fn subject(&self) -> String {
        format!("the value map `{}`", self.name.text)
    }
    fn text(&self) -> String {
        say::values(self)
    }
    fn at(&self) -> At {
        self.name.at
    }
    fn comments(&self) -> Vec<&Trivia> {
        let mut all = vec![&self.trivia];
        all.extend(pair_comments(&self.pairs));
        all
    }
    fn lead(&mut self) -> &mut Trivia {
        &mut self.trivia
    }
    fn finer(merge: &mut Merge, base: Option<&Self>, mine: &Self, theirs: &Self) -> Option<Self> {
        let none = Pairs::default();
        let pairs = pairs(merge, base.map_or(&none, |b| &b.pairs), &mine.pairs, &theirs.pairs);
        Some(ValuesDecl { pairs, ..mine.clone() })
    }
}

impl Item for Node<Pair> {
    fn subject(&self) -> String {
        "a pair of a value map".into()
    }
    fn text(&self) -> String {
        say::pair(&self.it)
    }
    fn at(&self) -> At {
        self.at
    }
    fn comments(&self) -> Vec<&Trivia> {
        vec![&self.trivia]
    }
    fn lead(&mut self) -> &mut Trivia {
        &mut self.trivia
    }
}

impl Item for Line {
    fn subject(&self) -> String {
        format!("the line of `{}`", say::subject(self))
    }
    fn text(&self) -> String {
        say::line(self)
    }
    fn at(&self) -> At {
        self.at
    }
    fn comments(&self) -> Vec<&Trivia> {
        let mut all = vec![&self.trivia];
        if let Some(LineValues::Inline(p)) = &self.values {
            all.extend(pair_comments(p));
        }
        all
    }
    fn lead(&mut self) -> &mut Trivia {
        &mut self.trivia
    }
    fn finer(merge: &mut Merge, base: Option<&Self>, mine: &Self, theirs: &Self) -> Option<Self> {
        merge_line::line(merge, base?, mine, theirs)
    }
}

impl Item for Test {
    fn subject(&self) -> String {
        format!("the test `{}`", self.name.text)
    }
    fn text(&self) -> String {
        say::test(self)
    }
    fn at(&self) -> At {
        self.name.at
    }
    fn comments(&self) -> Vec<&Trivia> {
        let steps = self.steps.iter().map(|s| &s.trivia);
        std::iter::once(&self.trivia).chain(steps).chain([&self.end]).collect()
    }
    fn lead(&mut self) -> &mut Trivia {
        &mut self.trivia
    }
}

impl Item for Edit {
    fn subject(&self) -> String {
        let column = |c: &EditedColumn| say::column(c.side, &c.column.text);
        match self {
            Edit::Set(l, _) => format!("the `set` of `{}`", say::subject(l)),
            Edit::Add(l) => format!("the `add` of `{}`", say::subject(l)),
            Edit::AddPairs(c, _) => format!("the pairs added to `{}`", column(c)),
            Edit::Drop(c, _) => format!("the `drop` of `{}`", column(c)),
        }
    }
    fn text(&self) -> String {
        say::edit(self)
    }
    fn at(&self) -> At {
        Edit::at(self)
    }
    fn comments(&self) -> Vec<&Trivia> {
        match self {
            Edit::Set(l, was) => l.comments().into_iter().chain(was.iter().flat_map(|w| w.comments())).collect(),
            Edit::Add(l) => l.comments(),
            Edit::AddPairs(c, p) | Edit::Drop(c, Some(p)) => {
                std::iter::once(&c.trivia).chain(pair_comments(p)).collect()
            }
            Edit::Drop(c, None) => vec![&c.trivia],
        }
    }
    fn lead(&mut self) -> &mut Trivia {
        self.trivia_mut()
    }
    /// What an edit says of a line or of pairs comes together as they do.
    fn finer(merge: &mut Merge, base: Option<&Self>, mine: &Self, theirs: &Self) -> Option<Self> {
        match (base?, mine, theirs) {
            (Edit::Set(b, wb), Edit::Set(m, wm), Edit::Set(t, wt)) => {
                let was = merge_line::one(wb, wm, wt)?;
                Some(Edit::Set(Box::new(merge_line::line(merge, b, m, t)?), was))
            }
            (Edit::Add(b), Edit::Add(m), Edit::Add(t)) => Some(Edit::Add(Box::new(merge_line::line(merge, b, m, t)?))),
            (Edit::AddPairs(_, b), Edit::AddPairs(c, m), Edit::AddPairs(_, t)) => {
                Some(Edit::AddPairs(c.clone(), pairs(merge, b, m, t)))
            }
            (Edit::Drop(_, Some(b)), Edit::Drop(c, Some(m)), Edit::Drop(_, Some(t))) => {
                Some(Edit::Drop(c.clone(), Some(pairs(merge, b, m, t))))
            }
            _ => None,
        }
    }
}

/// The key, which is one thing: its first line, the others.
#[derive(Clone, PartialEq)]
struct Key(Line, Vec<Line>);

impl Key {
    fn of(map: &Map) -> Option<Key> {
        map.key.split_first().map(|(first, rest)| Key(first.clone(), rest.to_vec()))
    }
    fn lines(self) -> Vec<Line> {
        std::iter::once(self.0).chain(self.1).collect()
    }
}

impl Item for Key {
    fn subject(&self) -> String {
        "`key`".into()
    }
    fn text(&self) -> String {
        say::key(&self.clone().lines())
    }
    fn at(&self) -> At {
        self.0.at
    }
    fn comments(&self) -> Vec<&Trivia> {
        std::iter::once(&self.0).chain(&self.1).flat_map(Item::comments).collect()
    }
    fn lead(&mut self) -> &mut Trivia {
        &mut self.0.trivia
    }
}

/// A statement with where it belongs.
#[derive(Clone)]
struct Stated<T> {
    node: Node<T>,
    put: fn(&mut Map, Node<T>),
    subject: String,
}

impl<T: PartialEq> PartialEq for Stated<T> {
    fn eq(&self, other: &Self) -> bool {
        self.node.it == other.node.it
    }
}

impl<T: Clone + PartialEq> Item for Stated<T> {
    fn subject(&self) -> String {
        format!("`{}`", self.subject)
    }
    fn text(&self) -> String {
        say::statement(|m| (self.put)(m, say::bare(&self.node)))
    }
    fn at(&self) -> At {
        self.node.at
    }
    fn comments(&self) -> Vec<&Trivia> {
        vec![&self.node.trivia]
    }
    fn lead(&mut self) -> &mut Trivia {
        &mut self.node.trivia
    }
}

/// `map "NAME"` and `extends`.
#[derive(Clone)]
struct Title {
    name: Name,
    word: &'static str,
    trivia: Trivia,
}

impl PartialEq for Title {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl Item for Title {
    fn subject(&self) -> String {
        match self.word {
            "map" => "the map's name".into(),
            word => format!("`{word}`"),
        }
    }
    fn text(&self) -> String {
        format!("{} {}", self.word, self.name.text)
    }
    fn at(&self) -> At {
        self.name.at
    }
    fn comments(&self) -> Vec<&Trivia> {
        vec![]
    }
    fn lead(&mut self) -> &mut Trivia {
        &mut self.trivia
    }
}

impl Item for Map {
    const DEEP: bool = true;
    fn subject(&self) -> String {
        let id = self.id.as_ref().map(|n| n.it.as_str());
        format!("the map `{}`", id.or(self.name.as_ref().map(|n| n.text.as_str())).unwrap_or(""))
    }
    fn text(&self) -> String {
        format!("map \"{}\" {{ … }}", self.name.as_ref().map_or("", |n| &n.text))
    }
    fn at(&self) -> At {
        self.name.as_ref().map_or(self.at, |n| n.at)
    }
    fn comments(&self) -> Vec<&Trivia> {
        macro_rules! all {
            ($($field:ident),*) => {{
                let mut all: Vec<&Trivia> = vec![&self.trivia];
                $(all.extend(self.$field.iter().map(|n| &n.trivia));)*
                all
            }};
        }
        let mut all = all!(
            id, version, labels, tables, operations, direct, guard, company, filter, on_exit, needs, initial, conflict,
            run
        );
        all.extend(self.key.iter().flat_map(Item::comments));
        all.push(&self.fields_trivia);
        all.extend(self.fields.iter().flat_map(Item::comments));
        all.push(&self.fields_end);
        all.extend(self.edits.iter().flat_map(Item::comments));
        all.extend(self.tests.iter().flat_map(Item::comments));
        all.push(&self.end);
        all
    }
    fn lead(&mut self) -> &mut Trivia {
        &mut self.trivia
    }
    fn finer(merge: &mut Merge, base: Option<&Self>, mine: &Self, theirs: &Self) -> Option<Self> {
        let none = Map::default();
        Some(map(merge, base.unwrap_or(&none), mine, theirs))
    }
}

fn map(merge: &mut Merge, base: &Map, mine: &Map, theirs: &Map) -> Map {
    let mut out = Map { at: mine.at, ..Map::default() };
    let mut left: Vec<TriviaLine> = vec![];
    let outer = merge.mine;
    merge.mine = mine.name.as_ref().map_or(mine.at.0, |n| n.at.0);
    out.trivia = trivia(&base.trivia, &mine.trivia, &theirs.trivia);
    for (word, slot) in [("map", 0), ("extends", 1)] {
        let of = |m: &Map| {
            let name = if slot == 0 { &m.name } else { &m.extends };
            name.clone().map(|name| Title { name, word, trivia: Trivia::default() })
        };
        if let Some(title) = merge.only(of(base), of(mine), of(theirs), &mut left) {
            out.trivia.before.extend(title.trivia.before);
            *(if slot == 0 { &mut out.name } else { &mut out.extends }) = Some(title.name);
        }
    }
    macro_rules! one {
        ($($word:literal $field:ident),*) => { $(
            let of = |m: &Map| m.$field.clone().map(|node| {
                Stated { node, put: |m, n| m.$field = Some(n), subject: $word.into() }
            });
            out.$field = merge.only(of(base), of(mine), of(theirs), &mut left).map(|s| s.node);
        )* };
    }
    macro_rules! several {
        ($($word:literal $field:ident $key:expr),*) => { $(
            let of = |m: &Map| -> Vec<Stated<_>> {
                let all = m.$field.iter().cloned();
                all.map(|node| {
                    let subject = format!("{} {}", $word, $key(&node.it.0));
                    Stated { node, put: |m, n| m.$field.push(n), subject }
                }).collect()
            };
            let same = |a: &[Stated<_>], b: &[Stated<_>]| matching::named(a, b, |s| s.subject.clone());
            let (merged, rest) = merge.list(&of(base), &of(mine), &of(theirs), same);
            out.$field = merged.into_iter().map(|s| s.node).collect();
            left.extend(rest);
        )* };
    }
    let side = |s: &Side| s.word().to_string();
    one!("id" id, "version" version);
    several!("label" labels String::clone);
    one!("tables" tables);
    several!("operations" operations side, "direct" direct side, "guard" guard side);
    one!("company" company);
    let key = merge.only(Key::of(base), Key::of(mine), Key::of(theirs), &mut left);
    out.key = key.map_or(vec![], Key::lines);
    several!("filter" filter side, "on exit" on_exit side);
    out.needs = needs(merge, base, mine, theirs, &mut left);
    one!("initial" initial, "conflict" conflict, "run" run);
    out.fields_trivia = trivia(&base.fields_trivia, &mine.fields_trivia, &theirs.fields_trivia);
    out.fields_end = trivia(&base.fields_end, &mine.fields_end, &theirs.fields_end);
    let (fields, rest) = merge.list(&base.fields, &mine.fields, &theirs.fields, matching::lines);
    out.fields = fields;
    out.fields_end.before.splice(0..0, rest);
    let (mut edits, rest) = merge.list(&base.edits, &mine.edits, &theirs.edits, matching::edits);
    edits.sort_by_key(Edit::rank);
    out.edits = edits;
    left.extend(rest);
    let (tests, rest) = merge
        .list(&base.tests, &mine.tests, &theirs.tests, |a, b| matching::named(a, b, |t: &Test| t.name.text.clone()));
    out.tests = tests;
    left.extend(rest);
    out.end = trivia(&base.end, &mine.end, &theirs.end);
    out.end.before.splice(0..0, left);
    merge.mine = outer;
    out
}

/// Prerequisites come together one by one.
fn needs(
    merge: &mut Merge,
    base: &Map,
    mine: &Map,
    theirs: &Map,
    left: &mut Vec<TriviaLine>,
) -> Option<Node<Vec<Name>>> {
    let of = |m: &Map| {
        let node = m.needs.clone();
        node.map(|node| Stated { node, put: |m, n| m.needs = Some(n), subject: "needs".into() })
    };
    let (b, m, t) = (of(base), of(mine), of(theirs));
    if let (Some(m), Some(t)) = (&m, &t)
        && m != t
        && b.as_ref() != Some(m)
        && b.as_ref() != Some(t)
    {
        let names = |s: &Stated<Vec<Name>>| s.node.it.clone();
        let (b, mut all, t) = (b.as_ref().map_or(vec![], names), names(m), names(t));
        all.retain(|n| t.contains(n) || !b.contains(n));
        let new: Vec<Name> = t.into_iter().filter(|n| !b.contains(n) && !all.contains(n)).collect();
        all.extend(new);
        return (!all.is_empty()).then(|| Node { it: all, ..m.node.clone() });
    }
    match merge.one(b.as_ref(), m.as_ref(), t.as_ref()) {
        Slot::There(s) => Some(s.node),
        Slot::Gone(lines) => {
            left.extend(lines);
            None
        }
    }
}

pub(super) fn pairs(merge: &mut Merge, base: &Pairs, mine: &Pairs, theirs: &Pairs) -> Pairs {
    let (all, rest) = merge.list(&base.pairs, &mine.pairs, &theirs.pairs, matching::pairs);
    let mut end = trivia(&base.end, &mine.end, &theirs.end);
    end.before.splice(0..0, rest);
    Pairs { pairs: all, at: mine.at, end }
}

fn pair_comments(p: &Pairs) -> impl Iterator<Item = &Trivia> {
    p.pairs.iter().map(|p| &p.trivia).chain([&p.end])
}

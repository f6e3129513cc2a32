//! Three versions of one thing into one: what only one side changed is taken, what both changed alike too; else the
//! first side's stays, with both versions in a comment above it.

use super::matching::Matched;
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{At, Span, masked};
use crate::syntax::ast::{Trivia, TriviaLine};

/// Something that can be merged. Equality is of meaning: places and comments do not count.
pub(super) trait Item: Clone + PartialEq {
    /// What it is, for messages: "the line `left.NAME`".
    fn subject(&self) -> String;
    /// Its canonical text.
    fn text(&self) -> String;
    /// Where it stands.
    fn at(&self) -> At;
    /// Its comments and those inside it, in the order of the text.
    fn comments(&self) -> Vec<&Trivia>;
    /// The comments above it.
    fn lead(&mut self) -> &mut Trivia;
    /// Whether what is inside it has places of its own for comments, so that it is always merged inside.
    const DEEP: bool = false;
    /// Merges inside it, where both sides changed it.
    fn finer(_: &mut Merge, _base: Option<&Self>, _mine: &Self, _theirs: &Self) -> Option<Self> {
        None
    }
}

/// What is left of one thing: itself, or the comments that had stood at it.
pub(super) enum Slot<T> {
    There(T),
    Gone(Vec<TriviaLine>),
}

/// A merge at work.
pub(super) struct Merge {
    pub conflicts: Vec<Diagnostic>,
    /// Stands for a version in which something is not there.
    pub mine: Span,
}

impl Merge {
    /// Merges one thing.
    pub fn one<T: Item>(&mut self, base: Option<&T>, mine: Option<&T>, theirs: Option<&T>) -> Slot<T> {
        if T::DEEP
            && let (Some(m), Some(t)) = (mine, theirs)
            && let Some(merged) = T::finer(self, base, m, t)
        {
            return Slot::There(merged);
        }
        if mine == theirs {
            let (Some(m), Some(t)) = (mine, theirs) else { return Slot::Gone(vec![]) };
            return Slot::There(alike(base, m, t));
        }
        if mine == base {
            return taken(base, theirs, mine);
        }
        if theirs == base {
            return taken(base, mine, theirs);
        }
        if let (Some(m), Some(t)) = (mine, theirs)
            && let Some(mut merged) = T::finer(self, base, m, t)
        {
            settle(base, t, &mut merged);
            return Slot::There(merged);
        }
        self.conflict(base, mine, theirs)
    }

    fn conflict<T: Item>(&mut self, base: Option<&T>, mine: Option<&T>, theirs: Option<&T>) -> Slot<T> {
        let Some(any) = mine.or(theirs).or(base) else { return Slot::Gone(vec![]) };
        let subject = any.subject();
        let quoted = |t: Option<&T>| {
            t.map(|t| {
                let text = t.text();
                let mut lines = text.lines();
                let first = lines.next().unwrap_or("").to_string();
                format!("`{}{}`", masked(&first), if lines.next().is_some() { " …" } else { "" })
            })
        };
        let message = match (quoted(base), quoted(mine), quoted(theirs)) {
            (Some(b), Some(m), Some(t)) => format!("both changed {subject}: {b} is {m} here and {t} there"),
            (None, Some(m), Some(t)) => format!("both added {subject}: it is {m} here and {t} there"),
            (_, Some(m), None) => format!("{subject} is {m} here, and was taken away there"),
            (_, None, Some(t)) => format!("{subject} was taken away here, and is {t} there"),
            _ => return Slot::Gone(vec![]),
        };
        let at = mine.map_or(self.mine, |m| m.at().0);
        let mut d = Diagnostic::new(Code::TM1401, at, message).help("decide, and remove the comments of the conflict");
        for (other, label) in [(base, "before"), (theirs, "there")] {
            if let Some(other) = other {
                d = d.related(other.at().0, label);
            }
        }
        self.conflicts.push(d);
        let mut lines = vec![];
        if mine.is_none() {
            lines.push(comment(&format!("conflict: {subject} was taken away here")));
        }
        for (name, other) in [("base", base), ("theirs", theirs)] {
            match other {
                None if name == "base" => {}
                None => lines.push(comment(&format!("conflict: {name:6} (nothing)"))),
                Some(t) => lines.extend(t.text().lines().map(|l| comment(&format!("conflict: {name:6} {l}")))),
            }
        }
        match mine {
            Some(m) => {
                let mut kept = m.clone();
                if let Some(t) = theirs {
                    settle(base, t, &mut kept);
                }
                kept.lead().before.extend(lines);
                Slot::There(kept)
            }
            None => Slot::Gone(lines),
        }
    }

    /// Merges lists, each of whose members the functions match: base with mine, base with theirs, mine with theirs. The
    /// comments of what is gone go to what follows; what is left at the end is given back.
    pub fn list<T: Item>(
        &mut self,
        base: &[T],
        mine: &[T],
        theirs: &[T],
        matching: impl Fn(&[T], &[T]) -> Matched,
    ) -> (Vec<T>, Vec<TriviaLine>) {
        let groups = groups(base, mine, theirs, matching);
        let (mut out, mut waiting): (Vec<T>, Vec<TriviaLine>) = (vec![], vec![]);
        for g in groups {
            let get = |list: &[T], i: Option<usize>| i.and_then(|i| list.get(i)).cloned();
            let (b, m, t) = (get(base, g.base), get(mine, g.mine), get(theirs, g.theirs));
            match self.one(b.as_ref(), m.as_ref(), t.as_ref()) {
                Slot::There(mut item) => {
                    item.lead().before.splice(0..0, waiting.drain(..));
                    out.push(item);
                }
                Slot::Gone(lines) => waiting.extend(lines),
            }
        }
        (out, waiting)
    }

    /// Merges what there is one of.
    pub fn only<T: Item>(
        &mut self,
        base: Option<T>,
        mine: Option<T>,
        theirs: Option<T>,
        left: &mut Vec<TriviaLine>,
    ) -> Option<T> {
        match self.one(base.as_ref(), mine.as_ref(), theirs.as_ref()) {
            Slot::There(t) => Some(t),
            Slot::Gone(lines) => {
                left.extend(lines);
                None
            }
        }
    }
}

/// A comment line.
fn comment(text: &str) -> TriviaLine {
    TriviaLine::Comment(format!(" {}", text.trim_end()))
}

/// Both mean the same: the one whose comments were changed.
fn alike<T: Item>(base: Option<&T>, mine: &T, theirs: &T) -> T {
    match base {
        Some(b) if same_comments(b, mine) => theirs.clone(),
        Some(b) if same_comments(b, theirs) => mine.clone(),
        _ => {
            let mut kept = mine.clone();
            settle(base, theirs, &mut kept);
            kept
        }
    }
}

/// The side that changed something, with the comments that the other side changed.
fn taken<T: Item>(base: Option<&T>, changed: Option<&T>, other: Option<&T>) -> Slot<T> {
    match (changed, other) {
        (None, None) => Slot::Gone(vec![]),
        (None, Some(o)) => Slot::Gone(new_lines(base, o, &[])),
        (Some(c), None) => Slot::There(c.clone()),
        (Some(c), Some(o)) => {
            let mut kept = c.clone();
            settle(base, o, &mut kept);
            Slot::There(kept)
        }
    }
}

/// Where the comments of a thing stand takes part here.
fn same_comments<T: Item>(a: &T, b: &T) -> bool {
    let (a, b) = (a.comments(), b.comments());
    a.len() == b.len() && a.iter().zip(&b).all(|(a, b)| same_trivia(a, b))
}

fn same_trivia(a: &Trivia, b: &Trivia) -> bool {
    a.before == b.before && a.after == b.after
}

/// Brings the comments that `other` changed to what is kept: in place of the base's where those still stand, else below.
fn settle<T: Item>(base: Option<&T>, other: &T, kept: &mut T) {
    let lead = |t: &T| t.comments().first().map(|t| (*t).clone());
    if let (Some(b), Some(o), Some(k)) = (base.and_then(lead), lead(other), lead(kept)) {
        if b.before == k.before {
            kept.lead().before.clone_from(&o.before);
        }
        if b.after == k.after {
            kept.lead().after.clone_from(&o.after);
        }
    }
    let new = new_lines(base, other, &texts(&kept.comments()));
    kept.lead().before.extend(new);
}

fn new_lines<T: Item>(base: Option<&T>, of: &T, kept: &[String]) -> Vec<TriviaLine> {
    let known = base.map_or(vec![], |b| texts(&b.comments()));
    let new = texts(&of.comments()).into_iter().filter(|t| !known.contains(t) && !kept.contains(t));
    new.map(TriviaLine::Comment).collect()
}

fn texts(all: &[&Trivia]) -> Vec<String> {
    let lines = |t: &&Trivia| {
        let before = t.before.iter().filter_map(|l| match l {
            TriviaLine::Comment(c) => Some(c.clone()),
            TriviaLine::Blank => None,
        });
        before.chain(t.after.clone()).collect::<Vec<_>>()
    };
    all.iter().flat_map(lines).collect()
}

/// Comments that belong to no item.
pub(super) fn trivia(base: &Trivia, mine: &Trivia, theirs: &Trivia) -> Trivia {
    if same_trivia(base, mine) {
        return theirs.clone();
    }
    let mut kept = mine.clone();
    if !same_trivia(base, theirs) {
        let (known, there) = (texts(&[base]), texts(&[mine]));
        let new = texts(&[theirs]).into_iter().filter(|t| !known.contains(t) && !there.contains(t));
        kept.before.extend(new.map(TriviaLine::Comment));
    }
    kept
}

/// One thing in the three versions.
#[derive(Clone, Copy, Default)]
struct Group {
    base: Option<usize>,
    mine: Option<usize>,
    theirs: Option<usize>,
}

/// Who is who, in the order of the merged list: that of the side that changed the order, else mine; what is only in the
/// other stands behind what it stands behind there.
fn groups<T: Item>(base: &[T], mine: &[T], theirs: &[T], matching: impl Fn(&[T], &[T]) -> Matched) -> Vec<Group> {
    let mut all: Vec<Group> = (0..base.len()).map(|i| Group { base: Some(i), ..Group::default() }).collect();
    let mut own: Vec<usize> = vec![];
    for (i, b) in matching(base, mine).into_iter().enumerate() {
        let g = b.unwrap_or_else(|| {
            all.push(Group::default());
            all.len() - 1
        });
        all[g].mine = Some(i);
        own.push(g);
    }
    let in_base = matching(base, theirs);
    // What both added.
    let free = |matched: &[Option<usize>]| -> Vec<usize> {
        matched.iter().enumerate().filter(|(_, b)| b.is_none()).map(|(i, _)| i).collect()
    };
    let mine_new: Vec<usize> = own.iter().enumerate().filter(|(_, g)| **g >= base.len()).map(|(i, _)| i).collect();
    let theirs_new = free(&in_base);
    let pick = |list: &[T], at: &[usize]| at.iter().filter_map(|i| list.get(*i)).cloned().collect::<Vec<T>>();
    let both = matching(&pick(mine, &mine_new), &pick(theirs, &theirs_new));
    let mut other: Vec<usize> = vec![];
    for (i, b) in in_base.into_iter().enumerate() {
        let new = theirs_new.iter().position(|n| *n == i).and_then(|n| both.get(n).copied().flatten());
        let new = new.and_then(|n| mine_new.get(n)).and_then(|m| own.get(*m)).copied();
        let g = b.or(new).unwrap_or_else(|| {
            all.push(Group::default());
            all.len() - 1
        });
        all[g].theirs = Some(i);
        other.push(g);
    }
    let as_before: Vec<usize> = (0..base.len()).collect();
    let (lead, follow) = if own == as_before { (&other, &own) } else { (&own, &other) };
    let order = woven(lead, follow);
    order.into_iter().filter_map(|g| all.get(g)).copied().collect()
}

/// `lead`, and each of `follow` that is not in it behind the one before it in `follow`.
fn woven(lead: &[usize], follow: &[usize]) -> Vec<usize> {
    let known: std::collections::HashSet<usize> = lead.iter().copied().collect();
    let mut behind: std::collections::HashMap<Option<usize>, Vec<usize>> = std::collections::HashMap::new();
    let mut last = None;
    for g in follow {
        match known.contains(g) {
            true => last = Some(*g),
            false => behind.entry(last).or_default().push(*g),
        }
    }
    let mut out = behind.remove(&None).unwrap_or_default();
    for g in lead {
        out.push(*g);
        out.extend(behind.remove(&Some(*g)).unwrap_or_default());
    }
    out
}

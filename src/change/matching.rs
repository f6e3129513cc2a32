//! Which part of one version is which of another.

use super::say;
use crate::syntax::ast::{Edit, Line, Map, Node, Pair, Side};
use std::collections::HashMap;
use std::hash::Hash;

/// For each of the second list its counterpart in the first; each has at most one.
pub(super) type Matched = Vec<Option<usize>>;

/// What a part may be known by.
type Keys<'f, T, K> = &'f dyn Fn(&T) -> Vec<K>;

/// Matches by keys, the first function's first. A part may have several keys: the first that is still free counts.
fn by_keys<T, K: Hash + Eq>(a: &[T], b: &[T], passes: &[Keys<'_, T, K>]) -> Matched {
    let mut matched: Matched = vec![None; b.len()];
    let mut taken = vec![false; a.len()];
    for keys in passes {
        let mut places: HashMap<K, Vec<usize>> = HashMap::new();
        for (i, t) in a.iter().enumerate().rev().filter(|(i, _)| !taken[*i]) {
            keys(t).into_iter().for_each(|k| places.entry(k).or_default().push(i));
        }
        for (slot, t) in matched.iter_mut().zip(b).filter(|(slot, _)| slot.is_none()) {
            for key in keys(t) {
                let Some(free) = places.get_mut(&key) else { continue };
                while free.last().is_some_and(|i| taken[*i]) {
                    free.pop();
                }
                if let Some(i) = free.pop() {
                    taken[i] = true;
                    *slot = Some(i);
                    break;
                }
            }
        }
    }
    matched
}

/// Lines: the same text, then the same columns written, then one of them, then the same two operands.
pub(super) fn lines(a: &[Line], b: &[Line]) -> Matched {
    let operands = |l: &Line| {
        let side = |s: Side| crate::syntax::dsl::write_expr(l.operand(s));
        vec![format!("{} = {}", side(Side::Left), side(Side::Right))]
    };
    let all = |l: &Line| {
        let targets = say::targets(l);
        if targets.is_empty() { vec![] } else { vec![targets.join(" ")] }
    };
    by_keys(a, b, &[&|l| vec![say::line(l)], &all, &say::targets, &operands])
}

/// Pairs: the same, then the same left value, then the same right one; `else` by its direction.
pub(super) fn pairs(a: &[Node<Pair>], b: &[Node<Pair>]) -> Matched {
    let value = |p: &Pair, of: Side| match p {
        Pair::Of { left, right, .. } => vec![format!("{:?}", if of == Side::Left { &left.kind } else { &right.kind })],
        Pair::Else { sign, .. } => vec![format!("else {:?}", sign.map(|s| s.flow))],
    };
    by_keys(a, b, &[&|p| vec![say::pair(&p.it)], &|p| value(&p.it, Side::Left), &|p| value(&p.it, Side::Right)])
}

/// Edits: the same text, then the same kind of the same column.
pub(super) fn edits(a: &[Edit], b: &[Edit]) -> Matched {
    let about = |e: &Edit| match e {
        Edit::Set(l, _) => say::targets(l).into_iter().map(|t| format!("set {t}")).collect(),
        Edit::Add(l) => say::targets(l).into_iter().map(|t| format!("add {t}")).collect(),
        Edit::AddPairs(c, _) => vec![format!("pairs {}", say::column(c.side, &c.column.text))],
        Edit::Drop(c, p) => vec![format!("drop {} {}", p.is_some(), say::column(c.side, &c.column.text))],
    };
    by_keys(a, b, &[&|e| vec![say::edit(e)], &about])
}

/// Maps: the same id, then the same name, then the only ones left.
pub(super) fn maps(a: &[&Map], b: &[&Map]) -> Matched {
    let id = |m: &&Map| m.id.iter().map(|n| n.it.clone()).collect::<Vec<_>>();
    let name = |m: &&Map| m.name.iter().map(|n| n.text.clone()).collect::<Vec<_>>();
    let mut matched = by_keys(a, b, &[&id, &name]);
    let free: Vec<usize> = (0..a.len()).filter(|i| !matched.contains(&Some(*i))).collect();
    let mut open = matched.iter_mut().filter(|m| m.is_none());
    if let ([only], Some(slot), None) = (free.as_slice(), open.next(), open.next()) {
        *slot = Some(*only);
    }
    matched
}

/// Anything that has one name.
pub(super) fn named<T>(a: &[T], b: &[T], name: impl Fn(&T) -> String) -> Matched {
    by_keys(a, b, &[&|t| vec![name(t)]])
}

//! A field line that both sides changed: what it computes, its pairs, its default and the rest of its tail come together
//! where one side's change leaves the meaning of the other's as it was.

use super::merge::Merge;
use super::merge_map::pairs;
use crate::syntax::ast::{Flow, Line, LineValues, Pairs};

/// One line of the three; none where both changed the same, or where the two changes together would mean what neither
/// side meant.
pub(super) fn line(merge: &mut Merge, base: &Line, mine: &Line, theirs: &Line) -> Option<Line> {
    let inline = inline(base).zip(inline(mine)).zip(inline(theirs));
    // Direction, operands and pipes are one thing: together they say what is computed. A value map that is not there in
    // all three as pairs of the line belongs to it.
    let computed = |l: &Line| Line {
        values: l.values.clone().filter(|_| inline.is_none()),
        default: None,
        on_missing: None,
        once: false,
        ..l.clone()
    };
    let mut out = one(&computed(base), &computed(mine), &computed(theirs))?;
    out.default = one(&base.default, &mine.default, &theirs.default)?;
    out.on_missing = one(&base.on_missing, &mine.on_missing, &theirs.on_missing)?;
    out.once = one(&base.once, &mine.once, &theirs.once)?;
    // A default and `once` are about the column that is written: where one side turned the line round, the other's
    // change of them was meant for the line as it was.
    let tail = |l: &Line| (l.default.clone(), l.once);
    if mine.sign.flow != theirs.sign.flow && tail(mine) != tail(theirs) {
        return None;
    }
    if out.sign.flow == Flow::Both && (out.default.is_some() || out.once) {
        return None;
    }
    if let Some(((b, m), t)) = inline {
        out.values = Some(LineValues::Inline(pairs(merge, b, m, t)));
    }
    out.at = mine.at;
    out.trivia = mine.trivia.clone();
    Some(out)
}

/// What only one side changed, or both alike.
pub(super) fn one<T: Clone + PartialEq>(base: &T, mine: &T, theirs: &T) -> Option<T> {
    match () {
        () if mine == theirs || theirs == base => Some(mine.clone()),
        () if mine == base => Some(theirs.clone()),
        () => None,
    }
}

fn inline(line: &Line) -> Option<&Pairs> {
    match &line.values {
        Some(LineValues::Inline(p)) => Some(p),
        _ => None,
    }
}

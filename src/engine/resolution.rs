//! What a person decided about a held record: kept with its quarantine entries, in both legs, until they are applied.

use crate::sema::CheckedMap;
use crate::syntax::ast::Side;

/// A decision about a record that changed on both sides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Resolution {
    /// The side whose values count; none: each side's own changes are kept.
    pub all: Option<Side>,
    /// Columns (of either side, as the map names them) with the side that counts for them.
    pub set: Vec<(String, Side)>,
}

impl Resolution {
    /// As it stands in the quarantine and in the log of conflicts: `left`, `merge; NAME=left; CITY=right`.
    pub fn to_text(&self) -> String {
        let mut text = self.all.map_or("merge", Side::word).to_string();
        for (column, side) in &self.set {
            text.push_str(&format!("; {column}={}", side.word()));
        }
        text
    }

    /// Back from the text; none where it is no decision.
    pub fn parse(text: &str) -> Option<Resolution> {
        let mut words = text.split("; ");
        let all = match words.next()? {
            "merge" => None,
            word => Some(side(word)?),
        };
        let pair = |word: &str| word.rsplit_once('=').and_then(|(c, s)| Some((c.to_string(), side(s)?)));
        Some(Resolution { all, set: words.map(pair).collect::<Option<_>>()? })
    }

    /// The side that counts for a two-way line; none: the side that changed it.
    pub fn side(&self, map: &CheckedMap, number: usize) -> Option<Side> {
        let (left, right) = columns(map, number);
        let set = self.set.iter().find(|(c, _)| *c == left || *c == right);
        set.map(|(_, s)| *s).or(self.all)
    }
}

fn side(word: &str) -> Option<Side> {
    [Side::Left, Side::Right].into_iter().find(|s| s.word() == word)
}

/// The columns of a two-way line on the left and on the right, as the map names them.
pub(super) fn columns(map: &CheckedMap, number: usize) -> (String, String) {
    let of = |side: Side| {
        let line = map.leg(side).and_then(|l| l.lines.iter().find(|l| l.two_way == Some(number)));
        line.map(|l| l.column.clone()).unwrap_or_default()
    };
    (of(Side::Left), of(Side::Right))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_and_back() {
        for text in ["left", "right", "merge", "merge; NAME=left; group.code=right", "left; CITY=right"] {
            assert_eq!(Resolution::parse(text).map(|r| r.to_text()).as_deref(), Some(text));
        }
        for text in ["", "both", "merge; NAME", "left; NAME=up"] {
            assert_eq!(Resolution::parse(text), None, "{text}");
        }
    }
}

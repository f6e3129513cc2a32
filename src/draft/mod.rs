//! A first map of two tables: lines by names, types, keys, lookups and choices of both schemas, with what is doubtful
//! said at the line. It is text in the DSL; nothing here knows maps beyond that.

mod names;
mod terms;

use crate::schema::{ColumnId, StoreSchema, Table, TableId};
use crate::value::{Fit, Type, fit};
use names::likeness;
use std::fmt::Write;
use terms::{Term, company, terms};

/// Below this two names have nothing to do with each other.
const ENOUGH: f64 = 0.58;
/// Below this a line is doubtful.
const SURE: f64 = 0.8;
/// From here on the names of two tables say that they hold the same.
const ALIKE: f64 = 0.68;

/// One side of the map to be.
#[derive(Clone, Copy)]
pub struct Side<'a> {
    /// The store's name.
    pub store: &'a str,
    /// Its schema.
    pub schema: &'a StoreSchema,
    /// The table.
    pub table: TableId,
}

impl<'a> Side<'a> {
    fn table(&self) -> &'a Table {
        self.schema.get(self.table)
    }
}

/// Which way a line runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Both,
    Right,
    Left,
}

/// A line of the draft.
#[derive(Clone, Debug)]
struct Line {
    left: String,
    right: String,
    /// The columns it is about, left and right.
    columns: (ColumnId, ColumnId),
    ways: Vec<Way>,
    pairs: Vec<(String, String)>,
    doubts: Vec<String>,
    /// Why it is left out.
    out: Option<String>,
}

/// A map to be.
pub struct Draft<'a> {
    left: Side<'a>,
    right: Side<'a>,
    id: String,
    company: Option<(String, String)>,
    company_doubt: Option<String>,
    key: Vec<Line>,
    key_doubt: Option<String>,
    lines: Vec<Line>,
    create: [bool; 2],
}

/// Drafts a map. `paired` says whether other maps pair a table of the left store with one of the right.
pub fn draft<'a>(left: Side<'a>, right: Side<'a>, id: &str, paired: &dyn Fn(TableId, TableId) -> bool) -> Draft<'a> {
    let alike = |l: TableId, r: TableId| {
        (l == left.table && r == right.table)
            || paired(l, r)
            || likeness(&left.schema.get(l).name, &right.schema.get(r).name) >= ALIKE
    };
    let (company, company_doubt) = match (company(&left), company(&right)) {
        (Some(l), Some(r)) => (Some((l, r)), None),
        (None, None) => (None, None),
        (Some(_), None) => (None, Some("the left table belongs to companies, the right one does not".to_string())),
        (None, Some(_)) => (None, Some("the right table belongs to companies, the left one does not".to_string())),
    };
    let (l, r) = (terms(&left), terms(&right));
    let (key, key_doubt) = keys(&left, &right, &l, &r);
    let mut draft = Draft {
        left,
        right,
        id: id.to_string(),
        company,
        company_doubt,
        key,
        key_doubt,
        lines: vec![],
        create: [true, true],
    };
    draft.lines = fields(&draft, &l, &r, &alike);
    draft.settle();
    draft
}

/// A pair of terms and how well they fit.
struct Candidate<'t> {
    l: &'t Term,
    r: &'t Term,
    score: f64,
    /// By the names alone.
    named: f64,
    ways: Vec<Way>,
    pairs: Vec<(String, String)>,
    unpaired: Vec<String>,
}

fn fields(d: &Draft<'_>, l: &[Term], r: &[Term], alike: &dyn Fn(TableId, TableId) -> bool) -> Vec<Line> {
    let taken = |c: ColumnId, left: bool| d.key.iter().any(|k| (if left { k.columns.0 } else { k.columns.1 }) == c);
    let free_l: Vec<&Term> = l.iter().filter(|t| !taken(t.column, true)).collect();
    let free_r: Vec<&Term> = r.iter().filter(|t| !taken(t.column, false)).collect();
    let mut all: Vec<Candidate<'_>> = Vec::new();
    for a in &free_l {
        for b in &free_r {
            all.extend(candidate(a, b, alike));
        }
    }
    all.sort_by(|a, b| b.score.total_cmp(&a.score));
    let mut lines: Vec<Line> = Vec::new();
    for c in &all {
        if lines.iter().any(|x| x.columns.0 == c.l.column || x.columns.1 == c.r.column) {
            continue;
        }
        let mut doubts = Vec::new();
        let rival = all.iter().find(|o| {
            (o.l.column == c.l.column) != (o.r.column == c.r.column) && o.score > c.score - 0.12 && o.named > ENOUGH
        });
        if let Some(o) = rival.filter(|_| c.named < 1.0) {
            let other = if o.l.column == c.l.column { &o.r.text } else { &o.l.text };
            doubts.push(format!("doubt: also fits {other}"));
        } else if c.named < SURE {
            doubts.push("doubt: the names are only alike".into());
        }
        if !c.unpaired.is_empty() {
            doubts.push(format!("doubt: no pair for {}", c.unpaired.join(", ")));
        }
        lines.push(Line {
            left: c.l.text.clone(),
            right: c.r.text.clone(),
            columns: (c.l.column, c.r.column),
            ways: c.ways.clone(),
            pairs: c.pairs.clone(),
            doubts,
            out: None,
        });
    }
    lines.sort_by_key(|x| x.columns.0);
    lines
}

/// Two terms as a line, if their types allow one and their names suggest it.
fn candidate<'t>(l: &'t Term, r: &'t Term, alike: &dyn Fn(TableId, TableId) -> bool) -> Option<Candidate<'t>> {
    if l.surrogate || r.surrogate {
        return None;
    }
    let named = l.names.iter().flat_map(|a| r.names.iter().map(|b| likeness(a, b))).fold(0.0, f64::max);
    let mut score = named;
    match (&l.to, &r.to) {
        (Some(a), Some(b)) => {
            let known = a.iter().any(|a| b.iter().any(|b| alike(*a, *b)));
            score += if known { 0.25 } else { -0.1 };
        }
        (None, None) => {}
        _ => score -= 0.02,
    }
    if score < ENOUGH || named < 0.3 {
        return None;
    }
    let (pairs, unpaired) = choices(&l.ty, &r.ty).unwrap_or_default();
    let mut ways = Vec::new();
    let good = |f: Fit| matches!(f, Fit::Lossless | Fit::Checked);
    let (to_right, to_left) = if pairs.is_empty() {
        (good(fit(&l.ty, &r.ty)) && r.writable, good(fit(&r.ty, &l.ty)) && l.writable)
    } else {
        (r.writable, l.writable)
    };
    if to_right && to_left && !l.create_only && !r.create_only {
        ways.push(Way::Both);
    }
    if to_right {
        ways.push(Way::Right);
    }
    if to_left {
        ways.push(Way::Left);
    }
    // A shorter path is the plainer one.
    score -= 0.01 * (l.text.matches('.').count() + r.text.matches('.').count()) as f64;
    (!ways.is_empty()).then_some(Candidate { l, r, score, named, ways, pairs, unpaired })
}

type Pairs = (Vec<(String, String)>, Vec<String>);

/// The value map between two choices, or a choice and a boolean, by the members' names.
fn choices(l: &Type, r: &Type) -> Option<Pairs> {
    let members = |ty: &Type| -> Option<Vec<(String, String)>> {
        match ty {
            Type::Choice(c) => {
                Some(c.members.iter().map(|m| (m.name.clone(), format!("'{}'", m.name.replace('\'', "''")))).collect())
            }
            Type::Boolean => Some(vec![("No".into(), "false".into()), ("Yes".into(), "true".into())]),
            _ => None,
        }
    };
    if l == r {
        return None;
    }
    let (a, b) = (members(l)?, members(r)?);
    let mut pairs = Vec::new();
    let mut left_over = Vec::new();
    let mut free: Vec<&(String, String)> = b.iter().collect();
    for (name, literal) in &a {
        match free.iter().position(|(n, _)| likeness(n, name) >= 1.0) {
            Some(i) => pairs.push((literal.clone(), free.remove(i).1.clone())),
            None => left_over.push(literal.clone()),
        }
    }
    left_over.extend(free.into_iter().map(|(_, l)| l.clone()));
    (!pairs.is_empty()).then_some((pairs, left_over))
}

/// The best pair of keys.
fn keys(left: &Side<'_>, right: &Side<'_>, l: &[Term], r: &[Term]) -> (Vec<Line>, Option<String>) {
    let mut best: Option<(f64, Vec<Line>)> = None;
    for a in left.table().keys() {
        for b in right.table().keys() {
            let bare = |k: &[ColumnId], t: &Table| -> Vec<ColumnId> {
                k.iter().copied().filter(|c| Some(*c) != t.company).collect()
            };
            let (a, b) = (bare(a, left.table()), bare(b, right.table()));
            if a.is_empty() || a.len() != b.len() {
                continue;
            }
            let Some((score, lines)) = key_pairs(&a, &b, l, r) else { continue };
            if best.as_ref().is_none_or(|(s, _)| score > *s) {
                best = Some((score, lines));
            }
        }
    }
    match best {
        Some((score, lines)) => (lines, (score < SURE).then(|| "doubt: the keys' names are only alike".to_string())),
        None => (vec![], Some("doubt: no keys of the two tables fit each other; say what identifies a record".into())),
    }
}

fn key_pairs(a: &[ColumnId], b: &[ColumnId], l: &[Term], r: &[Term]) -> Option<(f64, Vec<Line>)> {
    let mut rest: Vec<ColumnId> = b.to_vec();
    let (mut total, mut lines) = (0.0, Vec::new());
    for x in a {
        let mut found: Option<(f64, &Term, &Term)> = None;
        for lt in l.iter().filter(|t| t.column == *x) {
            for rt in r.iter().filter(|t| rest.contains(&t.column)) {
                let good = |f: Fit| matches!(f, Fit::Lossless | Fit::Checked);
                if !good(fit(&lt.ty, &rt.ty)) || !good(fit(&rt.ty, &lt.ty)) {
                    continue;
                }
                let mut score =
                    lt.names.iter().flat_map(|a| rt.names.iter().map(|b| likeness(a, b))).fold(0.0, f64::max);
                // Ids that a store makes mean nothing to the other one, unless that keeps them under a like name.
                let least = if lt.surrogate && rt.surrogate { SURE } else { ENOUGH };
                if (lt.surrogate || rt.surrogate) && (score < least || lt.ty != rt.ty) {
                    continue;
                }
                if lt.generated || rt.generated {
                    score -= 0.1;
                }
                if found.as_ref().is_none_or(|(s, ..)| score > *s) {
                    found = Some((score, lt, rt));
                }
            }
        }
        let (score, lt, rt) = found?;
        rest.retain(|c| *c != rt.column);
        total += score;
        lines.push(Line {
            left: lt.text.clone(),
            right: rt.text.clone(),
            columns: (lt.column, rt.column),
            ways: vec![Way::Both],
            pairs: vec![],
            doubts: vec![],
            out: None,
        });
    }
    Some((total / a.len() as f64, lines))
}

impl Draft<'_> {
    /// How many lines there are, left out or not.
    pub fn line_count(&self) -> usize {
        self.lines.len()
    }

    /// The line number (as in the text, of those that are not left out) as index of all lines.
    pub fn index_of(&self, written: usize) -> Option<usize> {
        (0..self.lines.len()).filter(|i| self.lines[*i].out.is_none()).nth(written)
    }

    /// A line has an error: let it run another way, or leave it out.
    pub fn demote(&mut self, line: usize, why: &str) {
        let Some(l) = self.lines.get_mut(line) else { return };
        if l.ways.len() > 1 {
            l.ways.remove(0);
        } else {
            l.out = Some(why.to_string());
        }
        self.settle();
    }

    /// Nothing may be created on a side (0 = left) for want of sources; whether it was allowed before.
    pub fn no_create(&mut self, side: usize) -> bool {
        std::mem::replace(&mut self.create[side], false)
    }

    /// The company cannot be paired; whether it was before.
    pub fn no_company(&mut self, why: &str) -> bool {
        self.company_doubt = Some(why.to_string());
        self.company.take().is_some()
    }

    /// Where a required column has no source, rows cannot be created.
    fn settle(&mut self) {
        for side in [0, 1] {
            self.create[side] &= self.unfilled(side).is_empty();
        }
    }

    fn into(&self, side: usize) -> bool {
        let way = if side == 0 { Way::Left } else { Way::Right };
        self.lines.iter().any(|l| l.out.is_none() && (l.ways[0] == way || l.ways[0] == Way::Both))
    }

    /// Required columns of a side that nothing fills.
    fn unfilled(&self, side: usize) -> Vec<String> {
        let table = if side == 0 { self.left.table() } else { self.right.table() };
        let way = if side == 0 { Way::Left } else { Way::Right };
        let fills = |l: &&Line| l.out.is_none() && (l.ways[0] == Way::Both || l.ways[0] == way);
        let filled = |c: ColumnId| {
            let at = |l: &Line| if side == 0 { l.columns.0 } else { l.columns.1 };
            self.key.iter().any(|l| at(l) == c)
                || self.lines.iter().filter(fills).any(|l| at(l) == c)
                || (self.company.is_some() && table.company == Some(c))
        };
        table
            .columns
            .iter()
            .enumerate()
            .filter(|(i, c)| {
                let key = table.primary_key.contains(&ColumnId(*i as u32));
                (c.required || key)
                    && !c.generated
                    && !c.read_only
                    && c.default.is_none()
                    && c.blank.is_none()
                    && !filled(ColumnId(*i as u32))
            })
            .map(|(_, c)| c.name.clone())
            .collect()
    }

    /// Columns of a side that no line uses.
    fn unused(&self, side: usize) -> Vec<String> {
        let table = if side == 0 { self.left.table() } else { self.right.table() };
        let at = |l: &Line| if side == 0 { l.columns.0 } else { l.columns.1 };
        let used = |c: ColumnId| {
            table.company == Some(c)
                || self.key.iter().any(|l| at(l) == c)
                || self.lines.iter().any(|l| l.out.is_none() && at(l) == c)
        };
        let free = table.columns.iter().enumerate().filter(|(i, c)| {
            let own = table.primary_key.contains(&ColumnId(*i as u32)) && c.generated;
            !used(ColumnId(*i as u32)) && !own
        });
        free.map(|(_, c)| c.name.clone()).collect()
    }

    /// The map in the DSL, not yet in its canonical layout.
    pub fn text(&self) -> String {
        let (l, r) = (self.left.table(), self.right.table());
        let arrow = match (self.into(0), self.into(1)) {
            (true, false) => "<-",
            (false, true) => "->",
            _ => "<->",
        };
        let mut s = String::from(
            "# Drafted by `tablemap new` from names and types of both schemas; every doubt wants an answer.\n",
        );
        let _ = writeln!(s, "map {} {{", quote(&format!("{} ({})", l.name, r.name)));
        let _ = writeln!(s, "id {}\nversion 1.0.0.0", self.id);
        let _ = writeln!(
            s,
            "tables {}.{} {arrow} {}.{}",
            quote(self.left.store),
            quote(&l.name),
            quote(self.right.store),
            quote(&r.name)
        );
        for (side, word, runs) in [(0, "left", arrow != "->"), (1, "right", arrow != "<-")] {
            if runs {
                if !self.create[side] {
                    let _ = writeln!(s, "# doubt: nothing is created {word}: see the end of the fields");
                }
                let _ = writeln!(s, "operations {word}: {}update", if self.create[side] { "create, " } else { "" });
            }
        }
        if let Some((a, b)) = &self.company {
            let sign = sign(arrow_way(arrow), false);
            let _ = writeln!(s, "company {a} {sign} {b}");
        }
        if let Some(doubt) = &self.company_doubt {
            let _ = writeln!(s, "# doubt: {doubt}");
        }
        if let Some(doubt) = &self.key_doubt {
            let _ = writeln!(s, "# {doubt}");
        }
        if !self.key.is_empty() {
            let sign = sign(arrow_way(arrow), false);
            let pairs: Vec<String> = self.key.iter().map(|k| format!("{} {sign} {}", k.left, k.right)).collect();
            let _ = writeln!(s, "key {}", pairs.join(", "));
        }
        if arrow == "<->" {
            s.push_str("initial left wins\n");
        }
        if self.lines.iter().any(|l| l.out.is_none() && l.ways[0] == Way::Both) {
            s.push_str("conflict left wins\n");
        }
        s.push_str("fields {\n");
        for line in &self.lines {
            let pairs: Vec<String> = line.pairs.iter().map(|(a, b)| format!("{a} = {b}")).collect();
            let values = if pairs.is_empty() { String::new() } else { format!(" {{ {} }}", pairs.join(", ")) };
            let text = format!("{} {} {}{values}", line.left, sign(line.ways[0], !pairs.is_empty()), line.right);
            match &line.out {
                Some(why) => {
                    let _ = writeln!(s, "# doubt: left out, {}: {}", why.replace('\n', " "), text.replace('"', ""));
                }
                None if line.doubts.is_empty() => {
                    let _ = writeln!(s, "{text}");
                }
                None => {
                    let _ = writeln!(s, "{text} # {}", line.doubts.join("; ").replace('"', ""));
                }
            }
        }
        for (side, word) in [(0, "left"), (1, "right")] {
            let required = self.unfilled(side);
            if !required.is_empty() {
                let _ = writeln!(s, "# {word}, required and without a source: {}", required.join(", "));
            }
            let mut unused = self.unused(side);
            unused.retain(|c| !required.contains(c));
            if !unused.is_empty() {
                let _ = writeln!(s, "# {word}, not used: {}", unused.join(", "));
            }
        }
        s.push_str("}\n}\n");
        s
    }
}

fn arrow_way(arrow: &str) -> Way {
    match arrow {
        "<-" => Way::Left,
        "->" => Way::Right,
        _ => Way::Both,
    }
}

fn sign(way: Way, transforms: bool) -> &'static str {
    match (way, transforms) {
        (Way::Both, false) => "=",
        (Way::Both, true) => "><",
        (Way::Right, false) => ">",
        (Way::Right, true) => ">>",
        (Way::Left, false) => "<",
        (Way::Left, true) => "<<",
    }
}

/// A name in quotes; the layout takes them off where they are not needed.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

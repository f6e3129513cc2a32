//! The edits of an overlay, applied to its base: `drop`, then `set`, then `add`.

use super::Input;
use super::report::Report;
use crate::diagnostic::{Code, Diagnostic, nearest};
use crate::source::{At, masked};
use crate::syntax::ast::{Edit, EditedColumn, Line, LineValues, Map, Name, Pair, Pairs, Path, Side, Trivia};
use crate::syntax::dsl;

/// A map that is being edited.
pub(super) struct Edits<'a, 'r> {
    input: &'a Input<'a>,
    map: &'a mut Map,
    /// Whether names match without regard to case, on the left and on the right.
    fold: [bool; 2],
    report: &'a mut Report<'r>,
}

/// Where a line stands in the map.
#[derive(Clone, Copy, PartialEq)]
enum Slot {
    Key(usize),
    Field(usize),
}

impl<'a, 'r> Edits<'a, 'r> {
    pub fn new(input: &'a Input<'a>, map: &'a mut Map, fold: [bool; 2], report: &'a mut Report<'r>) -> Edits<'a, 'r> {
        Edits { input, map, fold, report }
    }

    /// Applies them. What cannot be is told, and left out.
    pub fn apply(&mut self, edits: &[Edit]) {
        let before = self.map.fields.clone();
        for edit in edits {
            match edit {
                Edit::Drop(c, None) => self.drop_lines(c),
                Edit::Drop(c, Some(pairs)) => self.drop_pairs(c, pairs),
                _ => {}
            }
        }
        let mut set: Vec<&Line> = vec![];
        for edit in edits {
            let Edit::Set(line, was) = edit else { continue };
            self.was(&before, line, was.as_deref());
            if let Some(first) = set.iter().find(|l| self.shared(l, line).is_some()) {
                self.twice(line, first.at);
                continue;
            }
            self.set(line);
            set.push(line);
        }
        for edit in edits {
            match edit {
                Edit::Add(line) => self.add(line),
                Edit::AddPairs(c, pairs) => self.add_pairs(c, pairs),
                _ => {}
            }
        }
    }

    /// The line that this one would replace, without comments.
    pub fn replaced(&self, line: &Line) -> Option<Line> {
        let mut found = self.map.fields.iter().find(|l| self.shared(l, line).is_some())?.clone();
        if let Some(LineValues::Inline(p)) = &mut found.values {
            p.end = Trivia::default();
            p.pairs.iter_mut().for_each(|p| p.trivia = Trivia::default());
        }
        Some(found)
    }

    /// The column that both lines write.
    fn shared<'l>(&self, a: &Line, b: &'l Line) -> Option<(Side, &'l Path)> {
        [Side::Left, Side::Right].into_iter().find_map(|side| {
            let (x, y) = (a.target(side)?, b.target(side)?);
            self.same_path(side, x, y).then_some((side, y))
        })
    }

    fn folds(&self, side: Side) -> bool {
        self.fold[usize::from(side == Side::Right)]
    }

    fn same(&self, side: Side, a: &str, b: &str) -> bool {
        a == b || (self.folds(side) && a.eq_ignore_ascii_case(b))
    }

    fn same_path(&self, side: Side, a: &Path, b: &Path) -> bool {
        a.this == b.this
            && a.steps.len() == b.steps.len()
            && a.steps.iter().zip(&b.steps).all(|(x, y)| {
                self.same(side, &x.name.text, &y.name.text)
                    && match (&x.inner, &y.inner) {
                        (Some(x), Some(y)) => self.same_path(side, x, y),
                        (x, y) => x.is_none() && y.is_none(),
                    }
            })
    }

    /// The lines that write this column, or through it.
    fn writers(&self, c: &EditedColumn) -> Vec<Slot> {
        let writes = |l: &Line| {
            let first = l.target(c.side).and_then(|p| p.steps.first());
            first.is_some_and(|s| self.same(c.side, &s.name.text, &c.column.text))
        };
        let keys = self.map.key.iter().enumerate().filter(|(_, l)| writes(l)).map(|(i, _)| Slot::Key(i));
        let fields = self.map.fields.iter().enumerate().filter(|(_, l)| writes(l)).map(|(i, _)| Slot::Field(i));
        keys.chain(fields).collect()
    }

    fn line(&self, slot: Slot) -> Option<&Line> {
        match slot {
            Slot::Key(i) => self.map.key.get(i),
            Slot::Field(i) => self.map.fields.get(i),
        }
    }

    fn twice(&mut self, line: &Line, first: At) {
        let d = Diagnostic::new(Code::TM0106, line.at.0, "a line for the same column stands twice in this overlay")
            .related(first.0, "first here")
            .help("keep one of the two");
        self.report.add(d);
    }

    /// Compares what the overlay says it replaces with what the base has now.
    fn was(&mut self, before: &[Line], line: &Line, was: Option<&Line>) {
        let Some(was) = was else { return };
        let replaced: Vec<&Line> = before.iter().filter(|l| self.shared(l, line).is_some()).collect();
        let Some(now) = replaced.first() else { return };
        if replaced.contains(&was) {
            return;
        }
        let (then, text) = (dsl::write_line(was), dsl::write_line(now));
        let d = Diagnostic::new(
            Code::TM0219,
            was.at.0,
            format!("the base's line was `{}` when this was written, and is `{}` now", masked(&then), masked(&text)),
        )
        .related(now.at.0, "the base's line")
        .help(format!("see whether `set` still says what is wanted, then write `was {}`", masked(&text)));
        let alone = self.report.is_dsl(was.at) && !self.report.sources.text(was.at.0).contains('#');
        self.report.add(if alone { d.fix("note what the base has now", was.at.0, text, false) } else { d });
    }

    fn set(&mut self, line: &Line) {
        let fields = self.map.fields.iter().enumerate();
        let replaced: Vec<usize> = fields.filter(|(_, l)| self.shared(l, line).is_some()).map(|(i, _)| i).collect();
        match replaced.split_first() {
            Some((first, rest)) => {
                if let Some(old) = self.map.fields.get_mut(*first) {
                    old.clone_from(line);
                }
                rest.iter().rev().for_each(|i| drop(self.map.fields.remove(*i)));
            }
            None => {
                let key = self.map.key.iter().find(|k| self.shared(k, line).is_some()).map(|k| k.at);
                match (key, target(line)) {
                    (Some(key), _) => self.in_key(line.at, key),
                    (None, Some((side, path))) => {
                        let d = self.nothing_writes(side, &shown(path), path.at);
                        let help = d.help.clone().unwrap_or_else(|| "write `add` for a line that is new".into());
                        self.report.add(d.help(help));
                        self.map.fields.push(line.clone());
                    }
                    // It points at no column, which is told of any line.
                    (None, None) => self.map.fields.push(line.clone()),
                }
            }
        }
    }

    fn add(&mut self, line: &Line) {
        let lines = self.map.key.iter().chain(&self.map.fields);
        let there = lines.map(|l| (l.at, self.shared(l, line))).find_map(|(at, shared)| Some((at, shared?)));
        let Some((at, (side, path))) = there else { return self.map.fields.push(line.clone()) };
        let d = Diagnostic::new(
            Code::TM0218,
            path.at.0,
            format!("a line writes `{}` into {} already", shown(path), side.word()),
        )
        .related(at.0, "this one")
        .help("write `set` to replace it");
        self.report.add(d);
    }

    fn drop_lines(&mut self, c: &EditedColumn) {
        let writers = self.writers(c);
        if let Some(key) = writers.iter().find(|w| matches!(w, Slot::Key(_))).and_then(|w| self.line(*w)) {
            return self.in_key(c.column.at, key.at);
        }
        if writers.is_empty() {
            let d = self.nothing_writes(c.side, &c.column.text, c.column.at);
            return self.report.add(d);
        }
        for slot in writers.into_iter().rev() {
            if let Slot::Field(i) = slot {
                self.map.fields.remove(i);
            }
        }
    }

    /// The value map of the column's line, as pairs of its own; none (with a finding) where there is none.
    fn pairs_of(&mut self, c: &EditedColumn) -> Option<&mut Pairs> {
        let writers = self.writers(c);
        let whole = |s: &&Slot| self.line(**s).and_then(|l| l.target(c.side)).is_some_and(|p| p.steps.len() == 1);
        let valued = |s: &&Slot| self.line(**s).is_some_and(|l| l.values.is_some());
        let slot = writers.iter().filter(whole).find(valued).or(writers.iter().find(valued)).copied();
        let Some(slot) = slot else {
            let d = match writers.first().and_then(|s| self.line(*s)) {
                None => self.nothing_writes(c.side, &c.column.text, c.column.at),
                Some(line) => Diagnostic::new(
                    Code::TM0217,
                    c.column.at.0,
                    format!("the line that writes `{}` has no value map", c.column.text),
                )
                .related(line.at.0, "this one")
                .help("write `set LINE` with a value map"),
            };
            self.report.add(d);
            return None;
        };
        let line = match slot {
            Slot::Key(i) => self.map.key.get_mut(i)?,
            Slot::Field(i) => self.map.fields.get_mut(i)?,
        };
        // A shared value map stays as it is for the others.
        if let Some(LineValues::Named(name)) = &line.values {
            let mut all = self.input.files.iter().flat_map(|(_, f)| &f.values);
            let declared = all.find(|v| v.name.text == name.text)?;
            line.values = Some(LineValues::Inline(declared.pairs.clone()));
        }
        match &mut line.values {
            Some(LineValues::Inline(pairs)) => Some(pairs),
            _ => None,
        }
    }

    fn drop_pairs(&mut self, c: &EditedColumn, dropped: &Pairs) {
        let mut missing = vec![];
        let Some(pairs) = self.pairs_of(c) else { return };
        for pair in &dropped.pairs {
            match pairs.pairs.iter().position(|p| p.it == pair.it) {
                Some(i) => drop(pairs.pairs.remove(i)),
                None => missing.push(pair.at),
            }
        }
        let line = pairs.at;
        for at in missing {
            let d = Diagnostic::new(Code::TM0217, at.0, "the base has no such pair")
                .related(line.0, "its pairs")
                .help("write the pair as the base does, its sign included");
            self.report.add(d);
        }
    }

    fn add_pairs(&mut self, c: &EditedColumn, added: &Pairs) {
        let mut there = vec![];
        let Some(pairs) = self.pairs_of(c) else { return };
        for pair in &added.pairs {
            if let Some(same) = pairs.pairs.iter().find(|p| p.it == pair.it) {
                there.push((pair.at, same.at));
                continue;
            }
            let last = pairs.pairs.iter().position(|p| matches!(p.it, Pair::Else { .. }));
            let last = last.filter(|_| matches!(pair.it, Pair::Of { .. })).unwrap_or(pairs.pairs.len());
            pairs.pairs.insert(last, pair.clone());
        }
        for (at, same) in there {
            let d = Diagnostic::new(Code::TM0218, at.0, "the base has this pair already")
                .related(same.0, "here")
                .help("remove it");
            self.report.add(d);
        }
    }

    fn in_key(&mut self, at: At, key: At) {
        let d =
            Diagnostic::new(Code::TM0217, at.0, "this column is in the base's key, and no line of `fields` writes it")
                .related(key.0, "the key")
                .help("write `key …` as a whole: it replaces the base's");
        self.report.add(d);
    }

    /// The base has no line that writes this.
    fn nothing_writes(&self, side: Side, what: &str, at: At) -> Diagnostic {
        let message = format!("no line of the base writes `{what}` into {}", side.word());
        let d = Diagnostic::new(Code::TM0217, at.0, message);
        // Perhaps the line that reads it is meant.
        let named = |n: &Name| self.same(side, &n.text, what);
        let read = self.map.fields.iter().find(|l| {
            let path = match &l.operand(side).kind {
                crate::syntax::ast::ExprKind::Path(p) => p.steps.first(),
                _ => None,
            };
            l.target(side).is_none() && path.is_some_and(|s| named(&s.name))
        });
        if let Some(line) = read {
            let d = d.related(line.at.0, "this line reads it");
            return match target(line) {
                Some((side, path)) => {
                    d.help(format!("a line is known by what it writes: `{}.{}`", side.word(), shown(path)))
                }
                None => d,
            };
        }
        let written: Vec<String> = self.map.fields.iter().filter_map(|l| l.target(side)).map(shown).collect();
        match nearest(what, written.iter().map(String::as_str)).first() {
            Some(near) => d.help(format!("did you mean `{near}`?")),
            None => d,
        }
    }
}

/// The first column that a line writes.
fn target(line: &Line) -> Option<(Side, &Path)> {
    [Side::Left, Side::Right].into_iter().find_map(|side| Some((side, line.target(side)?)))
}

fn shown(path: &Path) -> String {
    dsl::write_expr(&crate::syntax::ast::Expr { kind: crate::syntax::ast::ExprKind::Path(path.clone()), at: path.at })
}

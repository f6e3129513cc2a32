//! What columns hold, from what maps do with them: columns that a line joins hold the same, and every value that stands
//! beside a column says something of it. Then literals become what their columns hold.

use super::lines::{Draft, DraftLine};
use super::lookups::Through;
use super::text::Mapped;
use super::{names, note};
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::StoreSchema;
use crate::syntax::ast::{Expr, ExprKind, Flow, LineValues, Literal, LiteralKind, Pair, Path, Side};
use crate::value::Type;
use std::collections::HashMap;

/// A column: side, table, name; both names folded.
pub type Column = (Side, String, String);

/// What a column holds.
#[derive(Clone, Debug, PartialEq)]
pub enum Holds {
    /// Text.
    Text,
    /// Whole numbers.
    Integer,
    /// Other numbers.
    Decimal,
    /// True or false.
    Boolean,
    /// Days.
    Date,
    /// Points in time.
    DateTime,
    /// Ids.
    Uuid,
    /// Members: number and name.
    Choice(Vec<(i64, String)>),
}

#[derive(Clone, Debug, Default)]
struct Facts {
    /// Values in quotes, in value maps and constants.
    texts: Vec<String>,
    /// Numbers of filters, without quotes.
    numbers: Vec<String>,
    /// Whether a filter compares with true or false.
    boolean: bool,
    /// Values in quotes that filters compare with: a text, or the number of a choice.
    compared: Vec<String>,
    /// Whether the id of a Dataverse table is among the columns.
    uuid: bool,
    no_case: bool,
    /// Names that finance has for numbers of Dataverse.
    names: Vec<(i64, String)>,
    fixed: Option<Type>,
}

/// All columns of an import and what is known of them.
#[derive(Default)]
pub struct Columns {
    index: HashMap<Column, usize>,
    parent: Vec<usize>,
    facts: Vec<Facts>,
    lookups: HashMap<(String, String), String>,
}

fn fold(side: Side, table: &str, column: &str) -> Column {
    (side, table.to_lowercase(), column.to_lowercase())
}

/// A whole number as a machine writes it.
fn canonical(text: &str) -> Option<i64> {
    text.parse::<i64>().ok().filter(|n| n.to_string() == text)
}

fn is_boolean(text: &str) -> bool {
    text.eq_ignore_ascii_case("true") || text.eq_ignore_ascii_case("false")
}

fn is_date(text: &str) -> bool {
    crate::value::parse_date(text).is_some()
}

fn is_datetime(text: &str) -> bool {
    text.contains('T') && crate::value::parse_datetime(text).is_some()
}

impl Columns {
    /// Gathers what drafts say. `known` are the schemas that are there already.
    pub fn gather(drafts: &[Draft], through: &[Through], known: [Option<&StoreSchema>; 2]) -> Columns {
        let mut all = Columns::default();
        for t in through.iter().filter(|t| !t.several) {
            all.lookups.insert((t.table.to_lowercase(), t.column.to_lowercase()), t.to.clone());
        }
        for d in drafts {
            for l in &d.key {
                all.line(d, l, true);
            }
            for l in &d.lines {
                all.line(d, l, false);
            }
            for (side, expr, _) in &d.filters {
                all.filter(d, *side, expr);
            }
            if let Some(path) = &d.company {
                let column = all.at(fold(Side::Left, &d.left, "DATAAREAID"));
                all.facts[column].no_case = true;
                for end in all.ends(path, &d.right) {
                    let end = all.at(end);
                    all.join(column, end);
                }
            }
        }
        let columns: Vec<Column> = all.index.keys().cloned().collect();
        for c in &columns {
            if c.0 == Side::Right && c.2 == names::row_id(&c.1) {
                let i = all.at(c.clone());
                all.facts[i].uuid = true;
            }
        }
        for c in columns {
            let schema = known[if c.0 == Side::Left { 0 } else { 1 }];
            let Some(schema) = schema else { continue };
            let table = schema.tables.iter().find(|t| t.name.to_lowercase() == c.1);
            let Some(column) = table.and_then(|t| t.columns.iter().find(|x| x.name.to_lowercase() == c.2)) else {
                continue;
            };
            let i = all.at(c);
            let root = all.root(i);
            all.facts[root].fixed.get_or_insert(column.ty.clone());
        }
        all
    }

    fn at(&mut self, column: Column) -> usize {
        if let Some(i) = self.index.get(&column) {
            return self.root(*i);
        }
        let i = self.parent.len();
        self.index.insert(column, i);
        self.parent.push(i);
        self.facts.push(Facts::default());
        i
    }

    fn root(&self, mut i: usize) -> usize {
        while self.parent[i] != i {
            i = self.parent[i];
        }
        i
    }

    fn join(&mut self, a: usize, b: usize) {
        let (a, b) = (self.root(a), self.root(b));
        if a == b {
            return;
        }
        self.parent[b] = a;
        let from = std::mem::take(&mut self.facts[b]);
        let to = &mut self.facts[a];
        to.texts.extend(from.texts);
        to.numbers.extend(from.numbers);
        to.names.extend(from.names);
        to.compared.extend(from.compared);
        to.uuid |= from.uuid;
        to.boolean |= from.boolean;
        to.no_case |= from.no_case;
        to.fixed = to.fixed.take().or(from.fixed);
    }

    /// The columns at the end of a Dataverse path.
    fn ends(&self, path: &Path, table: &str) -> Vec<Column> {
        if path.steps.iter().any(|s| s.inner.is_some()) {
            let inner = path.steps.iter().skip(1).filter_map(|s| Some((s.inner.as_ref()?, &s.name.text)));
            return inner.flat_map(|(p, t)| self.ends(p, t)).collect();
        }
        let mut table = table.to_string();
        for step in path.steps.iter().take(path.steps.len().saturating_sub(1)) {
            match self.lookups.get(&(table.to_lowercase(), step.name.text.to_lowercase())) {
                Some(to) => table.clone_from(to),
                None => return vec![],
            }
        }
        path.steps.last().map(|s| vec![fold(Side::Right, &table, &s.name.text)]).unwrap_or_default()
    }

    /// The columns of a line, left and right.
    fn columns(&self, d: &Draft, l: &DraftLine) -> (Option<Column>, Vec<Column>) {
        let left = l.left_column().map(|c| fold(Side::Left, &d.left, c));
        let right = l.right_path().map(|p| self.ends(p, &d.right)).unwrap_or_default();
        (left, right)
    }

    fn line(&mut self, d: &Draft, l: &DraftLine, key: bool) {
        let (left, right) = self.columns(d, l);
        let left = left.map(|c| self.at(c));
        let right: Vec<usize> = right.into_iter().map(|c| self.at(c)).collect();
        let first = right.first().copied();
        for pair in right.windows(2) {
            self.join(pair[0], pair[1]);
        }
        let reference = l.right_path().is_some_and(|p| p.steps.len() > 1);
        for c in left.iter().chain(&right) {
            let root = self.root(*c);
            self.facts[root].no_case |= key || reference;
        }
        match &l.line.values {
            None => {
                if let (Some(a), Some(b)) = (left, first) {
                    self.join(a, b);
                }
            }
            Some(LineValues::Inline(pairs)) => {
                for p in &pairs.pairs {
                    let Pair::Of { left: a, right: b, .. } = &p.it else { continue };
                    if let Some(c) = left {
                        self.value(c, a);
                        let root = self.root(c);
                        self.facts[root].no_case = true;
                    }
                    let Some(c) = first else { continue };
                    self.value(c, b);
                    if let (LiteralKind::Text(name), LiteralKind::Text(number)) = (&a.kind, &b.kind)
                        && let Some(n) = canonical(number)
                        && canonical(name).is_none()
                    {
                        let root = self.root(c);
                        self.facts[root].names.push((n, name.trim().to_string()));
                    }
                }
            }
            Some(LineValues::Named(_)) => {}
        }
        let constant = |e: &Expr| match &e.kind {
            ExprKind::Literal(l) => Some(l.clone()),
            _ => None,
        };
        if let (Some(l), Some(c)) = (constant(&l.line.left), first) {
            self.value(c, &l);
        }
        if let (Some(l), Some(c)) = (constant(&l.line.right), left) {
            self.value(c, &l);
        }
        if let Some(default) = &l.line.default {
            let target = if l.flow() == Flow::ToRight { first } else { left };
            if let Some(c) = target {
                self.value(c, default);
            }
        }
    }

    fn value(&mut self, column: usize, l: &Literal) {
        let root = self.root(column);
        if let LiteralKind::Text(t) = &l.kind {
            self.facts[root].texts.push(t.clone());
        }
    }

    fn filter(&mut self, d: &Draft, side: Side, e: &Expr) {
        let table = if side == Side::Left { &d.left } else { &d.right };
        visit(e, &mut |path, literals| {
            let Some(step) = path.steps.first() else { return };
            let c = self.at(fold(side, table, &step.name.text));
            for l in literals {
                match &l.kind {
                    LiteralKind::Number(n) => self.facts[c].numbers.push(n.clone()),
                    LiteralKind::Boolean(_) => self.facts[c].boolean = true,
                    LiteralKind::Text(t) => self.facts[c].compared.push(t.clone()),
                    LiteralKind::Null => {}
                }
            }
        });
    }

    /// Whether the column's text compares without regard to case.
    pub fn no_case(&self, column: &Column) -> bool {
        self.index.get(column).is_some_and(|i| self.facts[self.root(*i)].no_case)
    }

    /// What a column holds.
    pub fn holds(&self, column: &Column) -> Holds {
        match self.index.get(column) {
            Some(i) => holds(&self.facts[self.root(*i)], column.0),
            None => Holds::Text,
        }
    }

    /// Whether a column that maps use holds this; none = no map uses it.
    pub fn knows(&self, column: &Column, holds: &Holds) -> Option<bool> {
        self.index.contains_key(column).then(|| self.holds(column) == *holds)
    }

    /// Whether a column's members were made of one name and one number of which nobody says that they are the same.
    fn guessed(&self, column: &Column) -> Option<(String, String)> {
        let facts = &self.facts[self.root(*self.index.get(column)?)];
        lone(facts)
    }

    /// Makes the literals of a draft what their columns hold. What cannot be said so is held back.
    pub fn settle(&self, d: &mut Draft) {
        let (left, right) = (d.left.clone(), d.right.clone());
        let columns: Vec<(Option<Column>, Vec<Column>)> =
            d.key.iter().chain(&d.lines).map(|l| self.columns(d, l)).collect();
        for (l, (lc, rc)) in d.key.iter_mut().chain(&mut d.lines).zip(&columns) {
            let of = |c: Option<&Column>| c.map_or(Holds::Text, |c| self.holds(c));
            let (lh, rh) = (of(lc.as_ref()), of(rc.first()));
            if let Some(LineValues::Inline(pairs)) = &mut l.line.values {
                for p in &mut pairs.pairs {
                    if let Pair::Of { left, right, .. } = &mut p.it {
                        typed(left, &lh);
                        typed(right, &rh);
                    }
                }
            }
            if let ExprKind::Literal(c) = &mut l.line.left.kind {
                typed(c, &rh);
            }
            if let ExprKind::Literal(c) = &mut l.line.right.kind {
                typed(c, &lh);
            }
            let target = if l.line.sign.flow == Flow::ToRight { &rh } else { &lh };
            if let Some(default) = &mut l.line.default {
                typed(default, target);
            }
        }
        let mut held = vec![];
        let mut all_guesses = vec![];
        for (side, expr, remarks) in &mut d.filters {
            let table = if *side == Side::Left { &left } else { &right };
            let fields: Vec<String> = d
                .key
                .iter()
                .chain(&d.lines)
                .filter_map(|l| match side {
                    Side::Left => l.left_column().map(str::to_string),
                    Side::Right => l.right_path().and_then(|p| p.steps.first()).map(|s| s.name.text.clone()),
                })
                .collect();
            let mut wrong = None;
            let mut guesses = vec![];
            change(expr, &mut |path, literals| {
                let Some(step) = path.steps.first_mut() else { return };
                // Filters spell fields as they like.
                if let Some(field) = fields.iter().find(|f| f.eq_ignore_ascii_case(&step.name.text)) {
                    step.name.text.clone_from(field);
                }
                let column = fold(*side, table, &step.name.text);
                let holds = self.holds(&column);
                if let Some(g) = self.guessed(&column) {
                    guesses.push((step.name.text.clone(), g));
                }
                for l in literals {
                    if holds == Holds::Text && matches!(l.kind, LiteralKind::Number(_)) {
                        wrong = Some(format!("`{}` is compared with a number, and holds names", step.name.text));
                    }
                    typed(l, &holds);
                }
            });
            match wrong {
                Some(w) => held.push((*side, w)),
                None => remarks.extend(guesses.iter().map(|(c, (name, n))| {
                    format!("decide: {c} is compared with {n} and filled with '{name}': taken for the same member")
                })),
            }
            all_guesses.extend(guesses);
        }
        for (column, (name, number)) in all_guesses {
            let message = format!(
                "`{column}` is compared with {number} and filled with '{name}': taken for one and the same member"
            );
            d.findings.push(note::decide(d.source.at, message));
        }
        for (side, why) in held {
            let text = match side {
                Side::Left => d.source.source_filter.clone(),
                Side::Right => d.source.reversed_filter.clone(),
            };
            let text = text.unwrap_or_else(|| Mapped::made(""));
            let finding = Diagnostic::new(
                Code::TM1304,
                text.span(0, text.text.len()),
                format!("the filter of the {} side cannot be taken over: {why}", side.word()),
            );
            d.hold(side, &text, finding);
        }
    }
}

/// One name and one number, and nothing that says more.
fn lone(facts: &Facts) -> Option<(String, String)> {
    let mut names: Vec<&String> = facts.texts.iter().chain(&facts.compared).collect();
    names.sort();
    names.dedup();
    let mut numbers: Vec<&String> = facts.numbers.iter().collect();
    numbers.sort();
    numbers.dedup();
    match (names.as_slice(), numbers.as_slice(), &facts.fixed) {
        ([name], [number], None)
            if canonical(name).is_none() && canonical(number).is_some() && facts.names.is_empty() =>
        {
            Some(((*name).clone(), (*number).clone()))
        }
        _ => None,
    }
}

fn holds(facts: &Facts, side: Side) -> Holds {
    match &facts.fixed {
        Some(Type::Boolean) => return Holds::Boolean,
        Some(Type::Integer) => return Holds::Integer,
        Some(Type::Decimal { .. } | Type::Float) => return Holds::Decimal,
        Some(Type::Choice(c)) => return Holds::Choice(c.members.iter().map(|m| (m.value, m.name.clone())).collect()),
        Some(Type::Date) => return Holds::Date,
        Some(Type::DateTime { .. }) => return Holds::DateTime,
        Some(Type::Uuid) => return Holds::Uuid,
        Some(_) => return Holds::Text,
        None => {}
    }
    if let Some((name, number)) = lone(facts)
        && let Some(n) = canonical(&number)
    {
        return Holds::Choice(vec![(n, name)]);
    }
    let all: Vec<&String> = facts.texts.iter().chain(&facts.numbers).filter(|t| !t.is_empty()).collect();
    if all.is_empty() {
        return match facts.compared.first() {
            _ if facts.uuid => Holds::Uuid,
            Some(_) if facts.compared.iter().all(|t| is_date(t)) => Holds::Date,
            Some(_) if facts.compared.iter().all(|t| is_datetime(t)) => Holds::DateTime,
            None if facts.boolean => Holds::Boolean,
            _ => Holds::Text,
        };
    }
    let all: Vec<&String> = all.into_iter().chain(facts.compared.iter().filter(|t| !t.is_empty())).collect();
    if all.iter().all(|t| is_boolean(t)) {
        return Holds::Boolean;
    }
    if all.iter().all(|t| canonical(t).is_some()) {
        if side == Side::Right && !facts.names.is_empty() {
            return Holds::Choice(members(facts));
        }
        return Holds::Integer;
    }
    if all.iter().all(|t| t.parse::<f64>().is_ok()) && !facts.numbers.is_empty() {
        return Holds::Decimal;
    }
    if all.iter().all(|t| is_date(t)) {
        return Holds::Date;
    }
    if all.iter().all(|t| is_datetime(t)) {
        return Holds::DateTime;
    }
    Holds::Text
}

/// The members of a choice: numbers of Dataverse by the names that finance has for them.
fn members(facts: &Facts) -> Vec<(i64, String)> {
    let mut out: Vec<(i64, String)> = vec![];
    let taken = |out: &[(i64, String)], n: i64, name: &str| {
        out.iter().any(|(m, other)| *m == n || other.eq_ignore_ascii_case(name))
    };
    for (n, name) in &facts.names {
        if !name.is_empty() && !taken(&out, *n, name) {
            out.push((*n, name.clone()));
        }
    }
    for n in facts.texts.iter().chain(&facts.numbers).chain(&facts.compared).filter_map(|t| canonical(t)) {
        let name = format!("Value {n}");
        if !taken(&out, n, &name) {
            out.push((n, name));
        }
    }
    out
}

/// Makes a literal what a column holds, where it can be.
fn typed(l: &mut Literal, holds: &Holds) {
    let kind = match (&l.kind, holds) {
        (LiteralKind::Text(t), Holds::Integer | Holds::Choice(_)) if canonical(t).is_some() => LiteralKind::number(t),
        (LiteralKind::Text(t), Holds::Decimal)
            if crate::value::Dec::parse(t).is_some() && !t.contains(['e', 'E', '+']) =>
        {
            LiteralKind::number(t)
        }
        (LiteralKind::Text(t), Holds::Boolean) if is_boolean(t) => LiteralKind::Boolean(t.eq_ignore_ascii_case("true")),
        (LiteralKind::Boolean(b), Holds::Text) => LiteralKind::Text(b.to_string()),
        _ => return,
    };
    l.kind = kind;
}

/// Every comparison of a column with values.
fn visit(e: &Expr, f: &mut impl FnMut(&Path, Vec<&Literal>)) {
    let mut copy = e.clone();
    change(&mut copy, &mut |path, literals| f(path, literals.into_iter().map(|l| &*l).collect()));
}

fn change(e: &mut Expr, f: &mut impl FnMut(&mut Path, Vec<&mut Literal>)) {
    match &mut e.kind {
        ExprKind::Binary(_, a, b) => match (&mut a.kind, &mut b.kind) {
            (ExprKind::Path(p), ExprKind::Literal(l)) | (ExprKind::Literal(l), ExprKind::Path(p)) => f(p, vec![l]),
            _ => {
                change(a, f);
                change(b, f);
            }
        },
        ExprKind::Path(p) => f(p, vec![]),
        ExprKind::Not(x) | ExprKind::Negate(x) => change(x, f),
        ExprKind::IsNull { of, .. } => change(of, f),
        ExprKind::In { of, items, .. } => {
            if let ExprKind::Path(p) = &mut of.kind {
                f(p, items.iter_mut().collect());
            }
        }
        ExprKind::Call(c) => c.args.iter_mut().for_each(|a| change(a, f)),
        _ => {}
    }
}

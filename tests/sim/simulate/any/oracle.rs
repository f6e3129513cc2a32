//! What a one-way map must come to, worked out from full tables and the map's syntax tree alone: its own values, its own
//! expressions, nothing of the engine, of the analysis, or of the stores.

use super::tables::{Kind, Table};
use std::collections::BTreeMap;
use tablemap::syntax::ast::{
    BinaryOp, Call, ElseAction, Expr, ExprKind, Line, LineValues, Literal, LiteralKind, Map, OnMissing, Pair, Path,
    Side,
};

/// Numbers have six digits after the point: more than the generated maps make.
const ONE: i128 = 1_000_000;

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum V {
    Null,
    /// Dates, times and uuids too: as they are written.
    Text(String),
    Number(i128),
    True(bool),
}

impl V {
    /// What is stored, by the column's kind.
    pub fn read(stored: &str, kind: &Kind, blank: bool) -> V {
        match kind {
            // `-` is how null comes.
            _ if stored == "-" => V::Null,
            Kind::Text(_) if blank && stored.is_empty() => V::Null,
            Kind::Boolean => V::True(stored == "1"),
            Kind::Integer | Kind::Decimal | Kind::Choice => number(stored),
            Kind::DateTime => V::Text(stored.replace(' ', "T").trim_end_matches('Z').to_string()),
            Kind::Uuid => V::Text(stored.to_lowercase()),
            _ => V::Text(stored.to_string()),
        }
    }
    fn truth(&self) -> Option<bool> {
        match self {
            V::True(b) => Some(*b),
            _ => None,
        }
    }
    fn number(&self) -> Option<i128> {
        match self {
            V::Number(n) => Some(*n),
            _ => None,
        }
    }
}

fn number(text: &str) -> V {
    let (minus, digits) = text.strip_prefix('-').map_or((false, text), |d| (true, d));
    let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
    let n = whole.parse::<i128>().unwrap() * ONE + format!("{part:0<6}")[..6].parse::<i128>().unwrap();
    V::Number(if minus { -n } else { n })
}

fn literal(l: &Literal) -> V {
    match &l.kind {
        LiteralKind::Text(t) => V::Text(t.clone()),
        LiteralKind::Number(n) => number(n),
        LiteralKind::Boolean(b) => V::True(*b),
        LiteralKind::Null => V::Null,
    }
}

pub type Row = BTreeMap<String, V>;
/// The rows of every table, by `store.table`.
pub type Tables = BTreeMap<String, Vec<Row>>;

/// Why a record waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Why {
    Failed,
    Parked,
}

/// A path whose reference has a value and no row.
struct Missing;

pub struct Oracle<'a> {
    pub tables: &'a [Table],
    pub rows: &'a Tables,
    pub map: &'a Map,
    pub into: Side,
}

/// What one source row asks for.
pub enum Wanted {
    Nothing,
    /// The target's columns; those written once only are left out.
    Row(Row),
    Waits(Vec<Why>),
}

impl Oracle<'_> {
    fn side(&self, side: Side) -> String {
        let t = &self.map.tables.as_ref().unwrap().it;
        let t = if side == Side::Left { &t.left } else { &t.right };
        format!("{}.{}", t.store.text, t.table.text)
    }
    fn table(&self, name: &str) -> &Table {
        self.tables.iter().find(|t| t.place() == name).unwrap_or_else(|| panic!("no table `{name}`"))
    }
    pub fn source(&self) -> String {
        self.side(self.into.other())
    }
    pub fn target(&self) -> String {
        self.side(self.into)
    }

    pub fn wants(&self, row: &Row) -> Wanted {
        let source = self.source();
        let of = Of { oracle: self, row, table: self.table(&source), outer: None };
        for f in self.map.filter.iter().filter(|f| f.it.0 == self.into.other()) {
            // What is missing is null to a filter.
            if !matches!(of.value(&f.it.1, true), Ok(V::True(true))) {
                return Wanted::Nothing;
            }
        }
        let target = self.table(&self.target());
        let (mut made, mut why) = (Row::new(), Vec::new());
        for line in self.map.key.iter().chain(&self.map.fields) {
            let Some(path) = line.target(self.into) else { continue };
            let column = &path.steps[0].name.text;
            match of.line(line, self.into) {
                Ok(v) => {
                    let column = target.column(column);
                    match v {
                        V::Null if column.required => why.push(Why::Failed),
                        V::Text(ref t) if matches!(column.kind, Kind::Text(max) if t.chars().count() > max as usize) => {
                            // What is written once has long been written where the row is there.
                            why.push(Why::Failed)
                        }
                        v if !line.once => drop(made.insert(column.name.clone(), column.seen(v))),
                        _ => {}
                    }
                }
                Err(w) => why.push(w),
            }
        }
        match why.is_empty() {
            true => Wanted::Row(made),
            false => Wanted::Waits(why),
        }
    }
}

/// An expression's surroundings.
struct Of<'a> {
    oracle: &'a Oracle<'a>,
    row: &'a Row,
    table: &'a Table,
    outer: Option<&'a Of<'a>>,
}

impl Of<'_> {
    fn line(&self, line: &Line, into: Side) -> Result<V, Why> {
        let mut v = match self.value(line.operand(into.other()), false) {
            Ok(v) => v,
            Err(Missing) => match line.on_missing {
                None | Some(OnMissing::Park) => return Err(Why::Parked),
                Some(OnMissing::Error) => return Err(Why::Failed),
                Some(OnMissing::Null) => V::Null,
            },
        };
        for pipe in &line.pipes {
            let rest = pipe.args.iter().map(|a| self.value(a, true).unwrap_or(V::Null)).collect::<Vec<_>>();
            v = call(&pipe.name.text, &[&[v][..], &rest].concat());
        }
        if let Some(LineValues::Inline(pairs)) = &line.values {
            v = mapped(v, pairs.pairs.iter().map(|p| &p.it), into)?;
        }
        match (&line.default, &v) {
            (Some(d), V::Null) => Ok(literal(d)),
            _ => Ok(v),
        }
    }

    fn path(&self, path: &Path) -> Result<V, Missing> {
        if path.this {
            let outer = self.outer.unwrap_or(self);
            return outer.steps(&path.steps.iter().map(|s| s.name.text.as_str()).collect::<Vec<_>>());
        }
        self.steps(&path.steps.iter().map(|s| s.name.text.as_str()).collect::<Vec<_>>())
    }

    fn steps(&self, names: &[&str]) -> Result<V, Missing> {
        let (mut row, mut table) = (self.row, self.table);
        for (i, name) in names.iter().enumerate() {
            let column = table.column(name);
            let v = &row[&column.name];
            if i + 1 == names.len() || *v == V::Null {
                return Ok(v.clone());
            }
            let to = format!("{}.{}", table.store, column.lookup.as_ref().unwrap());
            table = self.oracle.table(&to);
            let key = &table.key[0];
            row = self.oracle.rows[&to].iter().find(|r| r[key] == *v).ok_or(Missing)?;
        }
        unreachable!("a path has a step")
    }

    /// Whether it is a column whose text compares without regard to case.
    fn folds(&self, e: &Expr) -> bool {
        let ExprKind::Path(Path { this, steps, .. }) = &e.kind else { return false };
        let of = if *this { self.outer.unwrap_or(self) } else { self };
        steps.len() == 1 && of.table.column(&steps[0].name.text).folds
    }

    /// With `lenient` a path that is missing is null.
    fn value(&self, e: &Expr, lenient: bool) -> Result<V, Missing> {
        let of = |e: &Expr| self.value(e, lenient);
        let truth = |b: Option<bool>| b.map_or(V::Null, V::True);
        Ok(match &e.kind {
            ExprKind::Literal(l) => literal(l),
            ExprKind::Path(p) => match self.path(p) {
                Err(Missing) if lenient => V::Null,
                other => other?,
            },
            ExprKind::Call(Call { name, args, .. }) => {
                let args = args.iter().map(of).collect::<Result<Vec<_>, _>>()?;
                call(&name.text, &args)
            }
            ExprKind::Negate(x) => of(x)?.number().map_or(V::Null, |n| V::Number(-n)),
            ExprKind::Not(x) => truth(of(x)?.truth().map(|b| !b)),
            ExprKind::Binary(op, a, b) => {
                let folds = matches!(op, BinaryOp::Eq | BinaryOp::Ne) && (self.folds(a) || self.folds(b));
                let alike = |v: V| match v {
                    V::Text(t) if folds => V::Text(t.to_lowercase()),
                    v => v,
                };
                let (a, b) = (alike(of(a)?), alike(of(b)?));
                match op {
                    BinaryOp::And => truth(match (a.truth(), b.truth()) {
                        (Some(false), _) | (_, Some(false)) => Some(false),
                        (Some(true), Some(true)) => Some(true),
                        _ => None,
                    }),
                    BinaryOp::Or => truth(match (a.truth(), b.truth()) {
                        (Some(true), _) | (_, Some(true)) => Some(true),
                        (Some(false), Some(false)) => Some(false),
                        _ => None,
                    }),
                    BinaryOp::Add | BinaryOp::Sub | BinaryOp::Mul | BinaryOp::Div => match (a.number(), b.number()) {
                        (Some(a), Some(b)) => V::Number(match op {
                            BinaryOp::Add => a + b,
                            BinaryOp::Sub => a - b,
                            BinaryOp::Mul => a * b / ONE,
                            _ => panic!("no quotients are generated"),
                        }),
                        _ => V::Null,
                    },
                    _ if a == V::Null || b == V::Null => V::Null,
                    BinaryOp::Eq => V::True(a == b),
                    BinaryOp::Ne => V::True(a != b),
                    BinaryOp::Lt => V::True(a < b),
                    BinaryOp::Le => V::True(a <= b),
                    BinaryOp::Gt => V::True(a > b),
                    BinaryOp::Ge => V::True(a >= b),
                }
            }
            ExprKind::IsNull { of: x, negated } => V::True((of(x)? == V::Null) != *negated),
            ExprKind::In { of: x, negated, items } => {
                let x = of(x)?;
                match x {
                    V::Null => V::Null,
                    x => V::True(items.iter().any(|i| literal(i) == x) != *negated),
                }
            }
            ExprKind::Like { of: x, negated, pattern } => match (of(x)?, literal(pattern)) {
                (V::Text(t), V::Text(p)) => {
                    let t: Vec<char> = t.chars().collect();
                    V::True(like(&t, &p.chars().collect::<Vec<_>>()) != *negated)
                }
                _ => V::Null,
            },
            ExprKind::Case { arms, otherwise } => {
                for (when, then) in arms {
                    if of(when)? == V::True(true) {
                        return of(then);
                    }
                }
                otherwise.as_ref().map_or(Ok(V::Null), |e| of(e))?
            }
            ExprKind::Aggregate { name, table, condition, of: x } => {
                self.related(&name.text, &table.steps[0].name.text, condition, x.as_deref())
            }
        })
    }

    fn related(&self, name: &str, table: &str, condition: &Expr, x: Option<&Expr>) -> V {
        let place = format!("{}.{table}", self.table.store);
        let table = self.oracle.table(&place);
        let mut values = Vec::new();
        for row in &self.oracle.rows[&place] {
            let of = Of { oracle: self.oracle, row, table, outer: Some(self) };
            if matches!(of.value(condition, true), Ok(V::True(true))) {
                values.push(x.map_or(V::True(true), |x| of.value(x, true).unwrap_or(V::Null)));
            }
        }
        let known = || values.iter().filter(|v| **v != V::Null);
        match name {
            "exists" => V::True(!values.is_empty()),
            "every" => V::True(values.iter().all(|v| *v == V::True(true))),
            "count" => V::Number(values.len() as i128 * ONE),
            "sum" => match known().count() {
                0 => V::Null,
                _ => V::Number(known().filter_map(V::number).sum()),
            },
            "min" => known().min().cloned().unwrap_or(V::Null),
            "max" => known().max().cloned().unwrap_or(V::Null),
            other => panic!("`{other}` is not generated"),
        }
    }
}

fn like(text: &[char], pattern: &[char]) -> bool {
    match pattern.split_first() {
        None => text.is_empty(),
        Some(('%', rest)) => (0..=text.len()).any(|i| like(&text[i..], rest)),
        Some((c, rest)) => text.first().is_some_and(|t| *c == '_' || t == c) && like(&text[1..], rest),
    }
}

fn mapped<'a>(v: V, pairs: impl Iterator<Item = &'a Pair>, into: Side) -> Result<V, Why> {
    let mut otherwise = None;
    for pair in pairs {
        match pair {
            Pair::Of { left, sign, right } if sign.flow.into(into) => {
                let (to, from) = if into == Side::Left { (left, right) } else { (right, left) };
                if literal(from) == v {
                    return Ok(literal(to));
                }
            }
            Pair::Else { sign, action } if sign.is_none_or(|s| s.flow.into(into)) => otherwise = Some(action),
            _ => {}
        }
    }
    match otherwise {
        _ if v == V::Null => Ok(V::Null),
        None | Some(ElseAction::Error) => Err(Why::Failed),
        Some(ElseAction::Pass) => Ok(v),
        Some(ElseAction::Literal(l)) => Ok(literal(l)),
    }
}

fn call(name: &str, args: &[V]) -> V {
    match name {
        "coalesce" => return args.iter().find(|a| **a != V::Null).cloned().unwrap_or(V::Null),
        "if" => return if args[0] == V::True(true) { args[1].clone() } else { args[2].clone() },
        "nullif" => return if args[0] == args[1] { V::Null } else { args[0].clone() },
        _ => {}
    }
    if args.contains(&V::Null) {
        return V::Null;
    }
    let text = |i: usize| match &args[i] {
        V::Text(t) => t.clone(),
        V::Number(n) if n % ONE == 0 => (n / ONE).to_string(),
        other => panic!("{other:?} in `{name}`"),
    };
    let count = |i: usize| args[i].number().map_or(0, |n| (n / ONE) as usize);
    match name {
        "concat" => V::Text((0..args.len()).map(text).collect()),
        "upper" => V::Text(text(0).to_uppercase()),
        "lower" => V::Text(text(0).to_lowercase()),
        "trim" => V::Text(text(0).trim().to_string()),
        "left" | "truncate" => V::Text(text(0).chars().take(count(1)).collect()),
        "length" => V::Number(text(0).chars().count() as i128 * ONE),
        "abs" => V::Number(args[0].number().unwrap_or(0).abs()),
        "greatest" => args.iter().max().cloned().unwrap_or(V::Null),
        other => panic!("`{other}` is not generated"),
    }
}

impl V {
    /// As the quarantine names a key.
    pub fn key_text(&self) -> String {
        match self {
            V::Null => String::new(),
            V::Text(t) => t.clone(),
            V::Number(n) => (n / ONE).to_string(),
            V::True(b) => u8::from(*b).to_string(),
        }
    }
}

//! What a leg reads: the plan grows while its expressions are resolved. Paths become joins, columns become slots.

use super::expr::Expr;
use super::ir::JoinInfo;
use super::related::Related;
use super::report::{Report, named};
use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::schema::{Column, ColumnId, Lookup, StoreSchema, TableId};
use crate::source::At;
use crate::store::{Join, ReadPlan};
use crate::syntax::ast::{Path, Step};
use crate::value::{Collation, Type, Value, common};
use std::collections::BTreeSet;

/// Slots from here on are found flags, by join; [`Reader::settle`] moves them behind the columns.
const FOUND: usize = 1 << 40;
/// Slots from here on are answers about related rows; they come behind the flags.
const RELATED: usize = 1 << 41;
/// Slots from here on are cells of the row outside; they come last.
const OUTER: usize = 1 << 42;

/// What a piece of a map reads.
#[derive(Clone, Debug, Default)]
pub(crate) struct Reads {
    /// (0 = base, n = join n-1; column), referring columns and type columns of its paths included.
    pub(crate) columns: BTreeSet<(usize, ColumnId)>,
    /// The joins it follows.
    pub(crate) joins: BTreeSet<usize>,
    /// Whether it asks related rows.
    pub(crate) related: bool,
}

impl Reads {
    /// The columns of the base table.
    pub(crate) fn inputs(&self) -> Vec<ColumnId> {
        self.columns.iter().filter(|(from, _)| *from == 0).map(|(_, c)| *c).collect()
    }
}

/// A typed expression.
#[derive(Clone, Debug)]
pub(crate) struct Typed {
    pub(crate) expr: Expr,
    pub(crate) ty: Type,
    pub(crate) collation: Collation,
    /// Whether it may be null for a row that has been read.
    pub(crate) nullable: bool,
}

/// A table and what is read of it and over its lookups.
pub(crate) struct Reader<'a> {
    /// The table; none where expressions have no columns.
    base: Option<(&'a StoreSchema, TableId)>,
    pub(crate) plan: ReadPlan,
    pub(crate) joins: Vec<JoinInfo>,
    pub(crate) related: Vec<Related>,
    known: Vec<(usize, String, usize)>,
    reads: Reads,
    /// The row outside, where this one reads related rows, and the cells of it that are read.
    outside: Option<Box<Reader<'a>>>,
    outer: Vec<usize>,
}

impl<'a> Reader<'a> {
    /// A reader of a table, its primary key first.
    pub(crate) fn new(schema: &'a StoreSchema, table: TableId) -> Reader<'a> {
        let mut reader = Reader::nothing();
        reader.base = Some((schema, table));
        reader.plan.table = table;
        for c in &schema.get(table).primary_key {
            reader.slot(0, *c);
        }
        reader
    }

    /// A reader without a table.
    pub(crate) fn nothing() -> Reader<'a> {
        Reader {
            base: None,
            plan: ReadPlan::default(),
            joins: vec![],
            related: vec![],
            known: vec![],
            reads: Reads::default(),
            outside: None,
            outer: vec![],
        }
    }

    /// How deep in questions about related rows this is.
    pub(crate) fn depth(&self) -> usize {
        self.outside.as_ref().map_or(0, |o| 1 + o.depth())
    }

    /// From here on reads rows of `table` that belong to the row read so far, which is `this`.
    pub(crate) fn go_in(&mut self, table: &Path, report: &mut Report<'_>) -> Option<()> {
        let Some((schema, _)) = self.base else {
            report.at(Code::TM0203, table.at, "there are no rows here that others could be related to");
            return None;
        };
        let step = match table.steps.as_slice() {
            [step] if step.inner.is_none() && !table.this => step,
            _ => {
                report.help(
                    Code::TM0604,
                    table.at,
                    "related rows are rows of one table of the same store",
                    "write the table's name alone",
                );
                return None;
            }
        };
        let Some(id) = schema.table(&step.name.text) else {
            let message = format!("the store has no table `{}`", step.name.text);
            let names = schema.tables.iter().map(|t| t.name.as_str());
            report.unknown(Code::TM0202, step.name.at, message, &step.name.text, names);
            return None;
        };
        let outside = std::mem::replace(self, Reader::new(schema, id));
        self.outside = Some(Box::new(outside));
        Some(())
    }

    /// Back to the row outside; what was read inside.
    pub(crate) fn go_out(&mut self) -> Reader<'a> {
        let outside = self.outside.take().map_or_else(Reader::nothing, |o| *o);
        std::mem::replace(self, outside)
    }

    /// Takes a question over whose expressions were typed over `inside`.
    pub(crate) fn ask(&mut self, mut related: Related, mut inside: Reader<'a>) -> Expr {
        inside.settle();
        inside.settle_expr(&mut related.condition);
        related.of.iter_mut().for_each(|e| inside.settle_expr(e));
        related.read = inside.plan;
        related.related = inside.related;
        related.outer = inside.outer;
        self.reads.related = true;
        self.related.push(related);
        Expr::Related(RELATED + self.related.len() - 1)
    }

    /// The question behind an answer that has not yet got its place.
    pub(crate) fn question(&self, answer: usize) -> Option<&Related> {
        self.related.get(answer.checked_sub(RELATED)?)
    }

    /// The column of its own table that a slot holds.
    pub(crate) fn own_column(&self, slot: usize) -> Option<(ColumnId, &'a Column)> {
        let (schema, table) = self.base?;
        let (_, column) = self.plan.columns.get(slot).filter(|(from, _)| *from == 0)?;
        Some((*column, schema.get(table).column(*column)))
    }

    /// The cell of the row outside that a slot holds.
    pub(crate) fn outer_cell(&self, slot: usize) -> Option<usize> {
        self.outer.get(slot.checked_sub(OUTER)?).copied()
    }

    /// What was typed over the row outside, as cells behind those of this one.
    fn over_outside(&mut self, mut typed: Typed) -> Typed {
        let outer = &mut self.outer;
        let mut cell = |slot: usize| {
            let known = outer.iter().position(|c| *c == slot);
            OUTER
                + known.unwrap_or_else(|| {
                    outer.push(slot);
                    outer.len() - 1
                })
        };
        typed.expr.each_mut(&mut |e| match e {
            Expr::Slot(i) => *i = cell(*i),
            Expr::FirstFound(ways) => ways.iter_mut().for_each(|(flag, i)| (*flag, *i) = (cell(*flag), cell(*i))),
            _ => {}
        });
        typed
    }

    /// What was read since this was last asked.
    pub(crate) fn take_reads(&mut self) -> Reads {
        std::mem::take(&mut self.reads)
    }

    fn slot(&mut self, from: usize, column: ColumnId) -> usize {
        let cell = (from, column);
        self.plan.columns.iter().position(|c| *c == cell).unwrap_or_else(|| {
            self.plan.columns.push(cell);
            self.plan.columns.len() - 1
        })
    }

    fn read(&mut self, from: usize, column: ColumnId) -> usize {
        self.reads.columns.insert((from, column));
        self.slot(from, column)
    }

    /// The table behind `from`.
    pub(crate) fn table(&self, from: usize) -> TableId {
        if from == 0 { self.plan.table } else { self.plan.joins[from - 1].table }
    }

    /// A column or lookup path.
    pub(crate) fn path(&mut self, path: &Path, report: &mut Report<'_>) -> Option<Typed> {
        if path.this {
            let Some(outside) = &mut self.outside else {
                report.help(
                    Code::TM0207,
                    path.at,
                    "`this` stands only inside `exists(…)` and the like",
                    "leave `this.` away: names are columns of the row itself",
                );
                return None;
            };
            let typed = outside.path(&Path { this: false, ..path.clone() }, report)?;
            return Some(self.over_outside(typed));
        }
        let Some((schema, _)) = self.base else {
            report.at(Code::TM0203, path.at, "there are no columns here");
            return None;
        };
        self.walk(schema, 0, &path.steps, path.at, "", report)
    }

    fn walk(
        &mut self,
        schema: &'a StoreSchema,
        from: usize,
        steps: &[Step],
        at: At,
        before: &str,
        report: &mut Report<'_>,
    ) -> Option<Typed> {
        let (step, rest) = steps.split_first()?;
        let table = self.table(from);
        if step.inner.is_some() {
            misplaced(step, report);
            return None;
        }
        if rest.is_empty() {
            let Some(column) = schema.column(table, &step.name.text) else {
                no_column(schema, table, step, true, report);
                return None;
            };
            let c = schema.get(table).column(column);
            return Some(Typed {
                expr: Expr::Slot(self.read(from, column)),
                ty: c.ty.clone(),
                collation: c.collation,
                nullable: from != 0 || !c.required || c.blank.is_some(),
            });
        }
        let Some(lookup) = schema.lookup(table, &step.name.text) else {
            no_column(schema, table, step, false, report);
            return None;
        };
        let text = format!("{before}{}", lookup.name);
        if rest.iter().any(|s| s.inner.is_some()) {
            return self.alternatives(schema, from, lookup, rest, at, &text, report);
        }
        if lookup.targets.len() != 1 {
            ambiguous(schema, lookup, step, rest, report);
            return None;
        }
        let join = self.follow(schema, from, lookup, 0, &text);
        self.walk(schema, join + 1, rest, at, &format!("{text}."), report)
    }

    #[allow(clippy::too_many_arguments, reason = "one step of a path, with all that it is about")]
    fn alternatives(
        &mut self,
        schema: &'a StoreSchema,
        from: usize,
        lookup: &Lookup,
        steps: &[Step],
        at: At,
        text: &str,
        report: &mut Report<'_>,
    ) -> Option<Typed> {
        let found = named_targets(schema, lookup, steps, report)?;
        let mut ways: Vec<(usize, usize)> = vec![];
        let mut all: Option<Typed> = None;
        for (target, inner) in found {
            let join = self.follow(schema, from, lookup, target, text);
            let table = &schema.get(lookup.targets[target].table).name;
            let one = self.walk(schema, join + 1, &inner.steps, inner.at, &format!("{text}.{table}."), report)?;
            match &one.expr {
                Expr::Slot(cell) => ways.push((FOUND + join, *cell)),
                Expr::FirstFound(more) => ways.extend(more.iter().copied()),
                _ => {}
            }
            all = Some(match all {
                None => one,
                Some(sum) => {
                    let meet = common(&sum.ty, &one.ty)
                        .filter(|_| std::mem::discriminant(&sum.ty) == std::mem::discriminant(&one.ty));
                    let Some(ty) = meet else {
                        report.help(
                            Code::TM0612,
                            inner.at,
                            format!("this alternative is {}, the one before {}", named(&one.ty), named(&sum.ty)),
                            "end each alternative in a column of the same type",
                        );
                        return None;
                    };
                    Typed { ty, collation: either(sum.collation, one.collation), ..one }
                }
            });
        }
        let _ = at;
        all.map(|t| Typed { expr: Expr::FirstFound(ways), nullable: true, ..t })
    }

    /// Follows a lookup to one of its tables. All tables of a polymorphic one are joined, so that a row of a table that
    /// the path does not name is told from a missing one.
    fn follow(&mut self, schema: &StoreSchema, from: usize, lookup: &Lookup, target: usize, text: &str) -> usize {
        let all: Vec<usize> = (0..lookup.targets.len()).map(|t| self.join(schema, from, lookup, t, text)).collect();
        for t in &all {
            self.joins[*t].siblings.clone_from(&all);
            self.reads.joins.insert(*t);
            for c in self.plan.joins[*t].columns.clone() {
                self.reads.columns.insert((from, c));
            }
            for c in self.plan.joins[*t].key.clone() {
                self.reads.columns.insert((*t + 1, c));
            }
        }
        if let (Some(c), true) = (lookup.type_column, all.len() > 1) {
            self.reads.columns.insert((from, c));
        }
        if let Some(up) = from.checked_sub(1) {
            self.reads.joins.insert(up);
        }
        all[target]
    }

    fn join(&mut self, schema: &StoreSchema, from: usize, lookup: &Lookup, target: usize, text: &str) -> usize {
        let known = |(f, n, t): &(usize, String, usize)| *f == from && *n == lookup.name && *t == target;
        if let Some(i) = self.known.iter().position(known) {
            return i;
        }
        let to = &lookup.targets[target];
        let when = lookup.type_column.filter(|_| lookup.targets.len() > 1).map(|column| {
            self.slot(from, column);
            let holder = self.table(from);
            (column, type_value(schema, holder, column, to.table))
        });
        let refs = to.columns.iter().map(|c| self.slot(from, *c)).collect();
        let index = self.joins.len();
        self.known.push((from, lookup.name.clone(), target));
        self.plan.joins.push(Join { from, columns: to.columns.clone(), table: to.table, key: to.key.clone(), when });
        self.joins.push(JoinInfo {
            refs,
            found: FOUND + index,
            parent: from.checked_sub(1),
            siblings: vec![index],
            text: text.to_string(),
        });
        index
    }

    /// `lookup_type(path)`: the column that holds the name of the referred row's table.
    pub(crate) fn lookup_type(&mut self, path: &Path, report: &mut Report<'_>) -> Option<Typed> {
        if let (true, Some(outside)) = (path.this, &mut self.outside) {
            let typed = outside.lookup_type(&Path { this: false, ..path.clone() }, report)?;
            return Some(self.over_outside(typed));
        }
        if path.this || self.base.is_none() {
            return self.path(path, report);
        }
        let (schema, base) = self.base?;
        let mut from = 0;
        let mut table = base;
        for (i, step) in path.steps.iter().enumerate() {
            let Some(lookup) = schema.lookup(table, &step.name.text).filter(|_| step.inner.is_none()) else {
                no_column(schema, table, step, false, report);
                return None;
            };
            if i + 1 < path.steps.len() {
                if lookup.targets.len() != 1 {
                    ambiguous(schema, lookup, step, &path.steps[i + 1..], report);
                    return None;
                }
                from = self.follow(schema, from, lookup, 0, &lookup.name) + 1;
                table = self.table(from);
                continue;
            }
            let Some(column) = lookup.type_column.filter(|_| lookup.targets.len() > 1) else {
                report.help(
                    Code::TM0608,
                    step.name.at,
                    format!("`{}` points to one table only", step.name.text),
                    "`lookup_type` tells the tables of a lookup to several tables apart",
                );
                return None;
            };
            let c = schema.get(table).column(column);
            let slot = Expr::Slot(self.read(from, column));
            let expr = match &c.ty {
                Type::Choice(choice) => Expr::Map(Box::new(super::expr::ValueMap {
                    of: slot,
                    collation: Collation::Exact,
                    pairs: choice.members.iter().map(|m| (Value::Integer(m.value), Value::text(&m.name))).collect(),
                    null: None,
                    otherwise: super::expr::Otherwise::Value(Value::Null),
                    name: format!("lookup_type({})", step.name.text),
                    choice: None,
                })),
                _ => slot,
            };
            let ty = Type::Text { max: None };
            return Some(Typed { expr, ty, collation: c.collation, nullable: true });
        }
        None
    }

    /// Gives flags, answers and outer cells their places behind the columns; afterwards nothing more may be read.
    pub(crate) fn settle(&mut self) {
        let widths = self.widths();
        for j in &mut self.joins {
            settle_slot(&mut j.found, widths);
        }
        for r in &mut self.related {
            r.outer.iter_mut().for_each(|cell| settle_slot(cell, widths));
        }
    }

    /// [`Reader::settle`] for an expression.
    pub(crate) fn settle_expr(&self, expr: &mut Expr) {
        let widths = self.widths();
        expr.each_mut(&mut |e| match e {
            Expr::Slot(i) | Expr::Related(i) => settle_slot(i, widths),
            Expr::FirstFound(ways) => ways.iter_mut().for_each(|(flag, cell)| {
                settle_slot(flag, widths);
                settle_slot(cell, widths);
            }),
            _ => {}
        });
    }

    fn widths(&self) -> [usize; 3] {
        [self.plan.columns.len(), self.plan.joins.len(), self.related.len()]
    }
}

fn settle_slot(slot: &mut usize, [columns, joins, related]: [usize; 3]) {
    *slot = match *slot {
        s if s >= OUTER => s - OUTER + columns + joins + related,
        s if s >= RELATED => s - RELATED + columns + joins,
        s if s >= FOUND => s - FOUND + columns,
        s => s,
    };
}

/// What a type column holds for a table.
pub(crate) fn type_value(schema: &StoreSchema, holder: TableId, column: ColumnId, table: TableId) -> Value {
    let name = &schema.get(table).name;
    match &schema.get(holder).column(column).ty {
        Type::Choice(c) => c.by_name(name).map_or_else(|| Value::text(name), |m| Value::Integer(m.value)),
        _ => Value::text(name),
    }
}

/// Text compares without case if it does on either side.
pub(crate) fn either(a: Collation, b: Collation) -> Collation {
    if a == Collation::NoCase { a } else { b }
}

/// The targets that polymorphic steps name, with their inner paths.
pub(crate) fn named_targets<'p>(
    schema: &StoreSchema,
    lookup: &Lookup,
    steps: &'p [Step],
    report: &mut Report<'_>,
) -> Option<Vec<(usize, &'p Path)>> {
    let mut found = vec![];
    for step in steps {
        let Some(inner) = &step.inner else {
            report.help(
                Code::TM0604,
                step.name.at,
                format!("`{}` stands after alternatives of `{}`", step.name.text, lookup.name),
                format!("write it inside of each: `{}.TABLE(… .{})`", lookup.name, step.name.text),
            );
            return None;
        };
        let named = schema.table(&step.name.text);
        let Some(target) = lookup.targets.iter().position(|t| Some(t.table) == named) else {
            let names: Vec<&str> = lookup.targets.iter().map(|t| schema.get(t.table).name.as_str()).collect();
            let mut d = Diagnostic::new(
                Code::TM0602,
                step.name.at.0,
                format!("`{}` does not point to a table `{}`", lookup.name, step.name.text),
            );
            let near = did_you_mean(&step.name.text, names.iter().copied());
            d.help = near.or_else(|| Some(format!("it points to {}", list(&names))));
            report.add(report.declared(d, lookup.span, &lookup.name, "the lookup"));
            return None;
        };
        found.push((target, inner));
    }
    Some(found)
}

/// `a`, `b` and `c`
pub(crate) fn list(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|n| format!("`{n}`")).collect();
    match quoted.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [most @ .., last] => format!("{} and {last}", most.join(", ")),
    }
}

fn misplaced(step: &Step, report: &mut Report<'_>) {
    report.help(
        Code::TM0604,
        step.name.at,
        format!("`{}(…)` names a table, but no lookup stands before it", step.name.text),
        "a path names the lookup first: `customerid.account(accountnumber)`",
    );
}

/// A path over or into something that is not there.
pub(crate) fn no_column(schema: &StoreSchema, table: TableId, step: &Step, last: bool, report: &mut Report<'_>) {
    let t = schema.get(table);
    let name = &step.name.text;
    if let (true, Some(lookup)) = (last, schema.lookup(table, name)) {
        let message = format!("`{name}` is a lookup over several columns of `{}`, not a column", t.name);
        let d = Diagnostic::new(Code::TM0605, step.name.at.0, message)
            .help(format!("go on to a column of the looked-up table: `{name}.COLUMN`"));
        report.add(report.declared(d, lookup.span, &lookup.name, "the lookup"));
        return;
    }
    if !last && let Some(c) = schema.column(table, name) {
        let c = t.column(c);
        let message = format!("`{name}` of `{}` is no lookup, so no path leads over it", t.name);
        let mut d = Diagnostic::new(Code::TM0601, step.name.at.0, message);
        let lookups: Vec<&str> = t.lookups.iter().map(|l| l.name.as_str()).collect();
        d.help = did_you_mean(name, lookups);
        let d = match &d.help {
            Some(_) => d,
            None => d.help(format!("it is {}; its schema may declare `lookup: TABLE`", named(&c.ty))),
        };
        report.add(report.column(d, c));
        return;
    }
    let columns = t.columns.iter().map(|c| c.name.as_str());
    let lookups = t.lookups.iter().map(|l| l.name.as_str());
    let message = format!("table `{}` has no column `{name}`", t.name);
    let d = if last {
        report.near(Code::TM0203, step.name.at, message, name, columns)
    } else {
        report.near(Code::TM0203, step.name.at, message, name, columns.chain(lookups))
    };
    report.add(report.declared(d, t.span, &t.name, "the table"));
}

/// A path over a lookup to several tables that names none.
pub(crate) fn ambiguous(schema: &StoreSchema, lookup: &Lookup, step: &Step, rest: &[Step], report: &mut Report<'_>) {
    let end: Vec<&str> = rest.iter().map(|s| s.name.text.as_str()).collect();
    let ways: Vec<String> =
        lookup.targets.iter().map(|t| format!(".{}({})", schema.get(t.table).name, end.join("."))).collect();
    let tables: Vec<&str> = lookup.targets.iter().map(|t| schema.get(t.table).name.as_str()).collect();
    let d = Diagnostic::new(Code::TM0603, step.name.at.0, format!("`{}` may point to {}", lookup.name, list(&tables)))
        .help(format!("name the tables: `{}{}`", lookup.name, ways.concat()));
    report.add(report.declared(d, lookup.span, &lookup.name, "the lookup"));
}

//! Builds one leg: what it reads, its lines, its references, its key.

use super::capture;
use super::env::{Env, SideAt};
use super::expr::Expr;
use super::ir::{Company, Filter, Leg, Line, LineTarget, Operations};
use super::leg_checks::known_cells;
use super::line::travel;
use super::reader::{Reader, Reads, Typed};
use super::reference::{Dest, Group, Makings, dest, join};
use super::related::Related;
use super::report::{Report, named};
use super::typing::Typer;
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::{Column, ColumnId, TableId};
use crate::source::At;
use crate::syntax::ast::{self, ExprKind, OnMissing, Operation, Side};
use crate::value::{Fit, Type, common, fit};

/// What a line is in its map.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Company,
    Key,
    Field {
        /// Its number among the two-way lines.
        two_way: Option<usize>,
    },
}

/// A line to be compiled.
pub(crate) struct Job<'a> {
    pub(crate) line: &'a ast::Line,
    pub(crate) part: Part,
}

/// Builds the leg into a side. None where its lines have errors that leave nothing to build.
pub(crate) fn build<'a>(env: &Env<'a>, into: Side, jobs: &[Job<'a>], report: &mut Report<'a>) -> Option<Leg> {
    let source = env.side(into.other());
    let target = env.side(into);
    let mut b = Builder {
        env,
        into,
        target,
        reader: Reader::new(source.schema, source.id()),
        lines: vec![],
        said: vec![],
        groups: vec![],
        written: vec![],
        company: Company::None,
        reads: capture::Wanted::default(),
    };
    let filter = b.filter(report);
    let known = filter.as_ref().map(|f| known_cells(&f.condition)).unwrap_or_default();
    for job in jobs {
        b.add(job, &known, report);
    }
    b.finish(filter, report)
}

pub(super) struct Builder<'e, 'a> {
    pub(super) env: &'e Env<'a>,
    pub(super) into: Side,
    pub(super) target: SideAt<'a>,
    reader: Reader<'a>,
    lines: Vec<Line>,
    said: Vec<(At, Option<OnMissing>)>,
    groups: Vec<Group>,
    written: Vec<(ColumnId, At)>,
    company: Company,
    reads: capture::Wanted,
}

impl<'a> Builder<'_, 'a> {
    fn filter(&mut self, report: &mut Report<'a>) -> Option<Filter> {
        let side = self.into.other();
        let (_, e) = &self.env.map.filter.iter().find(|f| f.it.0 == side)?.it;
        let typed = condition(&mut self.reader, e, report);
        let reads = self.reader.take_reads();
        self.reads.filter = reads.clone();
        Some(Filter {
            condition: typed?.expr,
            text: report.text(e.at),
            place: report.place(e.at),
            at: e.at,
            joins: reads.joins.into_iter().collect(),
        })
    }

    fn add(&mut self, job: &Job<'a>, known: &[Expr], report: &mut Report<'a>) {
        let line = job.line;
        let to = line.operand(self.into);
        let both = At(line.left.at.0.to(line.right.at.0));
        let ExprKind::Path(path) = &to.kind else {
            report.help(
                Code::TM0413,
                to.at,
                format!("the line runs into {} here, and this is no column", self.into.word()),
                "the side that is written is a column or a lookup path; turn the sign round, or compute on the other side",
            );
            return;
        };
        if path.this {
            report.help(
                Code::TM0207,
                path.at,
                "`this` stands only inside `exists(…)` and the like",
                "leave `this.` away: names are columns of the row itself",
            );
            return;
        }
        if job.part == Part::Company && is_each(line.operand(self.into.other())) {
            self.each(path, report);
            return;
        }
        let mut ends = vec![];
        let schema = self.target.schema;
        let found = dest(schema, self.target.id(), &path.steps, "", &mut ends, report);
        let end = found.as_ref().and_then(|_| self.end(&ends, path.at, report));
        // Without a target the source is looked at all the same.
        let ty = end.clone().unwrap_or(Type::Null);
        let value = travel(self.env, line, self.into, &ty, &mut self.reader, report);
        let reads = self.reader.take_reads();
        let (Some(found), Some(ty)) = (found, end) else { return };
        let Some(value) = value else {
            // What it writes is written, so that no second finding says it is not.
            if let Dest::Column(c) = found {
                self.written.push((c, path.at));
            }
            return;
        };
        let key = !matches!(job.part, Part::Field { .. });
        self.check_fit(line, &value, &ty, &ends, both, key, report);
        self.check_null(&value, &found, &ends, key, both, known, report);
        self.push(job, line, path, found, value, ty, reads, report);
    }

    #[allow(clippy::too_many_arguments, reason = "a compiled line is made of all this")]
    fn push(
        &mut self,
        job: &Job<'a>,
        line: &ast::Line,
        path: &ast::Path,
        found: Dest,
        value: Typed,
        ty: Type,
        reads: Reads,
        report: &mut Report<'a>,
    ) {
        let key = !matches!(job.part, Part::Field { .. });
        let two_way = match job.part {
            Part::Field { two_way } => two_way,
            _ => None,
        };
        let mut once = line.once;
        let mut nullable = true;
        let index = self.lines.len();
        if let Dest::Column(c) = found {
            let column = self.target.column(c);
            if column.read_only {
                let d = Diagnostic::new(
                    Code::TM0405,
                    path.at.0,
                    format!("`{}.{}` is read-only", self.target.name(), column.name),
                )
                .help("remove the line, or turn its sign round: only the store itself writes this column");
                report.add(report.declared(d, column.span, &column.name, "the column"));
            }
            if let Some((_, first)) = self.written.iter().find(|(w, _)| *w == c) {
                report.add(twice(&column.name, self.into, path.at, *first));
            }
            self.written.push((c, path.at));
            once |= column.create_only;
            nullable = !column.required || column.blank.is_some();
        } else if !join(&mut self.groups, self.target.id(), self.target.schema, &found, index) {
            let name = report.text(path.at);
            let first = self.lines.iter().position(|l| l.column.eq_ignore_ascii_case(&name));
            report.add(twice(&name, self.into, path.at, first.map_or(path.at, |i| self.said[i].0)));
        }
        if job.part == Part::Company {
            self.company = Company::Of(value.expr.clone());
        }
        if line.on_missing.is_some() && reads.joins.is_empty() && !self.refers(&found) {
            report.help(
                Code::TM0611,
                line.at,
                "`on missing` on a line that follows no lookup",
                "remove it: there is nothing that could be missing",
            );
        }
        let fits = fit(&value.ty, &ty);
        let expr = if fits == Fit::Lossless { super::typing::formed(value.expr, &value.ty, &ty) } else { value.expr };
        if two_way.is_some() {
            self.reads.two_way.extend(reads.inputs());
        }
        if key {
            self.reads.key.columns.extend(reads.columns.iter().copied());
        }
        if key && reads.related {
            report.help(
                Code::TM0614,
                line.operand(self.into.other()).at,
                "a key cannot be asked of related rows",
                "let the key read columns of the record itself: what related rows say may change with any of them",
            );
        }
        if job.part == Part::Key && !reads.joins.is_empty() && self.operations().delete {
            report.help(
                Code::TM0506,
                line.operand(self.into.other()).at,
                "the key of a row that is deleted cannot be looked up any more",
                format!(
                    "let the key read columns of its own row, or carry no deletes: `operations {}: create, update`",
                    self.into.word()
                ),
            );
        }
        self.said.push((At(line.left.at.0.to(line.right.at.0)), line.on_missing));
        self.lines.push(Line {
            place: report.place(line.at),
            at: At(line.left.at.0.to(line.right.at.0)),
            text: report.text(line.at),
            target: match found {
                Dest::Column(c) => LineTarget::Column(c),
                Dest::Through { .. } => LineTarget::Reference(0),
            },
            column: report.text(path.at),
            value: expr,
            ty,
            checked: fits != Fit::Lossless,
            key,
            once,
            said_once: line.once,
            on_missing: line.on_missing.unwrap_or(OnMissing::Park),
            joins: reads.joins.iter().copied().collect(),
            inputs: reads.inputs(),
            two_way,
            // Settled when both legs are there.
            exact: true,
            nullable,
        });
    }

    /// Whether a destination is a reference: a path, or a lookup's own column.
    fn refers(&self, found: &Dest) -> bool {
        match found {
            Dest::Column(c) => self.target.schema.lookup(self.target.id(), &self.target.column(*c).name).is_some(),
            Dest::Through { .. } => true,
        }
    }

    /// The column at the end of the source operand, if it is one.
    pub(super) fn there(&self, operand: &ast::Expr, report: &mut Report<'a>) -> Option<&'a Column> {
        let ExprKind::Path(path) = &operand.kind else { return None };
        let source = self.env.side(self.into.other());
        let mut ends = vec![];
        report.silently(|quiet| dest(source.schema, source.id(), &path.steps, "", &mut ends, quiet))?;
        match ends.as_slice() {
            [(t, c)] => Some(source.schema.get(*t).column(*c)),
            _ => None,
        }
    }

    fn each(&mut self, path: &ast::Path, report: &mut Report<'a>) {
        let column = match path.steps.as_slice() {
            [step] if step.inner.is_none() => self.target.schema.column(self.target.id(), &step.name.text),
            _ => None,
        };
        let Some(column) = column else {
            let names = self.target.table().columns.iter().map(|c| c.name.as_str());
            let name = path.steps.last().map_or("", |s| s.name.text.as_str());
            let message = "`each` is written into a column of the table itself";
            report.unknown(Code::TM0203, path.at, message, name, names);
            return;
        };
        if !matches!(self.target.column(column).ty, Type::Text { .. }) {
            report.at(
                Code::TM0301,
                path.at,
                format!("a company's code is text, and this is {}", named(&self.target.column(column).ty)),
            );
        }
        self.company = Company::Each(column);
        self.written.push((column, path.at));
    }

    /// The type in which a line ends: the column's, or what all alternatives of a reference take.
    fn end(&self, ends: &[(TableId, ColumnId)], at: At, report: &mut Report<'a>) -> Option<Type> {
        let schema = self.target.schema;
        let mut types = ends.iter().map(|(t, c)| &schema.get(*t).column(*c).ty);
        let mut ty = types.next()?.clone();
        for other in types {
            match common(&ty, other) {
                Some(c) if std::mem::discriminant(&c) == std::mem::discriminant(&ty) => ty = c,
                _ => {
                    let message = format!("the alternatives end in {} and in {}", named(&ty), named(other));
                    let mut d = Diagnostic::new(Code::TM0612, at.0, message)
                        .help("end each alternative in a column of the same type");
                    for (t, c) in ends {
                        d = report.column(d, schema.get(*t).column(*c));
                    }
                    report.add(d);
                    return None;
                }
            }
        }
        Some(ty)
    }

    fn finish(mut self, filter: Option<Filter>, report: &mut Report<'a>) -> Option<Leg> {
        let mut plain: Vec<ColumnId> = self.written.iter().map(|(c, _)| *c).collect();
        // Two lines for one lookup: one through it, one as it is.
        let mut makings =
            Makings { target: self.target, lines: &mut self.lines, said: &self.said, plain: &mut plain, out: vec![] };
        makings.make(std::mem::take(&mut self.groups), report);
        let references = makings.out;
        let map = self.env.map;
        let operations = self.operations();
        let key = self.key(&references);
        self.check_key(&key, report);
        if operations.create {
            self.check_required(&plain, report);
        }
        if let Some(f) = filter.as_ref().filter(|_| operations.delete) {
            self.check_filter_before(f, report);
        }
        let exit_delete = map.on_exit.iter().any(|n| n.it.0 == self.into && n.it.1);
        self.reader.settle();
        let filter = filter.map(|mut f| {
            self.reader.settle_expr(&mut f.condition);
            f
        });
        for l in &mut self.lines {
            self.reader.settle_expr(&mut l.value);
        }
        if let Company::Of(e) = &mut self.company {
            self.reader.settle_expr(e);
        }
        let source = self.env.side(self.into.other());
        let capture = capture::specs(source.schema, &self.reader, &self.reads, exit_delete || operations.delete);
        Some(Leg {
            into: self.into,
            source: source.at,
            target: self.target.at,
            read: self.reader.plan,
            joins: self.reader.joins,
            related: self.reader.related,
            filter,
            company: self.company,
            key,
            lines: self.lines,
            references,
            operations,
            exit_delete,
            capture,
        })
    }

    /// A row that leaves is judged by what its filter said before. Of related rows that is known, of rows they look up
    /// or are related to in turn it is not.
    fn check_filter_before(&self, filter: &Filter, report: &mut Report<'a>) {
        let mut asked = vec![];
        filter.condition.clone().each_mut(&mut |e| {
            if let Expr::Related(i) = e {
                asked.push(*i);
            }
        });
        let deep = |r: &Related| !r.read.joins.is_empty() || !r.related.is_empty();
        let hit = asked.iter().filter_map(|i| self.reader.question(*i)).find(|r| deep(r));
        if let Some(r) = hit {
            let message = format!("`{}` looks further than the related rows, and the map carries deletes", r.text);
            let help = format!(
                "ask for columns of the related rows only, or carry no deletes: `operations {}: create, update`",
                self.into.word()
            );
            report.help(Code::TM0614, filter.at, message, help);
        }
    }

    fn operations(&self) -> Operations {
        match self.env.map.operations.iter().find(|n| n.it.0 == self.into) {
            None => Operations { create: true, update: true, delete: true },
            Some(n) => {
                let has = |o: Operation| n.it.1.iter().any(|x| x.it == o);
                Operations {
                    create: has(Operation::Create),
                    update: has(Operation::Update),
                    delete: has(Operation::Delete),
                }
            }
        }
    }

    fn key(&self, references: &[super::ir::Reference]) -> Vec<ColumnId> {
        let mut key = vec![];
        let mut add = |c: ColumnId| {
            if !key.contains(&c) {
                key.push(c);
            }
        };
        if let Company::Each(c) = self.company {
            add(c);
        }
        for l in self.lines.iter().filter(|l| l.key) {
            match l.target {
                LineTarget::Column(c) => add(c),
                LineTarget::Reference(r) => {
                    if let Some(r) = references.get(r) {
                        r.columns().for_each(&mut add);
                    }
                }
            }
        }
        key
    }
}

/// Types a condition; a finding where it is none.
pub(crate) fn condition<'a>(reader: &mut Reader<'a>, e: &ast::Expr, report: &mut Report<'a>) -> Option<Typed> {
    let typed = Typer { reader, report }.infer(e, Some(&Type::Boolean))?;
    if matches!(typed.ty, Type::Boolean | Type::Null) {
        return Some(typed);
    }
    report.help(
        Code::TM0801,
        e.at,
        format!("a filter is a condition, true or false, and this is {}", named(&typed.ty)),
        "compare it: `x == 'y'`, `x is not null`",
    );
    None
}

/// Whether an operand is the word `each`.
pub(crate) fn is_each(e: &ast::Expr) -> bool {
    match &e.kind {
        ExprKind::Path(p) => matches!(p.steps.as_slice(), [s] if s.inner.is_none() && s.name.text == "each" && !p.this),
        _ => false,
    }
}

/// The company statement as a line.
pub(crate) fn company_line(n: &ast::Node<ast::Pairing>) -> ast::Line {
    ast::Line {
        left: n.it.left.clone(),
        sign: n.it.sign,
        right: n.it.right.clone(),
        pipes: vec![],
        values: None,
        default: None,
        on_missing: None,
        once: false,
        at: n.at,
        trivia: ast::Trivia::default(),
    }
}

fn twice(name: &str, into: Side, at: At, first: At) -> Diagnostic {
    let d = Diagnostic::new(Code::TM0406, at.0, format!("`{name}` is written twice into {}", into.word()))
        .help("keep one line for each column and direction");
    if at.0 == first.0 { d } else { d.related(first.0, "the first line") }
}

//! The checks of one leg: fits, nulls, key, required columns.

use super::expr::Expr;
use super::leg::Builder;
use super::reader::{Typed, list};
use super::reference::Dest;
use super::report::{Report, named};
use crate::diagnostic::{Code, Diagnostic, edit};
use crate::schema::{ColumnId, TableId};
use crate::source::At;
use crate::syntax::ast::{self, ExprKind, Flow, Side};
use crate::value::{Fit, Type, Value, advice, fit};

/// The pipe that makes one type of another, where one function does it and nothing has to be decided.
fn pipe_for(from: &Type, to: &Type) -> Option<String> {
    Some(match (from, to) {
        (Type::Decimal { .. }, Type::Decimal { limits: Some((_, scale)) }) => format!("round({scale})"),
        (Type::Decimal { .. } | Type::Float, Type::Integer) => "round(0) | integer()".into(),
        (Type::Text { .. } | Type::Choice(_), Type::Integer) => "integer()".into(),
        (Type::Text { .. } | Type::Float, Type::Decimal { .. }) => "decimal()".into(),
        (Type::Integer | Type::Decimal { .. } | Type::Text { .. }, Type::Float) => "float()".into(),
        (Type::Text { .. }, Type::Boolean) => "boolean()".into(),
        (Type::Text { .. }, Type::Uuid) => "uuid()".into(),
        (Type::Text { .. } | Type::DateTime { .. }, Type::Date) => "date()".into(),
        (Type::Text { .. } | Type::Date, Type::DateTime { .. }) => "datetime()".into(),
        (Type::Date | Type::DateTime { .. } | Type::Float, Type::Text { .. }) => "text()".into(),
        _ => return None,
    })
}

impl<'a> Builder<'_, 'a> {
    /// Whether what the line brings fits where it ends.
    #[allow(clippy::too_many_arguments, reason = "one check, with all that it is about")]
    pub(super) fn check_fit(
        &self,
        line: &ast::Line,
        value: &Typed,
        ty: &Type,
        ends: &[(TableId, ColumnId)],
        at: At,
        key: bool,
        report: &mut Report<'a>,
    ) {
        let fits = fit(&value.ty, ty);
        if fits == Fit::Lossless {
            return;
        }
        let (from, to) = (named(&value.ty), named(ty));
        let operand = line.operand(self.into.other());
        let plain = matches!(operand.kind, ExprKind::Path(_)) && line.pipes.is_empty() && line.values.is_none();
        let source = if plain { format!("`{}`", report.text(operand.at)) } else { "the value".into() };
        let target = format!("`{}`", report.text(line.operand(self.into).at));
        let (code, message) = match fits {
            Fit::Never => (Code::TM0301, format!("{source} is {from}, which makes no sense in {target}, {to}")),
            Fit::Lossy => (Code::TM0302, format!("{source}, {from}, may be changed on its way into {target}, {to}")),
            Fit::Checked if matches!((&value.ty, ty), (Type::Text { .. }, Type::Text { .. })) => {
                let code = if key { Code::TM0304 } else { Code::TM0303 };
                let Type::Text { max: Some(n) } = ty else { return };
                let message = format!("{source}, {from}, may be too long for {target}, {to}");
                (code, format!("{message}: a text of {} characters is not cut, its record fails", n.saturating_add(1)))
            }
            // Of amounts, digits before the point are more than anybody's money: only whole numbers are told of.
            Fit::Checked
                if matches!(value.ty, Type::Integer | Type::Decimal { limits: Some((_, 0)) })
                    && !matches!(ty, Type::Choice(_)) =>
            {
                let message = format!("{source}, {from}, may have too many digits for {target}, {to}");
                (Code::TM0313, format!("{message}: the record of such a number fails"))
            }
            _ => return,
        };
        let mut d = Diagnostic::new(code, at.0, message);
        d.help = match (code, ty) {
            (Code::TM0303, Type::Text { max: Some(n) }) => Some(format!("to cut it, write `| truncate({n})`")),
            (Code::TM0304, _) => Some("take a source that is no longer, or make the column longer in its store".into()),
            (Code::TM0303 | Code::TM0313, _) => None,
            _ => advice(&value.ty, ty).map(str::to_string),
        };
        if let [(t, c)] = ends {
            d = report.column(d, self.target.schema.get(*t).column(*c));
        }
        if plain && let Some(there) = self.there(operand, report) {
            d = report.column(d, there);
        }
        let pipe = match (code, ty) {
            (Code::TM0303, Type::Text { max: Some(n) }) => Some(format!("truncate({n})")),
            (Code::TM0301 | Code::TM0302, _) => pipe_for(&value.ty, ty),
            _ => None,
        };
        if let Some(pipe) = pipe.filter(|_| line.sign.flow != Flow::Both && line.values.is_none()) {
            // Behind the right operand or the last pipe, where one stands.
            let end = line.pipes.last().map_or(line.right.at, |p| p.at).0;
            let rest = report.file_text(line.at).get(end.end as usize..).unwrap_or("");
            if line.pipes.last().is_some() || matches!(line.right.kind, ExprKind::Path(_)) && !rest.starts_with(')') {
                d = d.fix(format!("add `| {pipe}`"), edit::behind(end), format!(" | {pipe}"), false);
            }
        }
        report.add(d);
    }

    /// Whether null may get, or always gets, where it must not be.
    #[allow(clippy::too_many_arguments, reason = "one check, with all that it is about")]
    pub(super) fn check_null(
        &self,
        value: &Typed,
        found: &Dest,
        ends: &[(TableId, ColumnId)],
        key: bool,
        at: At,
        known: &[Expr],
        report: &mut Report<'a>,
    ) {
        let always = matches!(&value.expr, Expr::Constant(Value::Null));
        if key {
            if always {
                report.help(
                    Code::TM0502,
                    at,
                    "this part of the key is always null, so it identifies nothing",
                    "name a column that tells the records apart",
                );
            }
            return;
        }
        let (Dest::Column(c), [_]) = (found, ends) else { return };
        let column = self.target.column(*c);
        if !column.required || column.blank.is_some() || column.read_only {
            return;
        }
        let name = format!("{}.{}", self.target.table().name, column.name);
        if always {
            let message = format!("`{name}` is required and has no blank, so it takes no null");
            let d = Diagnostic::new(Code::TM0312, at.0, message).help("bring a value, or remove the line");
            report.add(report.declared(d, column.span, &column.name, "required here"));
        } else if value.nullable && !known.iter().any(|k| same_cell(k, &value.expr)) {
            let message = format!("`{name}` is required, and null may come here; such a record fails");
            let d = Diagnostic::new(Code::TM0311, at.0, message)
                .help("add a `default`, or a filter that lets only rows with a value leave");
            report.add(report.declared(d, column.span, &column.name, "required here"));
        }
    }

    /// Whether the key finds one row.
    pub(super) fn check_key(&self, key: &[ColumnId], report: &mut Report<'a>) {
        let table = self.target.table();
        let Some(first) = self.env.map.key.first() else { return };
        // A part that could not be read was told of; what is left says nothing.
        if report.failed || table.keys().any(|k| k.iter().all(|c| key.contains(c))) {
            return;
        }
        let name = |c: &ColumnId| table.column(*c).name.as_str();
        let names: Vec<&str> = key.iter().map(name).collect();
        let keys: Vec<String> =
            table.keys().map(|k| format!("({})", k.iter().map(name).collect::<Vec<_>>().join(", "))).collect();
        let lacks_company = table.company.is_some_and(|c| !key.contains(&c)) && self.env.map.company.is_none();
        let help = if lacks_company {
            format!("its keys are {}; add `company {} = …`", keys.join(", "), table.company.map_or("", |c| name(&c)))
        } else {
            format!("its keys are {}", keys.join(", "))
        };
        let d = Diagnostic::new(
            Code::TM0503,
            first.left.at.0.to(first.right.at.0),
            format!("{} {} not identify one row of `{}`", list(&names), does(names.len()), self.target.name()),
        )
        .help(help);
        report.add(report.declared(d, table.span, &table.name, "the table"));
    }

    /// Whether every required column has a source when a row is created.
    pub(super) fn check_required(&self, written: &[ColumnId], report: &mut Report<'a>) {
        if report.failed {
            return;
        }
        let table = self.target.table();
        for (i, c) in table.columns.iter().enumerate() {
            let id = ColumnId(i as u32);
            let by_itself = c.generated || c.default.is_some() || c.blank.is_some() || c.read_only;
            if c.required && !by_itself && !written.contains(&id) {
                let at = match self.into {
                    Side::Left => self.env.tables.left.table.at,
                    Side::Right => self.env.tables.right.table.at,
                };
                let d = Diagnostic::new(
                    Code::TM0404,
                    at.0,
                    format!("`{}.{}` is required, and no line fills it when a row is created", table.name, c.name),
                )
                .help(format!(
                    "add a line into it, or do not let the map create: `operations {}: update`",
                    self.into.word()
                ));
                report.add(report.declared(d, c.span, &c.name, "required here"));
            }
        }
    }
}

/// "does" or "do".
pub(crate) fn does(n: usize) -> &'static str {
    if n == 1 { "does" } else { "do" }
}

/// Cells that a filter knows to have a value: those of `x is not null` and of comparisons that must hold.
pub(super) fn known_cells(condition: &Expr) -> Vec<Expr> {
    let mut out = vec![];
    let items = match condition {
        Expr::And(items) => items.as_slice(),
        one => std::slice::from_ref(one),
    };
    for item in items {
        match item {
            Expr::Not(x) => {
                if let Expr::IsNull(x) = &**x {
                    out.push((**x).clone());
                }
            }
            Expr::Compare(_, _, a, b) => out.extend([(**a).clone(), (**b).clone()]),
            Expr::In(x, _, _) | Expr::Like(x, _, _) => out.push((**x).clone()),
            _ => {}
        }
    }
    out
}

fn same_cell(a: &Expr, b: &Expr) -> bool {
    matches!((a, b), (Expr::Slot(x), Expr::Slot(y)) if x == y)
}

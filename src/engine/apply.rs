//! One record through one leg: a pure function of the source row. The same in initial sync, live sync and tests.

use super::runtime::LegRt;
use crate::function::Context;
use crate::sema::{Company, JoinInfo, Leg, Line};
use crate::store::{Misfit, QuarantineKind, RecordErrorKind};
use crate::syntax::ast::OnMissing;
use crate::value::{Value, convert};

/// Why a record could not be applied; enough to write the message.
#[derive(Clone, Debug, PartialEq)]
pub struct Failure {
    /// Failed, parked, held or circle.
    pub kind: QuarantineKind,
    /// `TM90xx`
    pub code: &'static str,
    /// Index of the line at fault in [`Leg::lines`].
    pub line: Option<usize>,
    /// `file:line` where it is not a line's (a filter).
    pub place: Option<String>,
    /// The column at fault, for people.
    pub column: String,
    /// The value at fault.
    pub value: Option<String>,
    /// What is wrong.
    pub reason: String,
    /// What to do.
    pub remedy: String,
    /// Where a store refused it, how.
    pub store_kind: Option<RecordErrorKind>,
    /// It may pass without a change of the record, and nothing tells when: it is tried again soon.
    pub passes: bool,
}

impl Failure {
    pub(super) fn new(code: &'static str, reason: impl Into<String>, remedy: impl Into<String>) -> Failure {
        Failure {
            kind: QuarantineKind::Failed,
            code,
            line: None,
            place: None,
            column: String::new(),
            value: None,
            reason: reason.into(),
            remedy: remedy.into(),
            store_kind: None,
            passes: false,
        }
    }
    pub(super) fn at_line(mut self, leg: &Leg, line: usize) -> Failure {
        self.column = leg.lines[line].column.clone();
        self.line = Some(line);
        self
    }
}

/// Codes of records that could not be applied; in the registry as TM90xx.
pub mod code {
    /// A stored value does not fit the store's schema.
    pub const MISFIT: &str = "TM9001";
    /// An expression has no value for this record.
    pub const EXPRESSION: &str = "TM9002";
    /// A value does not fit the column it goes to.
    pub const FIT: &str = "TM9003";
    /// A required value is missing.
    pub const REQUIRED: &str = "TM9004";
    /// A looked-up record is not there.
    pub const MISSING: &str = "TM9005";
    /// The integration key finds more than one row, or another record already has it.
    pub const KEY: &str = "TM9006";
    /// The store refused the row.
    pub const STORE: &str = "TM9007";
    /// The map does not allow the operation that would be needed.
    pub const OPERATION: &str = "TM9008";
    /// Changed on both sides, and the map says to hold.
    pub const CONFLICT: &str = "TM9009";
    /// The record goes in a circle.
    pub const CIRCLE: &str = "TM9010";
    /// Skipped by command.
    pub const SKIPPED: &str = "TM9011";
}

/// What a leg makes of a source row. Line values are appended to the caller's buffer.
#[derive(Clone, Debug, PartialEq)]
pub enum Verdict {
    /// The filter does not hold, or the company is not configured.
    FilteredOut,
    /// The values of all lines were appended; with the record's company where the leg is striped.
    Write,
    /// It has no values.
    Failed(Box<Failure>),
}

/// Whether the filter holds for a row and its company is configured.
pub fn matches(
    leg: &Leg,
    context: &Context,
    companies: Option<&[String]>,
    row: &[Value],
) -> Result<bool, Box<Failure>> {
    if let Some(filter) = &leg.filter {
        let holds = filter.condition.holds(context, row).map_err(|e| {
            let mut f = Failure::new(code::EXPRESSION, format!("filter `{}`: {}", filter.text, e.reason), e.remedy);
            f.place = Some(filter.place.clone());
            f.value = e.value.map(|v| v.to_string());
            Box::new(f)
        })?;
        if !holds {
            return Ok(false);
        }
    }
    if let Company::Of(company) = &leg.company {
        let value =
            company.eval(context, row).map_err(|e| Box::new(Failure::new(code::EXPRESSION, e.reason, e.remedy)))?;
        return Ok(match (&*value, companies) {
            (Value::Null, _) => false,
            (_, None) => true,
            (Value::Text(code), Some(list)) => list.iter().any(|c| c.eq_ignore_ascii_case(code)),
            (other, Some(list)) => list.iter().any(|c| *c == other.to_string()),
        });
    }
    Ok(true)
}

/// Evaluates a source row: filter, company, every line. On [`Verdict::Write`] exactly `leg.lines.len()` values were
/// appended to `out`, else none.
pub fn evaluate(
    leg: &Leg,
    context: &Context,
    companies: Option<&[String]>,
    row: &[Value],
    out: &mut Vec<Value>,
) -> Verdict {
    match matches(leg, context, companies, row) {
        Ok(true) => {}
        Ok(false) => return Verdict::FilteredOut,
        Err(f) => return Verdict::Failed(f),
    }
    let start = out.len();
    for (i, line) in leg.lines.iter().enumerate() {
        match line_value(leg, context, row, i, line) {
            Ok(v) => out.push(v),
            Err(f) => {
                out.truncate(start);
                return Verdict::Failed(f);
            }
        }
    }
    Verdict::Write
}

/// The values of the key lines only (others null); for finding a row by what it was before.
pub(super) fn evaluate_key(leg: &Leg, context: &Context, row: &[Value]) -> Result<Vec<Value>, Box<Failure>> {
    let keyed = |(i, line): (usize, &Line)| match line.key {
        true => line_value(leg, context, row, i, line),
        false => Ok(Value::Null),
    };
    leg.lines.iter().enumerate().map(keyed).collect()
}

fn line_value(leg: &Leg, context: &Context, row: &[Value], i: usize, line: &Line) -> Result<Value, Box<Failure>> {
    if let Some(join) = line.joins.iter().find(|j| is_missing(&leg.joins, **j, row)) {
        let info = &leg.joins[*join];
        let refs: Vec<String> = info.refs.iter().map(|s| row[*s].to_string()).collect();
        let refs = refs.join(", ");
        match line.on_missing {
            OnMissing::Null => {}
            OnMissing::Park | OnMissing::Error => {
                let mut f = Failure::new(
                    code::MISSING,
                    format!("`{}` refers to {refs}, which is not there", info.text),
                    "it is tried again when the record arrives".to_string(),
                )
                .at_line(leg, i);
                f.value = Some(refs);
                match line.on_missing {
                    OnMissing::Park => f.kind = QuarantineKind::Parked,
                    _ => f.remedy = "add the record, then `tablemap errors retry`".into(),
                }
                return Err(Box::new(f));
            }
        }
    }
    let value = line.value.eval(context, row).map_err(|e| {
        let mut f = Failure::new(code::EXPRESSION, e.reason, e.remedy).at_line(leg, i);
        f.value = e.value.map(|v| v.to_string());
        Box::new(f)
    })?;
    if value.is_null() {
        if line.key {
            return Err(Box::new(
                Failure::new(
                    code::REQUIRED,
                    "the key has no value",
                    "a record without its key cannot be matched; fill it",
                )
                .at_line(leg, i),
            ));
        }
        if !line.nullable {
            return Err(Box::new(
                Failure::new(
                    code::REQUIRED,
                    "the column is required and there is no value",
                    "fill it at the source or give the line a `default`",
                )
                .at_line(leg, i),
            ));
        }
        return Ok(Value::Null);
    }
    if !line.checked {
        return Ok(value.into_owned());
    }
    convert(value.clone().into_owned(), &line.ty).map_err(|reason| {
        let mut f = Failure::new(
            code::FIT,
            format!("the value is {reason}"),
            "change it at the source, or let the line transform it (`| truncate(n)`, `| round(n)`, a value map)",
        )
        .at_line(leg, i);
        f.value = Some(value.to_string());
        Box::new(f)
    })
}

/// A reference with a value but without a row.
fn is_missing(joins: &[JoinInfo], join: usize, row: &[Value]) -> bool {
    let info = &joins[join];
    let found = |j: usize| matches!(row[joins[j].found], Value::Boolean(true));
    if info.parent.is_some_and(|p| !found(p)) || info.refs.iter().any(|s| row[*s].is_null()) {
        return false;
    }
    !info.siblings.iter().any(|s| found(*s)) && !found(join)
}

/// A failure from stored values that do not fit their schema.
pub(super) fn misfit(leg: &LegRt, m: &Misfit, tables: &dyn Fn(&Misfit) -> (String, String)) -> Failure {
    let _ = leg;
    let (table, column) = tables(m);
    let mut f = Failure::new(
        code::MISFIT,
        format!("table `{table}`, key {}: column `{column}` holds {}, which {}", m.key, m.value, m.reason),
        "correct the value in the store, or the column in the schema file".to_string(),
    );
    f.column = column;
    f.value = Some(m.value.clone());
    f
}

//! TM1103: a literal that stands for a company which the project does not have.

use crate::diagnostic::{Code, Diagnostic, did_you_mean};
use crate::schema::ColumnId;
use crate::sema::{CheckedProject, Company, Expr, Input, Leg, LineTarget};
use crate::source::At;
use crate::value::{Type, Value};

pub(super) fn check(input: &Input<'_>, project: &CheckedProject) -> Vec<Diagnostic> {
    let Some(companies) = input.companies else { return vec![] };
    let mut out = vec![];
    for leg in project.maps.iter().flat_map(|m| m.legs()) {
        for (at, value) in literals(input, leg) {
            let Value::Text(t) = &value else { continue };
            if companies.iter().any(|c| c.eq_ignore_ascii_case(t)) {
                continue;
            }
            let mut d = Diagnostic::new(Code::TM1103, at.0, format!("`{t}` is none of the project's companies"));
            let known = companies.iter().map(String::as_str);
            let all = companies.iter().map(|c| format!("`{c}`")).collect::<Vec<_>>().join(", ");
            d.help = Some(did_you_mean(t, known).unwrap_or(format!("its companies are {all}")));
            if !out.contains(&d) {
                out.push(d);
            }
        }
    }
    out
}

/// What is compared with, or written as, a company.
fn literals(input: &Input<'_>, leg: &Leg) -> Vec<(At, Value)> {
    let source = &input.stores[leg.source.store].1;
    let target = input.stores[leg.target.store].1.get(leg.target.table);
    let company = |cell: usize| {
        let Some((from, id)) = leg.read.columns.get(cell) else { return false };
        let table = if *from == 0 { leg.read.table } else { leg.read.joins[*from - 1].table };
        let t = source.get(table);
        let text = matches!(t.column(*id).ty, Type::Text { .. });
        text && (t.company == Some(*id) || is_company(leg, cell))
    };
    let mut out = vec![];
    if let Some(f) = &leg.filter {
        let mut condition = f.condition.clone();
        condition.each_mut(&mut |e| match e {
            Expr::Compare(_, _, a, b) => match (&**a, &**b) {
                (Expr::Slot(s), Expr::Constant(v)) | (Expr::Constant(v), Expr::Slot(s)) if company(*s) => {
                    out.push((f.at, v.clone()));
                }
                _ => {}
            },
            Expr::In(x, _, items) => {
                if let Expr::Slot(s) = &**x
                    && company(*s)
                {
                    out.extend(items.iter().map(|v| (f.at, v.clone())));
                }
            }
            _ => {}
        });
    }
    for line in &leg.lines {
        let own = |c: ColumnId| target.company == Some(c);
        if let (LineTarget::Column(c), Expr::Constant(v)) = (&line.target, &line.value)
            && own(*c)
        {
            out.push((line.at, v.clone()));
        }
    }
    out
}

/// Whether a cell is what the map's `company` reads.
fn is_company(leg: &Leg, cell: usize) -> bool {
    matches!(&leg.company, Company::Of(Expr::Slot(s)) if *s == cell)
}

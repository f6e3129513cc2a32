//! Types expressions: from the tree to [`Expr`], with findings for what does not fit.

use super::eval::DIVISION_SCALE;
use super::expr::Expr;
use super::expr::ast_op::Arithmetic;
use super::reader::{Reader, Typed, either};
use super::report::{Report, named};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{At, Span};
use crate::store::Comparison;
use crate::syntax::ast::{self, BinaryOp, ExprKind, LiteralKind};
use crate::value::{Collation, Dec, Literal, Type, Value, advice, common, literal};

/// Types expressions over what a reader reads.
pub(crate) struct Typer<'t, 'a> {
    pub(crate) reader: &'t mut Reader<'a>,
    pub(crate) report: &'t mut Report<'a>,
}

/// A literal of the tree as values know it.
pub(crate) fn plain(l: &ast::Literal) -> Literal<'_> {
    match &l.kind {
        LiteralKind::Text(t) => Literal::Text(t),
        LiteralKind::Number(n) => Literal::Number(n),
        LiteralKind::Boolean(b) => Literal::Boolean(*b),
        LiteralKind::Null => Literal::Null,
    }
}

/// A literal as it is written.
pub(crate) fn written(l: &ast::Literal) -> String {
    match &l.kind {
        LiteralKind::Text(t) => format!("'{}'", t.replace('\'', "''")),
        LiteralKind::Number(n) => n.clone(),
        LiteralKind::Boolean(b) => b.to_string(),
        LiteralKind::Null => "null".into(),
    }
}

/// The value of a literal where a type is expected, with a finding where it has none.
pub(crate) fn literal_of(l: &ast::Literal, ty: &Type, code: Code, report: &mut Report<'_>) -> Option<Value> {
    let reason = match literal(plain(l), ty) {
        Ok(v) => return Some(v),
        Err(reason) => reason,
    };
    match (ty, &l.kind) {
        (Type::Choice(c), LiteralKind::Text(t)) => {
            let names = c.members.iter().map(|m| m.name.as_str());
            report.unknown(Code::TM0206, l.at, format!("`{t}` is no member of this choice"), t, names.clone());
            let none = report.findings.last_mut().filter(|d| d.help.is_none());
            if let Some(d) = none.filter(|_| !c.members.is_empty()) {
                d.help = Some(format!("it is {}", named(ty)));
            }
        }
        (Type::Choice(_), LiteralKind::Number(n)) => {
            report.help(
                Code::TM0206,
                l.at,
                format!("{n} is the number of no member of this choice"),
                format!("it is {}", named(ty)),
            );
        }
        _ => report.at(code, l.at, format!("{} is no value of {}: {reason}", written(l), named(ty))),
    }
    None
}

fn constant(value: Value, ty: Type) -> Typed {
    let nullable = value.is_null();
    Typed { expr: Expr::Constant(value), ty, collation: Collation::Exact, nullable }
}

pub(super) fn literal_in(e: &ast::Expr) -> Option<&ast::Literal> {
    match &e.kind {
        ExprKind::Literal(l) => Some(l),
        _ => None,
    }
}

/// The type without its limits: what a literal is compared as.
fn unlimited(ty: &Type) -> Type {
    match ty {
        Type::Text { .. } => Type::Text { max: None },
        Type::Decimal { .. } => Type::Decimal { limits: None },
        other => other.clone(),
    }
}

/// Brings a value of type `from` into the form of `to`, where it has another.
pub(crate) fn formed(expr: Expr, from: &Type, to: &Type) -> Expr {
    if *from == Type::Null || std::mem::discriminant(from) == std::mem::discriminant(to) {
        return expr;
    }
    Expr::Convert(Box::new(expr), unlimited(to))
}

impl<'a> Typer<'_, 'a> {
    /// Types an expression. `expected` types literals (and what passes them through); it is no promise.
    pub(crate) fn infer(&mut self, e: &ast::Expr, expected: Option<&Type>) -> Option<Typed> {
        match &e.kind {
            ExprKind::Literal(l) => self.literal(l, expected),
            ExprKind::Path(p) => self.reader.path(p, self.report),
            ExprKind::Call(c) => self.call(c, None, expected),
            ExprKind::Negate(x) => {
                let x1 = self.number(x, "-")?;
                Some(Typed { expr: Expr::Negate(Box::new(x1.expr)), ..x1 })
            }
            ExprKind::Not(x) => {
                let x1 = self.boolean(x)?;
                Some(Typed { expr: Expr::Not(Box::new(x1.expr)), ty: Type::Boolean, ..x1 })
            }
            ExprKind::Binary(op @ (BinaryOp::And | BinaryOp::Or), _, _) => self.connected(*op, e),
            ExprKind::Binary(op, a, b) => match comparison(*op) {
                Some(c) => self.compare(c, a, b, e.at),
                None => self.arithmetic(*op, a, b),
            },
            ExprKind::IsNull { of, negated } => {
                let x = self.infer(of, None)?;
                Some(negated_if(*negated, Expr::IsNull(Box::new(x.expr)), false))
            }
            ExprKind::In { of, negated, items } => {
                let x = self.infer(of, None)?;
                let ty = unlimited(&x.ty);
                let mut values = vec![];
                for i in items {
                    values.push(literal_of(i, &ty, Code::TM0305, self.report)?);
                }
                let nullable = x.nullable || values.iter().any(Value::is_null);
                Some(negated_if(*negated, Expr::In(Box::new(x.expr), x.collation, values), nullable))
            }
            ExprKind::Like { of, negated, pattern } => {
                let x = self.infer(of, None)?;
                if !matches!(x.ty, Type::Text { .. } | Type::Null) {
                    self.report.at(Code::TM0309, of.at, format!("`like` compares text, and this is {}", named(&x.ty)));
                    return None;
                }
                let LiteralKind::Text(p) = &pattern.kind else {
                    self.report.at(Code::TM0305, pattern.at, "the pattern of `like` is a text: `'A%'`");
                    return None;
                };
                Some(negated_if(*negated, Expr::Like(Box::new(x.expr), x.collation, p.clone()), x.nullable))
            }
            ExprKind::Case { arms, otherwise } => self.case(arms, otherwise.as_deref(), expected, e.at),
            ExprKind::Aggregate { name, table, condition, of } => {
                self.related(name, table, condition, of.as_deref(), e.at)
            }
        }
    }

    /// A condition: true, false or null.
    pub(crate) fn boolean(&mut self, e: &ast::Expr) -> Option<Typed> {
        let x = self.infer(e, Some(&Type::Boolean))?;
        if matches!(x.ty, Type::Boolean | Type::Null) {
            return Some(x);
        }
        self.report.at(
            Code::TM0309,
            e.at,
            format!("a condition is expected here (true or false), and this is {}", named(&x.ty)),
        );
        None
    }

    fn literal(&mut self, l: &ast::Literal, expected: Option<&Type>) -> Option<Typed> {
        if let Some(ty) = expected
            && *ty != Type::Null
            && l.kind != LiteralKind::Null
        {
            let value = literal_of(l, ty, Code::TM0305, self.report)?;
            let ty = match (&value, ty) {
                (Value::Text(t), Type::Text { .. }) => Type::Text { max: u32::try_from(t.chars().count()).ok() },
                (_, ty) => ty.clone(),
            };
            return Some(constant(value, ty));
        }
        match plain(l).natural() {
            Ok((v, ty)) => Some(constant(v, ty)),
            Err(reason) => {
                self.report.at(Code::TM0305, l.at, format!("{}: {reason}", written(l)));
                None
            }
        }
    }

    pub(super) fn number(&mut self, e: &ast::Expr, op: &str) -> Option<Typed> {
        let x = self.infer(e, None)?;
        if matches!(x.ty, Type::Integer | Type::Decimal { .. } | Type::Null) {
            return Some(x);
        }
        let help = match &x.ty {
            Type::Float => "a float is not exact; bring it into a decimal first: `decimal(x)`".to_string(),
            Type::Text { .. } if op == "+" => "texts are joined by `concat(a, b)`".into(),
            Type::Date | Type::DateTime { .. } => "days are added by `add_days(date, n)`".into(),
            ty => advice(ty, &Type::Decimal { limits: None }).unwrap_or("use integers or decimals").to_string(),
        };
        self.report.help(Code::TM0309, e.at, format!("`{op}` works on numbers, and this is {}", named(&x.ty)), help);
        None
    }

    fn connected(&mut self, op: BinaryOp, e: &ast::Expr) -> Option<Typed> {
        let mut flat = vec![];
        flatten(op, e, &mut flat);
        let typed: Vec<Option<Typed>> = flat.into_iter().map(|x| self.boolean(x)).collect();
        let items: Vec<Typed> = typed.into_iter().collect::<Option<_>>()?;
        let nullable = items.iter().any(|x| x.nullable);
        let items = items.into_iter().map(|x| x.expr).collect();
        let expr = if op == BinaryOp::And { Expr::And(items) } else { Expr::Or(items) };
        Some(Typed { expr, ty: Type::Boolean, collation: Collation::Exact, nullable })
    }

    fn compare(&mut self, op: Comparison, a: &ast::Expr, b: &ast::Expr, at: At) -> Option<Typed> {
        for side in [a, b] {
            if literal_in(side).is_some_and(|l| l.kind == LiteralKind::Null) {
                let is = if op == Comparison::Ne { "is not null" } else { "is null" };
                let mut d = Diagnostic::new(Code::TM0308, at.0, "a comparison with null is never true")
                    .help(format!("write `{is}`"));
                let plain = matches!(op, Comparison::Eq | Comparison::Ne);
                if plain && std::ptr::eq(side, b) && at.0.end == b.at.0.end && a.at.0.end < b.at.0.start {
                    // From behind the operand, over the operator, to the end of `null`; in parentheses it is left alone.
                    let span = Span { start: a.at.0.end, ..b.at.0 };
                    if !self.report.sources.text(span).contains([')', '(', '#', '\n']) {
                        d = d.fix(format!("write `{is}`"), span, format!(" {is}"), true);
                    }
                }
                self.report.add(d);
                return None;
            }
        }
        let (x, y) = match (literal_in(a), literal_in(b)) {
            (Some(l), None) => {
                let y = self.infer(b, None)?;
                (self.beside(l, &y.ty)?, y)
            }
            (None, Some(l)) => {
                let x = self.infer(a, None)?;
                let y = self.beside(l, &x.ty)?;
                (x, y)
            }
            _ => {
                let (x, y) = (self.infer(a, None), self.infer(b, None));
                (x?, y?)
            }
        };
        if common(&x.ty, &y.ty).is_none() {
            let help = advice(&x.ty, &y.ty).or_else(|| advice(&y.ty, &x.ty));
            let message = format!("this compares {} with {}", named(&x.ty), named(&y.ty));
            let mut d = Diagnostic::new(Code::TM0306, at.0, message);
            d.help = help.map(str::to_string);
            self.report.add(d);
            return None;
        }
        let collation = either(x.collation, y.collation);
        let nullable = x.nullable || y.nullable;
        let expr = Expr::Compare(op, collation, Box::new(x.expr), Box::new(y.expr));
        Some(Typed { expr, ty: Type::Boolean, collation: Collation::Exact, nullable })
    }

    /// A literal that is compared with something of type `ty`.
    fn beside(&mut self, l: &ast::Literal, ty: &Type) -> Option<Typed> {
        let number = matches!(l.kind, LiteralKind::Number(_)) && *ty == Type::Integer;
        self.literal(l, if number { None } else { Some(unlimited(ty)) }.as_ref())
    }

    fn arithmetic(&mut self, op: BinaryOp, a: &ast::Expr, b: &ast::Expr) -> Option<Typed> {
        let sign = match op {
            BinaryOp::Add => "+",
            BinaryOp::Sub => "-",
            BinaryOp::Mul => "*",
            _ => "/",
        };
        let (x, y) = (self.number(a, sign), self.number(b, sign));
        let (x, y) = (x?, y?);
        let limits = |t: &Type| match t {
            Type::Integer => Some((19u32, 0u32)),
            Type::Decimal { limits } => limits.map(|(p, s)| (u32::from(p), u32::from(s))),
            _ => Some((1, 0)),
        };
        let both_integers = x.ty == Type::Integer && y.ty == Type::Integer;
        let (lx, ly) = (limits(&x.ty), limits(&y.ty));
        let decimal = |p: u32, s: u32| {
            let fits = u64::from(p) <= Dec::MAX_DIGITS;
            Type::Decimal { limits: fits.then_some((p as u8, s as u8)) }
        };
        let both = lx.zip(ly);
        let (op, ty) = match op {
            BinaryOp::Add | BinaryOp::Sub => {
                let ty = both.map(|((p1, s1), (p2, s2))| {
                    let s = s1.max(s2);
                    decimal(p1.saturating_sub(s1).max(p2.saturating_sub(s2)) + s + 1, s)
                });
                (if op == BinaryOp::Add { Arithmetic::Add } else { Arithmetic::Subtract }, ty)
            }
            BinaryOp::Mul => (Arithmetic::Multiply, both.map(|((p1, s1), (p2, s2))| decimal(p1 + p2, s1 + s2))),
            _ => {
                let scale = both.map_or(DIVISION_SCALE, |((_, s1), (_, s2))| (s1.max(s2) as u8).max(DIVISION_SCALE));
                let ty = both.map(|((p1, s1), (_, s2))| {
                    let s = u32::from(scale);
                    decimal(p1.saturating_sub(s1) + s2 + s, s)
                });
                (Arithmetic::Divide { scale }, ty)
            }
        };
        let ty = match ty {
            _ if both_integers && !matches!(op, Arithmetic::Divide { .. }) => Type::Integer,
            Some(ty) => ty,
            None => Type::Decimal { limits: None },
        };
        Some(Typed {
            expr: Expr::Arithmetic(op, Box::new(x.expr), Box::new(y.expr)),
            ty,
            collation: Collation::Exact,
            nullable: x.nullable || y.nullable,
        })
    }

    fn case(
        &mut self,
        arms: &[(ast::Expr, ast::Expr)],
        otherwise: Option<&ast::Expr>,
        expected: Option<&Type>,
        at: At,
    ) -> Option<Typed> {
        let conditions: Vec<Option<Typed>> = arms.iter().map(|(c, _)| self.boolean(c)).collect();
        let results: Vec<&ast::Expr> = arms.iter().map(|(_, r)| r).chain(otherwise).collect();
        let (typed, ty) = self.meet(&results, expected, at)?;
        let conditions: Vec<Typed> = conditions.into_iter().collect::<Option<_>>()?;
        let nullable = otherwise.is_none() || typed.iter().any(|t| t.nullable);
        let collation = typed.iter().fold(Collation::Exact, |c, t| either(c, t.collation));
        let mut exprs = typed.into_iter().map(|t| formed(t.expr, &t.ty, &ty));
        let arms: Vec<(Expr, Expr)> = conditions.into_iter().map(|c| c.expr).zip(exprs.by_ref()).collect();
        let otherwise = exprs.next().map(Box::new);
        Some(Typed { expr: Expr::Case(arms, otherwise), ty, collation, nullable })
    }

    /// Types results that must meet in one type; literals by the type of the others, or by what is expected.
    fn meet(&mut self, results: &[&ast::Expr], expected: Option<&Type>, at: At) -> Option<(Vec<Typed>, Type)> {
        let mut typed: Vec<Option<Typed>> = results.iter().map(|_| None).collect();
        let mut ty = Type::Null;
        let mut bad = false;
        for literals in [false, true] {
            for (i, r) in results.iter().enumerate() {
                if literal_in(r).is_some() != literals {
                    continue;
                }
                let hint = if literals && ty != Type::Null && expected.is_none() { Some(unlimited(&ty)) } else { None };
                let Some(t) = self.infer(r, expected.or(hint.as_ref())) else {
                    bad = true;
                    continue;
                };
                match common(&ty, &t.ty) {
                    Some(c) => ty = c,
                    None => {
                        self.report.help(
                            Code::TM0310,
                            r.at,
                            format!("this result is {}, another one {}", named(&t.ty), named(&ty)),
                            "bring all results into one type, for example by `text(x)`",
                        );
                        bad = true;
                    }
                }
                typed[i] = Some(t);
            }
        }
        let _ = at;
        if bad {
            return None;
        }
        Some((typed.into_iter().collect::<Option<_>>()?, ty))
    }
}

fn negated_if(negated: bool, expr: Expr, nullable: bool) -> Typed {
    let expr = if negated { Expr::Not(Box::new(expr)) } else { expr };
    Typed { expr, ty: Type::Boolean, collation: Collation::Exact, nullable }
}

fn flatten<'e>(op: BinaryOp, e: &'e ast::Expr, out: &mut Vec<&'e ast::Expr>) {
    match &e.kind {
        ExprKind::Binary(o, a, b) if *o == op => {
            flatten(op, a, out);
            flatten(op, b, out);
        }
        _ => out.push(e),
    }
}

fn comparison(op: BinaryOp) -> Option<Comparison> {
    Some(match op {
        BinaryOp::Eq => Comparison::Eq,
        BinaryOp::Ne => Comparison::Ne,
        BinaryOp::Lt => Comparison::Lt,
        BinaryOp::Le => Comparison::Le,
        BinaryOp::Gt => Comparison::Gt,
        BinaryOp::Ge => Comparison::Ge,
        _ => return None,
    })
}

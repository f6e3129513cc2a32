//! Types calls of functions.

use super::expr::{Expr, FunctionRef};
use super::reader::{Typed, either};
use super::typing::{Typer, formed, literal_in};
use crate::diagnostic::Code;
use crate::function::{self, Arg, NullRule};
use crate::syntax::ast::{self, Call, ExprKind};
use crate::value::{Collation, Type};

impl Typer<'_, '_> {
    /// A call; `piped` is the travelling value, which comes before the written arguments.
    pub(crate) fn call(&mut self, c: &Call, piped: Option<Typed>, expected: Option<&Type>) -> Option<Typed> {
        if c.name.text == "lookup_type" {
            if let (None, [ast::Expr { kind: ExprKind::Path(p), .. }]) = (&piped, c.args.as_slice()) {
                return self.reader.lookup_type(p, self.report);
            }
            self.report.help(
                Code::TM0307,
                c.at,
                "`lookup_type` takes one lookup path",
                "write it around the path: `lookup_type(customerid)`",
            );
            return None;
        }
        let Some(f) = function::find(&c.name.text) else {
            let names = function::all().iter().map(|f| f.name).chain(["lookup_type"]);
            let message = format!("there is no function `{}`", c.name.text);
            self.report.unknown(Code::TM0204, c.name.at, message, &c.name.text, names);
            return None;
        };
        let first = piped.is_some();
        let mut typed = vec![piped];
        typed.retain(Option::is_some);
        for a in &c.args {
            typed.push(self.infer(a, None));
        }
        let typed: Vec<Typed> = typed.into_iter().collect::<Option<_>>()?;
        let literals: Vec<bool> =
            (0..typed.len()).map(|i| !(first && i == 0) && is_literal(c.args.get(i - usize::from(first)))).collect();
        let args = self.args(&typed, &literals);
        match apply(f, typed.clone(), &args, expected) {
            Ok(t) => Some(t),
            Err(reason) => {
                self.report.help(
                    Code::TM0307,
                    c.at,
                    format!("`{}`: {reason}", f.name),
                    format!("its signature is `{}`", f.signature),
                );
                None
            }
        }
    }

    fn args(&self, typed: &[Typed], literals: &[bool]) -> Vec<Arg> {
        typed
            .iter()
            .zip(literals)
            .map(|(t, l)| Arg {
                ty: t.ty.clone(),
                literal: match &t.expr {
                    Expr::Constant(v) if *l => Some(v.clone()),
                    _ => None,
                },
            })
            .collect()
    }
}

/// A call of a function with typed arguments. Where literals alone keep it from being typed, or could be of the type
/// that is expected, they are.
pub(crate) fn apply(
    f: &'static function::Function,
    typed: Vec<Typed>,
    args: &[Arg],
    expected: Option<&Type>,
) -> Result<Typed, String> {
    let mut accepted = f.accept(args);
    if let Some(ty @ Type::Choice(_)) = expected
        && let Some(hinted) = hinted(f, args, ty)
        && let Ok(a) = f.accept(&hinted)
        && (f.typed)(&a).as_ref() == Ok(ty)
    {
        accepted = Ok(a);
    }
    let accepted = accepted?;
    let ty = (f.typed)(&accepted)?;
    let strict = f.nulls == NullRule::Strict;
    let nullable = match f.name {
        _ if strict => typed.iter().any(|t| t.nullable) || f.name.starts_with("try_"),
        "coalesce" | "concat" | "greatest" | "least" => typed.iter().all(|t| t.nullable),
        "if" => typed.iter().skip(1).any(|t| t.nullable) || typed.len() < 3,
        "nullif" => true,
        _ => false,
    };
    let collation = typed.iter().fold(Collation::Exact, |c, t| either(c, t.collation));
    let mut exprs: Vec<Expr> = vec![];
    let mut given = typed.into_iter();
    for (i, a) in accepted.iter().enumerate() {
        let meets = f.takes.get(i).or(f.takes.last()).is_some_and(|t| t.meets);
        let own = given.next();
        let expr = match (&a.literal, own) {
            (Some(v), _) => Expr::Constant(v.clone()),
            (None, Some(t)) => t.expr,
            (None, None) => continue,
        };
        let widened = meets && a.ty == Type::Integer && matches!(ty, Type::Decimal { .. });
        exprs.push(if widened { formed(expr, &a.ty, &ty) } else { expr });
    }
    Ok(Typed { expr: Expr::Call(FunctionRef(f), exprs), ty, collation, nullable })
}

/// The arguments with the literals among the meeting ones typed as `ty`.
fn hinted(f: &function::Function, args: &[Arg], ty: &Type) -> Option<Vec<Arg>> {
    let mut out = args.to_vec();
    for (i, a) in out.iter_mut().enumerate() {
        let meets = f.takes.get(i).or(f.takes.last()).is_some_and(|t| t.meets);
        if let (true, Some(v)) = (meets, a.literal.as_ref().filter(|v| !v.is_null())) {
            *a = Arg { literal: Some(crate::value::literal_value(v, ty).ok()?), ty: ty.clone() };
        }
    }
    Some(out)
}

fn is_literal(e: Option<&ast::Expr>) -> bool {
    e.is_some_and(|e| literal_in(e).is_some())
}

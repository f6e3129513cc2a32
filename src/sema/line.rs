//! The travelling value of a line: from its source operand through pipes, value map and default.

use super::call::apply;
use super::env::Env;
use super::expr::Expr;
use super::reader::{Reader, Typed};
use super::report::Report;
use super::typing::{Typer, literal_of};
use super::value_map::Use;
use crate::diagnostic::Code;
use crate::function::{self, Arg};
use crate::source::At;
use crate::syntax::ast::{self, ExprKind, Flow, Line, LineValues, Pairs, Side};
use crate::value::{Collation, Type, Value};

/// The pairs of a line's value map, with a name for messages.
pub(crate) fn pairs_of<'e>(env: &Env<'e>, line: &'e Line) -> Option<(&'e Pairs, String, At, bool)> {
    match line.values.as_ref()? {
        LineValues::Inline(p) => Some((p, "{ … }".into(), p.at, true)),
        LineValues::Named(n) => env.values.get(n.text.as_str()).map(|d| (&d.pairs, n.text.clone(), n.at, false)),
    }
}

fn value_map<'e>(env: &Env<'e>, line: &'e Line, report: &mut Report<'_>) -> Option<Use<'e>> {
    let Some((pairs, name, at, inline)) = pairs_of(env, line) else {
        if let Some(LineValues::Named(n)) = &line.values {
            let message = format!("there is no value map `{}`", n.text);
            report.unknown(Code::TM0205, n.at, message, &n.text, env.values.keys().copied());
        }
        return None;
    };
    let name = if inline { format!("{} {name}", report.text(line.left.at)) } else { name };
    Some(Use { pairs, name, inline, flow: line.sign.flow, at })
}

/// The value that a line brings into `into`, where `end` is the type it ends in.
pub(crate) fn travel<'a>(
    env: &Env<'a>,
    line: &'a Line,
    into: Side,
    end: &Type,
    reader: &mut Reader<'a>,
    report: &mut Report<'a>,
) -> Option<Typed> {
    let backwards = line.sign.flow == Flow::Both && into == Side::Right;
    let mut value = if backwards && !line.pipes.is_empty() {
        back(env, line, end, reader, report)?
    } else {
        let piped = forth(line, into, end, reader, report)?;
        mapped(env, line, piped, end, into, report)?
    };
    if let Some(default) = &line.default {
        let v = literal_of(default, end, Code::TM0305, report)?;
        let nullable = value.nullable && v.is_null();
        let expr = super::typing::formed(value.expr, &value.ty, end);
        value = Typed { expr: Expr::Default(Box::new(expr), v), nullable, ..value };
    }
    Some(value)
}

/// The source operand and the pipes as written.
fn forth<'a>(line: &Line, into: Side, end: &Type, reader: &mut Reader<'a>, report: &mut Report<'a>) -> Option<Typed> {
    let source = line.operand(into.other());
    let bare = line.pipes.is_empty() && line.values.is_none();
    let mut typer = Typer { reader, report };
    let mut value = typer.infer(source, if bare { Some(end) } else { None })?;
    for (i, pipe) in line.pipes.iter().enumerate() {
        let last = i + 1 == line.pipes.len() && line.values.is_none();
        value = typer.call(pipe, Some(value), if last { Some(end) } else { None })?;
    }
    Some(value)
}

fn mapped<'a>(
    env: &Env<'a>,
    line: &'a Line,
    value: Typed,
    to: &Type,
    into: Side,
    report: &mut Report<'_>,
) -> Option<Typed> {
    if line.values.is_none() {
        return Some(value);
    }
    value_map(env, line, report)?.compile(value, to, into, report)
}

/// A two-way line on its way into right: the value map backwards, then each pipe's inverse, last pipe first.
fn back<'a>(
    env: &Env<'a>,
    line: &'a Line,
    end: &Type,
    reader: &mut Reader<'a>,
    report: &mut Report<'a>,
) -> Option<Typed> {
    // The types on the way there say what the inverses get and give.
    let mut right = Reader::new(env.right.schema, env.right.id());
    let mut typer = Typer { reader: &mut right, report };
    let mut there = typer.infer(&line.right, None)?;
    let mut args: Vec<Vec<Arg>> = vec![];
    for pipe in &line.pipes {
        let mut list = vec![Arg { ty: there.ty.clone(), literal: None }];
        for a in &pipe.args {
            let t = typer.infer(a, None)?;
            let literal = match (&a.kind, &t.expr) {
                (ExprKind::Literal(_), Expr::Constant(v)) => Some(v.clone()),
                _ => None,
            };
            list.push(Arg { ty: t.ty, literal });
        }
        args.push(list);
        there = typer.call(pipe, Some(there), None)?;
    }
    let mut typer = Typer { reader, report };
    let value = typer.infer(&line.left, None)?;
    let mut value = mapped(env, line, value, &there.ty, Side::Right, report)?;
    for (pipe, args) in line.pipes.iter().zip(args).rev() {
        let name = &pipe.name.text;
        let f = function::find(name)?;
        let computed = args.iter().skip(1).any(|a| a.literal.is_none());
        let inverse = f.inverse.filter(|_| !computed).and_then(|inverse| inverse(&f.accept(&args).ok()?));
        let Some((inverse, rest)) = inverse.and_then(|(n, rest)| Some((function::find(n)?, rest))) else {
            let why = if computed { "with computed arguments has no way back" } else { "has no way back" };
            report.help(
                Code::TM0901,
                pipe.at,
                format!("`{name}` {why}, and the line runs both ways"),
                "write one line for each direction (`<<` and `>>`)",
            );
            return None;
        };
        value = called(inverse, value, rest, pipe, end, report)?;
    }
    Some(value)
}

fn called(
    f: &'static function::Function,
    value: Typed,
    rest: Vec<Value>,
    pipe: &ast::Call,
    end: &Type,
    report: &mut Report<'_>,
) -> Option<Typed> {
    let mut typed = vec![value];
    for v in rest {
        let ty = match &v {
            Value::Null => Type::Null,
            Value::Integer(_) => Type::Integer,
            Value::Decimal(_) => Type::Decimal { limits: None },
            Value::Boolean(_) => Type::Boolean,
            _ => Type::Text { max: None },
        };
        typed.push(Typed { expr: Expr::Constant(v), ty, collation: Collation::Exact, nullable: false });
    }
    let args: Vec<Arg> = typed
        .iter()
        .enumerate()
        .map(|(i, t)| Arg {
            ty: t.ty.clone(),
            literal: match &t.expr {
                Expr::Constant(v) if i > 0 => Some(v.clone()),
                _ => None,
            },
        })
        .collect();
    match apply(f, typed, &args, Some(end)) {
        Ok(t) => Some(t),
        Err(reason) => {
            report.help(
                Code::TM0901,
                pipe.at,
                format!("on the way back `{}` runs, and it does not fit: {reason}", f.name),
                "write one line for each direction (`<<` and `>>`)",
            );
            None
        }
    }
}

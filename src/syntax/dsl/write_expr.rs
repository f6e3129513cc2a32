//! Expressions, names, literals and signs as text.

use pest::unicode::{XID_CONTINUE, XID_START};

use super::errors::RESERVED;
use crate::syntax::ast::{BinaryOp, Call, Expr, ExprKind, Flow, Line, Literal, LiteralKind, Pairing, Path};

/// How strongly the parts of an expression hold together; a weaker one inside a stronger stands in parentheses.
const OR: u8 = 1;
const AND: u8 = 2;
const NOT: u8 = 3;
const COMPARE: u8 = 4;
const SUM: u8 = 5;
const PRODUCT: u8 = 6;
const MINUS: u8 = 7;
const ATOM: u8 = 8;

/// An expression as it stands in a filter.
pub(super) fn expr(e: &Expr) -> String {
    let mut out = String::new();
    put(&mut out, e, 0);
    out
}

/// An expression as it stands beside a sign.
pub(super) fn operand(e: &Expr) -> String {
    let mut out = String::new();
    put(&mut out, e, SUM);
    out
}

fn operator(op: BinaryOp) -> (u8, &'static str) {
    match op {
        BinaryOp::Or => (OR, "or"),
        BinaryOp::And => (AND, "and"),
        BinaryOp::Eq => (COMPARE, "=="),
        BinaryOp::Ne => (COMPARE, "!="),
        BinaryOp::Lt => (COMPARE, "<"),
        BinaryOp::Le => (COMPARE, "<="),
        BinaryOp::Gt => (COMPARE, ">"),
        BinaryOp::Ge => (COMPARE, ">="),
        BinaryOp::Add => (SUM, "+"),
        BinaryOp::Sub => (SUM, "-"),
        BinaryOp::Mul => (PRODUCT, "*"),
        BinaryOp::Div => (PRODUCT, "/"),
    }
}

fn strength(e: &Expr) -> u8 {
    match &e.kind {
        ExprKind::Binary(op, ..) => operator(*op).0,
        ExprKind::Not(_) => NOT,
        ExprKind::IsNull { .. } | ExprKind::In { .. } | ExprKind::Like { .. } => COMPARE,
        ExprKind::Negate(_) => MINUS,
        _ => ATOM,
    }
}

/// Writes `e`, in parentheses where it is weaker than `least`.
fn put(out: &mut String, e: &Expr, least: u8) {
    if strength(e) < least {
        out.push('(');
        put(out, e, 0);
        out.push(')');
        return;
    }
    let not = |negated: bool| if negated { "not " } else { "" };
    match &e.kind {
        ExprKind::Literal(l) => out.push_str(&literal(l)),
        ExprKind::Path(p) => out.push_str(&path(p)),
        ExprKind::Call(c) => out.push_str(&call(c)),
        ExprKind::Negate(x) => {
            out.push('-');
            // `-5` is a literal, the negation of 5 is not.
            let number = matches!(&x.kind, ExprKind::Literal(Literal { kind: LiteralKind::Number(n), .. })
                if !n.starts_with('-'));
            if number {
                out.push('(');
                put(out, x, 0);
                out.push(')');
            } else {
                put(out, x, MINUS);
            }
        }
        ExprKind::Not(x) => {
            out.push_str("not ");
            put(out, x, NOT);
        }
        ExprKind::Binary(op, left, right) => {
            let (strength, word) = operator(*op);
            put(out, left, if strength == COMPARE { SUM } else { strength });
            out.push(' ');
            out.push_str(word);
            out.push(' ');
            put(out, right, strength + 1);
        }
        ExprKind::IsNull { of, negated } => {
            put(out, of, SUM);
            out.push_str(" is ");
            out.push_str(not(*negated));
            out.push_str("null");
        }
        ExprKind::In { of, negated, items } => {
            put(out, of, SUM);
            let items: Vec<String> = items.iter().map(literal).collect();
            out.push_str(&format!(" {}in ({})", not(*negated), items.join(", ")));
        }
        ExprKind::Like { of, negated, pattern } => {
            put(out, of, SUM);
            out.push_str(&format!(" {}like {}", not(*negated), literal(pattern)));
        }
        ExprKind::Case { arms, otherwise } => {
            out.push_str("case");
            for (when, then) in arms {
                out.push_str(" when ");
                put(out, when, 0);
                out.push_str(" then ");
                put(out, then, 0);
            }
            if let Some(e) = otherwise {
                out.push_str(" else ");
                put(out, e, 0);
            }
            out.push_str(" end");
        }
        ExprKind::Aggregate { name, table, condition, of } => {
            out.push_str(&format!("{}({} where ", name.text, path(table)));
            put(out, condition, 0);
            if let Some(e) = of {
                out.push_str(" : ");
                put(out, e, 0);
            }
            out.push(')');
        }
    }
}

/// `f(a, b)`.
pub(super) fn call(c: &Call) -> String {
    let args: Vec<String> = c.args.iter().map(expr).collect();
    format!("{}({})", c.name.text, args.join(", "))
}

/// A name, quoted where it must be.
pub(super) fn name(text: &str) -> String {
    let mut chars = text.chars();
    let plain = chars.next().is_some_and(|c| XID_START(c) || c == '_') && chars.all(XID_CONTINUE);
    if plain && !RESERVED.contains(&text) { text.to_string() } else { quoted(text) }
}

/// A name in double quotes.
pub(super) fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('"', "\"\""))
}

/// A text in single quotes.
pub(super) fn text(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// `a.b(c).d`.
pub(super) fn path(p: &Path) -> String {
    let mut steps: Vec<String> = if p.this { vec!["this".into()] } else { vec![] };
    steps.extend(p.steps.iter().map(|s| match &s.inner {
        Some(inner) => format!("{}({})", name(&s.name.text), path(inner)),
        None => name(&s.name.text),
    }));
    steps.join(".")
}

/// A literal.
pub(super) fn literal(l: &Literal) -> String {
    match &l.kind {
        LiteralKind::Text(t) => text(t),
        LiteralKind::Number(n) => n.clone(),
        LiteralKind::Boolean(b) => b.to_string(),
        LiteralKind::Null => "null".into(),
    }
}

/// A sign, doubled where the line transforms.
pub(super) fn sign(flow: Flow, doubled: bool) -> &'static str {
    match (flow, doubled) {
        (Flow::Both, false) => "=",
        (Flow::Both, true) => "><",
        (Flow::ToRight, false) => ">",
        (Flow::ToRight, true) => ">>",
        (Flow::ToLeft, false) => "<",
        (Flow::ToLeft, true) => "<<",
    }
}

/// The sign of a line.
pub(super) fn line_sign(line: &Line) -> &'static str {
    sign(line.sign.flow, line.transforms())
}

/// The sign of `company`.
pub(super) fn pairing_sign(p: &Pairing) -> &'static str {
    let bare = |e: &Expr| matches!(e.kind, ExprKind::Path(_));
    sign(p.sign.flow, !bare(&p.left) || !bare(&p.right))
}

//! Filters in the languages of dual-write.

use super::Source;
use crate::syntax::ast::{BinaryOp, Expr, ExprKind, Literal, LiteralKind, Path, Side};
use crate::value::Type;

/// The filter of a side, or why it has no words for it.
pub fn write(source: &Source<'_>, side: Side, e: &Expr) -> Result<String, String> {
    let text = Writer { source, side, blind: false }.expr(e, 0)?;
    // Finance wants its ranges in parentheses.
    Ok(if side == Side::Left && !text.starts_with('(') { format!("({text})") } else { text })
}

/// Whether two filters of a side say the same, whatever their values are taken for (`10` or `'10'`).
pub fn same(source: &Source<'_>, side: Side, a: &Expr, b: &Expr) -> bool {
    let writer = Writer { source, side, blind: true };
    a == b || matches!((writer.expr(a, 0), writer.expr(b, 0)), (Ok(a), Ok(b)) if a == b)
}

struct Writer<'a> {
    source: &'a Source<'a>,
    side: Side,
    /// Whether all values are written as texts.
    blind: bool,
}

impl Writer<'_> {
    fn xpp(&self) -> bool {
        self.side == Side::Left
    }

    fn expr(&self, e: &Expr, least: u8) -> Result<String, String> {
        let (strength, text) = match &e.kind {
            ExprKind::Binary(BinaryOp::Or, a, b) => {
                (1, format!("{} {} {}", self.expr(a, 1)?, if self.xpp() { "||" } else { "or" }, self.expr(b, 2)?))
            }
            ExprKind::Binary(BinaryOp::And, a, b) => {
                (2, format!("{} {} {}", self.expr(a, 2)?, if self.xpp() { "&&" } else { "and" }, self.expr(b, 3)?))
            }
            ExprKind::Not(x) => (3, format!("{}({})", if self.xpp() { "!" } else { "not " }, self.expr(x, 0)?)),
            ExprKind::Binary(op, a, b) => {
                let sign = match (op, self.xpp()) {
                    (BinaryOp::Eq, true) => "==",
                    (BinaryOp::Ne, true) => "!=",
                    (BinaryOp::Lt, true) => "<",
                    (BinaryOp::Le, true) => "<=",
                    (BinaryOp::Gt, true) => ">",
                    (BinaryOp::Ge, true) => ">=",
                    (BinaryOp::Eq, false) => "eq",
                    (BinaryOp::Ne, false) => "ne",
                    (BinaryOp::Lt, false) => "lt",
                    (BinaryOp::Le, false) => "le",
                    (BinaryOp::Gt, false) => "gt",
                    (BinaryOp::Ge, false) => "ge",
                    _ => return Err("a filter of dual-write does not calculate".into()),
                };
                let ty = [a, b].into_iter().find_map(|x| match &x.kind {
                    ExprKind::Path(p) => self.source.ty(self.side, p),
                    _ => None,
                });
                (4, format!("{} {sign} {}", self.operand(a, ty)?, self.operand(b, ty)?))
            }
            ExprKind::IsNull { of, negated } => {
                let sign = match (self.xpp(), negated) {
                    (true, false) => "== \"\"",
                    (true, true) => "!= \"\"",
                    (false, false) => "eq null",
                    (false, true) => "ne null",
                };
                (4, format!("{} {sign}", self.operand(of, None)?))
            }
            ExprKind::In { of, negated, items } => {
                let ty = match &of.kind {
                    ExprKind::Path(p) => self.source.ty(self.side, p),
                    _ => None,
                };
                let column = self.operand(of, ty)?;
                let (sign, word) = match (self.xpp(), negated) {
                    (true, false) => ("==", " || "),
                    (true, true) => ("!=", " && "),
                    (false, false) => ("eq", " or "),
                    (false, true) => ("ne", " and "),
                };
                let parts: Vec<String> =
                    items.iter().map(|l| format!("{column} {sign} {}", self.literal(l, ty))).collect();
                (0, parts.join(word))
            }
            ExprKind::Like { .. } => return Err("a filter of dual-write has no `like`".into()),
            ExprKind::Call(c) => return Err(format!("a filter of dual-write has no function `{}`", c.name.text)),
            ExprKind::Aggregate { .. } | ExprKind::Case { .. } | ExprKind::Negate(_) => {
                return Err("a filter of dual-write compares columns with values, and nothing more".into());
            }
            ExprKind::Path(p) => (4, format!("{} {} true", self.column(p)?, if self.xpp() { "==" } else { "eq" })),
            ExprKind::Literal(_) => return Err("a filter of dual-write compares a column".into()),
        };
        Ok(if strength < least { format!("({text})") } else { text })
    }

    fn operand(&self, e: &Expr, ty: Option<&Type>) -> Result<String, String> {
        match &e.kind {
            ExprKind::Path(p) => self.column(p),
            ExprKind::Literal(l) => Ok(self.literal(l, ty)),
            _ => Err("a filter of dual-write compares columns with values, and does not calculate".into()),
        }
    }

    fn column(&self, p: &Path) -> Result<String, String> {
        match p.steps.as_slice() {
            [only] if only.inner.is_none() && !p.this => Ok(only.name.text.clone()),
            _ => Err("a filter of dual-write reads the row's own columns only".into()),
        }
    }

    fn literal(&self, l: &Literal, ty: Option<&Type>) -> String {
        let Some(value) = self.source.value(l, self.side, ty) else {
            return if self.xpp() { "\"\"".into() } else { "null".into() };
        };
        if self.blind {
            return format!("'{value}'");
        }
        let number = matches!(l.kind, LiteralKind::Number(_) | LiteralKind::Boolean(_));
        let text = match &l.kind {
            // The name of a member has become its number, or the other way round.
            LiteralKind::Text(t) => *t == value,
            _ => !number || (self.xpp() && matches!(ty, Some(Type::Choice(_)))),
        };
        if !text {
            return value;
        }
        match (self.xpp(), ty) {
            (true, Some(Type::Date)) => {
                let parts: Vec<&str> = value.split('-').collect();
                match parts.as_slice() {
                    [y, m, d] => format!("{d}\\{m}\\{y}"),
                    _ => format!("\"{value}\""),
                }
            }
            (true, _) => format!("\"{}\"", value.replace('\\', "\\\\").replace('"', "\\\"")),
            (false, Some(Type::Uuid | Type::DateTime { .. })) => value,
            (false, _) => format!("'{}'", value.replace('\'', "''")),
        }
    }
}

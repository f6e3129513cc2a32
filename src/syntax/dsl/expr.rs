//! Expressions.

use pest::iterators::Pairs as ParsedAll;

use super::Rule;
use super::build::{Build, P};
use crate::diagnostic::Code;
use crate::source::At;
use crate::syntax::ast::{BinaryOp, Call, Expr, ExprKind, Name, Path};

/// How deep the tree of one expression may get: a long chain of operators is a deep tree.
pub(super) const MAX_TREE: usize = 256;

/// An expression and the depth of its tree.
type Deep = (Expr, usize);

impl Build<'_> {
    /// `expr`, `operand`, or any rule below them.
    pub fn expr(&mut self, p: P<'_>) -> Option<Expr> {
        self.deep(p).map(|(e, _)| e)
    }

    /// Rules with one part are passed through without recursion: most of the grammar's levels are.
    fn deep(&mut self, mut p: P<'_>) -> Option<Deep> {
        loop {
            let parts = p.clone().into_inner();
            p = match p.as_rule() {
                Rule::operand => parts.peek()?,
                Rule::expr | Rule::arith | Rule::cond | Rule::unary if parts.len() == 1 => parts.peek()?,
                Rule::paren => parts.into_iter().nth(1)?,
                _ => break,
            };
        }
        match p.as_rule() {
            Rule::expr | Rule::arith => self.chain(p.into_inner()),
            Rule::cond => self.cond(p),
            Rule::unary => self.unary(p),
            Rule::call => self.called(p),
            Rule::case => self.case(p),
            Rule::aggregate => self.aggregate(p),
            _ => self.leaf(p),
        }
    }

    fn leaf(&mut self, p: P<'_>) -> Option<Deep> {
        let at = self.at(&p);
        let kind = match p.as_rule() {
            Rule::plain => ExprKind::Literal(self.literal(p)),
            Rule::path => ExprKind::Path(self.path(p)),
            _ => return None,
        };
        Some((Expr { kind, at }, 1))
    }

    fn called(&mut self, p: P<'_>) -> Option<Deep> {
        let at = self.at(&p);
        let (call, depth) = self.call(p)?;
        self.wrap(ExprKind::Call(call), at, depth)
    }

    fn unary(&mut self, p: P<'_>) -> Option<Deep> {
        let mut signs = vec![];
        for part in p.into_inner() {
            if part.as_rule() != Rule::minus {
                let inner = self.deep(part)?;
                return self.prefix(&signs, inner, ExprKind::Negate);
            }
            signs.push(self.at(&part));
        }
        None
    }

    /// Counts one level; too deep a tree is not built.
    fn wrap(&mut self, kind: ExprKind, at: At, below: usize) -> Option<Deep> {
        if below >= MAX_TREE {
            if !self.too_deep {
                self.too_deep = true;
                let message = format!("this expression is nested or chained deeper than {MAX_TREE}");
                let finding = crate::diagnostic::Diagnostic::new(Code::TM0108, at.0, message);
                self.push(finding.help("use `in (…)` or a value map instead of a long chain"));
            }
            return None;
        }
        Some((Expr { kind, at }, below + 1))
    }

    fn binary(&mut self, op: BinaryOp, left: Deep, right: Deep) -> Option<Deep> {
        let at = At(left.0.at.0.to(right.0.at.0));
        let below = left.1.max(right.1);
        self.wrap(ExprKind::Binary(op, Box::new(left.0), Box::new(right.0)), at, below)
    }

    /// Operands and operators in turn, folded by precedence, left before right.
    fn chain(&mut self, parts: ParsedAll<'_, Rule>) -> Option<Deep> {
        let mut operands: Vec<Deep> = vec![];
        let mut waiting: Vec<BinaryOp> = vec![];
        for part in parts {
            match part.as_rule() {
                Rule::bool_op | Rule::arith_op => {
                    let next = self.operator(&part);
                    while waiting.last().is_some_and(|w| precedence(*w) >= precedence(next)) {
                        self.fold(&mut operands, &mut waiting)?;
                    }
                    waiting.push(next);
                }
                _ => {
                    let operand = self.deep(part)?;
                    operands.push(operand);
                }
            }
        }
        while !waiting.is_empty() {
            self.fold(&mut operands, &mut waiting)?;
        }
        operands.pop()
    }

    fn fold(&mut self, operands: &mut Vec<Deep>, waiting: &mut Vec<BinaryOp>) -> Option<()> {
        let (right, left, op) = (operands.pop()?, operands.pop()?, waiting.pop()?);
        let folded = self.binary(op, left, right)?;
        operands.push(folded);
        Some(())
    }

    fn operator(&mut self, p: &P<'_>) -> BinaryOp {
        match p.as_str().trim_end() {
            "+" => return BinaryOp::Add,
            "-" => return BinaryOp::Sub,
            "*" => return BinaryOp::Mul,
            "/" => return BinaryOp::Div,
            _ => {}
        }
        let Some(inner) = p.clone().into_inner().next() else { return BinaryOp::And };
        let (op, with) = match inner.as_rule() {
            Rule::kw_or => return BinaryOp::Or,
            Rule::bad_or => (BinaryOp::Or, "or"),
            Rule::bad_and => (BinaryOp::And, "and"),
            _ => return BinaryOp::And,
        };
        let written = inner.as_str().trim_end();
        let spaced = self.spaced(&inner, with);
        self.report_fix(Code::TM0105, &inner, format!("`{written}` is written `{with}` here"), &spaced, true);
        op
    }

    /// `word` with the blanks it needs where the operator it replaces had none.
    fn spaced(&self, p: &P<'_>, word: &str) -> String {
        let before = self.raw[..self.start(p)].chars().next_back().is_some_and(|c| !c.is_whitespace() && c != '(');
        let after = self.raw[self.end(p)..].chars().next().is_some_and(|c| !c.is_whitespace());
        format!("{}{word}{}", if before { " " } else { "" }, if after { " " } else { "" })
    }

    fn prefix(&mut self, signs: &[At], inner: Deep, kind: fn(Box<Expr>) -> ExprKind) -> Option<Deep> {
        let mut deep = inner;
        for at in signs.iter().rev() {
            let at = At(at.0.to(deep.0.at.0));
            deep = self.wrap(kind(Box::new(deep.0)), at, deep.1)?;
        }
        Some(deep)
    }

    fn cond(&mut self, p: P<'_>) -> Option<Deep> {
        let mut nots = vec![];
        let mut deep: Option<Deep> = None;
        for part in p.into_inner() {
            match part.as_rule() {
                Rule::not_op => {
                    nots.push(self.at(&part));
                    if let Some(bad) = part.into_inner().find(|p| p.as_rule() == Rule::bad_not) {
                        let with = self.spaced(&bad, "not");
                        self.report_fix(Code::TM0105, &bad, "`!` is written `not` here".into(), &with, true);
                    }
                }
                Rule::compare => deep = Some(self.compare(deep?, part)?),
                Rule::is_null | Rule::in_list | Rule::like => deep = Some(self.postfix(deep?, part)?),
                _ => deep = Some(self.deep(part)?),
            }
        }
        self.prefix(&nots, deep?, ExprKind::Not)
    }

    fn compare(&mut self, left: Deep, p: P<'_>) -> Option<Deep> {
        let mut inner = p.into_inner();
        let op = inner.next()?;
        let right = self.deep(inner.find(|p| p.as_rule() == Rule::arith)?)?;
        let op = match op.as_str().trim_end() {
            "==" => BinaryOp::Eq,
            "!=" => BinaryOp::Ne,
            "<=" => BinaryOp::Le,
            ">=" => BinaryOp::Ge,
            "<" => BinaryOp::Lt,
            ">" => BinaryOp::Gt,
            "<>" => {
                self.report_fix(Code::TM0105, &op, "`<>` is written `!=` here".into(), "!=", true);
                BinaryOp::Ne
            }
            _ => {
                self.report_fix(Code::TM0104, &op, "`=` does not compare; equality is `==`".into(), "==", true);
                BinaryOp::Eq
            }
        };
        self.binary(op, left, right)
    }

    /// `is null`, `in (…)`, `like '…'`, with or without `not`.
    fn postfix(&mut self, left: Deep, p: P<'_>) -> Option<Deep> {
        let (rule, at) = (p.as_rule(), At(left.0.at.0.to(self.at(&p).0)));
        let (mut negated, mut items) = (false, vec![]);
        for part in p.into_inner() {
            match part.as_rule() {
                Rule::kw_not => negated = true,
                Rule::literal | Rule::text | Rule::bad_text => items.push(self.literal(part)),
                _ => {}
            }
        }
        let (of, depth) = (Box::new(left.0), left.1);
        let kind = match rule {
            Rule::is_null => ExprKind::IsNull { of, negated },
            Rule::in_list => ExprKind::In { of, negated, items },
            _ => ExprKind::Like { of, negated, pattern: items.pop()? },
        };
        self.wrap(kind, at, depth)
    }

    /// `f(a, b)` and the depth of its deepest argument.
    pub fn call(&mut self, p: P<'_>) -> Option<(Call, usize)> {
        let at = self.at(&p);
        let mut inner = p.into_inner();
        let name = self.name(&inner.next()?);
        let (mut args, mut depth) = (vec![], 0);
        for arg in inner.flat_map(|a| a.into_inner()).filter(|a| a.as_rule() == Rule::expr) {
            let (arg, d) = self.deep(arg)?;
            args.push(arg);
            depth = depth.max(d);
        }
        Some((Call { name, args, at }, depth))
    }

    fn case(&mut self, p: P<'_>) -> Option<Deep> {
        let at = self.at(&p);
        let (mut arms, mut otherwise, mut depth) = (vec![], None, 0);
        for part in p.into_inner() {
            match part.as_rule() {
                Rule::arm => {
                    let mut inner = part.into_inner().filter(|p| p.as_rule() == Rule::expr);
                    let (when, d1) = self.deep(inner.next()?)?;
                    let (then, d2) = self.deep(inner.next()?)?;
                    arms.push((when, then));
                    depth = depth.max(d1).max(d2);
                }
                Rule::expr => {
                    let (e, d) = self.deep(part)?;
                    otherwise = Some(Box::new(e));
                    depth = depth.max(d);
                }
                _ => {}
            }
        }
        self.wrap(ExprKind::Case { arms, otherwise }, at, depth)
    }

    fn aggregate(&mut self, p: P<'_>) -> Option<Deep> {
        let at = self.at(&p);
        let (mut name, mut table, mut parts, mut depth): (Option<Name>, Option<Path>, Vec<Box<Expr>>, usize) =
            (None, None, vec![], 0);
        for part in p.into_inner() {
            match part.as_rule() {
                Rule::aggregate_word => name = Some(self.name(&part)),
                Rule::path => table = Some(self.path(part)),
                Rule::expr => {
                    let (e, d) = self.deep(part)?;
                    parts.push(Box::new(e));
                    depth = depth.max(d);
                }
                _ => {}
            }
        }
        let mut parts = parts.into_iter();
        let kind = ExprKind::Aggregate { name: name?, table: table?, condition: parts.next()?, of: parts.next() };
        self.wrap(kind, at, depth)
    }
}

/// `or` < `and`, sums < products; the two families never meet in one chain.
fn precedence(op: BinaryOp) -> u8 {
    match op {
        BinaryOp::Or => 1,
        BinaryOp::And => 2,
        BinaryOp::Add | BinaryOp::Sub => 3,
        _ => 4,
    }
}

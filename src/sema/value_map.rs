//! Value maps: from pairs to a table for one direction.

use super::expr::{Expr, Otherwise, ValueMap};
use super::reader::Typed;
use super::report::{Report, named};
use super::typing::{literal_of, written};
use crate::diagnostic::{Code, Diagnostic, edit};
use crate::source::{At, Span};
use crate::syntax::ast::{ElseAction, Flow, Literal, LiteralKind, Pair, Pairs, Side, Sign};
use crate::value::{Collation, Fit, Type, Value, advice, fit};
use std::collections::HashMap;

/// A value map where it is used.
pub(crate) struct Use<'m> {
    pub(crate) pairs: &'m Pairs,
    /// Its name, or the line's text, for messages.
    pub(crate) name: String,
    /// The line's own map: a pair that the line never uses is a finding.
    pub(crate) inline: bool,
    /// The direction of the line.
    pub(crate) flow: Flow,
    /// Where it is used.
    pub(crate) at: At,
}

/// `source` and `target` literal of a pair in a direction.
fn oriented<'p>(left: &'p Literal, right: &'p Literal, into: Side) -> (&'p Literal, &'p Literal) {
    match into {
        Side::Left => (right, left),
        Side::Right => (left, right),
    }
}

/// Two `=` pairs that share a value, which no direction allows.
pub(crate) fn check_equal_pairs(pairs: &Pairs, report: &mut Report<'_>) {
    let equal: Vec<(&Literal, &Literal, At, At)> = pairs
        .pairs
        .iter()
        .filter_map(|p| match &p.it {
            Pair::Of { left, sign, right } if sign.flow == Flow::Both => Some((left, right, sign.at, p.at)),
            _ => None,
        })
        .collect();
    for (i, (l, r, sign_at, at)) in equal.iter().enumerate() {
        for (l0, r0, _, _) in &equal[..i] {
            let (same, first, back) = match (l.kind == l0.kind, r.kind == r0.kind) {
                (_, true) => (r, r0, (l0, l, '>')),
                (true, _) => (l, l0, (r0, r, '<')),
                _ => continue,
            };
            let (a, b, sign) = back;
            let message = if a.kind == b.kind {
                format!("the pair {} = {} stands here twice", written(l), written(r))
            } else {
                format!(
                    "{} and {} both are {}; on the way back it could become either",
                    written(a),
                    written(b),
                    written(same)
                )
            };
            let mut d = Diagnostic::new(Code::TM0702, same.at.0, message).related(first.at.0, "here it is first");
            if a.kind == b.kind {
                let span = edit::item(report.file_text(*at), at.0);
                d = d.help("keep one of the two").fix("remove this one", span, "", true);
            } else {
                d = d.help(format!("write `{sign}` in the pair that does not hold on the way back"));
                if report.sources.text(sign_at.0) == "=" {
                    d = d.fix(format!("write `{sign}` here"), sign_at.0, sign.to_string(), false);
                }
            }
            report.add(d);
        }
    }
}

impl Use<'_> {
    /// The map applied to `of`, giving values of type `to`.
    pub(crate) fn compile(&self, of: Typed, to: &Type, into: Side, report: &mut Report<'_>) -> Option<Typed> {
        check_equal_pairs(self.pairs, report);
        let mut seen: HashMap<Value, (Value, At, Flow)> = HashMap::new();
        let mut otherwise: Option<(Otherwise, At)> = None;
        let mut ok = true;
        for p in &self.pairs.pairs {
            match &p.it {
                Pair::Of { left, sign, right } => {
                    if !sign.flow.into(into) {
                        self.unused(*sign, p.at, report);
                        continue;
                    }
                    let (from, target) = oriented(left, right, into);
                    let a = literal_of(from, &of.ty, Code::TM0701, report);
                    let b = literal_of(target, to, Code::TM0701, report);
                    let (Some(a), Some(b)) = (a, b) else {
                        ok = false;
                        continue;
                    };
                    let a = of.collation.fold(&a);
                    if let Some((b0, at0, flow0)) = seen.get(&a) {
                        if *b0 != b || *flow0 == sign.flow {
                            self.twice(from, *at0, *flow0, sign.flow, into, report);
                        }
                        continue;
                    }
                    seen.insert(a, (b, from.at, sign.flow));
                }
                Pair::Else { sign, action } => {
                    if sign.is_some_and(|s| !s.flow.into(into)) {
                        continue;
                    }
                    if let Some((_, first)) = &otherwise {
                        report.add(
                            Diagnostic::new(Code::TM0706, p.at.0, format!("a second `else` into {}", into.word()))
                                .related(first.0, "the first one")
                                .help("keep one of them, or give each a sign of its own: `else < …, else > …`"),
                        );
                        continue;
                    }
                    match self.otherwise(action, p.at, &of.ty, to, report) {
                        Some(o) => otherwise = Some((o, p.at)),
                        None => ok = false,
                    }
                }
            }
        }
        let null = seen.remove(&Value::Null).map(|(v, _, _)| v);
        if !ok {
            return None;
        }
        if otherwise.is_none() && !seen.is_empty() {
            self.holes(&of.ty, &seen, into, report);
        }
        let otherwise = otherwise.map_or(Otherwise::Error, |(o, _)| o);
        let pairs: HashMap<Value, Value> = seen.into_iter().map(|(a, (b, _, _))| (a, b)).collect();
        let nullable = null.as_ref().map_or(of.nullable, Value::is_null)
            || pairs.values().any(Value::is_null)
            || matches!(&otherwise, Otherwise::Value(Value::Null));
        let choice = match &of.ty {
            Type::Choice(c) => Some(c.clone()),
            _ => None,
        };
        let name = self.name.clone();
        let map = ValueMap { collation: of.collation, of: of.expr, pairs, null, otherwise, name, choice };
        Some(Typed { expr: Expr::Map(Box::new(map)), ty: to.clone(), collation: Collation::Exact, nullable })
    }

    fn otherwise(
        &self,
        action: &ElseAction,
        at: At,
        from: &Type,
        to: &Type,
        report: &mut Report<'_>,
    ) -> Option<Otherwise> {
        Some(match action {
            ElseAction::Error => Otherwise::Error,
            ElseAction::Literal(l) => Otherwise::Value(literal_of(l, to, Code::TM0701, report)?),
            ElseAction::Pass => {
                if matches!(fit(from, to), Fit::Lossy | Fit::Never) {
                    let mut d = Diagnostic::new(
                        Code::TM0707,
                        at.0,
                        format!("`else pass` would put {} into {}", named(from), named(to)),
                    );
                    d.help = advice(from, to).map(str::to_string);
                    report.add(d);
                    return None;
                }
                Otherwise::Pass
            }
        })
    }

    /// A pair against the direction of its line.
    fn unused(&self, sign: Sign, at: At, report: &mut Report<'_>) {
        let flow = sign.flow;
        let ever = [Side::Left, Side::Right].into_iter().any(|s| flow.into(s) && self.flow.into(s));
        if self.inline && !ever {
            let mut d = Diagnostic::new(Code::TM0704, at.0, "this pair runs against its line and is never used")
                .help("turn its sign round, or remove it");
            if matches!(report.sources.text(sign.at.0), "<" | ">") {
                let turned = if flow == Flow::ToLeft { ">" } else { "<" };
                d = d.fix(format!("write `{turned}`"), sign.at.0, turned, false);
            }
            report.add(d);
        }
    }

    fn twice(&self, from: &Literal, first: At, a: Flow, b: Flow, into: Side, report: &mut Report<'_>) {
        // Two `=` pairs were told of already, with both values.
        if a == Flow::Both && b == Flow::Both {
            report.failed = true;
            if report.findings.iter().any(|d| d.code == Code::TM0702) {
                return;
            }
        }
        report.add(
            Diagnostic::new(Code::TM0702, from.at.0, format!("{} has two pairs into {}", written(from), into.word()))
                .related(first.0, "the first one")
                .help("keep one of them, or let one of them run the other way only"),
        );
    }

    /// Members of the source that no pair and no `else` takes care of.
    fn holes(&self, ty: &Type, seen: &HashMap<Value, (Value, At, Flow)>, into: Side, report: &mut Report<'_>) {
        let missing: Vec<String> = match ty {
            Type::Choice(c) => c
                .members
                .iter()
                .filter(|m| !seen.contains_key(&Value::Integer(m.value)))
                .map(|m| format!("`{}`", m.name))
                .collect(),
            Type::Boolean => [true, false]
                .into_iter()
                .filter(|b| !seen.contains_key(&Value::Boolean(*b)))
                .map(|b| format!("`{b}`"))
                .collect(),
            _ => return,
        };
        if missing.is_empty() {
            return;
        }
        let (shown, more) = missing.split_at(missing.len().min(5));
        let more = if more.is_empty() { String::new() } else { format!(" and {} more", more.len()) };
        let mut d = Diagnostic::new(
            Code::TM0703,
            self.at.0,
            format!("no pair for {}{more}: records with it will fail", shown.join(", ")),
        )
        .help("add pairs, or say what becomes of the rest: `else error`, `else null`, `else 'x'`");
        if let Some((span, text)) = self.add_else(into, report) {
            d = d.fix("add `else error`", span, text, false);
        }
        report.add(d);
    }

    /// The edit that adds `else error` behind the last pair, in the layout of its neighbours.
    fn add_else(&self, into: Side, report: &Report<'_>) -> Option<(Span, String)> {
        let other_way = self.pairs.pairs.iter().any(|p| matches!(p.it, Pair::Else { .. }));
        let sign = if into == Side::Left { "<" } else { ">" };
        let last = self.pairs.pairs.last()?;
        let text = report.file_text(last.at);
        let lead = edit::indent(text, last.at.0);
        if report.is_dsl(last.at) || report.sources.text(self.pairs.at.0).starts_with('{') {
            let word = if other_way { format!("else {sign} error") } else { "else error".to_string() };
            return Some(match lead {
                Some(lead) => (edit::line_end(text, last.at.0), format!("\n{lead}{word}")),
                None => (edit::behind(last.at.0), format!(", {word}")),
            });
        }
        let lead = lead.filter(|l| l.contains('-'))?;
        let word =
            if other_way { format!("{{ else: error, sign: \"{sign}\" }}") } else { "{ else: error }".to_string() };
        Some((edit::line_end(text, last.at.0), format!("\n{lead}{word}")))
    }
}

/// Whether there and back gives every value again.
pub(crate) fn exact(pairs: &Pairs) -> bool {
    let null = |l: &Literal| l.kind == LiteralKind::Null;
    pairs.pairs.iter().all(|p| match &p.it {
        Pair::Of { left, sign, right } => sign.flow == Flow::Both && null(left) == null(right),
        Pair::Else { action, .. } => matches!(action, ElseAction::Error),
    })
}

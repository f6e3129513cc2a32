//! From a table map of dual-write to a map of ours: lines, value maps, filters, directions. Literals are texts still;
//! `typing` settles what they are.

use super::filter::{self, Dialect};
use super::model::{Mapping, PairOf, TableMap};
use super::text::Mapped;
use super::{names, note};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::{At, Span};
use crate::syntax::ast::{
    Expr, ExprKind, Flow, Line, LineValues, Literal, LiteralKind, Node, Pair, Pairs, Path, Side, Sign, Trivia,
};

/// A line of the map to be.
#[derive(Clone, Debug)]
pub struct DraftLine {
    /// The line; its texts are not yet typed.
    pub line: Line,
    /// Which field mapping it came from.
    pub index: usize,
    /// Where that stands.
    pub at: Span,
    /// The table that its lookup refers to, where the file says so.
    pub related: Option<String>,
    /// The right path as the file writes it.
    pub written: String,
    /// What is to be said at it.
    pub remarks: Vec<String>,
}

/// A map to be.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What the file said.
    pub source: TableMap,
    /// The finance table.
    pub left: String,
    /// The Dataverse table.
    pub right: String,
    /// Its lines, the key's among them until it is chosen.
    pub lines: Vec<DraftLine>,
    /// The lines of the key.
    pub key: Vec<DraftLine>,
    /// What is to be said at the key.
    pub key_remark: Option<String>,
    /// The company's path on the right.
    pub company: Option<Path>,
    /// Filters; an unreadable one stops its side.
    pub filters: Vec<(Side, Expr, Vec<String>)>,
    /// Comments for what was left out, with the number of the line it would stand before.
    pub left_out: Vec<(usize, String)>,
    /// Whether deletes into the left are withheld.
    pub no_deletes_left: bool,
    /// What was found and decided.
    pub findings: Vec<Diagnostic>,
}

fn path_of(expr: &Expr) -> Option<&Path> {
    match &expr.kind {
        ExprKind::Path(p) => Some(p),
        _ => None,
    }
}

impl DraftLine {
    /// The finance column, if it has one.
    pub fn left_column(&self) -> Option<&str> {
        path_of(&self.line.left)?.steps.first().map(|s| s.name.text.as_str())
    }
    /// The Dataverse path, if it has one.
    pub fn right_path(&self) -> Option<&Path> {
        path_of(&self.line.right)
    }
    /// Which way it runs.
    pub fn flow(&self) -> Flow {
        self.line.sign.flow
    }
    /// Whether it brings a column over as it is.
    pub fn plain(&self) -> bool {
        !self.line.transforms()
    }
}

/// An expression of a path.
pub fn operand(path: Path) -> Expr {
    Expr { kind: ExprKind::Path(path), at: At::default() }
}

/// A text literal that `typing` will look at.
pub fn raw(text: &str) -> Literal {
    Literal { kind: LiteralKind::Text(text.to_string()), at: At::default() }
}

fn nothing() -> Literal {
    Literal { kind: LiteralKind::Null, at: At::default() }
}

/// A sign.
pub fn sign(flow: Flow) -> Sign {
    Sign { flow, doubled: false, at: At::default() }
}

/// Makes the draft of a map.
pub fn draft(source: TableMap) -> Draft {
    let mut d = Draft {
        left: names::table(&source.entity.text),
        right: source.set.text.clone(),
        lines: vec![],
        key: vec![],
        key_remark: None,
        company: None,
        filters: vec![],
        left_out: vec![],
        no_deletes_left: false,
        findings: source.findings.clone(),
        source,
    };
    let mappings = std::mem::take(&mut d.source.mappings);
    for m in &mappings {
        if let Some(line) = d.line(m) {
            d.lines.push(line);
        }
        // What the reader said of a mapping is said at its line too.
        let about: Vec<String> =
            d.source.findings.iter().filter(|f| f.span().is_some_and(|s| within(s, m.at))).map(remark).collect();
        match d.lines.last_mut().filter(|l| l.index == m.index) {
            Some(line) => line.remarks.splice(0..0, about).for_each(drop),
            None => about.into_iter().for_each(|a| d.left_out.push((d.lines.len(), a))),
        }
    }
    // What was said of no mapping that could be read.
    let loose = |f: &&Diagnostic| !mappings.iter().any(|m| f.span().is_some_and(|s| within(s, m.at)));
    let rest: Vec<String> = d.source.findings.iter().filter(loose).map(remark).collect();
    d.source.mappings = mappings;
    d.unique();
    rest.into_iter().for_each(|text| d.left_out.push((d.lines.len(), text)));
    for (side, text, dialect) in [
        (Side::Left, d.source.source_filter.clone(), Dialect::Xpp),
        (Side::Right, d.source.reversed_filter.clone(), Dialect::OData),
    ] {
        if let Some(text) = text {
            d.filter(side, &text, dialect);
        }
    }
    d
}

fn within(inner: Span, outer: Span) -> bool {
    inner.file == outer.file && outer.start <= inner.start && inner.end <= outer.end && outer.end > outer.start
}

/// A finding as a comment.
pub fn remark(d: &Diagnostic) -> String {
    let word = match d.code {
        Code::TM1306 => "decided",
        Code::TM1307 | Code::TM1305 => "decide",
        Code::TM1303 => "kept, not run",
        _ => "left out",
    };
    format!("{word}: {}", d.message.replace(['\n', '\r'], " "))
}

impl Draft {
    fn refuse(&mut self, m: &Mapping, code: Code, message: String, help: &str) {
        let d = Diagnostic::new(code, m.at, message).help(help);
        self.left_out.push((self.lines.len(), remark(&d)));
        self.findings.push(d);
    }

    fn line(&mut self, m: &Mapping) -> Option<DraftLine> {
        let left = m.source.as_ref().map(|s| s.text.as_str());
        let right = m.destination.as_ref().map(|s| s.text.as_str());
        let shown = format!("{} – {}", left.unwrap_or("(nothing)"), right.unwrap_or("(nothing)"));
        if let Some(name) = &m.unknown {
            let help = "nobody documents it, so it is not run; write what it does as a line of this map";
            self.refuse(m, Code::TM1303, format!("{shown} has a transform `{name}` that is not known"), help);
            return None;
        }
        let help = "the mapping was left out; correct it where it comes from, or write the line by hand";
        match (left, right, m.flow) {
            (None, None, _) => {
                self.refuse(m, Code::TM1302, "a field mapping without fields".into(), help);
                return None;
            }
            (None, _, Flow::Both) | (_, None, Flow::Both) => {
                let message = format!("{shown} runs both ways, and one of its sides is empty");
                self.refuse(m, Code::TM1302, message, help);
                return None;
            }
            (None, _, Flow::ToLeft) | (_, None, Flow::ToRight) => {
                let message = format!("{shown} runs to where there is no field");
                self.refuse(m, Code::TM1302, message, help);
                return None;
            }
            _ => {}
        }
        let constant = left.is_none() || right.is_none();
        if constant && m.default.is_none() {
            self.refuse(m, Code::TM1302, format!("{shown} has neither a source nor a constant"), help);
            return None;
        }
        let mut remarks = m.notes.clone();
        let mut default = m.default.as_ref();
        if m.flow == Flow::Both && default.take().is_some() {
            let message = format!("{shown} has a default, and runs both ways");
            let d = Diagnostic::new(Code::TM1302, m.at, message).help(
                "the line was imported without the default; write one line for each direction where it is wanted",
            );
            remarks.push("left out: the default, since the line runs both ways".to_string());
            self.findings.push(d);
        }
        let path = match right.map(names::path).transpose() {
            Ok(path) => path,
            Err(why) => {
                self.refuse(m, Code::TM1302, why, help);
                return None;
            }
        };
        let value = default.map(|d| if d.text.is_empty() { nothing() } else { raw(&d.text) });
        let of_value =
            |v: Option<Literal>| Expr { kind: ExprKind::Literal(v.unwrap_or_else(nothing)), at: At::default() };
        let (left_expr, right_expr, default) = match (left, path) {
            (Some(l), Some(p)) => (operand(names::column(l)), operand(p), value),
            (Some(l), None) => (operand(names::column(l)), of_value(value), None),
            (None, Some(p)) => (of_value(value), operand(p), None),
            (None, None) => return None,
        };
        let values = m.values.as_ref().map(|pairs| LineValues::Inline(self.pairs(pairs, m, &shown, &mut remarks)));
        let line = Line {
            left: left_expr,
            sign: sign(m.flow),
            right: right_expr,
            pipes: vec![],
            values,
            default: default.filter(|d| d.kind != LiteralKind::Null),
            on_missing: None,
            once: false,
            at: At::default(),
            trivia: Trivia::default(),
        };
        let written = right.unwrap_or_default().to_string();
        Some(DraftLine { line, index: m.index, at: m.at, related: m.related.clone(), written, remarks })
    }

    /// A value map. Where two finance values are one Dataverse value, the first that is not blank is the way back.
    fn pairs(&mut self, pairs: &[PairOf], m: &Mapping, shown: &str, remarks: &mut Vec<String>) -> Pairs {
        let mut out = Pairs::default();
        if pairs.is_empty() {
            if self.source.documented {
                let d =
                    note::decide(m.at, format!("{shown}: the pairs of its value map are not documented; fill them in"));
                self.findings.push(d);
            }
            remarks.push("decide: the pairs of the value map".into());
            return out;
        }
        let fold = |v: &Option<String>| v.as_ref().map(|t| t.to_lowercase());
        let (mut lefts, mut rights, mut twice) = (vec![], vec![], vec![]);
        for p in pairs {
            // Nothing becomes nothing anyway.
            if p.left.is_none() && p.right.is_none() {
                continue;
            }
            let (l, r) = (fold(&p.left), fold(&p.right));
            let back = pairs.iter().filter(|q| fold(&q.right) == r).find(|q| q.left.is_some());
            let preferred = back.is_none_or(|b| fold(&b.left) == l);
            let flow = match m.flow {
                _ if lefts.contains(&l) => None,
                Flow::Both if preferred && !rights.contains(&r) => Some(Flow::Both),
                Flow::Both => Some(Flow::ToRight),
                Flow::ToRight => Some(Flow::ToRight),
                Flow::ToLeft if rights.contains(&r) || !preferred => None,
                Flow::ToLeft => Some(Flow::ToLeft),
            };
            if flow != Some(m.flow) {
                twice.push(p);
            }
            lefts.push(l);
            if flow.is_some_and(|f| f.into(Side::Left)) || m.flow == Flow::ToRight {
                rights.push(r);
            }
            let Some(flow) = flow else { continue };
            let literal = |v: &Option<String>| v.as_ref().map_or_else(nothing, |t| raw(t));
            let pair = Pair::Of { left: literal(&p.left), sign: sign(flow), right: literal(&p.right) };
            out.pairs.push(Node::new(pair, At::default()));
        }
        if let Some(first) = twice.first() {
            let name = |v: &Option<String>| v.as_ref().map_or("blank".into(), |t| format!("`{t}`"));
            let all: Vec<String> = twice.iter().map(|p| name(&p.left)).collect();
            let message = match m.flow {
                Flow::Both => {
                    format!("{shown}: {} share a value with another one, which is the way back", all.join(", "))
                }
                Flow::ToLeft => format!("{shown}: {} stand for a value that has a pair already", all.join(", ")),
                Flow::ToRight => format!("{shown}: {} have a pair already", all.join(", ")),
            };
            let d = note::decided(first.at, message);
            let short = if m.flow == Flow::Both { "one way only:" } else { "the first pair counts, not that of" };
            remarks.push(format!("decided: {short} {}", all.join(", ")).replace('`', "'"));
            self.findings.push(d);
        }
        out
    }

    /// No two lines write one column in one direction.
    fn unique(&mut self) {
        let (mut lefts, mut rights): (Vec<String>, Vec<String>) = (vec![], vec![]);
        let lines = std::mem::take(&mut self.lines);
        for mut line in lines {
            let left = line.left_column().unwrap_or_default().to_lowercase();
            let right = line.written.to_lowercase();
            let twice_right = line.flow().into(Side::Right) && rights.contains(&right);
            let twice_left = line.flow().into(Side::Left) && lefts.contains(&left);
            let both = line.flow() == Flow::Both;
            if (twice_right && twice_left) || (!both && (twice_left || twice_right)) {
                let column = if twice_right { &line.written } else { line.left_column().unwrap_or_default() };
                let d =
                    note::decide(line.at, format!("`{column}` is written by two mappings; the first one was taken"));
                self.left_out.push((self.lines.len(), remark(&d)));
                self.findings.push(d);
                continue;
            }
            if twice_right || twice_left {
                let (flow, column) = if twice_left {
                    (Flow::ToRight, line.left_column().unwrap_or_default().to_string())
                } else {
                    (Flow::ToLeft, line.written.clone())
                };
                let d = note::decided(
                    line.at,
                    format!("`{column}` is written by a mapping before; this one runs one way only"),
                );
                line.remarks.push(remark(&d));
                self.findings.push(d);
                line.line.sign = sign(flow);
                if let Some(LineValues::Inline(pairs)) = &mut line.line.values {
                    pairs.pairs.retain_mut(|p| match &mut p.it {
                        Pair::Of { sign: s, .. } => {
                            let runs = s.flow == Flow::Both || s.flow == flow;
                            *s = sign(flow);
                            runs
                        }
                        Pair::Else { .. } => true,
                    });
                }
            }
            if line.flow().into(Side::Left) {
                lefts.push(left);
            }
            if line.flow().into(Side::Right) {
                rights.push(right);
            }
            self.lines.push(line);
        }
    }

    fn filter(&mut self, side: Side, text: &Mapped, dialect: Dialect) {
        match filter::parse(text, dialect) {
            Ok(None) => {}
            Ok(Some(expr)) => self.filters.push((side, expr, vec![])),
            Err(e) => {
                let message = format!("the filter of the {} side cannot be read: {}", side.word(), e.message);
                self.hold(side, text, Diagnostic::new(Code::TM1304, text.span(e.start, e.end), message));
            }
        }
    }

    /// A filter that could not be taken over: nothing leaves its side until a person writes it.
    pub fn hold(&mut self, side: Side, text: &Mapped, finding: Diagnostic) {
        let stop = Expr {
            kind: ExprKind::Literal(Literal { kind: LiteralKind::Boolean(false), at: At::default() }),
            at: At::default(),
        };
        let remarks = vec![
            format!("decide: write this filter; until then no row leaves this side ({})", finding.message),
            format!("it was: {}", text.text.replace(['\n', '\r'], " ")),
        ];
        self.findings.push(finding.help("until a person writes it, no row leaves this side"));
        self.filters.retain(|(s, ..)| *s != side);
        self.filters.push((side, stop, remarks));
    }
}

//! Parts of a map as text: canonical, without comments, blanks squeezed.

use crate::syntax::ast::{
    Edit, Expr, ExprKind, File, Line, LineValues, Map, Node, Pair, Pairs, Path, Side, Test, Trivia, ValuesDecl,
};
use crate::syntax::dsl;

/// A map's body as it would be written with nothing in it but what `put` puts there.
pub(super) fn statement(put: impl FnOnce(&mut Map)) -> String {
    let mut map = Map::default();
    put(&mut map);
    let text = dsl::write(&File { maps: vec![map], ..File::default() });
    let lines: Vec<&str> = text.lines().collect();
    let body = lines.get(1..lines.len().saturating_sub(1)).unwrap_or_default();
    let lines = body.iter().skip_while(|l| l.is_empty());
    lines.map(|l| squeezed(l.strip_prefix("  ").unwrap_or(l))).collect::<Vec<_>>().join("\n")
}

/// A node without its comments.
pub(super) fn bare<T: Clone>(node: &Node<T>) -> Node<T> {
    Node::new(node.it.clone(), node.at.0)
}

/// A line; its value map stands on the same line.
pub(super) fn line(line: &Line) -> String {
    dsl::write_line(line)
}

/// The key.
pub(super) fn key(lines: &[Line]) -> String {
    format!("key {}", lines.iter().map(line).collect::<Vec<_>>().join(", "))
}

/// A test.
pub(super) fn test(test: &Test) -> String {
    let mut test = test.clone();
    (test.trivia, test.end) = (Trivia::default(), Trivia::default());
    test.steps = test.steps.iter().map(bare).collect();
    statement(|m| m.tests.push(test))
}

/// An edit of an overlay.
pub(super) fn edit(edit: &Edit) -> String {
    match edit {
        Edit::Set(l, None) => format!("set {}", line(l)),
        Edit::Set(l, Some(was)) => format!("set {} was {}", line(l), line(was)),
        Edit::Add(l) => format!("add {}", line(l)),
        Edit::AddPairs(c, p) => format!("add {} {}", column(c.side, &c.column.text), pairs(p)),
        Edit::Drop(c, None) => format!("drop {}", column(c.side, &c.column.text)),
        Edit::Drop(c, Some(p)) => format!("drop {} {}", column(c.side, &c.column.text), pairs(p)),
    }
}

/// `left.NAME`
pub(super) fn column(side: Side, name: &str) -> String {
    format!("{}.{name}", side.word())
}

/// A value map of file level.
pub(super) fn values(v: &ValuesDecl) -> String {
    format!("values {} {}", v.name.text, pairs(&v.pairs))
}

/// `{ … }` on one line.
pub(super) fn pairs(p: &Pairs) -> String {
    let all: Vec<String> = p.pairs.iter().map(|p| pair(&p.it)).collect();
    if all.is_empty() { "{ }".into() } else { format!("{{ {} }}", all.join(", ")) }
}

/// One pair: of a line with nothing but it, what stands in the braces.
pub(super) fn pair(p: &Pair) -> String {
    let path = |name: &str| Expr { kind: ExprKind::Path(name_path(name)), at: Default::default() };
    let only = Pairs { pairs: vec![Node::new(p.clone(), crate::source::Span::default())], ..Pairs::default() };
    let text = dsl::write_line(&Line {
        left: path("a"),
        sign: crate::syntax::ast::Sign { flow: crate::syntax::ast::Flow::Both, doubled: true, at: Default::default() },
        right: path("b"),
        pipes: vec![],
        values: Some(LineValues::Inline(only)),
        default: None,
        on_missing: None,
        once: false,
        at: Default::default(),
        trivia: Trivia::default(),
    });
    let inside = text.split_once("{ ").and_then(|(_, t)| t.strip_suffix(" }"));
    inside.map_or_else(|| text.clone(), str::to_string)
}

fn name_path(name: &str) -> Path {
    use crate::syntax::ast::{Name, Step};
    let name = Name { text: name.into(), at: Default::default() };
    Path { this: false, steps: vec![Step { name, inner: None }], at: Default::default() }
}

/// A path.
pub(super) fn path(p: &Path) -> String {
    dsl::write_expr(&Expr { kind: ExprKind::Path(p.clone()), at: p.at })
}

/// What a line writes: `left.NAME`, or both; of one that writes no column, its text.
pub(super) fn subject(l: &Line) -> String {
    let targets = targets(l);
    if targets.is_empty() { line(l) } else { targets.join(" and ") }
}

/// The columns that a line writes, each with its side.
pub(super) fn targets(line: &Line) -> Vec<String> {
    let one = |side: Side| line.target(side).map(|p| column(side, &path(p)));
    [Side::Left, Side::Right].into_iter().filter_map(one).collect()
}

/// Runs of blanks outside of quotes as one.
fn squeezed(text: &str) -> String {
    let start = text.len() - text.trim_start().len();
    let mut out = text[..start].to_string();
    let mut quote = None;
    for c in text[start..].chars() {
        match quote {
            Some(q) if q == c => quote = None,
            None if matches!(c, '\'' | '"') => quote = Some(c),
            None if c == ' ' && out.ends_with(' ') => continue,
            _ => {}
        }
        out.push(c);
    }
    out
}

//! Comments of the YAML tree and of the AST.

use crate::syntax::ast::{Trivia, TriviaLine};
use crate::yaml::{CommentLine, Comments, Kind, Node};

/// Lines of the tree as lines of the AST.
pub(super) fn lines(of: &[CommentLine]) -> Vec<TriviaLine> {
    of.iter()
        .map(|l| match l {
            CommentLine::Blank => TriviaLine::Blank,
            CommentLine::Comment(c) => TriviaLine::Comment(c.clone()),
        })
        .collect()
}

/// The comments of one entry or item.
pub(super) fn of(comments: &Comments) -> Trivia {
    Trivia { before: lines(&comments.before), after: comments.after.clone() }
}

/// The same as lines only, for a node that has no line of its own.
pub(super) fn flat(comments: &Comments) -> Vec<TriviaLine> {
    let mut out = lines(&comments.before);
    out.extend(comments.after.iter().map(|c| TriviaLine::Comment(c.clone())));
    out
}

/// Every comment inside a node, as lines; blank lines are left out.
pub(super) fn inside(node: &Node) -> Vec<TriviaLine> {
    let mut out = vec![];
    collect(node, &mut out);
    out.retain(|l| *l != TriviaLine::Blank);
    out
}

fn collect(node: &Node, out: &mut Vec<TriviaLine>) {
    match &node.kind {
        Kind::Scalar(_) => {}
        Kind::Mapping(entries) => {
            for e in entries {
                out.extend(flat(&e.comments));
                collect(&e.value, out);
            }
        }
        Kind::Sequence(items) => {
            for i in items {
                out.extend(flat(&i.comments));
                collect(&i.value, out);
            }
        }
    }
    out.extend(lines(&node.end));
}

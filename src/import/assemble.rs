//! Drafts as maps: statements in order, what was decided and what is left to decide as comments at the line.

use super::lines::{Draft, DraftLine, operand, sign};
use super::{names, sketch};
use crate::source::At;
use crate::syntax::ast::{
    Arrow, Conflict, Flow, Line, Map, Name, Node, Operation, Pairing, Side, TableRef, Tables, Trivia, TriviaLine,
};

/// A remark longer than this stands before its line.
const SHORT: usize = 60;

fn name(text: &str) -> Name {
    Name { text: text.to_string(), at: At::default() }
}

fn comments(lines: impl IntoIterator<Item = String>) -> Vec<TriviaLine> {
    lines.into_iter().map(|l| TriviaLine::Comment(format!(" {l}"))).collect()
}

fn node<T>(it: T) -> Node<T> {
    Node::new(it, At::default())
}

/// The map of a draft. `head` are the comments before it.
pub fn assemble(d: &Draft, id: &str, display: &str, stores: [&str; 2], head: Vec<String>) -> Map {
    let arrow = arrow(d);
    let mut map = Map {
        name: Some(name(display)),
        id: Some(node(id.to_string())),
        version: d.source.version.clone().map(node),
        tables: Some(node(Tables {
            left: TableRef { store: name(stores[0]), table: name(&d.left) },
            arrow,
            right: TableRef { store: name(stores[1]), table: name(&d.right) },
        })),
        ..Map::default()
    };
    map.trivia.before = comments(head);
    if d.no_deletes_left {
        let mut operations = node((Side::Left, vec![node(Operation::Create), node(Operation::Update)]));
        let why = "decided: no deletes into the left, since the key of a deleted row cannot be looked up any more";
        operations.trivia.before = comments([why.to_string()]);
        map.operations.push(operations);
    }
    if let Some(path) = &d.company {
        let left = operand(names::column(sketch::COMPANY));
        map.company = Some(node(Pairing { left, sign: sign(Flow::Both), right: operand(path.clone()) }));
    }
    map.key = d.key.iter().map(|l| key_line(l, arrow)).collect();
    if let (Some(first), Some(remark)) = (map.key.first_mut(), &d.key_remark) {
        first.trivia.before.splice(0..0, comments([remark.clone()]));
    }
    for (side, expr, remarks) in &d.filters {
        let mut filter = node((*side, expr.clone()));
        filter.trivia.before = comments(remarks.clone());
        map.filter.push(filter);
    }
    if d.source.skip_initial {
        map.initial = Some(node(None));
    }
    if arrow == Arrow::Both && d.lines.iter().any(|l| l.flow() == Flow::Both) {
        let mut conflict = node(Conflict::Hold);
        conflict.trivia.after = Some(" decided: dual-write has no such rule; hold loses nothing".into());
        map.conflict = Some(conflict);
    }
    for (i, l) in d.lines.iter().enumerate() {
        let mut line = remarked(l);
        let before = d.left_out.iter().filter(|(at, _)| *at == i).map(|(_, text)| text.clone());
        line.trivia.before.splice(0..0, comments(before));
        map.fields.push(line);
    }
    let rest = d.left_out.iter().filter(|(at, _)| *at >= d.lines.len()).map(|(_, text)| text.clone());
    map.fields_end = Trivia { before: comments(rest), after: None };
    map
}

/// Which way a map runs, from its lines.
fn arrow(d: &Draft) -> Arrow {
    let all = || d.key.iter().chain(&d.lines);
    let into = |side: Side| all().any(|l| l.flow().into(side));
    match (into(Side::Left), into(Side::Right)) {
        (true, false) => Arrow::ToLeft,
        (false, true) => Arrow::ToRight,
        _ => Arrow::Both,
    }
}

fn key_line(l: &DraftLine, arrow: Arrow) -> Line {
    let mut line = remarked(l);
    if arrow == Arrow::Both && line.sign.flow != Flow::Both {
        line.sign = sign(Flow::Both);
        line.trivia
            .before
            .extend(comments(["decided: the key holds both ways, as this map runs both ways".to_string()]));
    } else if arrow != Arrow::Both && line.values.is_none() {
        line.sign = sign(Flow::Both);
    }
    line
}

fn remarked(l: &DraftLine) -> Line {
    let mut line = l.line.clone();
    match l.remarks.as_slice() {
        [] => {}
        [one] if one.chars().count() <= SHORT => line.trivia.after = Some(format!(" {one}")),
        several => line.trivia.before.extend(comments(several.iter().cloned())),
    }
    line
}

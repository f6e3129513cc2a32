//! The page of a map, made from the map: what it is for, its statements, its lines, its value maps, its tests.

use std::fmt::Write;
use tablemap::syntax::ast::{
    Arrow, Conflict, ElseAction, Expr, ExprKind, Flow, GuardMode, Line, LineValues, Literal, Map, OnMissing, Operation,
    Pair, Pairs, Path, RunMode, Side, TableRef, TriviaLine, ValuesDecl,
};
use tablemap::syntax::dsl::write_expr;

/// Heading, introduction and ids of maps that belong together.
pub type Shelf = (&'static str, &'static str, &'static [&'static str]);

/// A map of the library.
pub struct Kept {
    /// The name of its file.
    pub file: String,
    /// The comment on top of the file.
    pub header: Vec<TriviaLine>,
    pub map: Map,
    /// The named value maps of all files.
    pub values: Vec<ValuesDecl>,
}

impl Kept {
    pub fn id(&self) -> &str {
        &self.map.id.as_ref().unwrap().it
    }
    fn name(&self) -> &str {
        &self.map.name.as_ref().unwrap().text
    }
    /// The header's paragraphs.
    fn paragraphs(&self) -> Vec<String> {
        let mut all = vec![String::new()];
        for line in &self.header {
            match line {
                TriviaLine::Comment(text) if !text.trim().is_empty() => {
                    let last = all.last_mut().unwrap();
                    // A sentence that begins a line begins a paragraph only after an empty one.
                    if !last.is_empty() {
                        last.push(' ');
                    }
                    last.push_str(text.trim());
                }
                TriviaLine::Comment(_) | TriviaLine::Blank => all.push(String::new()),
            }
        }
        all.retain(|p| !p.is_empty());
        all
    }
}

/// The languages that labels are in, as people call them.
const LANGUAGES: &[(&str, &str)] =
    &[("bg", "Bulgarian"), ("da", "Danish"), ("fi", "Finnish"), ("lv", "Latvian"), ("zh-CN", "Chinese")];

const RENEW: &str = "UPDATE=1 cargo nextest run map_pages_are_fresh";

/// Code in a cell of a table.
fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}

fn literal(l: &Literal) -> String {
    write_expr(&Expr { kind: ExprKind::Literal(l.clone()), at: l.at })
}

fn path(p: &Path) -> String {
    write_expr(&Expr { kind: ExprKind::Path(p.clone()), at: p.at })
}

fn table(t: &TableRef) -> String {
    format!("{}.{}", t.store.text, t.table.text)
}

fn operation(o: Operation) -> &'static str {
    match o {
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
    }
}

fn listed(items: &[String]) -> String {
    if items.is_empty() { "nothing".to_string() } else { items.join(", ") }
}

fn sign(flow: Flow, doubled: bool) -> &'static str {
    match (flow, doubled) {
        (Flow::Both, false) => "=",
        (Flow::Both, true) => "><",
        (Flow::ToRight, false) => ">",
        (Flow::ToRight, true) => ">>",
        (Flow::ToLeft, false) => "<",
        (Flow::ToLeft, true) => "<<",
    }
}

fn direction(m: &Map) -> String {
    let t = &m.tables.as_ref().unwrap().it;
    let (left, right) = (&t.left.store.text, &t.right.store.text);
    match t.arrow {
        Arrow::Both => "both ways".to_string(),
        _ if left == right => format!("inside {left}"),
        Arrow::ToLeft => format!("{right} to {left}"),
        Arrow::ToRight => format!("{left} to {right}"),
    }
}

fn initial(m: &Map) -> String {
    let t = &m.tables.as_ref().unwrap().it;
    let store = |side| if side == Side::Left { &t.left.store.text } else { &t.right.store.text };
    match (m.initial.as_ref().map(|i| i.it), t.arrow) {
        (Some(None), _) => "none: it begins with what changes from then on".to_string(),
        (Some(Some(side)), _) => format!("from {}", store(side)),
        (None, Arrow::ToRight) => format!("from {}", store(Side::Left)),
        (None, _) => format!("from {}", store(Side::Right)),
    }
}

fn schedule(m: &Map) -> Option<String> {
    Some(match m.run.as_ref()?.it {
        RunMode::Live => "with every change".to_string(),
        RunMode::Manual => "by command only".to_string(),
        RunMode::Every(s) if s % 60 == 0 => format!("every {} minutes", s / 60),
        RunMode::Every(s) => format!("every {s} seconds"),
    })
}

/// What stands behind a line's operands.
fn way(line: &Line) -> String {
    let mut parts = vec![];
    for call in &line.pipes {
        let text = write_expr(&Expr { kind: ExprKind::Call(call.clone()), at: call.at });
        parts.push(code(&format!("| {text}")));
    }
    match &line.values {
        Some(LineValues::Inline(_)) => parts.push("value map below".to_string()),
        Some(LineValues::Named(n)) => parts.push(format!("value map {}", code(&n.text))),
        None => {}
    }
    if let Some(value) = &line.default {
        parts.push(format!("else {}", code(&literal(value))));
    }
    match line.on_missing {
        Some(OnMissing::Park) => parts.push("waits for what it refers to".to_string()),
        Some(OnMissing::Null) => parts.push("null if what it refers to is missing".to_string()),
        Some(OnMissing::Error) => parts.push("an error if what it refers to is missing".to_string()),
        None => {}
    }
    if line.once {
        parts.push("once, on create".to_string());
    }
    parts.join(", ")
}

/// The comment at a line's end, without the mark of a silenced finding.
fn remark(line: &Line) -> String {
    let text = line.trivia.after.as_deref().unwrap_or_default().trim();
    let text = match text.strip_prefix("allow ") {
        Some(rest) => rest.split_once(": ").map_or("", |(_, reason)| reason),
        None => text,
    };
    text.replace('|', "\\|")
}

fn statements(out: &mut String, m: &Map) {
    let t = &m.tables.as_ref().unwrap().it;
    let mut row = |what: &str, text: String| writeln!(out, "| {what} | {text} |").unwrap();
    row("id", code(&m.id.as_ref().unwrap().it));
    if let Some(v) = &m.version {
        row("version", v.it.clone());
    }
    for label in &m.labels {
        let (tag, text) = &label.it;
        let language = LANGUAGES.iter().find(|(t, _)| t == tag).map_or(tag.as_str(), |(_, name)| name);
        row(&format!("in {language}"), text.clone());
    }
    row("left", code(&table(&t.left)));
    row("right", code(&table(&t.right)));
    row("direction", direction(m));
    if let Some(c) = &m.company {
        let text = format!("{} {} {}", write_expr(&c.it.left), sign(c.it.sign.flow, false), write_expr(&c.it.right));
        row("company", code(&text));
    }
    let keys: Vec<String> = m
        .key
        .iter()
        .map(|l| {
            let mut text =
                format!("{} {} {}", write_expr(&l.left), sign(l.sign.flow, l.transforms()), write_expr(&l.right));
            for call in &l.pipes {
                write!(text, " | {}", write_expr(&Expr { kind: ExprKind::Call(call.clone()), at: call.at })).unwrap();
            }
            code(&text)
        })
        .collect();
    row("key", keys.join(", "));
    for f in &m.filter {
        row(&format!("leaves {} if", f.it.0.word()), code(&write_expr(&f.it.1)));
    }
    for e in m.on_exit.iter().filter(|e| e.it.1) {
        row("when a row no longer leaves", format!("its copy on the {} is deleted", e.it.0.word()));
    }
    for o in &m.operations {
        let all: Vec<String> = o.it.1.iter().map(|o| operation(o.it).to_string()).collect();
        row(&format!("the map does on the {}", o.it.0.word()), listed(&all));
    }
    for d in &m.direct {
        let all: Vec<String> =
            d.it.1
                .iter()
                .map(|d| {
                    let columns =
                        d.columns.as_ref().map(|c| c.iter().map(|p| code(&path(p))).collect::<Vec<_>>().join(", "));
                    columns.map_or(operation(d.operation).to_string(), |c| format!("{} of {c}", operation(d.operation)))
                })
                .collect();
        row(&format!("people may do on the {}", d.it.0.word()), listed(&all));
    }
    for g in &m.guard {
        let what = if g.it.1 == GuardMode::Reject { "refuses" } else { "reports" };
        row("guard", format!("{what} the rest on the {}", g.it.0.word()));
    }
    if let Some(n) = &m.needs {
        let links: Vec<String> = n.it.iter().map(|n| format!("[{}]({}.md)", n.text, n.text)).collect();
        row("needs", links.join(", "));
    }
    row("initial copy", initial(m));
    if let Some(c) = &m.conflict {
        row(
            "changed on both sides",
            match c.it {
                Conflict::Wins(side) => format!("{} wins", side.word()),
                Conflict::Hold => "waits for a person".to_string(),
                Conflict::MergeElse(side) => format!("merged, else {} wins", side.word()),
                Conflict::MergeElseHold => "merged, else it waits for a person".to_string(),
            },
        );
    }
    if let Some(text) = schedule(m) {
        row("runs", text);
    }
}

fn pairs(out: &mut String, heading: &str, pairs: &Pairs) {
    writeln!(out, "\n### {heading}\n\n| left | | right | |\n|---|---|---|---|").unwrap();
    for p in &pairs.pairs {
        let note = p.trivia.after.as_deref().unwrap_or_default().trim();
        match &p.it {
            Pair::Of { left, sign: s, right } => {
                writeln!(
                    out,
                    "| {} | {} | {} | {note} |",
                    code(&literal(left)),
                    code(sign(s.flow, false)),
                    code(&literal(right))
                )
            }
            Pair::Else { sign: s, action } => {
                let becomes = match action {
                    ElseAction::Pass => "as it is".to_string(),
                    ElseAction::Error => "an error of the record".to_string(),
                    ElseAction::Literal(l) => code(&literal(l)),
                };
                match s.map(|s| s.flow) {
                    Some(Flow::ToRight) => writeln!(out, "| any other | `>` | {becomes} | {note} |"),
                    Some(Flow::ToLeft) => writeln!(out, "| {becomes} | `<` | any other | {note} |"),
                    _ => writeln!(out, "| any other | | {becomes} | {note} |"),
                }
            }
        }
        .unwrap();
    }
}

/// The page of a map.
pub fn of(kept: &Kept) -> String {
    let m = &kept.map;
    let t = &m.tables.as_ref().unwrap().it;
    let mut out = String::new();
    writeln!(out, "<!-- Made from maps/project-operations/{}. To renew: {RENEW} -->\n", kept.file).unwrap();
    writeln!(out, "# {}\n", kept.name()).unwrap();
    for p in kept.paragraphs() {
        writeln!(out, "{p}\n").unwrap();
    }
    writeln!(out, "The map itself: [{0}](../../maps/project-operations/{0}). [All maps](README.md).\n", kept.file)
        .unwrap();
    out.push_str("| | |\n|---|---|\n");
    statements(&mut out, m);
    if !m.fields.is_empty() {
        out.push_str("\n## Lines\n\n");
        writeln!(
            out,
            "| {} | | {} | on the way | |\n|---|---|---|---|---|",
            code(&table(&t.left)),
            code(&table(&t.right))
        )
        .unwrap();
        for line in &m.fields {
            writeln!(
                out,
                "| {} | {} | {} | {} | {} |",
                code(&write_expr(&line.left)),
                code(sign(line.sign.flow, line.transforms())),
                code(&write_expr(&line.right)),
                way(line),
                remark(line)
            )
            .unwrap();
        }
    }
    let mut maps = String::new();
    let mut named: Vec<&str> = vec![];
    for line in m.key.iter().chain(&m.fields) {
        match &line.values {
            Some(LineValues::Inline(p)) => {
                let column = |e: &Expr| matches!(e.kind, ExprKind::Path(_)).then(|| write_expr(e));
                let (left, right) = (column(&line.left), column(&line.right));
                let heading = left.or(right).unwrap_or_default();
                pairs(&mut maps, &code(&heading), p);
            }
            Some(LineValues::Named(n)) if !named.contains(&n.text.as_str()) => {
                named.push(&n.text);
                let decl = kept.values.iter().find(|v| v.name.text == n.text).unwrap();
                pairs(&mut maps, &code(&n.text), &decl.pairs);
            }
            _ => {}
        }
    }
    if !maps.is_empty() {
        out.push_str("\n## Value maps\n");
        out.push_str(&maps);
    }
    if !m.tests.is_empty() {
        out.push_str("\n## What its tests show\n\n");
        for test in &m.tests {
            writeln!(out, "* {}", test.name.text).unwrap();
        }
    }
    out
}

/// The page of all maps.
pub fn index(shelves: &[Shelf], maps: &[Kept], order: &[String]) -> String {
    let mut out =
        format!("<!-- Made from maps/project-operations. To renew: {RENEW} -->\n\n# The maps of the library\n\n");
    out.push_str(
        "`maps/project-operations` is a project of its own: `tablemap -C maps/project-operations check` and `test` read\n\
         all of it. [project-operations.md](../project-operations.md) says where the facts come from, how the invoice flow\n\
         works and which maps of the original are not here. *Runs* is the place in the order in which tablemap runs them.\n",
    );
    for (heading, text, ids) in shelves {
        writeln!(out, "\n## {heading}\n\n{text}\n").unwrap();
        out.push_str("| map | version | direction | initial copy | lines | runs |\n|---|---|---|---|---|---|\n");
        for id in *ids {
            let kept = maps.iter().find(|m| m.id() == *id).unwrap();
            let m = &kept.map;
            let version = m.version.as_ref().map_or("", |v| &v.it);
            let copy = initial(m);
            let copy = copy.split(':').next().unwrap();
            let runs = order.iter().position(|o| o == id).unwrap() + 1;
            let lines = m.key.len() + m.fields.len();
            writeln!(out, "| [{}]({id}.md) | {version} | {} | {copy} | {lines} | {runs} |", kept.name(), direction(m))
                .unwrap();
        }
    }
    out
}

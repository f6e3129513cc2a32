//! Analyses one map: its statements, then each of its legs.

use super::Input;
use super::env::{Env, SideAt};
use super::fingerprint::fingerprint;
use super::guard::guards;
use super::ir::{CheckedMap, Initial, TableAt};
use super::leg::{Job, Part, build, company_line, condition, is_each};
use super::line::pairs_of;
use super::reader::Reader;
use super::report::Report;
use super::round_trip;
use super::value_map::check_equal_pairs;
use crate::diagnostic::{Code, Diagnostic, edit};
use crate::function::Context;
use crate::syntax::ast::{self, Arrow, ExprKind, Flow, Map, Operation, RunMode, Side, TableRef, ValuesDecl};
use std::collections::HashMap;

/// Analyses a map. None where it has errors; `needs` is left empty.
pub(crate) fn analyse<'a>(
    input: &'a Input<'a>,
    values: &'a HashMap<&'a str, &'a ValuesDecl>,
    map: &'a Map,
    company: Option<&'a ast::Line>,
    report: &mut Report<'a>,
) -> Option<CheckedMap> {
    report.failed = false;
    let name = map.name.as_ref().map_or("", |n| n.text.as_str());
    let at = map.name.as_ref().map_or(map.at, |n| n.at);
    // An overlay without an id could not be put in the place of its base, which was told.
    if map.extends.is_some() && map.id.is_none() {
        return None;
    }
    for edit in &map.edits {
        report.help(
            Code::TM0115,
            edit.at(),
            "this changes a line of a base, and the map extends none",
            "write the line itself into `fields`, or say which map is extended: `map \"…\" extends ID {`",
        );
    }
    if map.id.is_none() {
        let help = "add `id …`: letters, digits and hyphens, the same for ever";
        report.help(Code::TM0211, at, "the map has no id", help);
    }
    let Some(tables) = &map.tables else {
        let help = "add `tables STORE.TABLE <-> STORE.TABLE`";
        report.help(Code::TM0212, at, "the map does not say which tables it pairs", help);
        return None;
    };
    let (left, right) = (side(input, &tables.it.left, report), side(input, &tables.it.right, report));
    let env = Env { input, values, map, tables: &tables.it, left: left?, right: right? };
    if map.key.is_empty() {
        let help = "add `key LEFT = RIGHT`: the columns that identify the same record on both sides";
        report.help(Code::TM0501, at, "the map has no key", help);
    }
    let empty = statements(&env, report);
    let jobs = jobs(&env, company, report);
    let mut legs = [None, None];
    for (slot, into) in legs.iter_mut().zip([Side::Left, Side::Right]) {
        if env.has_leg(into) {
            let of: Vec<Job<'a>> = jobs
                .iter()
                .filter(|j| j.line.sign.flow.into(into))
                .map(|j| Job { line: j.line, part: j.part })
                .collect();
            *slot = build(&env, into, &of, report);
        }
    }
    let id = map.id.as_ref().map_or("", |n| n.it.as_str());
    let guards = guards(&env, id, name, report);
    super::rows::check(&env, report);
    if report.failed || map.extends.is_some() {
        return None;
    }
    let [mut into_left, mut into_right] = legs;
    let context = Context { time_zone: input.time_zone.clone() };
    round_trip::settle(&context, (env.left.schema, &mut into_left), (env.right.schema, &mut into_right));
    let hash = fingerprint(&env, &[into_left.as_ref(), into_right.as_ref()]);
    let runs = |leg| if empty { None } else { leg };
    let two_way = jobs.iter().filter(|j| matches!(j.part, Part::Field { two_way: Some(_) })).count();
    Some(CheckedMap {
        id: id.to_string(),
        name: name.to_string(),
        labels: map.labels.iter().map(|l| l.it.1.clone()).collect(),
        version: map.version.as_ref().map_or(String::new(), |v| v.it.clone()),
        file: input.sources.file(map.at.0.file).name.clone(),
        hash,
        left: env.left.at,
        right: env.right.at,
        into_left: runs(into_left),
        into_right: runs(into_right),
        needs: vec![],
        initial: match &map.initial {
            None => Initial::Unsaid,
            Some(n) => n.it.map_or(Initial::None, Initial::Wins),
        },
        conflict: map.conflict.as_ref().map(|c| c.it),
        run: map.run.as_ref().map_or(RunMode::Live, |r| r.it),
        guards,
        two_way,
        tests: map.tests.clone(),
    })
}

fn side<'a>(input: &'a Input<'a>, r: &TableRef, report: &mut Report<'_>) -> Option<SideAt<'a>> {
    let Some(store) = input.stores.iter().position(|(n, _)| *n == r.store.text) else {
        let message = format!("the project has no store `{}`", r.store.text);
        report.unknown(Code::TM0201, r.store.at, message, &r.store.text, input.stores.iter().map(|(n, _)| n.as_str()));
        return None;
    };
    let (name, schema) = &input.stores[store];
    let Some(table) = schema.table(&r.table.text) else {
        let message = format!("store `{name}` has no table `{}`", r.table.text);
        let known = schema.tables.iter().map(|t| t.name.as_str());
        report.unknown(Code::TM0202, r.table.at, message, &r.table.text, known);
        return None;
    };
    Some(SideAt { at: TableAt { store, table }, store: name, schema })
}

/// Checks what statements say about directions. Whether a value map is still empty, so that nothing runs.
fn statements(env: &Env<'_>, report: &mut Report<'_>) -> bool {
    let map = env.map;
    let two_way_lines = env.two_way() && map.fields.iter().any(|l| l.sign.flow == Flow::Both);
    match &map.conflict {
        None if two_way_lines => {
            let line = map.fields.iter().find(|l| l.sign.flow == Flow::Both);
            report.help(
                Code::TM0409,
                line.map_or(map.at, |l| l.sign.at),
                "the map has two-way lines, and does not say what becomes of conflicts",
                "add `conflict left wins`, `conflict right wins`, `conflict hold` or `conflict merge else hold`",
            );
        }
        Some(c) if !two_way_lines => {
            report.needless(
                Code::TM0410,
                c.at,
                "no line runs both ways, so there are no conflicts",
                "remove `conflict`",
            );
        }
        _ => {}
    }
    for n in &map.operations {
        let (side, list) = &n.it;
        if env.has_leg(*side) && list.is_empty() {
            report.help(
                Code::TM0403,
                n.at,
                format!("nothing may be done into {}, so no line into it ever runs", side.word()),
                "let the map run one way only: `<-` or `->` between the tables",
            );
        }
        if !env.has_leg(*side) && !list.is_empty() {
            report.needless(
                Code::TM0411,
                n.at,
                format!("nothing runs into {}, so there is nothing to allow", side.word()),
                format!("remove it; what people may do there is said by `direct {}`", side.word()),
            );
        }
    }
    for n in &map.on_exit {
        let (side, delete) = n.it;
        if !env.has_leg(side) {
            report.needless(Code::TM0411, n.at, format!("nothing runs into {}", side.word()), "remove it");
        } else if delete {
            let operations = map.operations.iter().find(|o| o.it.0 == side);
            if operations.is_some_and(|o| o.it.1.iter().all(|x| x.it != Operation::Delete)) {
                let message = format!("`operations {}` does not allow to delete", side.word());
                let mut d = Diagnostic::new(Code::TM0412, n.at.0, message)
                    .help(format!("add `delete` to `operations {}`, or say `leave`", side.word()));
                if let Some(o) = operations {
                    d = d.related(o.at.0, "what is allowed");
                }
                report.add(d);
            }
        }
    }
    if let Some(n) = &map.initial
        && let Some(master) = n.it
        && !env.has_leg(master.other())
    {
        report.help(
            Code::TM0414,
            n.at,
            format!("{} cannot be the master: nothing runs from it into {}", master.word(), master.other().word()),
            format!("write `initial {} wins`, or `initial none`", master.other().word()),
        );
    }
    filters(env, report);
    let mut empty = false;
    for line in map.key.iter().chain(&map.fields) {
        if let Some((pairs, name, at, _)) = pairs_of(env, line)
            && pairs.pairs.is_empty()
        {
            empty = true;
            report.help(
                Code::TM0705,
                at,
                format!("the value map `{name}` is empty: nothing of this map runs until it is filled"),
                "write its pairs: `{ 'Open' = 4, 'Posted' = 5 }`",
            );
        }
    }
    empty
}

/// Filters of sides that no leg leaves, and filters that decide nothing.
fn filters(env: &Env<'_>, report: &mut Report<'_>) {
    for n in &env.map.filter {
        let (side, e) = &n.it;
        let leaves = env.has_leg(side.other());
        let guarded = env.map.direct.iter().any(|d| d.it.0 == *side);
        if !leaves {
            let at = env.side(*side);
            let mut reader = Reader::new(at.schema, at.id());
            let mut own = Report::new(report.sources);
            condition(&mut reader, e, &mut own);
            own.findings.into_iter().for_each(|d| report.add(d));
            if !guarded {
                report.help(
                    Code::TM0802,
                    n.at,
                    format!(
                        "nothing runs from {} into {}, so this filter decides nothing",
                        side.word(),
                        side.other().word()
                    ),
                    format!(
                        "a filter decides which rows leave its side; perhaps `filter {}` is meant",
                        side.other().word()
                    ),
                );
            }
        }
        if let ExprKind::Literal(l) = &e.kind
            && l.kind == ast::LiteralKind::Boolean(true)
        {
            report.help(
                Code::TM0802,
                e.at,
                "this filter says the same for every row",
                "compare a column, or remove it",
            );
        }
    }
}

/// The lines that can be compiled, numbered; findings for those against the map's direction.
fn jobs<'a>(env: &Env<'a>, company: Option<&'a ast::Line>, report: &mut Report<'a>) -> Vec<Job<'a>> {
    let map = env.map;
    let mut jobs = vec![];
    if let Some(line) = company {
        if env.two_way() && (is_each(&line.left) || is_each(&line.right)) {
            report.help(
                Code::TM0505,
                line.at,
                "`each` makes one row for every company, which has no way back",
                "write two one-way maps",
            );
        } else if whole(env, line, "the company", report) {
            jobs.push(Job { line, part: Part::Company });
        }
    }
    for line in &map.key {
        if whole(env, line, "the key", report) && both_paths(env, line, report) && reversible(env, line, report) {
            jobs.push(Job { line, part: Part::Key });
        }
    }
    let mut number = 0;
    let mut used = [false, false];
    for line in &map.fields {
        check_line_values(env, line, report);
        let flow = line.sign.flow;
        used[0] |= flow.into(Side::Left);
        used[1] |= flow.into(Side::Right);
        let both = flow == Flow::Both;
        let against = match env.tables.arrow {
            Arrow::Both => false,
            Arrow::ToLeft => flow == Flow::ToRight,
            Arrow::ToRight => flow == Flow::ToLeft,
        };
        if against {
            let (from, to) = if flow == Flow::ToLeft { ("right", "left") } else { ("left", "right") };
            let sign = if flow == Flow::ToLeft { ">" } else { "<" };
            let sign = sign.repeat(if line.sign.doubled { 2 } else { 1 });
            let d = Diagnostic::new(
                Code::TM0401,
                line.sign.at.0,
                format!("this line runs from {from} to {to}, and the map does not"),
            )
            .help("turn the sign round, or let the map run both ways: `tables … <-> …`")
            .fix(format!("write `{sign}`"), line.sign.at.0, sign, false);
            report.add(arrow(map, d));
            continue;
        }
        if both && !env.two_way() {
            let (sign, way) = if env.has_leg(Side::Left) { ("<", "to the left") } else { (">", "to the right") };
            let d =
                Diagnostic::new(Code::TM0402, line.sign.at.0, format!("this line runs both ways, the map only {way}"));
            report.add(arrow(map, d).help(format!("write `{sign}`")).fix(
                format!("write `{sign}`"),
                line.sign.at.0,
                if line.transforms() { sign.repeat(2) } else { sign.to_string() },
                true,
            ));
            continue;
        }
        if both {
            let fine = both_paths(env, line, report);
            if !one_way_only(line, report) || !fine {
                continue;
            }
        }
        let two_way = both.then(|| {
            number += 1;
            number - 1
        });
        jobs.push(Job { line, part: Part::Field { two_way } });
    }
    if env.two_way() && !map.fields.is_empty() {
        for (used, into) in used.into_iter().zip([Side::Left, Side::Right]) {
            if !used {
                let arrow = if into == Side::Left { "->" } else { "<-" };
                report.help(
                    Code::TM0403,
                    map.tables.as_ref().map_or(map.at, |t| t.at),
                    format!("no line runs into {}", into.word()),
                    format!("if nothing should, write `{arrow}` between the tables"),
                );
            }
        }
    }
    jobs
}

/// Shows which way the map runs.
fn arrow(map: &Map, d: Diagnostic) -> Diagnostic {
    match &map.tables {
        Some(t) => d.related(t.at.0, "the way of the map"),
        None => d,
    }
}

/// Whether a key or company line covers every direction of the map.
fn whole(env: &Env<'_>, line: &ast::Line, what: &str, report: &mut Report<'_>) -> bool {
    let mut fine = true;
    for into in [Side::Left, Side::Right] {
        if env.has_leg(into) && !line.sign.flow.into(into) {
            fine = false;
            let (code, help) = if env.two_way() {
                (Code::TM0504, "write `=`; where it computes, split the map into two one-way maps")
            } else {
                (Code::TM0401, "turn the sign round, or write `=`")
            };
            let message = format!("{what} is needed into {} too", into.word());
            let d = arrow(env.map, Diagnostic::new(code, line.sign.at.0, message)).help(help);
            let bare = !line.transforms();
            report.add(if bare { d.fix("write `=`", line.sign.at.0, "=", false) } else { d });
        }
    }
    fine
}

/// A two-way line has a column at both ends.
fn both_paths(env: &Env<'_>, line: &ast::Line, report: &mut Report<'_>) -> bool {
    if !env.two_way() || line.sign.flow != Flow::Both {
        return true;
    }
    let computed = [&line.left, &line.right].into_iter().find(|e| !matches!(e.kind, ExprKind::Path(_)));
    if let Some(e) = computed {
        report.help(
            Code::TM0408,
            e.at,
            "a two-way line computes nothing: each side is a column or a lookup path",
            "use a pipe that has an inverse, or write one line for each direction (`<<` and `>>`)",
        );
    }
    computed.is_none()
}

/// A key that runs both ways loses nothing on the way.
fn reversible(env: &Env<'_>, line: &ast::Line, report: &mut Report<'_>) -> bool {
    if !env.two_way() {
        return true;
    }
    match pairs_of(env, line) {
        Some((pairs, _, at, _)) if !pairs.pairs.is_empty() && !super::value_map::exact(pairs) => {
            report.help(
                Code::TM0901,
                at,
                "a key identifies a record both ways, and this value map does not give every value back",
                "use only `=` pairs, and `else error`",
            );
            false
        }
        _ => true,
    }
}

fn one_way_only(line: &ast::Line, report: &mut Report<'_>) -> bool {
    if let Some(d) = &line.default {
        let text = report.file_text(d.at);
        let mut finding =
            Diagnostic::new(Code::TM0407, d.at.0, "`default` on a two-way line: which way it holds is not said")
                .help("write one line for each direction, or a pair with null: `null > 15`");
        if let Some(span) = edit::with_word(text, "default", d.at.0) {
            finding = finding.fix("remove the default", edit::tail(text, span), "", false);
        }
        report.add(finding);
    }
    if line.once {
        let text = report.file_text(line.at);
        let mut finding = Diagnostic::new(
            Code::TM0407,
            line.sign.at.0,
            "`once` on a two-way line: what is written once cannot follow",
        )
        .help("write one line for each direction, one of them with `once`");
        if report.sources.text(line.at.0).ends_with("once") {
            let word = crate::source::Span { start: line.at.0.end - 4, ..line.at.0 };
            finding = finding.fix("remove `once`", edit::tail(text, word), "", false);
        }
        report.add(finding);
    }
    line.default.is_none() && !line.once
}

/// An unknown value map is told of once, by the leg; here only what holds whatever the direction.
fn check_line_values(env: &Env<'_>, line: &ast::Line, report: &mut Report<'_>) {
    if let Some((pairs, _, _, _)) = pairs_of(env, line) {
        check_equal_pairs(pairs, report);
    }
}

/// The company statements of maps as lines; kept apart so that they outlive the analysis.
pub(crate) fn company_lines(maps: &[&Map]) -> Vec<Option<ast::Line>> {
    maps.iter().map(|m| m.company.as_ref().map(company_line)).collect()
}

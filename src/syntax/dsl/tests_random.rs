//! Random trees are written and read back; random and damaged texts never break the reader.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use proptest::sample::select;

use super::tests::{read, round_trip};
use super::*;
use crate::source::{At, Span};
use crate::syntax::ast::*;

fn at() -> At {
    At(Span::default())
}

fn name() -> impl Strategy<Value = Name> + Clone {
    prop_oneof![
        4 => "[a-zA-Z_ä名][a-z0-9_ä]{0,8}",
        1 => select(vec!["end", "null", "left", "right", "each", "default", "once", "was", "values", "count", "exists", "map",
            "test", "fields", "on", "key", "set", "add", "drop", "none", "parked", "error", "pass"]).prop_map(String::from),
        1 => "[a-z \"'#{}()|.,=<>1-9]{1,8}",
    ]
    // Maps and tests may not be called by blanks.
    .prop_filter("blank", |text| !text.trim().is_empty())
    .prop_map(|text| Name { text, at: at() })
}

fn word() -> impl Strategy<Value = Name> + Clone {
    "[a-z_][a-z0-9_]{1,6}".prop_map(|t| Name { text: format!("{t}_"), at: at() })
}

fn slug() -> impl Strategy<Value = String> + Clone {
    "[a-zA-Z0-9]{1,5}(-[a-z0-9]{1,4}){0,2}"
}

fn literal() -> impl Strategy<Value = Literal> + Clone {
    prop_oneof![
        "[a-z '\"#{}|ü\\\\]{0,9}".prop_map(LiteralKind::Text),
        "-?[0-9]{1,5}(\\.[0-9]{1,3})?".prop_map(|t| LiteralKind::number(&t)),
        any::<bool>().prop_map(LiteralKind::Boolean),
        Just(LiteralKind::Null),
    ]
    .prop_map(|kind| Literal { kind, at: at() })
}

fn path() -> impl Strategy<Value = Path> + Clone {
    let plain = (proptest::bool::weighted(0.1), prop::collection::vec(name(), 1..4)).prop_map(|(this, names)| Path {
        this,
        steps: names.into_iter().map(|name| Step { name, inner: None }).collect(),
        at: at(),
    });
    plain.clone().prop_flat_map(move |p| (Just(p), proptest::option::weighted(0.1, plain.clone()))).prop_map(
        |(mut p, inner)| {
            if p.this || p.steps.len() > 1 {
                p.steps.last_mut().unwrap().inner = inner;
            }
            p
        },
    )
}

fn expr() -> impl Strategy<Value = Expr> + Clone {
    let e = |kind| Expr { kind, at: at() };
    let leaf = prop_oneof![literal().prop_map(ExprKind::Literal), path().prop_map(ExprKind::Path)].prop_map(e);
    leaf.prop_recursive(5, 24, 3, move |inner| {
        let op = select(vec![
            BinaryOp::Or,
            BinaryOp::And,
            BinaryOp::Eq,
            BinaryOp::Ne,
            BinaryOp::Lt,
            BinaryOp::Le,
            BinaryOp::Gt,
            BinaryOp::Ge,
            BinaryOp::Add,
            BinaryOp::Sub,
            BinaryOp::Mul,
            BinaryOp::Div,
        ]);
        let boxed = inner.clone().prop_map(Box::new);
        let negated = any::<bool>();
        let text = "[a-z%_']{0,5}".prop_map(|t| Literal { kind: LiteralKind::Text(t), at: at() });
        let aggregate = select(vec!["exists", "every", "count", "sum", "min", "max"]);
        prop_oneof![
            4 => (op, boxed.clone(), boxed.clone()).prop_map(|(o, a, b)| ExprKind::Binary(o, a, b)),
            1 => boxed.clone().prop_map(ExprKind::Negate),
            1 => boxed.clone().prop_map(ExprKind::Not),
            1 => call(inner.clone()).prop_map(ExprKind::Call),
            1 => (boxed.clone(), negated).prop_map(|(of, negated)| ExprKind::IsNull { of, negated }),
            1 => (boxed.clone(), negated, prop::collection::vec(literal(), 1..4))
                .prop_map(|(of, negated, items)| ExprKind::In { of, negated, items }),
            1 => (boxed.clone(), negated, text).prop_map(|(of, negated, pattern)| ExprKind::Like { of, negated, pattern }),
            1 => (prop::collection::vec((inner.clone(), inner.clone()), 1..3), proptest::option::of(boxed.clone()))
                .prop_map(|(arms, otherwise)| ExprKind::Case { arms, otherwise }),
            1 => (aggregate, path(), boxed.clone(), proptest::option::of(boxed.clone())).prop_map(|(n, table, condition, of)| {
                ExprKind::Aggregate { name: Name { text: n.into(), at: at() }, table, condition, of }
            }),
        ]
        .prop_map(e)
    })
}

fn call(arg: impl Strategy<Value = Expr> + Clone) -> impl Strategy<Value = Call> + Clone {
    (word(), prop::collection::vec(arg, 0..3)).prop_map(|(name, args)| Call { name, args, at: at() })
}

fn sign() -> impl Strategy<Value = Sign> + Clone {
    select(vec![Flow::Both, Flow::ToLeft, Flow::ToRight]).prop_map(|flow| Sign { flow, doubled: false, at: at() })
}

fn side() -> impl Strategy<Value = Side> + Clone {
    select(vec![Side::Left, Side::Right])
}

fn trivia() -> impl Strategy<Value = Trivia> + Clone {
    let line = prop_oneof![Just(TriviaLine::Blank), "[ a-z'\"{(]{0,6}[a-z]".prop_map(TriviaLine::Comment)];
    let before = prop_oneof![3 => Just(vec![]), 1 => prop::collection::vec(line, 1..4)];
    (before, proptest::option::weighted(0.2, " [a-z'\"{(#]{1,6}")).prop_map(|(before, after)| Trivia { before, after })
}

fn end() -> impl Strategy<Value = Trivia> + Clone {
    trivia().prop_map(|t| Trivia { after: None, ..t })
}

fn node<T: Clone + std::fmt::Debug>(of: impl Strategy<Value = T> + Clone) -> impl Strategy<Value = Node<T>> + Clone {
    (of, trivia()).prop_map(|(it, trivia)| Node { it, at: at(), trivia })
}

fn pairs() -> impl Strategy<Value = Pairs> + Clone {
    let action = prop_oneof![Just(ElseAction::Pass), Just(ElseAction::Error), literal().prop_map(ElseAction::Literal)];
    let pair = prop_oneof![
        4 => (literal(), sign(), literal()).prop_map(|(left, sign, right)| Pair::Of { left, sign, right }),
        1 => (proptest::option::of(sign()), action).prop_map(|(sign, action)| Pair::Else { sign, action }),
    ];
    (prop::collection::vec(node(pair), 0..5), end()).prop_map(|(pairs, end)| Pairs { pairs, at: at(), end })
}

fn line(tail: bool) -> impl Strategy<Value = Line> + Clone {
    let values = prop_oneof![
        3 => Just(None),
        1 => pairs().prop_map(|p| Some(LineValues::Inline(p))),
        1 => name().prop_map(|n| Some(LineValues::Named(n))),
    ];
    let missing = proptest::option::of(select(vec![OnMissing::Park, OnMissing::Null, OnMissing::Error]));
    let pipes = prop_oneof![2 => Just(vec![]), 1 => prop::collection::vec(call(expr()), 1..3)];
    (expr(), sign(), expr(), pipes, values, (proptest::option::of(literal()), missing, any::<bool>()), trivia())
        .prop_map(move |(left, sign, right, pipes, values, (default, on_missing, once), trivia)| Line {
            left,
            sign,
            right,
            pipes,
            values,
            default: default.filter(|_| tail),
            on_missing: on_missing.filter(|_| tail),
            once: once && tail,
            at: at(),
            trivia,
        })
}

fn opt<T: Clone + std::fmt::Debug>(of: impl Strategy<Value = T> + Clone) -> impl Strategy<Value = Option<T>> + Clone {
    proptest::option::weighted(0.4, of)
}

/// One entry per side at most.
fn sides<T: Clone + std::fmt::Debug>(
    of: impl Strategy<Value = T> + Clone,
) -> impl Strategy<Value = Vec<Node<(Side, T)>>> + Clone {
    prop::collection::vec(node((side(), of)), 0..3).prop_map(|mut v| {
        if v.len() > 1 && v[0].it.0 == v[1].it.0 {
            v.truncate(1);
        }
        v
    })
}

fn operation() -> impl Strategy<Value = Operation> + Clone {
    select(vec![Operation::Create, Operation::Update, Operation::Delete])
}

fn test() -> impl Strategy<Value = Test> + Clone {
    let cell = (path(), literal()).prop_map(|(path, value)| Cell { path, value });
    let row = prop::collection::vec(cell, 0..5).prop_map(|cells| {
        let mut row = Row { cells: vec![], at: at() };
        for cell in cells {
            // A row names each column once.
            if row.cells.iter().all(|c: &Cell| c.path != cell.path) {
                row.cells.push(cell);
            }
        }
        row
    });
    let what = prop_oneof![
        3 => (side(), row.clone()).prop_map(|(s, r)| TestWhat::Row(s, r)),
        1 => side().prop_map(TestWhat::NoRow),
        1 => (path(), row).prop_map(|(p, r)| TestWhat::Other(p, r)),
        1 => Just(TestWhat::Parked),
        1 => Just(TestWhat::Error),
    ];
    let step = (any::<bool>(), what).prop_map(|(given, what)| TestStep { given, what });
    (name(), prop::collection::vec(node(step), 0..4), trivia(), end()).prop_map(|(name, mut steps, trivia, end)| {
        steps.sort_by_key(|s| !s.it.given);
        Test { name, steps, at: at(), trivia, end }
    })
}

fn edited() -> impl Strategy<Value = EditedColumn> + Clone {
    (side(), name(), trivia()).prop_map(|(side, column, trivia)| EditedColumn { side, column, trivia })
}

fn edits() -> impl Strategy<Value = Vec<Edit>> + Clone {
    prop::collection::vec(edit(), 0..3).prop_map(|mut edits| {
        edits.sort_by_key(Edit::rank);
        edits
    })
}

fn edit() -> impl Strategy<Value = Edit> + Clone {
    prop_oneof![
        (line(true), proptest::option::of(line(true))).prop_map(|(a, b)| Edit::Set(Box::new(a), b.map(Box::new))),
        line(true).prop_map(|l| Edit::Add(Box::new(l))),
        (edited(), pairs()).prop_map(|(c, p)| Edit::AddPairs(c, p)),
        (edited(), proptest::option::of(pairs())).prop_map(|(c, p)| Edit::Drop(c, p)),
    ]
}

fn map() -> impl Strategy<Value = Map> + Clone {
    let table = (name(), name()).prop_map(|(store, table)| TableRef { store, table });
    let arrow = select(vec![Arrow::ToLeft, Arrow::ToRight, Arrow::Both]);
    let tables = (table.clone(), arrow, table).prop_map(|(left, arrow, right)| Tables { left, arrow, right });
    let direct = (operation(), opt(prop::collection::vec(path(), 1..3))).prop_map(|(operation, columns)| Direct {
        operation,
        columns,
        at: at(),
    });
    let pairing = (expr(), sign(), expr()).prop_map(|(left, sign, right)| Pairing { left, sign, right });
    let conflict = prop_oneof![
        side().prop_map(Conflict::Wins),
        Just(Conflict::Hold),
        side().prop_map(Conflict::MergeElse),
        Just(Conflict::MergeElseHold),
    ];
    let run = prop_oneof![Just(RunMode::Live), Just(RunMode::Manual), (1u64..200_000).prop_map(RunMode::Every)];
    let ids = prop::collection::vec(slug().prop_map(|text| Name { text, at: at() }), 1..4);
    let head = (
        name(),
        opt(slug().prop_map(|text| Name { text, at: at() })),
        opt(node(slug())),
        opt(node("[0-9]{1,3}(\\.[0-9]{1,3}){0,3}")),
        opt(node((slug(), "[a-z ']{0,9}"))),
        opt(node(tables)),
        sides(prop::collection::vec(operation().prop_map(|o| Node::new(o, at().0)), 0..3)),
        sides(prop::collection::vec(direct, 0..3)),
        sides(select(vec![GuardMode::Report, GuardMode::Reject])),
        opt(node(pairing)),
    );
    let middle = (
        prop::collection::vec(line(false), 0..3),
        sides(expr()),
        sides(any::<bool>()),
        opt(node(ids)),
        opt(node(proptest::option::of(side()))),
        opt(node(conflict)),
        opt(node(run)),
    );
    let blocks = (
        prop::collection::vec(line(true), 0..4),
        end(),
        end(),
        prop::collection::vec(test(), 0..2),
        edits(),
        trivia(),
        end(),
    );
    (head, middle, blocks).prop_map(|(h, m, b)| Map {
        name: Some(h.0),
        extends: h.1,
        id: h.2,
        version: h.3,
        labels: h.4.into_iter().collect(),
        tables: h.5,
        operations: h.6,
        direct: h.7,
        guard: h.8,
        company: h.9,
        key: m.0,
        filter: m.1,
        on_exit: m.2,
        needs: m.3,
        initial: m.4,
        conflict: m.5,
        run: m.6,
        fields: b.0,
        fields_trivia: b.1,
        fields_end: b.2,
        tests: b.3,
        edits: b.4,
        at: at(),
        trivia: b.5,
        end: b.6,
    })
}

pub(crate) fn file() -> impl Strategy<Value = File> + Clone {
    let values =
        (name(), pairs(), trivia()).prop_map(|(name, pairs, trivia)| ValuesDecl { name, pairs, at: at(), trivia });
    (prop::collection::vec(values, 0..2), prop::collection::vec(map(), 0..2), end())
        .prop_map(|(values, maps, end)| File { values, maps, end })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_is_read_back(file in file()) {
        let written = write(&file);
        let (again, found) = read(&written);
        prop_assert!(found.is_empty(), "{:?}\n{}", found, written);
        prop_assert_eq!(&again, &file, "{}", written);
        prop_assert_eq!(round_trip(&written), written);
    }

    #[test]
    fn the_other_notation_says_all_of_it(file in file()) {
        let mut file = file;
        // There, edits stand by kind.
        file.maps.iter_mut().for_each(|m| m.edits.clear());
        // There, a file without anything is a finding.
        prop_assume!(!file.maps.is_empty() || !file.values.is_empty());
        let written = crate::syntax::yaml::write(&file);
        let mut sources = crate::source::Sources::new();
        let id = sources.add("x.map.yaml", written.as_str());
        let (again, found) = crate::syntax::yaml::parse(&sources, id);
        let errors: Vec<_> = found.iter().filter(|d| d.severity == crate::diagnostic::Severity::Error).collect();
        prop_assert!(errors.is_empty(), "{:?}\n{}", errors, written);
        prop_assert_eq!(&again, &file, "{}", written);
    }

    #[test]
    fn expressions_and_lines_are_read_back(line in line(true), expr in expr()) {
        let offset = |o| o;
        let fragment = |text| Fragment { text, file: FileId(0), offset: &offset };
        let text = write_line(&line);
        let (again, found) = parse_line(fragment(&text));
        prop_assert!(found.is_empty(), "{:?}\n{}", found, text);
        prop_assert_eq!(again, Some(line), "{}", text);
        let text = write_expr(&expr);
        prop_assert_eq!(parse_expr(fragment(&text)).0, Some(expr), "{}", text);
    }

    #[test]
    fn no_text_breaks_the_reader(text in "(?s).{0,200}", pieces in prop::collection::vec(select(PIECES), 0..60)) {
        read(&text);
        read(&pieces.concat());
        read(&format!("map \"m\" {{\n fields {{\n{}", pieces.join(" ")));
        let offset = |o| o;
        let joined = pieces.join(" ");
        let fragment = Fragment { text: &joined, file: FileId(0), offset: &offset };
        parse_line(fragment);
        parse_expr(fragment);
        parse_head(pieces.first().unwrap_or(&""), fragment, &mut Map::default());
    }

    #[test]
    fn damage_never_breaks_the_reader(cuts in prop::collection::vec((any::<prop::sample::Index>(), 0usize..6, select(PIECES)), 1..12)) {
        let mut text: Vec<char> = include_str!("testdata/actuals.tmap").chars().collect();
        for (index, length, piece) in cuts {
            let from = index.index(text.len());
            let to = (from + length).min(text.len());
            text.splice(from..to, piece.chars());
        }
        let text: String = text.into_iter().collect();
        let (file, found) = read(&text);
        for d in &found {
          for span in d.related.iter().map(|l| l.span).chain(d.span()).chain(d.fixes.iter().flat_map(|f| &f.edits).map(|e| e.span)) {
            prop_assert!(span.start <= span.end && span.end as usize <= text.len());
            prop_assert!(text.get(span.start as usize..span.end as usize).is_some(), "{:?}", d);
          }
        }
        if found.is_empty() {
            let written = write(&file);
            prop_assert_eq!(read(&written).0, file);
        }
    }
}

const PIECES: &[&str] = &[
    "map",
    "values",
    "fields",
    "test",
    "{",
    "}",
    "(",
    ")",
    "'",
    "\"",
    "'a'",
    "\"n\"",
    "\n",
    "\r\n",
    " ",
    ",",
    "|",
    "||",
    "&&",
    "=",
    "==",
    "<",
    ">",
    "<-",
    "->",
    "<->",
    "<<",
    "><",
    "!=",
    "<>",
    ":",
    ".",
    "-",
    "+",
    "*",
    "/",
    "not",
    "and",
    "or",
    "case",
    "when",
    "then",
    "else",
    "end",
    "is",
    "null",
    "in",
    "like",
    "this",
    "id",
    "key",
    "filter",
    "left",
    "right",
    "x",
    "1",
    "2.5",
    "# c\n",
    "ü",
    "\u{feff}",
    "\u{a0}",
    "set",
    "add",
    "drop",
    "was",
    "default",
    "on",
    "once",
    "count",
    "exists",
    "where",
    "é'",
    "given",
    "expect",
    "none",
    "operations",
    "direct",
    "run",
    "every",
    "15m",
    "😀",
];

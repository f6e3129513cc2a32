//! Named cases: the examples of the design, every trap, what is said about wrong texts.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use pest::Parser;

use super::*;
use crate::diagnostic::Code;
use crate::source::SourceFile;
use crate::syntax::ast::*;

const ACTUALS: &str = include_str!("testdata/actuals.tmap");
const INVOICES: &str = include_str!("testdata/invoices.tmap");

pub(super) fn read(text: &str) -> (File, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let id = sources.add("t.tmap", text);
    parse(&sources, id)
}

/// `line:column CODE message`.
fn said(text: &str) -> Vec<String> {
    let source = SourceFile::new("t", text);
    let shown = |d: &Diagnostic| {
        let place = source.place(d.span().unwrap().start);
        format!("{}:{} {} {}", place.line, place.column, d.code, d.message)
    };
    read(text).1.iter().map(shown).collect()
}

fn clean(text: &str) -> File {
    let (file, found) = read(text);
    assert!(found.is_empty(), "{:?}\n{text}", said(text));
    file
}

fn in_fields(lines: &str) -> String {
    format!("map \"m\" {{\n  fields {{\n{lines}\n  }}\n}}\n")
}

fn fields(lines: &str) -> Vec<Line> {
    clean(&in_fields(lines)).maps.remove(0).fields
}

/// Reads, writes, reads again: nothing changes but the layout, and the second writing nothing at all.
pub(super) fn round_trip(text: &str) -> String {
    let file = clean(text);
    let written = write(&file);
    assert_eq!(clean(&written), file, "{written}");
    assert_eq!(write(&clean(&written)), written);
    assert!(DslParser::parse(Rule::file, &scan::scan(&written).masked).is_ok(), "the grammar's `file`:\n{written}");
    written
}

fn fragment<'a>(text: &'a str, offset: &'a dyn Fn(usize) -> usize) -> Fragment<'a> {
    Fragment { text, file: FileId(7), offset }
}

#[test]
fn the_examples_read_and_round_trip() {
    let written = round_trip(ACTUALS);
    println!("{written}");
    println!("{}", round_trip(INVOICES));
    let map = &clean(ACTUALS).maps[0];
    assert_eq!(map.fields.len(), 13);
    assert_eq!(map.version.as_ref().unwrap().it, "1.0.0.22");
    assert_eq!(map.filter[0].trivia.after.as_deref(), Some(" the column's logical name is not public: ours"));
    assert!(map.fields[0].transforms() && !map.fields[8].once && map.fields[7].once);
    assert_eq!(clean(&ACTUALS.replace('\n', "\r\n")), clean(ACTUALS));
    assert_eq!(write(&clean(&ACTUALS.replace('\n', "\r\n"))), written);
}

#[test]
fn the_layout_is_the_canonical_one() {
    let text = "values Z{'a'=1}\nmap \"M\"{\nrun every 900s # often\n# the id\nid m-1\nfields{\nA > b\n\n\n# why\nLONGER >> c | trim()|truncate( 5 ) once # x\n'it''s' << d\n\"end\" = e { 'x' = 1 # one\n, }\n}\n# last\n}\n# end";
    // A comma may not begin a line.
    assert_eq!(said(text).len(), 1);
    let text = text.replace("# one\n, }", ", # one\n }").replace("'it''s' << d", "G < 'it''s'");
    assert_eq!(
        round_trip(&text),
        r#"values Z { 'a' = 1 }

map "M" {
  # the id
  id         m-1
  run        every 15m  # often

  fields {
    A      >  b

    # why
    LONGER >> c | trim() | truncate(5) once  # x
    G      << 'it''s'
    "end"  >< e {
      'x' = 1  # one
    }
  }
  # last
}
# end
"#
    );
}

#[test]
fn every_statement_round_trips() {
    let text = r#"map "every ""statement""" extends base-1 {
  id m
  version 12
  label de 'x ''y'''
  label zh-CN '集成'
  tables a."b c" -> "null".d
  operations left: none
  operations right: create, update,
    delete
  direct left: none
  direct right: create, update (a, b.c), delete
  guard left: report
  guard right: reject
  company DATAAREAID = each
  key a = b, # first
    # second
    c << uuid_of('x', d), e = f { 'x' = 1 }
  filter left: a is null and not b is not null
    or (c + 1) * -d >= 3
  filter right: x in (1, -2.50, 'a', null, true) and y not in (1) and z like 'a%' and w not like '_'
  on exit left: leave
  on exit right: delete
  needs a-b, c
  initial right wins
  conflict merge else left wins
  run every 2d
  fields {
    -AMOUNT >> x
    A < -B
    C << case
      when a == 1 then 'x'
      when b then (c)
      else d
    end
    D << (a == 1 or b) | f(a and b, 'c')
      | g() { 'en-us' = 15, null > 15, 'de' = 16, else > null, else < error } default 'x' on missing park once
    E = customerid.account(accountnumber).contact(a.b(c)) values "a b"
    F << exists(T where a == this.b and every(U where c == this.d : e > 1))
    G << sum(T where a == this.b : c * 2) - count(T where a == this.b)
    H << b { } on missing error
    default < default default 1
    once < once once
    f = g {
      # only a comment
    }
    _ä = 名前
    left.x > y
  }
  test "t" {
    given left { a = 'x', b.c = null, }
    given right none
    given store.table { }
    given "left" { a = 1 }
    expect left none
    expect parked
    expect error
  }
  set A < b was A < c
  set A < b # new
    was A < d # old
  add A < b
  add left.STATUS { 'Hold' < 100003 }
  drop right."a b"
  drop left.X { 'a' = 1 }
}
"#;
    println!("{}", round_trip(text));
}

#[test]
fn precedence_asks_for_the_fewest_parentheses() {
    for (text, canonical) in [
        ("a or b and not c == d + e * -f", "a or b and not c == d + e * -f"),
        ("((a or b)) and (not (c == (d)))", "(a or b) and not c == d"),
        ("a - (b - c) - d", "a - (b - c) - d"),
        ("(a * b) / (c / d)", "a * b / (c / d)"),
        ("-(5) + -5 - -5 --x", "-(5) + -5 - -5 - -x"),
        ("(a == b) == (not c)", "(a == b) == (not c)"),
        ("not (a and b) is null", "not (a and b) is null"),
        ("- (a + b)", "-(a + b)"),
        ("a -1", "a - 1"),
        ("a\n  and\n b\n or c", "a and b or c"),
        ("f( a\n , b\n)", "f(a, b)"),
        ("(a\n + b)", "a + b"),
        ("(a # why\n == b)", "a == b"),
        ("f (x)", "f(x)"),
    ] {
        let at = |o| o;
        let (expr, found) = parse_expr(fragment(text, &at));
        assert!(found.is_empty(), "{text}: {found:?}");
        let expr = expr.unwrap();
        assert_eq!(write_expr(&expr), canonical);
        assert_eq!(parse_expr(fragment(canonical, &at)).0.unwrap(), expr);
    }
}

#[test]
fn traps() {
    // A line may start with a minus; the one before is not continued.
    let lines = fields("A > b\n-AMOUNT >> x\nC < -D");
    assert!(matches!(lines[1].left.kind, ExprKind::Negate(_)) && matches!(lines[2].right.kind, ExprKind::Negate(_)));
    // `path` does not swallow a tail; calls, aggregates and paths are told apart.
    assert!(fields("A < b default 'x'")[0].default.is_some());
    assert!(matches!(fields("A << count(x)")[0].right.kind, ExprKind::Call(_)));
    assert!(matches!(fields("A < count")[0].right.kind, ExprKind::Path(_)));
    // Words that begin like keywords are names.
    assert!(
        matches!(&fields("orders < nothing")[0].right.kind, ExprKind::Path(p) if p.steps[0].name.text == "nothing")
    );
    // A line goes on where the next begins with a pipe, and after a comma.
    assert_eq!(fields("A << b\n\n  # c\n  | f()\n  | g(1,\n 2)")[0].pipes.len(), 2);
    // Texts hold everything but a line break.
    assert_eq!(fields("A < '# { ( | '' \" ü'").len(), 1);
    // Blocks on one line.
    assert_eq!(clean("map \"m\" { fields { A > b } }").maps[0].fields.len(), 1);
}

#[test]
fn wrong_spellings_are_understood_and_mended() {
    for (lines, code, fix) in [
        ("A -> b", "TM0105", ">"),
        ("A <- b", "TM0105", "<"),
        ("A == b", "TM0105", "="),
        ("A < (b = 1)", "TM0104", "=="),
        ("A < (b <> 1)", "TM0105", "!="),
        ("A < (b && c)", "TM0105", "and"),
        ("A < (b||c)", "TM0105", " or "),
        ("A < (!b)", "TM0105", "not "),
        ("A < b default \"x\"", "TM0109", "'x'"),
        ("A < b | trim", "TM0116", "trim()"),
        ("A < b { 'x' -> 1 }", "TM0105", ">"),
    ] {
        let text = in_fields(lines);
        let (file, found) = read(&text);
        assert_eq!(found.len(), 1, "{lines}: {:?}", said(&text));
        assert_eq!(found[0].code.0, code, "{lines}");
        assert_eq!(found[0].fixes[0].edits[0].replacement, fix);
        assert_eq!(file.maps[0].fields.len(), 1, "{lines} is understood");
        let edit = &found[0].fixes[0].edits[0];
        let mut mended = text.clone();
        mended.replace_range(edit.span.start as usize..edit.span.end as usize, fix);
        assert_eq!(clean(&mended), file);
    }
}

#[test]
fn every_problem_of_a_file_is_reported_on_its_line() {
    let text = r#"valus X { 'a' = 1 }
map Bad {
  id bad_id
  version 1.x
  tables a.b.c <-> d.e
  tabels a.b <-> c.d
  operations left create
  filter left: a = 1 && b <> 2
  filter left: c == 1
  run every 5 weeks
  A > b
  needs x;
  fields {
    A > 
    B < 'open
    C > b c
    D < end
    E << f(g
    F = h {
      'a' = 1
      'b' = x
      'c' 2
      'd' = "e"
    }
    G || f()
    H < a default 1 | trim()
    I > ok
  }
  fields { }
  test "t" {
    given left top { a = 1 }
    expect left { a == 'x', b = , c = 1 }
  }
}
}
"#;
    let said = said(text);
    println!("{}", said.join("\n"));
    let at: Vec<&str> = said.iter().map(|s| s.rsplitn(2, " TM").last().unwrap().split(' ').next().unwrap()).collect();
    let lines: Vec<&str> = at.iter().map(|a| a.split(':').next().unwrap()).collect();
    let expected = "1 2 3 4 5 6 7 8 8 8 9 10 11 12 14 15 16 17 18 21 22 23 25 26 29 31 32 32 35";
    assert_eq!(lines.join(" "), expected);
    let (file, _) = read(text);
    let map = &file.maps[0];
    let kept: Vec<String> = map.fields.iter().map(write_line).collect();
    assert_eq!(kept, ["F >< h { 'a' = 1, 'd' = 'e' }", "I > ok"]);
    assert_eq!(map.name.as_ref().unwrap().text, "Bad");
}

#[test]
fn messages() {
    let one = |text: &str| {
        let said = said(text);
        assert_eq!(said.len(), 1, "{said:?}");
        said[0].clone()
    };
    let line = |text: &str| one(&in_fields(text)).replacen("3:", "", 1);
    assert_eq!(line("A > "), "4 TM0101 expected a column or a value, found the end of the line");
    assert_eq!(line("A > b c"), "7 TM0101 expected the end of the line, found `c`");
    assert_eq!(line("A > b;"), "6 TM0101 expected the end of the line, found `;`");
    assert_eq!(line("A > end"), "5 TM0114 `end` is a reserved word, not a name");
    assert_eq!(line("A > f(b"), "8 TM0101 expected `)` or `,`, found the end of the line");
    assert_eq!(line("A b"), "3 TM0101 expected a sign (`=`, `<`, `>`), found `b`");
    assert_eq!(line("A > b == c"), "7 TM0101 expected the end of the line, found `==`");
    assert_eq!(line("A > b { 'x' = }"), "15 TM0101 expected a value, found `}`");
    assert_eq!(line("A > b { 'x' = 1 'y' = 2 }"), "17 TM0101 expected `,` or `}`, found `'y'`");
    assert_eq!(line("needs a"), "1 TM0115 `needs` is a statement of the map; it does not stand inside `fields`");
    assert_eq!(line("A > 'b"), "5 TM0102 this text is not closed on its line");
    let head = |text: &str| one(&format!("map \"m\" {{\n{text}\n}}\n")).replacen("2:", "", 1);
    assert_eq!(head("tabels a.b <-> c.d"), "1 TM0107 unknown statement `tabels`");
    assert_eq!(head("A > b"), "1 TM0115 a field line stands inside `fields { … }`");
    assert_eq!(head("id a_b"), "4 TM0112 `a_b` is not an id");
    assert_eq!(head("version v1"), "9 TM0111 `v1` is not a version");
    assert_eq!(head("run every 5"), "11 TM0117 `5` is not a duration");
    assert_eq!(head("guard left: no"), "13 TM0101 expected `report` or `reject`, found `no`");
    assert_eq!(head("id a\nid b"), "3:1 TM0106 `id` stands twice in this map");
    let row = "test \"t\" {\n given left { a.b = 1, c = 2, a.\"b\" = 1 }\n}";
    assert_eq!(head(row), "3:31 TM0106 `a.b` stands twice in this row");
    assert_eq!(head("tables a <-> b.c"), "8 TM0113 `a` names no table: a side is `store.table`");
    assert_eq!(head("initial left"), "13 TM0101 expected `wins`, found the end of the line");
    assert_eq!(one("map \"m\" {\n id a\n"), "1:9 TM0103 this `{` is never closed");
    assert_eq!(one("}\n"), "1:1 TM0103 this `}` closes nothing");
    assert_eq!(one("mapp \"m\"\n"), "1:1 TM0107 expected `map` or `values`, found `mapp`");
    assert_eq!(
        one("map \"m\" {\n}\u{a0}\n"),
        "2:2 TM0101 expected the end of the line after `}`, found the character U+00A0"
    );
}

#[test]
fn places_are_right_with_crlf_tabs_and_other_scripts() {
    let text = "# ü\r\nmap \"名\" {\r\n\tid a_b\r\n\tfields {\r\n\t\tÄ < 名前 x\r\n\t\tB < 'ü\r\n\t}\r\n}\r\n";
    assert_eq!(
        said(text),
        [
            "3:5 TM0112 `a_b` is not an id",
            "5:10 TM0101 expected the end of the line, found `x`",
            "6:7 TM0102 this text is not closed on its line"
        ]
    );
    let span = read(text).1[2].span().unwrap();
    assert_eq!(&text[span.start as usize..span.end as usize], "'ü");
}

#[test]
fn a_brace_that_is_missing_costs_one_finding() {
    let text = "map \"m\" {\n  id m\n  fields {\n    A << b {\n      'x' < 1\n    C > d\n  }\n  test \"t\" {\n    expect left none\n  }\n}\n";
    let found = said(text);
    assert_eq!(found, ["4:12 TM0103 this `{` is never closed"]);
    assert_eq!(read(text).0.maps[0].fields.len(), 1);
    let text = "map \"m\" {\n  fields {\n    A > b\n\n  test \"t\" {\n    expect left none\n  }\n}\nmap \"n\" {\n}\n";
    assert_eq!(said(text), ["2:10 TM0103 this `{` is never closed"]);
    assert_eq!(read(text).0.maps.len(), 2);
    let text = "map \"m\" {\n  id a\n\nmap \"n\" {\n}\n";
    assert_eq!(said(text), ["1:9 TM0103 this `{` is never closed"]);
    assert_eq!(read(text).0.maps.len(), 2);
}

#[test]
fn comments_are_never_lost() {
    let text = "# c1\n\n# c2\nvalues V { # c3\n 'a' = 1, # c4\n # c5\n 'b' = 2 # c6\n # c7\n} # c8\n# c9\nmap \"m\" { # c10\n # c11\n id a # c12\n filter left: a # c13\n  and (b # c14\n  or c) # c15\n key a = b, # c16\n # c17\n c = d { 'x' = 1 # c18\n } # c19\n needs a, # c20\n b # c21\n fields { # c22\n # c23\n A << b # c24\n # c25\n | f() # c26\n # c27\n } # c28\n test \"t\" { # c29\n given left { a = 1, # c30\n b = 2 # c31\n } # c32\n # c33\n } # c34\n set A < b # c35\n # c36\n was A < c # c37\n # c38\n drop left.A # c39\n # c40\n add left.X { 'a' = 1 # c41\n } # c42\n } # c43\n# c44\n";
    let written = round_trip(text);
    for n in 1..=44 {
        let count = written.lines().filter(|l| l.ends_with(&format!("# c{n}"))).count();
        assert_eq!(count, 1, "c{n} in\n{written}");
    }
}

#[test]
fn fragments_report_places_of_their_file() {
    let at = |o: usize| o + 100;
    let (line, found) = parse_line(fragment("A << b | f(1)", &at));
    assert!(found.is_empty());
    let line = line.unwrap();
    assert_eq!((line.right.at.0.start, line.right.at.0.end, line.right.at.0.file), (105, 106, FileId(7)));
    assert_eq!(write_line(&line), "A << b | f(1)");
    assert_eq!(parse_line(fragment("A > ", &at)).1[0].span().unwrap().start, 103);
    assert_eq!(parse_line(fragment("A > b\nC > d", &at)).1.len(), 1);
    assert_eq!(parse_line(fragment("", &at)).1.len(), 1);
    assert_eq!(parse_expr(fragment("a = 1", &at)).1[0].span().unwrap().start, 102);
    let mut map = Map::default();
    assert!(parse_head("operations left:", fragment("create, update", &at), &mut map).is_empty());
    assert!(parse_head("tables", fragment("a.b <-> c.d", &at), &mut map).is_empty());
    assert!(parse_head("run", fragment("every 15m", &at), &mut map).is_empty());
    assert!(parse_head("key", fragment("a = b, c << f(d)", &at), &mut map).is_empty());
    assert!(parse_head("filter right:", fragment("a == 1\n  and b # why", &at), &mut map).is_empty());
    assert_eq!((map.operations.len(), map.key.len(), map.run.unwrap().it), (1, 2, RunMode::Every(900)));
    assert_eq!(map.operations[0].it.1[1].at.0.start, 108);
    assert_eq!(map.tables.unwrap().it.left.store.at.0.start, 100);
    let mut map = Map::default();
    let found = parse_head("version", fragment("1.x", &at), &mut map);
    assert_eq!((found[0].code, found[0].span().unwrap().start), (Code::TM0111, 100));
    assert_eq!(parse_head("run", fragment("", &at), &mut map).len(), 1);
    assert_eq!(parse_head("id", fragment("a b", &at), &mut map).len(), 1);
    assert_eq!(parse_head("nonsense", fragment("a", &at), &mut map)[0].code, Code::TM0107);
}

#[test]
fn depth_and_size_end_in_a_finding() {
    let wrap = |open: &str, n: usize, middle: &str, close: &str| {
        in_fields(&format!("A << {}{middle}{}\nB > c", open.repeat(n), close.repeat(n)))
    };
    for (open, close) in
        [("(", ")"), ("f(", ")"), ("count(", ")"), ("-", ""), ("case when a then ", " end"), ("f(not (", "))")]
    {
        let deep = if open.len() == 7 { 63 } else { 126 };
        let found = said(&wrap(open, deep, "x", close));
        assert!(found.is_empty(), "{open}: {found:?}");
        for n in [130, 20_000] {
            let text = wrap(open, n, "x", close);
            let (file, found) = read(&text);
            assert_eq!(found.len(), 1, "{open} {n}");
            assert_eq!(found[0].code, Code::TM0108);
            assert_eq!(file.maps[0].fields.len(), 1);
        }
        read(&wrap(open, 50_000, "", ""));
    }
    for (open, n) in [("f(not (", 63), ("(a + -", 100), ("f(a or not b + ", 126), ("case when a and not b + ", 126)] {
        let close = if open.starts_with("case") { " == c then d end" } else { &")".repeat(open.matches('(').count()) };
        let (file, found) = read(&wrap(open, n, "x", close));
        assert!(found.iter().all(|d| d.code == Code::TM0108), "{open}: {found:?}");
        assert_eq!(file, file.clone());
        assert_eq!(read(&write(&file)).0, file);
    }
    assert!(said(&wrap("a + ", 200, "a", "")).is_empty());
    assert_eq!(said(&wrap("a + ", 20_000, "a", "")).len(), 1);
    assert_eq!(read(&wrap("a.b(", 100, "c", ")")).1.len(), 0);
    read(&wrap("a.b(", 10_000, "c", ")"));
    read(&wrap("exists(a where ", 120, "c", ")"));
    read(&wrap("exists(a where ", 120, "c", ""));
    read(&wrap("not (a and (b or ", 60, "c", ""));
    read(&"map \"m\" {\n".repeat(10_000));
    read(&"}\n".repeat(10_000));
    read(&in_fields(&"A << b {\n".repeat(3_000)));
}

#[test]
fn large_files_take_time_in_proportion() {
    let lines = |n: usize, line: &str| in_fields(&line.repeat(n));
    let time = |text: &str| {
        let before = std::time::Instant::now();
        read(text);
        before.elapsed().as_secs_f64()
    };
    let pairs = |n: usize| in_fields(&format!("A << b {{\n{}'x' ! 1\n}}", "'abc' = 1\n".repeat(n)));
    let texts: [&dyn Fn(usize) -> String; 5] = [
        &|n| lines(n, "    COLUMN << a.b.c | trim() | f(1, 'x') { 'a' = 1 } default 'x' once # why\n"),
        &|n| lines(n, "A b\n"),
        &|n| lines(n, "A < 'open\n"),
        &|n| lines(n, "A < {\n"),
        &pairs,
    ];
    for (i, text) in texts.into_iter().enumerate() {
        let (small, large) = (time(&text(500)), time(&text(4_000)));
        println!("{i}: {small:.3} {large:.3}");
        assert!(large < 30.0 * small + 0.5, "{i}: {small} {large}");
    }
}

use super::*;
use crate::syntax::{ast, dsl};
use proptest::prelude::*;

const ACTUALS: &str = include_str!("testdata/actuals.tmap");
const ACTUALS_YAML: &str = include_str!("testdata/actuals.map.yaml");
const BUSY: &str = include_str!("testdata/busy.tmap");

fn read(text: &str) -> (ast::File, Vec<String>) {
    let mut sources = Sources::new();
    let file = sources.add("m.map.yaml", text);
    let (tree, findings) = parse(&sources, file);
    for d in &findings {
        let s = d.span().unwrap();
        assert!(text.get(s.start as usize..s.end as usize).is_some(), "{d:?}");
    }
    let shown =
        findings.iter().map(|d| format!("{} {} {}", d.code, sources.at(d.span().unwrap()), d.message)).collect();
    (tree, shown)
}

fn read_dsl(text: &str) -> ast::File {
    let mut sources = Sources::new();
    let file = sources.add("m.tmap", text);
    let (tree, findings) = dsl::parse(&sources, file);
    assert!(findings.is_empty(), "{findings:#?}\n{text}");
    tree
}

fn accepts(text: &str) -> bool {
    let schema: serde_json::Value =
        serde_json::from_str(include_str!("../../../grammar/table-map.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let (document, findings) = yaml::parse(text, FileId(0));
    findings.is_empty() && validator.is_valid(&document.root.map_or(serde_json::Value::Null, |r| yaml::to_json(&r)))
}

/// Every comment of a text, in order.
fn comments(text: &str) -> Vec<String> {
    let (document, _) = yaml::parse(text, FileId(0));
    let mut out: Vec<_> = document.root.iter().flat_map(trivia::inside).collect();
    out.extend(trivia::lines(&document.end));
    out.into_iter()
        .filter_map(|l| match l {
            ast::TriviaLine::Comment(c) => Some(c),
            ast::TriviaLine::Blank => None,
        })
        .collect()
}

#[test]
fn dsl_to_yaml_and_back() {
    for text in [ACTUALS, BUSY] {
        let tree = read_dsl(text);
        let written = write(&tree);
        let (again, findings) = read(&written);
        assert_eq!(findings, Vec::<String>::new(), "{written}");
        assert_eq!(again, tree, "{written}");
        assert!(accepts(&written), "{written}");
        assert_eq!(write(&again), written);
        assert_eq!(read_dsl(&dsl::write(&again)), tree);
        let hashes = |t: &str| t.matches(" # ").count() + t.matches("\n# ").count();
        assert!(hashes(text) > 0);
    }
}

#[test]
fn comments_survive_both_ways() {
    let tree = read_dsl(BUSY);
    let written = write(&tree);
    let back = dsl::write(&read(&written).0);
    let wanted = [
        "top of the file",
        "about NoYes",
        "short",
        "the first",
        "colon",
        "before else",
        "the end",
        "after the pairs",
        "the map itself",
        "the id",
        "an id",
        "two keys",
        "filter comment",
        "the fields",
        "first",
        "negative",
        "tail",
        "in the pairs",
        "one",
        "pairs end",
        "last in fields",
        "a test",
        "opens",
        "given",
        "row",
        "end of test",
        "overlay",
        "why",
        "more pairs",
        "held",
        "gone",
        "for good",
        "end of map",
        "end of file",
    ];
    let found = comments(&written);
    for c in wanted {
        assert!(found.contains(&format!(" {c}")), "{c}\n{written}");
        assert!(back.contains(&format!("# {c}\n")), "{c}\n{back}");
    }
    assert_eq!(found.len(), wanted.len(), "{found:?}");
}

#[test]
fn the_example_of_the_design() {
    let (tree, findings) = read(ACTUALS_YAML);
    assert_eq!(findings, Vec::<String>::new());
    assert!(accepts(ACTUALS_YAML));
    let map = &tree.maps[0];
    assert_eq!(map.fields.len(), 2);
    assert_eq!(map.trivia.before.len(), 1);
    assert_eq!(map.fields[0].trivia.after.as_deref(), Some(" a field line, the same text as in the DSL"));
    let written = write(&tree);
    let (again, findings) = read(&written);
    assert!(findings.is_empty());
    assert_eq!(again, tree);
    assert_eq!(write(&again), written);
    assert_eq!(comments(&written).len(), comments(ACTUALS_YAML).len());
}

#[test]
fn leading_zeros_are_not_written() {
    let tree = read_dsl("values V { 010 = 'a', -00.50 = 'b', 0 = 'c', 0.5 = 'd', 00 > 'e' }\n");
    let written = write(&tree);
    for number in ["left: 10,", "left: -0.50,", "left: 0,", "left: 0.5,"] {
        assert!(written.contains(number), "{written}");
    }
    assert!(read(&written).1.is_empty());
}

#[test]
fn plain_or_block() {
    let tree = read_dsl("map \"x\" {\n  fields {\n    A << f('a: b')\n    B < c\n  }\n}\n");
    assert_eq!(write(&tree), "map: x\n\nfields:\n  - |-\n    A << f('a: b')\n  - B < c\n");
}

const HEAD: &str = "map: x\ntables: a.T <-> b.U\n";

#[test]
fn findings_stand_where_the_fault_is() {
    let cases: &[(&str, &str)] = &[
        ("fields:\n  - A << f(x, 'a: b')\n", "TM0140 m.map.yaml:4:5 `: ` makes a mapping of this line"),
        ("fields:\n  - A << 'a #b'\n", "TM0140 m.map.yaml:4:5 ` #` ends this line in the middle of a text or bracket"),
        ("key: [A = b | f(1, 2)]\n", "TM0140 m.map.yaml:3:7 a line inside `[ … ]` or `{ … }` is cut at commas"),
        ("operations: { left: create, update }\n", "TM0140 m.map.yaml:3:29 inside `{ … }` the comma ends the text"),
        ("fields:\n  - &A = b\n", "TM0140 m.map.yaml:4:5 `&` at its beginning makes an anchor of this line"),
        ("fields:\n  - !A = b\n", "TM0138 m.map.yaml:4:5 the tag `!A` is not used here"),
        ("fields:\n  - lines: A = b\n    values: []\n", "TM0142 m.map.yaml:4:5 unknown key `lines` in a field line"),
        ("field: []\n", "TM0142 m.map.yaml:3:1 unknown key `field` in a map"),
        ("operations: { middle: create }\n", "TM0142 m.map.yaml:3:15 unknown key `middle` in `operations`"),
        ("filter: a == b\n", "TM0141 m.map.yaml:3:9 expected `left:` or `right:` below `filter`, found a text"),
        (
            "tests:\n  - test: t\n    given:\n      - left: { A: 1 }\n        right: { B: 1 }\n",
            "TM0141 m.map.yaml:6:9 a step of a test is one row",
        ),
        (
            "tests:\n  - test: t\n    given: [nothing]\n",
            "TM0141 m.map.yaml:5:13 expected a row (`right: { COLUMN: value }`), found a text",
        ),
        (
            "values:\n  V:\n    - { left: 1, right: 1e3 }\n",
            "TM0141 m.map.yaml:5:25 `1e3` is not written as a number of maps",
        ),
        ("values:\n  V:\n    - { left: 1 }\n", "TM0143 m.map.yaml:5:7 a pair has no `right`"),
        (
            "values:\n  V:\n    - { left: no, right: 1 }\n",
            "TM0139 m.map.yaml:5:15 `no` without quotes is not a text for every reader of YAML",
        ),
        (
            "fields:\n  - line: A < b\n    values: V\n",
            "TM0141 m.map.yaml:5:13 expected a list of pairs for `values`, found a text",
        ),
        ("map: y\n", "TM0131 m.map.yaml:3:1 the key `map` is written twice"),
    ];
    let mut off = vec![];
    for (text, expected) in cases {
        let findings = read(&format!("{HEAD}{text}")).1;
        if !findings.iter().any(|f| f == expected) {
            off.push(format!("{expected}\n{findings:#?}"));
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

#[test]
fn fixes_mend() {
    for (text, left) in [("A << f(x, 'a: b')", 0), ("A << 'a #b'", 0), ("&A = b", 1)] {
        let text = format!("{HEAD}fields:\n  - {text}\n");
        let mut sources = Sources::new();
        let file = sources.add("m", text.clone());
        let (_, findings) = parse(&sources, file);
        let edit = findings.iter().find(|d| d.code == Code::TM0140).unwrap().fixes[0].edits[0].clone();
        let mut mended = text.clone();
        mended.replace_range(edit.span.start as usize..edit.span.end as usize, &edit.replacement);
        let after = read(&mended).1;
        assert!(after.iter().all(|f| !f.contains("TM0140")), "{mended}\n{after:?}");
        assert!(after.len() <= left, "{mended}\n{after:?}");
    }
}

#[test]
fn findings_inside_scalars_are_mapped() {
    let plain = read(&format!("{HEAD}filter:\n  right: ab ==\n")).1;
    assert!(plain.iter().any(|f| f.contains("m.map.yaml:4:1")), "{plain:?}");
    let block = format!("{HEAD}filter:\n  right: |-\n    ab and\n    cd ===\n");
    let (_, findings) = read(&block);
    assert!(findings.iter().any(|f| f.contains("m.map.yaml:6:")), "{findings:?}");
    let (tree, findings) = read(&format!("{HEAD}filter:\n  right: |-\n    ab == 1 and\n    cd == 2\n"));
    assert!(findings.is_empty(), "{findings:?}");
    let ast::ExprKind::Binary(_, _, second) = &tree.maps[0].filter[0].it.1.kind else { panic!() };
    let text = format!("{HEAD}filter:\n  right: |-\n    ab == 1 and\n    cd == 2\n");
    assert_eq!(&text[second.at.0.start as usize..second.at.0.end as usize], "cd == 2");
}

/// What the decoder takes, JSON Schema takes, and the other way round.
#[test]
fn decoder_and_schema_agree() {
    let cases: &[(&str, bool)] = &[
        ("version: 1.0\n", true),
        ("version: a\n", false),
        ("version: [1]\n", false),
        ("id: a-b\n", true),
        ("id: a--b\n", false),
        ("extends: base\n", true),
        ("extends: 1\n", false),
        ("label: { en: x }\n", true),
        ("label: x\n", false),
        ("label: { en: 1 }\n", false),
        ("operations:\n  left: create, update\n", true),
        ("operations:\n  top: create\n", false),
        ("operations: {}\n", false),
        ("guard: { left: reject }\n", true),
        ("company: A = b\n", true),
        ("company: 5\n", false),
        ("key: A = b\n", true),
        ("key: []\n", false),
        ("key:\n  - A = b\n  - line: C = d\n    values: [{ left: 1, right: 2 }]\n", true),
        ("key: { line: 1 }\n", false),
        ("filter:\n  left: a == 1\n", true),
        ("on exit: { right: delete }\n", true),
        ("needs: [a, b]\n", true),
        ("needs: a\n", true),
        ("needs: []\n", false),
        ("needs: { a: b }\n", false),
        ("initial: none\n", true),
        ("initial: both win\n", false),
        ("conflict: merge else hold\n", true),
        ("conflict: merge\n", false),
        ("run: every 15m\n", true),
        ("run: sometimes\n", false),
        ("fields: []\n", true),
        ("fields: A = b\n", false),
        ("fields:\n  - A = b\n  - line: A < b\n    values: []\n", true),
        ("fields:\n  - values: []\n", false),
        ("fields:\n  - true\n", false),
        ("fields:\n  - 5\n", false),
        ("fields:\n  -\n", false),
        ("values: { V: [{ left: a, right: null, sign: \"<\" }, { else: pass }] }\n", true),
        ("values: { V: [{ else: { value: 1 }, sign: \">\" }] }\n", true),
        ("values: { V: [{ else: 1 }] }\n", false),
        ("values: { V: [{ else: error, left: 1 }] }\n", false),
        ("values: { V: [{ left: 1, right: [2] }] }\n", false),
        ("values: { V: [{ left: 1, right: 2, sign: \"<<\" }] }\n", false),
        ("values: { \" \": [] }\n", false),
        ("values: []\n", false),
        ("set:\n  - line: A < b\n    was: A < c\n", true),
        ("set:\n  - was: A < c\n", false),
        ("add:\n  - A < b\n  - column: left.A\n    values: [{ left: 1, right: 2 }]\n", true),
        ("add:\n  - column: left.A\n", false),
        ("drop: [left.A, { column: right.b }]\n", true),
        ("drop: [A]\n", false),
        ("tests: [{ test: t, given: [{ left: none }], expect: [parked] }]\n", true),
        ("tests: [{ test: t, expect: [{ right: { a.b: 1 } }] }]\n", true),
        ("tests: [{ given: [] }]\n", false),
        ("tests: [{ test: t, given: { left: none } }]\n", false),
        ("tests: [{ test: t, expect: [lost] }]\n", false),
        ("tests: [{ test: t, expect: [{ right: { a: [1] } }] }]\n", false),
        ("tests: [{ test: t, given: [{ left: some }] }]\n", false),
        ("other: 1\n", false),
        ("run: live\nrun: live\n", false),
    ];
    let mut off = vec![];
    for (text, good) in cases {
        // The schema knows that only an overlay has edits; the decoder leaves that to the analysis (TM0115).
        let edits = ["set:", "add:", "drop:"].iter().any(|k| text.starts_with(k));
        assert!(!edits || !accepts(&format!("{HEAD}{text}")), "edits of nothing: {text}");
        let text = format!("{HEAD}{}{text}", if edits { "extends: base\n" } else { "" });
        let decoder = read(&text).1;
        if decoder.is_empty() != *good || accepts(&text) != *good {
            off.push(format!("{text}\n{good} {decoder:?} schema accepts: {}", accepts(&text)));
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
    for (text, good) in
        [("values: { V: [] }\n", true), ("id: a\n", false), ("[]\n", false), ("", false), ("x\n", false)]
    {
        assert_eq!((read(text).1.is_empty(), accepts(text)), (good, good), "{text}");
    }
}

proptest! {
    #[test]
    fn torn_maps_never_panic(from in 0..ACTUALS_YAML.len(), length in 0..40usize, put in "[ \\n:{}\\[\\],a-z&*!|#'\"<>=-]{0,6}") {
        let end = (from + length).min(ACTUALS_YAML.len());
        if ACTUALS_YAML.is_char_boundary(from) && ACTUALS_YAML.is_char_boundary(end) {
            let mut text = ACTUALS_YAML.to_string();
            text.replace_range(from..end, &put);
            let (tree, _) = read(&text);
            write(&tree);
        }
    }

    #[test]
    fn torn_busy_maps_never_panic(from in 0..BUSY.len() * 2, length in 0..60usize, put in "[ \\n:{}\\[\\],a-z&*!|#'\"<>=-]{0,6}") {
        static WHOLE: std::sync::OnceLock<String> = std::sync::OnceLock::new();
        let whole = WHOLE.get_or_init(|| write(&read_dsl(BUSY)));
        let end = (from + length).min(whole.len());
        if from <= end && whole.is_char_boundary(from) && whole.is_char_boundary(end) {
            let mut text = whole.clone();
            text.replace_range(from..end, &put);
            let (tree, _) = read(&text);
            write(&tree);
        }
    }

    #[test]
    fn texts_of_every_kind_come_back(name in "[ -~ä]{1,12}", value in any::<String>()) {
        prop_assume!(!name.trim().is_empty());
        let literal = |t: &str| ast::Literal { kind: ast::LiteralKind::Text(t.into()), at: Span::default().into() };
        let mut tree = read_dsl("map \"x\" {\n  label en 'x'\n  fields {\n    A << b { 'x' < 1 }\n  }\n}\n");
        let map = &mut tree.maps[0];
        map.name = Some(ast::Name { text: name.clone(), at: Span::default().into() });
        map.labels[0].it.1 = value.clone();
        if let Some(ast::LineValues::Inline(p)) = &mut map.fields[0].values
            && let ast::Pair::Of { left, right, .. } = &mut p.pairs[0].it {
            *left = literal(&value);
            *right = literal(&name);
        }
        let written = write(&tree);
        let (again, findings) = read(&written);
        prop_assert!(findings.is_empty(), "{findings:?}\n{written}");
        prop_assert_eq!(&again, &tree, "{}", written);
        prop_assert_eq!(write(&again), written);
    }
}

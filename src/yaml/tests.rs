use super::*;
use crate::source::FileId;
use proptest::prelude::*;

fn read(text: &str) -> (Document, Vec<String>) {
    let (doc, findings) = parse(text, FileId(0));
    let shown = findings
        .iter()
        .map(|d| {
            let s = d.span().unwrap();
            format!("{} {:?}", d.code, &text[s.start as usize..s.end as usize])
        })
        .collect();
    (doc, shown)
}

fn shown(node: &Node, text: &str) -> String {
    match &node.kind {
        Kind::Scalar(s) => format!("{}={:?}", s.text, &text[node.span.start as usize..node.span.end as usize]),
        Kind::Mapping(e) => format!(
            "{{{}}}",
            e.iter().map(|e| format!("{}: {}", e.key.text, shown(&e.value, text))).collect::<Vec<_>>().join(", ")
        ),
        Kind::Sequence(i) => {
            format!("[{}]", i.iter().map(|i| shown(&i.value, text)).collect::<Vec<_>>().join(", "))
        }
    }
}

#[test]
fn spans_of_every_style() {
    let text = "a: pläin\nb: 'it''s'\nc: \"x\\ty\"\nd: |-\n  one\n  two\ne: >\n  fol\n  ded\n\nf: [1, {g: 2}]\nh:\ni: multi\n  line\n";
    let (doc, findings) = read(text);
    assert_eq!(findings, Vec::<String>::new());
    assert_eq!(
        shown(doc.root.as_ref().unwrap(), text),
        "{a: pläin=\"pläin\", b: it's=\"'it''s'\", c: x\ty=\"\\\"x\\\\ty\\\"\", d: one\ntwo=\"|-\\n  one\\n  two\", \
         e: fol ded\n=\">\\n  fol\\n  ded\", f: [1=\"1\", {g: 2=\"2\"}], h: =\"\", i: multi line=\"multi\\n  line\"}"
    );
    let root = doc.root.unwrap();
    for (key, needle) in [("a", "in"), ("b", "s"), ("c", "y"), ("d", "two"), ("e", "ded"), ("i", "line")] {
        let s = root.get(key).unwrap().value.scalar().unwrap();
        let at = s.offset(s.text.rfind(needle).unwrap());
        assert!(text[at..].starts_with(needle), "{key}: {:?}", &text[at..]);
    }
    assert_eq!(&text[root.span.start as usize..root.span.end as usize], text.trim_end());
}

#[test]
fn policy() {
    let cases: &[(&str, &[&str])] = &[
        ("map: a\n\"map\": b\n", &["TM0131 \"\\\"map\\\"\""]),
        ("a: *x\n", &["TM0132 \"*x\""]),
        ("a: &x {b: 1}\nc:\n  <<: *x\n", &["TM0134 \"<<\""]),
        ("a: 1\n---\nb: 2\n", &["TM0135 \"---\""]),
        ("a:\n  - b\n\t- c\n", &["TM0130 \"b\"", "TM0136 \"\\t\""]),
        ("a: !x b\n", &["TM0138 \"!x b\""]),
        ("[a]: b\n", &["TM0138 \"[a]\""]),
        ("a: [b\n", &["TM0130 \"[\""]),
        ("a: &x [*x]\n", &["TM0133 \"*x\""]),
        ("a: &x 1\nb: *x\n", &[]),
    ];
    for (text, expected) in cases {
        assert_eq!(read(text).1, *expected, "{text}");
    }
}

#[test]
fn bombs() {
    let mut bomb = String::from("a0: &a0 [x, x, x, x, x, x, x, x, x]\n");
    for i in 1..12 {
        let refs = vec![format!("*a{}", i - 1); 9].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{refs}]\n"));
    }
    assert!(read(&bomb).1.iter().any(|f| f.starts_with("TM0133")));
    for deep in ["[".repeat(20_000), "{a: ".repeat(20_000), "- ".repeat(20_000), "a:\n ".repeat(300)] {
        assert!(!read(&deep).1.is_empty());
    }
    let mut chain = format!("a0: &a0 {}x{}\n", "[".repeat(60), "]".repeat(60));
    for i in 1..50 {
        chain.push_str(&format!("a{i}: &a{i} {}*a{}{}\n", "[".repeat(60), i - 1, "]".repeat(60)));
    }
    assert!(read(&chain).1.iter().any(|f| f.starts_with("TM0137")));
}

#[test]
fn large_odd_files_are_read_in_time() {
    let start = std::time::Instant::now();
    let spaces = " ".repeat(100_000);
    let texts = [
        format!("a: \"x{spaces}y\"\n"),
        format!("a: |\n{}", "  \tx\n".repeat(20_000)),
        format!("{}x{}\n", "&a [".repeat(120), ", 1]".repeat(120)),
        "- |-\n \tx\n".repeat(10_000),
        "# c\n\n".repeat(10_000),
        "- &a [1] # c\n- *a\n".repeat(7_000),
        format!("{}{}{}", "&a [".repeat(100), "1,".repeat(20_000), "]".repeat(100)),
    ];
    for text in texts {
        let (doc, _) = parse(&text, FileId(0));
        assert!(doc.root.is_some() || !doc.end.is_empty());
    }
    assert!(start.elapsed().as_secs() < 20, "{:?}", start.elapsed());
}

#[test]
fn comments_find_their_place() {
    let text = "# top\n\na: 1 # one\n# before b\nb: # of b\n  # in b\n  - x # of x\n  # end of b\n\n# before c\nc:\n  - l: 1 # of l\n    m: [1, 2] # of m\n# end\n";
    let (doc, findings) = read(text);
    assert!(findings.is_empty());
    let root = doc.root.unwrap();
    let entry = |k: &str| root.get(k).unwrap();
    let comment = |s: &str| CommentLine::Comment(format!(" {s}"));
    assert_eq!(entry("a").comments.before, [comment("top"), CommentLine::Blank]);
    assert_eq!(entry("a").comments.after.as_deref(), Some(" one"));
    assert_eq!(entry("b").comments.before, [comment("before b")]);
    assert_eq!(entry("b").comments.after.as_deref(), Some(" of b"));
    let b = &entry("b").value;
    assert_eq!(b.items().unwrap()[0].comments.before, [comment("in b")]);
    assert_eq!(b.items().unwrap()[0].comments.after.as_deref(), Some(" of x"));
    assert_eq!(b.end, [comment("end of b")]);
    assert_eq!(entry("c").comments.before, [CommentLine::Blank, comment("before c")]);
    let item = &entry("c").value.items().unwrap()[0];
    assert_eq!(item.value.get("l").unwrap().comments.after.as_deref(), Some(" of l"));
    assert_eq!(item.value.get("m").unwrap().comments.after.as_deref(), Some(" of m"));
    assert_eq!(doc.end, [comment("end")]);
}

#[test]
fn crlf_and_umlauts() {
    let text = "ä: 'x'\r\nb: |-\r\n  one\r\n  zwö\r\n# c\r\n";
    let (doc, findings) = read(text);
    assert!(findings.is_empty());
    let root = doc.root.unwrap();
    let s = root.get("b").unwrap().value.scalar().unwrap();
    assert_eq!(s.text, "one\nzwö");
    assert!(text[s.offset(4)..].starts_with("zwö"));
    assert_eq!(doc.end, [CommentLine::Comment(" c".into())]);
}

#[test]
fn bare_words() {
    for (t, kind) in [("no", Plain::Text), ("010", Plain::Integer), ("1e3", Plain::Number), (".5", Plain::Number)] {
        let s = Scalar { text: t.into(), style: Style::Plain, offsets: Offsets::new(t, 0, t, Style::Plain) };
        assert_eq!(resolve(&s), kind, "{t}");
    }
    for t in ["no", "On", "1_000", "010", "1:30"] {
        assert!(reads_differently(t), "{t}");
    }
    for t in ["A < b", "A << b | f(1, 2)", "-A < b", "STATUS << x { 'Open' < 4 }", "12 > b", "(a + b) > c"] {
        assert!(reads_back(t), "{t}");
    }
    for t in ["no", "10", "'a' > b", "A << 'a: b'", "A = b # c", "- x", "!A", "@a", "a:", "", "2020-01-01", "\"A\" = b"]
    {
        assert!(!reads_back(t), "{t}");
    }
}

fn every_span_fits(node: &Node, text: &str) {
    let s = node.span;
    assert!(s.start <= s.end && text.get(s.start as usize..s.end as usize).is_some(), "{s:?}");
    match &node.kind {
        Kind::Scalar(scalar) => {
            let mut last = 0;
            for i in 0..=scalar.text.len() {
                let at = scalar.offset(i);
                assert!(at <= text.len() && at >= last, "{at} {last}");
                last = at;
            }
        }
        Kind::Mapping(e) => e.iter().for_each(|e| {
            assert!(text.get(e.key_span.start as usize..e.key_span.end as usize).is_some());
            every_span_fits(&e.value, text)
        }),
        Kind::Sequence(i) => i.iter().for_each(|i| every_span_fits(&i.value, text)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn garbage_never_panics(text in "[ \\n\\r\\t:#\\-\\[\\]{},&*!|>'\"%@`a-cä0-9?~\\\\x<]{0,80}") {
        let (doc, findings) = parse(&text, FileId(0));
        if let Some(root) = &doc.root {
            every_span_fits(root, &text);
            to_json(root);
        }
        for d in findings {
            let s = d.span().unwrap();
            prop_assert!(text.get(s.start as usize..s.end as usize).is_some());
        }
    }

    #[test]
    fn any_text_never_panics(text in any::<String>()) {
        let (doc, _) = parse(&text, FileId(0));
        if let Some(root) = &doc.root {
            every_span_fits(root, &text);
        }
    }

    #[test]
    fn quoted_text_reads_back(text in any::<String>()) {
        let (doc, findings) = parse(&format!("k: {}\n", quoted(&text)), FileId(0));
        prop_assert!(findings.is_empty(), "{findings:?}");
        let root = doc.root.unwrap();
        prop_assert_eq!(&root.get("k").unwrap().value.scalar().unwrap().text, &text);
    }

    #[test]
    fn offsets_hit_the_same_character(lines in prop::collection::vec("[a-z'ä]{1,4}( [a-z\"]{1,3}){0,2}", 1..4), style in 0..5) {
        let body = lines.join("\n  ");
        let text = match style {
            0 => format!("k:\n  a{body}\n"),
            1 => format!("k: '{}'\n", body.replace('\'', "''")),
            2 => format!("k: \"{}\"\n", body.replace('"', "\\\"")),
            3 => format!("k: |-\n  {body}\n"),
            _ => format!("k: >-\n  {body}\n"),
        };
        let (doc, findings) = parse(&text, FileId(0));
        prop_assert!(findings.is_empty(), "{findings:?}");
        let root = doc.root.unwrap();
        let s = root.get("k").unwrap().value.scalar().unwrap();
        for (i, c) in s.text.char_indices().filter(|(_, c)| c.is_alphabetic()) {
            prop_assert!(text[s.offset(i)..].starts_with(c), "{text:?} {i} {c}");
        }
    }
}

//! Diff and merge: laws that hold for any three versions, and what people see.

use super::{diff, markdown, merge, text};
use crate::source::{Sources, Span};
use crate::syntax::ast::File;
use crate::syntax::{dsl, yaml};

fn parse(text: &str) -> File {
    let mut sources = Sources::new();
    let file = sources.add("m.tmap", text);
    let (tree, found) = dsl::parse(&sources, file);
    assert!(found.is_empty(), "{found:?}\n{text}");
    tree
}

const BASE: &str = "\
# of the file
values NoYes { 'No' = false, 'Yes' = true }

# of the map
map \"Customers\" {
  id         customers
  version    1.0
  label      da 'Kunder'
  tables     erp.Customers <-> crm.accounts
  operations left: create
  direct     left: update (NAME)
  guard      left: reject
  company    DATAAREAID = company.code
  key        ACCOUNT = number
  filter     right: status == 'Open'
  on exit    left: leave
  needs      currencies, groups
  initial    right wins
  conflict   left wins
  run        every 15m

  fields {
    NAME   = name  # the name
    # before the short one
    SHORT  << name | truncate(10)
    STATUS >< status {
      'Active' = 'Open'
      'Gone' < 'Closed'  # for good
      else error
    }
    ONHOLD >< onhold values NoYes
    CREDIT < credit default 0
  }

  test \"a name\" {
    given right { name = 'x' }
    expect left { NAME = 'x' }
  }
}
";

const OVERLAY: &str = "\
map \"Ours\" extends customers {
  # ours
  set NAME << name | upper()
    was NAME = name
  add EMPLOYEES < employees
  # more pairs
  add left.STATUS { 'Blocked' < 'Held' }
  drop left.SHORT  # nobody reads it
  drop left.ONHOLD { 'No' = false }
}
";

/// Changes of the base, each by itself.
const EDITS: &[(&str, &str)] = &[
    ("version    1.0", "version    1.1"),
    ("da 'Kunder'", "da 'Debitorer'"),
    ("  on exit    left: leave\n", ""),
    ("needs      currencies, groups", "needs      groups, terms"),
    ("status == 'Open'", "status == 'Open' and not onhold"),
    ("    NAME   = name  # the name\n", "    # one way now\n    NAME   < name\n"),
    ("    CREDIT < credit default 0\n", ""),
    ("    CREDIT < credit default 0\n", "    CREDIT < credit default 0\n    # new\n    SINCE < since\n"),
    ("'Gone' < 'Closed'  # for good", "'Gone' = 'Closed'  # for good"),
    ("      else error\n", "      # held\n      'Blocked' = 'Held'\n      else error\n"),
    ("# before the short one", "# above the short one"),
    ("NAME = 'x' }\n  }\n", "NAME = 'x' }\n  }\n\n  # second\n  test \"b\" {\n    expect left none\n  }\n"),
    ("'Yes' = true", "'Yes' = true, 'Perhaps' < null"),
    ("# of the file", "# of this file"),
    ("map \"Customers\"", "map \"All customers\""),
    ("key        ACCOUNT = number", "key        ACCOUNT = accountid"),
];

fn three(base: &File, mine: &File, theirs: &File) -> (String, usize) {
    let merged = merge(base, mine, theirs, Span::default());
    let text = dsl::write(&merged.file);
    assert_eq!(parse(&text), merged.file, "{text}");
    (text, merged.conflicts.len())
}

fn versions() -> Vec<File> {
    let edited = EDITS.iter().map(|(from, to)| {
        assert!(BASE.contains(from), "{from}");
        BASE.replacen(from, to, 1)
    });
    let all: String = EDITS.iter().fold(BASE.to_string(), |t, (from, to)| t.replacen(from, to, 1));
    let fixed = [BASE.to_string(), OVERLAY.to_string(), String::new(), all, format!("{BASE}\n{OVERLAY}")];
    edited.chain(fixed).map(|t| parse(&t)).collect()
}

#[test]
fn the_laws_of_merging_hold() {
    let all = versions();
    for b in &all {
        for x in &all {
            let whole = dsl::write(x);
            assert_eq!(three(b, b, x), (whole.clone(), 0), "only theirs changed");
            assert_eq!(three(b, x, b), (whole.clone(), 0), "only mine changed");
            assert_eq!(three(b, x, x), (whole, 0), "both changed alike");
        }
    }
}

proptest::proptest! {
    #![proptest_config(proptest::prelude::ProptestConfig { cases: 60, failure_persistence: None, ..Default::default() })]

    #[test]
    fn the_laws_of_merging_hold_for_any_files(b in dsl::tests_random::file(), x in dsl::tests_random::file()) {
        let merged = |b: &File, m: &File, t: &File| {
            let merged = merge(b, m, t, Span::default());
            assert!(merged.conflicts.is_empty());
            dsl::write(&merged.file)
        };
        let whole = dsl::write(&x);
        proptest::prop_assert_eq!(&merged(&b, &b, &x), &whole);
        proptest::prop_assert_eq!(&merged(&b, &x, &b), &whole);
        proptest::prop_assert_eq!(&merged(&b, &x, &x), &whole);
        proptest::prop_assert_eq!(diff(&[&x], &[&x]), vec![]);
        // Whatever two people did to it, the file can be read.
        let both = merge(&b, &x, &File { end: b.end.clone(), ..x.clone() }, Span::default());
        proptest::prop_assert_eq!(parse(&dsl::write(&both.file)), both.file);
    }

    #[test]
    fn any_merge_can_be_read(
        b in dsl::tests_random::file(), x in dsl::tests_random::file(), y in dsl::tests_random::file(),
    ) {
        let merged = merge(&b, &x, &y, Span::default());
        proptest::prop_assert_eq!(parse(&dsl::write(&merged.file)), merged.file);
    }
}

#[test]
fn changes_of_different_things_come_together() {
    let base = parse(BASE);
    for (i, (from, to)) in EDITS.iter().enumerate() {
        for (other_from, other_to) in EDITS.iter().skip(i + 1).filter(|(f, _)| f != from) {
            let one = BASE.replacen(from, to, 1);
            let (mine, theirs) = (parse(&one), parse(&BASE.replacen(other_from, other_to, 1)));
            let (text, conflicts) = three(&base, &mine, &theirs);
            let both = parse(&one.replacen(other_from, other_to, 1));
            assert_eq!(conflicts, 0, "{to}\n{other_to}\n{text}");
            assert_eq!(text, dsl::write(&both), "{to}\n{other_to}");
        }
    }
}

#[test]
fn a_conflict_keeps_mine_and_shows_the_others() {
    let (from, b) = (BASE, parse(BASE));
    let mine = parse(&from.replace("NAME   = name", "NAME << name | trim()").replace("left wins", "right wins"));
    let theirs =
        parse(&from.replace("NAME   = name", "NAME < longname").replace("conflict   left wins", "conflict   hold"));
    let (text, conflicts) = three(&b, &mine, &theirs);
    assert_eq!(conflicts, 2);
    for line in [
        "    # conflict: base   NAME = name\n    # conflict: theirs NAME < longname\n    NAME ",
        "  # conflict: base   conflict left wins\n  # conflict: theirs conflict hold\n  conflict   right wins\n",
    ] {
        assert!(text.contains(line), "{line}\n---\n{text}");
    }
    // One side took away what the other changed.
    let gone = parse(&from.replace("    CREDIT < credit default 0\n", ""));
    let changed = parse(&from.replace("CREDIT < credit default 0", "CREDIT < credit default 1"));
    let (text, conflicts) = three(&b, &gone, &changed);
    assert_eq!(conflicts, 1);
    assert!(text.contains("# conflict: theirs CREDIT << credit default 1\n  }"), "{text}");
    let (text, conflicts) = three(&b, &changed, &gone);
    assert_eq!(conflicts, 1);
    assert!(text.contains("# conflict: theirs (nothing)\n    CREDIT "), "{text}");
    // Both added one line, and not the same.
    let add = |line: &str| parse(&from.replace("    CREDIT", &format!("    {line}\n    CREDIT")));
    assert_eq!(three(&b, &add("SINCE < since"), &add("SINCE < changed")).1, 1);
    assert_eq!(three(&b, &add("SINCE < since"), &add("SINCE < since")).1, 0);
}

#[test]
fn pairs_and_prerequisites_come_together_one_by_one() {
    let b = parse(BASE);
    let mine = parse(
        &BASE
            .replace("      else error\n", "      'Blocked' = 'Held'\n      else error\n")
            .replace("groups\n", "groups, a\n"),
    );
    let theirs =
        parse(&BASE.replace("'Gone' < 'Closed'", "'Gone' = 'Closed'").replace("currencies, groups", "groups, b"));
    let (text, conflicts) = three(&b, &mine, &theirs);
    assert_eq!(conflicts, 0, "{text}");
    for part in ["'Blocked' = 'Held'", "'Gone'    = 'Closed'  # for good", "needs      groups, a, b\n"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

/// Changes of one line that do not touch each other come together; those that would change each other's meaning do not.
#[test]
fn parts_of_one_line_come_together() {
    let with = |line: &str| parse(&BASE.replace("    CREDIT < credit default 0\n", &format!("    {line}\n")));
    let merged = |base: &str, mine: &str, theirs: &str| {
        let (text, conflicts) = three(&with(base), &with(mine), &with(theirs));
        let (_, turned) = three(&with(base), &with(theirs), &with(mine));
        assert_eq!(conflicts, turned, "{mine} | {theirs}");
        let line = text.lines().skip_while(|l| !l.contains("fields {")).find(|l| l.trim_start().starts_with("CREDIT"));
        let words = line.unwrap_or("").split_whitespace().collect::<Vec<_>>().join(" ");
        if conflicts == 0 { words } else { format!("{conflicts} conflict") }
    };
    for (base, mine, theirs, wanted) in [
        ("CREDIT = credit", "CREDIT < credit", "CREDIT < credit default 0", "CREDIT << credit default 0"),
        ("CREDIT < credit", "CREDIT < credit once", "CREDIT < credit default 0", "CREDIT << credit default 0 once"),
        (
            "CREDIT = a.credit",
            "CREDIT < a.credit",
            "CREDIT = a.credit on missing null",
            "CREDIT < a.credit on missing null",
        ),
        (
            "CREDIT < credit default 0",
            "CREDIT < limit default 0",
            "CREDIT < credit default 1",
            "CREDIT << limit default 1",
        ),
        ("CREDIT < credit  # a", "CREDIT > credit  # a", "CREDIT < credit  # b", "CREDIT > credit # b"),
        (
            "CREDIT < credit { 1 = 2 }",
            "CREDIT = credit { 1 = 2 }",
            "CREDIT < credit { 1 = 2, 3 = 4 }",
            "CREDIT >< credit { 1 = 2, 3 = 4 }",
        ),
        // Two-way lines have no default; a default was meant for the column that was written; what a pipe changes is
        // what its operand gives.
        ("CREDIT < credit", "CREDIT = credit", "CREDIT < credit default 0", "1 conflict"),
        ("CREDIT < credit", "CREDIT > credit", "CREDIT < credit once", "1 conflict"),
        ("CREDIT < credit", "CREDIT < limit", "CREDIT < credit | round(2)", "1 conflict"),
        ("CREDIT < credit default 0", "CREDIT < credit default 1", "CREDIT < credit default 2", "1 conflict"),
    ] {
        assert_eq!(merged(base, mine, theirs), wanted, "{mine} | {theirs}");
    }
    // The same in edits of an overlay.
    let over = |edits: &str| parse(&format!("map \"Ours\" extends customers {{\n  {edits}\n}}\n"));
    let (text, conflicts) = three(
        &over("set NAME < name\n  add left.STATUS { 'A' < 1 }"),
        &over("set NAME < name once\n  add left.STATUS { 'A' < 1, 'B' < 2 }"),
        &over("set NAME < name default 'x'\n  add left.STATUS { 'A' < 1, 'C' < 3 }"),
    );
    assert_eq!(conflicts, 0, "{text}");
    for part in ["NAME << name default 'x' once", "'B' < 2", "'C' < 3"] {
        assert!(text.contains(part), "{part}\n{text}");
    }
}

#[test]
fn nothing_changed_is_nothing() {
    for x in versions() {
        assert_eq!(diff(&[&x], &[&x]), vec![]);
        // Nor by the way through the other notation, nor by layout.
        if x.maps.len() < 2 {
            let mut sources = Sources::new();
            let file = sources.add("m.map.yaml", yaml::write(&x));
            let (again, _) = yaml::parse(&sources, file);
            assert_eq!(diff(&[&x], &[&again]), vec![]);
        }
    }
    let moved = BASE
        .replace("    CREDIT < credit default 0\n", "")
        .replace("    NAME   =", "    CREDIT < credit default 0\n    NAME   =");
    assert_eq!(diff(&[&parse(BASE)], &[&parse(&moved)]), vec![]);
}

#[test]
fn every_change_is_told() {
    let base = parse(BASE);
    for (from, to) in EDITS {
        let new = parse(&BASE.replacen(from, to, 1));
        let found = diff(&[&base], &[&new]);
        assert_eq!(found.is_empty(), new == base, "{to}");
    }
}

#[test]
fn changes_are_said_in_the_words_of_maps() {
    let all = versions();
    let (base, new) = (&all[EDITS.len()], &all[EDITS.len() + 3]);
    let (changes, overlay) = (diff(&[base], &[new]), diff(&[base], &[&all[EDITS.len() + 4]]));
    let shown = format!("{}\n{}\n{}", text(&changes), text(&overlay), markdown(&changes));
    assert_eq!(shown, include_str!("testdata/shown.txt"));
}

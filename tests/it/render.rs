//! One set of findings in every format, beside the files of `tests/corpus/render` (`UPDATE=1` writes them anew), read
//! back by parsers that are not ours, and SARIF against its published schema.

use std::path::{Path, PathBuf};
use std::process::Command;
use tablemap::diagnostic::apply::Done;
use tablemap::diagnostic::render::{concise, github, gitlab, human, json, junit, sarif};
use tablemap::diagnostic::{Code, Diagnostic, Edit, Fix, Severity};
use tablemap::source::{FileId, Sources, Span};

const MAP: &str = "\
# Größe & <Menge>
map \"Sample\" {
  id         sample
  tables     fin.Orders <- crm.orders
  fields {
    NAME   << '😀 & \"é\"' + naem
    AMOUNT >  amount
    STATUS << state {
      'Open'   = 1
      'Closed' = 2
    }
  }
}
";
const SCHEMA: &str = "store: crm\ntables:\n  orders:\n    columns:\n      name: text(80)\n";

fn sample() -> (Sources, Vec<Diagnostic>) {
    let mut sources = Sources::new();
    let map = sources.add("maps/ä, 100%.tmap", MAP);
    let schema = sources.add("schemas/crm.schema.yaml", SCHEMA);
    sources.add("maps/fine.tmap", "map \"Fine\" {\n}\n");
    let span = |file: FileId, text: &str, of: &str| {
        let at = of.find(text).unwrap();
        Span::new(file, at, at + text.len())
    };
    let in_map = |text: &str| span(map, text, MAP);
    let pairs = in_map("{\n      'Open'   = 1\n      'Closed' = 2\n    }");
    let last = in_map("'Closed' = 2");
    let findings = vec![
        Diagnostic::new(Code::TM0203, in_map("naem"), "table `orders` has no column `naem`")
            .label("not a column")
            .related(span(schema, "name", SCHEMA), "a column of that kind")
            .help("did you mean `name`?")
            .fix("write `name`", in_map("naem"), "name", false),
        Diagnostic::new(Code::TM0401, in_map(">  amount"), "50% of it: a <b> & \"c\",\nd")
            .help("turn the sign round")
            .fix("write `<`", Span { end: in_map(">  amount").start + 1, ..in_map(">  amount") }, "<", true),
        Diagnostic::new(Code::TM0703, pairs, "no pair for `Lost`: records with it will fail").fix(
            "add `else error`",
            Span { start: last.end, ..last },
            "\n      else error",
            false,
        ),
        Diagnostic {
            fixes: vec![Fix {
                title: "name both".into(),
                edits: vec![
                    Edit { span: in_map("fin.Orders"), replacement: "fin.Invoices".into() },
                    Edit { span: in_map("crm.orders"), replacement: "crm.invoices".into() },
                ],
                safe: true,
            }],
            severity: Severity::Info,
            ..Diagnostic::new(Code::TM0202, in_map("fin.Orders <- crm.orders"), "old names")
        },
        // The same again, elsewhere: told apart by its number.
        Diagnostic::new(Code::TM0203, in_map("amount"), "table `orders` has no column `amount`"),
        Diagnostic::new(Code::TM0203, in_map("amount"), "table `orders` has no column `amount`"),
        Diagnostic::nowhere(Code::TM0167, "no `tablemap.yaml` here").help("make one with `tablemap init`"),
    ];
    (sources, findings)
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus/render")
}

fn lines(one: fn(&Sources, &Diagnostic) -> String, gap: &str) -> String {
    let (sources, findings) = sample();
    findings.iter().map(|d| format!("{}\n{gap}", one(&sources, d))).collect()
}

fn pretty(value: &impl serde::Serialize) -> String {
    serde_json::to_string_pretty(value).unwrap() + "\n"
}

/// Every format: file name, text.
fn rendered() -> Vec<(&'static str, String)> {
    let (sources, findings) = sample();
    let mended = json::Mended {
        fixed: vec![Done { file: "maps/a.tmap".into(), code: "TM0104", title: "write `==`".into(), safe: true }],
        not_fixed: vec![],
        more_with_unsafe_fixes: 2,
        diff: None,
    };
    vec![
        ("human.txt", lines(|s, d| human::render(s, d, false), "\n")),
        ("concise.txt", lines(concise::render, "")),
        ("github.txt", lines(github::render, "")),
        ("gitlab.json", pretty(&gitlab::report(&sources, &findings))),
        ("json.json", pretty(&json::report(&sources, &findings, 3, Some(mended)))),
        (
            "sarif.json",
            pretty(&sarif::report(&sources, &findings, &|_| None)).replace(env!("CARGO_PKG_VERSION"), "VERSION"),
        ),
        ("junit.xml", junit::report(&sources, &findings, false).unwrap()),
        ("junit-strict.xml", junit::report(&sources, &findings, true).unwrap()),
    ]
}

#[test]
fn every_format_is_as_it_was() {
    let update = std::env::var_os("UPDATE").is_some();
    let mut wrong = vec![];
    for (name, text) in rendered() {
        let path = folder().join(name);
        if update {
            std::fs::create_dir_all(folder()).unwrap();
            std::fs::write(&path, &text).unwrap();
        }
        let want = std::fs::read_to_string(&path).unwrap_or_default();
        if want != text {
            wrong.push(format!("{name} (UPDATE=1 writes it anew)\n{text}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn empty_reports_are_whole_documents() {
    let sources = Sources::new();
    assert_eq!(gitlab::report(&sources, &[]), serde_json::json!([]));
    let log = sarif::report(&sources, &[], &|_| None);
    assert_eq!(log["runs"][0]["results"], serde_json::json!([]));
    assert!(junit::report(&sources, &[], false).unwrap().contains("<testsuites"));
}

/// The standard library of Python reads what we write, and finds in it what we put there.
#[test]
fn another_parser_reads_junit_and_sarif() {
    const PROGRAM: &str = r#"
import json, sys, urllib.parse, xml.etree.ElementTree as ET
folder = sys.argv[1]
root = ET.parse(folder + "/junit.xml").getroot()
assert root.tag == "testsuites", root.tag
suites = {s.get("name"): s for s in root}
assert set(suites) == {"maps/ä, 100%.tmap", "schemas/crm.schema.yaml", "maps/fine.tmap", "tablemap"}, suites
sample = suites["maps/ä, 100%.tmap"]
assert (sample.get("tests"), sample.get("failures"), sample.get("skipped", "2")) == ("6", "4", "2")
failures = sample.findall("testcase/failure")
assert len(failures) == 4, failures
assert len(sample.findall("testcase/skipped")) == 2
assert any('50% of it: a <b> & "c",' in f.get("message") for f in failures)
log = json.load(open(folder + "/sarif.json", encoding="utf-8"))
assert log["version"] == "2.1.0"
run = log["runs"][0]
rules = run["tool"]["driver"]["rules"]
text = open(folder + "/map.txt", encoding="utf-8", newline="").read().split("\n")
prints = [tuple(r["partialFingerprints"].items()) for r in run["results"]]
assert len(set(prints)) == len(prints)
for r in run["results"]:
    assert rules[r["ruleIndex"]]["id"] == r["ruleId"]
    for l in r.get("locations", []):
        p = l["physicalLocation"]
        assert urllib.parse.unquote(p["artifactLocation"]["uri"]) == "maps/ä, 100%.tmap"
        g = p["region"]
        if g["startLine"] == g["endLine"]:
            units = text[g["startLine"] - 1].encode("utf-16-le")
            cut = units[2 * (g["startColumn"] - 1):2 * (g["endColumn"] - 1)].decode("utf-16-le")
            assert cut == g["snippet"]["text"], (cut, g)
print("read")
"#;
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in rendered() {
        std::fs::write(dir.path().join(name), text).unwrap();
    }
    std::fs::write(dir.path().join("map.txt"), MAP).unwrap();
    let out = match Command::new("python3").arg("-c").arg(PROGRAM).arg(dir.path()).env("PYTHONUTF8", "1").output() {
        Ok(out) => out,
        Err(_) => {
            eprintln!("skipped: there is no python3");
            return;
        }
    };
    assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
}

/// The published schema, as the npm package `@microsoft/jest-sarif` carries it; `tests/run` fetches it.
#[test]
fn sarif_fits_its_published_schema() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let path =
        std::env::var_os("SARIF_SCHEMA").map_or_else(|| root.join("target/test-tools/sarif-2.1.0.json"), PathBuf::from);
    let Ok(text) = std::fs::read_to_string(&path) else {
        eprintln!("skipped: {} is not there; `tests/run` fetches it from npm", path.display());
        return;
    };
    let mut schema: serde_json::Value = serde_json::from_str(&text).unwrap();
    // A pattern of the published schema has a `]` too many, which strict readers refuse; we write no languages.
    for pointer in ["/definitions/run/properties/language", "/definitions/toolComponent/properties/language"] {
        if let Some(language) = schema.pointer_mut(pointer).and_then(serde_json::Value::as_object_mut) {
            language.remove("pattern");
        }
    }
    let validator = jsonschema::validator_for(&schema).unwrap();
    let (sources, findings) = sample();
    let all_codes: Vec<Diagnostic> =
        tablemap::diagnostic::all_codes().iter().map(|(c, _, _)| Diagnostic::nowhere(*c, "x")).collect();
    for findings in [findings, vec![], all_codes] {
        let log = sarif::report(&sources, &findings, &|_| None);
        let errors: Vec<String> = validator.iter_errors(&log).map(|e| format!("{}: {e}", e.instance_path())).collect();
        assert!(errors.is_empty(), "{}", errors.join("\n"));
    }
    // The schema is one that refuses something.
    assert!(!validator.is_valid(&serde_json::json!({ "version": "2.1.0" })));
}

/// A finding on the line of a password, in every format: nobody reads the password in a log.
#[test]
fn no_format_prints_a_secret() {
    let texts = [
        (
            "tablemap.yaml",
            "stores:\n  crm: { kind: postgres, url: \"postgres://me:hunter2@db/crm\", schema: c.yaml }\n",
        ),
        ("settings.yaml", "password: hunter2\nsecond: 1\n"),
        ("maps/a.tmap", "# Server=db;User=sa;Password=hunter2;\nmap \"A\" {\n}\n"),
    ];
    for (name, text) in texts {
        let mut sources = Sources::new();
        let file = sources.add(name, text);
        let whole = Span::new(file, 0, text.len());
        let at = text.find("hunter2").unwrap();
        let secret = Span::new(file, at, at + "hunter2".len());
        let findings = vec![
            Diagnostic::new(Code::TM1102, secret, "a secret stands in this file").related(whole, "here"),
            Diagnostic::new(Code::TM0202, whole, "another").fix("write", Span { end: whole.start, ..whole }, "x", true),
        ];
        let mut all = vec![
            ("gitlab", pretty(&gitlab::report(&sources, &findings))),
            ("json", pretty(&json::report(&sources, &findings, 0, None))),
            ("sarif", pretty(&sarif::report(&sources, &findings, &|_| None))),
            ("junit", junit::report(&sources, &findings, true).unwrap()),
        ];
        for d in &findings {
            all.push(("human", human::render(&sources, d, false)));
            all.push(("colours", human::render(&sources, d, true)));
            all.push(("concise", concise::render(&sources, d)));
            all.push(("github", github::render(&sources, d)));
        }
        for (format, text) in all {
            assert!(!text.contains("hunter2"), "{format} of {name} prints it:\n{text}");
        }
    }
}

/// What `check` hands to the renderer: each rule with its page.
#[test]
fn rules_of_sarif_carry_their_pages() {
    let (sources, findings) = sample();
    let log = sarif::report(&sources, &findings, &tablemap::check::help);
    for rule in log["runs"][0]["tool"]["driver"]["rules"].as_array().unwrap() {
        let (text, markdown) = (rule["help"]["text"].as_str().unwrap(), rule["help"]["markdown"].as_str().unwrap());
        assert!(markdown.contains("## What it means") && markdown.contains("## Right"), "{rule}");
        assert!(text.len() > 40 && !text.contains('#') && !text.contains('`'), "{rule}");
    }
}

use super::*;
use crate::yaml as tree;
use std::fs;

const GOOD: &str = r#"name: flow
stores:
  dataverse: { kind: sqlite, path: "data/${NAME}.db", schema: schemas/dataverse.schema.yaml }
  finance:
    kind: postgres
    url: "postgres://me:${PASS}@h/$${x}"
    schema: schemas/finance.schema.yaml
maps: ["maps/**/*.tmap", "maps/**/*.map.yaml"]
companies: [USPM, USSI]
time_zone: Europe/Copenhagen
state: state
limits: { map_size: 1 KiB }
checks: { TM1101: allow }
"#;

fn environment(name: &str) -> Option<String> {
    match name {
        "NAME" => Some("dv".into()),
        "PASS" => Some("hunter2".into()),
        _ => None,
    }
}

fn shown(sources: &Sources, findings: &[Diagnostic]) -> Vec<String> {
    findings
        .iter()
        .map(|d| format!("{} {} {}", d.code, d.span().map_or(String::new(), |s| sources.at(s)), d.message))
        .collect()
}

fn read_one(text: &str) -> (Project, Vec<String>) {
    let mut sources = Sources::new();
    let file = sources.add("tablemap.yaml", text);
    let (project, findings) = read(&sources, file, Path::new("/p"), &environment);
    let findings = shown(&sources, &findings);
    (project, findings)
}

fn accepts(text: &str) -> bool {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../grammar/project.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let (document, findings) = tree::parse(text, FileId(0));
    findings.is_empty() && validator.is_valid(&document.root.map_or(serde_json::Value::Null, |r| tree::to_json(&r)))
}

#[test]
fn settings() {
    let (p, findings) = read_one(GOOD);
    assert_eq!(findings, Vec::<String>::new());
    assert!(accepts(GOOD));
    assert!(matches!(&p.stores[0].location, Location::Path(x) if x == Path::new("/p/data/dv.db")));
    assert_eq!(p.name, "flow");
    let Location::Url(url) = &p.stores[1].location else { panic!() };
    assert_eq!(url.reveal(), "postgres://me:hunter2@h/${x}");
    assert!(!format!("{p:?} {url}").contains("hunter2"));
    assert_eq!(p.companies.as_deref(), Some(&["USPM".to_string(), "USSI".to_string()][..]));
    assert_eq!(p.time_zone.iana_name(), Some("Europe/Copenhagen"));
    assert_eq!(p.state, Path::new("/p/state"));
    assert_eq!(p.limits.map_size, 1024);
    assert_eq!(p.checks, [(Code::TM1101, Level::Allow)]);
    let small = "stores: {}\n";
    let (p, findings) = read_one(small);
    assert!(findings.is_empty() && accepts(small));
    assert_eq!(p.patterns.len(), 2);
    assert_eq!((p.limits.map_size, p.companies), (DEFAULT_SIZE, None));
}

#[test]
fn findings_stand_where_the_fault_is() {
    let cases: &[(&str, &str, &str, bool)] = &[
        ("name: flow", "name: a flow", "TM0153 tablemap.yaml:1:7 `a flow` cannot be the project's name", true),
        ("kind: sqlite", "kind: sqllite", "TM0166 tablemap.yaml:3:22 no kind of store is called `sqllite`", true),
        (
            "    url: \"postgres://me:${PASS}@h/$${x}\"\n",
            "",
            "TM0155 tablemap.yaml:5:5 store `finance` has no `url`",
            true,
        ),
        ("url:", "path:", "TM0166 tablemap.yaml:6:5 a `postgres` store has no `path`", true),
        ("${PASS}", "${PAS}", "TM0164 tablemap.yaml:6:25 the environment variable `PAS` is not set", false),
        ("${NAME}", "${NA ME}", "TM0153 tablemap.yaml:3:42 `${` without a name of a variable", false),
        ("companies", "company", "TM0154 tablemap.yaml:9:1 unknown key `company` in the project file", true),
        (
            "[USPM, USSI]",
            "[USPM, 010]",
            "TM0153 tablemap.yaml:9:19 expected a text for a company, found a number",
            true,
        ),
        ("[USPM, USSI]", "[USPM, USPM]", "TM0160 tablemap.yaml:9:19 company `USPM` is written twice", true),
        (
            "Europe/Copenhagen",
            "Europe/Kopenhagen",
            "TM0165 tablemap.yaml:10:12 no time zone `Europe/Kopenhagen`",
            false,
        ),
        ("1 KiB", "1 GB", "TM0153 tablemap.yaml:12:21 `1 GB` is not a size", true),
        ("TM1101: allow", "TM9999: allow", "TM0168 tablemap.yaml:13:11 no check has the code `TM9999`", false),
        ("TM1101: allow", "TM0101: allow", "TM0168 tablemap.yaml:13:19 `TM0101` is an error and stays one", false),
        ("TM1101: allow", "TM1101: off", "TM0168 tablemap.yaml:13:19 no level is called `off`", true),
    ];
    for (from, to, expected, structural) in cases {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let findings = read_one(&text).1;
        assert!(findings.iter().any(|f| f == expected), "{expected}\n{findings:#?}");
        assert_eq!(accepts(&text), !structural, "{expected}");
    }
}

#[test]
fn a_project_on_disk() {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path();
    fs::write(root.join(FILE), "\u{feff}stores:\n  a: { kind: memory, schema: a.yaml }\n  b: { kind: memory, schema: b.yaml }\nlimits: { map_size: 100 }\n").unwrap();
    fs::write(root.join("a.yaml"), "store: a\ntables:\n  T:\n    primary_key: ID\n    columns: { ID: integer }\n")
        .unwrap();
    fs::create_dir_all(root.join("maps/deep")).unwrap();
    fs::write(root.join("maps/z.tmap"), "").unwrap();
    fs::write(root.join("maps/deep/a.map.yaml"), "map: A\n").unwrap();
    fs::write(root.join("maps/big.tmap"), "#".repeat(101)).unwrap();
    fs::write(root.join("maps/latin.tmap"), b"# a\n# \xe4\n").unwrap();
    let mut sources = Sources::new();
    let (project, findings) = load_with(&root.join("maps/deep"), &mut sources, &environment);
    let project = project.unwrap();
    let findings = shown(&sources, &findings);
    let has = |part: &str| assert!(findings.iter().any(|f| f.contains(part)), "{part}: {findings:#?}");
    has("b.yaml` cannot be read: it does not exist");
    has("big.tmap` is larger than 100 bytes");
    has("latin.tmap` is not UTF-8: line 2");
    assert_eq!(project.stores[0].schema.tables.len(), 1);
    let maps: Vec<_> = project.maps.iter().map(|m| m.path.strip_prefix(&project.root).unwrap().to_owned()).collect();
    assert_eq!(maps, [Path::new("maps/deep/a.map.yaml"), Path::new("maps/z.tmap")]);
    assert!(!sources.file(project.file).text.starts_with('\u{feff}'));
}

#[test]
fn no_project() {
    let dir = tempfile::tempdir().unwrap();
    let (project, findings) = load(dir.path(), &mut Sources::new());
    assert!(project.is_none());
    assert_eq!(findings[0].code, Code::TM0167);
}

/// The delivered project loads without a finding of these rooms, and its maps and schemas fit the published schemas.
#[test]
fn the_delivered_project() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut sources = Sources::new();
    let (project, findings) = load_with(&root.join("examples/project-operations"), &mut sources, &|_| None);
    assert_eq!(shown(&sources, &findings), Vec::<String>::new());
    let project = project.unwrap();
    assert!(project.stores.len() == 2 && !project.maps.is_empty());
    let fits = |schema: &str, text: &str| {
        let schema: serde_json::Value = serde_json::from_str(schema).unwrap();
        let (document, findings) = tree::parse(text, FileId(0));
        findings.is_empty() && jsonschema::is_valid(&schema, &tree::to_json(&document.root.unwrap()))
    };
    assert!(fits(include_str!("../../grammar/project.schema.json"), &sources.file(project.file).text));
    for s in &project.stores {
        let text = fs::read_to_string(&s.schema_path).unwrap();
        assert!(fits(include_str!("../../grammar/store.schema.json"), &text), "{}", s.name);
    }
    for m in &project.maps {
        let written = yaml::write(&m.ast);
        assert!(fits(include_str!("../../grammar/table-map.schema.json"), &written), "{written}");
        let file = sources.add("again.map.yaml", written.clone());
        let (again, findings) = yaml::parse(&sources, file);
        assert!(findings.is_empty() && again == *m.ast && yaml::write(&again) == written, "{findings:?}\n{written}");
    }
}

use super::*;
use crate::source::{FileId, Sources};
use crate::value::{Collation, DateTimeKind, Type, Value};
use crate::yaml;

const GOOD: &str = r#"# finance, as the maps need it
store: finance
names: case-insensitive
blank: { text: "", date: 1900-01-01 }
choices:
  Status: { Open: 4, Posted: { value: 5, label: Gebucht } }
tables:
  Companies:
    filled: elsewhere
    primary_key: DATAAREAID
    columns:
      DATAAREAID: text(4)
  Projects:
    stored: PROJTABLE
    company: DATAAREAID
    primary_key: [dataareaid, PROJECTID]
    alternate_keys: { number: [NUMBER] }
    label: { de: Projekte }
    columns:
      DATAAREAID: { type: text(4), required: true, collation: case-insensitive, lookup: Companies }
      PROJECTID: text(20)
      NUMBER: { type: integer, generated: true, read_only: true }
  Actuals:
    company: DATAAREAID
    primary_key: [DATAAREAID, ID]
    alternate_keys: [[PROJECTID, NUMBER]]
    lookups:
      project2: { columns: [DATAAREAID, PROJECTID], table: Projects }
      anything: { columns: [ANY], tables: [{ table: Projects, key: [PROJECTID] }, Companies], type_column: KIND }
    columns:
      DATAAREAID: { type: text(4), required: true, collation: case-insensitive }
      ID: { type: uuid, required: true, create_only: true }
      PROJECTID: { type: text(20), lookup: Projects }
      NUMBER: { type: integer, lookup: { table: Projects, key: [NUMBER] } }
      ANY: text(20)
      KIND: { type: text, blank: null, tracked: false }
      AMOUNT: { type: "decimal(32,16)", default: 0.50 }
      STATUS: { choice: Status, stored_as: name, default: Open }
      COLOUR: { type: choice, choice: { Red: 1, Blue: 2 }, blank: 1 }
      DAY: date
      AT: datetime
      WALL: { type: datetime(civil), blank: 2000-01-01T10:00 }
      NOTE: { type: json }
"#;

fn read(text: &str) -> (StoreSchema, Vec<String>) {
    let mut sources = Sources::new();
    let file = sources.add("s.schema.yaml", text);
    let (schema, findings) = load(&sources, file);
    let shown =
        findings.iter().map(|d| format!("{} {} {}", d.code, sources.at(d.span().unwrap()), d.message)).collect();
    (schema, shown)
}

fn accepts(text: &str) -> bool {
    let schema: serde_json::Value = serde_json::from_str(include_str!("../../grammar/store.schema.json")).unwrap();
    let validator = jsonschema::draft202012::new(&schema).unwrap();
    let (document, findings) = yaml::parse(text, FileId(0));
    findings.is_empty() && validator.is_valid(&document.root.map_or(serde_json::Value::Null, |r| yaml::to_json(&r)))
}

#[test]
fn a_whole_schema() {
    let (s, findings) = read(GOOD);
    assert_eq!(findings, Vec::<String>::new());
    assert!(accepts(GOOD));
    assert_eq!((s.name.as_str(), s.case_insensitive_names, s.tables.len()), ("finance", true, 3));
    let projects = s.table("projects").unwrap();
    let p = s.get(projects);
    assert_eq!(p.stored_name(), "PROJTABLE");
    assert_eq!(p.primary_key, [ColumnId(0), ColumnId(1)]);
    assert_eq!(p.alternate_keys, [[ColumnId(2)]]);
    assert_eq!(p.company, Some(ColumnId(0)));
    assert_eq!(p.columns[0].collation, Collation::NoCase);
    assert!(p.columns[0].required && p.columns[2].generated && p.columns[2].read_only && p.columns[2].tracked);
    assert!(s.tables[0].filled_elsewhere);
    let actuals = s.table("Actuals").unwrap();
    let a = s.get(actuals);
    let target = |name: &str, i: usize| {
        let t = &s.lookup(actuals, name).unwrap().targets[i];
        (t.table.0, t.columns.iter().map(|c| c.0).collect::<Vec<_>>(), t.key.iter().map(|c| c.0).collect::<Vec<_>>())
    };
    assert_eq!(target("PROJECTID", 0), (1, vec![0, 2], vec![0, 1]));
    assert_eq!(target("project2", 0), (1, vec![0, 2], vec![0, 1]));
    assert_eq!(target("NUMBER", 0), (1, vec![3], vec![2]));
    assert_eq!(target("anything", 0), (1, vec![0, 4], vec![0, 1]));
    assert_eq!(target("anything", 1), (0, vec![4], vec![0]));
    assert_eq!(s.lookup(actuals, "anything").unwrap().type_column, Some(ColumnId(5)));
    let column = |n: &str| a.column(s.column(actuals, n).unwrap());
    assert_eq!(column("PROJECTID").blank, Some(Value::text("")));
    assert_eq!(column("KIND").blank, None);
    assert!(!column("KIND").tracked);
    assert_eq!(column("ID").blank, None);
    assert_eq!(column("AMOUNT").ty, Type::Decimal { limits: Some((32, 16)) });
    assert_eq!(column("AMOUNT").default.as_ref().map(ToString::to_string).as_deref(), Some("0.50"));
    assert_eq!(column("STATUS").default, Some(Value::Integer(4)));
    assert!(column("STATUS").choice_by_name);
    assert_eq!(column("COLOUR").blank, Some(Value::Integer(1)));
    assert_eq!(column("DAY").blank.as_ref().map(ToString::to_string).as_deref(), Some("1900-01-01"));
    assert_eq!(column("AT").ty, Type::DateTime { kind: DateTimeKind::Instant });
    assert_eq!(column("AT").blank.as_ref().map(ToString::to_string).as_deref(), Some("1900-01-01T00:00:00"));
    assert_eq!(column("WALL").ty, Type::DateTime { kind: DateTimeKind::Civil });
    assert_eq!(column("NOTE").blank, None);
}

/// A change of the good text, the finding it must bring, and whether JSON Schema sees it too.
const BAD: &[(&str, &str, &str, bool)] = &[
    ("store: finance\n", "", "TM0155 s.schema.yaml:2:1 the schema has no `store`", true),
    (
        "names: case-insensitive",
        "names: insensitive",
        "TM0153 s.schema.yaml:3:8 `names` is `case-sensitive` or `case-insensitive`, not `insensitive`",
        true,
    ),
    (
        "required: true, collation",
        "required: yes, collation",
        "TM0153 s.schema.yaml:20:46 expected `true` or `false` for `required`, found `yes`",
        true,
    ),
    ("text(20)\n      NUMBER", "txt(20)\n      NUMBER", "TM0156 s.schema.yaml:21:18 `txt(20)` is not a type", true),
    ("\"decimal(32,16)\"", "decimal(32,16)", "TM0156 s.schema.yaml:37:23 the type `decimal(32` breaks off", true),
    ("decimal(32,16)", "decimal(16,32)", "TM0156 s.schema.yaml:37:23 `decimal(16,32)` is not a type", false),
    ("stored: PROJ", "storde: PROJ", "TM0154 s.schema.yaml:14:5 unknown key `storde` in table `Projects`", true),
    (
        "lookup: Projects",
        "lookup: Project",
        "TM0158 s.schema.yaml:33:44 lookup `PROJECTID` points to an unknown table `Project`",
        false,
    ),
    (
        "[dataareaid, PROJECTID]",
        "[dataareaid, PROJECT]",
        "TM0157 s.schema.yaml:16:31 table `Projects` has no column `PROJECT`",
        false,
    ),
    ("    primary_key: DATAAREAID\n", "", "TM0159 s.schema.yaml:8:3 table `Companies` has no primary key", true),
    (
        "default: Open",
        "default: Opn",
        "TM0161 s.schema.yaml:38:59 the default `Opn` does not fit: not a value of `choice`",
        false,
    ),
    ("choice: Status", "choice: Statos", "TM0163 s.schema.yaml:38:25 no choice `Statos`", false),
    (
        "Red: 1, Blue: 2",
        "Red: 1, Blue: 1",
        "TM0163 s.schema.yaml:39:55 members `Red` and `Blue` share the number 1",
        false,
    ),
    (
        "      DAY: date",
        "      amount: date",
        "TM0160 s.schema.yaml:40:7 columns `AMOUNT` and `amount` are one: names of this store have no case",
        false,
    ),
    ("date: 1900-01-01", "date: 1900-1-1", "TM0161 s.schema.yaml:4:26 `1900-1-1` is not a date", true),
    (
        "key: [NUMBER] }",
        "key: [DATAAREAID] }",
        "TM0162 s.schema.yaml:34:64 these columns are no key of `Projects`",
        false,
    ),
    (
        "    company: DATAAREAID\n    primary_key: [DATAAREAID, ID]",
        "    primary_key: [DATAAREAID, ID]",
        "TM0162 s.schema.yaml:32:44 rows of `Projects` belong to a company, and table `Actuals` has no `company`",
        false,
    ),
    ("filled: elsewhere", "filled: here", "TM0153 s.schema.yaml:9:13 `filled` is `elsewhere`, not `here`", true),
    (", type_column: KIND", "", "TM0155 s.schema.yaml:29:17 a lookup to several tables has no `type_column`", false),
    (
        "NUMBER: { type: integer, lookup",
        "NUMBER: { type: text, lookup",
        "TM0162 s.schema.yaml:34:7 `NUMBER` is `text`, but `Projects.NUMBER` it points to is `integer`",
        false,
    ),
    (
        "DATAAREAID: text(4)\n",
        "DATAAREAID: 4\n",
        "TM0153 s.schema.yaml:12:19 expected a text for a type, found a number",
        true,
    ),
    (
        "[[PROJECTID, NUMBER]]",
        "[PROJECTID, NUMBER]",
        "TM0153 s.schema.yaml:26:22 expected a list for an alternate key, found a text",
        true,
    ),
];

#[test]
fn findings_stand_where_the_fault_is() {
    let mut off = vec![];
    for (from, to, expected, structural) in BAD {
        assert!(GOOD.contains(from), "{from}");
        let text = GOOD.replacen(from, to, 1);
        let (_, findings) = read(&text);
        if !findings.iter().any(|f| f == expected) || accepts(&text) == *structural {
            off.push(format!("{expected}\n{findings:#?} schema accepts: {}", accepts(&text)));
        }
    }
    assert!(off.is_empty(), "{}", off.join("\n"));
}

#[test]
fn nothing_and_nonsense() {
    assert_eq!(read("").1, ["TM0155 s.schema.yaml:1:1 the schema is empty"]);
    assert_eq!(read("- a\n").1, ["TM0153 s.schema.yaml:1:3 expected a mapping for a store schema, found a list"]);
    for text in
        ["tables: {a: }", "store: x\ntables: {a: {columns: {b: }}}", "store: {}\ntables: []\nchoices: [1]\nblank: 1"]
    {
        assert!(!read(text).1.is_empty());
        assert!(!accepts(text));
    }
}

proptest::proptest! {
    #[test]
    fn cut_and_torn_schemas_never_panic(from in 0..GOOD.len(), length in 0..60usize, put in "[ \\n:{}\\[\\],a-z&*!|#-]{0,6}") {
        let mut text = GOOD.to_string();
        text.replace_range(from..(from + length).min(GOOD.len()), &put);
        read(&text);
    }
}

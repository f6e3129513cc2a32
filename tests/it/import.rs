//! Maps of others in and out: documented tables, dual-write's JSON and solutions, schemas from metadata.

use crate::cli::{Done, tablemap};
use std::io::Write;
use std::path::{Path, PathBuf};

fn corpus(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus").join(name)
}

fn text(path: &Path) -> String {
    path.to_str().unwrap().to_string()
}

/// A folder for one test, and what its tests do in it.
struct Folder {
    dir: tempfile::TempDir,
}

impl Folder {
    fn new() -> Folder {
        Folder { dir: tempfile::tempdir().unwrap() }
    }
    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }
    fn at(&self, name: &str) -> String {
        text(&self.path(name))
    }
    fn write(&self, name: &str, content: impl AsRef<[u8]>) -> String {
        std::fs::create_dir_all(self.path(name).parent().unwrap()).unwrap();
        std::fs::write(self.path(name), content).unwrap();
        self.at(name)
    }
    fn read(&self, name: &str) -> String {
        std::fs::read_to_string(self.path(name)).unwrap_or_else(|e| panic!("{name}: {e}"))
    }
    fn import(&self, what: &str, from: &str, more: &[&str]) -> Done {
        let out = self.at("p");
        tablemap(&[&["import", what, from, "--out", &out], more].concat())
    }
    fn run(&self, args: &[&str]) -> Done {
        let project = self.at("p");
        tablemap(&[args, &["-C", &project]].concat())
    }
    fn maps(&self) -> Vec<String> {
        let mut all: Vec<String> = std::fs::read_dir(self.path("p/maps"))
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .filter(|n| n.ends_with(".tmap"))
            .collect();
        all.sort();
        all
    }
    /// No errors, in layout, and the same after both notations.
    fn is_sound(&self) {
        let check = self.run(&["check", "--format", "json"]).json();
        let errors: Vec<_> =
            check["findings"].as_array().unwrap().iter().filter(|f| f["severity"] == "error").collect();
        assert!(errors.is_empty(), "{errors:#?}");
        self.run(&["fmt", "--check"]).says(0, &[]);
        let (maps, yaml, back) = (self.at("p/maps"), self.at("yaml"), self.at("back"));
        tablemap(&["convert", "--to", "yaml", &format!("--out={yaml}"), &maps]).says(0, &[]);
        tablemap(&["convert", "--to", "dsl", &format!("--out={back}"), &yaml]).says(0, &[]);
        for name in self.maps() {
            assert_eq!(self.read(&format!("back/{name}")), self.read(&format!("p/maps/{name}")), "{name}");
        }
    }
}

/// JSON without the white space between its tokens.
fn tokens(json: &str) -> String {
    let mut out = String::new();
    let (mut inside, mut escaped) = (false, false);
    for c in json.chars() {
        if inside || !c.is_whitespace() {
            out.push(c);
        }
        match c {
            '\\' if inside && !escaped => escaped = true,
            '"' if !escaped => inside = !inside,
            _ => escaped = false,
        }
    }
    out
}

#[test]
fn documented_maps_are_imported_as_checked_by_hand() {
    let f = Folder::new();
    let done = f.import("documented", &text(&corpus("documented")), &[]);
    done.says(1, &["TM1302", "duplicates.md:9:1", "TM1301", "12 maps"]);
    f.is_sound();
    let expected = corpus("documented/expected");
    for name in f.maps() {
        let made = f.read(&format!("p/maps/{name}"));
        if std::env::var_os("UPDATE").is_some() {
            std::fs::create_dir_all(&expected).unwrap();
            std::fs::write(expected.join(&name), &made).unwrap();
        }
        let wanted = std::fs::read_to_string(expected.join(&name)).unwrap_or_default();
        for (i, (a, b)) in made.lines().zip(wanted.lines()).enumerate() {
            assert_eq!(a, b, "{name}, line {}", i + 1);
        }
        assert_eq!(made, wanted, "{name}");
    }
    assert_eq!(f.maps().len(), std::fs::read_dir(&expected).unwrap().count());
}

/// Every map has no errors, only warnings that ask a person, one form, and is the same by way of the other notation.
fn all_import(folder: &str) -> Folder {
    let f = Folder::new();
    f.import("documented", folder, &[]).says(0, &[]);
    f.is_sound();
    let check = f.run(&["check", "--format", "json"]).json();
    for finding in check["findings"].as_array().unwrap() {
        let code = finding["code"].as_str().unwrap();
        assert!(["TM0705", "TM0609", "TM0403"].contains(&code), "{finding:#}");
    }
    f
}

#[test]
fn all_documented_maps_are_imported() {
    let f = all_import(&text(&corpus("documented-maps")));
    assert_eq!(f.maps().len(), 48);
    let expected = corpus("documented-maps/expected");
    let mut seen = 0;
    for entry in std::fs::read_dir(&expected).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        let (made, wanted) = (f.read(&format!("p/maps/{name}")), std::fs::read_to_string(&path).unwrap());
        for (i, (a, b)) in made.lines().zip(wanted.lines()).enumerate() {
            assert_eq!(a, b, "{name}, line {}", i + 1);
        }
        assert_eq!(made, wanted, "{name}");
        seen += 1;
    }
    assert_eq!(seen, 10);
}

/// Other documents, where somebody has them.
#[test]
fn documented_maps_elsewhere() {
    if let Some(folder) = std::env::var_os("TABLEMAP_DOCUMENTED") {
        all_import(&folder.to_string_lossy());
    }
}

const DEPOTS: &str = include_str!("../corpus/dual-write/depots.json");

/// The forms that an export comes in.
fn forms() -> Vec<(&'static str, String)> {
    let encoded = serde_json::to_string(DEPOTS).unwrap();
    let record = format!(
        "{{ \"@odata.etag\": \"W/\\\"1\\\"\", \"msdyn_displayname\": \"xyz_depots - Depots\", \"msdyn_version\": \"1.0.0.7\",\n  \
         \"msdyn_mapping\": {encoded},\n  \"msdyn_properties\": {} }}",
        serde_json::to_string(
            "{\"Description\":\"Depots of both.\\nTwo lines.\",\"SkipInitialSync\":true,\"Tags\":[\"x\"]}"
        )
        .unwrap()
    );
    vec![
        ("plain", DEPOTS.to_string()),
        ("encoded", encoded.clone()),
        ("twice encoded", serde_json::to_string(&encoded).unwrap()),
        ("record", record),
    ]
}

#[test]
fn what_is_imported_is_exported_byte_for_byte() {
    for (form, json) in forms() {
        let f = Folder::new();
        let from = f.write("in.json", &json);
        f.import("dual-write", &from, &[]).says(0, &["13 of 14 mappings"]);
        f.is_sound();
        let out = f.run(&["export", "dual-write", "--quiet"]);
        out.says(0, &[]);
        assert_eq!(tokens(&out.out), tokens(&json), "{form}");
        // And in again: the same map.
        let g = Folder::new();
        let from = g.write("in.json", &out.out);
        g.import("dual-write", &from, &[]).says(0, &[]);
        for name in f.maps() {
            assert_eq!(g.read(&format!("p/maps/{name}")), f.read(&format!("p/maps/{name}")), "{form}");
        }
    }
}

#[test]
fn a_record_says_version_and_purpose() {
    let f = Folder::new();
    let from = f.write("in.json", &forms()[3].1);
    f.import("dual-write", &from, &[]).says(0, &[]);
    let map = f.read("p/maps/depots-xyz-depots.tmap");
    for part in ["version    1.0.0.7", "initial    none", "# Depots of both.\n# Two lines.\n"] {
        assert!(map.contains(part), "{map}");
    }
    // What changes in the map changes in the record, and nothing else.
    let changed = map.replace("1.0.0.7", "1.0.0.8");
    f.write("p/maps/depots-xyz-depots.tmap", changed);
    let out = f.run(&["export", "dual-write", "--quiet"]).out;
    assert_eq!(tokens(&out), tokens(&forms()[3].1.replace("1.0.0.7", "1.0.0.8")));
}

#[test]
fn lists_and_several_maps() {
    let f = Folder::new();
    let other = DEPOTS.replace("xyz_depots", "xyz_stores").replace("Depots", "Stores");
    let list = format!("[{DEPOTS}, {other}]");
    let from = f.write("in.json", &list);
    f.import("dual-write", &from, &[]).says(0, &["2 maps"]);
    let out = f.run(&["export", "dual-write", "depots-xyz-depots", "stores-xyz-stores", "--quiet"]).out;
    assert_eq!(tokens(&out), tokens(&list));
    let dir = f.at("out");
    f.run(&["export", "dual-write", "--out", &dir, "--keys", &f.at("keys.json")]).says(0, &["stores-xyz-stores.json"]);
    assert_eq!(tokens(&f.read("out/depots-xyz-depots.json")), tokens(DEPOTS));
    assert_eq!(
        tokens(&f.read("keys.json")),
        "{\"integrationKeys\":{\"xyz_depots\":[\"xyz_number\"],\"xyz_stores\":[\"xyz_number\"]}}"
    );
    f.run(&["export", "dual-write", "--out", &dir]).says(1, &["is there already"]);
}

#[test]
fn without_its_document_a_map_makes_a_new_one() {
    let f = Folder::new();
    let from = f.write("in.json", DEPOTS);
    f.import("dual-write", &from, &[]).says(0, &[]);
    std::fs::remove_file(f.path("p/maps/depots-xyz-depots.dual-write.json")).unwrap();
    let out = f.run(&["export", "dual-write", "--quiet"]);
    out.says(0, &["\"sourceFilter\": \"(DEPOTKIND == \\\"Outdoor\\\")\""]);
    let g = Folder::new();
    let from = g.write("in.json", &out.out);
    g.import("dual-write", &from, &[]).says(0, &["13 of 13 mappings", "1 to decide"]);
    let lines = |f: &Folder| {
        let map = f.read("p/maps/depots-xyz-depots.tmap");
        map.lines().filter(|l| !l.trim_start().starts_with('#')).map(str::to_string).collect::<Vec<_>>()
    };
    assert_eq!(lines(&g), lines(&f));
    f.run(&["export", "dual-write", "--record", "--quiet"])
        .says(0, &["msdyn_mapping", "\"msdyn_version\": \"1.0.0.0\""]);
}

#[test]
fn an_edit_changes_what_it_is_about() {
    let f = Folder::new();
    let from = f.write("in.json", DEPOTS);
    f.import("dual-write", &from, &[]).says(0, &[]);
    let name = "p/maps/depots-xyz-depots.tmap";
    let map = f.read(name);
    let edited = map
        .replace("'concrete' = 100000001 }", "'concrete' = 100000001, 'sand' = 100000002 }")
        .replace("AREASQM   >  xyz_area", "AREASQM   =  xyz_area")
        .replace("    STATUS    << xyz_status { 4 < 192350001, 0 < 192350000 }\n", "")
        .replace("xyz_kind == 2 and statecode == 0", "xyz_kind == 3 or statecode is null");
    assert_ne!(map, edited);
    f.write(name, &edited);
    // The sketch does not know the new member.
    let schema = f.read("p/schemas/dataverse.schema.yaml");
    f.write(
        "p/schemas/dataverse.schema.yaml",
        schema.replace("concrete: 100000001 }", "concrete: 100000001, sand: 100000002 }"),
    );
    let out = f.run(&["export", "dual-write", "--quiet"]);
    let status = DEPOTS.find("      {\"sourceField\": \"STATUS\"").unwrap();
    let rest = DEPOTS[status..].find("\"192350000\"}}]},\n").unwrap() + "\"192350000\"}}]},\n".len();
    let expected = format!("{}{}", &DEPOTS[..status], &DEPOTS[status + rest..])
        .replace("\"xyz_kind eq 2 and statecode eq 0\"", "\"xyz_kind eq 3 or statecode eq null\"")
        .replace("\"xyz_area\", \"syncDirection\": 1", "\"xyz_area\", \"syncDirection\": 3")
        .replace("\"concrete\": \"100000001\", \"\": null", "\"concrete\": \"100000001\", \"sand\": \"100000002\"");
    assert_eq!(tokens(&out.out), tokens(&expected));
}

#[test]
fn what_dual_write_cannot_say_is_refused() {
    let f = Folder::new();
    let from = f.write("in.json", DEPOTS);
    f.import("dual-write", &from, &[]).says(0, &[]);
    let name = "p/maps/depots-xyz-depots.tmap";
    let map = f.read(name);
    for (old, new, why) in [
        ("AREASQM   >  xyz_area", "AREASQM   >> xyz_area | trim()", "the pipe `trim`"),
        ("AREASQM   >  xyz_area", "AREASQM   >  xyz_area once", "`once`"),
        ("AREASQM   >  xyz_area", "AREASQM * 2 >> xyz_area", "a computed value"),
        ("xyz_currencyid.isocode", "xyz_currencyid.isocode on missing null", "`on missing`"),
        ("'concrete' = 100000001 }", "'concrete' = 100000001, else > null }", "`else` in a value map"),
        ("{ 'en-us' = 15, ", "{ 'en-us' < 15, 'en' = 15, ", "`en-us`"),
        ("xyz_kind == 2", "xyz_kind + 1 == 2", "does not calculate"),
        ("xyz_kind == 2", "xyz_parentid.xyz_number is null", "own columns only"),
        ("  conflict   hold", "  operations right: update\n  conflict hold", "`operations right`"),
        ("  conflict   hold", "  run        every 5m\n  conflict hold", "`run`"),
    ] {
        assert!(map.contains(old), "{old}");
        f.write(name, map.replace(old, new));
        let done = f.run(&["export", "dual-write"]);
        done.says(1, &["TM1308", why, "depots-xyz-depots.tmap:", "nothing was written"]);
        assert!(!done.out.contains("fieldMappings"), "{new}");
    }
}

#[test]
fn bad_json_is_told_and_the_rest_imported() {
    let entry = |from: &str, to: &str| DEPOTS.replace(from, to);
    let wrong = [
        (
            entry(
                "\"syncDirection\": 2,\n       \"valueTransforms\": [{\"transformType\": \"Default\"",
                "\"syncDirection\": 3,\n       \"valueTransforms\": [{\"transformType\": \"Default\"",
            ),
            "TM1302",
            "one of its sides is empty",
            12,
        ),
        (
            entry("\"xyz_area\", \"syncDirection\": 1", "\"xyz_area\", \"syncDirection\": \"Bidirectional\""),
            "TM1302",
            "no sync direction",
            12,
        ),
        (entry("(DepotKind == \\\"Outdoor\\\"))", "(DepotKind == \\\"Outdoor\\\")"), "TM1304", "`)` is missing", 13),
        (entry("xyz_kind eq 2 and", "xyz_kind equals 2 and"), "TM1304", "a comparison", 13),
    ];
    for (json, code, why, lines) in wrong {
        let f = Folder::new();
        let from = f.write("in.json", &json);
        assert_ne!(json, DEPOTS, "{why}");
        f.import("dual-write", &from, &[]).says(1, &[code, why, "in.json:", &format!("{lines} of ")]);
        f.is_sound();
        // Not even what is wrong is lost.
        let out = f.run(&["export", "dual-write", "--quiet"]).out;
        assert_eq!(tokens(&out), tokens(&json), "{why}");
        if code == "TM1304" {
            let map = f.read("p/maps/depots-xyz-depots.tmap");
            assert!(map.contains(" false\n") && map.contains("# it was: "), "{map}");
        }
    }
    // A default on a two-way line: the line comes, the default does not.
    let f = Folder::new();
    let json = entry("\"xyz_alias\", \"syncDirection\": 1", "\"xyz_alias\", \"syncDirection\": 3")
        .replace("\"Truncate\", \"length\": 20", "\"Default\", \"defaultValue\": \"x\"");
    let from = f.write("in.json", &json);
    f.import("dual-write", &from, &[]).says(1, &["TM1302", "has a default, and runs both ways"]);
    f.is_sound();
    assert_eq!(tokens(&f.run(&["export", "dual-write", "--quiet"]).out), tokens(&json));
    // A file that breaks off: what stands before the break is a map.
    let f = Folder::new();
    let cut = DEPOTS.find("\"xyz_isopen\"").unwrap();
    let from = f.write("in.json", &DEPOTS[..cut + 5]);
    f.import("dual-write", &from, &[]).says(1, &["TM1301", "breaks off", "8 of 8 mappings"]);
    f.is_sound();
    // Nothing at all.
    for (name, content) in [("a.json", "{}"), ("b.json", ""), ("c.json", "[1]"), ("d.xml", "<a/>"), ("e.zip", "PK")] {
        let from = f.write(name, content);
        let out = f.at("none");
        let done = tablemap(&["import", "dual-write", &from, "--out", &out]);
        done.says(1, &["TM1301", "nothing was written"]);
        assert!(!f.path("none").exists());
    }
}

fn solution() -> String {
    let quoted = |t: &str| t.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;");
    let record = |id: u32, name: &str, version: &str, map: &str| {
        format!(
            "<msdyn_dualwriteentitymap msdyn_dualwriteentitymapid=\"{{{id}}}\">\n  <iscustomizable>1</iscustomizable>\n  \
             <msdyn_displayname>{name}</msdyn_displayname>\n  <msdyn_mapping>{}</msdyn_mapping>\n  \
             <msdyn_name>xyz_[{name}]</msdyn_name>\n  <msdyn_properties>{}</msdyn_properties>\n  \
             <msdyn_version>{version}</msdyn_version>\n  <statecode>0</statecode>\n</msdyn_dualwriteentitymap>\n",
            quoted(map),
            quoted("{\"IsDualWriteProject\":true,\"SkipInitialSync\":false}")
        )
    };
    format!(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\n<ImportExportXml>\n<msdyn_dualwriteentitymaps>\n{}{}{}</msdyn_dualwriteentitymaps>\n</ImportExportXml>\n",
        record(1, "xyz_depots - Depots", "1.0.0.9", &DEPOTS.replace("gravel", "pebbles")),
        record(2, "xyz_depots - Depots", "1.0.0.10", DEPOTS),
        record(
            3,
            "xyz_stores - Stores",
            "1.0.0.0",
            &DEPOTS.replace("xyz_depots", "xyz_stores").replace("Depots", "Stores")
        ),
    )
}

#[test]
fn solutions_and_zips() {
    let f = Folder::new();
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(vec![]));
    let options = zip::write::SimpleFileOptions::default();
    for (name, content) in
        [("solution.xml", "<x/>".to_string()), ("../../evil.xml", "x".into()), ("customizations.xml", solution())]
    {
        zip.start_file(name, options).unwrap();
        zip.write_all(content.as_bytes()).unwrap();
    }
    let from = f.write("s.zip", zip.finish().unwrap().into_inner());
    f.import("dual-write", &from, &[]).says(1, &["leads outside", "2 maps"]);
    f.is_sound();
    let map = f.read("p/maps/depots-xyz-depots.tmap");
    assert!(map.contains("version    1.0.0.10") && map.contains("'gravel'"), "the highest version: {map}");
    let out = f.run(&["export", "dual-write", "depots-xyz-depots", "--quiet"]).json();
    assert_eq!(tokens(out["msdyn_mapping"].as_str().unwrap()), tokens(DEPOTS));
    // The same from the XML alone; a document type is not trusted, and nothing of it expanded.
    let g = Folder::new();
    let bomb =
        solution().replace("?>\n<Imp", "?>\n<!DOCTYPE x [<!ENTITY a \"aaaaaaaaaa\"><!ENTITY b \"&a;&a;\">]>\n<Imp");
    let from = g.write("customizations.xml", bomb.replace("Stores</msdyn_displayname>", "&b;</msdyn_displayname>"));
    g.import("dual-write", &from, &[]).says(1, &["document type", "is no entity", "2 maps", "customizations.xml:2:"]);
    assert_eq!(g.read("p/maps/depots-xyz-depots.tmap").replace("customizations.xml", "s.zip"), map);
    // Cut off inside the second record: the first one counts.
    let h = Folder::new();
    let whole = solution();
    let from = h.write("customizations.xml", &whole[..whole.find("1.0.0.10").unwrap()]);
    h.import("dual-write", &from, &[]).says(1, &["breaks off", "1 map"]);
    assert!(h.read("p/maps/depots-xyz-depots.tmap").contains("'pebbles'"));
}

#[test]
fn integration_keys_and_companies() {
    let f = Folder::new();
    let from = f.write("in.json", DEPOTS);
    let keys = f.write(
        "keys.json",
        r#"{ "datasetName": "x", "integrationKeys": { "xyz_depots": ["xyz_parentid.xyz_number", "xyz_number", "xyz_company.cdm_companycode"] } }"#,
    );
    let done = f.import("dual-write", &from, &["--keys", &keys]);
    done.says(0, &[]);
    f.is_sound();
    let map = f.read("p/maps/depots-xyz-depots.tmap");
    for part in [
        "company    DATAAREAID = xyz_company.cdm_companycode\n",
        "key        PARENT = xyz_parentid.xyz_number, DEPOTNUMBER = xyz_number\n",
        "operations left:  create, update\n",
    ] {
        assert!(map.contains(part), "no `{part}` in\n{map}");
    }
    assert!(!map.contains("proposed"), "{map}");
    let out = f.run(&["export", "dual-write", "--quiet", "--keys", &f.at("out.json")]);
    assert_eq!(tokens(&out.out), tokens(DEPOTS));
    assert_eq!(
        tokens(&f.read("out.json")),
        "{\"integrationKeys\":{\"xyz_depots\":[\"xyz_parentid.xyz_number\",\"xyz_number\",\"xyz_company.cdm_companycode\"]}}"
    );
}

#[test]
fn nothing_is_overwritten_and_the_report_is_whole() {
    let f = Folder::new();
    let from = f.write("in.json", DEPOTS);
    let report = f.import("dual-write", &from, &["--format", "json"]).json();
    let map = &report["maps"][0];
    assert_eq!(map["carried_over"]["mappings"], 14);
    assert_eq!(map["carried_over"]["lines"], 12);
    assert_eq!(map["to_decide"].as_array().unwrap().len(), 2, "{map:#}");
    assert!(map["decided"].to_string().contains("xyz_unknown"), "{map:#}");
    assert!(map["to_decide"][0]["at"].as_str().unwrap().contains("in.json:"), "{map:#}");
    assert!(report["written"].to_string().contains("maps/depots-xyz-depots.dual-write.json"));
    f.write("p/maps/depots-xyz-depots.tmap", "# mine\n");
    let schema = format!("{}\n# mine\n", f.read("p/schemas/finance.schema.yaml"));
    f.write("p/schemas/finance.schema.yaml", &schema);
    f.import("dual-write", &from, &[]).says(1, &["is there already", "--force"]);
    assert_eq!(f.read("p/maps/depots-xyz-depots.tmap"), "# mine\n");
    f.import("dual-write", &from, &["--force"]).says(0, &[]);
    assert!(f.read("p/maps/depots-xyz-depots.tmap").contains("DEPOTNUMBER"));
    assert_eq!(f.read("p/schemas/finance.schema.yaml"), schema, "schemas are only added to");
}

#[test]
fn metadata_takes_the_place_of_a_sketch() {
    let f = Folder::new();
    let from = f.write("in.json", DEPOTS);
    f.import("dual-write", &from, &[]).says(0, &[]);
    let csv = f.write(
        "Depots.csv",
        "column,type,length,required,key,values,note,source\nDepotNumber,Edm.String,20,Nullable=false,key 1,,,x\n\
         Currency,Edm.String,3,,,,,x\nModel,Edm.String,10,,,,,x\nParent,Edm.String,20,,,,,x\nOwner,Edm.String,20,,,,,x\n\
         AreaSqm,Edm.String,30,Nullable=false,,,,x\nSurface,M.Surface,,,,gravel(0);concrete(1),,x\n\
         Language,Edm.String,7,,,,,x\nIsOpen,M.NoYes,,,,No(0);Yes(1),,x\nStatus,Edm.Int32,,Nullable=false,,,,x\n\
         DepotKind,M.DepotKind,,,,Indoor(0);Outdoor(1),,x\n",
    );
    f.run(&["schema", "import", "csv", &csv, "--store", "finance"]).says(0, &["left as they are: Depots"]);
    f.run(&["schema", "import", "csv", &csv, "--store", "finance", "--force"]).says(0, &["1 table replaced"]);
    let schema = f.read("p/schemas/finance.schema.yaml");
    assert!(
        schema.contains("DepotNumber: { type: text(20), required: true, collation: case-insensitive }"),
        "{schema}"
    );
    f.run(&["check", "--format", "concise"]).says(0, &["TM0303", "`CURRENCY`, text(3)"]);
    let metadata = r#"<edmx:Edmx xmlns:edmx="e"><edmx:DataServices><Schema Namespace="C">
        <EntityType Name="depot"><Key><PropertyRef Name="xyz_depotid"/></Key><Property Name="xyz_depotid" Type="Edm.Guid" Nullable="false"/>
        <Property Name="xyz_number" Type="Edm.String" MaxLength="20"/><Property Name="xyz_area" Type="Edm.String" MaxLength="30"/></EntityType>
        <EntityContainer Name="x"><EntitySet Name="xyz_depots" EntityType="C.depot"/></EntityContainer></Schema></edmx:DataServices></edmx:Edmx>"#;
    let csdl = f.write("m.xml", metadata);
    let done =
        f.run(&["schema", "import", "csdl", &csdl, "--store", "dataverse", "--force", "--format", "json"]).json();
    assert_eq!(done["replaced"][0], "xyz_depots");
    assert!(done["doubts"].to_string().contains("xyz_surface"), "{done:#}");
    let schema = f.read("p/schemas/dataverse.schema.yaml");
    assert!(schema.contains("alternate_keys: [[xyz_number]]") && schema.contains("xyz_currencies:"), "{schema}");
}

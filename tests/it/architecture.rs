//! The dependency rule of ARCHITECTURE.md, read from the source text: who may know whom, who prints, who sees files,
//! clock and randomness, how long a file may be.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

/// Who may know whom. A room is always allowed to know itself. `room::part` allows that part only.
const MAY_KNOW: &[(&str, &[&str])] = &[
    ("main", &["cli"]),
    (
        "cli",
        &[
            "change",
            "check",
            "diagnostic",
            "draft",
            "engine",
            "export",
            "function",
            "import",
            "project",
            "schema",
            "sema",
            "source",
            "store",
            "syntax",
            "value",
            "yaml",
        ],
    ),
    ("project", &["schema", "yaml", "diagnostic", "syntax", "source", "value"]),
    ("engine", &["sema", "store", "function", "value", "diagnostic", "schema", "syntax::ast"]),
    ("check", &["sema", "syntax", "function", "schema", "value", "source", "diagnostic"]),
    ("sema", &["syntax::ast", "syntax::dsl", "function", "schema", "value", "diagnostic", "source", "store"]),
    ("draft", &["schema", "value"]),
    ("change", &["syntax", "diagnostic", "source"]),
    ("import", &["syntax", "schema", "yaml", "value", "source", "diagnostic"]),
    ("export", &["import", "schema", "syntax", "value", "source", "diagnostic"]),
    ("store", &["schema", "value", "diagnostic"]),
    ("syntax", &["yaml", "source", "diagnostic", "value"]),
    ("function", &["value", "diagnostic"]),
    ("schema", &["yaml", "value", "source", "diagnostic"]),
    ("yaml", &["source", "diagnostic"]),
    ("diagnostic", &["source"]),
    ("value", &[]),
    ("mutants", &[]),
    ("source", &[]),
];

/// Of the stores, sema and the engine know the trait and its plans, never one store; sema nothing that does I/O.
const NEVER: &[(&str, &[&str])] = &[
    ("engine", &["store::sqlite", "store::memory", "store::postgres", "store::odata"]),
    (
        "sema",
        &[
            "store::sqlite",
            "store::memory",
            "store::postgres",
            "store::odata",
            "store::Store",
            "store::Read",
            "store::Snapshot",
            "store::Transaction",
            "store::Watch",
        ],
    ),
];

/// Rooms that do no I/O and see no clock.
const PURE: &[&str] = &[
    "yaml",
    "syntax",
    "sema",
    "change",
    "check",
    "draft",
    "import",
    "export",
    "function",
    "value",
    "schema",
    "source",
    "diagnostic",
];

const IO: &[&str] =
    &["std::fs", "std::net", "std::process", "std::env", "std::thread", "File::open", "stdin()", "rusqlite"];
const CLOCK: &[&str] = &[
    "Instant::now",
    "SystemTime",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "new_v4",
    "Uuid::now_",
    "thread_rng",
    "getrandom",
    "RandomState",
];
const PRINT: &[&str] = &["println!", "print!", "eprintln!", "eprint!", "dbg!", "stdout()", "stderr()"];

const MAX_LINES: usize = 800;

/// A source file without comments, text literals and tests.
struct File {
    path: PathBuf,
    /// The room: the first folder or file name below src.
    room: String,
    /// How many modules lie above: 0 for lib.rs and main.rs, 1 for `x/mod.rs` and `x.rs`, 2 for `x/y.rs`.
    depth: usize,
    whole: String,
    code: String,
}

fn rust_files(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            rust_files(&path, found);
        } else if path.extension().is_some_and(|e| e == "rs") {
            found.push(path);
        }
    }
}

/// Every file of src; modules declared under `#[cfg(test)]` are left out.
fn files() -> Vec<File> {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut paths = vec![];
    rust_files(&src, &mut paths);
    paths.sort();
    let mut tests = BTreeSet::new();
    let mut all = vec![];
    for path in paths {
        let whole = std::fs::read_to_string(&path).unwrap();
        let mut code = without_comments(&whole);
        let folder = match path.file_name().and_then(|n| n.to_str()) {
            Some("mod.rs" | "lib.rs" | "main.rs") => path.parent().unwrap().to_path_buf(),
            _ => path.with_extension(""),
        };
        for module in cut_tests(&mut code) {
            tests.insert(folder.join(format!("{module}.rs")));
            tests.insert(folder.join(module).join("mod.rs"));
        }
        let below = path.strip_prefix(&src).unwrap().with_extension("");
        let mut parts: Vec<String> = below.iter().map(|p| p.to_string_lossy().into_owned()).collect();
        if parts.last().is_some_and(|p| p == "mod") {
            parts.pop();
        }
        let depth = if parts == ["lib"] || parts == ["main"] { 0 } else { parts.len() };
        // `#[path = "x_tests.rs"] mod tests;`
        if below.file_stem().is_some_and(|s| s.to_string_lossy().ends_with("_tests")) {
            tests.insert(path.clone());
        }
        all.push(File { room: parts[0].clone(), path, depth, whole, code });
    }
    all.retain(|f| !tests.contains(&f.path));
    assert!(all.len() > 40, "the sources were not found");
    all
}

/// Blanks out comments and what stands in text and character literals; line breaks stay.
fn without_comments(text: &str) -> String {
    let c: Vec<char> = text.chars().collect();
    let at = |i: usize| c.get(i).copied().unwrap_or('\0');
    let mut out = String::with_capacity(text.len());
    let mut i = 0;
    while i < c.len() {
        match c[i] {
            '/' if at(i + 1) == '/' => {
                while i < c.len() && c[i] != '\n' {
                    i += 1;
                }
            }
            '/' if at(i + 1) == '*' => {
                let mut level = 0;
                loop {
                    match (at(i), at(i + 1)) {
                        ('/', '*') => (level, i) = (level + 1, i + 2),
                        ('*', '/') => (level, i) = (level - 1, i + 2),
                        ('\n', _) => {
                            out.push('\n');
                            i += 1;
                        }
                        _ => i += 1,
                    }
                    if level == 0 || i >= c.len() {
                        break;
                    }
                }
            }
            'r' | 'b' if raw_text(&c, i).is_some() && (i == 0 || !(c[i - 1].is_alphanumeric() || c[i - 1] == '_')) => {
                let (start, hashes) = raw_text(&c, i).unwrap();
                i = start;
                while i < c.len() && !(c[i] == '"' && (1..=hashes).all(|n| at(i + n) == '#')) {
                    if c[i] == '\n' {
                        out.push('\n');
                    }
                    i += 1;
                }
                i += 1 + hashes;
                out.push_str("\"\"");
            }
            '"' => {
                i += 1;
                while i < c.len() && c[i] != '"' {
                    if c[i] == '\n' {
                        out.push('\n');
                    }
                    i += if c[i] == '\\' && at(i + 1) != '\n' { 2 } else { 1 };
                }
                i += 1;
                out.push_str("\"\"");
            }
            '\'' if at(i + 1) == '\\' => {
                i += 3;
                while i < c.len() && c[i] != '\'' {
                    i += 1;
                }
                i += 1;
            }
            '\'' if at(i + 2) == '\'' => i += 3,
            other => {
                out.push(other);
                i += 1;
            }
        }
    }
    out
}

/// Where the content of a raw text literal that begins at `i` starts, and how many `#` end it.
fn raw_text(c: &[char], i: usize) -> Option<(usize, usize)> {
    let mut j = if c[i] == 'b' { i + 1 } else { i };
    if c.get(j) != Some(&'r') {
        return None;
    }
    j += 1;
    let hashes = c[j..].iter().take_while(|x| **x == '#').count();
    (c.get(j + hashes) == Some(&'"')).then_some((j + hashes + 1, hashes))
}

/// Takes out what `#[cfg(test)]` stands before; the names of modules in files of their own.
fn cut_tests(code: &mut String) -> Vec<String> {
    const MARK: &str = "#[cfg(test)]";
    let mut modules = vec![];
    while let Some(start) = code.find(MARK) {
        let rest = &code[start..];
        let end = match (rest.find('{'), rest.find(';')) {
            (Some(open), semicolon) if semicolon.is_none_or(|s| open < s) => {
                let mut level = 0;
                rest.char_indices()
                    .skip_while(|(i, _)| *i < open)
                    .find_map(|(i, ch)| {
                        level += i32::from(ch == '{') - i32::from(ch == '}');
                        (level == 0).then_some(i + 1)
                    })
                    .unwrap_or(rest.len())
            }
            (_, Some(semicolon)) => {
                let item = &rest[MARK.len()..semicolon];
                if let Some((_, name)) = item.rsplit_once("mod ") {
                    modules.push(name.trim().to_string());
                }
                semicolon + 1
            }
            _ => rest.len(),
        };
        code.replace_range(start..start + end, "");
    }
    modules
}

/// The `room::part` paths that code names: `crate::a::b`, `use crate::{a::b, c}`, `super::super::a`.
fn known(file: &File) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let root = if file.room == "main" { "tablemap::" } else { "crate::" };
    let mut starts: Vec<usize> = vec![];
    for (i, _) in file.code.match_indices(root) {
        let before = file.code[..i].chars().next_back().unwrap_or(' ');
        if !before.is_alphanumeric() && before != '_' {
            starts.push(i + root.len());
        }
    }
    // Enough `super::` reach the crate's root.
    if file.depth > 0 {
        let up = "super::".repeat(file.depth);
        starts.extend(
            file.code
                .match_indices(&up)
                .map(|(i, _)| (i, i + up.len()))
                .filter(|(i, _)| !file.code[..*i].ends_with("super::"))
                .map(|(_, end)| end),
        );
    }
    for start in starts {
        for path in paths_at(&file.code[start..]) {
            let mut parts = path.split("::").map(str::trim).filter(|p| !p.is_empty());
            if let Some(room) = parts.next() {
                found.insert(match parts.next() {
                    Some(part) => format!("{room}::{part}"),
                    None => room.to_string(),
                });
            }
        }
    }
    found
}

/// The paths that a use tree holds, to the second part.
fn paths_at(text: &str) -> Vec<String> {
    let text = text.trim_start();
    let Some(inside) = text.strip_prefix('{') else {
        let end = text.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(text.len());
        let (name, rest) = text.split_at(end);
        return match rest.strip_prefix("::") {
            None => vec![name.to_string()],
            Some(rest) => {
                let inner = paths_at(rest);
                if inner.is_empty() {
                    return vec![name.to_string()];
                }
                inner.into_iter().map(|p| format!("{name}::{p}")).collect()
            }
        };
    };
    let mut level = 0;
    let mut from = 0;
    let mut all = vec![];
    for (i, c) in inside.char_indices() {
        match c {
            '{' => level += 1,
            '}' | ',' if level == 0 => {
                all.extend(paths_at(&inside[from..i]));
                from = i + 1;
                if c == '}' {
                    break;
                }
            }
            '}' => level -= 1,
            _ => {}
        }
    }
    all
}

fn shown(path: &Path) -> String {
    path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap_or(path).display().to_string()
}

fn within(path: &str, rule: &str) -> bool {
    path == rule || path.strip_prefix(rule).is_some_and(|rest| rest.starts_with("::"))
}

/// `file: what` for every hit of `words`.
fn hits(file: &File, words: &[&str]) -> Vec<String> {
    let mut all = vec![];
    for word in words {
        for (i, _) in file.code.match_indices(word) {
            let before = file.code[..i].chars().next_back().unwrap_or(' ');
            if !before.is_alphanumeric() && before != '_' {
                all.push(format!("{}: `{word}`", shown(&file.path)));
            }
        }
    }
    all
}

fn none(breaches: Vec<String>, rule: &str) {
    assert!(breaches.is_empty(), "{rule}:\n  {}", breaches.join("\n  "));
}

#[test]
fn rooms_know_only_whom_they_may() {
    let rules: BTreeMap<&str, &[&str]> = MAY_KNOW.iter().copied().collect();
    let never: BTreeMap<&str, &[&str]> = NEVER.iter().copied().collect();
    let mut breaches = vec![];
    for file in files() {
        if file.room == "lib" {
            continue;
        }
        let Some(allowed) = rules.get(file.room.as_str()) else {
            breaches.push(format!("{}: room `{}` has no rule in {}", shown(&file.path), file.room, file!()));
            continue;
        };
        for path in known(&file) {
            let room = path.split("::").next().unwrap_or_default();
            // Macros and names of lib.rs itself are nobody's room.
            if room == file.room || !rules.contains_key(room) {
                continue;
            }
            if !allowed.iter().any(|rule| within(&path, rule)) {
                breaches.push(format!("{}: `{}` may not know `{path}`", shown(&file.path), file.room));
            }
            if never.get(file.room.as_str()).is_some_and(|n| n.iter().any(|rule| within(&path, rule))) {
                breaches.push(format!("{}: `{}` may never know `{path}`", shown(&file.path), file.room));
            }
        }
    }
    none(breaches, "the dependency rule of ARCHITECTURE.md");
}

#[test]
fn only_the_command_line_prints() {
    let quiet = files().into_iter().filter(|f| f.room != "cli");
    none(quiet.flat_map(|f| hits(&f, PRINT)).collect(), "only src/cli prints");
}

#[test]
fn pure_rooms_do_no_io() {
    let pure = files().into_iter().filter(|f| PURE.contains(&f.room.as_str()));
    none(pure.flat_map(|f| hits(&f, IO)).collect(), "these rooms see no files, network, environment or threads");
}

#[test]
fn clock_and_randomness_come_in_at_one_place() {
    let blind = files().into_iter().filter(|f| match f.room.as_str() {
        "engine" => !f.path.ends_with("engine/env.rs"),
        room => PURE.contains(&room),
    });
    none(blind.flat_map(|f| hits(&f, CLOCK)).collect(), "clock and randomness belong to engine::env");
}

#[test]
fn no_file_is_too_long() {
    let long = files().into_iter().filter(|f| f.whole.lines().count() > MAX_LINES);
    none(
        long.map(|f| format!("{}: {} lines", shown(&f.path), f.whole.lines().count())).collect(),
        "a file of more than 800 lines wants to be two",
    );
}

#[test]
fn every_file_says_what_it_is() {
    let silent = files().into_iter().filter(|f| !f.whole.trim_start_matches('\u{feff}').starts_with("//!"));
    none(silent.map(|f| shown(&f.path)).collect(), "a file begins with a `//!` sentence");
}

#[test]
fn the_reader_of_sources_sees_what_it_should() {
    let code = |text: &str| {
        let mut code = without_comments(text);
        cut_tests(&mut code);
        File { path: PathBuf::new(), room: "x".into(), depth: 2, whole: String::new(), code }
    };
    let found = |text: &str| known(&code(text)).into_iter().collect::<Vec<_>>().join(" ");
    assert_eq!(found("use crate::a::b::C;"), "a::b");
    assert_eq!(found("use crate::{a::{b, c::D}, e::F, g};"), "a::b a::c e::F g");
    assert_eq!(found("use super::super::a::b; use super::c;"), "a::b");
    assert_eq!(found("let x = crate::a::f(); // crate::b::g()\n/* crate::c */ let t = \"crate::d\";"), "a::f");
    assert_eq!(
        found("let t = r#\"crate::a \" \"#; let q = '\"'; crate::b::f(); let e = '\\''; crate::c::f()"),
        "b::f c::f"
    );
    assert_eq!(
        found("fn f<'a>(x: &'a str) {} crate::a::f();\n#[cfg(test)]\nmod tests { use crate::b::f; } crate::c::f()"),
        "a::f c::f"
    );
    assert_eq!(found("#[cfg(test)]\nmod tests;\ncrate::c::f()"), "c::f");
    assert_eq!(hits(&code("mycrate_println!(); println!(\"\")"), PRINT), ["`println!`"].map(|w| format!(": {w}")));
}

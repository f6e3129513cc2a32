//! Reads `tablemap.yaml`.

use super::{DEFAULT_SIZE, Level, Limits, Location, Project, Secret, StoreConfig, StoreKind, poll};
use crate::diagnostic::{Code, Diagnostic, Severity, all_codes, did_you_mean};
use crate::schema::StoreSchema;
use crate::source::{FileId, Sources, Span};
use crate::yaml::{self, Codes, Entry, Node, Reader};
use jiff::tz::TimeZone;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const TOP: &[&str] = &["name", "stores", "maps", "companies", "time_zone", "state", "limits", "checks"];
const STORE: &[&str] = &["kind", "path", "url", "schema", "poll"];
const KINDS: &[StoreKind] = &[StoreKind::Sqlite, StoreKind::Postgres, StoreKind::Odata, StoreKind::Memory];
/// The name of a project that does not say one.
const NAME: &str = "tablemap";
/// Where maps lie unless the project says otherwise.
const MAPS: &[&str] = &["maps/**/*.tmap", "maps/**/*.map.yaml"];

/// What a text with `${NAME}` became.
enum Expanded {
    Text(String),
    /// The variable that is not set.
    Unset(String),
    Broken,
}

struct Builder<'a> {
    r: Reader,
    root: &'a Path,
    environment: &'a dyn Fn(&str) -> Option<String>,
}

/// Reads the project file `file` of the folder `root`; schemas and maps are not loaded. `${NAME}` in the settings of
/// stores, `state` and `time_zone` reads `environment`; `$${` stands for `${`.
pub fn read(
    sources: &Sources,
    file: FileId,
    root: &Path,
    environment: &dyn Fn(&str) -> Option<String>,
) -> (Project, Vec<Diagnostic>) {
    let (document, findings) = yaml::parse(&sources.file(file).text, file);
    let codes = Codes { shape: Code::TM0153, unknown: Code::TM0154, missing: Code::TM0155 };
    let mut p = Builder { r: Reader::new(codes, document.broken), root, environment };
    p.r.findings = findings;
    let start = Span::new(file, 0, 0);
    let mut project = Project {
        name: NAME.into(),
        root: root.to_path_buf(),
        file,
        stores: vec![],
        companies: None,
        time_zone: TimeZone::UTC,
        state: root.join(".tablemap"),
        limits: Limits::default(),
        checks: vec![],
        patterns: MAPS.iter().map(|m| (m.to_string(), start)).collect(),
        maps: vec![],
    };
    match &document.root {
        Some(node) => p.top(node, &mut project),
        None if document.broken => {}
        None => {
            let d = Diagnostic::new(Code::TM0155, start, "the project file is empty").help("begin with `stores:`");
            p.r.add(d);
        }
    }
    p.r.findings.sort_by_key(|d| d.span().map(|s| s.start));
    (project, p.r.findings)
}

impl Builder<'_> {
    fn top(&mut self, root: &Node, project: &mut Project) {
        let Some(f) = self.r.fields(root, "the project file", TOP) else { return };
        if let Some(n) = self.r.require(&f, "stores", "the project file") {
            for e in self.r.mapping(n, "`stores`").unwrap_or_default() {
                if let Some(store) = self.store(e) {
                    project.stores.push(store);
                }
            }
        }
        if let Some(n) = f.get("name") {
            self.name(n, project);
        }
        if let Some(n) = f.get("maps") {
            project.patterns =
                self.r.texts(n, "a pattern of `maps`").into_iter().map(|(s, at)| (s.text.clone(), at)).collect();
        }
        if let Some(n) = f.get("companies") {
            let mut companies: Vec<String> = vec![];
            for (name, span) in self.r.texts(n, "a company") {
                if companies.contains(&name.text) {
                    let d = Diagnostic::new(Code::TM0160, span, format!("company `{}` is written twice", name.text));
                    self.r.add(d.help("keep one"));
                } else {
                    companies.push(name.text.clone());
                }
            }
            if n.items().is_some_and(|i| i.is_empty()) {
                self.r.refuse(n.span, "an empty list of companies", "name one, or take `companies` away for all");
            }
            project.companies = Some(companies);
        }
        if let Some(n) = f.get("time_zone") {
            self.time_zone(n, project);
        }
        if let Some(n) = f.get("state")
            && let Some(path) = self.path(n, "`state`", Severity::Error)
        {
            project.state = path;
        }
        if let Some(n) = f.get("limits")
            && let Some(l) = self.r.fields(n, "`limits`", &["map_size"])
            && let Some(n) = l.get("map_size")
        {
            project.limits.map_size = self.size(n).unwrap_or(DEFAULT_SIZE);
        }
        if let Some(n) = f.get("checks") {
            for e in self.r.mapping(n, "`checks`").unwrap_or_default() {
                if let Some(check) = self.check(e) {
                    project.checks.push(check);
                }
            }
        }
    }

    /// The name begins names in state tables and triggers, so it is kept plain.
    fn name(&mut self, n: &Node, project: &mut Project) {
        let Some(s) = self.r.text(n, "the project's name") else { return };
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if s.text.is_empty() || s.text.len() > 60 || !s.text.chars().all(plain) {
            let message = format!("`{}` cannot be the project's name", s.text);
            self.r.refuse(n.span, message, "write 1 to 60 of the characters a-z A-Z 0-9 - _");
        } else {
            project.name = s.text.clone();
        }
    }

    fn store(&mut self, e: &Entry) -> Option<StoreConfig> {
        let name = e.key.text.clone();
        if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
            let help = "letters, digits and `_` only: maps write it before a dot";
            self.r.refuse(e.key_span, format!("`{name}` cannot name a store"), help);
        }
        let what = format!("store `{name}`");
        let f = self.r.fields(&e.value, &what, STORE)?;
        let kind = self.r.require(&f, "kind", &what).and_then(|n| self.kind(n))?;
        let location = match kind {
            StoreKind::Sqlite => {
                self.not_used(&f, "url", kind);
                match self.r.require(&f, "path", &what) {
                    Some(n) => self.location(n, "`path`", |s, root| Location::Path(root.join(s))),
                    None => Location::Nowhere,
                }
            }
            StoreKind::Postgres | StoreKind::Odata => {
                self.not_used(&f, "path", kind);
                match self.r.require(&f, "url", &what) {
                    Some(n) => self.location(n, "`url`", |s, _| Location::Url(Secret::new(s))),
                    None => Location::Nowhere,
                }
            }
            StoreKind::Memory => {
                self.not_used(&f, "path", kind);
                self.not_used(&f, "url", kind);
                Location::Nowhere
            }
        };
        if kind != StoreKind::Sqlite {
            self.not_used(&f, "poll", kind);
        }
        let poll = f.get("poll").and_then(|n| poll::read(&mut self.r, n));
        let schema = self.r.require(&f, "schema", &what);
        let schema_path = schema.and_then(|n| self.path(n, "`schema`", Severity::Error)).unwrap_or_default();
        let schema_span = schema.map_or(e.key_span, |n| n.span);
        let schema = Arc::new(StoreSchema { name: name.clone(), ..StoreSchema::default() });
        Some(StoreConfig { name, span: e.key_span, kind, location, poll, schema_path, schema, schema_span })
    }

    fn kind(&mut self, n: &Node) -> Option<StoreKind> {
        let text = self.r.name(n, "`kind`")?;
        let found = KINDS.iter().find(|k| k.word() == text.text).copied();
        if found.is_none() {
            let words = KINDS.iter().map(|k| k.word());
            let help = did_you_mean(&text.text, words.clone())
                .unwrap_or_else(|| format!("known are `{}`", words.collect::<Vec<_>>().join("`, `")));
            let d = Diagnostic::new(Code::TM0166, n.span, format!("no kind of store is called `{}`", text.text));
            self.r.add(d.help(help));
        }
        found
    }

    fn not_used(&mut self, f: &yaml::Fields<'_>, key: &str, kind: StoreKind) {
        if let Some(e) = f.entry(key) {
            let message = format!("a `{}` store has no `{key}`", kind.word());
            let d = Diagnostic::new(Code::TM0166, e.key_span, message).help(match kind {
                _ if key == "poll" => "only SQLite files are polled; take it away",
                StoreKind::Sqlite => "name its file with `path`",
                StoreKind::Postgres | StoreKind::Odata => "name its address with `url`",
                StoreKind::Memory => "take it away",
            });
            self.r.add(d);
        }
    }

    fn location(&mut self, n: &Node, what: &str, make: impl Fn(String, &Path) -> Location) -> Location {
        match self.expand(n, what, Severity::Warning) {
            Expanded::Text(t) => make(t, self.root),
            Expanded::Unset(name) => Location::Unset(name),
            Expanded::Broken => Location::Nowhere,
        }
    }

    fn path(&mut self, n: &Node, what: &str, severity: Severity) -> Option<PathBuf> {
        match self.expand(n, what, severity) {
            Expanded::Text(t) => Some(self.root.join(t)),
            _ => None,
        }
    }

    /// A text with its variables read. The finding about a missing one never shows what the others hold.
    fn expand(&mut self, n: &Node, what: &str, severity: Severity) -> Expanded {
        let Some(scalar) = self.r.name(n, what) else { return Expanded::Broken };
        let text = scalar.text.as_str();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        let mut unset = None;
        while let Some(i) = text[at..].find("${").map(|i| i + at) {
            if text[at..i].ends_with('$') {
                out.push_str(&text[at..i - 1]);
                out.push_str("${");
                at = i + 2;
                continue;
            }
            out.push_str(&text[at..i]);
            let end = text[i..].find('}').map(|e| e + i);
            let name = end.map_or("", |e| &text[i + 2..e]);
            let stop = end.map_or(text.len(), |e| e + 1);
            let span = Span::new(n.span.file, scalar.offset(i), scalar.offset(stop));
            let good = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')
                && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
            if !good {
                self.r.refuse(
                    span,
                    "`${` without a name of a variable",
                    "write `${NAME}`, or `$${` for the characters",
                );
                return Expanded::Broken;
            }
            match (self.environment)(name) {
                Some(value) => out.push_str(&value),
                None => {
                    let mut d =
                        Diagnostic::new(Code::TM0164, span, format!("the environment variable `{name}` is not set"))
                            .help("set it; without it the store can be checked but not opened");
                    if severity == Severity::Error {
                        d = d.help("set it");
                    }
                    d.severity = severity;
                    self.r.add(d);
                    unset.get_or_insert_with(|| name.to_string());
                }
            }
            at = stop;
        }
        out.push_str(&text[at..]);
        match unset {
            Some(name) => Expanded::Unset(name),
            None => Expanded::Text(out),
        }
    }

    fn time_zone(&mut self, n: &Node, project: &mut Project) {
        let Expanded::Text(name) = self.expand(n, "`time_zone`", Severity::Error) else { return };
        if name == "UTC" {
            return;
        }
        match TimeZone::get(&name) {
            Ok(zone) => project.time_zone = zone,
            Err(_) => {
                let known: Vec<String> = jiff::tz::db().available().map(|n| n.to_string()).collect();
                let help = did_you_mean(&name, known.iter().map(String::as_str))
                    .unwrap_or_else(|| "write a name like `Europe/Copenhagen`".into());
                let d = Diagnostic::new(Code::TM0165, n.span, format!("no time zone `{name}`")).help(help);
                self.r.add(d);
            }
        }
    }

    /// Bytes, or a text like `16 MiB`.
    fn size(&mut self, n: &Node) -> Option<u64> {
        let Some(scalar) = n.scalar() else {
            self.r.wrong(n, "a size for `map_size`");
            return None;
        };
        let text = scalar.text.trim();
        let digits = text.len() - text.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let factor = match text[digits..].trim() {
            "" => Some(1),
            "KiB" => Some(1024),
            "MiB" => Some(1024 * 1024),
            _ => None,
        };
        let bytes = factor.and_then(|f| text[..digits].parse::<u64>().ok()?.checked_mul(f));
        let bytes = bytes.filter(|b| (1..=1024 * 1024 * 1024).contains(b));
        if bytes.is_none() {
            let message = format!("`{text}` is not a size");
            self.r.refuse(n.span, message, "write bytes, or `16 MiB`; at most 1024 MiB");
        }
        bytes
    }

    fn check(&mut self, e: &Entry) -> Option<(Code, Level)> {
        let key = e.key.text.as_str();
        let level = match self.r.text(&e.value, "a level")?.text.as_str() {
            "deny" => Level::Deny,
            "warn" => Level::Warn,
            "allow" => Level::Allow,
            other => {
                let d = Diagnostic::new(Code::TM0168, e.value.span, format!("no level is called `{other}`"))
                    .help("write `deny`, `warn` or `allow`");
                self.r.add(d);
                return None;
            }
        };
        let Some((code, severity, _)) = all_codes().iter().find(|(c, _, _)| c.0 == key) else {
            let d = Diagnostic::new(Code::TM0168, e.key_span, format!("no check has the code `{key}`"));
            let near = did_you_mean(key, all_codes().iter().map(|(c, _, _)| c.0));
            self.r.add(d.help(near.unwrap_or_else(|| "`tablemap explain` lists them".into())));
            return None;
        };
        if *severity == Severity::Error && level != Level::Deny {
            let d = Diagnostic::new(Code::TM0168, e.value.span, format!("`{key}` is an error and stays one"))
                .help("mend what it finds; only warnings can be allowed");
            self.r.add(d);
            return None;
        }
        Some((*code, level))
    }
}

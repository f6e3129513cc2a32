//! The maps that mistakes are planted in, and the check of one mutant.

use std::collections::HashSet;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;
use tablemap::diagnostic::Diagnostic;
use tablemap::schema::{Column, ColumnId, Lookup, StoreSchema, Table, TableId};
use tablemap::sema::Input;
use tablemap::source::{At, FileId, Sources};
use tablemap::syntax::ast::{self, Map, Side};
use tablemap::{check, schema, syntax};

/// A file of a world.
pub struct Text {
    pub name: String,
    pub text: String,
}

/// A set of maps with their schemas, without findings but those in `base`.
pub struct World {
    pub name: &'static str,
    /// Schemas first, then maps.
    pub files: Vec<Text>,
    pub schemas: usize,
    pub stores: Vec<(String, Arc<StoreSchema>)>,
    pub asts: Vec<(FileId, std::sync::Arc<ast::File>)>,
    base: HashSet<(String, String, String)>,
}

type Loaded = (Sources, Vec<(String, Arc<StoreSchema>)>, Vec<(FileId, std::sync::Arc<ast::File>)>, Vec<Diagnostic>);

/// One replacement in one file.
#[derive(Clone)]
pub struct Edit {
    pub file: usize,
    pub at: Range<usize>,
    pub with: String,
}

/// Where a finding must be.
#[derive(Clone)]
pub enum Want {
    /// At a line that the edits wrote.
    Edited,
    /// At a line of these ranges of the files as they were.
    Lines(Vec<(usize, Range<usize>)>),
    /// At any line of these files.
    Files(Vec<usize>),
}

/// One planted mistake.
#[derive(Clone)]
pub struct Mutant {
    pub edits: Vec<Edit>,
    /// A file more.
    pub more: Option<(String, String)>,
    pub want: Want,
}

impl Mutant {
    pub fn new(file: usize, at: Range<usize>, with: impl Into<String>) -> Mutant {
        Mutant { edits: vec![Edit { file, at, with: with.into() }], more: None, want: Want::Edited }
    }
    pub fn want(mut self, want: Want) -> Mutant {
        self.want = want;
        self
    }
}

/// The bytes of a place.
pub fn range(at: At) -> Range<usize> {
    at.0.start as usize..at.0.end as usize
}

/// One side of a map.
#[derive(Clone, Copy)]
pub struct At1<'a> {
    pub store: usize,
    pub schema: &'a StoreSchema,
    pub table: TableId,
}

impl<'a> At1<'a> {
    pub fn it(&self) -> &'a Table {
        self.schema.get(self.table)
    }
}

/// A map with its file and its sides.
#[derive(Clone, Copy)]
pub struct M<'a> {
    pub file: usize,
    pub map: &'a Map,
    pub left: At1<'a>,
    pub right: At1<'a>,
}

impl<'a> M<'a> {
    pub fn side(&self, side: Side) -> At1<'a> {
        if side == Side::Left { self.left } else { self.right }
    }
    pub fn arrow(&self) -> ast::Arrow {
        self.map.tables.as_ref().unwrap().it.arrow
    }
    pub fn two_way(&self) -> bool {
        self.arrow() == ast::Arrow::Both
    }
    /// Sides that something runs into.
    pub fn legs(&self) -> Vec<Side> {
        match self.arrow() {
            ast::Arrow::Both => vec![Side::Left, Side::Right],
            ast::Arrow::ToLeft => vec![Side::Left],
            ast::Arrow::ToRight => vec![Side::Right],
        }
    }
    pub fn may(&self, side: Side, operation: ast::Operation) -> bool {
        self.map.operations.iter().find(|n| n.it.0 == side).is_none_or(|n| n.it.1.iter().any(|o| o.it == operation))
    }
}

impl World {
    /// Reads `dir/schemas` (or `dir`) and `dir`.
    pub fn read(name: &'static str, schemas: &str, maps: &str) -> World {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let list = |pattern: String| {
            let mut all: Vec<Text> = glob::glob(&root.join(pattern).to_string_lossy())
                .unwrap()
                .map(|p| p.unwrap())
                .map(|p| Text {
                    name: p.file_name().unwrap().to_string_lossy().into_owned(),
                    text: std::fs::read_to_string(&p).unwrap(),
                })
                .collect();
            all.sort_by(|a, b| a.name.cmp(&b.name));
            all
        };
        let mut files = list(format!("{schemas}/*.schema.yaml"));
        let schemas = files.len();
        files.extend(list(format!("{maps}/*.tmap")));
        let texts: Vec<String> = files.iter().map(|f| f.text.clone()).collect();
        let mut world = World { name, files, schemas, stores: vec![], asts: vec![], base: HashSet::new() };
        let (sources, stores, asts, findings) = world.load(&texts, None, true);
        assert!(findings.is_empty(), "{findings:?}");
        (world.stores, world.asts) = (stores, asts);
        let texts: Vec<String> = world.files.iter().map(|f| f.text.clone()).collect();
        let findings = world.check(&texts, None, false).1;
        world.base = findings.iter().map(|d| key(&sources, d)).collect();
        world
    }

    /// What a file says now.
    pub fn text(&self, file: usize, at: Range<usize>) -> &str {
        &self.files[file].text[at]
    }

    /// All maps whose tables are known.
    pub fn maps(&self) -> Vec<M<'_>> {
        let side = |r: &ast::TableRef| {
            let store = self.stores.iter().position(|(n, _)| *n == r.store.text)?;
            let schema = &*self.stores[store].1;
            Some(At1 { store, schema, table: schema.table(&r.table.text)? })
        };
        self.asts
            .iter()
            .enumerate()
            .flat_map(|(i, (_, f))| f.maps.iter().map(move |m| (i, m)))
            .map(|(i, map)| {
                let t = &map.tables.as_ref().unwrap().it;
                M { file: self.schemas + i, map, left: side(&t.left).unwrap(), right: side(&t.right).unwrap() }
            })
            .collect()
    }

    /// The pairs of a line and the file they stand in.
    pub fn pairs<'a>(&'a self, m: &M<'a>, line: &'a ast::Line) -> Option<(usize, &'a ast::Pairs)> {
        match line.values.as_ref()? {
            ast::LineValues::Inline(p) => Some((m.file, p)),
            ast::LineValues::Named(n) => self.asts.iter().enumerate().find_map(|(i, (_, f))| {
                f.values.iter().find(|v| v.name.text == n.text).map(|v| (self.schemas + i, &v.pairs))
            }),
        }
    }

    fn load(&self, texts: &[String], more: Option<&(String, String)>, all: bool) -> Loaded {
        let mut sources = Sources::new();
        let (mut stores, mut asts, mut findings) = (vec![], vec![], vec![]);
        for (i, f) in self.files.iter().enumerate() {
            let same = !all && texts[i] == f.text;
            let id = sources.add(f.name.as_str(), texts[i].as_str());
            if i < self.schemas {
                if same {
                    stores.push(self.stores[i].clone());
                    continue;
                }
                let (s, found) = schema::load(&sources, id);
                stores.push((f.name.replace(".schema.yaml", ""), Arc::new(s)));
                findings.extend(found);
            } else if same {
                asts.push(self.asts[i - self.schemas].clone());
            } else {
                let (a, found) = syntax::dsl::parse(&sources, id);
                asts.push((id, std::sync::Arc::new(a)));
                findings.extend(found);
            }
        }
        if let Some((name, text)) = more {
            let id = sources.add(name.as_str(), text.as_str());
            // A project file is only looked at as text.
            if name.ends_with(".tmap") {
                let (a, found) = syntax::dsl::parse(&sources, id);
                asts.push((id, std::sync::Arc::new(a)));
                findings.extend(found);
            }
        }
        (sources, stores, asts, findings)
    }

    fn check(&self, texts: &[String], more: Option<&(String, String)>, all: bool) -> (Sources, Vec<Diagnostic>) {
        let (sources, stores, asts, mut findings) = self.load(texts, more, all);
        let time_zone = jiff::tz::TimeZone::UTC;
        let input = Input { sources: &sources, stores: &stores, files: &asts, companies: None, time_zone };
        findings.extend(check::check(&input).1);
        (sources, findings)
    }

    /// Whether `check` finds the mutant, with one of the codes at a wanted line; if not, what it does find.
    pub fn finds(&self, mutant: &Mutant, codes: &[&str]) -> Result<(), String> {
        let mut texts: Vec<String> = self.files.iter().map(|f| f.text.clone()).collect();
        let mut edits = mutant.edits.clone();
        edits.sort_by_key(|e| (e.file, std::cmp::Reverse(e.at.start)));
        for e in &edits {
            texts[e.file].replace_range(e.at.clone(), &e.with);
        }
        let (sources, findings) = self.check(&texts, mutant.more.as_ref(), false);
        // Where a byte of the old text is in the new one; what was replaced counts as its end.
        let moved = |file: usize, at: usize| {
            let shift: isize = edits
                .iter()
                .filter(|e| e.file == file && e.at.end <= at)
                .map(|e| e.with.len() as isize - e.at.len() as isize)
                .sum();
            (at as isize + shift) as usize
        };
        let lines = |file: usize, r: Range<usize>| {
            let f = sources.file(FileId(file as u32));
            let last = r.end.max(r.start + 1) - 1;
            (file, f.place(r.start as u32).line..=f.place(last as u32).line)
        };
        let places: Vec<(usize, std::ops::RangeInclusive<u32>)> = match &mutant.want {
            Want::Files(files) => files.iter().map(|f| (*f, 0..=u32::MAX)).collect(),
            Want::Lines(all) => all.iter().map(|(f, r)| lines(*f, moved(*f, r.start)..moved(*f, r.end))).collect(),
            Want::Edited => edits
                .iter()
                .map(|e| {
                    let before = edits.iter().filter(|o| o.file == e.file && o.at.start < e.at.start);
                    let shift: isize = before.map(|o| o.with.len() as isize - o.at.len() as isize).sum();
                    let start = (e.at.start as isize + shift) as usize;
                    let lead = e.with.len() - e.with.trim_start().len();
                    lines(e.file, start + lead..start + e.with.trim_end().len().max(lead + 1))
                })
                .collect(),
        };
        let new: Vec<&Diagnostic> = findings.iter().filter(|d| !self.base.contains(&key(&sources, d))).collect();
        let hit = |d: &Diagnostic| {
            let Some(span) = d.span() else { return false };
            let line = sources.file(span.file).place(span.start).line;
            codes.contains(&d.code.0)
                && places.iter().any(|(f, lines)| *f == span.file.0 as usize && lines.contains(&line))
        };
        if new.iter().any(|d| hit(d)) {
            return Ok(());
        }
        let mut told: Vec<String> = new
            .iter()
            .map(|d| format!("{} {} {}", d.span().map_or(String::new(), |s| sources.at(s)), d.code, d.message))
            .collect();
        told.truncate(4);
        let place =
            |e: &Edit| format!("{} {:?} -> {:?}", self.files[e.file].name, self.text(e.file, e.at.clone()), e.with);
        let planted: Vec<String> = edits.iter().map(place).collect();
        let more = mutant.more.as_ref().map_or("", |(n, _)| n);
        Err(format!("{} {planted:?} {more}\n      lines {places:?}, got {told:?}", self.name))
    }
}

/// What makes two findings the same one, whatever line they have moved to.
fn key(sources: &Sources, d: &Diagnostic) -> (String, String, String) {
    let file = d.span().map_or(String::new(), |s| sources.file(s.file).name.clone());
    (d.code.to_string(), file, d.message.clone())
}

/// What a path ends at: whether it goes over a lookup, the table and the column. None for forms of several tables.
pub struct End<'a> {
    pub table: TableId,
    pub id: ColumnId,
    pub column: &'a Column,
    pub steps: usize,
}

pub fn end<'a>(at: At1<'a>, path: &ast::Path) -> Option<End<'a>> {
    let mut table = at.table;
    if path.this || path.steps.iter().any(|s| s.inner.is_some()) {
        return None;
    }
    let (last, way) = path.steps.split_last()?;
    for step in way {
        let lookup: &Lookup = at.schema.lookup(table, &step.name.text)?;
        let [target] = lookup.targets.as_slice() else { return None };
        table = target.table;
    }
    let id = at.schema.column(table, &last.name.text)?;
    Some(End { table, id, column: at.schema.get(table).column(id), steps: path.steps.len() })
}

/// Every path below an expression.
pub fn paths<'a>(e: &'a ast::Expr, out: &mut Vec<&'a ast::Path>) {
    visit(e, &mut |e| {
        if let ast::ExprKind::Path(p) = &e.kind {
            out.push(p);
        }
    });
}

/// Every expression below one, and itself.
pub fn visit<'a>(e: &'a ast::Expr, f: &mut dyn FnMut(&'a ast::Expr)) {
    use ast::ExprKind as K;
    f(e);
    match &e.kind {
        K::Literal(_) | K::Path(_) => {}
        K::Call(c) => c.args.iter().for_each(|a| visit(a, f)),
        K::Negate(x) | K::Not(x) => visit(x, f),
        K::Binary(_, a, b) => {
            visit(a, f);
            visit(b, f);
        }
        K::IsNull { of, .. } | K::In { of, .. } | K::Like { of, .. } => visit(of, f),
        K::Case { arms, otherwise } => {
            arms.iter().for_each(|(c, r)| {
                visit(c, f);
                visit(r, f);
            });
            otherwise.iter().for_each(|e| visit(e, f));
        }
        K::Aggregate { .. } => {}
    }
}

//! `new`: a first map of two tables.

use super::Context;
use super::failure::{Code, Failure, Outcome};
use super::files::{Notation, replace};
use super::open::{self, Loaded};
use super::out::{WARN, many, paint};
use crate::diagnostic::{Diagnostic, Severity, did_you_mean};
use crate::draft::{Draft, Side, draft};
use crate::schema::{StoreSchema, TableId};
use crate::sema;
use crate::source::Sources;
use crate::syntax::{ast, dsl};
use std::path::PathBuf;
use std::sync::Arc;

/// Write a first map of two tables
#[derive(clap::Args)]
#[command(
    after_help = "The lines come from names, types, keys, lookups and choices of both schemas; what is doubtful says so.\n\nExamples:\n  \
    tablemap new finance.CustomersV3 dataverse.accounts\n  \
    tablemap new finance.CustomersV3 dataverse.accounts --id customers --out maps/customers.tmap"
)]
pub(super) struct Args {
    /// The left table
    #[arg(value_name = "STORE.TABLE")]
    left: String,
    /// The right table
    #[arg(value_name = "STORE.TABLE")]
    right: String,
    /// The map's id; default: made of the tables' names
    #[arg(long, value_name = "ID")]
    id: Option<String>,
    /// Write a file; none = stdout
    #[arg(long, value_name = "FILE")]
    out: Option<PathBuf>,
    /// Write the YAML notation (a FILE that ends in `.map.yaml` says so too)
    #[arg(long)]
    yaml: bool,
    /// Replace the file if it is there
    #[arg(long, requires = "out")]
    force: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let loaded = open::load(context)?;
    let notation = match &args.out {
        Some(path) => {
            let named = Notation::of(path).ok_or_else(|| {
                Failure::usage(format!("`{}` is no name of a map file", path.display()))
                    .help("map files end in `.tmap` or `.map.yaml`")
            })?;
            if args.yaml && named == Notation::Dsl {
                return Err(Failure::usage("`--yaml`, but the file's name ends in `.tmap`"));
            }
            if path.exists() && !args.force {
                return Err(
                    Failure::new(format!("`{}` is there already", path.display())).help("`--force` replaces it")
                );
            }
            named
        }
        None if args.yaml => Notation::Yaml,
        None => Notation::Dsl,
    };
    let stores: Vec<(String, Arc<StoreSchema>)> = loaded.checked.stores.clone();
    let (l, lt) = side(&stores, &args.left)?;
    let (r, rt) = side(&stores, &args.right)?;
    let id = args.id.clone().unwrap_or_else(|| id_of(&stores[l].1.get(lt).name, &stores[r].1.get(rt).name));
    let valid = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if id.is_empty() || !id.chars().all(valid) {
        return Err(Failure::usage(format!("`{id}` is no id")).help("small letters, digits and hyphens"));
    }
    let pairs = pairs(&loaded, &stores);
    let paired = |a: TableId, b: TableId| pairs.contains(&((l, a), (r, b))) || pairs.contains(&((r, b), (l, a)));
    let left = Side { store: &stores[l].0, schema: &stores[l].1, table: lt };
    let right = Side { store: &stores[r].0, schema: &stores[r].1, table: rt };
    let mut made = draft(left, right, &id, &paired);
    let (tree, left_over) = mend(&loaded, &stores, &mut made)?;
    let text = notation.write(&tree);
    match &args.out {
        None => context.out.raw(&text),
        Some(path) => {
            replace(path, &text)?;
            context.out.line(format!("written: {}", path.display()));
            let errors: Vec<&str> = left_over.iter().map(|d| d.message.as_str()).collect();
            context
                .out
                .json(&serde_json::json!({ "format": 1, "written": path.display().to_string(), "errors": errors }));
        }
    }
    for d in &left_over {
        context.out.note(format!("{} {} {}", paint(WARN, "to be mended:"), d.code, d.message));
    }
    context.out.note(format!(
        "{}; `tablemap check` and the doubts say what is left to do",
        many(tree.maps.iter().map(|m| m.fields.len()).sum(), "line")
    ));
    Ok(Code::Fine)
}

/// The table of `STORE.TABLE`.
fn side(stores: &[(String, Arc<StoreSchema>)], name: &str) -> Result<(usize, TableId), Failure> {
    let Some((store, table)) = name.split_once('.') else {
        return Err(Failure::usage(format!("`{name}` is not `STORE.TABLE`")));
    };
    let with = |f: Failure, near: Option<String>| match near {
        Some(near) => f.help(near),
        None => f,
    };
    let Some(i) = stores.iter().position(|(s, _)| s == store) else {
        let near = did_you_mean(store, stores.iter().map(|(s, _)| s.as_str()));
        return Err(with(Failure::usage(format!("no store is called `{store}`")), near));
    };
    let Some(t) = stores[i].1.table(table) else {
        let near = did_you_mean(table, stores[i].1.tables.iter().map(|t| t.name.as_str()));
        return Err(with(Failure::usage(format!("the schema of `{store}` has no table `{table}`")), near));
    };
    Ok((i, t))
}

fn id_of(left: &str, right: &str) -> String {
    let mut id = String::new();
    let mut before = ' ';
    for c in format!("{left}-{right}").chars() {
        let next = if c.is_ascii_alphanumeric() { c } else { '-' };
        if c.is_ascii_uppercase() && before.is_ascii_lowercase() && !id.ends_with('-') {
            id.push('-');
        }
        if next != '-' || !id.ends_with('-') {
            id.push(next.to_ascii_lowercase());
        }
        before = c;
    }
    id.trim_matches('-').to_string()
}

type At = (usize, TableId);

/// The tables that maps of the project pair.
fn pairs(loaded: &Loaded, stores: &[(String, Arc<StoreSchema>)]) -> Vec<(At, At)> {
    let find = |t: &ast::TableRef| {
        let i = stores.iter().position(|(s, _)| *s == t.store.text)?;
        Some((i, stores[i].1.table(&t.table.text)?))
    };
    let maps = loaded.files.iter().flat_map(|(_, f)| &f.maps).filter_map(|m| m.tables.as_ref());
    maps.filter_map(|t| Some((find(&t.it.left)?, find(&t.it.right)?))).collect()
}

/// Checks the draft, and lets lines with errors run another way or leaves them out. What cannot be mended so is returned.
fn mend(
    loaded: &Loaded,
    stores: &[(String, Arc<StoreSchema>)],
    draft: &mut Draft<'_>,
) -> Result<(ast::File, Vec<Diagnostic>), Failure> {
    for _ in 0..draft.line_count() * 3 + 8 {
        let mut sources = Sources::new();
        let file = sources.add("new map", draft.text());
        let (tree, mut findings) = dsl::parse(&sources, file);
        let files = vec![(file, Arc::new(tree.clone()))];
        let input = sema::Input {
            sources: &sources,
            stores,
            files: &files,
            companies: loaded.project.companies.as_deref(),
            time_zone: loaded.project.time_zone.clone(),
        };
        findings.extend(sema::analyse(&input).1);
        findings.retain(|d| d.severity == Severity::Error);
        let mut mended = false;
        let lines: Vec<_> = tree.maps.iter().flat_map(|m| &m.fields).map(|l| l.at.0).collect();
        let mut hit: Vec<(usize, String)> = Vec::new();
        for d in &findings {
            let at = d.span().unwrap_or_default();
            let line = lines.iter().position(|s| s.start <= at.start && at.start < s.end);
            if let Some(i) = line.and_then(|n| draft.index_of(n))
                && !hit.iter().any(|(h, _)| *h == i)
            {
                hit.push((i, format!("{}: {}", d.code, d.message)));
            }
        }
        for (i, why) in hit {
            draft.demote(i, &why);
            mended = true;
        }
        if !mended && findings.iter().any(|d| d.code == crate::diagnostic::Code::TM0404) {
            let (a, b) = (draft.no_create(0), draft.no_create(1));
            mended = a || b;
        }
        if !mended
            && let Some(at) = tree.maps.iter().find_map(|m| m.company.as_ref()).map(|c| c.at.0)
            && let Some(d) = findings.iter().find(|d| d.span().is_some_and(|s| at.start <= s.start && s.start < at.end))
        {
            mended = draft.no_company(&d.message);
        }
        if !mended {
            if tree.maps.is_empty() {
                let why = findings.first().map_or(String::new(), |d| format!(": {}", d.message));
                return Err(Failure::new(format!("the draft does not parse{why}")).help("please report it"));
            }
            return Ok((tree, findings));
        }
    }
    Err(Failure::new("no draft could be made").help("please report it with both schemas"))
}

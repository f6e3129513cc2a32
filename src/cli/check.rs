//! `check`: the findings of all files.

use super::Context;
use super::failure::{Failure, Outcome};
use super::fix;
use super::open::{self, Loaded};
use super::out::{DIM, ERROR, GOOD, WARN, many, number, paint};
use crate::check::{self, live, rights};
use crate::diagnostic::{Diagnostic, Severity};

/// Check project, schemas and maps; no store is needed, unless `--live` asks for them
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap check                          the project of this folder\n  \
    tablemap check -C demo --format json    for CI\n  \
    tablemap check --strict                 warnings count as errors\n  \
    tablemap check --live                   also whether the stores have what the maps need\n  \
    tablemap check --fix                    mend what can be mended safely\n  \
    tablemap check --fix --unsafe-fixes --diff   show what more could be mended")]
pub(super) struct Args {
    /// Exit with 1 for warnings too
    #[arg(long)]
    strict: bool,
    /// Look into the stores too: tables, columns, keys and indexes that the maps use
    #[arg(long)]
    live: bool,
    /// Apply the safe fixes to the files
    #[arg(long)]
    fix: bool,
    /// Apply fixes too that may not be what was meant
    #[arg(long)]
    unsafe_fixes: bool,
    /// Show the fixes as a diff; write nothing
    #[arg(long)]
    diff: bool,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut loaded = open::load(context)?;
    if args.unsafe_fixes && !args.fix && !args.diff {
        return Err(Failure::usage("`--unsafe-fixes` says which fixes, not what to do with them")
            .help("add `--fix` to apply them, or `--diff` to see them"));
    }
    let wish = fix::Wish { unsafe_too: args.unsafe_fixes, diff: args.diff };
    let (mut mended, mut shown) = (None, false);
    if args.fix || args.diff {
        let done = fix::run(context, loaded, &wish)?;
        (loaded, mended, shown) = (done.loaded, Some(done.mended), done.shown);
    }
    let looked = if args.live { look(&mut loaded) } else { Ok(()) };
    let program = context.out.is_for_program();
    if let Some(diff) = mended.as_ref().and_then(|m| m.diff.as_ref()).filter(|_| !program) {
        context.out.raw(diff);
    }
    // What is known without the stores is told to people all the same.
    let told = if program { looked.is_ok() } else { !args.diff };
    if told {
        open::report(context, &loaded.sources, &loaded.findings, loaded.silenced, args.strict, mended.clone());
    }
    if let Some(mended) = &mended {
        fix::tell(context, mended, &wish);
    }
    looked?;
    let count = |s: Severity| loaded.findings.iter().filter(|d| d.severity == s).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    // An overlay and its base are one.
    let maps = loaded.files.iter().flat_map(|(_, f)| &f.maps).filter(|m| m.extends.is_none()).count();
    let what = format!(
        "{} in {}, {}",
        many(maps, "map"),
        many(loaded.files.len(), "file"),
        many(loaded.project.stores.len(), "store schema")
    );
    let verdict = match (errors, warnings) {
        (0, 0) => paint(GOOD, "no findings"),
        _ => {
            let mut parts = Vec::new();
            if errors > 0 {
                parts.push(paint(ERROR, many(errors, "error")));
            }
            if warnings > 0 {
                parts.push(paint(WARN, many(warnings, "warning")));
            }
            format!("{} in {}", parts.join(", "), many(files_with(&loaded.findings), "file"))
        }
    };
    let silenced = match loaded.silenced {
        0 => String::new(),
        n => paint(DIM, format!(" ({} silenced)", number(n as u64))),
    };
    context.out.line(format!("{what}: {verdict}{silenced}"));
    open::hint(context, &loaded.findings);
    Ok(open::code_of(shown || errors > 0 || (args.strict && warnings > 0)))
}

/// Adds what the live stores lack.
fn look(loaded: &mut Loaded) -> Result<(), Failure> {
    let mut found = Vec::new();
    for (i, store) in loaded.stores()?.iter().enumerate() {
        found.extend(live::findings(&loaded.checked, i, &store.describe()?));
        let uses = rights::uses(&loaded.checked, i, loaded.checked.maps.iter());
        found.extend(rights::findings(&loaded.checked, i, &uses, &store.grants(&uses, None)?));
    }
    // Comments silence these too; what is to be said about the comments themselves was said.
    let allowed = check::allow(&loaded.sources, &loaded.files, found);
    loaded.silenced += allowed.silenced;
    let found = allowed.findings.into_iter().filter(|d| live::is_live(d.code)).collect();
    loaded.findings.extend(loaded.project.at_levels(found));
    loaded.findings.sort_by_key(|d| d.span().map(|s| (s.file, s.start)));
    Ok(())
}

fn files_with(findings: &[Diagnostic]) -> usize {
    let mut files: Vec<_> = findings.iter().map(|d| d.span().map(|s| s.file)).collect();
    files.sort_unstable();
    files.dedup();
    files.len()
}

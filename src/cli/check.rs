//! `check`: the findings of all files.

use super::Context;
use super::failure::{Failure, Outcome};
use super::fix;
use super::open;
use super::out::{ERROR, GOOD, WARN, many, paint};
use crate::diagnostic::{Diagnostic, Severity};

/// Check project, schemas and maps; no store is needed
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap check                          the project of this folder\n  \
    tablemap check -C demo --format json    for CI\n  \
    tablemap check --strict                 warnings count as errors\n  \
    tablemap check --fix                    mend what can be mended safely\n  \
    tablemap check --fix --unsafe-fixes --diff   show what more could be mended")]
pub(super) struct Args {
    /// Exit with 1 for warnings too
    #[arg(long)]
    strict: bool,
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
    let mut shown = false;
    if args.fix || args.diff || args.unsafe_fixes {
        let wish = fix::Wish { unsafe_too: args.unsafe_fixes, diff: args.diff };
        if args.unsafe_fixes && !args.fix && !args.diff {
            return Err(Failure::usage("`--unsafe-fixes` says which fixes, not what to do with them")
                .help("add `--fix` to apply them, or `--diff` to see them"));
        }
        let done = fix::run(context, loaded, &wish)?;
        (loaded, shown) = (done.loaded, done.shown);
        if let Some(diff) = done.mended.diff.as_ref().filter(|_| !context.out.is_for_program()) {
            context.out.raw(diff);
        }
        if !args.diff || context.out.is_for_program() {
            let mended = Some(done.mended.clone());
            open::report(context, &loaded.sources, &loaded.findings, args.strict, mended);
        }
        fix::tell(context, &done.mended, &wish);
    } else {
        open::report(context, &loaded.sources, &loaded.findings, args.strict, None);
    }
    let count = |s: Severity| loaded.findings.iter().filter(|d| d.severity == s).count();
    let (errors, warnings) = (count(Severity::Error), count(Severity::Warning));
    let maps: usize = loaded.files.iter().map(|(_, f)| f.maps.len()).sum();
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
    context.out.line(format!("{what}: {verdict}"));
    Ok(open::code_of(shown || errors > 0 || (args.strict && warnings > 0)))
}

fn files_with(findings: &[Diagnostic]) -> usize {
    let mut files: Vec<_> = findings.iter().map(|d| d.span().map(|s| s.file)).collect();
    files.sort_unstable();
    files.dedup();
    files.len()
}

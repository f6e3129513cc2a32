//! One file per command. Only this room prints; wiring of stores, maps and engine happens here and nowhere else.

mod capture;
mod check;
mod completions;
mod conflicts;
mod convert;
mod demo;
mod diff;
mod errors;
mod explain;
mod export;
mod failure;
mod files;
mod fix;
mod fmt;
mod grants;
mod guard;
mod import;
mod init;
mod legs;
mod lock;
mod merge;
mod new;
mod open;
mod out;
mod pause;
mod progress;
mod recover;
mod reload;
mod run;
mod schema;
mod schema_import;
mod side;
mod sql;
mod status;
mod sync;
mod test;
mod unified;

use clap::{Parser, Subcommand, ValueEnum};
use failure::Outcome;
use out::Out;
use std::path::PathBuf;
use std::process::ExitCode;

/// Keeps records of two systems in step, by table maps: text files that are checked before they run.
#[derive(Parser)]
#[command(
    name = "tablemap",
    version,
    subcommand_required = true,
    arg_required_else_help = true,
    max_term_width = 100,
    after_help = "Exit codes: 0 fine, 1 findings or records failed, 2 wrong usage, 3 a store was unreachable.\n\
                  Begin with `tablemap demo` (a finished example) or `tablemap init` (a project of your own)."
)]
struct Cli {
    /// The project's folder: where `tablemap.yaml` lies, or below it
    #[arg(long, short = 'C', global = true, value_name = "DIR", default_value = ".", hide_default_value = true)]
    project: PathBuf,
    /// How results are printed
    #[arg(long, global = true, value_enum, default_value_t = Format::Human, hide_default_value = true)]
    format: Format,
    /// When to colour
    #[arg(long, global = true, value_name = "WHEN", default_value_t = clap::ColorChoice::Auto, hide_default_value = true)]
    color: clap::ColorChoice,
    /// No progress, no notes; results and errors only
    #[arg(long, short, global = true)]
    quiet: bool,
    #[command(subcommand)]
    command: Command,
}

/// Forms of results; those of findings alone are for `check`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For people
    Human,
    /// One JSON document on stdout
    Json,
    /// `check`: a line for each finding, `path:line:column: error TM0202: message`
    Concise,
    /// `check`: SARIF 2.1.0, for code scanning
    Sarif,
    /// `check`: JUnit XML, for test reports
    Junit,
    /// `check`: annotations of GitHub Actions
    Github,
    /// `check`: GitLab's code quality report
    Gitlab,
    /// `diff`: tables for a pull request
    Markdown,
}

#[derive(Subcommand)]
enum Command {
    /// Play the invoice flow: two stores, nine maps, from draft to posted
    Demo(demo::Args),
    /// Make a small project that checks and runs at once
    Init(init::Args),
    /// Check project, schemas and maps; no store is needed
    Check(check::Args),
    /// What a code of a finding means, with a wrong and a right example
    Explain(explain::Args),
    /// Give map files their canonical layout
    Fmt(fmt::Args),
    /// Write map files in the other notation
    Convert(convert::Args),
    /// What changed between two versions of maps
    Diff(diff::Args),
    /// Make one of two versions of a map file, by meaning
    Merge(merge::Args),
    /// Write a first map of two tables
    New(new::Args),
    /// Bring in table maps of others, as a project that checks at once
    Import(import::Args),
    /// Write maps in the format of another product
    Export(export::Args),
    /// Compare the schema files with the live stores, or write them from there
    Schema(schema::Args),
    /// Initial sync: copy everything once, then what changed meanwhile
    Sync(sync::Args),
    /// Live sync: carry over what changes, until stopped
    Run(run::Args),
    /// Where every map stands
    Status(status::Args),
    /// Let maps rest; what changes meanwhile waits
    Pause(pause::Args),
    /// Let paused maps go on
    Resume(pause::ResumeArgs),
    /// Stop maps for good; a later `sync` starts them again
    Stop(pause::StopArgs),
    /// Migration windows: take capture off tables so that they can be rebuilt
    Capture(capture::Args),
    /// Compare stores after a backup was restored or a store replaced, and go on from there
    Recover(recover::Args),
    /// Records that failed or wait, and why
    Errors(errors::Args),
    /// Records that changed on both sides, and who is right
    Conflicts(conflicts::Args),
    /// The fences that keep people from changing what maps fill
    Guard(guard::Args),
    /// The least rights that the maps need in their stores, as SQL
    Grants(grants::Args),
    /// Run the maps' own tests, in memory
    Test(test::Args),
    /// Print a completion script for a shell
    Completions(completions::Args),
}

/// What every command gets.
struct Context {
    /// `--project`
    dir: PathBuf,
    /// Where it prints.
    out: Out,
    /// `--format`
    format: Format,
}

/// Runs the command line; exit codes: 0 fine, 1 findings or records failed, 2 wrong usage, 3 a store was unreachable.
pub fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(e) => {
            // Nothing can be done about a closed stdout here.
            let _ = e.print();
            return ExitCode::from(u8::try_from(e.exit_code()).unwrap_or(2));
        }
    };
    match cli.color {
        clap::ColorChoice::Auto => anstream::ColorChoice::Auto,
        clap::ColorChoice::Always => anstream::ColorChoice::Always,
        clap::ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
    let people = cli.format == Format::Human;
    let out = Out::new(cli.format == Format::Json, !people, cli.quiet);
    let context = Context { dir: cli.project, out, format: cli.format };
    match dispatch(cli.command, &context) {
        Ok(code) => ExitCode::from(code as u8),
        Err(failure) => {
            failure.print(&context.out);
            ExitCode::from(failure.code as u8)
        }
    }
}

fn dispatch(command: Command, context: &Context) -> Outcome {
    if !context.dir.is_dir() {
        return Err(failure::Failure::usage(format!("there is no folder `{}`", context.dir.display()))
            .help("`--project` names the folder of `tablemap.yaml`"));
    }
    let name = context.format.to_possible_value().map_or(String::new(), |v| v.get_name().to_string());
    let only = match context.format {
        Format::Human | Format::Json => None,
        Format::Markdown => (!matches!(command, Command::Diff(_))).then_some("diff"),
        _ => (!matches!(command, Command::Check(_))).then_some("check"),
    };
    if let Some(only) = only {
        return Err(failure::Failure::usage(format!("`--format {name}` is for `{only}` only"))
            .help("the other commands print `human` or `json`"));
    }
    match command {
        Command::Demo(args) => demo::run(&args, context),
        Command::Init(args) => init::run(&args, context),
        Command::Check(args) => check::run(&args, context),
        Command::Explain(args) => explain::run(&args, context),
        Command::Fmt(args) => fmt::run(&args, context),
        Command::Convert(args) => convert::run(&args, context),
        Command::Diff(args) => diff::run(&args, context),
        Command::Merge(args) => merge::run(&args, context),
        Command::New(args) => new::run(&args, context),
        Command::Import(args) => import::run(&args, context),
        Command::Export(args) => export::run(&args, context),
        Command::Schema(args) => schema::run(&args, context),
        Command::Sync(args) => sync::run(&args, context),
        Command::Run(args) => run::run(&args, context),
        Command::Status(args) => status::run(&args, context),
        Command::Pause(args) => pause::pause(&args, context),
        Command::Resume(args) => pause::resume(&args, context),
        Command::Stop(args) => pause::stop(&args, context),
        Command::Capture(args) => capture::run(&args, context),
        Command::Recover(args) => recover::run(&args, context),
        Command::Errors(args) => errors::run(&args, context),
        Command::Conflicts(args) => conflicts::run(&args, context),
        Command::Guard(args) => guard::run(&args, context),
        Command::Grants(args) => grants::run(&args, context),
        Command::Test(args) => test::run(&args, context),
        Command::Completions(args) => completions::run(&args, context),
    }
}

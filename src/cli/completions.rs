//! `completions`: scripts for shells.

use super::Context;
use super::failure::{Code, Outcome};
use clap::CommandFactory;

/// Print a completion script for a shell
#[derive(clap::Args)]
#[command(after_help = "Examples:\n  \
    tablemap completions bash > ~/.local/share/bash-completion/completions/tablemap\n  \
    tablemap completions zsh > ~/.zfunc/_tablemap\n  \
    tablemap completions powershell >> $PROFILE")]
pub(super) struct Args {
    /// The shell
    #[arg(value_enum)]
    shell: clap_complete::Shell,
}

pub(super) fn run(args: &Args, context: &Context) -> Outcome {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Cli::command(), "tablemap", &mut script);
    context.out.raw(&String::from_utf8_lossy(&script));
    Ok(Code::Fine)
}

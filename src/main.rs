//! The `tablemap` binary: arguments in, exit code out.

fn main() -> std::process::ExitCode {
    tablemap::cli::main()
}

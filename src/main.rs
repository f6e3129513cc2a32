//! The `tablemap` binary: arguments in, exit code out.

/// Rows are many small values, made on one thread and dropped on another: with the system's allocator they were an eighth
/// of the demo's time. Who uses the library chooses for themselves.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    tablemap::cli::main()
}

//! The binary `bailiwick`: reads the command line, does what it says, exits with the code that says how it went.

use std::process::ExitCode;

use bailiwick_collector::cli::{self, Arguments, Exit, Process};
use clap::Parser as _;

/// Decoding allocates little, but what it does allocate is freed on another thread; there it is the fastest.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    // Clap answers `--help`, `--version` (0) and words that make no sense (2) itself.
    let arguments = Arguments::parse();
    // A panic has printed itself; the code tells that it is our bug.
    std::panic::catch_unwind(|| cli::run(arguments, &Process::current())).unwrap_or(Exit::Internal).into()
}

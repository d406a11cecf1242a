//! The binary `finelens`: runs what was typed and exits with its verdict.

use std::process::ExitCode;

/// Searches beside changes left the system's allocator with several times the memory that was in use.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    ExitCode::from(finelens::run(std::env::args_os()))
}

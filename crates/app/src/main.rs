//! The binary `finelens`: runs what was typed and exits with its verdict.

use std::process::ExitCode;

fn main() -> ExitCode {
    ExitCode::from(finelens::run(std::env::args_os()))
}

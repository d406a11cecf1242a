//! What the libraries log, on standard error, for those who ask with `-v`.

use tracing::Level;
use tracing_subscriber::EnvFilter;

/// The project's own crates.
const OURS: [&str; 6] = [
    "finelens",
    "finelens_clip",
    "finelens_compute",
    "finelens_data",
    "finelens_finetune",
    "finelens_search",
];

/// Starts logging: warnings always, more with each `-v`.
///
/// Only the project's own crates are heard; `-vvv` adds everybody else's.
pub(crate) fn start(verbose: u8) {
    let (ours, others) = match verbose {
        0 => (Level::WARN, Level::ERROR),
        1 => (Level::INFO, Level::WARN),
        2 => (Level::DEBUG, Level::WARN),
        _ => (Level::TRACE, Level::DEBUG),
    };
    let add = |filter: String, name| format!("{filter},{name}={ours}");
    let filter = OURS.into_iter().fold(others.to_string(), add);
    // A second start, in a test that runs two commands in one process, keeps the first.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(EnvFilter::new(filter))
        .with_writer(std::io::stderr)
        .with_ansi(crate::printer::colour())
        .with_target(verbose > 1)
        .without_time()
        .try_init();
}

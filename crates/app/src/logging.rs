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

/// How a line of the log is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    /// For somebody who looks on.
    Plain,
    /// With the time, for somebody who looks later.
    Timed,
    /// With the time, for programs.
    Json,
}

/// Starts logging: warnings always, more with each `-v`.
///
/// Only the project's own crates are heard; `-vvv` adds everybody else's.
pub(crate) fn start(verbose: u8, format: Format) {
    let lines = tracing_subscriber::fmt()
        .with_env_filter(filter(verbose))
        .with_writer(std::io::stderr)
        .with_target(verbose > 1);
    // A second start, in a test that runs two commands in one process, keeps the first.
    let _ = match format {
        Format::Plain => lines.with_ansi(crate::printer::colour()).without_time().try_init(),
        Format::Timed => lines.with_ansi(crate::printer::colour()).try_init(),
        Format::Json => lines.json().flatten_event(true).with_span_list(false).try_init(),
    };
}

fn filter(verbose: u8) -> EnvFilter {
    let (ours, others) = match verbose {
        0 => (Level::WARN, Level::ERROR),
        1 => (Level::INFO, Level::WARN),
        2 => (Level::DEBUG, Level::WARN),
        _ => (Level::TRACE, Level::DEBUG),
    };
    let add = |filter: String, name| format!("{filter},{name}={ours}");
    EnvFilter::new(OURS.into_iter().fold(others.to_string(), add))
}

//! What can be typed after `serve`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

use crate::logging::Format;

/// `finelens serve`.
#[derive(Debug, Args)]
#[command(after_help = SERVE_EXAMPLES)]
pub(crate) struct Serve {
    /// Folder of the index.
    #[arg(long, value_name = "INDEX")]
    pub(crate) index: PathBuf,
    /// A second index to compare with, such as one of the model before fine-tuning.
    #[arg(long, value_name = "INDEX")]
    pub(crate) compare: Option<PathBuf>,
    /// Address to listen at; port 0 takes a free one.
    #[arg(long, value_name = "HOST:PORT", default_value = DEFAULT_ADDRESS)]
    pub(crate) addr: String,
    /// Where the index's model is, if it moved. Default: where it was.
    #[arg(long, value_name = "DIR|RUN|HUB-ID")]
    pub(crate) model: Option<String>,
    /// Answer searches only: no picture can be added, changed or deleted.
    #[arg(long)]
    pub(crate) read_only: bool,
    /// File with the token that reading needs. Default: the variable `FINELENS_READ_TOKEN`, if it is set.
    #[arg(long, value_name = "FILE", help_heading = GUARD)]
    pub(crate) read_token_file: Option<PathBuf>,
    /// File with the token that changing needs. Default: the variable `FINELENS_WRITE_TOKEN`, if it is set.
    #[arg(long, value_name = "FILE", help_heading = GUARD)]
    pub(crate) write_token_file: Option<PathBuf>,
    /// A name that browsers call this server by, such as that of a proxy before it. May be repeated.
    #[arg(long, value_name = "NAME", help_heading = GUARD)]
    pub(crate) allow_host: Vec<String>,
    /// Let everybody in who can reach an address of other machines.
    #[arg(long, help_heading = GUARD)]
    pub(crate) insecure: bool,
    /// How the log is written; -v has a line for each request.
    #[arg(long, value_name = "FORMAT", default_value = "text", help_heading = GUARD)]
    pub(crate) log_format: LogFormat,
}

/// Heading of the flags that say who may do what.
const GUARD: &str = "Who may ask (docs/security.md)";

/// What can be typed after `--log-format`.
#[derive(Debug, Clone, Copy, ValueEnum)]
pub(crate) enum LogFormat {
    /// For people
    Text,
    /// One JSON document a line
    Json,
}

impl LogFormat {
    /// What the log is told.
    pub(crate) fn format(self) -> Format {
        match self {
            Self::Text => Format::Timed,
            Self::Json => Format::Json,
        }
    }
}

/// Where a server listens unless it is told otherwise: nobody but this machine can reach it.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:7700";

const SERVE_EXAMPLES: &str = "\
Examples:
  finelens serve --index photos.index
  finelens serve --index after.index --compare before.index --read-only
  finelens serve --index photos.index --addr 0.0.0.0:7700 \\
    --read-token-file read.token --write-token-file write.token
  curl 'http://127.0.0.1:7700/api/search?q=a+red+boat'

Prints its address when it is ready, and goes on until Ctrl-C. docs/serve.md has more.";

//! What can be typed after `serve`.

use std::path::PathBuf;

use clap::Args;

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
}

/// Where a server listens unless it is told otherwise: nobody but this machine can reach it.
pub(crate) const DEFAULT_ADDRESS: &str = "127.0.0.1:7700";

const SERVE_EXAMPLES: &str = "\
Examples:
  finelens serve --index photos.index
  finelens serve --index after.index --compare before.index --read-only
  curl 'http://127.0.0.1:7700/api/search?q=a+red+boat'

Prints its address when it is ready, and goes on until Ctrl-C. docs/serve.md has more.";

//! `finelens serve`: an index answers in the browser and over HTTP.

use crate::Verdict;
use crate::cli::Serve;
use crate::printer::Printer;
use crate::serve::guard::{self, TokenFiles};
use crate::serve::{self, Config};

/// Runs the command.
pub(crate) fn run(words: &Serve, printer: &Printer) -> anyhow::Result<Verdict> {
    let config = Config {
        index: words.index.clone(),
        compare: words.compare.clone(),
        address: words.addr.clone(),
        model: words.model.clone(),
        read_only: words.read_only,
        guard: guard::Settings {
            tokens: TokenFiles {
                read: words.read_token_file.clone(),
                write: words.write_token_file.clone(),
            },
            hosts: words.allow_host.clone(),
            insecure: words.insecure,
            read_only: words.read_only,
        },
    };
    serve::run(&config, printer)?;
    Ok(Verdict::Done)
}

//! What is served: one index or two, and the way in.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Config;
use super::collection::Collection;
use super::failure::Failure;
use super::gate::Gate;
use crate::printer::Printer;

/// Everything that a request may need.
#[derive(Debug)]
pub(crate) struct Served {
    /// The index.
    main: Collection,
    /// The one to compare with.
    other: Option<Collection>,
    /// Who is let in.
    pub(crate) gate: Gate,
    /// Whether the index must stay as it is.
    pub(crate) read_only: bool,
}

/// Which of the two indexes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Which {
    /// That of `--index`
    #[default]
    Main,
    /// That of `--compare`
    Other,
}

impl Served {
    /// Opens what was named.
    pub(crate) fn open(config: &Config, _printer: &Printer) -> anyhow::Result<Self> {
        let main = Collection::open(&config.index)?;
        let other = config.compare.as_deref().map(Collection::open).transpose()?;
        Ok(Self { main, other, gate: Gate::new(), read_only: config.read_only })
    }

    /// The index that was asked for.
    pub(crate) fn collection(&self, which: Which) -> Result<&Collection, Failure> {
        match which {
            Which::Main => Ok(&self.main),
            Which::Other => self.other.as_ref().ok_or_else(|| {
                Failure::bad("no_index", "there is no other index")
                    .hint("start the server with --compare INDEX")
            }),
        }
    }
}

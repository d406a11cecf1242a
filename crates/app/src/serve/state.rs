//! What is served: one index or two, and the way in.

use std::sync::Arc;

use axum::http::StatusCode;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::Config;
use super::collection::Collection;
use super::decoding::Decoding;
use super::failure::Failure;
use super::gate::Gate;
use super::metrics::Metrics;

/// Everything that a request may need.
#[derive(Debug)]
pub(crate) struct Served {
    /// The index.
    pub(crate) main: Collection,
    /// The one to compare with.
    pub(crate) other: Option<Collection>,
    /// Who is let in.
    pub(crate) gate: Gate,
    /// Where pictures are decoded.
    pub(crate) decoding: Decoding,
    /// What is counted.
    pub(crate) metrics: Arc<Metrics>,
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

impl Which {
    /// Its name in the API.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Main => "main",
            Self::Other => "other",
        }
    }
}

impl Served {
    /// Opens what was named.
    pub(crate) fn open(config: &Config) -> anyhow::Result<Self> {
        let (gate, metrics) = (Gate::new(), Arc::<Metrics>::default());
        let main = Collection::open(&config.index, config.model.as_deref(), &gate)?;
        let other = config.compare.as_deref().map(|path| Collection::open(path, None, &gate));
        let other = other.transpose()?;
        let decoding = Decoding::new(Arc::clone(&metrics));
        Ok(Self { main, other, gate, decoding, metrics, read_only: config.read_only })
    }

    /// The index that was asked for.
    pub(crate) fn collection(&self, which: Which) -> Result<&Collection, Failure> {
        match which {
            Which::Main => Ok(&self.main),
            Which::Other => self.other.as_ref().ok_or_else(|| {
                Failure::new(StatusCode::NOT_FOUND, "no_index", "there is no other index")
                    .hint("start the server with --compare INDEX")
            }),
        }
    }

    /// All indexes that are served.
    pub(crate) fn collections(&self) -> impl Iterator<Item = (Which, &Collection)> {
        let other = self.other.as_ref().map(|other| (Which::Other, other));
        std::iter::once((Which::Main, &self.main)).chain(other)
    }

    /// An error where nothing may be changed.
    pub(crate) fn must_be_writable(&self) -> Result<(), Failure> {
        if self.read_only { Err(Failure::read_only()) } else { Ok(()) }
    }
}

//! What a search found, as people and as machines read it.

mod document;
mod excerpt;
mod nothing;
mod table;

pub(crate) use document::{ScoresDocument, marks};
pub(crate) use excerpt::{best_caption, excerpt};
pub(crate) use nothing::reasons;

use std::collections::BTreeMap;
use std::path::PathBuf;

use finelens_search::{Hit, Results};

use crate::cli::Search;
use crate::printer::{Emphasis, Printer};

/// The answer, and the folders that its originals are in.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    /// What was asked.
    pub(crate) asked: &'a Search,
    /// What was found.
    pub(crate) results: &'a Results,
    /// Folders by name of the root.
    pub(crate) roots: &'a BTreeMap<String, PathBuf>,
}

impl Found<'_> {
    /// The table of hits.
    pub(crate) fn table(&self, emphasis: Emphasis) -> String {
        table::of(self.results, self.asked.offset, emphasis)
    }

    /// The document that `--json` prints.
    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        document::of(self)
    }

    /// Tells people what they may want to know about the answer.
    pub(crate) fn warn(&self, printer: &Printer) {
        for told in self.results.damaged.iter().chain(&self.results.notes) {
            printer.warn(told);
        }
        for (root, folder) in self.moved() {
            let index = self.asked.index.display();
            printer.warn(format_args!(
                "pictures are not in {} any more; thumbnails stand in. If they moved: finelens admin relocate {index} FOLDER --root {root}",
                folder.display()
            ));
        }
    }

    /// Roots whose folder lacks a picture that was found.
    fn moved(&self) -> BTreeMap<&str, PathBuf> {
        let mut moved = BTreeMap::new();
        for hit in &self.results.hits {
            let Some(place) = &hit.record.place else { continue };
            if self.original(hit).is_none_or(|file| !file.exists()) {
                let folder = self.roots.get(&place.root).cloned().unwrap_or_default();
                moved.insert(place.root.as_str(), folder);
            }
        }
        moved
    }

    /// The file of a hit, if its root is known.
    fn original(&self, hit: &Hit) -> Option<PathBuf> {
        let place = hit.record.place.as_ref()?;
        Some(self.roots.get(&place.root)?.join(&place.path))
    }
}

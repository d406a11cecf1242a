//! Turns rows into examples: finds the picture, merges rows about the same picture, keeps the tally.
//!
//! It knows no file format; readers hand it rows.

use std::{collections::HashMap, io, path::Path};

use crate::{
    Example, Metadata, Reason, Skipped, Split,
    choose::Source,
    locate::{Found, Locator},
    metadata,
};

/// One row as a reader saw it.
#[derive(Debug, Default)]
pub(crate) struct Row {
    /// Line, or number of the entry, counted from 1.
    pub(crate) number: u64,
    pub(crate) image: String,
    pub(crate) captions: Vec<String>,
    /// The word for the split, if the row has one.
    pub(crate) split: Option<String>,
    pub(crate) label: Option<String>,
    /// What else the row says.
    pub(crate) metadata: Metadata,
}

/// Everything that the readers found.
#[derive(Debug)]
pub(crate) struct Collector {
    pub(crate) locator: Locator,
    pub(crate) examples: Vec<Example>,
    pub(crate) skipped: Vec<Skipped>,
    pub(crate) rows: usize,
    pub(crate) notes: Vec<String>,
    by_id: HashMap<String, usize>,
    /// What rows called pictures that were not where they said.
    elsewhere: HashMap<String, String>,
}

impl Collector {
    pub(crate) fn new(root: &Path) -> io::Result<Self> {
        Ok(Self {
            locator: Locator::new(root)?,
            examples: Vec::new(),
            skipped: Vec::new(),
            rows: 0,
            notes: Vec::new(),
            by_id: HashMap::new(),
            elsewhere: HashMap::new(),
        })
    }

    /// Takes a row that could be read.
    pub(crate) fn add(&mut self, source: &Source, row: Row) {
        let number = row.number;
        if let Err(reason) = self.try_add(source, row) {
            self.skip(source, number, reason);
        }
        self.rows += 1;
    }

    /// Takes note of a row that could not be read.
    pub(crate) fn reject(&mut self, source: &Source, number: u64, reason: Reason) {
        self.skip(source, number, reason);
        self.rows += 1;
    }

    /// Closes the collection, saying in a note where pictures were not where the data says.
    pub(crate) fn finish(mut self) -> Self {
        let first = self.elsewhere.iter().min_by_key(|(id, _)| self.by_id.get(*id));
        if let Some((id, written)) = first.filter(|(id, written)| id != written) {
            let count = self.elsewhere.len();
            self.notes.push(format!(
                "{count} pictures are not where the data says, e.g. {written} was found as {id}"
            ));
        }
        self
    }

    fn skip(&mut self, source: &Source, row: u64, reason: Reason) {
        self.skipped.push(Skipped { file: source.path.clone(), row, reason });
    }

    fn try_add(&mut self, source: &Source, mut row: Row) -> Result<(), Reason> {
        let said = row.split.as_deref().map(str::trim).filter(|word| !word.is_empty());
        let said = said.map(|word| {
            Split::of_word(word).ok_or_else(|| Reason::UnknownSplit { found: word.into() })
        });
        let said = said.transpose()?.or(source.split);
        let captions = std::mem::take(&mut row.captions);
        row.captions = self.full_captions(source, row.number, captions)?;
        let found = self.locator.locate(&row.image, &source.base, said)?;
        let split = said.or_else(|| self.locator.split_of(&found.relative));
        if let Some(index) = self.by_id.get(&found.id).copied() {
            return self.merge(index, &found, row, split);
        }
        self.insert(found, row, split);
        Ok(())
    }

    /// The captions, trimmed, without the empty ones; each empty one beside a full one is noted.
    fn full_captions(
        &mut self,
        source: &Source,
        row: u64,
        captions: Vec<String>,
    ) -> Result<Vec<String>, Reason> {
        if captions.iter().all(|caption| caption.trim().is_empty()) {
            return Err(Reason::NoCaption);
        }
        let mut full = Vec::with_capacity(captions.len());
        for (index, caption) in captions.into_iter().enumerate() {
            match caption.trim() {
                "" => self.skip(source, row, Reason::EmptyCaption { position: index + 1 }),
                trimmed if trimmed.len() == caption.len() => full.push(caption),
                trimmed => full.push(trimmed.to_owned()),
            }
        }
        Ok(full)
    }

    fn insert(&mut self, found: Found, row: Row, split: Option<Split>) {
        let image = self.locator.root().join(&found.relative);
        if let Some(asked) = found.elsewhere {
            self.elsewhere.insert(found.id.clone(), asked);
        }
        self.by_id.insert(found.id.clone(), self.examples.len());
        let (captions, label, metadata) = (row.captions, row.label, row.metadata);
        self.examples.push(Example { id: found.id, image, captions, split, label, metadata });
    }

    fn merge(
        &mut self,
        index: usize,
        found: &Found,
        row: Row,
        split: Option<Split>,
    ) -> Result<(), Reason> {
        // A picture that was found under another path must not take in what was said of a second
        // one that merely shares the file name.
        if self.elsewhere.get(&found.id) != found.elsewhere.as_ref() {
            return Err(Reason::SharedImage { image: row.image, found: found.relative.clone() });
        }
        let example = &mut self.examples[index];
        match (example.split, split) {
            (Some(first), Some(found)) if first != found => {
                return Err(Reason::OtherSplit { image: example.id.clone(), first, found });
            }
            (first, second) => example.split = first.or(second),
        }
        example.captions.extend(row.captions);
        metadata::merge(&mut example.metadata, row.metadata);
        Ok(())
    }
}

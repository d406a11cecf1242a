//! Pictures through the model into an index, some hundred at a time.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use finelens_clip::Embedder;
use finelens_finetune::run_ahead;
use finelens_search::{Backend, Embedded, Item, Record};
use rayon::prelude::*;

use super::plan::Candidate;
use super::precision::note_precision;
use super::read::{Read, Reader, Unreadable};
use crate::interrupt;
use crate::number::{counted, time};
use crate::printer::Printer;
use crate::progress::Pictures;

/// Pictures that go through the model together.
const BATCH: usize = 32;

/// Pictures that are made durable together.
const DURABLE: usize = 8 * BATCH;

/// Longest time between two flushes to disk, which is what a kill can cost. Own choice: a flush takes some 10 ms, so that
/// even a slow model waits for it less than 1 % of the time.
const PATIENCE: Duration = Duration::from_secs(2);

/// What came of filling an index.
#[derive(Debug, Default)]
pub(crate) struct Filled {
    /// Pictures that were not in it.
    pub(crate) new: usize,
    /// Pictures that took the place of another state of theirs.
    pub(crate) replaced: usize,
    /// Pictures about which other things are said.
    pub(crate) reworded: usize,
    /// Pictures whose files only looked different.
    pub(crate) same: usize,
    /// Pictures that could not be read or embedded.
    pub(crate) unreadable: Vec<Unreadable>,
    /// Whether somebody asked to stop before the end.
    pub(crate) interrupted: bool,
}

/// Reads and embeds `candidates`, and puts them into the index; stops after a batch when somebody asks to.
pub(crate) fn fill(
    index: &Embedded,
    candidates: &[Candidate],
    embedder: &mut Embedder,
    printer: &Printer,
) -> anyhow::Result<Filled> {
    let reader = Reader::new(embedder);
    let read = |batch: usize| -> Vec<Read> {
        let batch = &candidates[batch * BATCH..candidates.len().min((batch + 1) * BATCH)];
        batch.par_iter().map(|candidate| reader.read(candidate)).collect()
    };
    let (began, mut filling) = (Instant::now(), Filling::new(index, embedder));
    let mut progress = Pictures::new(printer, "indexing", candidates.len());
    run_ahead::<_, anyhow::Error>(0..candidates.len().div_ceil(BATCH), read, |batch| {
        progress.add(batch.len());
        filling.take(batch)?;
        filling.filled.interrupted = interrupt::asked();
        Ok(if filling.filled.interrupted {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    })?;
    filling.make_durable()?;
    progress.finish();
    let filled = filling.filled;
    tell_speed(filled.new + filled.replaced, began, printer);
    Ok(filled)
}

fn tell_speed(pictures: usize, began: Instant, printer: &Printer) {
    if pictures == 0 {
        return;
    }
    let taken = began.elapsed();
    let speed = pictures as f64 / taken.as_secs_f64().max(1e-9);
    printer.say(format_args!(
        "{} embedded in {}, {speed:.0} images/s",
        counted(pictures, "picture"),
        time(taken)
    ));
}

/// An index being filled.
struct Filling<'a> {
    index: &'a Embedded,
    embedder: &'a mut Embedder,
    items: Vec<Item>,
    touched: Vec<Record>,
    /// When everything was durable.
    flushed: Instant,
    filled: Filled,
}

impl<'a> Filling<'a> {
    fn new(index: &'a Embedded, embedder: &'a mut Embedder) -> Self {
        let (items, touched) = (Vec::new(), Vec::new());
        Self { index, embedder, items, touched, flushed: Instant::now(), filled: Filled::default() }
    }

    fn take(&mut self, batch: Vec<Read>) -> anyhow::Result<()> {
        let (mut records, mut pixels) = (Vec::new(), Vec::new());
        for read in batch {
            match read {
                Read::Picture { record, pixels: more, replaces } => {
                    records.push((record, replaces));
                    pixels.extend(more);
                }
                Read::Same { record, reworded } => {
                    *if reworded { &mut self.filled.reworded } else { &mut self.filled.same } += 1;
                    self.touched.push(record);
                }
                Read::Unreadable(what) => self.filled.unreadable.push(what),
            }
        }
        if !records.is_empty() {
            let vectors = self.embedder.model.image_features(&pixels)?;
            let dim = self.embedder.model.config().embed_dim;
            let vectors = vectors.chunks_exact(dim).map(<[f32]>::to_vec);
            for ((record, replaces), vector) in records.into_iter().zip(vectors) {
                self.take_item(Item { record, vector }, replaces);
            }
        }
        let many = self.items.len() + self.touched.len() >= DURABLE;
        if many || self.flushed.elapsed() >= PATIENCE { self.make_durable() } else { Ok(()) }
    }

    /// A picture for which the model has no vector of length 1 is a bad row like any other.
    fn take_item(&mut self, item: Item, replaces: bool) {
        if let Err(error) = item.check(item.vector.len()) {
            let what = Unreadable::new(&item.record.id, error.to_string());
            return self.filled.unreadable.push(what);
        }
        *if replaces { &mut self.filled.replaced } else { &mut self.filled.new } += 1;
        self.items.push(item);
    }

    fn make_durable(&mut self) -> anyhow::Result<()> {
        if !self.items.is_empty() {
            note_precision(self.index)?;
            self.index.put(&std::mem::take(&mut self.items))?;
        }
        let refused = reword(self.index, std::mem::take(&mut self.touched))?;
        self.filled.unreadable.extend(refused);
        self.flushed = Instant::now();
        Ok(())
    }
}

/// Replaces what is said about pictures whose files are the same; their thumbnails stay. Returns those of which nothing can
/// be kept.
pub(crate) fn reword(index: &Embedded, records: Vec<Record>) -> anyhow::Result<Vec<Unreadable>> {
    let mut refused = Vec::new();
    let mut usable = records;
    usable.retain(|record| {
        let checked = record.check();
        refused.extend(
            checked.as_ref().err().map(|error| Unreadable::new(&record.id, error.to_string())),
        );
        checked.is_ok()
    });
    for records in usable.chunks_mut(DURABLE) {
        for record in &mut *records {
            record.thumbnail = index.thumbnail(&record.id)?;
        }
        index.update(records)?;
    }
    Ok(refused)
}

#[cfg(test)]
mod tests {
    use super::*;
    use finelens_search::{Fingerprint, Language, Settings, Value};

    #[test]
    fn what_no_index_can_keep_is_told_and_the_rest_is_reworded() {
        let dir = tempfile::tempdir().unwrap();
        let model = Fingerprint { hash: "0a".to_owned(), name: "model".to_owned() };
        let (language, text_fields) = (Language::English, Vec::new());
        let settings = Settings { dim: 16, model, language, text_fields };
        let index = Embedded::create(dir.path(), &settings).unwrap();
        let record = |id: &str| Record { id: id.to_owned(), ..Record::default() };
        let vector: Vec<f32> = (0..16).map(|place| f32::from(u8::from(place == 3))).collect();
        let items = ["a", "b"].map(|id| Item { record: record(id), vector: vector.clone() });
        index.put(&items).unwrap();
        let mut said = ["a", "b"].map(record);
        said[0].metadata.insert("depth".to_owned(), Value::Number(f64::NAN));
        said[1].captions.push("a boat".to_owned());
        let refused = reword(&index, said.to_vec()).unwrap();
        assert_eq!(refused.len(), 1);
        assert_eq!(refused[0].id, "a");
        assert!(refused[0].what.contains("not a number"), "{refused:?}");
        assert_eq!(index.record("b").unwrap().unwrap().captions, ["a boat"]);
    }
}

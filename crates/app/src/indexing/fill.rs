//! Pictures through the model into an index, some hundred at a time.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use finelens_clip::Embedder;
use finelens_finetune::run_ahead;
use finelens_search::{Backend, Embedded, Item, Record};
use rayon::prelude::*;

use super::plan::Candidate;
use super::read::{Read, Reader};
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
    /// Pictures that could not be read, and why.
    pub(crate) unreadable: Vec<String>,
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
                    *if replaces { &mut self.filled.replaced } else { &mut self.filled.new } += 1;
                    records.push(record);
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
            let items = records.into_iter().zip(vectors);
            self.items.extend(items.map(|(record, vector)| Item { record, vector }));
        }
        let many = self.items.len() + self.touched.len() >= DURABLE;
        if many || self.flushed.elapsed() >= PATIENCE { self.make_durable() } else { Ok(()) }
    }

    fn make_durable(&mut self) -> anyhow::Result<()> {
        if !self.items.is_empty() {
            self.index.put(&std::mem::take(&mut self.items))?;
        }
        reword(self.index, std::mem::take(&mut self.touched))?;
        self.flushed = Instant::now();
        Ok(())
    }
}

/// Replaces what is said about pictures whose files are the same; their thumbnails stay.
pub(crate) fn reword(index: &Embedded, mut records: Vec<Record>) -> anyhow::Result<()> {
    for records in records.chunks_mut(DURABLE) {
        for record in &mut *records {
            record.thumbnail = index.thumbnail(&record.id)?;
        }
        index.update(records)?;
    }
    Ok(())
}

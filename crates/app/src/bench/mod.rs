//! How fast this machine is: what is timed, how often, and what came out.
//!
//! Inputs are drawn, so nothing but the program is needed. Each part is a file; `record` is what they measure, `report` how
//! it is shown, `clock` how a time is taken. It judges nothing: shares of the ceiling are the reader's to weigh.

mod ceiling;
mod clock;
mod collection;
mod machine;
mod photographs;
mod record;
mod report;
mod towers;

use finelens_clip::config::Config;
use finelens_clip::tensors::Tensors;
use finelens_clip::{Checkpoint, Preprocess, init};

use crate::cli::{Bench, Part};
use crate::input::tell_skipped;
use crate::interrupt;
use crate::number::weights;
use crate::printer::Printer;
use crate::progress::Stages;
use ceiling::Ceiling;
use clock::Clock;
use machine::Machine;
use record::Measurement;

pub(crate) use report::{json_lines, table};

/// Tokens that CLIP's own vocabulary has, for a fresh model.
const VOCAB_SIZE: usize = 49_408;

/// Pictures or texts at once, where nobody says how many.
const BATCHES: [usize; 3] = [1, 16, 64];

/// The model that is timed.
pub(crate) struct Subject {
    name: String,
    config: Config,
    tensors: Tensors,
    preprocess: Preprocess,
}

impl Subject {
    /// A fresh model of that size.
    pub(crate) fn fresh(preset: &str) -> Self {
        let config =
            Config::preset(preset, VOCAB_SIZE).expect("only the names of presets are taken");
        let tensors = init::random(&config, 1);
        let preprocess = Preprocess::clip(config.vision.image_size);
        Self { name: format!("{preset} with random weights"), config, tensors, preprocess }
    }

    /// A model that was read.
    pub(crate) fn read(name: &str, checkpoint: Checkpoint) -> Self {
        let Checkpoint { config, tensors, preprocess, .. } = checkpoint;
        Self { name: name.to_owned(), config, tensors, preprocess }
    }

    fn describe(&self) -> String {
        let parameters = self.tensors.values().map(|tensor| tensor.data.len()).sum();
        format!("{}, {} weights", self.name, weights(parameters))
    }
}

/// Everything that was measured.
pub(crate) struct Report {
    machine: Machine,
    measurements: Vec<Measurement>,
}

/// Measures what `words` ask for.
pub(crate) fn measure(
    words: &Bench,
    subject: Subject,
    printer: &Printer,
) -> anyhow::Result<Report> {
    let mut session = Session::new(words, printer);
    let mut machine = Machine::here(subject.describe());
    let before = Ceiling::read(&mut session)?;
    let preprocess = subject.preprocess.clone();
    towers::run(&mut session, subject)?;
    photographs::run(&mut session, &preprocess)?;
    collection::run(&mut session)?;
    let after = Ceiling::again(&mut session)?;
    machine.compare(&before, after);
    let (mut measurements, unreadable) = session.finish();
    tell_skipped("file", &unreadable, printer);
    for one in &mut measurements {
        one.compare(before.of_precision().max(after));
    }
    Ok(Report { machine, measurements })
}

/// What the parts share.
struct Session<'a> {
    words: &'a Bench,
    clock: Clock,
    bar: Stages,
    done: usize,
    measurements: Vec<Measurement>,
    /// Files of the folder that was named that are no pictures, and why.
    unreadable: Vec<String>,
}

impl<'a> Session<'a> {
    fn new(words: &'a Bench, printer: &Printer) -> Self {
        let (clock, bar) = (Clock::new(words), Stages::new(printer));
        Self { words, clock, bar, done: 0, measurements: Vec::new(), unreadable: Vec::new() }
    }

    fn wants(&self, part: Part) -> bool {
        self.words.only.is_empty() || self.words.only.contains(&part)
    }

    /// What was asked for, or what is usual for the part.
    fn batches(&self, part: Part) -> Vec<usize> {
        if !self.words.batch.is_empty() {
            return self.words.batch.clone();
        }
        let usual = if part == Part::Step { &BATCHES[1..] } else { &BATCHES };
        usual[..usual.len() - usize::from(self.words.quick)].to_vec()
    }

    /// Shows what comes next; whether it still shall.
    fn next(&mut self, what: &'static str) -> bool {
        let total: usize = [
            (Part::Ceiling, ceiling::COUNT),
            (Part::Image, self.batches(Part::Image).len()),
            (Part::Text, self.batches(Part::Text).len()),
            (Part::Step, self.batches(Part::Step).len()),
            (Part::Files, towers::FILES),
            (Part::Decode, photographs::COUNT),
            (Part::Search, collection::COUNT),
        ]
        .into_iter()
        .filter(|(part, _)| self.wants(*part))
        .map(|(_, count)| count)
        .sum();
        self.bar.see(what, self.done.min(total), total);
        self.done += 1;
        !interrupt::asked()
    }

    fn add(&mut self, measurement: Measurement) {
        self.measurements.push(measurement);
    }

    fn finish(self) -> (Vec<Measurement>, Vec<String>) {
        self.bar.finish();
        (self.measurements, self.unreadable)
    }
}

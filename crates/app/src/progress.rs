//! Long work as a bar on a terminal and as plain lines elsewhere.
//!
//! Of training it reads the same events as the log of the run. It keeps nothing but what the bar shows.

use std::time::{Duration, Instant};

use finelens_finetune::{Event, StopReason};
use indicatif::{ProgressBar, ProgressState, ProgressStyle};

use crate::number::{counted, grouped, percent, time, weights};
use crate::printer::Printer;
use crate::report::with_unit;

/// Time between two plain lines.
const EVERY: Duration = Duration::from_secs(10);

/// Share of the past in the smoothed speed, at each step.
const SMOOTHING: f64 = 0.9;

/// Who watches a training run.
pub(crate) struct Watcher<'a> {
    printer: &'a Printer,
    bar: Option<ProgressBar>,
    steps: usize,
    epochs: usize,
    steps_per_epoch: usize,
    pairs_per_second: Option<f64>,
    /// Of each step, for its pictures.
    wait_ms: Option<f64>,
    best: Option<String>,
    patience_left: Option<usize>,
    told: Instant,
    skipped: Vec<String>,
}

impl<'a> Watcher<'a> {
    /// Watches a run from its start.
    pub(crate) fn new(printer: &'a Printer) -> Self {
        Self {
            printer,
            bar: None,
            steps: 0,
            epochs: 0,
            steps_per_epoch: 1,
            pairs_per_second: None,
            wait_ms: None,
            best: None,
            patience_left: None,
            told: Instant::now(),
            skipped: Vec::new(),
        }
    }

    /// Shows one event.
    pub(crate) fn see(&mut self, event: &Event) {
        match event {
            Event::Started { .. } => self.started(event),
            Event::Skipped { what } => self.skipped.push(what.clone()),
            Event::Step { .. } => self.step(event),
            Event::Evaluating { images } => {
                self.message(&format!("measuring on {}", counted(*images, "picture")));
            }
            Event::Evaluated { .. } => self.evaluated(event),
            Event::Saved { name, path, .. } => {
                tracing::debug!("saved {name} to {}", path.display());
            }
            Event::Stopped { reason, step, time: taken, pairs, .. } => {
                self.stopped(*reason, *step, *taken, *pairs);
            }
        }
    }

    /// Ends watching, also where training failed half-way; returns what training could not use.
    pub(crate) fn finish(self) -> Vec<String> {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        self.skipped
    }

    fn started(&mut self, event: &Event) {
        let Event::Started {
            parameters,
            train_images,
            train_captions,
            steps,
            done_steps,
            steps_per_epoch,
            device,
            ..
        } = event
        else {
            return;
        };
        (self.steps, self.steps_per_epoch) = (*steps, (*steps_per_epoch).max(1));
        self.epochs = steps.div_ceil(self.steps_per_epoch);
        let (pictures, captions) =
            (counted(*train_images, "picture"), counted(*train_captions, "caption"));
        self.say(&format!(
            "training {} weights on {pictures} with {captions}, {} on {device}",
            weights(*parameters),
            counted(*steps, "step"),
        ));
        if *done_steps > 0 {
            self.say(&format!("going on after step {}", grouped(*done_steps)));
        }
        if self.printer.bars() {
            self.bar = Some(bar(*steps, *done_steps));
        }
    }

    fn step(&mut self, event: &Event) {
        let Event::Step { step, epoch, loss, learning_rate, pairs, time, wait, .. } = event else {
            return;
        };
        let smoothed = |past: Option<f64>, now: f64| {
            past.map_or(now, |past| past * SMOOTHING + now * (1.0 - SMOOTHING))
        };
        let now = *pairs as f64 / time.as_secs_f64().max(1e-9);
        let speed = smoothed(self.pairs_per_second, now);
        let wait_ms = smoothed(self.wait_ms, wait.as_secs_f64() * 1e3);
        (self.pairs_per_second, self.wait_ms) = (Some(speed), Some(wait_ms));
        let numbers = format!(
            "loss {loss:.3}  lr {learning_rate:.1e}  {speed:.0} pairs/s  wait {wait_ms:.0} ms"
        );
        match &self.bar {
            Some(bar) => {
                bar.set_position(*step as u64);
                bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
                bar.set_message(format!("{numbers}{}", self.standing()));
            }
            None if self.told.elapsed() >= EVERY || *step == 1 => {
                self.told = Instant::now();
                self.say(&format!(
                    "epoch {epoch}/{}  step {step}/{}  {numbers}",
                    self.epochs, self.steps
                ));
            }
            None => {}
        }
    }

    fn evaluated(&mut self, event: &Event) {
        let Event::Evaluated {
            epoch,
            metric,
            value,
            best,
            patience_left,
            text_to_image,
            image_to_text,
            ..
        } = event
        else {
            return;
        };
        let value = with_unit(metric, *value);
        let mark = if *best { "  best" } else { "" };
        let recalls = |values: &[f64; 3]| values.map(percent).join(" ");
        self.say(&format!(
            "epoch {epoch}: {metric} {value}  R@1/5/10 % by text {}, by image {}{mark}",
            recalls(text_to_image),
            recalls(image_to_text),
        ));
        if *best || self.best.is_none() {
            self.best = Some(value);
        }
        self.patience_left = *patience_left;
    }

    /// What the bar says about the best model so far.
    fn standing(&self) -> String {
        let Some(best) = &self.best else { return String::new() };
        let left = self.patience_left.map_or(String::new(), |left| format!(", {left} tries left"));
        format!("  best {best}{left}")
    }

    fn stopped(&mut self, reason: StopReason, step: usize, taken: Duration, pairs: usize) {
        if let Some(bar) = self.bar.take() {
            bar.finish_and_clear();
        }
        let why = match reason {
            StopReason::Finished => "finished",
            StopReason::OutOfPatience => "stopped early, no longer getting better,",
            StopReason::Interrupted => "interrupted",
        };
        let (steps, pairs, taken) = (counted(step, "step"), counted(pairs, "pair"), time(taken));
        self.say(&format!("{why} after {steps}, {pairs}, {taken}"));
    }

    fn message(&self, text: &str) {
        if let Some(bar) = &self.bar {
            bar.set_message(text.to_owned());
        }
    }

    /// A line above the bar.
    fn say(&self, line: &str) {
        match &self.bar {
            Some(bar) => bar.suspend(|| self.printer.say(line)),
            None => self.printer.say(line),
        }
    }
}

fn bar(steps: usize, done: usize) -> ProgressBar {
    let template = "{prefix}  [{bar:36}] step {pos}/{len}  {eta} left\n{msg}";
    let style = ProgressStyle::with_template(template).expect("the template is constant");
    let bar = ProgressBar::new(steps as u64).with_style(style.progress_chars("=> "));
    bar.set_position(done as u64);
    bar.reset_eta();
    bar
}

/// A bar over work that is counted, such as pictures to draw or to embed; invisible where bars are not wanted.
pub(crate) fn counter(printer: &Printer, what: &'static str, total: usize) -> ProgressBar {
    if !printer.bars() {
        return ProgressBar::hidden();
    }
    let style = ProgressStyle::with_template("{msg}  [{bar:36}] {pos}/{len}  {eta} left")
        .expect("the template is constant");
    ProgressBar::new(total as u64).with_style(style.progress_chars("=> ")).with_message(what)
}

/// Pictures that go through a model: how many, how fast, and how long it will take.
pub(crate) struct Pictures<'a> {
    printer: &'a Printer,
    bar: ProgressBar,
    what: &'static str,
    began: Instant,
    told: Instant,
    done: usize,
    total: usize,
}

impl<'a> Pictures<'a> {
    /// Begins to count; `what` is what happens to them.
    pub(crate) fn new(printer: &'a Printer, what: &'static str, total: usize) -> Self {
        let bar = if printer.bars() { speed_bar(what, total) } else { ProgressBar::hidden() };
        let now = Instant::now();
        Self { printer, bar, what, began: now, told: now, done: 0, total }
    }

    /// Counts some more.
    pub(crate) fn add(&mut self, count: usize) {
        self.done += count;
        self.bar.set_position(self.done as u64);
        if !self.printer.bars() && self.told.elapsed() >= EVERY {
            self.told = Instant::now();
            let per_second = self.done as f64 / self.began.elapsed().as_secs_f64();
            let left = Duration::from_secs_f64((self.total - self.done) as f64 / per_second);
            let (done, total) = (grouped(self.done), grouped(self.total));
            self.printer.say(format_args!(
                "{} {done} of {total}, {per_second:.0} images/s, {} left",
                self.what,
                time(left)
            ));
        }
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

fn speed_bar(what: &'static str, total: usize) -> ProgressBar {
    let speed = |state: &ProgressState, text: &mut dyn std::fmt::Write| {
        let _ = write!(text, "{:.0} images/s", state.per_sec());
    };
    let style = ProgressStyle::with_template("{msg}  [{bar:30}] {pos}/{len}  {speed}  {eta} left")
        .expect("the template is constant")
        .with_key("speed", speed);
    ProgressBar::new(total as u64).with_style(style.progress_chars("=> ")).with_message(what)
}

/// Work in several stages, each of which tells what it is and how much of it is done.
pub(crate) struct Stages {
    bar: ProgressBar,
}

impl Stages {
    /// Waits for the first stage.
    pub(crate) fn new(printer: &Printer) -> Self {
        Self { bar: counter(printer, "", 0) }
    }

    /// Shows how far a stage is.
    pub(crate) fn see(&mut self, what: &'static str, done: usize, total: usize) {
        self.bar.set_message(what);
        self.bar.set_length(total as u64);
        self.bar.set_position(done as u64);
    }

    /// Takes the bar away.
    pub(crate) fn finish(self) {
        self.bar.finish_and_clear();
    }
}

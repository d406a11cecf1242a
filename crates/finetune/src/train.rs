//! The training loop.

use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use finelens_clip::{Batch, Checkpoint, Embedder, Learning};
use finelens_compute::{DType, Device, Span};
use finelens_data::Example;

use crate::ahead::run_ahead;
use crate::batches::{Batches, Prepared};
use crate::config::{TowerName, TrainConfig};
use crate::embed::embed;
use crate::error::Error;
use crate::eval::metrics::RECALL_AT;
use crate::eval::{Direction, Measure, Metric, RetrievalRanks, retrieval};
use crate::event::{Event, StopReason};
use crate::optim::Optimizer;
use crate::run_dir::{Progress, RunDir, read_moments};
use crate::saving::{Copied, Saving};
use crate::schedule::learning_rate;

/// What is learnt from, and what decides which model is the best.
#[derive(Debug, Clone, Copy)]
pub struct TrainData<'a> {
    /// The training split; every example has a caption.
    pub train: &'a [&'a Example],
    /// The validation split.
    pub valid: &'a [&'a Example],
}

/// How a run ended.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Outcome {
    /// Why.
    pub reason: StopReason,
    /// Where.
    pub progress: Progress,
    /// Pictures that could not be read, each counted once per visit.
    pub unreadable: usize,
}

/// Whoever listens, and whether they said stop.
type OnEvent<'a> = &'a mut dyn FnMut(&Event) -> ControlFlow<()>;

/// Trains `start` until the schedule ends, patience runs out, or `on_event` says stop.
///
/// Goes on where `run` stands, to the same bits as if it had never stopped; then `start` is only
/// asked for its shape. Everything worth knowing is told through `on_event` and logged in the run
/// directory; nothing is printed.
///
/// # Errors
/// A setting out of range, an unknown metric or a split without images before the first step; a
/// loss that is no number; a disk or a device that fails.
pub fn train(
    config: &TrainConfig,
    data: TrainData<'_>,
    start: Checkpoint,
    device: Box<dyn Device>,
    run: &RunDir,
    on_event: OnEvent<'_>,
) -> Result<Outcome, Error> {
    config.check()?;
    check_split("training", data.train)?;
    check_split("validation", data.valid)?;
    let mut session = Session::new(config, data, start, device, run, on_event)?;
    let batches = Batches::new(config, data.train, &session.embedder);
    let (each, steps) = (batches.steps_per_epoch(), config.epochs * batches.steps_per_epoch());
    session.started(each, steps)?;
    let first = session.progress.step;
    if first.is_multiple_of(each) && !session.progress.evaluated {
        let best = session.measure(first / each)?;
        session.save(best, false)?;
    }

    let mut visits = (usize::MAX, Vec::new());
    let prepare = |number: usize| {
        if visits.0 != number / each {
            visits = (number / each, batches.visits(number));
        }
        batches.prepare(number, &visits.1)
    };
    let mut waiting = Instant::now();
    let steps_left = if session.reason().is_some() { steps..steps } else { first..steps };
    let ended = run_ahead::<_, Error>(steps_left, prepare, |batch| {
        let wait = waiting.elapsed();
        session.tell_saved(Saving::is_done)?;
        let epoch = session.progress.step / each + 1;
        session.step(
            &batch,
            learning_rate(&config.optimizer, session.progress.step, steps),
            epoch,
            wait,
        )?;
        let done = session.progress.step;
        let epoch_ends = done.is_multiple_of(each);
        let due = epoch_ends && (epoch.is_multiple_of(config.stop.every_epochs) || done == steps);
        let best = due && !session.interrupted && session.measure(epoch)?;
        let last =
            epoch_ends || session.interrupted || done.is_multiple_of(config.save_every_steps);
        session.save(best, last)?;
        waiting = Instant::now();
        Ok(if session.reason().is_some() {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        })
    });
    // What was being written counts even where training ends with an error.
    let told = session.tell_saved(|_| true);
    ended?;
    told?;
    session.stopped()
}

/// A contrast needs two.
fn check_split(split: &'static str, examples: &[&Example]) -> Result<(), Error> {
    if examples.len() < 2 {
        return Err(Error::TooFewImages { split, expected: 2, found: examples.len() });
    }
    Ok(())
}

/// What the loop works with.
struct Session<'a> {
    config: &'a TrainConfig,
    train_images: usize,
    train_captions: usize,
    valid: Vec<&'a Example>,
    embedder: Embedder,
    optimizer: Optimizer,
    learning: Learning,
    loss: Span,
    run: &'a RunDir,
    on_event: OnEvent<'a>,
    progress: Progress,
    saving: Option<Saving>,
    interrupted: bool,
    unreadable: usize,
    began: Instant,
}

impl<'a> Session<'a> {
    /// Puts the model where the run stands.
    fn new(
        config: &'a TrainConfig,
        data: TrainData<'a>,
        start: Checkpoint,
        device: Box<dyn Device>,
        run: &'a RunDir,
        on_event: OnEvent<'a>,
    ) -> Result<Self, Error> {
        let progress = run.progress()?;
        let resumed = run.last().exists();
        let start = if resumed { Checkpoint::load(&run.last())? } else { start };
        let mut embedder = Embedder::new(start, device)?;
        let learning = learning(config);
        let optimizer = Optimizer::new(&mut embedder.model, &config.optimizer, learning)?;
        let loss =
            embedder.model.device().alloc(1, DType::F32).map_err(finelens_clip::Error::from)?;
        if resumed {
            let moments = read_moments(&run.last(), embedder.model.config())?;
            optimizer.restore(&mut embedder.model, &moments);
            run.rewind_log(progress.step)?;
        }
        Ok(Self {
            config,
            train_images: data.train.len(),
            train_captions: data.train.iter().map(|e| e.captions.len()).sum(),
            valid: spread(data.valid, config.stop.images),
            embedder,
            optimizer,
            learning,
            loss,
            run,
            on_event,
            progress,
            saving: None,
            interrupted: false,
            unreadable: 0,
            began: Instant::now(),
        })
    }

    /// Why training should end now, if it should.
    fn reason(&self) -> Option<StopReason> {
        let patience = self.config.stop.patience;
        match (self.interrupted, patience > 0 && self.progress.strikes >= patience) {
            (true, _) => Some(StopReason::Interrupted),
            (_, true) => Some(StopReason::OutOfPatience),
            _ => None,
        }
    }

    fn tell(&mut self, event: &Event) -> Result<(), Error> {
        self.run.log(event)?;
        self.interrupted |= (self.on_event)(event).is_break();
        Ok(())
    }

    fn started(&mut self, steps_per_epoch: usize, steps: usize) -> Result<(), Error> {
        let parameters =
            self.embedder.model.segments(self.learning).iter().map(|s| s.range.len()).sum();
        let device = self.embedder.model.device().name();
        self.tell(&Event::Started {
            parameters,
            train_images: self.train_images,
            train_captions: self.train_captions,
            valid_images: self.valid.len(),
            steps,
            done_steps: self.progress.step,
            steps_per_epoch,
            device,
        })
    }

    /// Forward, backward, update.
    fn step(
        &mut self,
        batch: &Prepared,
        learning_rate: f32,
        epoch: usize,
        wait: Duration,
    ) -> Result<(), Error> {
        let began = Instant::now();
        for what in &batch.unreadable {
            self.unreadable += 1;
            self.tell(&Event::Skipped { what: what.clone() })?;
        }
        let step = self.progress.step + 1;
        self.progress.step = step;
        self.progress.pairs += batch.groups.len();
        self.progress.evaluated = false;
        if batch.groups.len() < 2 {
            return Ok(());
        }
        let model = &mut self.embedder.model;
        let gradients = model.gradients()?;
        model.device().fill(gradients, 0.0);
        let pairs = Batch { pixels: &batch.pixels, tokens: &batch.tokens, groups: &batch.groups };
        model.forward_backward(&pairs, self.learning, self.loss)?;
        self.optimizer.step(model, step, learning_rate)?;
        let [loss, grad_norm, logit_scale] =
            [self.loss, self.optimizer.grad_norm(), model.logit_scale()].map(|span| {
                let mut value = [0.0];
                model.device().read(span, &mut value).map(|()| value[0])
            });
        let loss = loss.map_err(finelens_clip::Error::from)?;
        if !loss.is_finite() {
            return Err(Error::Diverged { step, loss });
        }
        self.tell(&Event::Step {
            step,
            epoch,
            loss,
            learning_rate,
            grad_norm: grad_norm.map_err(finelens_clip::Error::from)?,
            logit_scale: logit_scale.map_err(finelens_clip::Error::from)?.exp(),
            pairs: batch.groups.len(),
            false_negatives: batch.false_negatives(),
            tokens: batch.tokens.tokens,
            time: began.elapsed() + wait,
            wait,
        })
    }

    /// Measures on the validation split; whether the model is the best so far.
    fn measure(&mut self, epoch: usize) -> Result<bool, Error> {
        let began = Instant::now();
        self.tell(&Event::Evaluating { images: self.valid.len() })?;
        let embedded = embed(&mut self.embedder, &self.valid, |_| ())?;
        let ranks = retrieval::rank(&embedded.corpus, &embedded.images, &embedded.texts)?;
        let metric = self.config.stop.metric()?;
        let value = ranks.value(metric).expect("only metrics of retrieval are accepted");
        let best = self.progress.best.is_none_or(|(_, best)| {
            if metric.higher_is_better() { value > best } else { value < best }
        });
        let step = self.progress.step;
        self.progress.evaluated = true;
        self.progress.strikes = if best { 0 } else { self.progress.strikes + 1 };
        if best {
            self.progress.best = Some((step, value));
        }
        let patience = self.config.stop.patience;
        self.tell(&Event::Evaluated {
            step,
            epoch,
            metric: self.config.stop.metric.clone(),
            value,
            best,
            patience_left: (patience > 0).then(|| patience.saturating_sub(self.progress.strikes)),
            text_to_image: recalls(&ranks, Direction::TextToImage),
            image_to_text: recalls(&ranks, Direction::ImageToText),
            time: began.elapsed(),
        })?;
        Ok(best)
    }

    /// Begins to save the model as the best, as the newest, or as both.
    fn save(&mut self, best: bool, last: bool) -> Result<(), Error> {
        if !best && !last {
            return Ok(());
        }
        self.tell_saved(|_| true)?;
        let checkpoint = self.embedder.checkpoint()?;
        let moments = last.then(|| self.optimizer.moments(&mut self.embedder.model)).transpose()?;
        let last = moments.map(|moments| (moments, self.progress));
        let copied = Copied { checkpoint, best, last };
        self.saving = Some(Saving::start(self.run, self.progress.step, copied)?);
        Ok(())
    }

    /// Tells what has been saved, if it is `time`; waits until it is on the disk.
    fn tell_saved(&mut self, time: impl FnOnce(&Saving) -> bool) -> Result<(), Error> {
        let Some(saving) = self.saving.take_if(|saving| time(saving)) else { return Ok(()) };
        for event in saving.finish()? {
            self.tell(&event)?;
        }
        Ok(())
    }

    fn stopped(mut self) -> Result<Outcome, Error> {
        let reason = self.reason().unwrap_or(StopReason::Finished);
        let (best_step, best_value) = self.progress.best.unwrap_or((0, 0.0));
        let Progress { step, pairs, .. } = self.progress;
        let time = self.began.elapsed();
        self.tell(&Event::Stopped { reason, step, best_step, best_value, pairs, time })?;
        Ok(Outcome { reason, progress: self.progress, unreadable: self.unreadable })
    }
}

fn learning(config: &TrainConfig) -> Learning {
    Learning {
        vision: !config.freeze.contains(&TowerName::Vision),
        text: !config.freeze.contains(&TowerName::Text),
        recompute: config.recompute,
    }
}

/// At most `count` of `examples`, spread evenly over them: data sets are often sorted by class. 0 takes all.
fn spread<'a>(examples: &[&'a Example], count: usize) -> Vec<&'a Example> {
    if count == 0 || count >= examples.len() {
        return examples.to_vec();
    }
    (0..count).map(|i| examples[i * examples.len() / count]).collect()
}

fn recalls(ranks: &RetrievalRanks, direction: Direction) -> [f64; 3] {
    RECALL_AT
        .map(|k| ranks.value(Metric::Retrieval(direction, Measure::Recall(k))).unwrap_or(f64::NAN))
}

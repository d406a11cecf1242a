//! `finelens train`: fine-tune, and measure before and after.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};

use finelens_clip::Checkpoint;
use finelens_data::Dataset;
use finelens_finetune::{Outcome, RunDir, StopReason, TrainConfig, TrainData, train};

use crate::Verdict;
use crate::cli::{Precision, Train};
use crate::error::{Error, PrecisionError};
use crate::input::{self, check_bad, tell_skipped, to_measure};
use crate::interrupt;
use crate::measure::measure;
use crate::model::{self, RUN_FILE};
use crate::number::counted;
use crate::printer::Printer;
use crate::progress::Watcher;
use crate::proof::{Against, EVALUATION_FILE, Proof};
use crate::report;
use crate::settings::Settings;
use crate::today::today;

/// Runs the command.
pub(crate) fn run(words: &Train, printer: &Printer) -> anyhow::Result<Verdict> {
    let job = if words.resume { resumed(words)? } else { begun(words)? };
    job.settings.train.check()?;
    let dataset = input::open(&job.settings.data, printer)?;
    interrupt::listen(printer.clone(), "saving after this step")?;
    let (run, start) = job.open(printer)?;
    let fitted = fit(&job.settings.train, &dataset, start, &run, printer)?;
    if fitted.outcome.reason == StopReason::Interrupted {
        printer.say(format_args!(
            "go on with: finelens train --resume --out {}",
            run.path().display()
        ));
        return Ok(Verdict::No);
    }
    prove(&job.settings, &dataset, &run, printer)?;
    tell_places(&run, printer);
    let bad = dataset.skipped.len() + fitted.unreadable;
    check_bad(bad, dataset.rows, job.settings.data.max_bad()?)?;
    Ok(Verdict::Done)
}

/// What is to be done, and where.
struct Job {
    settings: Settings,
    out: PathBuf,
    resume: bool,
}

/// A new run.
fn begun(words: &Train) -> anyhow::Result<Job> {
    let mut settings = Settings::resolve(words.config.as_deref(), &words.set)?;
    settings.data.overlay(words.data.as_deref(), &words.read);
    if settings.data.path.is_empty() {
        return Err(Error::NoData.into());
    }
    if let Some(model) = &words.model {
        settings.model.clone_from(model);
    }
    let out = words.out.clone().unwrap_or_else(|| default_out(&settings.data.path));
    if out.join(RUN_FILE).exists() {
        return Err(Error::RunExists { path: out }.into());
    }
    model::must_be_empty(&out)?;
    if settings.precision == Precision::Int8 {
        return Err(Error::from(PrecisionError::Int8Elsewhere).into());
    }
    settings.precision = model::train_in(settings.precision);
    Ok(Job { settings, out, resume: false })
}

/// `runs/DATE-NAME`, with a number where that is taken.
fn default_out(data: &str) -> PathBuf {
    let name = Path::new(data).file_stem().map_or("data".into(), |stem| stem.to_string_lossy());
    let path = |suffix: &str| PathBuf::from(format!("runs/{}-{name}{suffix}", today()));
    let mut numbered = (2..).map(|number| path(&format!("-{number}")));
    Some(path(""))
        .filter(|path| !path.exists())
        .or_else(|| numbered.find(|path| !path.exists()))
        .expect("numbers go on")
}

/// A run that was begun before.
fn resumed(words: &Train) -> anyhow::Result<Job> {
    let out = words.out.clone().expect("--resume demands --out");
    let file = out.join(RUN_FILE);
    if !file.exists() {
        return Err(Error::NoRun { path: out }.into());
    }
    let mut settings = Settings::resolve(Some(&file), &[])?;
    settings.data.overlay(words.data.as_deref(), &words.read);
    model::go_on_in(settings.precision)?;
    Ok(Job { settings, out, resume: true })
}

impl Job {
    /// The run's folder, and the model to start from or to go on with.
    fn open(&self, printer: &Printer) -> anyhow::Result<(RunDir, Checkpoint)> {
        if self.resume {
            let run = RunDir::open(&self.out)?;
            let start = Checkpoint::load(&run.last())?;
            return Ok((run, start));
        }
        let start = model::load(&self.settings.model, printer)?;
        let run = RunDir::create(&self.out)?;
        self.settings.keep(&self.out)?;
        Ok((run, start))
    }
}

/// What came of training.
pub(crate) struct Fitted {
    /// Why and where it ended.
    pub(crate) outcome: Outcome,
    /// Different pictures that could not be read.
    pub(crate) unreadable: usize,
}

/// Trains with a bar, and stops after a step when somebody asks to.
pub(crate) fn fit(
    config: &TrainConfig,
    dataset: &Dataset,
    start: Checkpoint,
    run: &RunDir,
    printer: &Printer,
) -> anyhow::Result<Fitted> {
    let splits = dataset.splits();
    let data = TrainData { train: &splits.train, valid: &splits.valid };
    let mut watcher = Watcher::new(printer);
    let outcome = train(config, data, start, model::device(), run, &mut |event| {
        watcher.see(event);
        if interrupt::asked() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let skipped: BTreeSet<String> = watcher.finish().into_iter().collect();
    let skipped: Vec<String> = skipped.into_iter().collect();
    tell_skipped("picture", &skipped, printer);
    Ok(Fitted { outcome: outcome?, unreadable: skipped.len() })
}

/// Measures the model before and after, prints both, and keeps the numbers in the run.
fn prove(
    settings: &Settings,
    dataset: &Dataset,
    run: &RunDir,
    printer: &Printer,
) -> anyhow::Result<()> {
    let (split, examples) = to_measure(dataset, Path::new(&settings.data.path), None)?;
    printer.say(format_args!(
        "measuring before and after on split {split}, {}",
        counted(examples.len(), "picture")
    ));
    let best = run.best();
    let after = measure(Checkpoint::load(&best)?, &examples, None, printer)?;
    let before = measure(model::load(&settings.model, printer)?, &examples, None, printer)?;
    let against = Against::new(&settings.model, &before, &after, None)?;
    let evaluation = after.record(None);
    printer.data(format_args!("On split {split}:\n{}\n", report::pools(&evaluation)))?;
    printer.data(report::comparison(&against.comparison, &evaluation))?;
    let (data, model) = (settings.data.path.clone(), best.display().to_string());
    let proof = Proof { data, split, model, evaluation, against: Some(against) };
    proof.keep(run.path())
}

fn tell_places(run: &RunDir, printer: &Printer) {
    let path = run.path().display();
    printer.say(format_args!("\nbest model   {path}/best"));
    printer.say(format_args!("settings     {path}/{RUN_FILE}"));
    printer.say(format_args!("log          {path}/events.jsonl"));
    printer.say(format_args!("evaluation   {path}/{EVALUATION_FILE}"));
}

//! `finelens demo`: everything, from nothing, on pictures that it draws itself.

use std::path::Path;

use finelens_clip::Checkpoint;
use finelens_data::{Example, Split};
use finelens_finetune::{RunDir, StopReason, TrainConfig};

use crate::Verdict;
use crate::cli::{Demo, Precision};
use crate::command::train::fit;
use crate::embedded;
use crate::input::{self, DataSettings};
use crate::interrupt;
use crate::measure::{Measured, measure};
use crate::model::{must_be_empty, train_in};
use crate::number::grouped;
use crate::printer::Printer;
use crate::proof::{Against, Proof};
use crate::report;
use crate::scenes::{aerial, write_dataset};
use crate::serve;
use crate::settings::Settings;
use crate::showcase;

/// Pictures to learn from, to choose the best model by, and to measure on.
const SIZES: [(&str, u64); 3] = [("train", 1200), ("valid", 100), ("test", 300)];

/// Captions shown with what was found for them.
const SHOWN: usize = 3;

/// Runs the command.
pub(crate) fn run(words: &Demo, printer: &Printer) -> anyhow::Result<Verdict> {
    if !words.no_serve {
        // Nobody should wait for minutes to learn it.
        serve::must_be_free(&words.addr)?;
    }
    let Some(dir) = &words.dir else {
        let dir = tempfile::tempdir()?;
        let verdict = show(dir.path(), words, printer)?;
        return serve_in_the_end(dir.path(), verdict, words, printer);
    };
    must_be_empty(dir)?;
    let verdict = show(dir, words, printer)?;
    printer.say(format_args!(
        "\nkept in {0}: data, base (the model before), run/best (after), index",
        dir.display()
    ));
    printer.say(format_args!(
        "try: finelens eval {0}/data --model {0}/run --against {0}/base",
        dir.display()
    ));
    printer
        .say(format_args!("     finelens search a boat on a lake --index {}/index", dir.display()));
    serve_in_the_end(dir, verdict, words, printer)
}

/// The pictures that were searched, in the browser, until somebody asks to stop.
fn serve_in_the_end(
    dir: &Path,
    verdict: Verdict,
    words: &Demo,
    printer: &Printer,
) -> anyhow::Result<Verdict> {
    if words.no_serve || verdict == Verdict::No || interrupt::asked() {
        return Ok(verdict);
    }
    printer.say("\nthe same pictures in the browser:");
    interrupt::leave();
    serve::run(&serve::Config::new(dir.join("index"), words.addr.clone()), printer)?;
    Ok(verdict)
}

fn show(dir: &Path, words: &Demo, printer: &Printer) -> anyhow::Result<Verdict> {
    let base = embedded::unpack(&dir.join("base"))?;
    draw(&dir.join("data"), base.config.vision.image_size as u32, words.seed, printer)?;
    let data =
        DataSettings { path: dir.join("data").display().to_string(), ..DataSettings::default() };
    let dataset = input::open(&data, printer)?;
    interrupt::listen(printer.clone(), "saving after this step")?;
    let run = RunDir::create(&dir.join("run"))?;
    let settings = Settings {
        model: dir.join("base").display().to_string(),
        precision: train_in(Precision::Auto),
        train: recipe(words.seed),
        data,
    };
    settings.keep(run.path())?;
    let fitted = fit(&settings.train, &dataset, base.clone(), &run, printer)?;
    if fitted.outcome.reason == StopReason::Interrupted {
        return Ok(Verdict::No);
    }
    let test = dataset.split(Split::Test);
    let before = measure(base, &test, None, printer)?;
    let after = measure(Checkpoint::load(&run.best())?, &test, None, printer)?;
    let against = Against::new("base", &before, &after, None)?;
    tell(&before, &after, &against, printer)?;
    let (data, model) = (settings.data.path, run.best().display().to_string());
    let (split, evaluation) = ("test".to_owned(), after.record(None));
    Proof { data, split, model, evaluation, against: Some(against) }.keep(run.path())?;
    let searched: Vec<&Example> = dataset.split(Split::Valid).into_iter().chain(test).collect();
    showcase::show(&dir.join("index"), &run.best(), &dataset.root, &searched, printer)?;
    Ok(Verdict::Done)
}

fn draw(dir: &Path, side_px: u32, seed: u64, printer: &Printer) -> anyhow::Result<()> {
    let mut next = 0;
    let splits = SIZES.map(|(name, size)| {
        next += size;
        (name, next - size..next)
    });
    printer.say(format_args!(
        "drawing {} views from above, five captions each",
        grouped(next as usize)
    ));
    write_dataset(dir, &splits, |index| aerial(seed, index, side_px))?;
    Ok(())
}

/// Settings for a small model and a minute on two cores.
fn recipe(seed: u64) -> TrainConfig {
    let mut config = TrainConfig { epochs: 10, batch: 64, seed, ..TrainConfig::default() };
    config.optimizer.learning_rate = 3e-4;
    config.stop.every_epochs = 5;
    // The captions name sides: "a river on the left".
    config.augment.flip_horizontal = 0.0;
    config
}

fn tell(
    before: &Measured,
    after: &Measured,
    against: &Against,
    printer: &Printer,
) -> anyhow::Result<()> {
    let record = after.record(None);
    printer.data(format_args!(
        "\nScenes that neither model has seen.\n{}\n",
        report::pools(&record)
    ))?;
    printer.data(report::comparison(&against.comparison, &record))?;
    printer
        .data("\nWhat the best hit shows, for captions of held-out scenes, before and after:\n")?;
    let captions = after.embedded.corpus.texts();
    for query in (0..SHOWN).map(|number| (2 * number + 1) * captions / (2 * SHOWN)) {
        let caption = &after.embedded.corpus.captions()[query];
        let hits = [before, after].map(|measured| best_hit(measured, query));
        printer.data(format_args!(
            "  \"{caption}\"\n    before  {}\n    after   {}",
            hits[0], hits[1]
        ))?;
    }
    Ok(())
}

/// What the picture that is nearest to a caption shows, by its own first caption, and where the right one ranks.
fn best_hit(measured: &Measured, query: usize) -> String {
    let (images, texts) = (&measured.embedded.images, &measured.embedded.texts);
    let caption = texts.rows(query..query + 1);
    let score = |image: &usize| {
        images.rows(*image..image + 1).iter().zip(caption).map(|(a, b)| a * b).sum::<f32>()
    };
    let best = (0..images.len()).max_by(|a, b| score(a).total_cmp(&score(b))).unwrap_or_default();
    let corpus = &measured.embedded.corpus;
    let first =
        corpus.image_of_text().iter().position(|&owner| owner as usize == best).unwrap_or_default();
    let rank = measured.evaluated.own.text_to_image.queries[query].first;
    let shown = report::shortened(&corpus.captions()[first], 38);
    format!("{shown} (right picture at rank {rank})")
}

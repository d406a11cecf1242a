//! `finelens eval`: how good is a model, and is it better than another?

use anyhow::Context;
use finelens_data::Example;
use finelens_finetune::eval::Metric;
use finelens_finetune::eval::record::EvaluationRecord;

use crate::Verdict;
use crate::cli::Eval;
use crate::error::Error;
use crate::features;
use crate::input::{self, DataSettings, check_bad, tell_skipped, to_measure};
use crate::measure::{Classes, Measured, measure};
use crate::model;
use crate::number::counted;
use crate::printer::Printer;
use crate::proof::{Against, Proof};
use crate::report;

/// Runs the command.
pub(crate) fn run(words: &Eval, printer: &Printer) -> anyhow::Result<Verdict> {
    let floors = floors(words)?;
    let classes =
        words.classes.as_deref().map(|path| Classes::read(path, &words.prompt)).transpose()?;
    let mut settings = DataSettings::default();
    settings.overlay(Some(&words.data), &words.read);
    let dataset = input::open(&settings, printer)?;
    let (split, examples) = to_measure(&dataset, &words.data, words.split.as_deref())?;
    printer.say(format_args!(
        "measuring {} on split {split}, {}",
        words.model,
        counted(examples.len(), "picture")
    ));
    let measured =
        measure(model::load(&words.model, printer)?, &examples, classes.as_ref(), printer)?;
    tell_skipped("picture", &measured.embedded.unreadable, printer);
    let bad = dataset.skipped.len() + measured.embedded.unreadable.len();
    check_bad(bad, dataset.rows, settings.max_bad()?)?;
    if let Some(path) = &words.features {
        features::write(path, &measured.embedded)?;
    }
    let record = measured.record(classes.as_ref());
    let against = against(words, &examples, classes.as_ref(), &measured, printer)?;
    let data = words.data.display().to_string();
    let proof = Proof { data, split, model: words.model.clone(), evaluation: record, against };
    print(&proof, words.json, printer)?;
    verdict(&floors, &proof.evaluation, printer)
}

fn against(
    words: &Eval,
    examples: &[&Example],
    classes: Option<&Classes>,
    after: &Measured,
    printer: &Printer,
) -> anyhow::Result<Option<Against>> {
    let Some(name) = &words.against else { return Ok(None) };
    let before = measure(model::load(name, printer)?, examples, classes, printer)?;
    Ok(Some(Against::new(name, &before, after, classes)?))
}

fn print(proof: &Proof, json: bool, printer: &Printer) -> anyhow::Result<()> {
    if json {
        return Ok(printer.data(proof.to_json()?)?);
    }
    let Proof { data, split, model, evaluation, against } = proof;
    printer.data(format_args!(
        "{model}\non {data}, split {split}\n\n{}",
        report::evaluation(evaluation)
    ))?;
    if let Some(against) = against {
        let table = report::comparison(&against.comparison, evaluation);
        let changes = report::changes(&against.comparison);
        printer.data(format_args!(
            "\nBefore: {}\nAfter:  {model}\n\n{table}\n{changes}",
            against.model
        ))?;
    }
    Ok(())
}

/// Reads `METRIC=VALUE`.
fn floors(words: &Eval) -> anyhow::Result<Vec<(Metric, f64)>> {
    let floor = |text: &String| {
        let told = || Error::FailUnder { text: text.clone() };
        let (name, value) = text.split_once('=').ok_or_else(told)?;
        let metric: Metric = name.trim().parse().context("--fail-under")?;
        let value: f64 =
            value.trim().parse().ok().filter(|value: &f64| value.is_finite()).ok_or_else(told)?;
        if metric.higher_is_better() && !(0.0..=1.0).contains(&value) {
            return Err(Error::FailUnderShare { text: text.clone() }.into());
        }
        Ok((metric, value))
    };
    words.fail_under.iter().map(floor).collect()
}

fn verdict(
    floors: &[(Metric, f64)],
    record: &EvaluationRecord,
    printer: &Printer,
) -> anyhow::Result<Verdict> {
    let mut verdict = Verdict::Done;
    for &(metric, floor) in floors {
        let value = record
            .value(metric)
            .ok_or_else(|| Error::NotMeasured { metric: metric.to_string() })?;
        let (worse, word) = if metric.higher_is_better() {
            (value < floor, "below")
        } else {
            (value > floor, "above")
        };
        if worse {
            printer.answer(format_args!("{metric} is {value:.4}, {word} {floor}"));
            verdict = Verdict::No;
        }
    }
    Ok(verdict)
}

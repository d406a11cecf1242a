//! Three searches in each mode, as the demonstration shows them, and what each mode is worth.

use std::path::Path;

use finelens_clip::Embedder;
use finelens_data::Example;
use finelens_search::{Backend, Embedded, Fitted, Mode, Query, Results, Settings, Words};

use crate::found;
use crate::indexing;
use crate::number::{counted, time};
use crate::printer::{Emphasis, Printer};
use crate::progress::Stages;
use crate::stamp::StampedModel;
use crate::summary;

/// What is looked for, chosen so that once the words know better, once the vector does, and once only both together. How
/// often that is so is measured below them.
const QUERIES: [&str; 3] =
    ["a boat on a pond", "ships with red containers", "a green field with a white house"];

/// The modes and how they are called here.
const MODES: [(&str, Mode); 3] =
    [("words", Mode::Lexical), ("vector", Mode::Vector), ("hybrid", Mode::Hybrid)];

/// Columns of a caption beside the name of its mode; together they fit a terminal of 80.
const WIDTH: usize = 66;

/// Indexes pictures with a model, and searches among them.
pub(crate) fn show(
    dir: &Path,
    model: &Path,
    folder: &Path,
    examples: &[&Example],
    printer: &Printer,
) -> anyhow::Result<()> {
    let model = StampedModel::find(&model.display().to_string(), printer)?;
    let settings = Settings {
        dim: model.dim()?,
        model: model.fingerprint.clone(),
        language: finelens_search::Language::English,
        text_fields: Vec::new(),
    };
    let (index, mut embedder) = (Embedded::create(dir, &settings)?, model.embedder()?);
    let fitted = fill(&index, folder, examples, &mut embedder, printer)?;
    let pictures = counted(examples.len(), "picture");
    printer.data(format_args!(
        "\nThree searches among {pictures} that the model has not learnt from:"
    ))?;
    for query in QUERIES {
        let began = std::time::Instant::now();
        let vector = embedder.texts(&[query])?;
        let answers = search(&index, query, &vector)?;
        tracing::info!("{query}: three searches in {}", time(began.elapsed()));
        printer.data(format_args!("\n  \"{query}\"\n{}", table(&answers, printer.emphasis())))?;
    }
    let measured = summary::fitted_table(&fitted, index.stats()?.rule);
    printer.data(format_args!("\n{}", measured.trim_end()))?;
    Ok(())
}

fn fill(
    index: &Embedded,
    folder: &Path,
    examples: &[&Example],
    embedder: &mut Embedder,
    printer: &Printer,
) -> anyhow::Result<Fitted> {
    let known = index.known()?;
    let root = indexing::register(index, folder, &known)?;
    let candidates = indexing::of_data(examples, &root, folder);
    let plan = indexing::Plan::new(candidates, &known);
    indexing::fill(index, &plan.to_read, embedder, printer)?;
    indexing::probe(index, examples, embedder)?;
    let mut stages = Stages::new(printer);
    index.optimise(&mut |what, done, total| stages.see(what, done, total))?;
    stages.finish();
    indexing::tune(index, examples, &indexing::trials(examples), embedder)
}

fn search(index: &Embedded, query: &str, vector: &[f32]) -> anyhow::Result<Vec<Results>> {
    let mut answers = Vec::new();
    for (_, mode) in MODES {
        let query = Query::new(Words::parse(query), Some(vector.to_vec()));
        answers.push(index.search(&Query { mode, limit: 1, ..query })?);
    }
    Ok(answers)
}

/// The best hit of each mode, by the caption that says most of what was looked for.
fn table(answers: &[Results], emphasis: Emphasis) -> String {
    let line = |((name, _), results): (&(&str, _), &Results)| {
        let caption = results.hits.first().and_then(found::best_caption);
        let caption = caption.map(|(text, marks)| found::excerpt(text, marks, WIDTH, emphasis));
        format!("    {name:<6}  {}", caption.unwrap_or_default()).trim_end().to_owned()
    };
    MODES.iter().zip(answers).map(line).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use finelens_search::{Hit, Record, Scores};

    #[test]
    fn the_best_of_each_mode_stands_on_a_line_that_fits_a_terminal() {
        let hit = |caption: &str| Hit {
            record: Record { captions: vec![caption.to_owned()], ..Record::default() },
            scores: Scores::default(),
            marks: vec![vec![2..6]],
            matched: Vec::new(),
            duplicates: Vec::new(),
        };
        let of = |caption: &str| Results { hits: vec![hit(caption)], ..Results::default() };
        let answers = [of("a pond with ducks"), Results::default(), of(&"a pond ".repeat(12))];
        let text = table(&answers, Emphasis::Stars);
        insta::assert_snapshot!(text, @r"
        words   a *pond* with ducks
        vector
        hybrid  a *pond* a pond a pond a pond a pond a pond a pond a pond a pond …
        ");
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

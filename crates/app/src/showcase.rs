//! Three searches in each mode, as the demonstration shows them.

use std::path::Path;

use finelens_clip::Embedder;
use finelens_data::Example;
use finelens_search::{Backend, Embedded, Mode, Query, Results, Settings, Words};

use crate::indexing;
use crate::number::{counted, time};
use crate::printer::Printer;
use crate::progress::Stages;
use crate::report::shortened;
use crate::stamp::StampedModel;
use crate::table::Table;

/// What is looked for: the first in words that many captions share, the second in words of which several mean the same,
/// the third in a combination that few pictures have.
const QUERIES: [&str; 3] =
    ["a boat on a pond", "a freeway with lots of cars", "red roofs next to brown water"];

/// The modes and the names of their columns.
const MODES: [(&str, Mode); 3] =
    [("words", Mode::Lexical), ("vector", Mode::Vector), ("hybrid", Mode::Hybrid)];

/// Hits of each mode.
const HITS: usize = 3;

/// Columns of a caption: three fit a terminal of 80.
const WIDTH: usize = 23;

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
    fill(&index, folder, examples, &mut embedder, printer)?;
    let pictures = counted(examples.len(), "picture");
    printer.data(format_args!(
        "\nThree searches among {pictures} that the model has not learnt from:"
    ))?;
    for query in QUERIES {
        let began = std::time::Instant::now();
        let vector = embedder.texts(&[query])?;
        let answers = search(&index, query, &vector)?;
        tracing::info!("{query}: three searches in {}", time(began.elapsed()));
        printer.data(format_args!("\n  \"{query}\"\n{}", table(&answers)))?;
    }
    Ok(())
}

fn fill(
    index: &Embedded,
    folder: &Path,
    examples: &[&Example],
    embedder: &mut Embedder,
    printer: &Printer,
) -> anyhow::Result<()> {
    let root = indexing::register(index, folder)?;
    let candidates = indexing::of_data(examples, &root, folder);
    let plan = indexing::Plan::new(candidates, &index.known()?);
    indexing::fill(index, &plan.to_read, embedder, printer)?;
    indexing::probe(index, examples, embedder)?;
    let mut stages = Stages::new(printer);
    index.optimise(&mut |what, done, total| stages.see(what, done, total))?;
    stages.finish();
    indexing::tune(index, examples, &indexing::trials(examples), embedder)?;
    Ok(())
}

fn search(index: &Embedded, query: &str, vector: &[f32]) -> anyhow::Result<Vec<Results>> {
    let mut answers = Vec::new();
    for (_, mode) in MODES {
        let query = Query::new(Words::parse(query), Some(vector.to_vec()));
        answers.push(index.search(&Query { mode, limit: HITS, ..query })?);
    }
    Ok(answers)
}

/// A column for each mode, a row for each rank.
fn table(answers: &[Results]) -> Table {
    let columns =
        MODES.iter().fold(Table::new().numbers(" "), |table, (name, _)| table.words(name));
    let mut table = columns;
    for rank in 0..HITS {
        let caption = |results: &Results| {
            let hit = results.hits.get(rank)?;
            let (text, _) = crate::found::best_caption(hit)?;
            Some(shortened(text, WIDTH))
        };
        let captions = answers.iter().map(|results| caption(results).unwrap_or_default());
        table.row(std::iter::once((rank + 1).to_string()).chain(captions));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use finelens_search::{Hit, Record, Scores};

    #[test]
    fn three_columns_of_captions_fit_a_terminal() {
        let hit = Hit {
            record: Record {
                captions: vec!["a long caption that is cut somewhere".to_owned()],
                ..Record::default()
            },
            scores: Scores::default(),
            marks: Vec::new(),
            matched: Vec::new(),
            duplicates: Vec::new(),
        };
        let full = Results { hits: vec![hit; HITS], ..Results::default() };
        let text = table(&[full.clone(), Results::default(), full]).to_string();
        assert_eq!(text.lines().count(), 1 + HITS);
        assert!(text.lines().all(|line| line.chars().count() <= 80), "{text}");
    }
}

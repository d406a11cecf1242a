//! Evaluations as text: every number with what it must be read against.
//!
//! Nothing is computed here; the numbers come from `finelens_finetune::eval`.

use std::collections::BTreeMap;
use std::fmt::Write;

use finelens_finetune::eval::compare::{Change, Changes};
use finelens_finetune::eval::record::{EvaluationRecord, Pool, RetrievalRecord};
use finelens_finetune::eval::{Comparison, Difference, Direction, Estimate, Measure, Metric};

use crate::number::{grouped, percent};
use crate::table::Table;

/// Widths of a caption and of a picture's id in a list of changes.
const CAPTION_WIDTH: usize = 38;
const PICTURE_WIDTH: usize = 24;

/// The measures of a table of retrieval, in the order of its rows.
const MEASURES: [Measure; 6] = [
    Measure::Recall(1),
    Measure::Recall(5),
    Measure::Recall(10),
    Measure::Mrr(10),
    Measure::Ndcg10,
    Measure::MedianRank,
];

/// One evaluation as tables.
pub(crate) fn evaluation(record: &EvaluationRecord) -> String {
    let mut text = String::new();
    let retrieval = &record.retrieval;
    let _ = writeln!(text, "Full-corpus retrieval. Ties count against the model.");
    text += &pool("t2i: captions that look for their picture", retrieval.text_to_image);
    text += &pool("i2t: pictures that look for a caption", retrieval.image_to_text);
    let _ = writeln!(text, "\n{}", retrieval_table(retrieval));
    let _ = writeln!(text, "{}", mean_recall("mean recall", retrieval));
    if record.shared_captions > 0 {
        let shared = grouped(record.shared_captions);
        let what = format!("{shared} captions are shared; right for all their pictures");
        let _ = writeln!(text, "{}", mean_recall(&what, &record.identical_captions));
    }
    text += &legacy(record);
    let _ = writeln!(text, "\n{}", intervals(record));
    text
}

fn pool(what: &str, pool: Pool) -> String {
    let (queries, candidates, tied) =
        (grouped(pool.queries), grouped(pool.candidates), grouped(pool.tied));
    format!("  {what}: {queries} among {candidates}, {tied} tied\n")
}

/// Both pools in one line.
pub(crate) fn pools(record: &EvaluationRecord) -> String {
    let (pictures, captions) = (grouped(record.images), grouped(record.texts));
    format!("{captions} captions look for their picture among {pictures} (t2i), and back (i2t)")
}

fn retrieval_table(record: &RetrievalRecord) -> Table {
    let mut table = Table::new().words("metric");
    for direction in ["t2i", "i2t"] {
        table = table.numbers(direction).numbers("95 %").numbers("chance");
    }
    for measure in MEASURES {
        let cells =
            [Direction::TextToImage, Direction::ImageToText].into_iter().flat_map(|direction| {
                let metric = Metric::Retrieval(direction, measure);
                estimate_cells(metric, &record.metrics[&metric])
            });
        table.row([measure_name(measure)].into_iter().chain(cells));
    }
    table
}

fn estimate_cells(metric: Metric, estimate: &Estimate) -> [String; 3] {
    let show = |value| value_text(metric, value);
    let interval = format!("{}-{}", show(estimate.low), show(estimate.high));
    [show(estimate.value), interval, show(estimate.chance)]
}

fn mean_recall(what: &str, record: &RetrievalRecord) -> String {
    let [value, interval, chance] =
        estimate_cells(Metric::MeanRecall, &record.metrics[&Metric::MeanRecall]);
    format!("{what}: {value} % (95 %: {interval}, chance {chance})")
}

/// The two protocols of older systems, labelled as theirs.
fn legacy(record: &EvaluationRecord) -> String {
    let mut text = String::new();
    if let Some(zero_shot) = &record.zero_shot {
        let _ = writeln!(
            text,
            "\nLegacy, as CLIP-rsicd measured: class names and a prompt, an easy pool."
        );
        text += &pool("pictures that look for their class", zero_shot.pool);
        let _ = writeln!(text, "\n{}", legacy_table(&zero_shot.metrics));
        let accuracy = percent(zero_shot.mean_per_class_accuracy);
        let _ = writeln!(text, "mean accuracy per class: {accuracy} %");
    }
    let _ = writeln!(
        text,
        "\nLegacy, as clip-image-search measured: MRR within batches of 64, an easy pool."
    );
    text += &pool("pictures that look for their caption", record.in_batch.pool);
    let _ = write!(text, "\n{}", legacy_table(&record.in_batch.metrics));
    text
}

fn legacy_table(metrics: &BTreeMap<Metric, Estimate>) -> Table {
    let mut table = Table::new().words("metric").numbers("value").numbers("95 %").numbers("chance");
    for (&metric, estimate) in metrics {
        table.row([metric_name(metric)].into_iter().chain(estimate_cells(metric, estimate)));
    }
    table
}

fn intervals(record: &EvaluationRecord) -> String {
    let resamples = grouped(record.bootstrap.resamples);
    format!("Intervals: 95 %, {resamples} bootstrap resamples of the pictures.")
}

/// Two models side by side; chance is that of the second.
pub(crate) fn comparison(comparison: &Comparison, after: &EvaluationRecord) -> String {
    let mut text = format!("{}", comparison_table(comparison, after));
    let shared = comparison
        .identical_captions
        .get(&Metric::MeanRecall)
        .filter(|_| after.shared_captions > 0);
    if let Some(shared) = shared {
        let (before, after) = (percent(shared.before), percent(shared.after));
        let _ = writeln!(
            text,
            "\nshared captions right for all their pictures: mean recall {before} to {after} %"
        );
    }
    text
}

fn comparison_table(comparison: &Comparison, after: &EvaluationRecord) -> Table {
    let mut table =
        Table::new().words("metric").numbers("chance").numbers("before").numbers("after");
    table = table.numbers("change").numbers("95 %").numbers("p");
    for metric in compared() {
        if let Some(difference) = comparison.metrics.get(&metric) {
            let chance = estimate(after, metric)
                .map_or(String::new(), |known| value_text(metric, known.chance));
            table.row(
                [metric_name(metric), chance]
                    .into_iter()
                    .chain(difference_cells(metric, difference)),
            );
        }
    }
    table
}

/// The rows of a comparison, the headline first.
fn compared() -> Vec<Metric> {
    let both = [Direction::TextToImage, Direction::ImageToText];
    let retrieval = both.into_iter().flat_map(|direction| {
        MEASURES.into_iter().map(move |measure| Metric::Retrieval(direction, measure))
    });
    let legacy =
        [1, 3, 5, 10].map(Metric::ZeroShotHits).into_iter().chain([1, 10].map(Metric::InBatchMrr));
    std::iter::once(Metric::MeanRecall).chain(retrieval).chain(legacy).collect()
}

fn estimate(record: &EvaluationRecord, metric: Metric) -> Option<&Estimate> {
    let zero_shot = record.zero_shot.as_ref().and_then(|zero_shot| zero_shot.metrics.get(&metric));
    record
        .retrieval
        .metrics
        .get(&metric)
        .or(zero_shot)
        .or_else(|| record.in_batch.metrics.get(&metric))
}

fn difference_cells(metric: Metric, difference: &Difference) -> [String; 5] {
    let signed = |value: f64| match value {
        value if value < 0.0 => format!("-{}", value_text(metric, -value)),
        value => format!("+{}", value_text(metric, value)),
    };
    [
        value_text(metric, difference.before),
        value_text(metric, difference.after),
        signed(difference.difference),
        format!("{} to {}", signed(difference.low), signed(difference.high)),
        if difference.p_value < 0.001 {
            "<0.001".to_owned()
        } else {
            format!("{:.3}", difference.p_value)
        },
    ]
}

/// Which queries changed most, both ways.
pub(crate) fn changes(comparison: &Comparison) -> String {
    let t2i = direction_changes("t2i", "captions", &comparison.text_to_image);
    let i2t = direction_changes("i2t", "pictures", &comparison.image_to_text);
    format!("{t2i}\n{i2t}")
}

fn direction_changes(direction: &str, who: &str, changes: &Changes) -> String {
    let [better, same, worse] = [changes.better, changes.same, changes.worse].map(grouped);
    let mut text = format!(
        "{direction}: {better} {who} rank better than before, {same} alike, {worse} worse\n"
    );
    for (title, listed) in
        [("most improved", &changes.most_improved), ("most worsened", &changes.most_worsened)]
    {
        if !listed.is_empty() {
            let _ = write!(text, "{}", change_table(title, listed));
        }
    }
    text
}

fn change_table(title: &str, listed: &[Change]) -> Table {
    let mut table = Table::new().numbers("rank").numbers("to").words(title).words("");
    for change in listed {
        let ranks = [change.before, change.after].map(|rank| grouped(rank as usize));
        let image = shortened(&change.image, PICTURE_WIDTH);
        let words = match &change.caption {
            Some(caption) => vec![shortened(caption, CAPTION_WIDTH), image],
            None => vec![image],
        };
        table.row(ranks.into_iter().chain(words));
    }
    table
}

/// The text in at most `width` letters, cut with an ellipsis.
pub(crate) fn shortened(text: &str, width: usize) -> String {
    if text.chars().count() <= width {
        return text.to_owned();
    }
    text.chars().take(width - 3).chain("...".chars()).collect()
}

/// A metric as a row's title.
fn metric_name(metric: Metric) -> String {
    match metric {
        Metric::MeanRecall => "mean recall %".to_owned(),
        Metric::Retrieval(direction, measure) => format!("{direction} {}", measure_name(measure)),
        Metric::ZeroShotHits(k) => format!("zero-shot Hits@{k} %"),
        Metric::InBatchMrr(k) => format!("in-batch MRR@{k}"),
    }
}

fn measure_name(measure: Measure) -> String {
    match measure {
        Measure::Recall(k) => format!("R@{k} %"),
        Measure::Mrr(k) => format!("MRR@{k}"),
        Measure::Ndcg10 => "nDCG@10".to_owned(),
        Measure::MedianRank => "median rank".to_owned(),
        Measure::MeanRank => "mean rank".to_owned(),
    }
}

/// A metric's value with its unit, for a line of text.
pub(crate) fn with_unit(metric: &str, value: f64) -> String {
    let Ok(metric) = metric.parse::<Metric>() else { return format!("{value:.3}") };
    let unit = if metric_name(metric).ends_with('%') { " %" } else { "" };
    format!("{}{unit}", value_text(metric, value))
}

/// Shares in per cent, ranks as they are, the rest with three decimals.
fn value_text(metric: Metric, value: f64) -> String {
    match metric {
        Metric::MeanRecall | Metric::ZeroShotHits(_) | Metric::Retrieval(_, Measure::Recall(_)) => {
            percent(value)
        }
        Metric::Retrieval(_, Measure::MedianRank | Measure::MeanRank) => {
            format!("{value:.1}").trim_end_matches(".0").to_owned()
        }
        _ => format!("{value:.3}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use finelens_finetune::eval::{Bootstrap, Corpus, Features, compare, evaluate};

    fn corpus() -> Corpus {
        let names = |count: usize| (0..count).map(|i| format!("{i:03}.png")).collect::<Vec<_>>();
        let captions = (0..8).map(|i| {
            format!("a caption that is long enough to be cut somewhere, number {i}, or so")
        });
        Corpus::new(names(4), captions.collect(), (0..8).map(|i| i / 2).collect()).unwrap()
    }

    /// Unit vectors that turn with the row.
    fn features(rows: usize, turn: f32) -> Features {
        let row = |i: usize| [(i as f32 * turn).cos(), (i as f32 * turn).sin()];
        Features::new(2, (0..rows).flat_map(row).collect()).unwrap()
    }

    /// Width that every line is kept to.
    const WIDTH: usize = 80;

    #[test]
    fn every_line_fits_a_terminal_of_80_columns() {
        let corpus = corpus();
        let evaluated = [0.35, 0.7]
            .map(|turn| evaluate(&corpus, &features(4, turn), &features(8, 0.35)).unwrap());
        let bootstrap = Bootstrap { resamples: 20, seed: 0 };
        let record = EvaluationRecord::new(&corpus, &evaluated[1], &[], &bootstrap);
        let compared = compare(&corpus, &evaluated[0], &evaluated[1], &bootstrap, 3).unwrap();
        let text = evaluation(&record) + &comparison(&compared, &record) + &changes(&compared);
        for line in text.lines() {
            assert!(line.chars().count() <= WIDTH, "{line}");
        }
        for expected in [
            "R@1 %",
            "8 among 4",
            "tied",
            "chance",
            "95 %",
            "Legacy, as clip-image-search measured",
        ] {
            assert!(text.contains(expected), "{expected}:\n{text}");
        }
    }

    #[test]
    fn shares_are_percentages_and_ranks_are_not() {
        assert_eq!(value_text(Metric::MeanRecall, 0.1234), "12.3");
        assert_eq!(value_text("t2i_median_rank".parse().unwrap(), 12.0), "12");
        assert_eq!(value_text("t2i_median_rank".parse().unwrap(), 12.5), "12.5");
        assert_eq!(value_text("i2t_mrr@10".parse().unwrap(), 0.25), "0.250");
    }
}

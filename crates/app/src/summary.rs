//! What is in an index, and what was done to it, as text and as JSON.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use finelens_search::{Fitted, Recall, Rule, Stats};
use serde::Serialize;

use crate::command::index::Done;
use crate::number::{bytes, counted, grouped, percent};
use crate::table::Table;

/// The end of `finelens index`.
pub(crate) fn indexed(path: &Path, done: &Done, stats: &Stats) -> String {
    let filled = &done.filled;
    let gone = if done.pruned { "taken out" } else { "gone" };
    let [new, changed, same, missing] =
        [filled.new, filled.replaced + filled.reworded, done.same + filled.same, done.gone]
            .map(grouped);
    let counts = format!("{new} new, {changed} changed, {same} the same, {missing} {gone}");
    let pictures = counted(stats.pictures, "picture");
    let mut text = format!("{}: {pictures}\n{counts}\n", path.display());
    if let Some(fitted) = stats.fitted.as_ref().filter(|_| done.fitted) {
        text.push('\n');
        text += &fitted_table(fitted, stats.rule);
    }
    text
}

/// How good each way of putting words and vector together is on held-out captions.
pub(crate) fn fitted_table(fitted: &Fitted, rule: Rule) -> String {
    let mut table = Table::new().words("captions that look for their picture").numbers("MRR@10");
    let ways = [
        ("the words alone".to_owned(), fitted.lexical),
        ("the vector alone".to_owned(), fitted.vector),
        ("both by rank (RRF)".to_owned(), fitted.rrf),
        (format!("chosen: {}", rule_text(rule)), fitted.chosen),
    ];
    for (way, value) in ways {
        table.row([way, format!("{value:.3}")]);
    }
    format!("{table}on {} that are held out one at a time\n", counted(fitted.queries, "caption"))
}

fn rule_text(rule: Rule) -> String {
    match rule {
        Rule::Rrf => "both by rank (RRF)".to_owned(),
        Rule::Convex { weight } => {
            let vector = f64::from(weight);
            format!("vector {} %, words {} %", percent(vector), percent(1.0 - vector))
        }
    }
}

/// What an index says of itself.
#[derive(Debug)]
pub(crate) struct Known {
    pub(crate) stats: Stats,
    pub(crate) settings: finelens_search::Settings,
    /// What the vectors were computed in.
    pub(crate) precisions: Vec<String>,
    pub(crate) roots: BTreeMap<String, PathBuf>,
}

/// What `finelens admin stats` says of an index.
#[derive(Debug, Serialize)]
pub(crate) struct Summary {
    index: PathBuf,
    pictures: usize,
    model: String,
    model_hash: String,
    dim: usize,
    /// What the vectors were computed in.
    precisions: Vec<String>,
    language: &'static str,
    text_fields: Vec<String>,
    roots: BTreeMap<String, Root>,
    vector_leg: String,
    recall: Option<RecallSummary>,
    /// Share of the vector; `null` for reciprocal rank fusion.
    weight: Option<f32>,
    fitted: Option<FittedSummary>,
    dead_rows: usize,
    disk: BTreeMap<&'static str, u64>,
    disk_bytes: u64,
}

#[derive(Debug, Serialize)]
struct Root {
    folder: PathBuf,
    exists: bool,
}

#[derive(Debug, Serialize)]
struct RecallSummary {
    images: f32,
    texts: Option<f32>,
    queries: usize,
}

#[derive(Debug, Serialize)]
struct FittedSummary {
    queries: usize,
    lexical: f64,
    vector: f64,
    rrf: f64,
    chosen: f64,
}

impl Summary {
    /// Puts together what an index says of itself.
    pub(crate) fn new(index: &Path, known: Known) -> Self {
        let Known { stats, settings, precisions, roots } = known;
        let root = |folder: PathBuf| Root { exists: folder.is_dir(), folder };
        let disk: BTreeMap<&'static str, u64> = stats.disk.into_iter().collect();
        Self {
            index: index.to_owned(),
            pictures: stats.pictures,
            model: settings.model.name,
            model_hash: settings.model.hash,
            dim: stats.dim,
            precisions,
            language: crate::cli::language_name(settings.language),
            text_fields: settings.text_fields,
            roots: roots.into_iter().map(|(name, folder)| (name, root(folder))).collect(),
            vector_leg: stats.vector_leg,
            recall: stats.recall.map(RecallSummary::new),
            weight: match stats.rule {
                Rule::Rrf => None,
                Rule::Convex { weight } => Some(weight),
            },
            fitted: stats.fitted.as_ref().map(FittedSummary::new),
            dead_rows: stats.dead_rows,
            disk_bytes: disk.values().sum(),
            disk,
        }
    }

    /// The document that `--json` prints.
    pub(crate) fn to_json(&self) -> serde_json::Result<String> {
        serde_json::to_string_pretty(self)
    }

    /// The table.
    pub(crate) fn table(&self) -> Table {
        let mut table = Table::new().words("index").words(&self.index.display().to_string());
        let fields = match &self.text_fields[..] {
            [] => self.language.to_owned(),
            fields => format!("{}, and of the fields {}", self.language, fields.join(", ")),
        };
        table.row(["pictures", &grouped(self.pictures)]);
        table.row(["model", &self.model]);
        table.row(["vectors", &format!("{} numbers each, {}", self.dim, self.vector_leg)]);
        table.row(["precision", &self.precisions_text()]);
        table.row(["recall@10", &self.recall_text()]);
        table.row(["words", &fields]);
        table.row(["hybrid", &self.hybrid_text()]);
        for (name, root) in &self.roots {
            let gone = if root.exists { "" } else { " (not there)" };
            table.row(["root", &format!("{name}: {}{gone}", root.folder.display())]);
        }
        table.row(["to compact", &counted(self.dead_rows, "deleted row")]);
        table.row(["disk", &bytes(self.disk_bytes)]);
        for (part, size) in &self.disk {
            table.row(["", &format!("{part}: {}", bytes(*size))]);
        }
        table
    }

    fn precisions_text(&self) -> String {
        match &self.precisions[..] {
            [] => "no vectors yet".to_owned(),
            precisions => precisions.join(", "),
        }
    }

    fn recall_text(&self) -> String {
        let Some(recall) = &self.recall else { return "not measured yet".to_owned() };
        let texts = recall.texts.map_or(String::new(), |texts| format!(", by captions {texts:.3}"));
        format!("by pictures {:.3}{texts}, {} queries", recall.images, grouped(recall.queries))
    }

    fn hybrid_text(&self) -> String {
        let rule = self.weight.map_or(Rule::Rrf, |weight| Rule::Convex { weight });
        let told = rule_text(rule);
        let Some(fitted) = &self.fitted else { return format!("{told}, not fitted") };
        let queries = counted(fitted.queries, "caption");
        format!("{told}, MRR@10 {:.3} on {queries}", fitted.chosen)
    }
}

impl RecallSummary {
    fn new(recall: Recall) -> Self {
        let Recall { images, texts, queries } = recall;
        Self { images, texts, queries }
    }
}

impl FittedSummary {
    fn new(fitted: &Fitted) -> Self {
        let &Fitted { queries, lexical, vector, rrf, chosen } = fitted;
        Self { queries, lexical, vector, rrf, chosen }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::indexing::Filled;

    fn stats() -> Stats {
        Stats {
            pictures: 1_093,
            dim: 512,
            model: "runs/rsicd".to_owned(),
            dead_rows: 1,
            vector_leg: "int8 codes".to_owned(),
            recall: Some(Recall { images: 0.998, texts: None, queries: 300 }),
            rule: Rule::Convex { weight: 0.62 },
            fitted: Some(Fitted {
                queries: 60,
                lexical: 0.41,
                vector: 0.56,
                rrf: 0.571,
                chosen: 0.603,
            }),
            disk: vec![("vectors", 2_238_464), ("records", 40_000_000)],
        }
    }

    #[test]
    fn what_was_done_and_fitted_is_told_in_a_few_lines() {
        let filled = Filled { new: 36, reworded: 2, ..Filled::default() };
        let done = Done { filled, same: 1_055, gone: 4, pruned: true, fitted: true };
        insta::assert_snapshot!(indexed(Path::new("photos.index"), &done, &stats()), @r"
        photos.index: 1,093 pictures
        36 new, 2 changed, 1,055 the same, 4 taken out

        captions that look for their picture  MRR@10
        the words alone                        0.410
        the vector alone                       0.560
        both by rank (RRF)                     0.571
        chosen: vector 62.0 %, words 38.0 %    0.603
        on 60 captions that are held out one at a time
        ");
    }

    #[test]
    fn stats_are_a_table_of_names_and_values() {
        let settings = finelens_search::Settings {
            dim: 512,
            model: finelens_search::Fingerprint { hash: "0a".into(), name: "runs/rsicd".into() },
            language: finelens_search::Language::English,
            text_fields: vec!["place".to_owned()],
        };
        let roots = [("photos".to_owned(), PathBuf::from("/nowhere/photos"))].into();
        let precisions = vec!["bf16".to_owned(), "int8".to_owned()];
        let known = Known { stats: stats(), settings, precisions, roots };
        let summary = Summary::new(Path::new("photos.index"), known);
        insta::assert_snapshot!(summary.table(), @r"
        index       photos.index
        pictures    1,093
        model       runs/rsicd
        vectors     512 numbers each, int8 codes
        precision   bf16, int8
        recall@10   by pictures 0.998, 300 queries
        words       english, and of the fields place
        hybrid      vector 62.0 %, words 38.0 %, MRR@10 0.603 on 60 captions
        root        photos: /nowhere/photos (not there)
        to compact  1 deleted row
        disk        42.2 MB
                    records: 40.0 MB
                    vectors: 2.2 MB
        ");
    }
}

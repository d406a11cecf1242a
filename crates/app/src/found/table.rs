//! Hits as a table: why each stands where it stands, and beneath its name the caption that fits best.

use finelens_search::{Hit, Results, Rule, Scores};

use super::excerpt::{best_caption, ending, excerpt};
use crate::printer::Emphasis;
use crate::table::Table;

/// Columns of a terminal without those of a rank below 10,000.
const LINE: usize = 74;

/// Columns that a score takes.
const SCORE: usize = 8;

/// A score's column.
struct Column {
    title: &'static str,
    cell: fn(&Scores, Option<Rule>) -> String,
}

const FUSED: Column = Column {
    title: "fused",
    // Shares of ranks are small numbers that differ late.
    cell: |scores, rule| match rule {
        Some(Rule::Rrf) => format!("{:.4}", scores.fused),
        _ => format!("{:.3}", scores.fused),
    },
};

const VECTOR: Column = Column { title: "vector", cell: |scores, _| shown(scores.vector, 3) };

const WORDS: Column = Column { title: "words", cell: |scores, _| shown(scores.lexical, 2) };

fn shown(score: Option<f32>, decimals: usize) -> String {
    score.map_or(String::new(), |score| format!("{score:.decimals$}"))
}

/// The table; ranks go on behind those of the pages before.
pub(super) fn of(results: &Results, offset: usize, emphasis: Emphasis) -> String {
    let columns = columns(results);
    let width = LINE - columns.len() * SCORE;
    let titles = columns.iter().map(|column| column.title);
    let table = titles.fold(Table::new().numbers("#"), Table::numbers);
    let mut table = table.words("picture");
    for (hit, rank) in results.hits.iter().zip(offset.saturating_add(1)..) {
        let scores = columns.iter().map(|column| (column.cell)(&hit.scores, results.rule));
        let scores = std::iter::once(rank.to_string()).chain(scores);
        table.row(scores.chain([ending(&hit.record.id, width)]));
        for line in beneath(hit, width, emphasis) {
            let empty = std::iter::repeat_n(String::new(), columns.len() + 1);
            table.row(empty.chain([line]));
        }
    }
    table.to_string()
}

/// Only what decided is shown; where one leg decided alone, its score says it all.
fn columns(results: &Results) -> Vec<Column> {
    let has = |score: fn(&Scores) -> Option<f32>| {
        results.hits.iter().any(|hit| score(&hit.scores).is_some())
    };
    let vector = has(|scores| scores.vector).then_some(VECTOR);
    let words = has(|scores| scores.lexical).then_some(WORDS);
    results.rule.map(|_| FUSED).into_iter().chain(vector).chain(words).collect()
}

fn beneath(hit: &Hit, width: usize, emphasis: Emphasis) -> Vec<String> {
    let caption = best_caption(hit);
    let caption = caption.map(|(text, marks)| excerpt(text, marks, width, emphasis));
    let alike = match &hit.duplicates[..] {
        [] => None,
        [first] => Some(ending(&format!("and alike {first}"), width)),
        [first, rest @ ..] => {
            Some(format!("and {} alike, such as {}", rest.len() + 1, ending(first, width / 2)))
        }
    };
    caption.into_iter().chain(alike).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use finelens_search::Record;

    fn hit(id: &str, caption: &str, fused: f32, lexical: Option<f32>) -> Hit {
        let captions = vec!["something else".to_owned(), caption.to_owned()];
        let marks = caption.find("boat").map(|at| at..at + 4).into_iter().collect();
        Hit {
            record: Record { id: id.to_owned(), captions, ..Record::default() },
            scores: Scores { lexical, vector: Some(fused / 2.0), fused, ..Scores::default() },
            marks: vec![Vec::new(), marks],
            matched: Vec::new(),
            duplicates: Vec::new(),
        }
    }

    fn results(rule: Option<Rule>) -> Results {
        let mut hits = vec![
            hit(
                "port_1.jpg",
                "a red boat lies in a small port between many others that are white",
                0.91,
                Some(7.214),
            ),
            hit(&"deep/".repeat(12), "two ships", 0.42, Some(0.0)),
        ];
        hits[0].duplicates = vec!["port_2.jpg".to_owned(), "port_3.jpg".to_owned()];
        Results { hits, rule, ..Results::default() }
    }

    #[test]
    fn a_hybrid_shows_all_three_scores() {
        let table = of(&results(Some(Rule::Convex { weight: 0.6 })), 8, Emphasis::Stars);
        insta::assert_snapshot!(table, @r"
         #  fused  vector  words  picture
         9  0.910   0.455   7.21  port_1.jpg
                                  a red *boat* lies in a small port between many ot…
                                  and 2 alike, such as port_2.jpg
        10  0.420   0.210   0.00  …eep/deep/deep/deep/deep/deep/deep/deep/deep/deep/
                                  something else
        ");
        assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    }

    #[test]
    fn one_leg_alone_shows_its_own_score() {
        let mut results = results(None);
        results.hits.iter_mut().for_each(|hit| hit.scores.lexical = None);
        results.hits.truncate(1);
        insta::assert_snapshot!(of(&results, 0, Emphasis::Stars), @r"
        #  vector  picture
        1   0.455  port_1.jpg
                   a red *boat* lies in a small port between many others that are wh…
                   and 2 alike, such as port_2.jpg
        ");
    }
}

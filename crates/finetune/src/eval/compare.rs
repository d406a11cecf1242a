//! Is the second model better than the first, and for which queries?
//!
//! Works on ranks that were kept, so the features of both models need never be in memory at once.

use std::cmp::Ordering;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bootstrap::Sample;
use super::ranks::{Placement, Ranks};
use super::{Bootstrap, Corpus, Difference, Direction, Error, Evaluated, Metric, RetrievalRanks};

/// Two models on the same queries.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Comparison {
    /// Own captions right: full-corpus retrieval, and the legacy protocols that both models were
    /// measured under.
    pub metrics: BTreeMap<Metric, Difference>,
    /// Full-corpus retrieval with identical captions counted as right.
    pub identical_captions: BTreeMap<Metric, Difference>,
    /// How the images' ranks moved, own captions being right.
    pub image_to_text: Changes,
    /// How the captions' ranks moved, own captions being right.
    pub text_to_image: Changes,
}

/// How the ranks of one direction moved.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Changes {
    /// Number of queries that rank better than before.
    pub better: usize,
    /// Number of queries that rank as before.
    pub same: usize,
    /// Number of queries that rank worse than before.
    pub worse: usize,
    /// The queries that improved most, the largest change first.
    pub most_improved: Vec<Change>,
    /// The queries that got worse most, the largest change first.
    pub most_worsened: Vec<Change>,
}

/// A query whose rank changed.
///
/// Changes are ordered by the ratio of the ranks: from 50 to 1 says more than from 900 to 400.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Change {
    /// Id of the image that asks or is looked for.
    pub image: String,
    /// The caption that asks; `None` where the image does.
    pub caption: Option<String>,
    /// Rank of the best right answer under the first model.
    pub before: u32,
    /// Rank of the best right answer under the second model.
    pub after: u32,
}

/// Compares two evaluations of one corpus, listing the `top` queries that changed most each way.
///
/// The zero-shot protocol is compared where both have it.
///
/// # Errors
/// Both must have been measured on the same queries with the same right answers.
pub fn compare(
    corpus: &Corpus,
    before: &Evaluated,
    after: &Evaluated,
    bootstrap: &Bootstrap,
    top: usize,
) -> Result<Comparison, Error> {
    check(corpus, before, after)?;
    let mut metrics = retrieval_differences(bootstrap, &before.own, &after.own);
    let legacy = |before: &Sample, after: &Sample| bootstrap.differences(before, after);
    metrics.extend(legacy(&before.in_batch.sample(), &after.in_batch.sample()));
    if let (Some(before), Some(after)) = (&before.zero_shot, &after.zero_shot) {
        metrics.extend(legacy(&before.sample(), &after.sample()));
    }
    let changes = |direction| changes(corpus, direction, &before.own, &after.own, top);
    Ok(Comparison {
        metrics,
        identical_captions: retrieval_differences(bootstrap, &before.identical, &after.identical),
        image_to_text: changes(Direction::ImageToText),
        text_to_image: changes(Direction::TextToImage),
    })
}

fn retrieval_differences(
    bootstrap: &Bootstrap,
    before: &RetrievalRanks,
    after: &RetrievalRanks,
) -> BTreeMap<Metric, Difference> {
    bootstrap.differences(&before.sample(), &after.sample())
}

fn check(corpus: &Corpus, before: &Evaluated, after: &Evaluated) -> Result<(), Error> {
    let of_corpus = |ranks: &RetrievalRanks| ranks.image_of_text == corpus.image_of_text();
    let retrieval = [(&before.own, &after.own), (&before.identical, &after.identical)];
    let same_retrieval = retrieval.iter().all(|(before, after)| {
        of_corpus(before)
            && of_corpus(after)
            && same_queries(&before.image_to_text, &after.image_to_text)
            && same_queries(&before.text_to_image, &after.text_to_image)
    });
    if !same_retrieval {
        return Err(Error::DifferentQueries { what: "images or captions" });
    }
    match (&before.zero_shot, &after.zero_shot) {
        (Some(before), Some(after))
            if before.class_of_image != after.class_of_image
                || before.ranks.pool != after.ranks.pool =>
        {
            Err(Error::DifferentQueries { what: "classes" })
        }
        _ => Ok(()),
    }
}

fn same_queries(before: &Ranks, after: &Ranks) -> bool {
    let right = |ranks: &Ranks| ranks.queries.iter().map(|query| query.right).collect::<Vec<_>>();
    before.pool == after.pool && right(before) == right(after)
}

fn changes(
    corpus: &Corpus,
    direction: Direction,
    before: &RetrievalRanks,
    after: &RetrievalRanks,
    top: usize,
) -> Changes {
    let (before, after) =
        (&before.direction(direction).queries, &after.direction(direction).queries);
    let moved = |wanted: Ordering| -> Vec<usize> {
        (0..before.len())
            .filter(|&query| after[query].first.cmp(&before[query].first) == wanted)
            .collect()
    };
    let (improved, worsened) = (moved(Ordering::Less), moved(Ordering::Greater));
    let listed = |queries: &[usize]| most_changed(queries, before, after, top);
    let named = |queries: Vec<usize>| {
        queries
            .into_iter()
            .map(|query| change(corpus, direction, query, before[query], after[query]))
            .collect()
    };
    Changes {
        better: improved.len(),
        same: before.len() - improved.len() - worsened.len(),
        worse: worsened.len(),
        most_improved: named(listed(&improved)),
        most_worsened: named(listed(&worsened)),
    }
}

/// The `top` of `queries` by ratio of ranks; where equal, in corpus order.
fn most_changed(
    queries: &[usize],
    before: &[Placement],
    after: &[Placement],
    top: usize,
) -> Vec<usize> {
    let ratio = |query: usize| {
        let (before, after) = (before[query].first, after[query].first);
        f64::from(before.max(after)) / f64::from(before.min(after))
    };
    let mut ordered = queries.to_vec();
    ordered.sort_by(|&a, &b| ratio(b).total_cmp(&ratio(a)));
    ordered.truncate(top);
    ordered
}

fn change(
    corpus: &Corpus,
    direction: Direction,
    query: usize,
    before: Placement,
    after: Placement,
) -> Change {
    let (image, caption) = match direction {
        Direction::ImageToText => (query, None),
        Direction::TextToImage => {
            (corpus.image_of_text()[query] as usize, Some(corpus.captions()[query].clone()))
        }
    };
    Change {
        image: corpus.image_ids()[image].clone(),
        caption,
        before: before.first,
        after: after.first,
    }
}

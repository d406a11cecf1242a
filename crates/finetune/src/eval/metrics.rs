//! The metrics by name: what can be reported, compared, stopped on and failed under.
//!
//! Deliberately a closed list: a name outside it is an error before anything runs, not a number
//! that never comes.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::Error;

/// Which side asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// An image looks for its captions: `i2t`.
    ImageToText,
    /// A caption looks for its image: `t2i`.
    TextToImage,
}

/// What is computed from the ranks of one direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Measure {
    /// Share of queries with a right answer among the first k: R@k as CLIP papers count it, also
    /// called Hits@k.
    Recall(u32),
    /// Mean reciprocal rank of the best right answer, 0 beyond the first k.
    ///
    /// Source: Voorhees, "The TREC-8 Question Answering Track Report" (1999).
    Mrr(u32),
    /// Normalised discounted cumulative gain of the first ten; unlike the others, it sees every
    /// right answer.
    Ndcg10,
    /// Median rank of the best right answer.
    MedianRank,
    /// Mean rank of the best right answer.
    MeanRank,
}

/// One number of an evaluation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub enum Metric {
    /// Mean of R@1, R@5 and R@10 both ways: the mR of `RemoteCLIP`.
    ///
    /// Source: Liu et al., `RemoteCLIP` (2023), table 2.
    MeanRecall,
    /// A measure of full-corpus retrieval in one direction.
    Retrieval(Direction, Measure),
    /// Hits@k of the zero-shot protocol.
    ZeroShotHits(u32),
    /// MRR@k of the in-batch protocol.
    InBatchMrr(u32),
}

/// The k of R@k.
pub const RECALL_AT: [u32; 3] = [1, 5, 10];
/// The k of MRR@k, full-corpus and in-batch.
pub const MRR_AT: [u32; 5] = [1, 3, 5, 10, 20];
/// The k of zero-shot Hits@k.
pub const HITS_AT: [u32; 4] = [1, 3, 5, 10];

impl Measure {
    /// All measures, means over queries first, in the order in which they are printed.
    pub fn all() -> Vec<Self> {
        let mut all: Vec<Self> = RECALL_AT.into_iter().map(Self::Recall).collect();
        all.extend(MRR_AT.map(Self::Mrr));
        all.extend([Self::Ndcg10, Self::MedianRank, Self::MeanRank]);
        all
    }
}

impl Metric {
    /// The metrics of full-corpus retrieval: those that every evaluation can compute and training
    /// can stop on.
    pub fn retrieval() -> Vec<Self> {
        let directions = [Direction::ImageToText, Direction::TextToImage];
        let both = directions.into_iter().flat_map(|direction| {
            Measure::all().into_iter().map(move |measure| Self::Retrieval(direction, measure))
        });
        std::iter::once(Self::MeanRecall).chain(both).collect()
    }

    /// Every metric of every protocol.
    pub fn all() -> Vec<Self> {
        let mut all = Self::retrieval();
        all.extend(HITS_AT.map(Self::ZeroShotHits));
        all.extend(MRR_AT.map(Self::InBatchMrr));
        all
    }

    /// Whether more is better; of ranks, less is.
    pub fn higher_is_better(self) -> bool {
        !matches!(self, Self::Retrieval(_, Measure::MedianRank | Measure::MeanRank))
    }

    /// The metric among `known` with this name.
    ///
    /// # Errors
    /// Lists the known names and the nearest one.
    pub fn parse_among(name: &str, known: &[Self]) -> Result<Self, Error> {
        known
            .iter()
            .copied()
            .find(|metric| metric.to_string() == name)
            .ok_or_else(|| unknown(name, known))
    }
}

fn unknown(name: &str, known: &[Metric]) -> Error {
    let names: Vec<String> = known.iter().map(Metric::to_string).collect();
    let likeness = |known: &&String| strsim::jaro_winkler(name, known);
    let nearest = names.iter().max_by(|a, b| likeness(a).total_cmp(&likeness(b)));
    Error::UnknownMetric {
        name: name.to_owned(),
        nearest: nearest.cloned().unwrap_or_default(),
        known: names.join(", "),
    }
}

impl FromStr for Metric {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        Self::parse_among(name, &Self::all())
    }
}

impl TryFrom<String> for Metric {
    type Error = Error;

    fn try_from(name: String) -> Result<Self, Error> {
        name.parse()
    }
}

impl From<Metric> for String {
    fn from(metric: Metric) -> Self {
        metric.to_string()
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::ImageToText => "i2t",
            Self::TextToImage => "t2i",
        })
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recall(k) => write!(f, "r@{k}"),
            Self::Mrr(k) => write!(f, "mrr@{k}"),
            Self::Ndcg10 => f.write_str("ndcg@10"),
            Self::MedianRank => f.write_str("median_rank"),
            Self::MeanRank => f.write_str("mean_rank"),
        }
    }
}

impl fmt::Display for Metric {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::MeanRecall => f.write_str("mean_recall"),
            Self::Retrieval(direction, measure) => write!(f, "{direction}_{measure}"),
            Self::ZeroShotHits(k) => write!(f, "zero_shot_hits@{k}"),
            Self::InBatchMrr(k) => write!(f, "in_batch_mrr@{k}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_metric_is_found_by_its_own_name() {
        for metric in Metric::all() {
            assert_eq!(metric.to_string().parse(), Ok(metric));
        }
        assert_eq!(
            "t2i_r@1".parse(),
            Ok(Metric::Retrieval(Direction::TextToImage, Measure::Recall(1)))
        );
    }

    #[test]
    fn a_misspelt_metric_names_the_nearest_and_lists_the_known() {
        let found = "t2i_recal@1".parse::<Metric>().unwrap_err().to_string();
        assert!(
            found.starts_with("unknown metric \"t2i_recal@1\", nearest is \"t2i_r@1\""),
            "{found}"
        );
        assert!(found.contains("mean_recall, i2t_r@1, i2t_r@5"), "{found}");
    }

    #[test]
    fn training_cannot_stop_on_what_it_does_not_compute() {
        assert!(Metric::parse_among("zero_shot_hits@1", &Metric::retrieval()).is_err());
    }

    #[test]
    fn of_ranks_less_is_better() {
        let lower: Vec<String> = Metric::all()
            .into_iter()
            .filter(|m| !m.higher_is_better())
            .map(|m| m.to_string())
            .collect();
        assert_eq!(lower, ["i2t_median_rank", "i2t_mean_rank", "t2i_median_rank", "t2i_mean_rank"]);
    }
}

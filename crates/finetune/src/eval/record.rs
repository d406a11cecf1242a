//! The evaluation as it is written to `eval.json` and printed: every number with what qualifies it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::in_batch::BATCH;
use super::ranks::{Ranks, TIE_TOLERANCE};
use super::{
    Bootstrap, Corpus, Estimate, Evaluated, InBatchRanks, Metric, RetrievalRanks, ZeroShotRanks,
};

/// Raised when a number changes its meaning, so that records of different meaning are never
/// compared.
pub const PROTOCOL: u32 = 1;

/// One model on one corpus under all protocols.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EvaluationRecord {
    /// Version of the protocols: [`PROTOCOL`].
    pub protocol: u32,
    /// Number of images.
    pub images: usize,
    /// Number of captions.
    pub texts: usize,
    /// Number of captions that are word-identical to one of another image.
    pub shared_captions: usize,
    /// Scores this close count as tied, and ties count against the model.
    pub tie_tolerance: f64,
    /// How the intervals were drawn; images are resampled with all their captions.
    pub bootstrap: Bootstrap,
    /// Full corpus, only own captions right: the headline.
    pub retrieval: RetrievalRecord,
    /// Full corpus, identical captions counted as right.
    pub identical_captions: RetrievalRecord,
    /// The CLIP-rsicd protocol, where the data set has classes.
    pub zero_shot: Option<ZeroShotRecord>,
    /// The clip-image-search protocol.
    pub in_batch: InBatchRecord,
}

/// Full-corpus retrieval under one rule of what is right.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct RetrievalRecord {
    /// Images that ask.
    pub image_to_text: Pool,
    /// Captions that ask.
    pub text_to_image: Pool,
    /// The metrics of [`Metric::retrieval`].
    pub metrics: BTreeMap<Metric, Estimate>,
}

/// What the numbers of one direction were measured on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Pool {
    /// Number of queries.
    pub queries: usize,
    /// Number of candidates for each.
    pub candidates: usize,
    /// Number of queries whose best right answer is tied with a wrong one.
    pub tied: usize,
}

/// The zero-shot protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ZeroShotRecord {
    /// Images that ask, classes as candidates.
    pub pool: Pool,
    /// Hits@k.
    pub metrics: BTreeMap<Metric, Estimate>,
    /// Mean accuracy over the classes that have images.
    pub mean_per_class_accuracy: f64,
    /// Each class, in the order of the class list.
    pub classes: Vec<ClassRecord>,
}

/// How a class fared.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClassRecord {
    /// Name of the class.
    pub name: String,
    /// Number of its images.
    pub images: usize,
    /// Share of them that were given this class first; `None` where it has no image.
    pub accuracy: Option<f64>,
}

/// The in-batch protocol.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct InBatchRecord {
    /// Images that ask, the captions of a full batch as candidates.
    pub pool: Pool,
    /// MRR@k.
    pub metrics: BTreeMap<Metric, Estimate>,
}

impl EvaluationRecord {
    /// Computes all metrics with chance and interval. `class_names` are needed where the zero-shot
    /// protocol was run.
    pub fn new(
        corpus: &Corpus,
        evaluated: &Evaluated,
        class_names: &[String],
        bootstrap: &Bootstrap,
    ) -> Self {
        let zero_shot = |ranks| ZeroShotRecord::new(ranks, class_names, bootstrap);
        Self {
            protocol: PROTOCOL,
            images: corpus.images(),
            texts: corpus.texts(),
            shared_captions: corpus.shared_captions(),
            tie_tolerance: f64::from(TIE_TOLERANCE),
            bootstrap: *bootstrap,
            retrieval: RetrievalRecord::new(&evaluated.own, bootstrap),
            identical_captions: RetrievalRecord::new(&evaluated.identical, bootstrap),
            zero_shot: evaluated.zero_shot.as_ref().map(zero_shot),
            in_batch: InBatchRecord::new(&evaluated.in_batch, bootstrap),
        }
    }

    /// The value of a metric, own captions being right; `None` where its protocol was not run.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        let legacy =
            self.zero_shot.iter().map(|record| &record.metrics).chain([&self.in_batch.metrics]);
        let mut tables = [&self.retrieval.metrics].into_iter().chain(legacy);
        tables.find_map(|metrics| metrics.get(&metric)).map(|estimate| estimate.value)
    }
}

impl RetrievalRecord {
    fn new(ranks: &RetrievalRanks, bootstrap: &Bootstrap) -> Self {
        Self {
            image_to_text: Pool::new(&ranks.image_to_text),
            text_to_image: Pool::new(&ranks.text_to_image),
            metrics: bootstrap.estimates(&ranks.sample()),
        }
    }
}

impl Pool {
    fn new(ranks: &Ranks) -> Self {
        Self { queries: ranks.queries.len(), candidates: ranks.pool, tied: ranks.tied() }
    }
}

impl ZeroShotRecord {
    fn new(ranks: &ZeroShotRanks, class_names: &[String], bootstrap: &Bootstrap) -> Self {
        let name =
            |class: usize| class_names.get(class).cloned().unwrap_or_else(|| class.to_string());
        let per_class = ranks.per_class().into_iter();
        Self {
            pool: Pool::new(&ranks.ranks),
            metrics: bootstrap.estimates(&ranks.sample()),
            mean_per_class_accuracy: ranks.mean_per_class_accuracy(),
            classes: per_class
                .map(|class| ClassRecord {
                    name: name(class.class),
                    images: class.images,
                    accuracy: class.accuracy,
                })
                .collect(),
        }
    }
}

impl InBatchRecord {
    fn new(ranks: &InBatchRanks, bootstrap: &Bootstrap) -> Self {
        let queries = ranks.queries().len();
        Self {
            pool: Pool { queries, candidates: queries.min(BATCH), tied: ranks.tied() },
            metrics: bootstrap.estimates(&ranks.sample()),
        }
    }
}

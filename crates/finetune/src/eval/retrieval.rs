//! Full-corpus retrieval: every image against every caption, both ways.

use super::bootstrap::{Sample, Sums};
use super::chance::Draw;
use super::corpus::Groups;
use super::ranks::{Placement, Ranks, judge_rows, place};
use super::{Corpus, Direction, Error, Features, Measure, Metric};

/// The ranks of one model on one corpus under one rule of what is right.
#[derive(Debug, Clone, PartialEq)]
pub struct RetrievalRanks {
    /// For each caption the index of its image.
    pub image_of_text: Vec<u32>,
    /// Each image looks for its captions.
    pub image_to_text: Ranks,
    /// Each caption looks for its image.
    pub text_to_image: Ranks,
}

/// Ranks all images and captions, only an image's own captions being right.
///
/// This is what published R@k means, and what training stops on.
///
/// # Shapes
/// `images` (N, D), `texts` (M, D), unit rows. Memory: both, and 64 MiB.
pub fn rank(corpus: &Corpus, images: &Features, texts: &Features) -> Result<RetrievalRanks, Error> {
    let [own] = rank_under(corpus, images, texts, &[Groups::own(corpus)])?;
    Ok(own)
}

/// Ranks under both rules, own captions first, then with identical captions counted as right;
/// scores are computed once.
///
/// # Shapes
/// `images` (N, D), `texts` (M, D), unit rows. Memory: both, and 64 MiB.
pub fn rank_both(
    corpus: &Corpus,
    images: &Features,
    texts: &Features,
) -> Result<[RetrievalRanks; 2], Error> {
    rank_under(corpus, images, texts, &[Groups::own(corpus), Groups::identical(corpus)])
}

fn rank_under<const RULES: usize>(
    corpus: &Corpus,
    images: &Features,
    texts: &Features,
    rules: &[Groups; RULES],
) -> Result<[RetrievalRanks; RULES], Error> {
    images.expect("image features", corpus.images(), images.dim())?;
    texts.expect("text features", corpus.texts(), images.dim())?;
    let ranked = |direction, queries, keys: &Features| {
        let judge = |query, scores: &[f32]| {
            rules.each_ref().map(|rule| place(scores, &rule.right(direction, query)))
        };
        (keys.len(), judge_rows(queries, keys, judge))
    };
    let image_to_text = ranked(Direction::ImageToText, images, texts);
    let text_to_image = ranked(Direction::TextToImage, texts, images);
    Ok(std::array::from_fn(|rule| RetrievalRanks {
        image_of_text: corpus.image_of_text().to_vec(),
        image_to_text: under_rule(&image_to_text, rule),
        text_to_image: under_rule(&text_to_image, rule),
    }))
}

fn under_rule<const RULES: usize>(
    (pool, rows): &(usize, Vec<[Placement; RULES]>),
    rule: usize,
) -> Ranks {
    Ranks { pool: *pool, queries: rows.iter().map(|row| row[rule]).collect() }
}

impl RetrievalRanks {
    /// The ranks of one direction.
    pub fn direction(&self, direction: Direction) -> &Ranks {
        match direction {
            Direction::ImageToText => &self.image_to_text,
            Direction::TextToImage => &self.text_to_image,
        }
    }

    /// The value of a metric; `None` for those of another protocol.
    pub fn value(&self, metric: Metric) -> Option<f64> {
        let sample = self.sample();
        let column = sample.metrics.iter().position(|&known| known == metric)?;
        Some(sample.as_measured()[column])
    }

    pub(crate) fn sample(&self) -> Sample {
        let images = self.image_to_text.queries.len();
        let image_to_text = Table::new(images, |query| query, &self.image_to_text);
        let owner = |query: usize| self.image_of_text[query] as usize;
        let text_to_image = Table::new(images, owner, &self.text_to_image);
        let values = move |weights: &[u32]| {
            with_mean_recall(image_to_text.values(weights), text_to_image.values(weights))
        };
        Sample {
            images,
            metrics: Metric::retrieval(),
            chance: self.chance(),
            values: Box::new(values),
        }
    }

    fn chance(&self) -> Vec<f64> {
        let [i2t, t2i] = [&self.image_to_text, &self.text_to_image].map(|ranks| {
            let draw = Draw::new(ranks);
            Measure::all().into_iter().map(|measure| draw.expected(measure)).collect()
        });
        with_mean_recall(i2t, t2i)
    }
}

/// Both directions in the order of [`Metric::retrieval`]: the mean of the recalls, which come first
/// in each, in front.
fn with_mean_recall(mut i2t: Vec<f64>, mut t2i: Vec<f64>) -> Vec<f64> {
    let recalls = super::metrics::RECALL_AT.len();
    let sum: f64 = i2t[..recalls].iter().chain(&t2i[..recalls]).sum();
    let mut all = vec![sum / (2 * recalls) as f64];
    all.append(&mut i2t);
    all.append(&mut t2i);
    all
}

/// What a resample needs of one direction: sums for the means, and the queries in order of rank for
/// the median.
struct Table {
    sums: Sums,
    by_rank: Vec<(u32, u32)>,
}

impl Table {
    fn new(images: usize, image_of_query: impl Fn(usize) -> usize, ranks: &Ranks) -> Self {
        let sums = Sums::new(images, &image_of_query, &ranks.queries, mean_values);
        let pair =
            |(query, placed): (usize, &Placement)| (placed.first, image_of_query(query) as u32);
        let mut by_rank: Vec<_> = ranks.queries.iter().enumerate().map(pair).collect();
        by_rank.sort_unstable();
        Self { sums, by_rank }
    }

    /// One value per measure, in the order of [`Measure::all`].
    fn values(&self, weights: &[u32]) -> Vec<f64> {
        let mut means = self.sums.means(weights).into_iter();
        let value = |measure| match measure {
            Measure::MedianRank => median(&self.by_rank, weights),
            _ => means.next().expect("one column for each measure that is a mean"),
        };
        Measure::all().into_iter().map(value).collect()
    }
}

/// What a query adds to each measure that is a mean over queries, in the order of [`Measure::all`].
fn mean_values(query: &Placement) -> Vec<f64> {
    let rank = f64::from(query.first);
    let value = |measure| match measure {
        Measure::Recall(k) => Some(f64::from(u8::from(query.first <= k))),
        Measure::Mrr(k) => Some(if query.first <= k { 1.0 / rank } else { 0.0 }),
        Measure::Ndcg10 => Some(query.ndcg),
        Measure::MeanRank => Some(rank),
        Measure::MedianRank => None,
    };
    Measure::all().into_iter().filter_map(value).collect()
}

/// Median of ranks that count as often as their image was drawn; the mean of the middle two where
/// they are even.
fn median(by_rank: &[(u32, u32)], weights: &[u32]) -> f64 {
    let weight = |image: u32| u64::from(weights[image as usize]);
    let total: u64 = by_rank.iter().map(|&(_, image)| weight(image)).sum();
    let mut seen = 0;
    let mut lower = None;
    for &(rank, image) in by_rank {
        seen += weight(image);
        if seen * 2 >= total {
            let lower = *lower.get_or_insert(f64::from(rank));
            if seen * 2 > total {
                return f64::midpoint(lower, f64::from(rank));
            }
        }
    }
    f64::NAN
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;

    #[test]
    fn the_weighted_median_equals_that_of_the_repeated_list() {
        assert_eq!(median(&[(1, 0), (4, 1)], &[1, 1]), 2.5);
        assert_eq!(median(&[(1, 0), (4, 1)], &[1, 2]), 4.0);
        assert_eq!(median(&[(1, 0), (2, 1), (9, 2)], &[2, 0, 2]), 5.0);
        assert_eq!(median(&[(1, 0), (2, 1), (9, 2)], &[1, 1, 1]), 2.0);
    }

    #[test]
    fn features_of_another_width_are_refused() {
        let corpus = Corpus::new(vec!["a".into()], vec!["x".into()], vec![0]).unwrap();
        let images = Features::new(2, vec![1.0, 0.0]).unwrap();
        let texts = Features::new(3, vec![1.0, 0.0, 0.0]).unwrap();
        let found = rank(&corpus, &images, &texts).unwrap_err();
        assert_eq!(found, Error::Width { what: "text features", expected: 2, found: 3 });
    }

    #[test]
    fn a_model_that_says_the_same_to_everything_comes_last() {
        let names = |n: usize| (0..n).map(|i| i.to_string()).collect::<Vec<_>>();
        let corpus = Corpus::new(names(4), names(8), vec![0, 0, 1, 1, 2, 2, 3, 3]).unwrap();
        let same = |rows: usize| Features::new(2, [0.6, 0.8].repeat(rows)).unwrap();
        let ranks = rank(&corpus, &same(4), &same(8)).unwrap();
        assert!(ranks.image_to_text.queries.iter().all(|query| query.first == 7 && query.tied));
        assert!(ranks.text_to_image.queries.iter().all(|query| query.first == 4 && query.tied));
        assert_eq!(ranks.value("t2i_r@1".parse().unwrap()), Some(0.0));
    }
}

//! How far would a number move on other images of the same kind?
//!
//! Images are drawn with replacement, and an image's captions move with it: they are not
//! independent. The pool of candidates stays as it is, so an interval speaks about the choice of
//! queries, not about larger or smaller pools.

use std::collections::BTreeMap;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;
use serde::{Deserialize, Serialize};

use super::Metric;
use super::ranks::Placement;

/// How the bootstrap is drawn. The same seed gives the same intervals, whatever the number of
/// threads.
///
/// Source: Efron and Tibshirani, "An Introduction to the Bootstrap" (1993): percentile intervals,
/// which want a thousand resamples or more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Bootstrap {
    /// Number of resamples; 0 leaves every interval NaN.
    pub resamples: usize,
    /// Seed of the draws.
    pub seed: u64,
}

impl Default for Bootstrap {
    fn default() -> Self {
        Self { resamples: 2000, seed: 0 }
    }
}

/// A metric's value and what it has to be read against.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Estimate {
    /// The value.
    pub value: f64,
    /// The value expected of a random ranking.
    pub chance: f64,
    /// Lower end of the 95 % interval.
    pub low: f64,
    /// Upper end of the 95 % interval.
    pub high: f64,
}

/// A metric of two models on the same queries.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Difference {
    /// Value of the first model.
    pub before: f64,
    /// Value of the second model.
    pub after: f64,
    /// `after` minus `before`.
    pub difference: f64,
    /// Lower end of the difference's 95 % interval.
    pub low: f64,
    /// Upper end of the difference's 95 % interval.
    pub high: f64,
    /// Two-sided bootstrap p-value of "no difference"; never below 2 / (resamples + 1).
    pub p_value: f64,
}

/// Values of some metrics, given how often each image was drawn.
type Values = dyn Fn(&[u32]) -> Vec<f64> + Sync;

/// A set of metrics as a function of how often each image is drawn.
pub(crate) struct Sample {
    /// Number of images.
    pub(crate) images: usize,
    /// The metrics, in the order of `values`.
    pub(crate) metrics: Vec<Metric>,
    /// Expected value of each under a random ranking.
    pub(crate) chance: Vec<f64>,
    /// Value of each, given the weight of every image.
    pub(crate) values: Box<Values>,
}

impl Sample {
    /// The values with every image counted once.
    pub(crate) fn as_measured(&self) -> Vec<f64> {
        (self.values)(&vec![1; self.images])
    }
}

impl Bootstrap {
    /// Value, chance and interval of each metric.
    pub(crate) fn estimates(&self, sample: &Sample) -> BTreeMap<Metric, Estimate> {
        let columns = self.columns(sample, &sample.values);
        let rows = sample.metrics.iter().zip(&sample.chance).zip(sample.as_measured()).zip(columns);
        rows.map(|(((&metric, &chance), value), column)| {
            let (low, high) = interval(column);
            (metric, Estimate { value, chance, low, high })
        })
        .collect()
    }

    /// Both values, their difference and its interval, for each metric; both models are drawn
    /// alike.
    pub(crate) fn differences(
        &self,
        before: &Sample,
        after: &Sample,
    ) -> BTreeMap<Metric, Difference> {
        let subtract = |weights: &[u32]| {
            let (before, after) = ((before.values)(weights), (after.values)(weights));
            after.iter().zip(&before).map(|(after, before)| after - before).collect()
        };
        let columns = self.columns(before, subtract);
        let values = before.as_measured().into_iter().zip(after.as_measured());
        let rows = before.metrics.iter().zip(values).zip(columns);
        rows.map(|((&metric, (before, after)), column)| (metric, difference(before, after, column)))
            .collect()
    }

    /// The resampled `values`, one list for each metric of `sample`, whose images are drawn.
    fn columns(
        &self,
        sample: &Sample,
        values: impl Fn(&[u32]) -> Vec<f64> + Sync,
    ) -> Vec<Vec<f64>> {
        let images = sample.images;
        let rows: Vec<Vec<f64>> = (0..self.resamples)
            .into_par_iter()
            .map(|resample| values(&self.draw(resample, images)))
            .collect();
        (0..sample.metrics.len())
            .map(|column| rows.iter().map(|row| row[column]).collect())
            .collect()
    }

    /// How often each image is drawn in one resample. Each resample has its own stream of random
    /// numbers.
    fn draw(&self, resample: usize, images: usize) -> Vec<u32> {
        let mut random = ChaCha8Rng::seed_from_u64(self.seed);
        random.set_stream(resample as u64);
        let mut weights = vec![0; images];
        for _ in 0..images {
            weights[random.random_range(0..images as u32) as usize] += 1;
        }
        weights
    }
}

fn difference(before: f64, after: f64, column: Vec<f64>) -> Difference {
    let p_value = p_value(&column);
    let (low, high) = interval(column);
    Difference { before, after, difference: after - before, low, high, p_value }
}

/// Twice the share of resampled differences on the rarer side of 0.
///
/// Source: Davison and Hinkley, "Bootstrap Methods and their Application" (1997), section 4.2, for
/// the added one.
fn p_value(differences: &[f64]) -> f64 {
    let share = |count: usize| (count + 1) as f64 / (differences.len() + 1) as f64;
    let not_up = differences.iter().filter(|&&value| value <= 0.0).count();
    let not_down = differences.iter().filter(|&&value| value >= 0.0).count();
    (2.0 * share(not_up.min(not_down))).min(1.0)
}

/// The 2.5 and 97.5 percentiles.
fn interval(mut values: Vec<f64>) -> (f64, f64) {
    values.sort_unstable_by(f64::total_cmp);
    (quantile(&values, 0.025), quantile(&values, 0.975))
}

/// Quantile of sorted values, linear between neighbours; NaN without values.
fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let position = share * last as f64;
    let (below, above) = (sorted[position.floor() as usize], sorted[position.ceil() as usize]);
    below + (above - below) * position.fract()
}

/// Per-image sums of per-query values, so that a resample costs one pass over the images.
pub(crate) struct Sums {
    columns: usize,
    queries: Vec<u32>,
    totals: Vec<f64>,
}

impl Sums {
    /// Sums what `values` gives for each query over the queries of each image. All rows are equally
    /// long.
    pub(crate) fn new(
        images: usize,
        image_of_query: impl Fn(usize) -> usize,
        queries: &[Placement],
        values: impl Fn(&Placement) -> Vec<f64>,
    ) -> Self {
        let columns = queries.first().map_or(0, |query| values(query).len());
        let mut table =
            Self { columns, queries: vec![0; images], totals: vec![0.0; images * columns] };
        for (query, placement) in queries.iter().enumerate() {
            let image = image_of_query(query);
            table.queries[image] += 1;
            let row = &mut table.totals[image * columns..][..columns];
            row.iter_mut().zip(values(placement)).for_each(|(sum, value)| *sum += value);
        }
        table
    }

    /// The mean of each column over all queries, an image's queries counting as often as the image
    /// was drawn.
    pub(crate) fn means(&self, weights: &[u32]) -> Vec<f64> {
        let mut totals = vec![0.0; self.columns];
        let mut queries = 0.0;
        for ((&weight, row), &count) in
            weights.iter().zip(self.totals.chunks_exact(self.columns)).zip(&self.queries)
        {
            if weight > 0 {
                let weight = f64::from(weight);
                queries += weight * f64::from(count);
                totals.iter_mut().zip(row).for_each(|(total, sum)| *total += weight * sum);
            }
        }
        totals.iter().map(|total| total / queries).collect()
    }
}

#[cfg(test)]
#[expect(clippy::float_cmp, reason = "exact by construction")]
mod tests {
    use super::*;

    fn sample(values: &[f64]) -> Sample {
        let values = values.to_vec();
        let images = values.len();
        let mean = move |weights: &[u32]| {
            let total: f64 =
                weights.iter().zip(&values).map(|(&weight, value)| f64::from(weight) * value).sum();
            vec![total / f64::from(weights.iter().sum::<u32>())]
        };
        Sample {
            images,
            metrics: vec![Metric::MeanRecall],
            chance: vec![0.0],
            values: Box::new(mean),
        }
    }

    #[test]
    fn the_interval_of_a_mean_is_that_of_theory() {
        let values: Vec<f64> = (0..1000).map(|image| f64::from(u8::from(image % 4 == 0))).collect();
        let found = Bootstrap::default().estimates(&sample(&values))[&Metric::MeanRecall];
        let half_width = 1.96 * (0.25f64 * 0.75 / 1000.0).sqrt();
        assert_eq!(found.value, 0.25);
        assert!((found.low - (0.25 - half_width)).abs() < 0.004, "{found:?}");
        assert!((found.high - (0.25 + half_width)).abs() < 0.004, "{found:?}");
    }

    #[test]
    fn the_same_seed_gives_the_same_interval_and_another_does_not() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        let with = |seed| Bootstrap { resamples: 200, seed }.estimates(&sample(&values));
        assert_eq!(with(1), with(1));
        assert_ne!(with(1), with(2));
    }

    #[test]
    fn the_number_of_threads_changes_nothing() {
        let values: Vec<f64> = (0..50).map(f64::from).collect();
        let run = || Bootstrap::default().estimates(&sample(&values));
        let one = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
        assert_eq!(one.install(run), run());
    }

    #[test]
    fn a_steady_gain_is_significant_and_none_is_not() {
        let before: Vec<f64> = (0..100).map(|image| f64::from(image % 7)).collect();
        let after: Vec<f64> = before.iter().map(|value| value + 0.1).collect();
        let test = |after: &[f64]| {
            Bootstrap::default().differences(&sample(&before), &sample(after))[&Metric::MeanRecall]
        };
        let gain = test(&after);
        assert!(gain.p_value < 0.002 && gain.low > 0.09 && gain.high < 0.11, "{gain:?}");
        assert_eq!(test(&before).p_value, 1.0);
    }

    #[test]
    fn without_resamples_the_value_stands_alone() {
        let none = Bootstrap { resamples: 0, seed: 0 };
        let found = none.estimates(&sample(&[1.0, 3.0]))[&Metric::MeanRecall];
        assert_eq!(found.value, 2.0);
        assert!(found.low.is_nan() && found.high.is_nan());
    }

    #[test]
    fn quantiles_are_linear_between_neighbours() {
        assert_eq!(quantile(&[0.0, 10.0], 0.25), 2.5);
        assert_eq!(quantile(&[3.0], 0.975), 3.0);
    }
}

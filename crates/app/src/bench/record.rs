//! One thing that was timed.

use clap::ValueEnum;
use serde::Serialize;

use super::clock::Times;
use super::machine;
use crate::cli::Part;

/// How often something was done in a second. Its names are those of the JSON lines.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Measurement {
    /// The part, as `--only` takes it.
    what: String,
    /// What people call it.
    pub(super) name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    batch: Option<usize>,
    #[serde(skip_serializing_if = "Option::is_none")]
    tokens: Option<usize>,
    /// What is counted.
    pub(super) unit: &'static str,
    /// The median of the repeats.
    pub(super) per_second: f64,
    pub(super) per_second_least: f64,
    pub(super) per_second_most: f64,
    /// Of one repeat, the median.
    seconds: f64,
    repeats: usize,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p50_ms: Option<f64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) p99_ms: Option<f64>,
    /// Of what the registers do in the precision that was computed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) share_of_ceiling: Option<f64>,
    /// The most memory that the program held meanwhile.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) peak_rss_mib: Option<f64>,
    /// Multiplications and additions for each that is counted.
    #[serde(skip)]
    operations: Option<f64>,
}

impl Measurement {
    /// `each`: how many are counted in one repeat.
    pub(super) fn new(
        part: Part,
        name: impl Into<String>,
        (each, unit): (f64, &'static str),
        times: &Times,
    ) -> Self {
        let value = part.to_possible_value().map(|value| value.get_name().to_owned());
        Self {
            what: value.unwrap_or_default(),
            name: name.into(),
            batch: None,
            tokens: None,
            unit,
            per_second: each / times.median(),
            per_second_least: each / times.longest(),
            per_second_most: each / times.shortest(),
            seconds: times.median(),
            repeats: times.count(),
            p50_ms: None,
            p99_ms: None,
            share_of_ceiling: None,
            peak_rss_mib: None,
            operations: None,
        }
    }

    /// Of a batch of that size, with texts of `tokens` tokens if there are texts.
    pub(super) fn with_batch(self, batch: usize, tokens: Option<usize>) -> Self {
        Self { batch: Some(batch), tokens, ..self }
    }

    /// With the memory that it took since it was forgotten.
    pub(super) fn with_memory(self) -> Self {
        Self { peak_rss_mib: machine::peak_rss_mib(), ..self }
    }

    /// With what each that is counted costs.
    pub(super) fn with_operations(self, operations: f64) -> Self {
        Self { operations: Some(operations), ..self }
    }

    /// With how long the repeats took.
    pub(super) fn with_quantiles(self, times: &Times) -> Self {
        let ms = |share| Some(times.quantile(share) * 1e3);
        Self { p50_ms: ms(0.5), p99_ms: ms(0.99), ..self }
    }

    /// Tells its share of that many operations a second.
    pub(super) fn compare(&mut self, ceiling: f64) {
        self.share_of_ceiling = self.operations.map(|each| each * self.per_second / ceiling);
    }

    /// From least to most, as a share of the median.
    pub(super) fn spread(&self) -> Option<f64> {
        let range = self.per_second_most - self.per_second_least;
        (self.repeats > 1).then_some(range / self.per_second)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_and_shares_follow_from_times() {
        let times = Times::new(vec![2.0, 4.0, 1.0]);
        let mut one = Measurement::new(Part::Step, "step", (16.0, "pairs"), &times)
            .with_batch(16, Some(32))
            .with_operations(10.0);
        one.compare(160.0);
        assert_eq!((one.per_second, one.per_second_least, one.per_second_most), (8.0, 4.0, 16.0));
        assert_eq!((one.share_of_ceiling, one.spread()), (Some(0.5), Some(1.5)));
        let json = serde_json::to_value(&one).unwrap();
        assert_eq!((json["what"].as_str(), json["batch"].as_u64()), (Some("step"), Some(16)));
        assert!(json.get("p99_ms").is_none() && json.get("operations").is_none());
    }
}

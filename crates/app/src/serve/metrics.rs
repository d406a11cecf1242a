//! What the server counts, for Prometheus.
//!
//! Labels are names of ours: no id, no word and no address of anybody.

use std::sync::atomic::AtomicU64;
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::encoding::{EncodeLabelSet, EncodeLabelValue};
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Registry, Unit};

/// Upper ends of the classes of time, in seconds: 0.5 ms to 10 s, about two for each doubling where most requests are.
const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.002, 0.004, 0.008, 0.015, 0.03, 0.06, 0.125, 0.25, 0.5, 1.0, 3.0, 10.0];

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Answered {
    method: &'static str,
    route: String,
    status: u16,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct ByRoute {
    route: String,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Why {
    reason: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct At {
    stage: Stage,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct In {
    queue: &'static str,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Of {
    index: &'static str,
}

/// A part of the work on a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EncodeLabelValue)]
#[expect(non_camel_case_types, reason = "names of labels")]
pub(crate) enum Stage {
    /// Until it is its turn.
    wait,
    /// In the model.
    embed,
    /// In the index.
    search,
    /// Writing the answer.
    render,
    /// Reading and writing pictures.
    decode,
}

/// What an index is at the moment.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct IndexFacts {
    /// `main` or `other`.
    pub(crate) name: &'static str,
    /// Pictures.
    pub(crate) pictures: u64,
    /// Entries of a vector.
    pub(crate) dim: u64,
    /// On disk.
    pub(crate) bytes: u64,
    /// Measured against the exact search, where it was.
    pub(crate) recall: Option<f64>,
}

/// All counters.
#[derive(Debug)]
pub(crate) struct Metrics {
    registry: Registry,
    answered: Family<Answered, Counter>,
    took: Family<ByRoute, Histogram>,
    stages: Family<At, Histogram>,
    refused: Family<Why, Counter>,
    queues: Family<In, Gauge>,
    pictures: Family<Of, Gauge>,
    dim: Family<Of, Gauge>,
    bytes: Family<Of, Gauge>,
    recall: Family<Of, Gauge<f64, AtomicU64>>,
}

fn histogram() -> Histogram {
    Histogram::new(SECONDS)
}

impl Default for Metrics {
    fn default() -> Self {
        let mut metrics = Self {
            registry: Registry::with_prefix("finelens"),
            answered: Family::default(),
            took: Family::new_with_constructor(histogram),
            stages: Family::new_with_constructor(histogram),
            refused: Family::default(),
            queues: Family::default(),
            pictures: Family::default(),
            dim: Family::default(),
            bytes: Family::default(),
            recall: Family::default(),
        };
        metrics.register();
        metrics
    }
}

impl Metrics {
    fn register(&mut self) {
        let registry = &mut self.registry;
        let version = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
        registry.register("build", "Which finelens it is", version);
        registry.register("requests", "Requests answered", self.answered.clone());
        let told = "Time from the head of a request to the head of its answer";
        registry.register_with_unit("request_duration", told, Unit::Seconds, self.took.clone());
        let told = "Time in each part of the work";
        registry.register_with_unit("stage_duration", told, Unit::Seconds, self.stages.clone());
        registry.register("refused", "Requests refused before any work", self.refused.clone());
        registry.register("queue", "Requests inside, at work or waiting", self.queues.clone());
        registry.register("index_pictures", "Pictures in the index", self.pictures.clone());
        registry.register("index_dimensions", "Entries of a vector", self.dim.clone());
        let told = "Size of the index on disk";
        registry.register_with_unit("index_size", told, Unit::Bytes, self.bytes.clone());
        let told = "Share of the true best 10 that a search finds, as last measured";
        registry.register("index_recall", told, self.recall.clone());
    }

    /// A request was answered.
    pub(crate) fn answered(&self, method: &'static str, route: &str, status: u16, taken: Duration) {
        let route = route.to_owned();
        self.took.get_or_create(&ByRoute { route: route.clone() }).observe(taken.as_secs_f64());
        self.answered.get_or_create(&Answered { method, route, status }).inc();
    }

    /// A part of the work was done.
    pub(crate) fn took(&self, stage: Stage, taken: Duration) {
        self.stages.get_or_create(&At { stage }).observe(taken.as_secs_f64());
    }

    /// A request was refused; `reason` is the code that it was told.
    pub(crate) fn refused(&self, reason: &'static str) {
        self.refused.get_or_create(&Why { reason }).inc();
    }

    /// So many are inside.
    pub(crate) fn queue(&self, queue: &'static str, inside: usize) {
        self.queues.get_or_create(&In { queue }).set(inside as i64);
    }

    /// What an index is now.
    pub(crate) fn index(&self, facts: &IndexFacts) {
        let of = Of { index: facts.name };
        self.pictures.get_or_create(&of).set(facts.pictures as i64);
        self.dim.get_or_create(&of).set(facts.dim as i64);
        self.bytes.get_or_create(&of).set(facts.bytes as i64);
        if let Some(recall) = facts.recall {
            self.recall.get_or_create(&of).set(recall);
        }
    }

    /// Everything, as `OpenMetrics` text.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

/// Type of [`Metrics::text`].
pub(crate) const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_counted_is_told() {
        let metrics = Metrics::default();
        metrics.answered("GET", "/api/search", 200, Duration::from_millis(3));
        metrics.took(Stage::embed, Duration::from_millis(3));
        metrics.refused("cross_site");
        metrics.queue("search", 4);
        metrics.index(&IndexFacts {
            name: "main",
            pictures: 6,
            dim: 32,
            bytes: 1000,
            recall: Some(0.99),
        });
        let text = metrics.text();
        for line in [
            "finelens_requests_total{method=\"GET\",route=\"/api/search\",status=\"200\"} 1",
            "finelens_request_duration_seconds_bucket{le=\"0.004\",route=\"/api/search\"} 1",
            "finelens_stage_duration_seconds_count{stage=\"embed\"} 1",
            "finelens_refused_total{reason=\"cross_site\"} 1",
            "finelens_build_info{version=\"",
            "finelens_queue{queue=\"search\"} 4",
            "finelens_index_pictures{index=\"main\"} 6",
            "finelens_index_recall{index=\"main\"} 0.99",
            "# EOF",
        ] {
            assert!(text.contains(line), "{line}\n{text}");
        }
    }
}

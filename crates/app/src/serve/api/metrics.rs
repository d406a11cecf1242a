//! What the server counts.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;

use crate::serve::collection::Collection;
use crate::serve::failure::Failure;
use crate::serve::gate::blocking;
use crate::serve::metrics::{CONTENT_TYPE, IndexFacts, Metrics};
use crate::serve::state::{Served, Which};

/// Counters and classes of times, for Prometheus.
#[utoipa::path(
    get, path = "/metrics", operation_id = "metrics", tag = "health",
    responses((status = 200, body = String, content_type = "application/openmetrics-text"))
)]
pub(crate) async fn get(State(served): State<Arc<Served>>) -> Result<impl IntoResponse, Failure> {
    served.metrics.queue("search", served.gate.inside());
    served.metrics.queue("decode", served.decoding.inside());
    let text = blocking(move || {
        for (which, collection) in served.collections() {
            tell(&served.metrics, which, collection)?;
        }
        Ok::<_, Failure>(served.metrics.text())
    });
    Ok(([(header::CONTENT_TYPE, CONTENT_TYPE)], text.await??))
}

fn tell(metrics: &Metrics, which: Which, collection: &Collection) -> Result<(), Failure> {
    let (name, stats) = (which.name(), collection.stats()?);
    if let Ok(embedding) = collection.embedding() {
        metrics
            .queue(if which == Which::Main { "embed" } else { "embed_other" }, embedding.waiting());
    }
    metrics.index(&IndexFacts {
        name,
        pictures: stats.pictures as u64,
        dim: stats.dim as u64,
        bytes: stats.disk.iter().map(|(_, bytes)| bytes).sum(),
        recall: stats.recall.map(|recall| f64::from(recall.texts.unwrap_or(recall.images))),
    });
    Ok(())
}

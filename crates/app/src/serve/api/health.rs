//! Whether the server is there, and whether it would answer.

use std::sync::Arc;

use axum::Json;
use axum::extract;
use axum::http::StatusCode;
use serde::Serialize;
use utoipa::ToSchema;

use crate::serve::embedding::State;
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::state::Served;

/// How the server is.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Health {
    /// `ok`.
    status: &'static str,
}

/// The server is there.
#[utoipa::path(get, path = "/healthz", operation_id = "alive", tag = "health", responses((status = 200, body = Health)))]
pub(crate) async fn alive() -> Json<Health> {
    Json(Health { status: "ok" })
}

/// The server would answer a search: the index is open, and its model is read or known not to be usable.
#[utoipa::path(
    get, path = "/readyz", operation_id = "ready", tag = "health",
    responses(
        (status = 200, body = Health),
        (status = 503, body = FailureBody, description = "the model is still being read"),
    )
)]
pub(crate) async fn ready(
    extract::State(served): extract::State<Arc<Served>>,
) -> Result<Json<Health>, Failure> {
    for (_, collection) in served.collections() {
        if matches!(collection.embedding()?.state(), State::Loading) {
            let told = "the model is still being read; searching by words alone works already";
            return Err(Failure::new(StatusCode::SERVICE_UNAVAILABLE, "loading", told));
        }
    }
    Ok(Json(Health { status: "ok" }))
}

//! What can be asked over HTTP: one file for each group of routes, with the bodies that go in and out.

pub(crate) mod fields;
mod health;
pub(crate) mod search;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::Served;

/// All routes.
pub(crate) fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(search::get))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
}

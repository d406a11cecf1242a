//! What can be asked over HTTP: one file for each group of routes, with the bodies that go in and out.

pub(crate) mod answer;
mod facets;
pub(crate) mod fields;
mod form;
mod health;
mod pictures;
pub(crate) mod question;
pub(crate) mod search;
mod suggest;

use std::sync::Arc;

use utoipa_axum::router::{OpenApiRouter, UtoipaMethodRouterExt};
use utoipa_axum::routes;

use super::state::Served;

/// All routes.
pub(crate) fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(search::get, search::post).layer(form::large()))
        .routes(routes!(suggest::get))
        .routes(routes!(facets::get))
        .routes(routes!(pictures::post).layer(form::large()))
        .routes(
            routes!(pictures::get, pictures::put, pictures::patch, pictures::delete)
                .layer(form::large()),
        )
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
}

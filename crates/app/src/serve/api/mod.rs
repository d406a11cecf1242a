//! What can be asked over HTTP: one file for each group of routes, with the bodies that go in and out.

mod about;
pub(crate) mod answer;
mod facets;
pub(crate) mod fields;
mod find;
mod form;
mod health;
mod images;
mod metrics;
mod pictures;
pub(crate) mod question;
pub(crate) mod search;
mod session;
mod suggest;
mod uploads;

use std::sync::Arc;

use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::state::Served;

/// All routes.
pub(crate) fn routes() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::new()
        .routes(routes!(search::get, search::post))
        .routes(routes!(suggest::get))
        .routes(routes!(facets::get))
        .routes(routes!(pictures::post))
        .routes(routes!(pictures::get, pictures::put, pictures::patch, pictures::delete))
        .routes(routes!(images::thumbnail))
        .routes(routes!(images::original))
        .routes(routes!(uploads::post))
        .routes(routes!(uploads::get))
        .routes(routes!(session::get))
        .routes(routes!(session::log_in))
        .routes(routes!(session::log_out))
        .routes(routes!(metrics::get))
        .routes(routes!(find::get, find::post))
        .routes(routes!(about::get))
        .routes(routes!(health::alive))
        .routes(routes!(health::ready))
}

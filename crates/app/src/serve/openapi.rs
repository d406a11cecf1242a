//! The API and its description, from one source.

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::http::header;
use axum::response::IntoResponse;
use utoipa::OpenApi;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api;
use super::state::Served;

#[derive(OpenApi)]
#[openapi(info(
    title = "finelens",
    description = "Pictures by words, by pictures, and by both. Every answer that says no has the same body, with a code, a message and a hint."
))]
struct Head;

/// The routes of the API with what they are.
fn described() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::with_openapi(Head::openapi()).merge(api::routes()).routes(routes!(description))
}

/// The routes of the API.
pub(crate) fn router() -> Router<Arc<Served>> {
    described().into()
}

/// The description as it is sent.
static DESCRIPTION: LazyLock<String> = LazyLock::new(|| {
    let description = described().into_openapi();
    description.to_pretty_json().unwrap_or_else(|_| unreachable!("a description is plain JSON"))
});

/// What there is, in the words of `OpenAPI`.
#[utoipa::path(
    get, path = "/api/openapi.json", tag = "about",
    responses((status = 200, body = Object, description = "an OpenAPI document"))
)]
async fn description() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], DESCRIPTION.as_str())
}

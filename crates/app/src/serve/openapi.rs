//! The API and its description, from one source.

use std::sync::Arc;

use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Router};
use utoipa::openapi;
use utoipa::openapi::security::{
    ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme,
};
use utoipa::{OpenApi, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::api;
use super::failure::FailureBody;
use super::guard::{self, Policy};
use super::state::Served;

#[derive(OpenApi)]
#[openapi(info(
    title = "finelens",
    description = "Pictures by words, by pictures, and by both. Every answer that says no has the same body, with a code, a message and a hint."
))]
struct Head;

/// What opens the door of a server that has tokens.
const TOKEN: &str = "token";

/// What marks a request that sends something as none of another site's page.
const MARK: &str = "mark";

/// Says who may ask this server what, and what it answers to others: docs/security.md.
fn guarded(mut description: openapi::OpenApi, has_tokens: bool) -> openapi::OpenApi {
    let components = description.components.get_or_insert_default();
    if has_tokens {
        let token = HttpBuilder::new().scheme(HttpAuthScheme::Bearer);
        let token = token.description(Some("the token for reading, or that for writing")).build();
        components.add_security_scheme(TOKEN, SecurityScheme::Http(token));
    } else {
        let told = "`1`: no page of another site can send it";
        let mark = ApiKey::Header(ApiKeyValue::with_description("X-Finelens", told));
        components.add_security_scheme(MARK, SecurityScheme::ApiKey(mark));
    }
    for (path, item) in &mut description.paths.paths {
        let looking = item.get.iter_mut().map(|get| (get, false));
        let sending = [&mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        let sending = sending.into_iter().flatten().map(|sent| (sent, true));
        for (operation, sends) in looking.chain(sending) {
            let door = if has_tokens { TOKEN } else { MARK };
            if (has_tokens && !guard::is_open(path)) || (sends && !guard::is_form(path)) {
                operation.security = Some(vec![SecurityRequirement::new(door, [""; 0])]);
            }
            refusals(&mut operation.responses);
        }
    }
    description
}

/// What the guard may answer before anybody looks at what is asked.
fn refusals(responses: &mut openapi::Responses) {
    for (status, told) in [
        ("400", "the head of the request cannot be understood, or its Host"),
        ("401", "a token is needed, or another one"),
        ("403", "another site, another name of the server, or a mark that is missing"),
    ] {
        let body = openapi::Ref::from_schema_name(FailureBody::name());
        let content = openapi::ContentBuilder::new().schema(Some(body)).build();
        let refusal = openapi::ResponseBuilder::new().description(told);
        let refusal = refusal.content("application/json", content).build();
        responses.responses.entry(status.to_owned()).or_insert_with(|| refusal.into());
    }
}

/// The routes of the API with what they are.
fn described() -> OpenApiRouter<Arc<Served>> {
    OpenApiRouter::with_openapi(Head::openapi()).merge(api::routes()).routes(routes!(description))
}

/// The routes of the API.
pub(crate) fn router() -> Router<Arc<Served>> {
    described().into()
}

/// What there is, in the words of `OpenAPI`.
#[utoipa::path(
    get, path = "/api/openapi.json", operation_id = "description", tag = "about",
    responses((status = 200, body = Object, description = "an OpenAPI document"))
)]
async fn description(Extension(policy): Extension<Arc<Policy>>) -> impl IntoResponse {
    let description = guarded(described().into_openapi(), policy.needs_login());
    let text = description.to_pretty_json();
    let text = text.unwrap_or_else(|_| unreachable!("a description is plain JSON"));
    ([(header::CONTENT_TYPE, "application/json")], text)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_operation_has_a_name_of_its_own() {
        let description = described().into_openapi();
        let (mut names, mut count) = (BTreeSet::new(), 0);
        for item in description.paths.paths.into_values() {
            let operations = [item.get, item.post, item.put, item.patch, item.delete];
            for operation in operations.into_iter().flatten() {
                count += 1;
                names.insert(operation.operation_id.unwrap());
            }
        }
        assert_eq!(names.len(), count, "{names:?}");
    }

    #[test]
    fn who_may_ask_is_described_as_this_server_has_it() {
        let of = |has_tokens| serde_json::to_value(guarded(described().into_openapi(), has_tokens));
        let [free, with_tokens] = [false, true].map(|has_tokens| of(has_tokens).unwrap());
        let security = |of: &serde_json::Value, path: &str, method: &str| {
            of["paths"][path][method]["security"][0].clone()
        };
        assert!(security(&free, "/api/search", "get").is_null());
        assert!(security(&free, "/api/search", "post").get(MARK).is_some());
        assert!(security(&with_tokens, "/api/search", "get").get(TOKEN).is_some());
        assert!(security(&with_tokens, "/healthz", "get").is_null());
        assert!(security(&with_tokens, "/api/login", "post").is_null());
    }
}

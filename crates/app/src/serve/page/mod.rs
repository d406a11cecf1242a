//! The page: what a person with a browser sees, with JavaScript or without it.

mod assets;
mod document;
mod hits;
mod link;
mod unscripted;

use std::sync::Arc;

use axum::Router;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, Uri, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use maud::html;

use self::document::Document;
use self::hits::Found;
use self::link::Address;
use super::api::fields::Fields;
use super::api::search;
use super::failure::Failure;
use super::guard;
use super::state::Served;

/// Addresses that a browser shows, and what they need.
pub(crate) fn router() -> Router<Arc<Served>> {
    Router::new()
        .route("/", get(search_page))
        .route("/compare", get(|| async { scripted("Compare") }))
        .route("/find", get(|| async { scripted("Find in picture") }))
        .route("/about", get(|| async { scripted("About") }))
        .route("/login", get(login_page))
        .route("/assets/{*name}", get(assets::get))
}

/// The search, with what was found already in it: it is seen without JavaScript, and at once with it.
async fn search_page(State(served): State<Arc<Served>>, fields: Fields) -> Response {
    let address = Address::of(fields);
    match search::asked(&served, address.question()).await {
        Ok(answer) => match Found::of(&answer) {
            Ok(found) => shown(&address, &found),
            Err(error) => refused(&address, &Failure::internal(error.to_string())),
        },
        Err(failure) => refused(&address, &failure),
    }
}

fn shown(address: &Address, found: &Found) -> Response {
    let opened = address.open().map(|id| unscripted::opened(address, found, id));
    let body = opened.unwrap_or_else(|| unscripted::found(address, found));
    let first = address.is_first_page().then_some(found.json.as_str());
    Document { title: address.words(), body: unscripted::page(address, &body), first }
        .into_response()
}

/// Why there is no answer; with JavaScript the page asks again by itself.
fn refused(address: &Address, failure: &Failure) -> Response {
    let body = unscripted::page(address, &unscripted::refused(failure));
    (failure.status(), Document { title: address.words(), body, first: None }).into_response()
}

/// A page that is nothing without JavaScript, and says so.
fn scripted(title: &str) -> Response {
    let body = html! {
        (unscripted::brand())
        main.empty {
            h2 { (title) }
            p { "This page needs JavaScript. " a href="/" { "Searching" } " works without it." }
        }
    };
    Document { title, body, first: None }.into_response()
}

/// What is answered where nothing is: a page for people, a document for programs.
pub(crate) async fn missing(method: Method, address: Uri, headers: HeaderMap) -> Response {
    let failure = Failure::nothing_here();
    if !guard::wants_page(&method, &address, &headers) {
        return failure.into_response();
    }
    let body = html! {
        (unscripted::brand())
        main.empty {
            h1 { "There is no such page" }
            p { "The address may be mistyped, or from another version." }
            p { a.button href="/" { "To the search" } }
        }
    };
    let page = Document { title: "No such page", body, first: None };
    (failure.status(), page).into_response()
}

/// Asks for the token, and remembers where one wanted to go.
async fn login_page(Fields(fields): Fields) -> Response {
    let next = fields.iter().find(|(name, _)| name == "next").map_or("/", |(_, value)| value);
    Document { title: "Log in", body: unscripted::login(next), first: None }.into_response()
}

impl IntoResponse for Document<'_> {
    fn into_response(self) -> Response {
        let mut response = self.draw().into_response();
        // What was found is nobody else's, and may change with the next picture.
        response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        response
    }
}

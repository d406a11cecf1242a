//! One line in the log and one count for each request, and the id that ties an answer to its line.
//!
//! Neither holds what was asked for: no query, no id of a picture, no cookie; the route as it is written in the API.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use axum::extract::{ConnectInfo, MatchedPath, Request, State};
use axum::http::{HeaderName, HeaderValue, Method};
use axum::middleware::Next;
use axum::response::Response;
use tower_http::request_id::RequestId;
use tracing::Instrument;

use crate::serve::metrics::Metrics;

const ID: HeaderName = HeaderName::from_static("x-request-id");

/// What a request is counted as, where no route answers it.
const NO_ROUTE: &str = "none";

/// The layer.
pub(super) async fn each(
    State(metrics): State<Arc<Metrics>>,
    mut request: Request,
    next: Next,
) -> Response {
    let begun = Instant::now();
    let id = next_id();
    // Nobody else says which request is which.
    request.headers_mut().remove(&ID);
    request.extensions_mut().insert(RequestId::new(id.clone()));
    let route = request.extensions().get::<MatchedPath>().cloned();
    let route = route.as_ref().map_or(NO_ROUTE, MatchedPath::as_str);
    let method = method(request.method());
    let peer = request.extensions().get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
    let span = tracing::info_span!("request", id = id.to_str().unwrap_or_default(), method, route);
    let mut response = next.run(request).instrument(span.clone()).await;
    let taken = begun.elapsed();
    metrics.answered(method, route, response.status().as_u16(), taken);
    span.in_scope(|| {
        let (status, ms) = (response.status().as_u16(), 1e3 * taken.as_secs_f64());
        let peer = peer.map(tracing::field::display);
        tracing::info!(status, ms, peer, "answered");
    });
    response.headers_mut().insert(ID, id);
    response
}

/// A number that this process gives once; the first half tells processes apart.
fn next_id() -> HeaderValue {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let text = format!("{:08x}-{number:08x}", std::process::id());
    HeaderValue::from_str(&text).unwrap_or_else(|_| unreachable!("digits and a dash"))
}

/// A label must not take whatever somebody sends.
fn method(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "PATCH" => "PATCH",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}

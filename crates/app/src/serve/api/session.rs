//! Logging in and out.

use std::sync::Arc;

use axum::body::Bytes;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Json};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::form::object;
use crate::serve::failure::{Failure, FailureBody};
use crate::serve::guard::{Access, Caller, Policy, safe_next};

/// What whoever asks may do.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct Session {
    /// Whether there are tokens at all.
    needs_login: bool,
    can_read: bool,
    can_write: bool,
}

/// What opens the door.
#[derive(Debug, Deserialize, ToSchema)]
pub(crate) struct Login {
    /// The token for reading, or that for writing.
    token: String,
    /// Where to go on after a form.
    #[serde(default)]
    next: String,
}

/// What you may do.
#[utoipa::path(get, path = "/api/session", operation_id = "session", tag = "session", responses((status = 200, body = Session)))]
pub(crate) async fn get(
    Extension(policy): Extension<Arc<Policy>>,
    Extension(caller): Extension<Caller>,
) -> Json<Session> {
    Json(session(&policy, caller))
}

fn session(policy: &Policy, caller: Caller) -> Session {
    Session {
        needs_login: policy.needs_login(),
        can_read: caller.access >= Access::Read,
        can_write: policy.may_write(caller),
    }
}

/// Log in with a token: a cookie stands for it from then on.
///
/// A form is answered with a way to the page that it names as `next`.
#[utoipa::path(
    post, path = "/api/login", operation_id = "log_in", tag = "session",
    request_body(content((Login = "application/json"), (Login = "application/x-www-form-urlencoded"))),
    responses(
        (status = 204, description = "the cookie is set"),
        (status = 303, description = "the same for a form"),
        (status = 400, body = FailureBody, description = "no token was sent"),
        (status = 401, body = FailureBody, description = "another token"),
        (status = 403, body = FailureBody, description = "sent by a page of another site"),
        (status = 409, body = FailureBody, description = "no token is needed here"),
        (status = 413, body = FailureBody, description = "too long"),
        (status = 415, body = FailureBody, description = "neither JSON nor a form"),
        (status = 429, body = FailureBody, description = "too many wrong tokens; see Retry-After"),
    )
)]
pub(crate) async fn log_in(
    Extension(policy): Extension<Arc<Policy>>,
    Extension(caller): Extension<Caller>,
    headers: HeaderMap,
    body: Bytes,
) -> Result<Response, Failure> {
    let (login, form) = read(&headers, &body)?;
    if !policy.needs_login() {
        let told = "this server asks for no token";
        return Err(Failure::new(StatusCode::CONFLICT, "no_login", told));
    }
    match policy.log_in(caller, login.token.trim()) {
        Ok(cookie) => {
            let next = safe_next(&login.next);
            Ok(([(header::SET_COOKIE, cookie)], on(form, next)).into_response())
        }
        Err(failure) if form && failure.code() == "bad_token" => {
            let next: String =
                form_urlencoded::byte_serialize(safe_next(&login.next).as_bytes()).collect();
            Ok(Redirect::to(&format!("/login?failed=1&next={next}")).into_response())
        }
        Err(failure) => Err(failure),
    }
}

/// A form goes on to a page, a program knows what to do.
fn on(form: bool, next: &str) -> Response {
    if form { Redirect::to(next).into_response() } else { StatusCode::NO_CONTENT.into_response() }
}

fn read(headers: &HeaderMap, body: &[u8]) -> Result<(Login, bool), Failure> {
    let kind = headers.get(header::CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
    let kind = kind.unwrap_or_default().split(';').next().unwrap_or_default().trim();
    let bad = || Failure::bad("bad_login", "expected a document {\"token\": \"…\"}");
    match kind.to_ascii_lowercase().as_str() {
        "application/json" => Ok((object(body).map_err(|_| bad())?, false)),
        "application/x-www-form-urlencoded" => {
            let (mut token, mut next) = (None, String::new());
            for (name, value) in form_urlencoded::parse(body) {
                match name.as_ref() {
                    "token" => token = Some(value.into_owned()),
                    "next" => next = value.into_owned(),
                    _ => {}
                }
            }
            Ok((Login { token: token.ok_or_else(bad)?, next }, true))
        }
        _ => {
            let told = "expected application/json or application/x-www-form-urlencoded";
            Err(Failure::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, "bad_login", told))
        }
    }
}

/// Log out: the cookie means nothing from then on.
#[utoipa::path(
    post, path = "/api/logout", operation_id = "log_out", tag = "session",
    responses(
        (status = 303, description = "the cookie is gone; on to the page"),
        (status = 403, body = FailureBody, description = "sent by a page of another site"),
    )
)]
pub(crate) async fn log_out(
    Extension(policy): Extension<Arc<Policy>>,
    headers: HeaderMap,
) -> impl IntoResponse {
    let cookie = policy.log_out(&headers);
    ([(header::SET_COOKIE, cookie)], Redirect::to("/"))
}

//! Why a request was not answered, told the same way wherever it went wrong.

use axum::Json;
use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use finelens_search::Error as SearchError;
use serde::Serialize;
use tower_http::request_id::RequestId;
use utoipa::ToSchema;

use crate::error::Error;
use crate::problem::Problem;

/// A failure on its way out; [`tell`] writes its body.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Failure {
    status: StatusCode,
    code: &'static str,
    message: String,
    hint: Option<String>,
    retry_after_s: Option<u16>,
}

/// The body of every answer that says no.
#[derive(Debug, Serialize, ToSchema)]
pub(crate) struct FailureBody {
    error: FailureDocument,
    /// Id of the request, as the log has it.
    request: Option<String>,
}

#[derive(Debug, Serialize, ToSchema)]
struct FailureDocument {
    /// A stable name, such as `bad_filter`.
    code: &'static str,
    /// What happened.
    message: String,
    /// What to do about it.
    hint: Option<String>,
}

impl Failure {
    /// One with a status, a stable name and what happened.
    pub(crate) fn new(status: StatusCode, code: &'static str, message: impl Into<String>) -> Self {
        Self { status, code, message: message.into(), hint: None, retry_after_s: None }
    }

    /// A request that must be asked otherwise.
    pub(crate) fn bad(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, code, message)
    }

    /// A request in which everything is as described, and which makes no sense nevertheless.
    pub(crate) fn senseless(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, code, message)
    }

    /// A request that whoever asks may not ask.
    pub(crate) fn forbidden(code: &'static str, message: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, code, message)
    }

    /// A request that may be asked again later.
    pub(crate) fn later(code: &'static str, message: impl Into<String>, seconds: u16) -> Self {
        let later = Self::new(StatusCode::TOO_MANY_REQUESTS, code, message);
        Self { retry_after_s: Some(seconds), ..later }
    }

    /// The same with what to do about it.
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// Too much to do at the moment.
    pub(crate) fn busy() -> Self {
        let told = "more is asked than can be answered at the moment";
        Self::later("busy", told, 1).hint("ask again in a second")
    }

    /// No such path.
    pub(crate) fn nothing_here() -> Self {
        Self::new(StatusCode::NOT_FOUND, "not_found", "nothing is at this address")
            .hint("/api/openapi.json lists what there is")
    }

    /// A path that is there, asked with another method.
    pub(crate) fn wrong_method() -> Self {
        let told = "this address does not answer to this method";
        Self::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", told)
            .hint("/api/openapi.json lists what there is")
    }

    /// Our own fault.
    pub(crate) fn internal(message: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "internal", message)
            .hint("the server's log says more")
    }

    /// What the answer says in its first line.
    pub(crate) fn status(&self) -> StatusCode {
        self.status
    }

    /// A file that could not be read or written; which one is the log's to know.
    pub(crate) fn disk(error: &std::io::Error) -> Self {
        tracing::error!("{error}");
        Self::internal("a file could not be read or written")
    }

    /// No picture of this id.
    pub(crate) fn no_picture(id: &str) -> Self {
        let shown: String = id.chars().take(80).collect();
        let told = format!("there is no picture of the id {shown:?}");
        Self::new(StatusCode::NOT_FOUND, "no_picture", told).hint("ids are what a search finds")
    }

    /// What happened.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    pub(crate) fn advice(&self) -> Option<&str> {
        self.hint.as_deref()
    }

    /// The stable name.
    pub(crate) fn code(&self) -> &'static str {
        self.code
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let mut response = self.status.into_response();
        if let Some(seconds) = self.retry_after_s {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        if self.status == StatusCode::UNAUTHORIZED {
            // Source: RFC 9110, 15.5.2: a 401 says how to do better.
            let how = HeaderValue::from_static("Bearer");
            response.headers_mut().insert(header::WWW_AUTHENTICATE, how);
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Writes the body of a failure, with the id of the request.
pub(crate) async fn tell(request: Request, next: Next) -> Response {
    let id = request.extensions().get::<RequestId>().cloned();
    let mut response = next.run(request).await;
    let Some(failure) = response.extensions_mut().remove::<Failure>() else { return response };
    if failure.status.is_server_error() {
        tracing::error!(code = failure.code, "{}", failure.message);
    }
    let Failure { code, message, hint, .. } = failure;
    let request = id.and_then(|id| id.header_value().to_str().ok().map(str::to_owned));
    let body = FailureBody { error: FailureDocument { code, message, hint }, request };
    let (head, _) = response.into_parts();
    let mut told = (head.status, Json(body)).into_response();
    // What others said of the answer, such as when to come back.
    for (name, value) in &head.headers {
        if name != header::CONTENT_LENGTH && name != header::CONTENT_TYPE {
            told.headers_mut().append(name, value.clone());
        }
    }
    told
}

impl From<SearchError> for Failure {
    fn from(error: SearchError) -> Self {
        match &error {
            SearchError::Filter { .. } => Self::senseless("bad_filter", error.to_string())
                .hint("write for example year >= 2010 and class in (port, \"river bank\")"),
            SearchError::Query { .. } | SearchError::Id { .. } => {
                Self::senseless("bad_query", error.to_string())
                    .hint("/api/openapi.json describes every field")
            }
            SearchError::Locked { .. } => {
                let told = "another program is writing to this index";
                Self::new(StatusCode::CONFLICT, "locked", told)
                    .hint("try again when it is done; searching goes on meanwhile")
            }
            SearchError::ReadOnly { .. } => Self::read_only(),
            // The message may name files of this machine.
            _ => {
                tracing::error!("{error}");
                let told = "the index cannot do this at the moment";
                Self::new(StatusCode::INTERNAL_SERVER_ERROR, "index", told)
                    .hint("the server's log says why, and finelens admin verify what else is wrong")
            }
        }
    }
}

impl Failure {
    /// A change where nothing may be changed.
    pub(crate) fn read_only() -> Self {
        Self::new(StatusCode::FORBIDDEN, "read_only", "this server only answers searches")
            .hint("start it without --read-only")
    }
}

impl From<anyhow::Error> for Failure {
    fn from(error: anyhow::Error) -> Self {
        match error.downcast::<SearchError>() {
            Ok(error) => error.into(),
            Err(error) => of_problem(&error),
        }
    }
}

fn of_problem(error: &anyhow::Error) -> Failure {
    let status = match error.downcast_ref::<Error>() {
        Some(Error::Cancelled | Error::NotLexical { .. }) => StatusCode::UNPROCESSABLE_ENTITY,
        _ => StatusCode::INTERNAL_SERVER_ERROR,
    };
    let Some(problem) = Problem::of(error) else {
        return Failure::internal("the reader went away");
    };
    let failure = Failure::new(status, problem.code, problem.message);
    problem.hint.into_iter().fold(failure, Failure::hint)
}

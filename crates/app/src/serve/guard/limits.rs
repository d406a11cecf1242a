//! How much a request may send, and how slowly.

use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::{MatchedPath, Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use http_body::Frame;
use tokio::sync::{Semaphore, SemaphorePermit};
use tokio::time::{Instant, Sleep};

use super::Policy;
use crate::serve::failure::Failure;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// A form with pictures. Own choice: two photographs of 50 megapixels as their cameras store them.
pub(crate) const FORM: u64 = 64 * MIB;
/// Captions and metadata.
const DOCUMENT: u64 = MIB;
/// A token.
const LOGIN: u64 = 4 * KIB;

/// What all requests together may have sent and not yet seen answered; more of them are told to come later. Own choice.
const TOGETHER: u64 = 256 * MIB;

/// Bytes so few that nobody counts them.
const FREE: u64 = 64 * KIB;

/// A body has this long, and more the longer it is.
const BASE: Duration = Duration::from_secs(10);
/// Slowest connection that is put up with, in bytes a second. Own choice: a megabit a second.
const SLOWEST: u64 = 128 * KIB;
/// Longest time without a byte.
const SILENCE: Duration = Duration::from_secs(10);

fn limit(route: &str) -> u64 {
    match route {
        "/api/search" | "/api/find" | "/api/uploads" | "/api/pictures" | "/api/pictures/{id}" => {
            FORM
        }
        "/api/login" | "/api/logout" => LOGIN,
        _ => DOCUMENT,
    }
}

/// Room for what is being sent.
#[derive(Debug)]
pub(crate) struct Memory(Semaphore);

impl Memory {
    pub(super) fn new() -> Self {
        Self(Semaphore::new((TOGETHER / KIB) as usize))
    }

    /// Room for so many bytes, if there is some.
    fn take(&self, bytes: u64) -> Result<Option<SemaphorePermit<'_>>, Failure> {
        if bytes <= FREE {
            return Ok(None);
        }
        let wanted = bytes.div_ceil(KIB) as u32;
        self.0.try_acquire_many(wanted).map(Some).map_err(|_| Failure::busy())
    }
}

/// The layer: a body is refused by its announced length, cut where it is longer, and given up where it is slow.
pub(super) async fn hold(
    State(policy): State<Arc<Policy>>,
    request: Request,
    next: Next,
) -> Response {
    let route = request.extensions().get::<MatchedPath>().map_or("", MatchedPath::as_str);
    let most = limit(route);
    let announced = announced(&request);
    if announced.is_some_and(|bytes| bytes > most) {
        return refused(&policy, too_large(most));
    }
    let room = match policy.memory.take(announced.unwrap_or(most)) {
        Ok(room) => room,
        Err(busy) => return refused(&policy, busy),
    };
    let ended = Arc::new(AtomicU8::new(WELL));
    let patience = BASE + Duration::from_secs(announced.unwrap_or(most) / SLOWEST);
    let (head, body) = request.into_parts();
    let body = Watched::new(body, most, patience, Arc::clone(&ended));
    let response = next.run(Request::from_parts(head, Body::new(body))).await;
    drop(room);
    match ended.load(Ordering::Relaxed) {
        LONG => refused(&policy, too_large(most)),
        SLOW => refused(&policy, too_slow()),
        _ => response,
    }
}

/// The length that the client says its body has; `None` where it does not say so and sends one nevertheless.
fn announced(request: &Request) -> Option<u64> {
    request.body().size_hint().exact()
}

fn refused(policy: &Policy, failure: Failure) -> Response {
    policy.metrics.refused(failure.code());
    let mut response = failure.into_response();
    // What is left of the body is not read.
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}

fn too_large(most: u64) -> Failure {
    let told = format!("more was sent than the {} that are read here", size(most));
    Failure::new(StatusCode::PAYLOAD_TOO_LARGE, "too_large", told)
        .hint("send less at once, or smaller pictures")
}

fn size(bytes: u64) -> String {
    if bytes >= MIB { format!("{} MiB", bytes / MIB) } else { format!("{} KiB", bytes / KIB) }
}

fn too_slow() -> Failure {
    Failure::new(
        StatusCode::REQUEST_TIMEOUT,
        "too_slow",
        "the rest of the request did not come in time",
    )
}

const WELL: u8 = 0;
const LONG: u8 = 1;
const SLOW: u8 = 2;

/// A body that is given up when it is too long or too slow.
struct Watched {
    body: Body,
    left: u64,
    deadline: Pin<Box<Sleep>>,
    silence: Pin<Box<Sleep>>,
    ended: Arc<AtomicU8>,
}

impl Watched {
    fn new(body: Body, most: u64, patience: Duration, ended: Arc<AtomicU8>) -> Self {
        let after = |time| Box::pin(tokio::time::sleep(time));
        Self { body, left: most, deadline: after(patience), silence: after(SILENCE), ended }
    }

    fn give_up(&self, why: u8, told: &'static str) -> axum::Error {
        self.ended.store(why, Ordering::Relaxed);
        axum::Error::new(std::io::Error::other(told))
    }
}

impl HttpBody for Watched {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let frame = match Pin::new(&mut self.body).poll_frame(context) {
            Poll::Ready(frame) => frame,
            Poll::Pending => {
                let late = self.deadline.as_mut().poll(context).is_ready()
                    || self.silence.as_mut().poll(context).is_ready();
                if late {
                    return Poll::Ready(Some(Err(self.give_up(SLOW, "too slow"))));
                }
                return Poll::Pending;
            }
        };
        self.silence.as_mut().reset(Instant::now() + SILENCE);
        if let Some(Ok(frame)) = &frame {
            let length = frame.data_ref().map_or(0, Bytes::len) as u64;
            match self.left.checked_sub(length) {
                Some(left) => self.left = left,
                None => return Poll::Ready(Some(Err(self.give_up(LONG, "too long")))),
            }
        }
        Poll::Ready(frame)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

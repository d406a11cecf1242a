//! The guard: what a request must be before anybody looks at what it asks.
//!
//! `wrap` says the order of the checks. None of them knows an index.

mod headers;
mod host;
mod limits;
mod log;
mod origin;
mod session;
mod throttle;
mod token;

use std::fmt::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use axum::extract::{ConnectInfo, DefaultBodyLimit, MatchedPath, Request, State};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method, StatusCode, Uri, header};
use axum::middleware::{self, Next};
use axum::response::{IntoResponse, Redirect, Response};
use axum::{Extension, Router};
use tower_http::catch_panic::CatchPanicLayer;

use super::failure::{self, Failure};
use super::metrics::Metrics;
use crate::error::Error;
use host::{Authority, Hosts};
pub(crate) use limits::FORM;
use limits::Memory;
use session::Sessions;
use throttle::Throttle;
use token::Tokens;

pub(crate) use token::TokenFiles;

/// What shows that a program or a page of ours asks for a change: another site's page cannot send it without asking first.
const OURS: HeaderName = HeaderName::from_static("x-finelens");

/// What somebody may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Access {
    /// Log in.
    Nothing,
    /// Search and look.
    Read,
    /// Change the index.
    Write,
}

/// What was typed about it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Files with the tokens.
    pub(crate) tokens: TokenFiles,
    /// Names that the server goes by, beside this machine's own.
    pub(crate) hosts: Vec<String>,
    /// Whether others may reach it without a token.
    pub(crate) insecure: bool,
    /// Whether nobody may change anything.
    pub(crate) read_only: bool,
}

/// Who may ask what.
#[derive(Debug)]
pub(crate) struct Policy {
    hosts: Hosts,
    tokens: Tokens,
    sessions: Sessions,
    throttle: Throttle,
    memory: Memory,
    metrics: Arc<Metrics>,
    read_only: bool,
}

/// Who asks, as later parts of the server are told.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Caller {
    /// What they may do.
    pub(crate) access: Access,
    /// Whether the page came through TLS.
    secure: bool,
    address: IpAddr,
}

impl Policy {
    /// What was typed, for a server that listens there.
    ///
    /// # Errors
    /// Tokens that are too short, names that are none, an address that others reach with no token asked for.
    pub(crate) fn new(
        settings: &Settings,
        bound: SocketAddr,
        metrics: Arc<Metrics>,
        mut warn: impl FnMut(String),
    ) -> anyhow::Result<Self> {
        let named = |name: &String| {
            Authority::parse(name).ok_or_else(|| Error::HostName { name: name.clone() })
        };
        let hosts = Hosts::new(bound, settings.hosts.iter().map(named).collect::<Result<_, _>>()?);
        let files = &settings.tokens;
        let tokens = Tokens::load(files.read.as_deref(), files.write.as_deref(), &mut warn)?;
        if hosts.reach_out() && !tokens.any() {
            if !settings.insecure {
                return Err(Error::Unguarded { address: bound.to_string() }.into());
            }
            warn("--insecure: whoever reaches this address may read and change everything".into());
        }
        Ok(Self {
            hosts,
            tokens,
            sessions: Sessions::new(bound.port()),
            throttle: Throttle::default(),
            memory: Memory::new(),
            metrics,
            read_only: settings.read_only,
        })
    }

    /// Whether tokens are asked for at all.
    pub(crate) fn needs_login(&self) -> bool {
        self.tokens.any()
    }

    /// Whether somebody may change the index.
    pub(crate) fn may_write(&self, caller: Caller) -> bool {
        caller.access == Access::Write && !self.read_only
    }

    /// A session for whoever has a token: the value of the header `Set-Cookie`.
    ///
    /// # Errors
    /// A wrong token, or too many of them before.
    pub(crate) fn log_in(&self, caller: Caller, token: &str) -> Result<String, Failure> {
        let access = self.tried(caller.address, token)?;
        self.sessions.begin(access, caller.secure)
    }

    /// Ends the session of these cookies: the value of the header `Set-Cookie`.
    pub(crate) fn log_out(&self, headers: &HeaderMap) -> String {
        self.sessions.end(headers)
    }

    fn tried(&self, address: IpAddr, token: &str) -> Result<Access, Failure> {
        if let Some(seconds) = self.throttle.wait(address) {
            let told = "too many wrong tokens came from this address";
            return Err(Failure::later("throttled", told, seconds));
        }
        match self.tokens.opens(token) {
            Access::Nothing => {
                self.throttle.failed(address);
                Err(unknown("bad_token", "this token is not known"))
            }
            access => Ok(access),
        }
    }

    /// All checks of one request.
    fn check(&self, head: &Parts) -> Result<Caller, Failure> {
        let host = self.hosts.check(head)?;
        let origin = origin::check(&head.method, &head.headers, &host)?;
        token::refuse_in_address(&head.uri)?;
        let route = Route::of(head);
        let peer = head.extensions.get::<ConnectInfo<SocketAddr>>();
        let address = peer.map_or(Ipv4Addr::UNSPECIFIED.into(), |ConnectInfo(peer)| peer.ip());
        let carried = token::carried(&head.headers)?;
        let access = match carried {
            _ if !self.tokens.any() => Access::Write,
            Some(token) if route.needs > Access::Nothing => self.tried(address, token)?,
            _ => self.sessions.access(&head.headers),
        };
        let caller =
            Caller { access, secure: origin.is_some_and(|origin| origin.is_secure()), address };
        self.allow(route, caller, carried.is_some(), head)?;
        Ok(caller)
    }

    fn allow(
        &self,
        route: Route,
        caller: Caller,
        with_token: bool,
        head: &Parts,
    ) -> Result<(), Failure> {
        let marked = head.headers.get(OURS).is_some_and(|value| value == "1") || with_token;
        if route.marked && !marked {
            let told = "a request that changes something needs the header X-Finelens: 1";
            return Err(Failure::forbidden("not_marked", told)
                .hint("add it, or send a token as Authorization: Bearer TOKEN"));
        }
        if route.needs > caller.access {
            return Err(match caller.access {
                Access::Nothing => unknown("login", "a token is needed"),
                _ => Failure::forbidden("may_not_write", "this token is for reading"),
            });
        }
        if route.needs == Access::Write && self.read_only {
            return Err(Failure::read_only());
        }
        Ok(())
    }
}

fn unknown(code: &'static str, told: &str) -> Failure {
    Failure::new(StatusCode::UNAUTHORIZED, code, told)
        .hint("log in at /login, or send Authorization: Bearer TOKEN")
}

/// What a route asks of whoever asks it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Route {
    needs: Access,
    /// Whether the request must be marked as ours.
    marked: bool,
}

/// Routes that anybody may ask who passed the checks before: they tell nothing of the index.
const OPEN: [&str; 6] =
    ["/login", "/healthz", "/readyz", "/api/session", "/api/login", "/api/logout"];

/// Files of the page, which are the same for everybody.
const ASSETS: &str = "/assets/";

/// Requests with a body that change nothing but a store of bounded size.
const READS: [&str; 3] = ["/api/search", "/api/find", "/api/uploads"];

/// Forms of the page, which has to work without JavaScript and so without a header of ours; a browser tells us where a form
/// comes from.
const FORMS: [&str; 2] = ["/api/login", "/api/logout"];

/// Whether anybody may ask this route.
pub(crate) fn is_open(path: &str) -> bool {
    OPEN.contains(&path) || path.starts_with(ASSETS)
}

/// Whether what this route is sent needs no mark.
pub(crate) fn is_form(path: &str) -> bool {
    FORMS.contains(&path)
}

impl Route {
    /// By the route that answers, not by the letters of the address. What is not listed needs the most.
    fn of(head: &Parts) -> Self {
        let path = head.extensions.get::<MatchedPath>().map_or("", MatchedPath::as_str);
        let looks = head.method == Method::GET || head.method == Method::HEAD;
        let needs = match path {
            path if is_open(path) => Access::Nothing,
            _ if looks => Access::Read,
            path if READS.contains(&path) => Access::Read,
            _ => Access::Write,
        };
        Self { needs, marked: !looks && !is_form(path) }
    }
}

/// All layers around the routes; the last is the first that a request meets.
pub(crate) fn wrap(router: Router, policy: &Arc<Policy>) -> Router {
    router
        // Ours counts instead.
        .layer(DefaultBodyLimit::disable())
        .layer(middleware::from_fn_with_state(Arc::clone(policy), limits::hold))
        .layer(middleware::from_fn_with_state(Arc::clone(policy), check))
        .layer(Extension(Arc::clone(policy)))
        .layer(CatchPanicLayer::custom(|_| Failure::internal("this request broke").into_response()))
        .layer(middleware::from_fn(failure::tell))
        .layer(middleware::from_fn(headers::add))
        .layer(middleware::from_fn_with_state(Arc::clone(&policy.metrics), log::each))
}

async fn check(State(policy): State<Arc<Policy>>, request: Request, next: Next) -> Response {
    let (mut head, body) = request.into_parts();
    let failure = match policy.check(&head) {
        Ok(caller) => {
            head.extensions.insert(caller);
            return next.run(Request::from_parts(head, body)).await;
        }
        Err(failure) => failure,
    };
    policy.metrics.refused(failure.code());
    if failure.code() == "login" && wants_page(&head.method, &head.uri, &head.headers) {
        return Redirect::to(&login_page(&head)).into_response();
    }
    failure.into_response()
}

/// Whether a person looks at the answer.
pub(crate) fn wants_page(method: &Method, address: &Uri, headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|accept| accept.to_str().ok());
    let api = address.path().starts_with("/api/") || address.path() == "/metrics";
    method == Method::GET && !api && accepts.is_some_and(|accept| accept.contains("text/html"))
}

/// Where to log in, and where to go on from there.
fn login_page(head: &Parts) -> String {
    let asked = head.uri.path_and_query().map_or("/", |asked| asked.as_str());
    let next: String = form_urlencoded::byte_serialize(asked.as_bytes()).collect();
    format!("/login?next={next}")
}

/// Where to go on after logging in: a page of ours, whatever was asked for.
pub(crate) fn safe_next(next: &str) -> &str {
    let ours = next.starts_with('/')
        && !next.starts_with("//")
        && next.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'\\');
    if ours { next } else { "/" }
}

/// Bytes as lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |mut text, byte| {
        let _ = write!(text, "{byte:02x}");
        text
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn after_logging_in_one_stays_here() {
        for ours in ["/", "/compare?q=a+boat&mode=vector"] {
            assert_eq!(safe_next(ours), ours);
        }
        for other in [
            "",
            "//evil.example",
            "/\\evil.example",
            "https://evil.example",
            "/\t/evil.example",
            "evil",
            "/a\r\nb",
        ] {
            assert_eq!(safe_next(other), "/", "{other:?}");
        }
    }

    #[test]
    fn others_reach_it_only_with_a_token_or_on_purpose() {
        let policy = |bound: &str, hosts: &[&str], insecure| {
            let hosts = hosts.iter().map(|&host| host.to_owned()).collect();
            let settings = Settings { hosts, insecure, ..Settings::default() };
            Policy::new(&settings, bound.parse().unwrap(), Arc::default(), |_| {})
        };
        assert!(policy("127.0.0.1:1", &[], false).is_ok());
        assert!(policy("[::1]:1", &["localhost"], false).is_ok());
        for (bound, hosts) in
            [("0.0.0.0:1", &[][..]), ("[::]:1", &[]), ("127.0.0.1:1", &["a.example"])]
        {
            let told = policy(bound, hosts, false).unwrap_err().to_string();
            assert!(told.contains("token"), "{told}");
            assert!(policy(bound, hosts, true).is_ok());
        }
        assert!(policy("127.0.0.1:1", &["http://a.example"], true).is_err());
    }
}

//! Which pages may ask: our own, and none of anybody else's.
//!
//! A browser says from where a request comes; programs say nothing and are let through to the next check. No header of
//! CORS is ever sent, so no page of another origin reads an answer.

use axum::http::header::ORIGIN;
use axum::http::{HeaderMap, HeaderName, Method};

use super::host::Authority;
use crate::serve::failure::Failure;

const SITE: HeaderName = HeaderName::from_static("sec-fetch-site");
const MODE: HeaderName = HeaderName::from_static("sec-fetch-mode");
const DESTINATION: HeaderName = HeaderName::from_static("sec-fetch-dest");

/// An origin as a browser sends it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Origin {
    scheme: &'static str,
    authority: Authority,
}

impl Origin {
    fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let scheme = ["http", "https"].into_iter().find(|known| *known == scheme)?;
        Some(Self { scheme, authority: Authority::parse(rest)? })
    }

    /// Whether the page came over TLS, through a proxy before us.
    pub(crate) fn is_secure(&self) -> bool {
        self.scheme == "https"
    }
}

/// The page that asks, if a browser names it.
///
/// # Errors
/// Pages of other origins: what they ask is refused, except that one may lead here by a link.
pub(crate) fn check(
    method: &Method,
    headers: &HeaderMap,
    host: &Authority,
) -> Result<Option<Origin>, Failure> {
    if !may_lead_here(method, headers) {
        return Err(foreign("a page of another site may not ask this"));
    }
    let mut origins = headers.get_all(ORIGIN).iter();
    let Some(origin) = origins.next() else { return Ok(None) };
    if origins.next().is_some() {
        return Err(Failure::bad("bad_origin", "expected the header Origin at most once"));
    }
    let parsed = origin.to_str().ok().and_then(Origin::parse);
    let ours = |origin: &Origin| origin.authority.same(host, origin.scheme);
    parsed
        .filter(ours)
        .map(Some)
        .ok_or_else(|| foreign("the header Origin names another site than the header Host"))
}

/// What browsers say of a request whatever a page does. Only a link followed in a tab may come from elsewhere: then no
/// page reads the answer.
///
/// Source: W3C, Fetch Metadata Request Headers; the rule is that of web.dev, "Protect your resources from web attacks".
fn may_lead_here(method: &Method, headers: &HeaderMap) -> bool {
    let is = |name: &HeaderName, value: &str| headers.get(name).is_some_and(|found| found == value);
    let mut sites = headers.get_all(SITE).iter();
    let ours = sites.all(|site| site == "same-origin" || site == "none");
    let link = (method == Method::GET || method == Method::HEAD)
        && is(&MODE, "navigate")
        && is(&DESTINATION, "document");
    ours || link
}

fn foreign(told: &str) -> Failure {
    Failure::forbidden("cross_site", told)
        .hint("open the page by the address that the server printed, and use it from there")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(method: &Method, headers: &[(&'static str, &'static str)]) -> &'static str {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        let host = Authority::parse("localhost:7700").unwrap();
        check(method, &map, &host).map_or_else(|failure| failure.code(), |_| "allowed")
    }

    #[test]
    fn a_page_of_ours_and_a_program_may_ask() {
        for headers in [
            &[][..],
            &[("origin", "http://localhost:7700")],
            &[("origin", "https://localhost:7700"), ("sec-fetch-site", "same-origin")],
            &[("sec-fetch-site", "none"), ("sec-fetch-mode", "navigate")],
        ] {
            assert_eq!(told(&Method::POST, headers), "allowed", "{headers:?}");
        }
    }

    #[test]
    fn other_origins_are_refused_whatever_they_look_like() {
        for origin in [
            "null",
            "",
            "http://localhost",
            "http://localhost:7701",
            "http://127.0.0.1:7700",
            "http://localhost:7700.evil.example",
            "http://localhost:7700/",
            "http://user@localhost:7700",
            "ftp://localhost:7700",
            "HTTP://localhost:7700",
            "chrome-extension://localhost:7700",
            "localhost:7700",
        ] {
            for method in [Method::GET, Method::POST] {
                assert_eq!(told(&method, &[("origin", origin)]), "cross_site", "{origin}");
            }
        }
        let twice =
            [("origin", "http://localhost:7700"), ("origin", "http://evil.example")].as_slice();
        assert_eq!(told(&Method::POST, twice), "bad_origin");
    }

    #[test]
    fn from_elsewhere_one_may_only_come_by_a_link() {
        let link = [
            ("sec-fetch-site", "cross-site"),
            ("sec-fetch-mode", "navigate"),
            ("sec-fetch-dest", "document"),
        ];
        assert_eq!(told(&Method::GET, &link), "allowed");
        assert_eq!(told(&Method::POST, &link), "cross_site");
        for site in ["cross-site", "same-site", "nonsense"] {
            assert_eq!(told(&Method::GET, &[("sec-fetch-site", site)]), "cross_site", "{site}");
        }
        let framed = [link[0], link[1], ("sec-fetch-dest", "iframe")];
        assert_eq!(told(&Method::GET, &framed), "cross_site");
        let twice = [("sec-fetch-site", "same-origin"), ("sec-fetch-site", "cross-site")];
        assert_eq!(told(&Method::GET, &twice), "cross_site");
    }
}

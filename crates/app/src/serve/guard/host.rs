//! Which names a request may call this server by.
//!
//! A page of a stranger can make its own name point to this machine (DNS rebinding) and would then be of the same origin as
//! we are; the name in `Host` gives it away. An address cannot be pointed elsewhere, a name can, so names have to be listed.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use axum::http::header::HOST;
use axum::http::request::Parts;

use crate::serve::failure::Failure;

/// Name or address of a server.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Name {
    /// In lower case, without a dot at the end.
    Word(String),
    Address(IpAddr),
}

/// What stands between `http://` and the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Authority {
    name: Name,
    port: Option<u16>,
}

impl Authority {
    /// Reads `NAME`, `NAME:PORT`, `ADDRESS:PORT`, `[ADDRESS]:PORT`; nothing else, no user, no path, no spaces.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        if let Some(rest) = text.strip_prefix('[') {
            let (address, rest) = rest.split_once(']')?;
            let address: Ipv6Addr = address.parse().ok()?;
            let port = if rest.is_empty() { None } else { Some(port(rest.strip_prefix(':')?)?) };
            return Some(Self { name: Name::Address(IpAddr::V6(address).to_canonical()), port });
        }
        let (name, port) = match text.split_once(':') {
            Some((name, digits)) => (name, Some(port(digits)?)),
            None => (text, None),
        };
        Some(Self { name: plain(name)?, port })
    }

    /// The port, or the one that the scheme means.
    fn port_of(&self, scheme: &str) -> u16 {
        self.port.unwrap_or(if scheme == "https" { 443 } else { 80 })
    }

    /// Whether both are the same place under this scheme.
    pub(crate) fn same(&self, other: &Self, scheme: &str) -> bool {
        self.name == other.name && self.port_of(scheme) == other.port_of(scheme)
    }

    /// Whether it can only mean this machine.
    pub(crate) fn is_loopback(&self) -> bool {
        match &self.name {
            Name::Word(word) => word == "localhost",
            Name::Address(address) => address.is_loopback(),
        }
    }
}

fn plain(name: &str) -> Option<Name> {
    if let Ok(address) = name.parse::<Ipv4Addr>() {
        return Some(Name::Address(address.into()));
    }
    let name = name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase();
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
    let whole = !name.is_empty() && !name.starts_with('.') && !name.ends_with('.');
    (whole && name.bytes().all(valid)).then_some(Name::Word(name))
}

fn port(digits: &str) -> Option<u16> {
    let plain = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    plain.then(|| digits.parse().ok()).flatten()
}

/// The names that this server answers to.
#[derive(Debug)]
pub(crate) struct Hosts {
    named: Vec<Authority>,
    bound: IpAddr,
}

impl Hosts {
    /// Names of this machine, where it listens, and those that were named.
    pub(crate) fn new(bound: SocketAddr, named: Vec<Authority>) -> Self {
        Self { named, bound: bound.ip().to_canonical() }
    }

    /// Whether it is meant to be reached from elsewhere.
    pub(crate) fn reach_out(&self) -> bool {
        !self.bound.is_loopback() || self.named.iter().any(|named| !named.is_loopback())
    }

    /// Whether a request may call us so. Of this machine's own names any port is right, since a port can be forwarded
    /// (`ssh -L`); of a name that was given with a port, only that.
    fn allows(&self, asked: &Authority) -> bool {
        let bound = match asked.name {
            // Whoever listens everywhere is called by addresses that it may not even know.
            Name::Address(address) => address == self.bound || self.bound.is_unspecified(),
            Name::Word(_) => false,
        };
        let named = |named: &Authority| {
            named.name == asked.name && (named.port.is_none() || named.port == asked.port)
        };
        asked.is_loopback() || bound || self.named.iter().any(named)
    }

    /// The name that a request calls us by.
    ///
    /// # Errors
    /// None, two of them, one in the target that differs, or one that is not ours.
    pub(crate) fn check(&self, head: &Parts) -> Result<Authority, Failure> {
        let asked = asked(head)?;
        if self.allows(&asked) {
            return Ok(asked);
        }
        let told = "this server does not go by the name in the header Host";
        Err(Failure::forbidden("host_not_allowed", told)
            .hint("if the name is right, start the server with --allow-host NAME"))
    }
}

fn asked(head: &Parts) -> Result<Authority, Failure> {
    let bad = |what: &str| Failure::bad("bad_host", what.to_owned());
    let mut hosts = head.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(bad("expected the header Host exactly once"));
    };
    let host = host.to_str().ok().and_then(Authority::parse);
    let host = host.ok_or_else(|| bad("the header Host: expected NAME or NAME:PORT"))?;
    // `GET http://name/path`: a proxy's way to ask. Two names for one request are a trick.
    if let Some(target) = head.uri.authority()
        && Authority::parse(target.as_str()).as_ref() != Some(&host)
    {
        return Err(bad("the address names another server than the header Host"));
    }
    if !head.uri.path().starts_with('/') {
        return Err(bad("expected a path that begins with /"));
    }
    Ok(host)
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::http::Request;

    fn hosts(bound: &str, named: &[&str]) -> Hosts {
        let named = named.iter().map(|name| Authority::parse(name).unwrap()).collect();
        Hosts::new(bound.parse().unwrap(), named)
    }

    fn told(hosts: &Hosts, target: &str, host: &[&str]) -> &'static str {
        let mut request = Request::get(target);
        for host in host {
            request = request.header("host", *host);
        }
        let (head, ()) = request.body(()).unwrap().into_parts();
        hosts.check(&head).map_or_else(|failure| failure.code(), |_| "allowed")
    }

    #[test]
    fn this_machine_goes_by_its_own_names_only() {
        let hosts = hosts("127.0.0.1:7700", &[]);
        for host in [
            "127.0.0.1:7700",
            "localhost:7700",
            "LOCALHOST",
            "localhost.:7700",
            "[::1]:7700",
            "localhost:9000",
            "127.9.9.9",
            "[::ffff:127.0.0.1]:7700",
        ] {
            assert_eq!(told(&hosts, "/", &[host]), "allowed", "{host}");
        }
        for host in [
            "evil.example",
            "127.0.0.1.evil.example",
            "localhost.evil.example:7700",
            "192.168.1.5:7700",
            "0.0.0.0:7700",
            "2130706433",
            "0x7f.1",
            "evil-localhost",
        ] {
            assert_eq!(told(&hosts, "/", &[host]), "host_not_allowed", "{host}");
        }
        for host in [
            "",
            ":7700",
            "localhost:",
            "localhost:99999",
            "localhost:+80",
            "a@localhost",
            "localhost/x",
            "local host",
            "[::1",
            "::1",
            "[fe80::1%25eth0]",
            "localhost..",
            "localhost, evil.example",
        ] {
            assert_eq!(told(&hosts, "/", &[host]), "bad_host", "{host:?}");
        }
    }

    #[test]
    fn one_request_has_one_name() {
        let hosts = hosts("127.0.0.1:7700", &[]);
        assert_eq!(told(&hosts, "/", &[]), "bad_host");
        assert_eq!(told(&hosts, "/", &["localhost", "evil.example"]), "bad_host");
        assert_eq!(told(&hosts, "/", &["localhost", "localhost"]), "bad_host");
        assert_eq!(told(&hosts, "http://localhost/a", &["localhost"]), "allowed");
        assert_eq!(told(&hosts, "http://evil.example/a", &["localhost"]), "bad_host");
        assert_eq!(told(&hosts, "http://evil.example/a", &["evil.example"]), "host_not_allowed");
    }

    #[test]
    fn another_address_is_allowed_where_it_is_listened_at() {
        let one = hosts("192.168.1.5:80", &["Photos.Example", "cat.example:8443"]);
        assert!(one.reach_out() && !hosts("[::1]:7700", &["localhost"]).reach_out());
        assert!(hosts("127.0.0.1:80", &["photos.example"]).reach_out());
        for host in ["192.168.1.5", "photos.example.", "photos.example:81", "cat.example:8443"] {
            assert_eq!(told(&one, "/", &[host]), "allowed", "{host}");
        }
        for host in ["192.168.1.6", "cat.example", "cat.example:1"] {
            assert_eq!(told(&one, "/", &[host]), "host_not_allowed", "{host}");
        }
        let everywhere = hosts("0.0.0.0:80", &[]);
        assert_eq!(told(&everywhere, "/", &["10.1.2.3:80"]), "allowed");
        assert_eq!(told(&everywhere, "/", &["rebound.example"]), "host_not_allowed");
    }

    #[test]
    fn a_port_may_be_left_out_where_the_scheme_says_it() {
        let at = |text| Authority::parse(text).unwrap();
        assert!(at("a.example").same(&at("A.example:443"), "https"));
        assert!(!at("a.example").same(&at("a.example:443"), "http"));
    }
}

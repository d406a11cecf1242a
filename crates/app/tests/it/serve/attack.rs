//! Pages of strangers against a server that listens to this machine only.

use super::client::{Answer, Request, Server};
use super::{id, indexed, rows};

/// What every answer must say, whatever it answers.
fn assert_safe(answer: &Answer, what: &str) {
    let is = |name: &str, value: &str| {
        assert_eq!(answer.header(name), Some(value), "{what}: {name}");
    };
    is("x-content-type-options", "nosniff");
    is("x-frame-options", "DENY");
    is("referrer-policy", "same-origin");
    is("cross-origin-resource-policy", "same-origin");
    let policy = answer.header("content-security-policy").unwrap_or_default();
    assert!(policy.starts_with("default-src 'none'"), "{what}: {policy}");
    assert!(!policy.contains("unsafe") && !policy.contains('*'), "{what}: {policy}");
    assert!(answer.header("x-request-id").is_some(), "{what}");
    let granted = answer.headers.iter().find(|(name, _)| name.starts_with("access-control-"));
    assert_eq!(granted, None, "{what}");
}

fn refused(server: &Server, request: &Request, status: u16, code: &str) {
    let answer = server.send(request);
    assert_eq!(answer.failure(), (status, code.to_owned()), "{request:?}");
    assert_safe(&answer, code);
    assert_eq!(answer.header("cache-control"), Some("no-store"));
}

#[test]
fn a_name_that_was_pointed_to_this_machine_finds_nothing() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let port = server.address.split_once(':').unwrap().1.to_owned();
    for path in ["/api/search", "/healthz", "/metrics", "/nothing", "/"] {
        let asked = |host: &str| server.request("GET", path).header("Host", host);
        for host in ["evil.example", "evil.example:7700", "192.168.0.1", "localhost.evil.example"] {
            refused(&server, &asked(host), 403, "host_not_allowed");
        }
        for host in ["", "a@localhost", "localhost:x", "localhost/..", "[::1", "local\thost"] {
            refused(&server, &asked(host), 400, "bad_host");
        }
    }
    for host in ["LOCALHOST", "localhost.", "[::1]", "127.0.0.1"] {
        let asked = server.request("GET", "/healthz").header("Host", &format!("{host}:{port}"));
        assert_eq!(server.send(&asked).status, 200, "{host}");
    }
}

#[test]
fn a_request_that_names_two_servers_or_none_is_refused() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let host = &server.address;
    for (request, code) in [
        ("GET /healthz HTTP/1.1\r\n".to_owned(), "bad_host"),
        ("GET /healthz HTTP/1.0\r\n".to_owned(), "bad_host"),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: evil.example\r\n"), "bad_host"),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nHost: {host}\r\n"), "bad_host"),
        (format!("GET http://evil.example/healthz HTTP/1.1\r\nHost: {host}\r\n"), "bad_host"),
        (
            "GET http://evil.example/healthz HTTP/1.1\r\nHost: evil.example\r\n".to_owned(),
            "host_not_allowed",
        ),
        (format!("CONNECT {host} HTTP/1.1\r\nHost: {host}\r\n"), "bad_host"),
        (format!("OPTIONS * HTTP/1.1\r\nHost: {host}\r\n"), "bad_host"),
        (
            format!("GET /healthz HTTP/1.1\r\nHost: evil.example\r\nX-Forwarded-Host: {host}\r\n"),
            "host_not_allowed",
        ),
    ] {
        let answer = server.send_raw(format!("{request}Connection: close\r\n\r\n").as_bytes());
        assert_eq!(answer.failure().1, code, "{request}");
        assert_safe(&answer, code);
    }
    let absolute =
        format!("GET http://{host}/healthz HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n");
    assert_eq!(server.send_raw(absolute.as_bytes()).status, 200);
}

#[test]
fn a_page_of_another_site_can_neither_read_nor_change_anything() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let ours = format!("http://{}", server.address);
    let target = format!("/api/pictures/{}", id(&rows(&folder)[0]));
    for origin in ["http://evil.example", "null", "http://localhost:1", "https://evil.example"] {
        for (method, path) in [("GET", "/api/search"), ("POST", "/api/search"), ("DELETE", &target)]
        {
            let request = server.request(method, path).allowed().header("Origin", origin);
            refused(&server, &request, 403, "cross_site");
        }
        let asks_first = server
            .request("OPTIONS", &target)
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "DELETE");
        refused(&server, &asks_first, 403, "cross_site");
    }
    for site in ["cross-site", "same-site"] {
        for method in ["GET", "POST"] {
            let request = server.request(method, "/api/search").allowed();
            refused(&server, &request.header("Sec-Fetch-Site", site), 403, "cross_site");
        }
    }
    let unmarked = server.request("DELETE", &target).header("Origin", &ours);
    refused(&server, &unmarked, 403, "not_marked");
    for mark in ["0", "true", ""] {
        refused(&server, &unmarked.clone().header("X-Finelens", mark), 403, "not_marked");
    }
    let form =
        server.request("POST", "/api/pictures").body("text/plain", "a=b").header("Origin", &ours);
    refused(&server, &form, 403, "not_marked");
    let link = server
        .request("GET", "/healthz")
        .header("Sec-Fetch-Site", "cross-site")
        .header("Sec-Fetch-Mode", "navigate")
        .header("Sec-Fetch-Dest", "document");
    assert_eq!(server.send(&link).status, 200);
}

#[test]
fn every_answer_has_its_headers() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let thumbnail =
        format!("/api/pictures/{}/thumbnail", id(&rows(&folder)[0]).replace('/', "%2F"));
    for path in
        ["/healthz", "/api/search?limit=0", "/nothing", "/metrics", "/api/openapi.json", &thumbnail]
    {
        assert_safe(&server.get(path), path);
    }
    assert_safe(&server.send(&server.request("DELETE", "/healthz").allowed()), "DELETE");
    assert_safe(&server.send(&server.request("BREW", "/healthz").allowed()), "BREW");
}

#[test]
fn a_change_is_refused_where_nothing_may_be_changed() {
    let folder = indexed();
    let server = Server::start(&folder, &["--read-only"]);
    let request = server.request("DELETE", "/api/pictures/x").allowed();
    let code = server.send(&request).failure().1;
    assert!(code == "read_only" || code == "not_found", "{code}");
    let session = server.json("/api/session");
    assert_eq!((&session["can_read"], &session["can_write"]), (&true.into(), &false.into()));
}

#[test]
fn others_can_reach_it_only_with_a_token_or_on_purpose() {
    let folder = indexed();
    let serve = ["serve", "--index", "index", "--addr", "0.0.0.0:0"];
    let told = folder.shown(&folder.run(&serve));
    assert!(told.contains("exit 2") && told.contains("--write-token-file"), "{told}");
    let proxy = folder.run(&[
        "serve",
        "--index",
        "index",
        "--addr",
        "127.0.0.1:0",
        "--allow-host",
        "a.example",
    ]);
    assert!(folder.shown(&proxy).contains("exit 2"));
    let server = Server::spawn(folder.command(&[&serve[..], &["--insecure"]].concat()));
    assert_eq!(server.get("/healthz").status, 200);
    let rebound = server.request("GET", "/healthz").header("Host", "evil.example");
    refused(&server, &rebound, 403, "host_not_allowed");
}

#[test]
fn a_short_token_ends_the_server_before_it_begins() {
    let folder = indexed();
    folder.write("short", "secret\n");
    let mut command = folder.command(&[
        "serve",
        "--index",
        "index",
        "--addr",
        "127.0.0.1:0",
        "--write-token-file",
        "short",
    ]);
    let told = folder.shown(&command.output().unwrap());
    assert!(
        told.contains("expected a token of 24 letters or more") && told.contains("found 6"),
        "{told}"
    );
    assert!(!told.contains("secret"), "a token is never printed: {told}");
}

#[test]
fn what_a_proxy_may_say_changes_no_answer() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let plain = server.get("/about");
    let said = [
        ("X-Forwarded-Host", "evil.example"),
        ("X-Forwarded-Proto", "https"),
        ("X-Forwarded-Prefix", "/evil"),
        ("X-Host", "evil.example"),
        ("X-Original-URL", "/metrics"),
        ("X-Rewrite-URL", "/metrics"),
        ("X-HTTP-Method-Override", "DELETE"),
        ("Forwarded", "host=evil.example;proto=https"),
    ];
    let mut request = server.request("GET", "/about");
    for (name, value) in said {
        request = request.header(name, value);
    }
    let answer = server.send(&request);
    assert!((answer.status, &answer.body) == (plain.status, &plain.body), "{}", answer.text());
    assert!(!answer.headers.iter().any(|(_, value)| value.contains("evil")));
    assert_eq!(plain.header("cache-control"), Some("no-store"), "nobody may keep it for others");
    let form = [("image", &picture()[..]), ("caption", b"a boat")];
    let added = request_to_add(&server, &form).header("X-Forwarded-Host", "evil.example");
    let place = server.send(&added).header("location").unwrap().to_owned();
    assert!(place.starts_with("/api/pictures/"), "{place}");
}

/// A small PNG.
fn picture() -> Vec<u8> {
    let mut bytes = std::io::Cursor::new(Vec::new());
    image::RgbImage::new(20, 20).write_to(&mut bytes, image::ImageFormat::Png).unwrap();
    bytes.into_inner()
}

fn request_to_add(server: &Server, form: &[(&str, &[u8])]) -> Request {
    server.request("POST", "/api/pictures").allowed().form(form)
}

//! Clients that send too much, or nothing at all, for as long as they can.

use std::io::{Read, Write};
use std::time::{Duration, Instant};

use super::client::Server;
use super::indexed;

#[test]
fn a_head_that_does_not_end_is_not_read_to_its_end() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let host = &server.address;
    let many = (0..100).map(|number| format!("X-{number}: a\r\n")).collect::<Vec<_>>().concat();
    let long = "a".repeat(300_000);
    for (head, status) in [
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\n{many}\r\n"), [431, 400]),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX: {long}\r\n\r\n"), [431, 400]),
        (format!("GET /{long} HTTP/1.1\r\nHost: {host}\r\n\r\n"), [431, 414]),
        (format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX: a\0b\r\n\r\n"), [400, 400]),
        (format!("GET /healthz HTTP/1.1\r\nHost : {host}\r\n\r\n"), [400, 400]),
        ("\u{16}\u{3}\u{1}\0 not HTTP at all\r\n\r\n".to_owned(), [400, 400]),
    ] {
        let answer = server.send_raw(head.as_bytes());
        assert!(status.contains(&answer.status), "{} {:.60}", answer.status, head);
    }
    assert_eq!(server.get("/healthz").status, 200);
}

#[test]
fn a_body_longer_than_its_route_reads_is_refused() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let host = &server.address;
    let post = |path: &str, rest: &str| {
        format!(
            "POST {path} HTTP/1.1\r\nHost: {host}\r\nX-Finelens: 1\r\nConnection: close\r\n{rest}"
        )
    };
    let announced = post(
        "/api/login",
        "Content-Type: application/json\r\nContent-Length: 99999999999\r\n\r\n{",
    );
    assert_eq!(server.send_raw(announced.as_bytes()).failure(), (413, "too_large".to_owned()));
    let chunk = format!("2000\r\n{}\r\n", "a".repeat(0x2000));
    let unannounced = post(
        "/api/login",
        &format!(
            "Content-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n{chunk}0\r\n\r\n"
        ),
    );
    assert_eq!(server.send_raw(unannounced.as_bytes()).failure(), (413, "too_large".to_owned()));
}

#[test]
fn two_lengths_for_one_body_are_refused() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let host = &server.address;
    for lengths in [
        "Content-Length: 5\r\nContent-Length: 6\r\n",
        "Content-Length: +5\r\n",
        "Content-Length: 5, 6\r\n",
        "Content-Length: 5\r\nTransfer-Encoding: chunked, identity\r\n",
        "Transfer-Encoding: identity\r\n",
    ] {
        let request = format!(
            "POST /api/login HTTP/1.1\r\nHost: {host}\r\nX-Finelens: 1\r\n{lengths}\r\nhello"
        );
        assert_eq!(server.send_raw(request.as_bytes()).status, 400, "{lengths}");
    }
    // Both: chunks count, and the connection ends, so that nothing can be hidden behind it.
    let both = format!(
        "POST /api/login HTTP/1.1\r\nHost: {host}\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n\
         0\r\n\r\nGET /metrics HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
    );
    let mut stream = server.connect();
    stream.write_all(both.as_bytes()).unwrap();
    let mut told = String::new();
    let _ = stream.read_to_string(&mut told);
    assert!(!told.contains("finelens_requests"), "{told}");
}

#[test]
fn whoever_says_nothing_is_cut_off_and_holds_up_nobody() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let host = &server.address;
    let heads = [
        String::new(),
        "GET /heal".to_owned(),
        format!("GET /healthz HTTP/1.1\r\nHost: {host}\r\nX: "),
        format!(
            "POST /api/login HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/json\r\nContent-Length: 30\r\n\r\n{{"
        ),
    ];
    let begun = Instant::now();
    let mut streams: Vec<_> = (0..40)
        .map(|number| {
            let mut stream = server.connect();
            stream.write_all(heads[number % heads.len()].as_bytes()).unwrap();
            stream
        })
        .collect();
    assert_eq!(server.get("/healthz").status, 200, "others are answered meanwhile");
    for stream in &mut streams {
        stream.set_read_timeout(Some(Duration::from_secs(40))).unwrap();
        let mut told = Vec::new();
        let _ = stream.read_to_end(&mut told);
        let told = String::from_utf8_lossy(&told).into_owned();
        assert!(told.is_empty() || told.contains(" 408 "), "{told}");
    }
    assert!(begun.elapsed() < Duration::from_secs(40), "{:?}", begun.elapsed());
}

#[test]
fn what_is_nested_without_end_is_refused_and_breaks_nothing() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let deep = |open: &str, close: &str, times: usize| open.repeat(times) + &close.repeat(times);
    let id = super::encoded(&super::id(&super::rows(&folder)[0]));
    let change = server.request("PATCH", &format!("/api/pictures/{id}")).allowed();
    for document in [
        format!("{{\"metadata\":{{\"a\":{}}}}}", deep("[", "]", 200_000)),
        format!("{{\"metadata\":{}1{}}}", "{\"a\":".repeat(100_000), "}".repeat(100_000)),
        deep("[", "]", 400_000),
        "[".repeat(900_000),
    ] {
        let answer = server.send(&change.clone().body("application/json", document));
        assert_eq!(answer.failure(), (400, "bad_document".to_owned()));
    }
    for filter in [
        deep("(", ")", 9_000),
        "not+".repeat(12_000) + "a+exists",
        "a+=+1+and+".repeat(4_000) + "a+=+1",
        "a+in+(".to_owned() + &"x,".repeat(15_000) + "x)",
    ] {
        let answer = server.get(&format!("/api/search?filter={filter}"));
        assert!(matches!(answer.status, 200 | 422), "{}: {:.60}", answer.status, filter);
    }
    for words in [deep("%22", "%22", 8_000), "%2B".repeat(15_000), "a*+".repeat(15_000)] {
        let answer = server.get(&format!("/api/search?mode=lexical&q={words}"));
        assert!(matches!(answer.status, 200 | 422), "{}: {:.60}", answer.status, words);
    }
    assert_eq!(server.get("/healthz").status, 200);
}

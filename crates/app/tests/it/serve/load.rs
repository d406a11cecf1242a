//! Many at once.

use std::io::{Read, Write};

use super::client::Server;
use super::indexed;

#[test]
fn whoever_comes_is_answered_or_told_to_come_again() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let ask = |client: usize| -> Vec<(u16, bool)> {
        let asked = (0..20).map(|number| {
            let answer = server.get(&format!("/api/search?q=word{client}x{number}&exact"));
            (answer.status, answer.header("retry-after").is_some())
        });
        asked.collect()
    };
    let answers: Vec<(u16, bool)> = std::thread::scope(|scope| {
        let clients: Vec<_> = (0..64).map(|client| scope.spawn(move || ask(client))).collect();
        clients.into_iter().flat_map(|client| client.join().unwrap()).collect()
    });
    assert_eq!(answers.len(), 64 * 20);
    assert!(
        answers.iter().all(|answer| matches!(answer, (200, false) | (429, true))),
        "{answers:?}"
    );
    assert!(answers.iter().any(|(status, _)| *status == 200));
    assert_eq!(server.json("/readyz")["status"], "ok");
}

#[test]
#[cfg(unix)]
fn a_request_in_flight_is_answered_before_the_end() {
    let folder = indexed();
    let mut server = Server::start(&folder, &[]);
    server.json("/api/search?q=river");
    let request = server
        .request("POST", "/api/search")
        .allowed()
        .form(&[("q", b"river"), ("mode", b"lexical")])
        .header("Expect", "100-continue")
        .bytes();
    let mut stream = server.connect();
    let (begin, end) = request.split_at(request.len() - 4);
    stream.write_all(begin).unwrap();
    // Said when the server begins to read what is sent: from here on the request is in flight.
    let mut go_on = [0; 25];
    stream.read_exact(&mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.terminate();
    while std::net::TcpStream::connect(&server.address).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(end).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert_eq!(server.wait(), Some(0));
}

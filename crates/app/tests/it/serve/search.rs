//! Searching over HTTP.

use super::client::Server;
use super::{encoded, id, ids, indexed, rows};

#[test]
fn words_find_their_picture_and_pages_go_on() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let row = &rows(&folder)[2];
    let caption = encoded(row["captions"][0].as_str().unwrap());
    let found = server.json(&format!("/api/search?mode=lexical&q={caption}"));
    assert_eq!(ids(&found)[0], id(row));
    assert!(!found["hits"][0]["marks"][0].as_array().unwrap().is_empty());
    let page = server.json(&format!("/api/search?mode=lexical&q={caption}&offset=1&limit=1"));
    assert_eq!(ids(&page), ids(&found)[1..2]);
    assert_eq!(page["hits"][0]["rank"], 2);
}

#[test]
fn a_question_that_cannot_be_understood_is_answered_with_what_was_expected() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    for (asked, code) in [
        ("filter=year+%3E%3D", "bad_filter"),
        ("mode=magic", "bad_parameter"),
        ("limit=0", "bad_parameter"),
        ("limit=201", "bad_parameter"),
        ("offset=-1", "bad_parameter"),
        ("query=boat", "unknown_parameter"),
        ("index=other", "no_index"),
    ] {
        let answer = server.get(&format!("/api/search?{asked}"));
        assert_eq!(answer.failure(), (400, code.to_owned()), "{asked}");
        assert!(answer.json()["error"]["hint"].is_string() || code == "bad_parameter", "{asked}");
    }
    assert_eq!(server.get("/api/nothing").failure(), (404, "not_found".to_owned()));
    let wrong = server.send(&server.request("DELETE", "/api/search"));
    assert_eq!(wrong.failure(), (405, "wrong_method".to_owned()));
}

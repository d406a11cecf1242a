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
    for (asked, status, code) in [
        ("filter=year+%3E%3D", 422, "bad_filter"),
        ("mode=magic", 400, "bad_parameter"),
        ("limit=0", 400, "bad_parameter"),
        ("limit=201", 400, "bad_parameter"),
        ("offset=-1", 400, "bad_parameter"),
        ("query=boat", 400, "unknown_parameter"),
        ("index=other", 404, "no_index"),
    ] {
        let answer = server.get(&format!("/api/search?{asked}"));
        assert_eq!(answer.failure(), (status, code.to_owned()), "{asked}");
        assert!(answer.json()["error"]["hint"].is_string() || code == "bad_parameter", "{asked}");
    }
    assert_eq!(server.get("/api/nothing").failure(), (404, "not_found".to_owned()));
    let wrong = server.send(&server.request("DELETE", "/api/search").allowed());
    assert_eq!(wrong.failure(), (405, "wrong_method".to_owned()));
}

#[test]
fn words_and_pictures_are_added_and_subtracted() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let all = rows(&folder);
    let like = server.json(&format!("/api/search?like={}", encoded(&id(&all[1]))));
    assert_eq!(ids(&like).len(), 5);
    assert!(!ids(&like).contains(&id(&all[1])));
    // The same as the command finds.
    let printed =
        folder.succeeds(&["search", "--index", "index", "--json", "-q", "--like", &id(&all[1])]);
    let printed: serde_json::Value = serde_json::from_str(&printed).unwrap();
    assert_eq!(ids(&printed), ids(&like));
    let away = server.json(&format!(
        "/api/search?like={}&subtract=id:{}&add=snow&weight=1",
        encoded(&id(&all[1])),
        encoded(&id(&all[3]))
    ));
    assert_eq!(ids(&away).len(), 4);
    let cancelled = server.get("/api/search?add=snow&subtract=snow");
    assert_eq!(cancelled.failure(), (422, "bad_query".to_owned()));
    assert_eq!(server.get("/api/search?like=nobody").failure(), (404, "no_picture".to_owned()));
    assert_eq!(server.get("/api/search?picture=ff").failure(), (404, "no_upload".to_owned()));
    assert_eq!(
        server.get("/api/search?mode=lexical&like=a").failure(),
        (422, "bad_query".to_owned())
    );
}

#[test]
fn a_hybrid_has_its_weight_and_hits_that_fit_too_little_are_left_out() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let caption = encoded(rows(&folder)[2]["captions"][0].as_str().unwrap());
    let found = server.json(&format!("/api/search?q={caption}&weight=0.25"));
    assert_eq!(found["rule"], serde_json::json!({"kind": "convex", "weight": 0.25}));
    let scores: Vec<f64> = found["hits"]
        .as_array()
        .unwrap()
        .iter()
        .map(|hit| hit["scores"]["fused"].as_f64().unwrap())
        .collect();
    let least = f64::midpoint(scores[1], scores[2]);
    let best = server.json(&format!("/api/search?q={caption}&weight=0.25&min_score={least}"));
    assert_eq!((ids(&best), &best["more"]), (ids(&found)[..2].to_vec(), &false.into()));
}

#[test]
fn browsing_shows_what_came_last_first() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let mut expected: Vec<String> = rows(&folder).iter().map(id).collect();
    expected.reverse();
    assert_eq!(ids(&server.json("/api/search")), expected);
    let page = server.json("/api/search?offset=1&limit=2");
    assert_eq!((ids(&page), &page["more"]), (expected[1..3].to_vec(), &true.into()));
}

#[test]
fn the_other_index_answers_where_there_is_one() {
    let folder = indexed();
    folder.succeeds(&["index", "data", "--model", "model", "--into", "other", "--split", "valid"]);
    let server = Server::start(&folder, &["--compare", "other"]);
    assert_eq!(ids(&server.json("/api/search?index=other&q=a&mode=vector")).len(), 2);
    assert_eq!(ids(&server.json("/api/search?q=a&mode=vector")).len(), 6);
    let valid = &rows(&folder)[5];
    let known = server.json(&format!("/api/pictures/{}", encoded(&id(valid))));
    assert_eq!(known["indexes"], serde_json::json!(["main", "other"]));
}

#[test]
fn words_are_searched_where_the_model_is_gone() {
    let folder = indexed();
    fs_err::rename(folder.path("model"), folder.path("moved")).unwrap();
    let server = Server::start(&folder, &[]);
    let found = server.json("/api/search?q=river");
    assert!(found["notes"][0].as_str().unwrap().contains("by the words alone"), "{found}");
    let failure = server.get("/api/search?q=river&mode=vector").failure();
    assert_eq!(failure, (503, "no_model".to_owned()));
    let server = Server::start(&folder, &["--model", "moved"]);
    assert!(server.json("/api/search?q=river")["notes"].as_array().unwrap().is_empty());
}

#[test]
fn the_last_word_is_completed() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let caption = rows(&folder)[0]["captions"][0].as_str().unwrap().to_owned();
    let word = caption.split(' ').find(|word| word.len() > 3).unwrap();
    let begun = encoded(&format!("see {}", &word[..3]));
    let suggested = server.json(&format!("/api/suggest?q={begun}&limit=50"));
    let suggestions = suggested["suggestions"].as_array().unwrap();
    assert!(suggestions.contains(&format!("see {word}").into()), "{suggested}");
    assert_eq!(server.json("/api/suggest?q=")["suggestions"], serde_json::json!([]));
}

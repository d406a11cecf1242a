//! What a server says of itself, and that its description is true.

use super::client::Server;
use super::{encoded, id, indexed, rows};

#[test]
fn it_says_what_it_serves_and_no_path() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let answer = server.get("/api/about");
    let about = answer.json();
    let index = &about["indexes"][0];
    assert_eq!((&index["name"], &index["path_name"]), (&"main".into(), &"index".into()));
    assert_eq!((&index["pictures"], &index["dim"]), (&6.into(), &128.into()));
    assert_eq!((&index["rule"], &index["language"]), (&"rrf".into(), &"english".into()));
    assert_eq!(
        (&index["model"]["name"], &index["model"]["preset"]),
        (&"model".into(), &"tiny".into())
    );
    assert_eq!(index["model"]["image_size"], 32);
    assert!(index["training"].is_null() && index["evaluation"].is_null());
    assert_eq!(index["precisions"], serde_json::json!(["f32"]));
    assert_eq!(about["writable"], true);
    let path = folder.path("").display().to_string();
    assert!(!answer.text().contains(path.trim_end_matches('/')), "{}", answer.text());
}

#[test]
fn every_path_that_is_described_is_there_and_answers_to_its_methods_only() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let description = server.json("/api/openapi.json");
    let paths = description["paths"].as_object().unwrap();
    assert!(paths.len() >= 15, "{:?}", paths.keys());
    let known = encoded(&id(&rows(&folder)[0]));
    for (path, item) in paths {
        let address = path.replace("{id}", &known).replace("{picture}", &"0".repeat(64));
        for method in ["GET", "POST", "PUT", "PATCH", "DELETE"] {
            let described = item.get(method.to_lowercase());
            // Nothing is deleted before everything was asked.
            if described.is_some() && method == "DELETE" {
                continue;
            }
            let answer = server.send(&server.request(method, &address).allowed());
            assert_eq!(
                answer.status == 405,
                described.is_none(),
                "{method} {path}: {}",
                answer.status
            );
            if let Some(described) = described {
                let status = answer.status.to_string();
                assert!(described["responses"].get(&status).is_some(), "{method} {path}: {status}");
            }
        }
    }
}

#[test]
fn it_looks_for_things_in_pictures() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let row = &rows(&folder)[0];
    let known = encoded(&id(row));
    let found = server.json(&format!("/api/find?id={known}&text=a+river"));
    assert!(found["found"].is_boolean() && found["tiles"].as_u64().unwrap() > 0, "{found}");
    let cells = found["map"]["columns"].as_u64().unwrap() * found["map"]["rows"].as_u64().unwrap();
    assert_eq!(found["map"]["values"].as_array().unwrap().len() as u64, cells);
    let image = fs_err::read(folder.path("data").join(row["image"].as_str().unwrap())).unwrap();
    let form = server.request("POST", "/api/find").allowed();
    let sent = server.send(&form.clone().form(&[("image", &image), ("text", b"a river")]));
    assert_eq!(sent.json()["tiles"], found["tiles"]);
    for (asked, expected) in [
        (format!("id={known}"), (400, "bad_parameter")),
        ("text=a+river".to_owned(), (422, "bad_query")),
        ("id=nobody&text=a+river".to_owned(), (404, "no_picture")),
        (format!("picture={}&text=x", "0".repeat(64)), (404, "no_upload")),
    ] {
        let (status, code) = server.get(&format!("/api/find?{asked}")).failure();
        assert_eq!((status, code.as_str()), expected, "{asked}");
    }
}

#[test]
fn an_address_that_is_none_is_a_page_for_people_and_a_document_for_programs() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let people = server.send(&server.request("GET", "/nothing").header("Accept", "text/html,*/*"));
    assert_eq!(
        (people.status, people.header("content-type")),
        (404, Some("text/html; charset=utf-8"))
    );
    assert!(people.text().contains("There is no such page"), "{}", people.text());
    for (path, accept) in
        [("/nothing", "*/*"), ("/nothing", "application/json"), ("/api/nothing", "text/html")]
    {
        let programs = server.send(&server.request("GET", path).header("Accept", accept));
        assert_eq!(programs.failure(), (404, "not_found".to_owned()), "{path} {accept}");
    }
}

#[test]
fn pictures_to_compare_with_are_learned_before_anybody_asks() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let finding = || server.json("/api/about")["indexes"][0]["finding"].clone();
    while finding()["ready"] != true {
        std::thread::yield_now();
    }
    assert!(folder.path("index/find-sample.safetensors").is_file());
    assert_eq!(finding()["done"], finding()["of"]);
    // The next server knows it from the beginning.
    drop(server);
    let server = Server::start(&folder, &[]);
    let about = server.json("/api/about");
    let finding = &about["indexes"][0]["finding"];
    assert!(finding["ready"] == true || finding["of"] == 0, "{finding}");
}

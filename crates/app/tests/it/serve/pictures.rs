//! Adding, changing, deleting, and seeing it at once.

use serde_json::json;

use super::client::{Answer, Server};
use super::{encoded, id, ids, indexed, rows};
use crate::folder::Folder;

/// A picture that looks like no other, as PNG.
fn picture(red: u8) -> Vec<u8> {
    let mut png = std::io::Cursor::new(Vec::new());
    let pixel = |x: u32, y: u32| image::Rgb([red, (x * 3) as u8, (y * 5) as u8]);
    image::RgbImage::from_fn(40, 30, pixel).write_to(&mut png, image::ImageFormat::Png).unwrap();
    png.into_inner()
}

fn add(server: &Server, fields: &[(&str, &[u8])]) -> Answer {
    server.send(&server.request("POST", "/api/pictures").allowed().form(fields))
}

fn uploaded(folder: &Folder) -> usize {
    fs_err::read_dir(folder.path("index/uploads/pictures")).map_or(0, Iterator::count)
}

#[test]
fn an_added_picture_is_found_at_once_changed_and_deleted() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let image = picture(200);
    let added = add(
        &server,
        &[
            ("image", &image),
            ("caption", b"a zeppelin over a lighthouse"),
            ("caption", b"an airship"),
            ("metadata", br#"{"year": 1931, "tags": ["air", "sea"]}"#),
            ("id", b"in/zeppelin 1.png"),
        ],
    );
    assert_eq!(added.status, 201, "{}", added.text());
    let place = added.header("location").unwrap().to_owned();
    assert_eq!(server.json(&place), added.json());
    assert_eq!(added.json()["original"], true);
    assert_eq!(added.json()["indexes"], json!(["main"]));

    let by_words = server.json("/api/search?mode=lexical&q=zeppelin");
    assert_eq!(ids(&by_words), ["in/zeppelin 1.png"]);
    let by_filter =
        server.json(&format!("/api/search?filter={}", encoded("year < 1940 and tags = sea")));
    assert_eq!(ids(&by_filter), ["in/zeppelin 1.png"]);
    let form = server
        .request("POST", "/api/search")
        .allowed()
        .form(&[("mode", b"vector"), ("image", &image)]);
    let by_picture = server.send(&form).json();
    assert_eq!(ids(&by_picture)[0], "in/zeppelin 1.png");
    assert!(by_picture["hits"][0]["scores"]["vector"].as_f64().unwrap() > 0.999);

    let again = add(&server, &[("image", &image), ("id", b"in/zeppelin 1.png")]);
    assert_eq!(again.failure(), (409, "taken".to_owned()));

    let change =
        server.request("PATCH", &place).allowed().json(&json!({"captions": ["a balloon"]}));
    let changed = server.send(&change).json();
    assert_eq!(changed["captions"], json!(["a balloon"]));
    assert_eq!(changed["metadata"]["year"], 1931.0);
    assert!(ids(&server.json("/api/search?mode=lexical&q=zeppelin")).is_empty());
    assert_eq!(ids(&server.json("/api/search?mode=lexical&q=balloon")), ["in/zeppelin 1.png"]);

    assert_eq!(uploaded(&folder), 1);
    let other = picture(10);
    let replace =
        server.request("PUT", &place).allowed().form(&[("image", &other), ("caption", b"a kite")]);
    assert_eq!(server.send(&replace).json()["captions"], json!(["a kite"]));
    assert_eq!(uploaded(&folder), 1, "the replaced file is gone");

    let delete = server.request("DELETE", &place).allowed();
    assert_eq!(server.send(&delete).status, 204);
    assert_eq!(server.send(&delete).failure(), (404, "no_picture".to_owned()));
    assert_eq!(server.get(&place).failure(), (404, "no_picture".to_owned()));
    assert_eq!(uploaded(&folder), 0);
    drop(server);
    assert_eq!(folder.succeeds(&["admin", "verify", "index"]), "index: whole, 6 pictures\n");
}

#[test]
fn what_is_no_picture_is_not_taken() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let image = picture(1);
    for (fields, expected) in [
        (vec![("caption", &b"nothing"[..])], (400, "no_picture")),
        (vec![("image", &b""[..])], (415, "no_picture")),
        (vec![("image", &b"<svg xmlns='http://www.w3.org/2000/svg'/>"[..])], (415, "no_picture")),
        (vec![("image", &image[..image.len() / 2])], (422, "damaged_picture")),
        (vec![("image", &image[..]), ("image", &image[..])], (400, "no_picture")),
        (vec![("image", &image[..]), ("metadata", &b"[1]"[..])], (400, "bad_metadata")),
        (
            vec![("image", &image[..]), ("metadata", &b"{\"a\": {\"b\": 1}}"[..])],
            (400, "bad_metadata"),
        ),
        (vec![("image", &image[..]), ("id", &b".."[..])], (422, "bad_id")),
        (vec![("image", &image[..]), ("captions", &b"x"[..])], (400, "unknown_parameter")),
        (vec![("image", &image[..]), ("caption", &b"\xff"[..])], (400, "bad_form")),
    ] {
        let (status, code) = add(&server, &fields).failure();
        assert_eq!((status, code.as_str()), expected, "{fields:?}");
    }
    assert_eq!(uploaded(&folder), 0);
    let large = vec![0; 65 << 20];
    assert_eq!(add(&server, &[("image", &large)]).failure(), (413, "too_large".to_owned()));
    let no_form = server.request("POST", "/api/pictures").allowed().json(&json!({}));
    assert_eq!(server.send(&no_form).failure(), (400, "bad_form".to_owned()));
    let place = format!("/api/pictures/{}", encoded(&id(&rows(&folder)[0])));
    for (body, expected) in [
        (json!({"captions": "one"}), (400, "bad_document")),
        (json!([null, null]), (400, "bad_document")),
        (json!({"caption": []}), (400, "bad_document")),
        (json!({"metadata": {"a": null}}), (400, "bad_document")),
    ] {
        let answer = server.send(&server.request("PATCH", &place).allowed().json(&body));
        assert_eq!(answer.failure(), (expected.0, expected.1.to_owned()), "{body}");
    }
    let text = server.request("PATCH", &place).allowed().body("text/plain", "{}");
    assert_eq!(server.send(&text).failure(), (415, "bad_document".to_owned()));
}

#[test]
fn a_file_stays_as_long_as_a_picture_uses_it() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let image = picture(1);
    for id in ["one", "two"] {
        assert_eq!(add(&server, &[("image", &image), ("id", id.as_bytes())]).status, 201);
    }
    let at = |id: &str| format!("/api/pictures/{id}");
    let again = server.request("PUT", &at("one")).allowed().form(&[("image", &image)]);
    assert_eq!(server.send(&again).status, 200);
    let delete = |id: &str| server.send(&server.request("DELETE", &at(id)).allowed()).status;
    assert_eq!((uploaded(&folder), delete("one"), uploaded(&folder)), (1, 204, 1));
    assert_eq!(server.get("/api/pictures/two/original").body, image);
    assert_eq!((delete("two"), uploaded(&folder)), (204, 0));
    // A picture that an earlier version added: nobody wrote down who uses it.
    for id in ["three", "four"] {
        assert_eq!(add(&server, &[("image", &image), ("id", id.as_bytes())]).status, 201);
    }
    fs_err::remove_dir_all(folder.path("index/uploads/users")).unwrap();
    assert_eq!((delete("three"), uploaded(&folder)), (204, 1));
    assert_eq!((delete("four"), uploaded(&folder)), (204, 0));
}

#[test]
fn the_index_to_compare_with_stays_as_it_is() {
    let folder = indexed();
    folder.succeeds(&["index", "data", "--model", "model", "--into", "small", "--split", "valid"]);
    let more = ["serve", "--index", "small", "--compare", "index", "--addr", "127.0.0.1:0"];
    let server = Server::spawn(folder.command(&more));
    let place = format!("/api/pictures/{}", encoded(&id(&rows(&folder)[0])));
    for request in [
        server.request("DELETE", &place).allowed(),
        server.request("PATCH", &place).allowed().json(&json!({"captions": ["x"]})),
        server.request("PUT", &place).allowed().form(&[("image", &picture(1))]),
    ] {
        assert_eq!(server.send(&request).failure(), (403, "compared_only".to_owned()));
    }
    assert_eq!(server.get(&place).status, 200);
}

#[test]
fn nothing_is_changed_where_nothing_may_be() {
    let folder = indexed();
    let server = Server::start(&folder, &["--read-only"]);
    assert_eq!(add(&server, &[("image", &picture(1))]).failure(), (403, "read_only".to_owned()));
    let place = format!("/api/pictures/{}", encoded(&id(&rows(&folder)[0])));
    for request in [
        server.request("DELETE", &place).allowed(),
        server.request("PATCH", &place).allowed().json(&json!({})),
        server.request("PUT", &place).allowed().form(&[("image", &picture(1))]),
    ] {
        assert_eq!(server.send(&request).failure(), (403, "read_only".to_owned()));
    }
}

#[test]
fn an_index_that_somebody_else_writes_to_is_searched_but_not_changed() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    let lock = fs_err::File::open(folder.path("index/write.lock")).unwrap();
    lock.file().try_lock().unwrap();
    assert_eq!(add(&server, &[("image", &picture(1))]).failure(), (409, "locked".to_owned()));
    assert_eq!(server.json("/api/search")["hits"].as_array().unwrap().len(), 6);
    drop(lock);
    assert_eq!(add(&server, &[("image", &picture(1))]).status, 201);
}

#[test]
fn what_another_process_changes_is_seen() {
    let folder = indexed();
    let server = Server::start(&folder, &[]);
    assert_eq!(server.json("/api/search")["hits"].as_array().unwrap().len(), 6);
    let text = fs_err::read_to_string(folder.path("data/captions.jsonl")).unwrap();
    let fewer: Vec<&str> = text.lines().skip(1).collect();
    folder.write("data/captions.jsonl", fewer.join("\n"));
    folder.succeeds(&["index", "data", "--into", "index", "--prune"]);
    assert_eq!(server.json("/api/search")["hits"].as_array().unwrap().len(), 5);
}

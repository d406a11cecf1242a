//! The journey of someone who looks for a thing in a picture.

use std::process::Output;

use serde_json::Value;

use crate::folder::Folder;

/// Pictures enough to compare with, a model that knows nothing, and their index.
fn indexed() -> Folder {
    let folder = Folder::with_scenes(40, 0);
    folder.init();
    folder.succeeds(&["index", "data", "--model", "model", "--into", "ix"]);
    fs_err::copy(folder.path("data/images").join(id(&folder)), folder.path(PICTURE)).unwrap();
    folder
}

/// The id of the first picture.
fn id(folder: &Folder) -> String {
    let rows = fs_err::read_to_string(folder.path("data/captions.jsonl")).unwrap();
    let row: Value = serde_json::from_str(rows.lines().next().unwrap()).unwrap();
    row["image"].as_str().unwrap().trim_start_matches("images/").to_owned()
}

fn json(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

/// A picture of the data, somewhere else: nothing tells that it is in the index, too.
const PICTURE: &str = "picture.png";

#[test]
fn an_answer_says_yes_or_no_and_keeps_to_the_contract() {
    let folder = indexed();
    let output = folder.run(&["find", PICTURE, "a", "river", "--index", "ix", "--json"]);
    let answer = json(&output);
    assert_eq!(output.status.code(), Some(i32::from(!answer["found"].as_bool().unwrap())));
    let rate = answer["false_alarm"].as_f64().unwrap();
    assert!(rate > 0.0 && rate <= 1.0);
    assert_eq!(answer["found"], rate <= 0.1);
    for name in ["map", "soft_map"] {
        let map = &answer[name];
        let cells = map["columns"].as_u64().unwrap() * map["rows"].as_u64().unwrap();
        let values = map["values"].as_array().unwrap();
        assert_eq!(values.len() as u64, cells);
        assert!(values.iter().all(|value| (0.0..=1.0).contains(&value.as_f64().unwrap())));
    }
    assert_eq!(answer["boxes"].as_array().unwrap().is_empty(), answer["found"] == false);
}

#[test]
fn a_rate_that_allows_everything_finds_everything() {
    let folder = indexed();
    let words = ["find", PICTURE, "a river", "--index", "ix", "--false-alarm", "0.999", "-k", "2"];
    let table = folder.succeeds(&words);
    assert!(table.starts_with("a river: in this picture (false alarm "), "{table}");
    assert!(table.lines().all(|line| line.chars().count() <= 80), "{table}");
    let strict =
        folder.run(&["find", PICTURE, "a river", "--index", "ix", "--false-alarm", "0.001"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&strict.stdout).contains("not in this picture"));
}

#[test]
fn what_an_index_taught_is_kept_in_it() {
    let folder = indexed();
    let words = ["find", PICTURE, "a river", "--index", "ix", "--json"];
    let [first, second] = [folder.run(&words), folder.run(&words)];
    assert!(String::from_utf8_lossy(&first.stderr).contains("done once"));
    assert!(second.stderr.is_empty());
    let without_time = |output: &Output| {
        let mut answer = json(output);
        answer["took_ms"] = Value::Null;
        answer
    };
    assert_eq!(without_time(&first), without_time(&second));
    folder.write("ix/find-sample.safetensors", "damaged");
    assert_eq!(without_time(&folder.run(&words)), without_time(&first), "it is made again");
}

#[test]
fn a_picture_of_the_index_is_not_compared_with_itself() {
    let folder = indexed();
    let id = id(&folder);
    let answer = json(&folder.run(&["find", &id, "quasar", "--index", "ix", "--json"]));
    let told = answer["explanation"].as_str().unwrap();
    assert!(told.starts_with("Of 39 pictures of the index"), "{told}");
}

#[test]
fn without_an_index_a_feature_is_compared_with_other_things() {
    let folder = indexed();
    let answer = json(&folder.run(&["find", PICTURE, "a river", "--model", "model", "--json"]));
    assert_eq!(answer["false_alarm"], Value::Null);
    let told = answer["explanation"].as_str().unwrap();
    assert!(told.starts_with("Of 95 other things"), "a river is not compared with a river: {told}");
}

#[test]
fn a_drawing_shows_picture_and_legend() {
    let folder = indexed();
    folder.run(&["find", PICTURE, "a river", "--index", "ix", "--out", "found.png"]);
    let drawing = image::open(folder.path("found.png")).unwrap();
    assert_eq!((drawing.width(), drawing.height()), (768, 768 + 64));
}

#[test]
fn mistakes_are_told_with_what_to_do() {
    let folder = indexed();
    let told = |words: &[&str]| folder.shown(&folder.run(&[&["find"], words].concat()));
    insta::assert_snapshot!(told(&["no.jpg", "x", "--index", "ix"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: no.jpg: neither a file nor the id of a picture in ix

    hint: check the path; ids are what a search prints under `picture`
    ");
    insta::assert_snapshot!(told(&["data/captions.jsonl", "x", "--index", "ix"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: data/captions.jsonl: not a JPEG, PNG, WebP, TIFF, BMP or GIF picture (it begins with [7b, 22, 69, 6d, 61, 67, 65, 22])

    hint: name a JPEG, PNG, WebP, TIFF, BMP or GIF file
    ");
    insta::assert_snapshot!(told(&[PICTURE, " ", "--index", "ix"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: no feature to look for

    hint: say what to look for, such as: finelens find port.jpg a boat --index photos.index
    ");
    insta::assert_snapshot!(told(&[PICTURE, "x", "--model", "nowhere"]), @r"
    exit 2
    -- stdout
    -- stderr
    error: nowhere: no such folder

    hint: pass a model folder, a run, or a hub id such as openai/clip-vit-base-patch32
    ");
}

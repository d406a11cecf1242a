//! What stops at once, and whether the message says what was seen.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up should panic")]

use finelens_data::{Error, Layout, Options, open};
use proptest::prelude::*;
use tempfile::TempDir;

fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        fs_err::create_dir_all(path.parent().unwrap()).unwrap();
        fs_err::write(path, text).unwrap();
    }
    folder
}

fn refused(folder: &TempDir, options: &Options) -> (Error, String) {
    let error = open(folder.path(), options).unwrap_err();
    assert!(!error.hint().is_empty());
    let text = error.to_string().replace(&folder.path().display().to_string(), "DATA");
    (error, text)
}

fn message(files: &[(&str, &str)]) -> String {
    refused(&folder(files), &Options::default()).1
}

const TABLE: &str = "image,caption\na.jpg,one\n";

#[test]
fn a_path_that_is_not_there() {
    let error = open("no/such/place".as_ref(), &Options::default()).unwrap_err();
    assert_eq!(error.to_string(), "no/such/place: no such file or folder");
    let options = Options { image_root: Some("nowhere".into()), ..Options::default() };
    assert!(matches!(
        refused(&folder(&[("captions.csv", TABLE)]), &options).0,
        Error::NotFound { .. }
    ));
}

#[test]
fn a_folder_without_captions_lists_what_is_there() {
    let text = message(&[("images/a.jpg", ""), ("README.txt", "Some words.\n"), ("b.jpg", "")]);
    assert!(text.starts_with("DATA: no known layout; looked for a .json with images"), "{text}");
    assert!(text.ends_with("found images/, README.txt, 1 pictures"), "{text}");
}

#[test]
fn several_files_that_could_be_meant() {
    let text = message(&[("a.csv", TABLE), ("b.csv", TABLE), ("a.jpg", "")]);
    assert_eq!(text, "DATA: several files could hold the captions: a.csv (table), b.csv (table)");
    let split_twice =
        [("train.csv", TABLE), ("test.csv", TABLE), ("x_train.csv", TABLE), ("x_test.csv", TABLE)];
    assert!(message(&split_twice).contains("x_train.csv"));
}

#[test]
fn the_format_settles_what_is_ambiguous() {
    let line = "{\"filename\": \"a.jpg\", \"captions\": [\"two\"]}";
    let folder = folder(&[("x.csv", TABLE), ("x.jsonl", line), ("a.jpg", "")]);
    assert!(matches!(refused(&folder, &Options::default()).0, Error::Ambiguous { .. }));
    let options = Options { format: Some(Layout::Jsonl), ..Options::default() };
    assert_eq!(open(folder.path(), &options).unwrap().examples[0].captions, ["two"]);
    let options = Options { format: Some(Layout::Karpathy), ..Options::default() };
    assert!(
        refused(&folder, &options)
            .1
            .starts_with("DATA: cannot be read as karpathy, which is a .json")
    );
}

#[test]
fn a_wrong_column_lists_the_columns() {
    let text = message(&[("captions.csv", "picture_ref,words\na.jpg,one\n")]);
    assert!(
        text.starts_with("DATA/captions.csv: no image column: expected filename, image"),
        "{text}"
    );
    assert!(text.ends_with("found picture_ref, words"), "{text}");
    let options = Options { image_column: Some("picture".into()), ..Options::default() };
    let (error, text) = refused(&folder(&[("list.csv", TABLE)]), &options);
    assert_eq!(text, "DATA/list.csv: no image column: expected picture; found image, caption");
    assert_eq!(error.hint(), "name it with --image-column");
}

#[test]
fn a_column_for_a_layout_without_columns() {
    let options = Options { image_column: Some("id".into()), ..Options::default() };
    let json = "{\"images\": [{\"filename\": \"a.jpg\", \"sentences\": []}]}";
    let text = refused(&folder(&[("d.json", json)]), &options).1;
    assert!(text.starts_with("DATA/d.json: a column is named, but karpathy has none"), "{text}");
    let text = refused(&folder(&[("x.tsv", "a.jpg\tone\n")]), &options).1;
    assert_eq!(text, "DATA/x.tsv: no image column: expected id; found a.jpg, one");
}

#[test]
fn broken_files_are_named_with_a_line() {
    assert_eq!(message(&[("captions.csv", "")]), "DATA/captions.csv:1: the file is empty");
    let binary = message(&[("captions.csv", "a\0b")]);
    assert_eq!(binary, "DATA/captions.csv:1: the file is binary, expected UTF-8 text");
    let cut = "{\"images\": [{\"filename\": \"a.jpg\",\n \"sentences\": [{\"raw\": \"one\"}]},";
    let text = message(&[("d.json", cut), ("a.jpg", "")]);
    assert!(text.starts_with("DATA/d.json:2: EOF"), "{text}");
    let open_quote = "image,caption\na.jpg,one\na.jpg,\"two\na.jpg,three\n";
    let text = message(&[("captions.csv", open_quote), ("a.jpg", "")]);
    assert_eq!(text, "DATA/captions.csv:3: a quote that opens here is never closed");
    let closed_late = open(
        folder(&[("captions.csv", "image,caption\na.jpg,\"two\n\""), ("a.jpg", "")]).path(),
        &Options::default(),
    );
    assert_eq!(closed_late.unwrap().examples[0].captions, ["two"]);
}

#[test]
fn json_of_another_kind_lists_its_keys() {
    let coco = "{\"info\": {}, \"images\": [{\"file_name\": \"a.jpg\"}], \"annotations\": []}";
    assert!(
        message(&[("instances.json", coco)])
            .ends_with("found JSON with the keys info, images, annotations")
    );
    assert!(
        message(&[("list.json", "[{\"image\": \"a.jpg\"}]")])
            .ends_with("found JSON with an array at the top")
    );
}

#[test]
fn nothing_usable_is_an_error_with_the_first_reasons() {
    let text = message(&[("captions.csv", "image,caption\na.jpg,one\nb.jpg,\n")]);
    let expected = "DATA: no usable picture among 2 rows; first skipped: DATA/captions.csv:2: image \"a.jpg\" not \
                    found; DATA/captions.csv:3: the caption is empty";
    assert_eq!(text, expected);
    assert_eq!(
        message(&[("captions.csv", "image,caption\n")]),
        "DATA: no usable picture among 0 rows"
    );
}

proptest! {
    /// Whatever a file holds, it is read or refused, and every row that is named lies within it.
    #[test]
    fn no_content_panics(name in "captions\\.(csv|tsv|jsonl|txt|json)", tail in proptest::collection::vec(any::<u8>(), 0..60),
                         lines in proptest::collection::vec("[a\\[\\]'\",\t\r\n{}:]{0,12}", 0..8)) {
        let folder = folder(&[("a.jpg", "")]);
        let mut bytes = format!("image,caption\na.jpg,one\n{}\n", lines.join("\n")).into_bytes();
        bytes.extend(tail);
        let ends = bytes.iter().filter(|byte| matches!(byte, b'\n' | b'\r')).count() as u64;
        fs_err::write(folder.path().join(name), &bytes).unwrap();
        if let Ok(dataset) = open(folder.path(), &Options::default()) {
            prop_assert!(dataset.skipped.iter().all(|skipped| (1..=ends + 1).contains(&skipped.row)));
            prop_assert!(dataset.examples.iter().all(|example| !example.captions.is_empty()));
        }
    }
}

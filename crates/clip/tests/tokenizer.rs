//! Token ids against `transformers`, and directories that go out and come back.
//!
//! Golden values: `fixtures/make_tokens.py`. Ids of the original CLIP vocabulary are checked where `../shared` has it.
#![allow(missing_docs, clippy::unwrap_used, reason = "a test has no users, and may panic")]

use std::path::{Path, PathBuf};

use finelens_clip::{Error, Tokenizer};
use serde::Deserialize;

/// `fixtures/tokens/cases.json`.
#[derive(Deserialize)]
struct Cases {
    strings: Vec<String>,
    ids: Vec<Vec<u32>>,
    clip_ids: Vec<Vec<u32>>,
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/tokens")
}

fn cases() -> Cases {
    serde_json::from_str(&fs_err::read_to_string(fixtures().join("cases.json")).unwrap()).unwrap()
}

fn assert_ids(tokenizer: &Tokenizer, strings: &[String], expected: &[Vec<u32>]) {
    assert_eq!(strings.len(), expected.len());
    for (text, expected) in strings.iter().zip(expected) {
        assert_eq!(&tokenizer.encode(text), expected, "{text:?}");
    }
    let texts: Vec<&str> = strings.iter().map(String::as_str).collect();
    assert_eq!(tokenizer.encode_batch(&texts), expected, "one by one and all at once are the same");
}

/// A directory with only these files of our small vocabulary.
fn directory(files: &[(&str, &str)]) -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        fs_err::write(dir.path().join(name), text).unwrap();
    }
    dir
}

fn vocabulary() -> String {
    fs_err::read_to_string(fixtures().join("vocab.json")).unwrap()
}

fn merges() -> String {
    fs_err::read_to_string(fixtures().join("merges.txt")).unwrap()
}

#[test]
fn ids_equal_those_of_transformers_for_nasty_strings() {
    let cases = cases();
    assert!(cases.strings.len() > 100);
    assert_ids(&Tokenizer::load(&fixtures()).unwrap(), &cases.strings, &cases.ids);
}

#[test]
fn ids_equal_those_of_the_original_vocabulary() {
    let dir = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data/clip_vocab");
    if !dir.exists() {
        eprintln!("skipped: no original CLIP vocabulary in ../shared");
        return;
    }
    eprintln!("ran with the original CLIP vocabulary in ../shared");
    let (cases, tokenizer) = (cases(), Tokenizer::load(&dir).unwrap());
    assert_eq!(
        (tokenizer.start_token(), tokenizer.end_token(), tokenizer.vocab_size()),
        (49406, 49407, 49408)
    );
    assert_ids(&tokenizer, &cases.strings, &cases.clip_ids);
}

#[test]
fn a_saved_tokenizer_reads_back_from_either_kind_of_file() {
    let (cases, dir) = (cases(), tempfile::tempdir().unwrap());
    let tokenizer = Tokenizer::load(&fixtures()).unwrap().with_context_length(40);
    tokenizer.save(dir.path()).unwrap();
    let again = Tokenizer::load(dir.path()).unwrap();
    assert_ids(&again, &cases.strings, &cases.ids);
    fs_err::remove_file(dir.path().join("tokenizer.json")).unwrap();
    assert_ids(&Tokenizer::load(dir.path()).unwrap(), &cases.strings, &cases.ids);
    let settings = fs_err::read_to_string(dir.path().join("tokenizer_config.json")).unwrap();
    assert!(
        settings.contains("\"model_max_length\": 40") && settings.contains("CLIPTokenizer"),
        "{settings}"
    );
}

#[test]
fn training_equals_the_slow_trainer_of_the_fixture_script() {
    let sentences = fs_err::read_to_string(fixtures().join("sentences.txt")).unwrap();
    let dir = tempfile::tempdir().unwrap();
    Tokenizer::train(sentences.lines(), 900).save(dir.path()).unwrap();
    assert_eq!(fs_err::read_to_string(dir.path().join("merges.txt")).unwrap(), merges());
    let words =
        |text: &str| serde_json::from_str::<std::collections::BTreeMap<String, u32>>(text).unwrap();
    let trained = fs_err::read_to_string(dir.path().join("vocab.json")).unwrap();
    assert_eq!(words(&trained), words(&vocabulary()));
}

#[test]
fn a_trained_vocabulary_knows_every_byte_and_ends_with_its_marks() {
    let tokenizer = Tokenizer::train(["a cat", "a cat", "a dog"].into_iter(), 514 + 3);
    assert_eq!(tokenizer.vocab_size(), 516, "c+a and ca+t; no other pair occurs twice");
    assert_eq!((tokenizer.start_token(), tokenizer.end_token()), (514, 515));
    let ids = tokenizer.encode("\u{0} ÿ 漢字 🐶 zebra");
    assert!(ids[1..ids.len() - 1].iter().all(|&id| id < 514), "nothing is unknown: {ids:?}");
    assert_eq!(Tokenizer::train(std::iter::empty(), 514).vocab_size(), 514);
}

#[test]
fn a_long_text_keeps_its_front_and_its_end_token() {
    let tokenizer = Tokenizer::load(&fixtures()).unwrap().with_context_length(5);
    let ids = tokenizer.encode("the the the the the the the");
    assert_eq!(ids.len(), 5);
    assert_eq!((ids[0], ids[4]), (tokenizer.start_token(), tokenizer.end_token()));
    assert_eq!(tokenizer.encode("the").len(), 3, "a short one is not padded");
}

#[test]
fn the_marks_come_from_the_files() {
    let renamed =
        vocabulary().replace("<|startoftext|>", "[begin]").replace("<|endoftext|>", "[finish]");
    let special =
        r#"{"bos_token": {"content": "[begin]", "normalized": false}, "eos_token": "[finish]"}"#;
    let (words, merges) = (renamed.as_str(), merges());
    let dir = directory(&[
        ("vocab.json", words),
        ("merges.txt", &merges),
        ("special_tokens_map.json", special),
    ]);
    let tokenizer = Tokenizer::load(dir.path()).unwrap();
    let last = tokenizer.vocab_size() as u32 - 1;
    assert_eq!((tokenizer.start_token(), tokenizer.end_token()), (last - 1, last));
    assert_eq!(tokenizer.encode("[finish]"), [last - 1, last, last]);
}

#[test]
fn a_missing_mark_is_an_error_that_names_it() {
    let dir = directory(&[
        ("vocab.json", r#"{"a": 0, "a</w>": 1, "<|endoftext|>": 2}"#),
        ("merges.txt", ""),
    ]);
    let error = Tokenizer::load(dir.path()).unwrap_err();
    assert!(error.to_string().contains("`<|startoftext|>` is not in the vocabulary"), "{error}");
}

#[test]
fn broken_files_are_errors_that_name_the_file() {
    let (words, merges) = (vocabulary(), merges());
    let absent = Tokenizer::load(directory(&[("vocab.json", &words)]).path()).unwrap_err();
    assert!(
        matches!(&absent, Error::Io(_)) && absent.to_string().contains("merges.txt"),
        "{absent}"
    );
    let no_json =
        Tokenizer::load(directory(&[("vocab.json", "{"), ("merges.txt", &merges)]).path())
            .unwrap_err();
    assert!(
        matches!(&no_json, Error::Json { .. }) && no_json.to_string().contains("vocab.json"),
        "{no_json}"
    );
    let bad = directory(&[("vocab.json", &words), ("merges.txt", "#version: 0.2\na b\na b c\n")]);
    let bad = Tokenizer::load(bad.path()).unwrap_err();
    assert!(bad.to_string().contains("line 3"), "{bad}");
    let stranger = directory(&[("tokenizer.json", "{}")]);
    let stranger = Tokenizer::load(stranger.path()).unwrap_err();
    assert!(stranger.to_string().contains("tokenizer.json"), "{stranger}");
}

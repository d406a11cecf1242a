//! The real collections in `shared/data`, where a checkout has them beside it.

#![allow(clippy::unwrap_used, reason = "a test that cannot set itself up should panic")]
#![allow(clippy::print_stderr, reason = "a test that ran on less says so")]

use std::path::{Path, PathBuf};

use finelens_data::{Dataset, Example, Layout, Options, Split, SplitSource, open};

/// Opens a part of the shared data, or says that it is not there.
fn shared(part: &str) -> Option<Dataset> {
    shared_as(part, None)
}

fn shared_as(part: &str, format: Option<Layout>) -> Option<Dataset> {
    let root = PathBuf::from(concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data"));
    if !root.is_dir() {
        eprintln!("{part}: skipped, no shared data beside the checkout");
        return None;
    }
    eprintln!("{part}: read from the shared data");
    Some(open(&root.join(part), &Options { format, ..Options::default() }).unwrap())
}

fn counts(dataset: &Dataset) -> [usize; 3] {
    Split::ALL.map(|split| dataset.split(split).len())
}

fn captions(dataset: &Dataset) -> usize {
    dataset.examples.iter().map(|example| example.captions.len()).sum()
}

/// Id, picture and captions of every example, sorted.
fn contents(dataset: &Dataset) -> Vec<(&str, &Path, &[String])> {
    let mut contents = Vec::new();
    for Example { id, image, captions, .. } in &dataset.examples {
        contents.push((id.as_str(), image.as_path(), captions.as_slice()));
    }
    contents.sort();
    contents
}

#[test]
fn rsicd_is_the_same_from_the_folder_and_from_its_files() {
    let Some(folder) = shared("rsicd") else { return };
    assert_eq!(
        (folder.layout, counts(&folder), captions(&folder)),
        (Layout::Karpathy, [6000, 1094, 0], 5 * 7094)
    );
    assert_eq!(folder.split_source, SplitSource::Data);
    assert!(folder.skipped.is_empty(), "{:?}", folder.skipped[0]);
    let json = shared("rsicd/dataset_rsicd.reconstructed.json").unwrap();
    assert_eq!(json.examples, folder.examples);
    let train = shared("rsicd/train.csv").unwrap();
    assert_eq!(
        (train.layout, train.examples.len(), captions(&train)),
        (Layout::RsicdCsv, 6000, 30_000)
    );
    let valid = shared("rsicd/valid.csv").unwrap();
    assert_eq!((counts(&valid), captions(&valid)), ([0, 1094, 0], 5 * 1094));
    let mut both: Vec<_> = contents(&train).into_iter().chain(contents(&valid)).collect();
    both.sort();
    assert_eq!(both, contents(&folder));
}

#[test]
fn rsicd_splits_follow_from_file_names_when_the_format_is_given() {
    for format in [Layout::RsicdCsv, Layout::Jsonl] {
        let Some(folder) = shared_as("rsicd", Some(format)) else { return };
        assert_eq!(
            (folder.layout, counts(&folder), captions(&folder)),
            (format, [6000, 1094, 0], 5 * 7094)
        );
        assert_eq!((folder.split_source, folder.files.len()), (SplitSource::Data, 2));
    }
}

#[test]
fn rsicd_text_augmentations_find_their_pictures() {
    let Some(valid) = shared("rsicd/textaug_valid_rsicd.jsonl") else { return };
    assert_eq!(
        (valid.layout, counts(&valid), captions(&valid)),
        (Layout::Jsonl, [0, 1094, 0], 5 * 1094)
    );
    assert!(valid.examples.iter().all(|example| example.id.starts_with("valid/")));
    let train = shared("rsicd/textaug_train_rsicd.jsonl").unwrap();
    assert_eq!((train.examples.len(), train.skipped.len()), (6000, 0));
}

#[test]
fn flickr8k_groups_five_captions() {
    let Some(folder) = shared("flickr8k") else { return };
    assert_eq!(
        (folder.layout, folder.examples.len(), captions(&folder)),
        (Layout::Table, 1200, 6000)
    );
    assert_eq!(folder.split_source, SplitSource::Hash);
    assert!(
        folder
            .examples
            .iter()
            .all(|example| example.captions.len() == 5 && !example.id.contains('/'))
    );
    assert_eq!(shared("flickr8k/captions.txt").unwrap().examples, folder.examples);
}

#[test]
fn medpix_finds_the_ending_of_its_ids() {
    let Some(folder) = shared("medpix2") else { return };
    assert_eq!(
        (folder.layout, folder.examples.len(), captions(&folder)),
        (Layout::Table, 1653, 1653)
    );
    assert!(folder.skipped.is_empty(), "{:?}", folder.skipped[0]);
    assert_eq!(
        shared("medpix2/train_captions.imageclef_style.csv").unwrap().examples,
        folder.examples
    );
    let jsonl = shared("medpix2/descriptions_train.jsonl").unwrap();
    assert_eq!((jsonl.layout, jsonl.examples.len()), (Layout::Jsonl, 1653));
}

//! What the vector leg promises, on small drawn data: clusters in a cone, and queries in another one.

use std::path::Path;
use std::sync::Arc;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::*;
use crate::embedded::vectors::{SEGMENT_ROWS, Segment};

/// Vectors of pictures, and of texts that lie elsewhere.
struct Drawn {
    images: Vec<Vec<f32>>,
    texts: Vec<Vec<f32>>,
}

fn direction(dice: &mut ChaCha8Rng, dim: usize) -> Vec<f32> {
    unit(&(0..dim).map(|_| dice.random_range(-1.0..1.0)).collect::<Vec<f32>>())
}

fn unit(x: &[f32]) -> Vec<f32> {
    let length = x.iter().map(|value| value * value).sum::<f32>().sqrt();
    x.iter().map(|value| value / length).collect()
}

fn mixed(parts: &[(f32, &[f32])]) -> Vec<f32> {
    let entry = |i: usize| parts.iter().map(|(weight, part)| weight * part[i]).sum();
    unit(&(0..parts[0].1.len()).map(entry).collect::<Vec<f32>>())
}

fn drawn(rows: usize, dim: usize) -> Drawn {
    let dice = &mut ChaCha8Rng::seed_from_u64(5);
    let (images_cone, texts_cone) = (direction(dice, dim), direction(dice, dim));
    let centres: Vec<Vec<f32>> = (0..rows / 50).map(|_| direction(dice, dim)).collect();
    let mut draw = |cone: &[f32], spread: f32| {
        let centre = centres[dice.random_range(0..centres.len())].clone();
        mixed(&[(0.6, cone), (0.6, &centre), (spread, &direction(dice, dim))])
    };
    let images = (0..rows).map(|_| draw(&images_cone, 0.5)).collect();
    let texts = (0..120).map(|_| draw(&texts_cone, 0.7)).collect();
    Drawn { images, texts }
}

fn vectors(rows: &[Vec<f32>]) -> Vectors {
    Vectors::held(rows[0].len(), &rows.concat())
}

fn built(dir: &Path, vectors: &Vectors, texts: &[Vec<f32>]) -> VectorIndex {
    let live = RowSet::all(vectors.rows());
    VectorIndex::build(dir, vectors, &live, texts, &mut |_, _, _| {}).unwrap()
}

fn rows(found: &[(Row, f32)]) -> Vec<Row> {
    found.iter().map(|(row, _)| *row).collect()
}

/// Share of the exact answers that are found.
fn recall(
    index: &VectorIndex,
    vectors: &Vectors,
    queries: &[Vec<f32>],
    k: usize,
    allowed: &RowSet,
) -> f32 {
    let (mut right, mut all) = (0, 0);
    for query in queries {
        let wanted = rows(&exact(vectors, query, k, allowed));
        let found = rows(&index.search(vectors, query, k, allowed));
        assert!(found.iter().all(|row| allowed.contains(*row)));
        right += found.iter().filter(|row| wanted.contains(row)).count();
        all += wanted.len();
    }
    right as f32 / all.max(1) as f32
}

#[test]
fn recall_is_what_was_asked_for_with_any_filter_and_any_count() {
    for dim in [64, 192] {
        let drawn = drawn(20_000, dim);
        let (vectors, dir) = (vectors(&drawn.images), tempfile::tempdir().unwrap());
        let (probes, texts) = drawn.texts.split_at(80);
        let index = built(dir.path(), &vectors, probes);
        let measured = index.recall().unwrap();
        assert!(measured.images >= 0.99 && measured.texts.unwrap() >= 0.99, "{measured:?}");
        let dice = &mut ChaCha8Rng::seed_from_u64(6);
        for share in [1.0, 0.5, 0.1, 0.05, 0.001] {
            let mut allowed = RowSet::none(vectors.rows());
            (0..20_000).filter(|_| dice.random_bool(share)).for_each(|row| allowed.insert(row));
            for k in [1, 10, 300] {
                let found = recall(&index, &vectors, texts, k, &allowed);
                assert!(found >= 0.975, "{dim} wide, {share} allowed, best {k}: {found}");
            }
        }
    }
}

#[test]
fn pictures_and_captions_have_their_own_depth_and_both_are_found() {
    let drawn = drawn(20_000, 192);
    let (pictures, rest) = drawn.images.split_at(200);
    let (vectors, dir) = (vectors(rest), tempfile::tempdir().unwrap());
    let (probes, texts) = drawn.texts.split_at(80);
    built(dir.path(), &vectors, probes);
    let index = VectorIndex::open(dir.path(), &vectors).unwrap();
    let (manifest, like_rows) = (&index.manifest, index.manifest.like_rows.unwrap());
    assert_ne!(like_rows.depth, manifest.depth);
    for (depths, own) in
        [(manifest.depths(), like_rows.depth), (manifest.shallow_depths(), like_rows.shallow)]
    {
        let is_own =
            |query: &&Vec<f32>| depths.of(search::Prepared::new(&index, query).nearest()).0 == own;
        assert!(pictures.iter().filter(is_own).count() >= 190);
        assert!(texts.iter().filter(is_own).count() <= 2);
    }
    let all = RowSet::all(vectors.rows());
    for queries in [pictures, texts] {
        for k in [1, 10, 20, 300] {
            let found = recall(&index, &vectors, queries, k, &all);
            assert!(found >= 0.975, "best {k}: {found}");
        }
    }
}

#[test]
fn few_captions_tell_no_kinds_apart() {
    let drawn = drawn(9_000, 192);
    let (vectors, all) = (vectors(&drawn.images), RowSet::all(9_000));
    for count in [0, 1, 2, 10] {
        let dir = tempfile::tempdir().unwrap();
        let index = built(dir.path(), &vectors, &drawn.texts[..count]);
        assert_eq!(index.manifest.like_rows, None, "{count} captions");
        let found = recall(&index, &vectors, &drawn.texts[20..], 10, &all);
        assert!(found >= 0.975, "{count} captions: {found}");
        assert!(index.recall().unwrap().texts.is_none_or(|texts| texts > 0.9));
    }
}

#[test]
fn a_filter_that_leaves_only_far_clusters_is_answered_as_well() {
    let drawn = drawn(20_100, 128);
    let (pictures, rest) = drawn.images.split_at(100);
    let (vectors, dir) = (vectors(rest), tempfile::tempdir().unwrap());
    let index = built(dir.path(), &vectors, &drawn.texts);
    assert!(index.manifest.like_rows.is_some());
    for queries in [&drawn.texts[..20], &pictures[..20]] {
        let recalls = queries.iter().map(|query| {
            let far = exact(&vectors, query, 20_000, &RowSet::all(20_000)).split_off(15_000);
            let mut allowed = RowSet::none(20_000);
            for (row, _) in far {
                allowed.insert(row);
            }
            recall(&index, &vectors, std::slice::from_ref(query), 10, &allowed)
        });
        let mean = recalls.sum::<f32>() / queries.len() as f32;
        assert!(mean >= 0.97, "{mean}");
    }
}

#[test]
fn scores_are_the_cosines_of_the_vectors() {
    let drawn = drawn(9_000, 128);
    let (vectors, dir) = (vectors(&drawn.images), tempfile::tempdir().unwrap());
    let index = built(dir.path(), &vectors, &[]);
    let found = index.search(&vectors, &drawn.texts[0], 50, &RowSet::all(9_000));
    let scores: Vec<f32> = found.iter().map(|(_, score)| *score).collect();
    assert_eq!(scores, cosines(&vectors, &drawn.texts[0], &rows(&found)));
    assert!(scores.is_sorted_by(|a, b| a >= b));
}

#[test]
fn rows_are_found_in_the_tail_in_files_and_after_opening() {
    let drawn = drawn(12_000, 128);
    let all = vectors(&drawn.images);
    let some = |rows: usize| vectors(&drawn.images[..rows]);
    let dir = tempfile::tempdir().unwrap();
    let everything = RowSet::all(12_000);
    let check = |index: &VectorIndex| {
        assert!(recall(index, &all, &drawn.texts[..30], 10, &everything) >= 0.98);
        for row in [0, 8_999, 9_000, 9_001, 9_999, 11_999] {
            let found = index.search(&all, &drawn.images[row], 1, &everything);
            assert_eq!(found[0].0, row as Row);
        }
    };
    let mut index = built(dir.path(), &some(9_000), &drawn.texts);
    index = index.extended(&some(9_001)).extended(&some(9_700));
    index = index.extended(&some(10_000));
    assert_eq!(index.tail_rows(), 1_000);
    check(&index.extended(&all));
    check(&VectorIndex::open(dir.path(), &all).unwrap());
    index = index.flush(dir.path(), &some(10_000)).unwrap();
    assert_eq!(index.tail_rows(), 0);
    check(&index.extended(&all));
    // Not much larger than what comes, the second file is merged with it.
    index = index.flush(dir.path(), &all).unwrap();
    assert_eq!(index.manifest.files.len(), 2);
    check(&index);
    check(&VectorIndex::open(dir.path(), &all).unwrap());
    assert_eq!(VectorIndex::open(dir.path(), &all).unwrap().tail_rows(), 0);
}

#[test]
fn a_folder_without_codes_answers_from_the_tail() {
    let drawn = drawn(3_000, 48);
    let (vectors, dir) = (vectors(&drawn.images), tempfile::tempdir().unwrap());
    let index = VectorIndex::open(&dir.path().join("none"), &vectors).unwrap();
    assert_eq!(index.tail_rows(), 3_000);
    assert!(!index.needs_build() && index.recall().is_none());
    assert!(recall(&index, &vectors, &drawn.texts, 10, &RowSet::all(3_000)) >= 0.999);
    let flushed = index.flush(&dir.path().join("none"), &vectors).unwrap();
    assert!(recall(&flushed, &vectors, &drawn.texts, 10, &RowSet::all(3_000)) >= 0.999);
}

#[test]
fn no_row_and_one_row_are_an_index_too() {
    let dir = tempfile::tempdir().unwrap();
    let none = Vectors::held(128, &[]);
    let index = built(dir.path(), &none, &[]);
    assert_eq!(index.search(&none, &[0.1; 128], 10, &RowSet::none(0)), []);
    let one = Vectors::held(128, &unit(&[1.0; 128]));
    let index = index.extended(&one).flush(dir.path(), &one).unwrap();
    let found = index.search(&one, one.row(0), 10, &RowSet::all(1));
    assert_eq!(rows(&found), [0]);
    assert_eq!(index.search(&one, one.row(0), 0, &RowSet::all(1)), []);
    assert_eq!(index.search(&one, one.row(0), 5, &RowSet::none(1)), []);
    assert_eq!(rows(&exact(&one, one.row(0), 3, &RowSet::all(1))), [0]);
}

#[test]
fn equal_vectors_come_in_the_order_of_their_rows() {
    let dice = &mut ChaCha8Rng::seed_from_u64(7);
    let (one, other) = (direction(dice, 128), direction(dice, 128));
    let same: Vec<Vec<f32>> =
        (0..30_000).map(|row| if row % 3 == 0 { &other } else { &one }.clone()).collect();
    let (vectors, dir) = (vectors(&same), tempfile::tempdir().unwrap());
    let index = built(dir.path(), &vectors, &[]);
    let found = rows(&index.search(&vectors, &other, 7, &RowSet::all(30_000)));
    assert_eq!(found, [0, 3, 6, 9, 12, 15, 18]);
    assert_eq!(found, rows(&exact(&vectors, &other, 7, &RowSet::all(30_000))));
}

#[test]
fn deleted_rows_are_neither_built_nor_found() {
    let drawn = drawn(9_000, 128);
    let (vectors, dir) = (vectors(&drawn.images), tempfile::tempdir().unwrap());
    let mut live = RowSet::all(9_000);
    (0..9_000).step_by(2).for_each(|row| live.remove(row));
    let index = VectorIndex::build(dir.path(), &vectors, &live, &[], &mut |_, _, _| {}).unwrap();
    assert_eq!(index.parts().map(Codes::len).sum::<usize>(), 4_500);
    assert_eq!(index.tail_rows(), 0);
    assert!(recall(&index, &vectors, &drawn.texts, 10, &live) >= 0.99);
}

#[test]
fn the_same_seed_builds_the_same_files() {
    let drawn = drawn(9_000, 128);
    let vectors = vectors(&drawn.images);
    let files = [(), ()].map(|()| {
        let dir = tempfile::tempdir().unwrap();
        built(dir.path(), &vectors, &drawn.texts);
        ["manifest", "00000000.codes"].map(|name| fs_err::read(dir.path().join(name)).unwrap())
    });
    assert!(files[0] == files[1]);
}

#[test]
fn every_level_finds_the_same_rows_with_the_same_scores() {
    let drawn = drawn(9_000, 192);
    let (vectors, dir) = (vectors(&drawn.images), tempfile::tempdir().unwrap());
    built(dir.path(), &vectors, &drawn.texts);
    let levels = Level::all()
        .into_iter()
        .map(|level| VectorIndex::open_at(level, dir.path(), &vectors).unwrap());
    let levels: Vec<VectorIndex> = levels.collect();
    for query in &drawn.texts {
        let found =
            levels.iter().map(|index| index.search(&vectors, query, 20, &RowSet::all(9_000)));
        let found: Vec<_> = found.collect();
        assert!(found.iter().all(|other| *other == found[0]));
    }
}

#[test]
fn damage_is_found_in_each_section_and_named() {
    let drawn = drawn(9_000, 64);
    let (vectors, dir) = (vectors(&drawn.images), tempfile::tempdir().unwrap());
    built(dir.path(), &vectors, &[]);
    for (name, sections) in [
        ("manifest", &["settings", "centres", "spreads"][..]),
        ("00000000.codes", &["rows", "starts", "factors", "scales", "bits", "bytes"]),
    ] {
        let path = dir.path().join(name);
        let right = fs_err::read(&path).unwrap();
        for section in sections {
            let range = container::Container::open(&path).unwrap().section(section).unwrap().1;
            let mut wrong = right.clone();
            wrong[range.start + range.len() / 2] ^= 4;
            fs_err::write(&path, wrong).unwrap();
            let told = VectorIndex::open(dir.path(), &vectors).unwrap_err().to_string();
            assert!(told.contains(name) && told.contains(&format!("section {section}")), "{told}");
            fs_err::write(&path, &right).unwrap();
        }
        fs_err::write(&path, &right[..right.len() / 2]).unwrap();
        assert!(matches!(VectorIndex::open(dir.path(), &vectors), Err(Error::Damaged { .. })));
        fs_err::write(&path, &right).unwrap();
    }
    fs_err::remove_file(dir.path().join("00000000.codes")).unwrap();
    let told = VectorIndex::open(dir.path(), &vectors).unwrap_err();
    assert!(matches!(told, Error::Damaged { .. }), "{told}");
}

#[test]
fn codes_of_other_vectors_are_refused() {
    let drawn = drawn(9_000, 64);
    let dir = tempfile::tempdir().unwrap();
    built(dir.path(), &vectors(&drawn.images), &[]);
    let fewer = VectorIndex::open(dir.path(), &vectors(&drawn.images[..8_999]));
    assert!(matches!(fewer, Err(Error::Damaged { .. })));
}

#[test]
fn what_a_build_that_was_cut_off_left_behind_does_not_count() {
    let drawn = drawn(9_000, 64);
    let (vectors, dir) = (vectors(&drawn.images), tempfile::tempdir().unwrap());
    built(dir.path(), &vectors, &[]);
    fs_err::write(dir.path().join("00000001.codes"), b"half").unwrap();
    fs_err::write(dir.path().join("manifest.new"), b"half").unwrap();
    let index = VectorIndex::open(dir.path(), &vectors).unwrap();
    assert_eq!(index.tail_rows(), 0);
    built(dir.path(), &vectors, &[]);
    let mut names: Vec<_> =
        fs_err::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["00000002.codes", "manifest"]);
}

#[test]
fn a_divided_query_finds_what_one_thread_finds() {
    let drawn = drawn(9_000, 128);
    let (vectors, dir) = (vectors(&drawn.images), tempfile::tempdir().unwrap());
    let index = built(dir.path(), &vectors, &drawn.texts);
    let all = RowSet::all(9_000);
    for query in &drawn.texts[..20] {
        let depth = index.manifest.depths();
        let alone = search::best_in(1, &index, depth, &vectors, query, 10, &all);
        let divided = search::best_in(4, &index, depth, &vectors, query, 10, &all);
        let same = rows(&alone).iter().filter(|row| rows(&divided).contains(row)).count();
        assert!(same >= 9, "{alone:?} {divided:?}");
    }
}

#[test]
fn segments_of_vectors_may_be_several() {
    let rows = SEGMENT_ROWS + 100;
    let numbers: Vec<f32> =
        (0..rows * 32).map(|i| ((i * 37 % 101) as f32 - 50.0) / 150.0).collect();
    let segments =
        numbers.chunks(SEGMENT_ROWS * 32).map(|part| Arc::new(Segment::Held(part.to_vec())));
    let vectors = Vectors::new(32, rows, segments.collect());
    let found = exact(&vectors, vectors.row(SEGMENT_ROWS as Row + 7), 3, &RowSet::all(rows));
    assert_eq!(found.len(), 3);
}

//! Files of an index are damaged: nothing wrong is ever served, damage to the truth is named, and what is derived heals.

use std::path::{Path, PathBuf};

use finelens_search::{Backend, Embedded, Error, Record};

use crate::changes::{NUMBERS, Pictures, Step, after, picture};
use crate::check::{MODES, copy, difference, faults, files, find};
use crate::pictures::{DIM, id, item, mix, settings};

/// Bits that are flipped in a file, one at a time; in the truth, and in what is derived.
const FLIPS: (u64, u64) = (36, 3);

/// Pictures of those that stay which are looked at; the others go through the same code.
const SOME: u64 = 90;

/// An index that was closed, with rows of every kind: live, replaced and deleted, in old and in new derived files.
fn closed(dir: &Path) -> Pictures {
    let index = Embedded::create(dir, &settings("model")).unwrap();
    let mut pictures = Pictures::new();
    let more = [
        Step::Optimise,
        Step::Put((5..15).collect(), 2),
        Step::Update((10..18).collect(), 3),
        Step::Delete((20..25).collect()),
    ];
    for step in [Step::first()].iter().chain(&more) {
        step.run(&index, &pictures).unwrap();
        step.apply(&mut pictures);
    }
    pictures
}

fn is_truth(file: &Path) -> bool {
    let name = file.to_string_lossy();
    name.ends_with("CURRENT") || name.contains("records.sqlite") || name.contains("/vectors/")
}

/// A file with something wrong, and what.
fn damaged(bytes: &[u8], flips: u64) -> Vec<(String, Vec<u8>)> {
    let len = bytes.len() as u64;
    let lengths = [0, len / 3, len.saturating_sub(1)].map(|len| len as usize);
    let cut = lengths.iter().map(|len| (format!("cut to {len} bytes"), bytes[..*len].to_vec()));
    let flipped = (0..flips).map(|flip| {
        let (at, bit) = (mix(flip, len) % len, mix(flip, 8) % 8);
        let mut wrong = bytes.to_vec();
        wrong[at as usize] ^= 1 << bit;
        (format!("bit {bit} of byte {at} flipped"), wrong)
    });
    cut.chain(flipped).collect()
}

/// Whether everything is there and found. Stops at anything that is served and is not as it was put.
fn is_right(index: &Embedded, pictures: &Pictures) -> bool {
    let mut right = index.known().is_ok_and(|known| known.len() == pictures.len());
    let some = pictures.iter().filter(|(number, _)| **number < NUMBERS || *number % SOME == 0);
    for (number, versions) in some {
        match index.get(&id(*number)) {
            Ok(Some(found)) => assert_eq!(found, picture(*number, *versions)),
            Ok(None) | Err(_) => right = false,
        }
        right &= MODES.iter().all(|mode| match find(index, *number, *versions, *mode) {
            Ok(found) => {
                found.hits.iter().for_each(|hit| check_hit(&hit.record, pictures));
                let first = found.hits.first().map(|hit| &hit.record.id);
                found.damaged.is_empty() && first == Some(&id(*number))
            }
            Err(_) => false,
        });
    }
    let gone = (0..NUMBERS).filter(|number| !pictures.contains_key(number));
    gone.for_each(|number| assert!(!matches!(index.get(&id(number)), Ok(Some(_)))));
    right
}

fn check_hit(record: &Record, pictures: &Pictures) {
    let digits: String = record.id.chars().filter(char::is_ascii_digit).collect();
    let number = digits.parse().unwrap();
    let expected = picture(number, pictures[&number]).record;
    assert_eq!(*record, Record { thumbnail: None, ..expected });
}

/// Damages the record of one picture, the vector of another and the thumbnail of a third, and returns their numbers.
fn spoil(dir: &Path) -> [u64; 3] {
    let numbers = [STAYING, STAYING + 1, STAYING + 2];
    let generation = dir.join("generation-1");
    let database = rusqlite::Connection::open(generation.join("records.sqlite")).unwrap();
    let row = |number: u64| -> u64 {
        let sql = "SELECT row FROM records WHERE id = ?1";
        database.query_row(sql, [id(number)], |row| row.get::<_, i64>(0)).unwrap() as u64
    };
    let changed = "UPDATE records SET words = words || ' ' WHERE row = ?1";
    database.execute(changed, [row(numbers[0]) as i64]).unwrap();
    let changed = "UPDATE thumbnails SET jpeg = x'00' WHERE row = ?1";
    database.execute(changed, [row(numbers[2]) as i64]).unwrap();
    let vectors = generation.join("vectors/00000.f32");
    let mut bytes = fs_err::read(&vectors).unwrap();
    bytes[row(numbers[1]) as usize * DIM * 4] ^= 1;
    fs_err::write(&vectors, bytes).unwrap();
    numbers
}

/// The first of the pictures that stay.
const STAYING: u64 = 10_000;

#[test]
fn what_is_damaged_is_named_and_everything_else_is_written_anew() {
    for copies in [false, true] {
        let (made, copied) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let mut pictures = closed(made.path());
        let spoilt = spoil(made.path());
        let index = Embedded::open(made.path()).unwrap();
        let told = index.damaged().unwrap();
        assert_eq!(told.len(), 1);
        assert_eq!(told[0].id, Some(id(spoilt[0])));
        let (faults, index) = if copies {
            let faults = index.copy(copied.path(), &mut |_, _, _| {}).unwrap();
            (faults, Embedded::open(copied.path()).unwrap())
        } else {
            (index.compact(&mut |_, _, _| {}).unwrap(), index)
        };
        for (number, fault) in spoilt.iter().zip(&faults) {
            assert!(fault.contains(&id(*number)), "{faults:?}");
        }
        assert_eq!((faults.len(), self::faults(&index).unwrap().len()), (3, 0), "{faults:?}");
        pictures.retain(|number, _| !spoilt[..2].contains(number));
        let found = index.get(&id(spoilt[2])).unwrap().unwrap();
        let whole = item(spoilt[2], 1);
        assert_eq!(
            (&found.vector, &found.record.captions),
            (&whole.vector, &whole.record.captions)
        );
        // Without its thumbnail, its file counts as one to be read again.
        assert_eq!((found.record.thumbnail, found.record.place.unwrap().crc), (None, 0));
        index.put(&[whole]).unwrap();
        assert_eq!(difference(&index, &pictures), Ok(()));
    }
}

#[test]
fn a_change_that_is_kept_and_cannot_be_shown_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let mut pictures = closed(dir.path());
    let index = Embedded::open(dir.path()).unwrap();
    let database = dir.path().join("generation-1/records.sqlite");
    let database = rusqlite::Connection::open(database).unwrap();
    // One more than are counted.
    database.execute("INSERT INTO dead (place, row) VALUES (1000000, 1000000)", []).unwrap();
    let told = index.put(&[item(1, 7)]).unwrap_err();
    assert!(matches!(told, Error::Unseen { .. }), "{told}");
    assert!(told.to_string().contains("the change is kept, but not searched yet"), "{told}");
    pictures.insert(1, (7, 7));
    database.execute("DELETE FROM dead WHERE place = 1000000", []).unwrap();
    // The next change shows both.
    index.put(&[item(2, 7)]).unwrap();
    pictures.insert(2, (7, 7));
    assert_eq!(difference(&index, &pictures), Ok(()));
}

#[test]
fn pictures_are_found_without_a_damaged_fact_which_is_told_and_can_be_written_anew() {
    for key in ["fusion", "notes", "roots", "probes"] {
        let dir = tempfile::tempdir().unwrap();
        let pictures = closed(dir.path());
        let index = Embedded::open(dir.path()).unwrap();
        Step::Fit.run(&index, &pictures).unwrap();
        index.set_note("a", "note").unwrap();
        index.set_root("photos", Path::new("photos")).unwrap();
        index.set_probes(&[item(1, 1).vector]).unwrap();
        drop(index);
        let database = dir.path().join("generation-1/records.sqlite");
        let database = rusqlite::Connection::open(database).unwrap();
        let spoil = "UPDATE facts SET crc = crc + 1 WHERE key = ?1";
        assert_eq!(database.execute(spoil, [key]).unwrap(), 1);

        let index = Embedded::open(dir.path()).unwrap();
        assert!(is_right(&index, &pictures), "{key}");
        let faults = self::faults(&index).unwrap();
        assert!(matches!(&faults[..], [fault] if fault.contains(key)), "{key}: {faults:?}");
        let stats = index.stats().unwrap();
        assert_eq!(stats.fitted.is_none(), key == "fusion");
        Step::Fit.run(&index, &pictures).unwrap();
        index.set_note("a", "note").unwrap();
        index.set_root("photos", Path::new("photos")).unwrap();
        index.set_probes(&[item(1, 1).vector]).unwrap();
        assert!(self::faults(&index).unwrap().is_empty(), "{key}");
    }
}

/// Whether an index says that something is wrong.
fn is_told(opened: &Result<Embedded, Error>) -> bool {
    opened.as_ref().map_or(true, |index| faults(index).map_or(true, |faults| !faults.is_empty()))
}

#[test]
fn damage_is_never_served_and_what_is_derived_heals() {
    let made = tempfile::tempdir().unwrap();
    let pictures = closed(made.path());
    let whole = Embedded::open_read_only(made.path());
    assert!(!is_told(&whole) && is_right(&whole.unwrap(), &pictures));
    for file in files(made.path()) {
        let bytes = fs_err::read(&file).unwrap();
        if bytes.is_empty() {
            continue;
        }
        let name = file.strip_prefix(made.path()).unwrap();
        for (what, wrong) in damaged(&bytes, if is_truth(&file) { FLIPS.0 } else { FLIPS.1 }) {
            let dir = tempfile::tempdir().unwrap();
            copy(made.path(), dir.path());
            fs_err::write(dir.path().join(name), wrong).unwrap();
            let what = format!("{}: {what}", name.display());
            if is_truth(&file) {
                check_truth(dir.path(), &pictures, &what);
            } else {
                check_derived(dir.path(), &pictures, &what);
            }
        }
    }
}

/// The truth is damaged: it is told unless nothing depends on it.
fn check_truth(dir: &Path, pictures: &Pictures, what: &str) {
    for open in [Embedded::open_read_only, Embedded::open] {
        let opened = open(dir);
        let is_right = opened.as_ref().is_ok_and(|index| is_right(index, pictures));
        assert!(is_right || is_told(&opened), "{what}: nothing is told");
    }
}

/// Something derived is damaged: a reader answers right all the same, a writer mends it.
fn check_derived(dir: &Path, pictures: &Pictures, what: &str) {
    let reader = Embedded::open_read_only(dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(is_right(&reader, pictures), "{what}");
    drop(reader);
    let writer = Embedded::open(dir).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(is_right(&writer, pictures), "{what}");
    assert_eq!(faults(&writer).unwrap(), Vec::<String>::new(), "{what}");
    drop(writer);
    let reader = Embedded::open_read_only(dir).unwrap();
    assert_eq!(faults(&reader).unwrap(), Vec::<String>::new(), "{what}");
    assert!(is_right(&reader, pictures), "{what}");
}

/// The database lost its last changes, which its disk should never let happen: nothing derived from these may answer for
/// the rows that come to mean something else.
#[test]
fn what_is_derived_from_rows_that_are_lost_does_not_count() {
    let dir = tempfile::tempdir().unwrap();
    let pictures = closed(dir.path());
    let before = tempfile::tempdir().unwrap();
    copy(dir.path(), before.path());
    let index = Embedded::open(dir.path()).unwrap();
    index.put(&(30..60).map(|number| item(number, 8)).collect::<Vec<_>>()).unwrap();
    index.optimise(&mut |_, _, _| {}).unwrap();
    drop(index);
    for file in files(before.path()).iter().filter(|file| is_truth(file)) {
        fs_err::copy(file, dir.path().join(file.strip_prefix(before.path()).unwrap())).unwrap();
    }
    let reader = Embedded::open_read_only(dir.path()).unwrap();
    assert_eq!(difference(&reader, &pictures), Ok(()));
    assert_eq!(faults(&reader).unwrap().len(), 2, "words and codes are ahead");
    drop(reader);
    let index = Embedded::open(dir.path()).unwrap();
    let mut pictures = pictures;
    for step in [Step::Put((40..60).collect(), 9), Step::Put((30..50).collect(), 10)] {
        assert_eq!(difference(&index, &pictures), Ok(()));
        step.run(&index, &pictures).unwrap();
        step.apply(&mut pictures);
    }
    drop(index);
    let index = Embedded::open(dir.path()).unwrap();
    assert_eq!(difference(&index, &pictures), Ok(()));
    assert_eq!(faults(&index).unwrap(), Vec::<String>::new());
}

/// An index as a killed process leaves it: the last changes are in the log alone.
fn cut_off(dir: &Path) -> PathBuf {
    let made = tempfile::tempdir().unwrap();
    let (mut pictures, seed) = (Pictures::new(), 3);
    let index = Embedded::create(made.path(), &settings("model")).unwrap();
    for step in std::iter::once(Step::first()).chain((0..6).map(|place| Step::of(seed, place))) {
        step.run(&index, &pictures).unwrap();
        step.apply(&mut pictures);
    }
    copy(made.path(), dir);
    drop(index);
    files(dir).into_iter().find(|file| file.to_string_lossy().ends_with("-wal")).unwrap()
}

#[test]
fn a_damaged_log_ends_before_a_change_or_after_it() {
    let made = tempfile::tempdir().unwrap();
    let log = cut_off(made.path());
    let states: Vec<Pictures> = (0..=6).map(|steps| after(3, steps)).collect();
    for (what, wrong) in damaged(&fs_err::read(&log).unwrap(), 20) {
        let dir = tempfile::tempdir().unwrap();
        copy(made.path(), dir.path());
        fs_err::write(dir.path().join(log.strip_prefix(made.path()).unwrap()), wrong).unwrap();
        let Ok(index) = Embedded::open(dir.path()) else { continue };
        let found = states.iter().rev().find(|state| difference(&index, state).is_ok());
        let is_empty = difference(&index, &Pictures::new()).is_ok();
        assert!(found.is_some() || is_empty || !faults(&index).unwrap().is_empty(), "{what}");
    }
}

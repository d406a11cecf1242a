//! Indexes of earlier versions can be read and written, and an index can be copied and moved.

use std::path::{Path, PathBuf};

use finelens_search::{Backend, Embedded, Value, Words};

use crate::changes::{Pictures, picture};
use crate::check::{copy, difference, faults};
use crate::pictures::{id, item, settings};

/// Pictures of the index that is kept.
const PICTURES: u64 = 30;

const NOTE: (&str, &str) = ("model", "models/one");

/// Where an index of this version is kept for later ones. It is written anew with `UPDATE_FIXTURES=1`, which is only right
/// before its version is released.
fn kept() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fixtures/index/v1")
}

/// Two versions of some pictures, one deleted, one updated.
fn pictures() -> Pictures {
    let mut pictures: Pictures = (0..PICTURES).map(|number| (number, (1, 1))).collect();
    pictures.extend((0..5).map(|number| (number, (2, 2))));
    pictures.insert(7, (3, 1));
    pictures.remove(&9);
    pictures
}

fn write(dir: &Path) {
    let index = Embedded::create(dir, &settings("model")).unwrap();
    index.put(&(0..PICTURES).map(|number| item(number, 1)).collect::<Vec<_>>()).unwrap();
    index.set_root("pictures", Path::new("/pictures")).unwrap();
    index.set_note(NOTE.0, NOTE.1).unwrap();
    index.optimise(&mut |_, _, _| {}).unwrap();
    index.put(&(0..5).map(|number| item(number, 2)).collect::<Vec<_>>()).unwrap();
    index.update(&[item(7, 3).record]).unwrap();
    index.delete(&[&id(9)]).unwrap();
}

/// Everything that is in the index which [`write`] makes.
fn check(index: &Embedded) {
    assert_eq!(difference(index, &pictures()), Ok(()));
    assert_eq!(faults(index).unwrap(), Vec::<String>::new());
    assert_eq!(index.settings(), settings("model"));
    assert_eq!(index.roots().unwrap()["pictures"], Path::new("/pictures"));
    assert_eq!(index.note(NOTE.0).unwrap().as_deref(), Some(NOTE.1));
    let thumbnail = picture(7, (3, 1)).record.thumbnail;
    assert_eq!(index.thumbnail(&id(7)).unwrap(), thumbnail);
    let filter = finelens_search::Filter::parse("number < 6 or colour = \"red\"").unwrap();
    let query = finelens_search::Query {
        limit: 100,
        ..finelens_search::Query::new(Words::default(), None)
    };
    let found = index.search(&finelens_search::Query { filter: Some(filter), ..query }).unwrap();
    let holds = |number: &u64, versions: &(u64, u64)| {
        let colour = &picture(*number, *versions).record.metadata["colour"];
        *number < 6 || *colour == Value::Text("red".to_owned())
    };
    let expected = pictures().iter().filter(|(number, versions)| holds(number, versions)).count();
    assert_eq!(found.hits.len(), expected);
}

/// Opens for reading, then for writing, and adds to it.
fn check_and_add(dir: &Path) {
    check(&Embedded::open_read_only(dir).unwrap());
    let index = Embedded::open(dir).unwrap();
    check(&index);
    let mut all = pictures();
    index.put(&[item(9, 5), item(77, 5)]).unwrap();
    all.extend([(9, (5, 5)), (77, (5, 5))]);
    assert_eq!(difference(&index, &all), Ok(()));
    index.compact(&mut |_, _, _| {}).unwrap();
    drop(index);
    let index = Embedded::open(dir).unwrap();
    assert_eq!(difference(&index, &all), Ok(()));
    assert_eq!(faults(&index).unwrap(), Vec::<String>::new());
}

#[test]
fn an_index_of_the_first_version_can_be_used() {
    if std::env::var_os("UPDATE_FIXTURES").is_some() {
        let _ = fs_err::remove_dir_all(kept());
        write(&kept());
    }
    let dir = tempfile::tempdir().unwrap();
    copy(&kept(), dir.path());
    check_and_add(dir.path());
}

#[test]
fn an_index_of_this_version_can_be_copied_and_moved() {
    let dir = tempfile::tempdir().unwrap();
    let (made, copied, moved) =
        (dir.path().join("made"), dir.path().join("a copy"), dir.path().join("moved/else where"));
    write(&made);
    copy(&made, &copied);
    fs_err::create_dir_all(dir.path().join("moved")).unwrap();
    fs_err::rename(&copied, &moved).unwrap();
    check_and_add(&moved);
    check(&Embedded::open(&made).unwrap());
}

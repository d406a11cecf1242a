//! What a store promises, seen from outside; faults are made by writing to its files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use proptest::prelude::*;
use tempfile::TempDir;

use super::*;
use crate::embedded::vectors::SEGMENT_ROWS;
use crate::metadata::{Metadata, Value};
use crate::record::{Item, Place, Record};
use crate::rows::Row;
use crate::settings::{Fingerprint, Language};

pub(super) fn settings(dim: usize) -> Settings {
    let model = Fingerprint { hash: "f00d".to_owned(), name: "a model".to_owned() };
    Settings { dim, model, language: Language::English, text_fields: vec!["title".to_owned()] }
}

pub(super) fn empty(dim: usize) -> (TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::create(&dir.path().join("generation-1"), &settings(dim)).unwrap();
    (dir, store)
}

/// An item whose every part follows from its id and a number.
pub(super) fn item(dim: usize, id: &str, version: u32) -> Item {
    let place = Place {
        root: "photos".to_owned(),
        path: format!("{id}.jpg"),
        bytes: u64::from(version) * 1000,
        modified_ns: 1_700_000_000_123_456_789 + i64::from(version),
        crc: version.wrapping_mul(0x9e37_79b9),
    };
    let record = Record {
        id: id.to_owned(),
        place: (version % 3 != 2).then_some(place),
        captions: (0..version % 4)
            .map(|n| format!("caption {n} of {id}, version {version}"))
            .collect(),
        metadata: Metadata::from([("year".to_owned(), Value::Number(f64::from(version)))]),
        thumbnail: version
            .is_multiple_of(2)
            .then(|| vec![version as u8; 100 + 50 * version as usize % 9000]),
    };
    let vector =
        (0..dim).map(|place| (version as f32 + 1.0) / (place as f32 + id.len() as f32)).collect();
    Item { record, vector }
}

pub(super) fn put(store: &Store, items: &[Item]) -> Applied {
    store.apply(&items.iter().map(Change::Put).collect::<Vec<_>>()).unwrap()
}

/// Everything that can be found.
pub(super) fn contents(store: &Store) -> Result<BTreeMap<String, Item>, Error> {
    let live = store.state()?.live;
    let items = live.iter().filter_map(|row| store.item(row).transpose());
    items.map(|item| item.map(|item| (item.record.id.clone(), item))).collect()
}

fn by_id(items: &[Item]) -> BTreeMap<String, Item> {
    items.iter().map(|item| (item.record.id.clone(), item.clone())).collect()
}

fn faults(store: &Store) -> Vec<String> {
    store.verify(&mut |_, _, _| ()).unwrap()
}

fn without_thumbnail(item: &Item) -> Record {
    Record { thumbnail: None, ..item.record.clone() }
}

fn value() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<bool>().prop_map(Value::Bool),
        prop::num::f64::NORMAL.prop_map(Value::Number),
        any::<i32>().prop_map(|number| Value::Number(f64::from(number))),
        any::<String>().prop_map(Value::Text),
    ];
    leaf.prop_recursive(2, 8, 4, |inner| prop::collection::vec(inner, 0..4).prop_map(Value::List))
}

prop_compose! {
    fn any_place()(root: String, path: String, bytes: u64, modified_ns: i64, crc: u32) -> Place {
        Place { root, path, bytes, modified_ns, crc }
    }
}

prop_compose! {
    fn any_record()(
        id: String,
        place in prop::option::of(any_place()),
        captions: Vec<String>,
        metadata in prop::collection::btree_map(any::<String>(), value(), 0..4),
        thumbnail: Option<Vec<u8>>,
    ) -> Record {
        Record { id, place, captions, metadata, thumbnail }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10))]

    #[test]
    fn what_was_put_is_what_is_served(records in prop::collection::vec(any_record(), 1..8), bits: [u32; 4]) {
        let vector = bits.map(f32::from_bits).map(|number| if number.is_nan() { 0.5 } else { number });
        let items: Vec<_> = records.into_iter().map(|record| Item { record, vector: vector.to_vec() }).collect();
        let (_dir, store) = empty(4);
        put(&store, &items);
        let expected = by_id(&items);
        prop_assert_eq!(&contents(&store).unwrap(), &expected);
        let known = store.known().unwrap();
        for (id, item) in &expected {
            prop_assert_eq!(&known[id].place, &item.record.place);
            prop_assert_eq!(known[id].words_crc, item.record.words_crc());
        }
        prop_assert_eq!(known.len(), expected.len());
        let dir = store.dir.clone();
        drop(store);
        prop_assert_eq!(contents(&Store::open(&dir, false).unwrap()).unwrap(), expected);
    }
}

#[test]
fn rows_count_up_and_a_replaced_picture_gets_a_new_one() {
    let (_dir, store) = empty(3);
    assert_eq!(put(&store, &[item(3, "a", 1), item(3, "b", 2)]).rows, 0..2);
    let applied = put(&store, &[item(3, "a", 3), item(3, "c", 4)]);
    assert_eq!(applied, Applied { rows: 2..4, dead: vec![0], deleted: 0 });
    assert_eq!(store.row_of("a").unwrap(), Some(2));
    assert_eq!(store.record(0).unwrap(), None);
    assert_eq!(store.item_of("a").unwrap(), Some(item(3, "a", 3)));
    assert_eq!(store.thumbnail("a").unwrap(), item(3, "a", 3).record.thumbnail);
    let state = store.state().unwrap();
    assert_eq!(state.live.iter().collect::<Vec<_>>(), [1, 2, 3]);
    assert_eq!(state.vectors.row(2), item(3, "a", 3).vector);
    assert_eq!(
        contents(&store).unwrap(),
        by_id(&[item(3, "a", 3), item(3, "b", 2), item(3, "c", 4)])
    );
    assert_eq!(faults(&store), [""; 0]);
}

#[test]
fn a_deleted_picture_is_gone_at_once_and_stays_gone() {
    let (_dir, store) = empty(3);
    put(&store, &[item(3, "a", 1), item(3, "b", 2)]);
    let applied = store.apply(&[Change::Delete("a"), Change::Delete("nobody")]).unwrap();
    assert_eq!(applied, Applied { rows: 2..2, dead: vec![0], deleted: 1 });
    assert_eq!(store.row_of("a").unwrap(), None);
    assert_eq!(store.records(&[0, 1], None).unwrap().len(), 2);
    let version = store.state().unwrap().version;
    assert_eq!(store.apply(&[Change::Delete("a")]).unwrap(), Applied::default());
    assert!(!store.changed(version).unwrap(), "nothing was done");
    let dir = store.dir.clone();
    drop(store);
    let store = Store::open(&dir, true).unwrap();
    assert_eq!(contents(&store).unwrap(), by_id(&[item(3, "b", 2)]));
    assert_eq!(faults(&store), [""; 0]);
}

#[test]
fn an_update_keeps_the_vector_and_replaces_the_rest() {
    let (_dir, store) = empty(3);
    put(&store, &[item(3, "a", 2), item(3, "b", 2)]);
    let record = item(3, "a", 5).record;
    let applied = store.apply(&[Change::Update(&record)]).unwrap();
    assert_eq!(applied, Applied { rows: 2..3, dead: vec![0], deleted: 0 });
    let updated = Item { record, vector: item(3, "a", 2).vector };
    assert_eq!(store.item(2).unwrap(), Some(updated));
    assert_eq!(store.thumbnail("a").unwrap(), None, "the update brought none");
}

#[test]
fn an_update_of_an_unknown_picture_fails_and_nothing_of_its_batch_is_done() {
    let (_dir, store) = empty(3);
    let (stranger, a) = (item(3, "stranger", 1).record, item(3, "a", 1));
    for batch in [
        vec![Change::Put(&a), Change::Update(&stranger)],
        vec![Change::Delete("a"), Change::Update(&a.record)],
    ] {
        assert!(matches!(store.apply(&batch), Err(Error::Id { .. })));
    }
    assert_eq!(store.state().unwrap().vectors.rows(), 0);
    assert_eq!(store.disk().unwrap()[1], ("vectors", 0));
}

#[test]
fn within_a_batch_the_last_change_of_an_id_wins() {
    let (_dir, store) = empty(3);
    let (a1, a2, b, c) = (item(3, "a", 1), item(3, "a", 2), item(3, "b", 1), item(3, "c", 3));
    let newer = item(3, "c", 4).record;
    let batch = [
        Change::Put(&a1),
        Change::Put(&b),
        Change::Put(&a2),
        Change::Delete("b"),
        Change::Put(&c),
        Change::Update(&newer),
    ];
    assert_eq!(store.apply(&batch).unwrap(), Applied { rows: 0..2, dead: vec![], deleted: 0 });
    let c = Item { record: newer, vector: c.vector };
    assert_eq!(contents(&store).unwrap(), by_id(&[a2, c]));
}

#[test]
fn what_could_not_be_read_back_is_refused() {
    let (_dir, store) = empty(3);
    let mut odd = item(3, "odd", 1);
    odd.record.metadata.insert("depth".to_owned(), Value::List(vec![Value::Number(f64::NAN)]));
    let fine = item(3, "fine", 1);
    assert!(matches!(store.apply(&[Change::Put(&fine), Change::Put(&odd)]), Err(Error::Id { .. })));
    let narrow = item(2, "narrow", 1);
    let error = store.apply(&[Change::Put(&fine), Change::Put(&narrow)]).unwrap_err().to_string();
    assert_eq!(error, "narrow: expected a vector of 3 numbers, found 2");
    assert!(contents(&store).unwrap().is_empty());
    assert_eq!(
        store.disk().unwrap()[1],
        ("vectors", 0),
        "vectors of a batch that failed are given back"
    );
}

#[test]
fn a_reader_sees_what_another_connection_commits_and_keeps_what_it_has() {
    let (dir, writer) = empty(3);
    put(&writer, &[item(3, "a", 1)]);
    let reader = Store::open(&dir.path().join("generation-1"), false).unwrap();
    let before = reader.state().unwrap();
    assert!(!reader.changed(before.version).unwrap());
    put(&writer, &[item(3, "a", 2), item(3, "b", 3)]);
    assert!(reader.changed(before.version).unwrap());
    let after = reader.state().unwrap();
    assert!(!reader.changed(after.version).unwrap());
    assert!(reader.changed(before.version).unwrap(), "whoever else has looked since");
    assert_eq!((before.vectors.rows(), after.vectors.rows()), (1, 3));
    assert_eq!(before.live.iter().collect::<Vec<_>>(), [0]);
    assert_eq!(after.live.iter().collect::<Vec<_>>(), [1, 2]);
    assert_eq!(after.vectors.row(2), item(3, "b", 3).vector);
    assert_eq!(
        reader.records(&[0, 1], Some(&after.vectors)).unwrap()[0].as_ref().unwrap(),
        &None,
        "deleted since"
    );
    writer.set_fact("rule", b"rrf").unwrap();
    assert!(reader.changed(after.version).unwrap());
    assert!(Arc::ptr_eq(&reader.state().unwrap().live, &after.live), "no record changed");
    assert_eq!(reader.fact("rule").unwrap().unwrap(), b"rrf");
    let refused = reader.apply(&[Change::Delete("a")]);
    assert!(matches!(&refused, Err(Error::ReadOnly { .. })), "{refused:?}");
}

#[test]
fn many_threads_read_while_one_writes() {
    let (_dir, store) = empty(8);
    put(&store, &(0..50).map(|n| item(8, &format!("{n}"), n)).collect::<Vec<_>>());
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                for _ in 0..20 {
                    let state = store.state().unwrap();
                    let rows: Vec<_> = state.live.iter().collect();
                    for record in store.records(&rows, Some(&state.vectors)).unwrap() {
                        record.unwrap();
                    }
                }
            });
        }
        for n in 0..40 {
            put(&store, &[item(8, &format!("{}", n % 7), n), item(8, &format!("new {n}"), n)]);
        }
    });
    assert_eq!(store.state().unwrap().live.count(), 90);
    assert_eq!(faults(&store), [""; 0]);
}

#[test]
fn a_full_file_of_vectors_is_followed_by_another() {
    let (_dir, store) = empty(1);
    let rows = SEGMENT_ROWS + 3;
    let items: Vec<_> = (0..rows)
        .map(|n| Item {
            record: Record { id: n.to_string(), ..Record::default() },
            vector: vec![n as f32],
        })
        .collect();
    put(&store, &items[..SEGMENT_ROWS - 2]);
    let early = store.state().unwrap();
    put(&store, &items[SEGMENT_ROWS - 2..]);
    let vectors = store.state().unwrap().vectors;
    assert_eq!((early.vectors.rows(), vectors.rows()), (SEGMENT_ROWS - 2, rows));
    assert!((0..rows).all(|row| vectors.row(row as Row) == [row as f32]));
    assert!(store.segments.file_of(SEGMENT_ROWS as Row).ends_with("vectors/00001.f32"));
    let mut next = 0;
    store
        .each_record(0..rows as Row, &mut |row, record| {
            assert_eq!((row, record?.id), (next, next.to_string()));
            next += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!(next as usize, rows);
}

#[test]
fn vectors_that_were_never_counted_are_dropped() {
    let (_dir, store) = empty(3);
    put(&store, &[item(3, "a", 1)]);
    let (dir, file) = (store.dir.clone(), store.segments.file_of(0));
    drop(store);
    let mut bytes = fs_err::read(&file).unwrap();
    bytes.extend([7; 17]);
    fs_err::write(&file, &bytes).unwrap();
    fs_err::write(file.with_file_name("00001.f32"), "more").unwrap();

    let reader = Store::open(&dir, false).unwrap();
    assert_eq!(contents(&reader).unwrap(), by_id(&[item(3, "a", 1)]));
    assert_eq!(fs_err::metadata(&file).unwrap().len(), 12 + 17, "a reader changes nothing");
    drop(reader);
    let store = Store::open(&dir, true).unwrap();
    assert_eq!(store.disk().unwrap()[1], ("vectors", 12));
    fs_err::write(&file, &bytes).unwrap();
    put(&store, &[item(3, "b", 2)]);
    assert_eq!(contents(&store).unwrap(), by_id(&[item(3, "a", 1), item(3, "b", 2)]));
    assert_eq!(fs_err::metadata(&file).unwrap().len(), 24);
}

/// A closed store of a few pictures, and its folder.
fn closed() -> (TempDir, PathBuf, BTreeMap<String, Item>) {
    let (dir, store) = empty(4);
    let items: Vec<_> = (0..24).map(|n| item(4, &format!("picture {n}"), n)).collect();
    put(&store, &items);
    store.apply(&[Change::Delete("picture 3"), Change::Delete("picture 20")]).unwrap();
    let (path, expected) = (store.dir.clone(), contents(&store).unwrap());
    drop(store);
    (dir, path, expected)
}

/// Reads everything of a store that may be damaged. What is served must be right; returns whether all of it was.
fn read_all(dir: &Path, expected: &BTreeMap<String, Item>) -> bool {
    let Ok(store) = Store::open(dir, false) else { return false };
    let Ok(state) = store.state() else { return false };
    let mut whole = state.live.count() == expected.len();
    let rows: Vec<_> = state.live.iter().collect();
    for (&row, served) in rows.iter().zip(store.records(&rows, Some(&state.vectors)).unwrap()) {
        match served {
            Ok(record) => assert_eq!(
                record,
                expected.get(&record.as_ref().unwrap().id).map(without_thumbnail)
            ),
            Err(_) => whole = false,
        }
        match store.item(row) {
            Ok(item) => assert_eq!(item, expected.get(&item.as_ref().unwrap().record.id).cloned()),
            Err(_) => whole = false,
        }
    }
    for id in expected.keys() {
        whole &= matches!(store.row_of(id), Ok(Some(_)));
    }
    whole
}

#[test]
fn a_flipped_byte_is_reported_and_never_served() {
    let (_dir, dir, expected) = closed();
    let (database, vectors) = (dir.join(database::FILE), dir.join("vectors/00000.f32"));
    let mut reported = 0;
    for file in [database, vectors] {
        let bytes = fs_err::read(&file).unwrap();
        for at in (0..bytes.len()).step_by(if bytes.len() > 10_000 { 101 } else { 5 }) {
            let mut flipped = bytes.clone();
            flipped[at] ^= 1 << (at % 8);
            fs_err::write(&file, &flipped).unwrap();
            if !read_all(&dir, &expected) {
                let told =
                    Store::open(&dir, false).and_then(|store| store.verify(&mut |_, _, _| ()));
                assert!(
                    told.is_err() || told.is_ok_and(|faults| !faults.is_empty()),
                    "byte {at} of {}",
                    file.display()
                );
                reported += 1;
            }
        }
        fs_err::write(&file, &bytes).unwrap();
    }
    assert!(reported > 50, "only {reported} flips were found");
    assert!(read_all(&dir, &expected));
}

#[test]
fn a_damaged_record_names_file_row_and_id_and_the_others_are_served() {
    let (_dir, dir, expected) = closed();
    let file = dir.join(database::FILE);
    let mut bytes = fs_err::read(&file).unwrap();
    let caption = b"caption 0 of picture 7";
    let at = bytes.windows(caption.len()).position(|window| window == caption).unwrap();
    bytes[at] ^= 1;
    fs_err::write(&file, bytes).unwrap();

    let store = Store::open(&dir, true).unwrap();
    let error = store.record(7).unwrap_err().to_string();
    assert!(
        error.starts_with(&file.display().to_string()) && error.contains("row 7, id \"picture 7\""),
        "{error}"
    );
    assert_eq!(faults(&store), [error]);
    let (mut whole, mut damaged) = (0, 0);
    store
        .each_record(0..24, &mut |_, record| {
            *if record.is_ok() { &mut whole } else { &mut damaged } += 1;
            Ok(())
        })
        .unwrap();
    assert_eq!((whole, damaged), (21, 1));
    assert!(
        !store.known().unwrap().contains_key("picture 7"),
        "it counts as unknown, and is written again:"
    );
    put(&store, &[expected["picture 7"].clone()]);
    assert_eq!(contents(&store).unwrap(), expected);
    assert_eq!(faults(&store), [""; 0]);
}

#[test]
fn a_damaged_vector_names_its_file_and_stops_an_update() {
    let (_dir, dir, _) = closed();
    let file = dir.join("vectors/00000.f32");
    let mut bytes = fs_err::read(&file).unwrap();
    bytes[16 * 5] ^= 1;
    fs_err::write(&file, bytes).unwrap();
    let store = Store::open(&dir, true).unwrap();
    let vectors = store.state().unwrap().vectors;
    let mut records = store.records(&[4, 5], Some(&vectors)).unwrap();
    let error = records.pop().unwrap().unwrap_err().to_string();
    assert!(records[0].is_ok());
    assert_eq!(
        error,
        format!(
            "{}: row 5, id \"picture 5\": the vector does not match its checksum",
            file.display()
        )
    );
    let record = item(4, "picture 5", 9).record;
    assert!(matches!(store.apply(&[Change::Update(&record)]), Err(Error::Damaged { .. })));
    assert_eq!(faults(&store), [error]);
}

#[test]
fn files_that_were_cut_short_or_removed_are_damage() {
    let (_dir, dir, _) = closed();
    for name in [database::FILE, "vectors/00000.f32"] {
        let file = dir.join(name);
        let bytes = fs_err::read(&file).unwrap();
        for len in [0, 1, 99, 100, bytes.len() / 2, bytes.len() - 1] {
            fs_err::write(&file, &bytes[..len.min(bytes.len() - 1)]).unwrap();
            for writable in [false, true] {
                let told =
                    Store::open(&dir, writable).and_then(|store| store.verify(&mut |_, _, _| ()));
                let is_damage = matches!(&told, Err(Error::Damaged { .. }));
                assert!(
                    is_damage || told.as_ref().is_ok_and(|faults| !faults.is_empty()),
                    "{name} at {len}: {told:?}"
                );
            }
        }
        fs_err::remove_file(&file).unwrap();
        let told = Store::open(&dir, true);
        assert!(matches!(&told, Err(Error::Damaged { .. })), "{told:?}");
        fs_err::write(&file, &bytes).unwrap();
    }
}

#[test]
fn a_later_format_is_refused_and_a_strange_database_is_damage() {
    let (_dir, dir, _) = closed();
    let file = dir.join(database::FILE);
    let edit = |sql: &str| rusqlite::Connection::open(&file).unwrap().execute_batch(sql).unwrap();
    edit("PRAGMA user_version = 2");
    let told = Store::open(&dir, false).map(|_| ()).unwrap_err().to_string();
    assert_eq!(told, format!("{}: format 2, expected at most 1", file.display()));
    edit("PRAGMA user_version = 1; PRAGMA application_id = 7");
    assert!(matches!(Store::open(&dir, false), Err(Error::Damaged { .. })));
}

#[test]
fn facts_are_kept_and_checked() {
    let (_dir, store) = empty(3);
    assert_eq!(store.fact("weight").unwrap(), None);
    store.set_fact("weight", b"0.4").unwrap();
    store.set_fact("weight", b"a weight of 0.6").unwrap();
    let dir = store.dir.clone();
    drop(store);
    let file = dir.join(database::FILE);
    let store = Store::open(&dir, false).unwrap();
    assert_eq!(store.fact("weight").unwrap().unwrap(), b"a weight of 0.6");
    assert_eq!(store.settings(), &settings(3));
    drop(store);
    let mut bytes = fs_err::read(&file).unwrap();
    let at = bytes.windows(15).position(|window| window == b"a weight of 0.6").unwrap();
    bytes[at] ^= 1;
    fs_err::write(&file, bytes).unwrap();
    let store = Store::open(&dir, false).unwrap();
    assert!(matches!(store.fact("weight"), Err(Error::Damaged { .. })));
    assert_eq!(faults(&store).len(), 1);
}

#[test]
fn a_store_that_was_closed_has_no_log_and_can_be_moved() {
    let (dir, path, expected) = closed();
    let mut names: Vec<_> =
        fs_err::read_dir(&path).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, [database::FILE, "vectors"]);
    let moved = dir.path().join("else where?100%#1 é");
    fs_err::rename(path, &moved).unwrap();
    assert!(read_all(&moved, &expected));
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt;
        let latin = dir.path().join(std::ffi::OsStr::from_bytes(b"caf\xe9"));
        fs_err::rename(&moved, &latin).unwrap();
        assert!(read_all(&latin, &expected));
    }
}

/// The folder that a child of ours reads.
#[cfg(unix)]
const READ_DIR: &str = "STORE_READ_DIR";

#[cfg(unix)]
#[test]
fn child_that_only_may_read() {
    let Some(dir) = std::env::var_os(READ_DIR).map(PathBuf::from) else { return };
    assert!(fs_err::File::create(dir.join("file")).is_err());
    let store = Store::open(&dir, false).unwrap();
    assert_eq!(contents(&store).unwrap().len(), 22);
    assert!(!store.changed(store.state().unwrap().version).unwrap());
    assert_eq!(faults(&store), [""; 0]);
}

#[cfg(unix)]
#[test]
fn a_folder_that_may_not_be_written_to_can_be_read() {
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;

    let (dir, path, _) = closed();
    for (folder, mode) in [(dir.path(), 0o755), (&path, 0o555)] {
        fs_err::set_permissions(folder, std::fs::Permissions::from_mode(mode)).unwrap();
    }
    let mut command = std::process::Command::new(std::env::current_exe().unwrap());
    let name = format!("{}::child_that_only_may_read", module_path!().split_once("::").unwrap().1);
    command.args(["--exact", &name]).env(READ_DIR, &path);
    if fs_err::metadata(dir.path()).unwrap().uid() == 0 {
        // For root, everything may be written to; nobody is someone else.
        command.uid(65_534).gid(65_534);
    }
    match command.output() {
        Ok(done) => assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stdout)),
        Err(error) => eprintln!("SKIPPED: this executable cannot be run as another user: {error}"),
    }
    fs_err::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
}

//! One writer and many readers at a time: every answer is one that the index could have given at some moment of the question.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, mpsc};
use std::thread;
use std::time::Duration;

use finelens_search::{Backend, Embedded, Error, Query, Words};
use rayon::ThreadPoolBuilder;

use crate::changes::{NUMBERS, Pictures, Step, after, picture};
use crate::check::{MODES, difference, faults, find};
use crate::pictures::{id, item, mix, settings, vector};

/// Changes that the writer makes meanwhile.
const CHANGES: u64 = 120;

const SEED: u64 = 11;

/// All states so far, and which of them was acknowledged last. A state begins to be possible before its change begins.
struct Story {
    states: Vec<Pictures>,
    acknowledged: usize,
}

/// Moments that an answer may be of, by their places among the states.
type Moments = std::ops::RangeInclusive<usize>;

struct Told(Mutex<Story>);

impl Told {
    fn story(&self) -> MutexGuard<'_, Story> {
        self.0.lock().unwrap()
    }

    fn acknowledged(&self) -> usize {
        self.story().acknowledged
    }

    /// From what was acknowledged when a question began to what may be there now.
    fn until_now(&self, begun: usize) -> Moments {
        begun..=self.story().states.len() - 1
    }

    /// What a picture may have been.
    fn possible(&self, number: u64, moments: Moments) -> Vec<Option<(u64, u64)>> {
        let story = self.story();
        let mut possible: Vec<_> =
            moments.map(|moment| story.states[moment].get(&number).copied()).collect();
        possible.dedup();
        possible
    }
}

fn write(index: &Embedded, told: &Told) {
    for place in 0..CHANGES {
        let step = Step::of(SEED, place);
        let before = told.story().states.last().unwrap().clone();
        let mut after = before.clone();
        step.apply(&mut after);
        told.story().states.push(after);
        step.run(index, &before).unwrap_or_else(|error| panic!("{step:?}: {error}"));
        let mut story = told.story();
        story.acknowledged = story.states.len() - 1;
    }
}

/// Asks for one picture in every way.
fn read(index: &Embedded, told: &Told, dice: u64) {
    let number = mix(dice, 1) % NUMBERS;
    let begun = told.acknowledged();
    let found = index.get(&id(number)).unwrap();
    let possible = told.possible(number, told.until_now(begun));
    let is_possible =
        possible.iter().any(|versions| versions.map(|versions| picture(number, versions)) == found);
    assert!(is_possible, "{number}: {found:?} is none of {possible:?}");

    let begun = told.acknowledged();
    let versions = told.possible(number, begun..=begun)[0];
    let mode = MODES[(mix(dice, 2) % 3) as usize];
    let results = find(index, number, versions.unwrap_or((1, 1)), mode).unwrap();
    assert_eq!(results.damaged, Vec::<String>::new());
    let moments = told.until_now(begun);
    for hit in &results.hits {
        check_hit(hit, versions.unwrap_or((1, 1)), number, told, moments.clone());
    }
    if let [Some(versions)] = told.possible(number, moments)[..] {
        let first = results.hits.first().map(|hit| hit.record.id.as_str());
        assert_eq!(first, Some(id(number).as_str()), "{mode:?}, {versions:?}");
    }
}

/// A hit is a picture as it was at one of the moments, and its cosine is that of its vector.
fn check_hit(
    hit: &finelens_search::Hit,
    asked: (u64, u64),
    number: u64,
    told: &Told,
    moments: Moments,
) {
    let digits: String = hit.record.id.chars().filter(char::is_ascii_digit).collect();
    let query = picture(number, asked).vector;
    let found: u64 = digits.parse().unwrap();
    let possible = told.possible(found, moments);
    let fits = |versions: &(u64, u64)| {
        let expected = picture(found, *versions);
        let cosine: f32 = expected.vector.iter().zip(&query).map(|(a, b)| a * b).sum();
        hit.record.captions == expected.record.captions
            && hit.record.place == expected.record.place
            && hit.scores.vector.is_none_or(|score| (score - cosine).abs() < 1e-4)
    };
    assert!(possible.iter().flatten().any(fits), "{hit:?} is none of {possible:?}");
}

/// Asks for everything at once: of one moment, nothing twice and nothing missing.
fn read_all(index: &Embedded, told: &Told) {
    let begun = told.acknowledged();
    let known = index.known().unwrap();
    check_ids(&known.into_keys().collect::<Vec<_>>(), told, begun);
    let begun = told.acknowledged();
    let everything = Query { limit: 10_000, ..Query::new(Words::default(), Some(vector(1))) };
    let mut ids: Vec<String> =
        index.search(&everything).unwrap().hits.into_iter().map(|hit| hit.record.id).collect();
    ids.sort();
    check_ids(&ids, told, begun);
}

fn check_ids(ids: &[String], told: &Told, begun: usize) {
    let moments = told.until_now(begun);
    let story = told.story();
    let is_of = |pictures: &Pictures| {
        let expected: BTreeSet<String> = pictures.keys().map(|number| id(*number)).collect();
        expected.iter().eq(ids)
    };
    assert!(story.states[moments.clone()].iter().any(is_of), "{} ids, {moments:?}", ids.len());
}

/// Opens, asks and closes, again and again.
fn come_and_go(dir: &Path, told: &Told, dice: u64) {
    let index = Embedded::open_read_only(dir).unwrap();
    read(&index, told, dice);
    assert!(matches!(Embedded::open(dir), Err(Error::Locked { .. })));
    if dice.is_multiple_of(16) {
        assert_eq!(faults(&index).unwrap(), Vec::<String>::new());
    }
}

#[test]
fn readers_see_moments_of_what_a_writer_does() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path();
    let mut pictures = Pictures::new();
    let writer = Embedded::create(dir, &settings("model")).unwrap();
    Step::first().run(&writer, &pictures).unwrap();
    Step::first().apply(&mut pictures);
    let told = Told(Mutex::new(Story { states: vec![pictures], acknowledged: 0 }));
    let reader = Embedded::open_read_only(dir).unwrap();
    let done = AtomicBool::new(false);
    let until_done = |what: &(dyn Fn(u64) + Sync)| {
        for dice in 0.. {
            what(dice);
            if done.load(Ordering::Relaxed) {
                break;
            }
        }
    };
    thread::scope(|scope| {
        scope.spawn(|| until_done(&|dice| read(&writer, &told, mix(dice, 1))));
        scope.spawn(|| until_done(&|dice| read(&reader, &told, mix(dice, 2))));
        scope.spawn(|| until_done(&|dice| read(&reader, &told, mix(dice, 3))));
        scope.spawn(|| {
            until_done(&|_| [&writer, &reader].iter().for_each(|index| read_all(index, &told)));
        });
        scope.spawn(|| until_done(&|dice| come_and_go(dir, &told, dice)));
        let written = scope.spawn(|| write(&writer, &told));
        let written = written.join();
        done.store(true, Ordering::Relaxed);
        written.unwrap();
    });
    let pictures = told.story().states.last().unwrap().clone();
    assert_eq!(difference(&reader, &pictures), Ok(()));
    assert_eq!(difference(&writer, &pictures), Ok(()));
    drop((writer, reader));
    let index = Embedded::open(dir).unwrap();
    assert_eq!(difference(&index, &pictures), Ok(()));
    assert_eq!(faults(&index).unwrap(), Vec::<String>::new());
}

/// A thread of a pool that waits for a part of its work takes up what else there is. Here that is a change, while the thread
/// does something else to the index.
fn change_while_optimising(dir: &Path) {
    let index = Embedded::create(dir, &settings("model")).unwrap();
    index.put(&[item(1, 1)]).unwrap();
    let pool = ThreadPoolBuilder::new().num_threads(1).build().unwrap();
    pool.scope(|scope| {
        scope.spawn(|_| index.put(&[item(2, 1)]).unwrap());
        let mut wait = |_: &str, _, _| {
            let _ = rayon::yield_now();
        };
        index.optimise(&mut wait).unwrap();
    });
    assert_eq!(index.stats().unwrap().pictures, 2);
}

#[test]
fn a_change_does_not_wait_for_one_that_its_own_thread_has_begun() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().to_owned();
    let (done, is_done) = mpsc::channel();
    thread::spawn(move || {
        change_while_optimising(&path);
        done.send(()).unwrap();
    });
    is_done.recv_timeout(Duration::from_mins(1)).expect("done, and not waiting for ever");
}

/// The folder that a child of ours may only read.
const READ_DIR: &str = "FINELENS_READ_DIR";

/// Pictures that stay through all changes.
const STAYING: std::ops::Range<u64> = 10_000..10_003;

/// Not a test of its own: it looks at an index that others write to, in a folder where it may make no files.
#[test]
fn child_that_only_may_read() {
    let Some(dir) = std::env::var_os(READ_DIR) else { return };
    let dir = Path::new(&dir);
    assert!(fs_err::File::create(dir.join("file")).is_err());
    let index = Embedded::open_read_only(dir).unwrap();
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                for (number, mode) in STAYING.zip(MODES) {
                    let found = find(&index, number, (1, 1), mode).unwrap();
                    assert_eq!(found.hits[0].record.id, id(number));
                    assert!(found.damaged.is_empty(), "{:?}", found.damaged);
                }
            }
        });
        for line in std::io::stdin().lines() {
            let pictures = after(SEED, line.unwrap().parse().unwrap());
            println!("\nfound {:?}", difference(&index, &pictures));
        }
        done.store(true, Ordering::Relaxed);
    });
}

#[cfg(unix)]
#[test]
fn a_reader_that_may_make_no_files_sees_what_is_written_beside_it() {
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::fs::{MetadataExt, PermissionsExt};
    use std::os::unix::process::CommandExt;
    use std::process::{Command, Stdio};

    let dir = tempfile::tempdir().unwrap();
    fs_err::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    if fs_err::metadata(dir.path()).unwrap().uid() != 0 {
        return eprintln!(
            "SKIPPED: only root can run this executable as somebody who may not write"
        );
    }
    let dir = dir.path().join("index");
    let mut pictures = Pictures::new();
    let mut index = Some(Embedded::create(&dir, &settings("model")).unwrap());
    Step::first().run(index.as_ref().unwrap(), &pictures).unwrap();
    Step::first().apply(&mut pictures);
    index = None;

    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--exact", "together::child_that_only_may_read", "--nocapture"]);
    command
        .env(READ_DIR, &dir)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .uid(65_534)
        .gid(65_534);
    let mut child = match command.spawn() {
        Ok(child) => child,
        Err(error) => {
            return eprintln!("SKIPPED: this executable cannot be run as nobody: {error}");
        }
    };
    let mut asked = child.stdin.take().unwrap();
    let told = BufReader::new(child.stdout.take().unwrap()).lines().map_while(Result::ok);
    let mut told = told.filter(|line| line.starts_with("found"));
    // It has opened what nobody writes to.
    writeln!(asked, "0").unwrap();
    assert_eq!(told.next().as_deref(), Some("found Ok(())"));
    for place in 0..CHANGES {
        // Closed every now and then: the log is emptied, and files that were not written to are.
        let open = index.take().unwrap_or_else(|| Embedded::open(&dir).unwrap());
        let step = Step::of(SEED, place);
        step.run(&open, &pictures).unwrap();
        step.apply(&mut pictures);
        index = (!mix(place, SEED).is_multiple_of(3)).then_some(open);
        writeln!(asked, "{}", place + 1).unwrap();
        assert_eq!(told.next().as_deref(), Some("found Ok(())"), "after {step:?}, change {place}");
    }
    drop(asked);
    assert!(child.wait().unwrap().success());
}

#[test]
fn a_copy_is_of_one_moment_however_much_is_changed_meanwhile() {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::create(&dir.path().join("index"), &settings("model")).unwrap();
    let put = |version| {
        index.put(&(0..NUMBERS).map(|number| item(number, version)).collect::<Vec<_>>()).unwrap();
    };
    put(1);
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            for version in (2..500).take_while(|_| !done.load(Ordering::Relaxed)) {
                put(version);
                if version % 4 == 0 {
                    index.compact(&mut |_, _, _| {}).unwrap();
                }
            }
        });
        let reader = Embedded::open_read_only(&dir.path().join("index")).unwrap();
        for number in 0..8 {
            let into = dir.path().join(format!("copy {number}"));
            assert_eq!(reader.copy(&into, &mut |_, _, _| {}).unwrap(), [""; 0]);
            let again = reader.copy(&into, &mut |_, _, _| {});
            assert!(matches!(again, Err(Error::NotEmpty { .. })), "{again:?}");
            let copy = Embedded::open(&into).unwrap();
            let version = copy.record(&id(0)).unwrap().unwrap().place.unwrap().modified_ns as u64;
            let pictures = (0..NUMBERS).map(|number| (number, (version, version))).collect();
            assert_eq!(difference(&copy, &pictures), Ok(()));
            assert_eq!(faults(&copy).unwrap(), [""; 0]);
        }
        done.store(true, Ordering::Relaxed);
    });
}

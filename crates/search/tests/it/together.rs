//! One writer and many readers at a time: every answer is one that the index could have given at some moment of the question.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard};
use std::thread;

use finelens_search::{Backend, Embedded, Error, Query, Words};

use crate::changes::{NUMBERS, Pictures, Step, picture};
use crate::check::{MODES, difference, faults, find};
use crate::pictures::{id, mix, settings, vector};

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

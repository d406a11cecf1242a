//! The process is killed at hundreds of random moments; what it acknowledged is there, what it deleted is not.
//!
//! The test starts itself as a child that changes an index and says on its standard output what it is about to do and what
//! is done. The parent kills it, opens the index, and compares with what it heard.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use finelens_search::{Backend, Embedded, Error, Mode, Query, Words};

use crate::pictures::{id, item, mix, own_word, settings, vector};

/// Kills of one run of the test; `FINELENS_KILLS` asks for more.
const KILLS: u64 = 200;

/// Pictures that exist or may exist.
const NUMBERS: u64 = 400;

/// Name of the variable that makes this test a child.
const CHILD: &str = "FINELENS_KILL_CHILD";

/// One change that the child makes. The whole sequence follows from the seed.
#[derive(Clone, Debug, PartialEq)]
enum Step {
    /// Numbers, all of this version.
    Put(Vec<u64>, u64),
    Delete(Vec<u64>),
    Optimise,
    Compact,
    Renew,
}

impl Step {
    fn of(seed: u64, place: u64) -> Self {
        let dice = mix(seed, place);
        let start = mix(dice, 1) % NUMBERS;
        let numbers = |most: u64| -> Vec<u64> {
            (start..start + 1 + mix(dice, 2) % most).map(|number| number % NUMBERS).collect()
        };
        match dice % 40 {
            0 => Self::Compact,
            1 => Self::Renew,
            2 | 3 => Self::Optimise,
            4..16 => Self::Delete(numbers(6)),
            _ => Self::Put(numbers(12), mix(dice, 3) % 1_000_000),
        }
    }

    fn run(&self, index: &Embedded) -> Result<(), Error> {
        match self {
            Self::Put(numbers, version) => {
                let items: Vec<_> = numbers.iter().map(|number| item(*number, *version)).collect();
                index.put(&items)
            }
            Self::Delete(numbers) => {
                let ids: Vec<String> = numbers.iter().map(|number| id(*number)).collect();
                index.delete(&ids.iter().map(String::as_str).collect::<Vec<_>>()).map(|_| ())
            }
            Self::Optimise => index.optimise(&mut |_, _, _| {}).map(|_| ()),
            Self::Compact => index.compact(&mut |_, _, _| {}),
            Self::Renew => renew(index),
        }
    }

    /// What it makes of the pictures that there are: number to version.
    fn apply(&self, pictures: &mut BTreeMap<u64, u64>) {
        match self {
            Self::Put(numbers, version) => {
                pictures.extend(numbers.iter().map(|number| (*number, *version)));
            }
            Self::Delete(numbers) => pictures.retain(|number, _| !numbers.contains(number)),
            Self::Optimise | Self::Compact | Self::Renew => {}
        }
    }
}

/// A new generation with the same pictures, as embedding anew makes it.
fn renew(index: &Embedded) -> Result<(), Error> {
    let successor = index.successor(&index.settings())?;
    let done = successor.known()?;
    for id in index.known()?.keys().filter(|id| !done.contains_key(*id)) {
        if let Some(item) = index.get(id)? {
            successor.put(&[item])?;
        }
    }
    let here = index.known()?;
    let gone: Vec<&str> =
        done.keys().map(String::as_str).filter(|id| !here.contains_key(*id)).collect();
    successor.delete(&gone)?;
    for (id, known) in &done {
        if here.get(id).is_some_and(|now| now != known)
            && let Some(item) = index.get(id)?
        {
            successor.put(&[item])?;
        }
    }
    index.succeed(successor)
}

#[test]
fn nothing_acknowledged_is_lost_however_often_the_process_is_killed() {
    if let Ok(words) = std::env::var(CHILD) {
        return child(&words);
    }
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("index");
    drop(Embedded::create(&dir, &settings("model")).unwrap());
    let kills = std::env::var("FINELENS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let mut pictures = BTreeMap::new();
    let (mut acknowledged, mut cut) = (0, 0);
    for round in 0..kills {
        let heard = run_and_kill(&dir, round);
        acknowledged += heard.done;
        for place in 0..heard.done {
            Step::of(round, place).apply(&mut pictures);
        }
        let index = Embedded::open(&dir).unwrap();
        if heard.begun > heard.done {
            cut += 1;
            settle_the_last(&index, &Step::of(round, heard.done), &mut pictures);
        }
        check(&index, &pictures, round);
    }
    let faults = Embedded::open(&dir).unwrap().verify(&mut |_, _, _| {}).unwrap();
    assert_eq!(faults, Vec::<String>::new());
    println!("{kills} kills, {acknowledged} changes acknowledged, {cut} cut half-way");
    assert!(cut * 4 > kills, "only {cut} of {kills} kills hit a change");
}

/// What the child said before it died.
struct Heard {
    begun: u64,
    done: u64,
}

fn run_and_kill(dir: &Path, round: u64) -> Heard {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["kill::nothing_acknowledged", "--nocapture"])
        .env(CHILD, format!("{round} {}", dir.display()))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let mut heard = Heard { begun: 0, done: 0 };
    let mut listen = |line: String| match line.trim() {
        "begin" => heard.begun += 1,
        "done" => heard.done += 1,
        _ => {}
    };
    // It is killed while it works, not while it starts.
    for line in lines.by_ref().map_while(Result::ok) {
        let begun = line == "begin";
        listen(line);
        if begun {
            break;
        }
    }
    std::thread::sleep(Duration::from_micros(mix(round, 99) % 150_000));
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).for_each(listen);
    heard
}

fn child(words: &str) {
    let (round, dir) = words.split_once(' ').unwrap();
    let round: u64 = round.parse().unwrap();
    let index = Embedded::open(Path::new(dir)).unwrap();
    let tell = |word: &str| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{word}").unwrap();
        out.flush().unwrap();
    };
    for place in 0.. {
        tell("\nbegin");
        Step::of(round, place).run(&index).unwrap();
        tell("done");
    }
}

/// The change that was cut happened wholly or not at all; which of the two is seen from the index.
fn settle_the_last(index: &Embedded, step: &Step, pictures: &mut BTreeMap<u64, u64>) {
    let mut after = pictures.clone();
    step.apply(&mut after);
    let probe = match step {
        Step::Put(numbers, _) | Step::Delete(numbers) => {
            numbers.iter().find(|number| pictures.get(number) != after.get(number))
        }
        _ => None,
    };
    let Some(probe) = probe else { return };
    let found = index.get(&id(*probe)).unwrap();
    if found == after.get(probe).map(|version| item(*probe, *version)) {
        *pictures = after;
    }
}

/// Every picture is found by each leg, and no other is there.
fn check(index: &Embedded, pictures: &BTreeMap<u64, u64>, round: u64) {
    let known: Vec<String> = index.known().unwrap().into_keys().collect();
    let mut expected: Vec<String> = pictures.keys().map(|number| id(*number)).collect();
    expected.sort();
    assert_eq!(known, expected, "round {round}");
    assert_eq!(index.stats().unwrap().pictures, pictures.len());
    for (number, version) in pictures {
        let item = item(*number, *version);
        assert_eq!(index.get(&id(*number)).unwrap().as_ref(), Some(&item), "round {round}");
        for mode in [Mode::Lexical, Mode::Vector, Mode::Hybrid] {
            let mut query =
                Query::new(Words::parse(&own_word(*number, *version)), Some(item.vector.clone()));
            (query.mode, query.limit) = (mode, 1);
            let found = index.search(&query).unwrap();
            assert_eq!(found.damaged, Vec::<String>::new());
            let first = found.hits.first().map(|hit| hit.record.id.as_str());
            assert_eq!(first, Some(id(*number).as_str()), "round {round}, {mode:?}");
        }
    }
    let query = Query { limit: NUMBERS as usize, ..Query::new(Words::default(), Some(vector(1))) };
    assert_eq!(index.search(&query).unwrap().hits.len(), pictures.len());
}

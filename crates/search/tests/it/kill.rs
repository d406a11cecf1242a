//! The process is killed at hundreds of random moments; what it acknowledged is there, what it deleted is not.
//!
//! The test starts itself as a child that changes an index and says on its standard output what it is about to do and what
//! is done. The parent kills it, opens the index, and compares with what it heard.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use finelens_search::{Backend, Embedded};

use crate::changes::{Pictures, Step, picture};
use crate::check::{difference, faults};
use crate::pictures::{id, mix, settings};

/// Kills of one run of the test; `FINELENS_KILLS` asks for more.
const KILLS: u64 = 200;

/// Name of the variable that makes this test a child.
const CHILD: &str = "FINELENS_KILL_CHILD";

/// A child is killed within so many microseconds after it began to work.
const LIFE: u64 = 150_000;

#[test]
fn nothing_acknowledged_is_lost_however_often_the_process_is_killed() {
    if let Ok(words) = std::env::var(CHILD) {
        return child(&words);
    }
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("index");
    let mut pictures = Pictures::new();
    let index = Embedded::create(&dir, &settings("model")).unwrap();
    Step::first().run(&index, &pictures).unwrap();
    Step::first().apply(&mut pictures);
    drop(index);
    let kills = std::env::var("FINELENS_KILLS").ok().and_then(|n| n.parse().ok()).unwrap_or(KILLS);
    let (mut acknowledged, mut hit) = (0, BTreeMap::new());
    for round in 0..kills {
        let heard = run_and_kill(&dir, round, &pictures);
        acknowledged += heard.done;
        for place in 0..heard.done {
            Step::of(round, place).apply(&mut pictures);
        }
        let index = Embedded::open(&dir).unwrap();
        let mut at_work = "between two changes";
        if heard.begun > heard.done {
            let step = Step::of(round, heard.done);
            at_work = work(&step);
            settle_the_last(&index, &step, &mut pictures);
        }
        *hit.entry(at_work).or_insert(0) += 1;
        assert_eq!(difference(&index, &pictures), Ok(()), "round {round}, {heard:?}");
        assert_eq!(faults(&index).unwrap(), Vec::<String>::new(), "round {round}, {heard:?}");
    }
    println!("{kills} kills, {acknowledged} changes acknowledged; killed while");
    for (work, kills) in &hit {
        println!("  {work}: {kills}");
    }
    for work in WORKS {
        assert!(kills < KILLS || hit.contains_key(work), "no kill while {work}: {hit:?}");
    }
}

/// What a kill may interrupt.
const WORKS: [&str; 5] = ["indexing", "deleting", "compacting", "re-embedding", "tuning"];

/// What a step is a part of.
fn work(step: &Step) -> &'static str {
    match step {
        Step::Put(..) | Step::Update(..) => WORKS[0],
        Step::Delete(_) => WORKS[1],
        Step::Compact => WORKS[2],
        Step::Renew => WORKS[3],
        Step::Optimise | Step::Fit | Step::Probes(_) => WORKS[4],
    }
}

/// What the child said before it died.
#[derive(Debug)]
struct Heard {
    begun: u64,
    done: u64,
}

fn run_and_kill(dir: &Path, round: u64, pictures: &Pictures) -> Heard {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["kill::nothing_acknowledged", "--nocapture"])
        .env(CHILD, format!("{round} {}", dir.display()))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    serde_json::to_writer(child.stdin.take().unwrap(), pictures).unwrap();
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
    std::thread::sleep(Duration::from_micros(mix(round, 99) % LIFE));
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).for_each(listen);
    heard
}

fn child(words: &str) {
    let (round, dir) = words.split_once(' ').unwrap();
    let round: u64 = round.parse().unwrap();
    let mut pictures: Pictures = serde_json::from_reader(std::io::stdin().lock()).unwrap();
    let index = Embedded::open(Path::new(dir)).unwrap();
    let tell = |word: &str| {
        let mut out = std::io::stdout().lock();
        writeln!(out, "{word}").unwrap();
        out.flush().unwrap();
    };
    for place in 0.. {
        tell("\nbegin");
        let step = Step::of(round, place);
        step.run(&index, &pictures).unwrap();
        tell("done");
        step.apply(&mut pictures);
    }
}

/// The change that was cut happened wholly or not at all; which of the two is seen from the index.
fn settle_the_last(index: &Embedded, step: &Step, pictures: &mut Pictures) {
    let mut after = pictures.clone();
    step.apply(&mut after);
    let mut numbers = pictures.keys().chain(after.keys());
    let Some(probe) = numbers.find(|number| pictures.get(number) != after.get(number)) else {
        return;
    };
    let found = index.get(&id(*probe)).unwrap();
    if found == after.get(probe).map(|versions| picture(*probe, *versions)) {
        *pictures = after;
    }
}

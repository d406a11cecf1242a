//! An index of drawn vectors and captions: how fast it is built, and how fast it answers.
//!
//! The vectors lie in clusters, as those of pictures do, and each query is near one of them.

use std::time::Instant;

use finelens_search::{
    Backend, Embedded, Fingerprint, Item, Language, Query, Record, Settings, Words,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

use super::Session;
use super::clock::Times;
use super::record::Measurement;
use crate::cli::Part;
use crate::number::grouped;

/// Measurements of this part.
pub(super) const COUNT: usize = 4;

/// Width of CLIP's usual vectors.
const DIM: usize = 512;

/// Vectors of a cluster, and how far they are from its middle, whose length is one.
const CLUSTER: usize = 100;
const SPREAD: f32 = 0.8;

/// Vectors that are put at once.
const BATCH: usize = 5_000;

/// Queries to calibrate the index on, and those that are timed.
const PROBES: usize = 200;
const QUERIES: usize = 1_000;

/// Words that captions are made of, and words of a caption.
const VOCABULARY: usize = 5_000;
const CAPTION: usize = 10;

/// Builds an index in a temporary folder and asks it.
pub(super) fn run(session: &mut Session<'_>) -> anyhow::Result<()> {
    if !session.wants(Part::Search) || !session.next("building an index") {
        return Ok(());
    }
    let count = if session.words.quick { 10_000 } else { 50_000 };
    let drawn: Vec<Item> = (0..count).into_par_iter().map(item).collect();
    let folder = tempfile::tempdir()?;
    let start = Instant::now();
    let index = build(&folder.path().join("index"), &drawn)?;
    let built = Times::new(vec![start.elapsed().as_secs_f64()]);
    let name = format!("index of {} vectors, built", grouped(count));
    session.add(Measurement::new(Part::Search, name, (count as f64, "vectors"), &built));
    let queries: Vec<Query> =
        (PROBES..PROBES + QUERIES).map(|number| query(&drawn, number)).collect();
    drop(drawn);
    one_by_one(session, &index, "search by vector", &only_vectors(&queries))?;
    one_by_one(session, &index, "search by vector and words", &queries)?;
    at_once(session, &index, &only_vectors(&queries))
}

fn build(folder: &std::path::Path, items: &[Item]) -> anyhow::Result<Embedded> {
    let model = Fingerprint { hash: "drawn".to_owned(), name: "drawn".to_owned() };
    let settings = Settings { dim: DIM, model, language: Language::English, text_fields: vec![] };
    let index = Embedded::create(folder, &settings)?;
    items.chunks(BATCH).try_for_each(|batch| index.put(batch))?;
    let probes: Vec<Vec<f32>> =
        (0..PROBES).filter_map(|number| query(items, number).vector).collect();
    index.set_probes(&probes)?;
    index.optimise(&mut |_, _, _| {})?;
    Ok(index)
}

fn one_by_one(
    session: &mut Session<'_>,
    index: &Embedded,
    name: &str,
    queries: &[Query],
) -> anyhow::Result<()> {
    session.next("searching");
    let mut rounds = Vec::new();
    let mut each = Vec::new();
    session.clock.time(|| {
        let start = Instant::now();
        for query in queries {
            let start = Instant::now();
            index.search(query)?;
            each.push(start.elapsed().as_secs_f64());
        }
        rounds.push(start.elapsed().as_secs_f64());
        Ok(())
    })?;
    // The first round does not count.
    let (each, rounds) =
        (Times::new(each.split_off(queries.len())), Times::new(rounds.split_off(1)));
    let counted = (queries.len() as f64, "queries");
    session.add(Measurement::new(Part::Search, name, counted, &rounds).with_quantiles(&each));
    Ok(())
}

fn at_once(session: &mut Session<'_>, index: &Embedded, queries: &[Query]) -> anyhow::Result<()> {
    session.next("searching");
    let times = session
        .clock
        .time(|| Ok(queries.par_iter().try_for_each(|query| index.search(query).map(drop))?))?;
    let name = format!("search by vector, {} at once", rayon::current_num_threads());
    let counted = (queries.len() as f64, "queries");
    session.add(Measurement::new(Part::Search, name, counted, &times));
    Ok(())
}

fn only_vectors(queries: &[Query]) -> Vec<Query> {
    queries.iter().map(|query| Query { words: Words::default(), ..query.clone() }).collect()
}

/// The vector and caption of one picture.
fn item(number: usize) -> Item {
    let mut random = ChaCha8Rng::seed_from_u64(number as u64);
    let middle = (number / CLUSTER) as u64;
    let mut vector = noise(&mut ChaCha8Rng::seed_from_u64(u64::MAX - middle));
    add(&mut vector, SPREAD, &noise(&mut random));
    let words: Vec<String> = (0..CAPTION).map(|_| word(&mut random)).collect();
    let record =
        Record { id: format!("{number:06}"), captions: vec![words.join(" ")], ..Record::default() };
    Item { record, vector }
}

/// A query near one of the pictures, with two words of its caption.
fn query(items: &[Item], number: usize) -> Query {
    let mut random = ChaCha8Rng::seed_from_u64(u64::MAX / 2 - number as u64);
    let item = &items[random.random_range(0..items.len())];
    let mut vector = item.vector.clone();
    add(&mut vector, SPREAD, &noise(&mut random));
    let words: Vec<&str> = item.record.captions[0].split(' ').take(2).collect();
    Query::new(Words::plain(&words.join(" ")), Some(vector))
}

/// A word, the first ones oftener than the last.
fn word(random: &mut ChaCha8Rng) -> String {
    let place = (VOCABULARY as f64).powf(random.random::<f64>()) as usize;
    format!("word{place}")
}

/// A direction.
fn noise(random: &mut ChaCha8Rng) -> Vec<f32> {
    // Sums of four uniform numbers are near enough to normal ones.
    let value = |_| (0..4).map(|_| random.random_range(-1.0f32..1.0)).sum();
    let mut vector: Vec<f32> = (0..DIM).map(value).collect();
    normalise(&mut vector);
    vector
}

/// Goes some way from a unit vector and comes back to length one.
fn add(vector: &mut [f32], share: f32, other: &[f32]) {
    vector.iter_mut().zip(other).for_each(|(to, from)| *to += share * from);
    normalise(vector);
}

fn normalise(vector: &mut [f32]) {
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    for x in vector {
        *x /= length;
    }
}

//! Measures the vector leg: recall, latency and build time, for each set of instructions.
//!
//! ```text
//! scan generate DIR N               base.f32, text.f32, image.f32, captions.txt, textq.txt, target.u32
//! scan build DIR [LEVEL] [DIM]      LEVEL is Avx512, Avx2 or Plain; the best if it is left out
//! scan ask DIR [LEVEL] [DIM]
//! ```
//!
//! The vectors are drawn: clusters of low rank in a narrow cone, and queries of text that lie in another cone. Words are
//! drawn by Zipf's law, half of them from the vocabulary of the cluster.

#![allow(clippy::print_stdout, reason = "an example shows what it measures")]
#![allow(clippy::unwrap_used, reason = "an example may stop at the first error")]
#![allow(
    dead_code,
    unused_imports,
    unreachable_pub,
    reason = "the example includes the modules that it measures"
)]

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

#[path = "../src/error.rs"]
mod error;
#[path = "../src/fusion.rs"]
mod fusion;
#[path = "../src/rows.rs"]
mod rows;
#[path = "../src/stats.rs"]
mod stats;

/// The parts of the index that are measured.
#[path = "../src/embedded"]
mod embedded {
    pub(crate) mod durable;
    pub(crate) mod mapped;
    pub(crate) mod vector;
    pub(crate) mod vectors;
}

use embedded::vector::{Level, VectorIndex, exact};
use embedded::vectors::Vectors;
use rows::{Row, RowSet};

/// Width of the drawn vectors.
const DIM: usize = 512;

/// Rank of what tells pictures apart.
const RANK: usize = 128;

/// Pictures of a cluster, on average.
const CLUSTER: usize = 100;

/// Queries of each kind.
const QUERIES: usize = 1000;

/// Queries of a kind that are measured.
const MEASURED: usize = 300;

/// Words that there are, and those that a cluster prefers.
const VOCABULARY: (usize, usize) = (50_000, 30);

/// Rows drawn by one task, from a seed of their own.
const TASK_ROWS: usize = 4096;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["generate", dir, count] => generate(Path::new(dir), count.parse().unwrap()),
        ["build", dir] => build(Path::new(dir), "", DIM),
        ["build", dir, level] => build(Path::new(dir), level, DIM),
        ["build", dir, level, dim] => build(Path::new(dir), level, dim.parse().unwrap()),
        ["ask", dir] => ask(Path::new(dir), "", DIM),
        ["ask", dir, level] => ask(Path::new(dir), level, DIM),
        ["ask", dir, level, dim] => ask(Path::new(dir), level, dim.parse().unwrap()),
        _ => println!(
            "scan generate DIR N | scan build DIR [LEVEL] [DIM] | scan ask DIR [LEVEL] [DIM]"
        ),
    }
}

/// What vectors are drawn from.
struct World {
    /// `(RANK, DIM)`, orthonormal.
    basis: Vec<Vec<f32>>,
    /// Deviation of each latent entry.
    spectrum: Vec<f32>,
    /// `(K, RANK)`.
    centres: Vec<Vec<f32>>,
    /// Sums of the weights of clusters up to each.
    weights: Vec<f64>,
    image_cone: Vec<f32>,
    text_cone: Vec<f32>,
    /// Words of each cluster.
    words: Vec<Vec<usize>>,
    /// Sums of the weights of words up to each.
    zipf: Vec<f64>,
}

fn normal(dice: &mut ChaCha8Rng) -> f32 {
    let (u, v): (f32, f32) = (1.0 - dice.random::<f32>(), dice.random());
    (-2.0 * u.ln()).sqrt() * (std::f32::consts::TAU * v).cos()
}

fn normals(dice: &mut ChaCha8Rng, count: usize) -> Vec<f32> {
    (0..count).map(|_| normal(dice)).collect()
}

fn dot(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).map(|(x, y)| x * y).sum()
}

fn add(to: &mut [f32], from: &[f32], scale: f32) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += scale * from;
    }
}

fn unit(mut x: Vec<f32>) -> Vec<f32> {
    let length = dot(&x, &x).sqrt();
    for value in &mut x {
        *value /= length;
    }
    x
}

fn sums(weights: impl Iterator<Item = f64>) -> Vec<f64> {
    weights
        .scan(0.0, |sum, weight| {
            Some({
                *sum += weight;
                *sum
            })
        })
        .collect()
}

fn draw(dice: &mut ChaCha8Rng, sums: &[f64]) -> usize {
    let at = dice.random::<f64>() * sums[sums.len() - 1];
    sums.partition_point(|sum| *sum <= at).min(sums.len() - 1)
}

impl World {
    fn new(clusters: usize) -> Self {
        let dice = &mut ChaCha8Rng::seed_from_u64(7);
        let mut basis: Vec<Vec<f32>> = Vec::new();
        for _ in 0..RANK {
            let mut next = normals(dice, DIM);
            for known in &basis {
                let along = dot(&next, known);
                add(&mut next, known, -along);
            }
            basis.push(unit(next));
        }
        let spectrum = unit((1..=RANK).map(|i| (i as f32).powf(-0.5)).collect());
        let centre = |_| normals(dice, RANK).iter().zip(&spectrum).map(|(x, s)| x * s).collect();
        let centres = (0..clusters).map(centre).collect();
        let image_cone = unit(normals(dice, DIM));
        let mut text_cone = normals(dice, DIM);
        let along = dot(&text_cone, &image_cone);
        add(&mut text_cone, &image_cone, -along);
        let zipf = sums((1..=VOCABULARY.0).map(|rank| 1.0 / rank as f64));
        let flat = sums((1..=VOCABULARY.0).map(|rank| (rank as f64).powf(-0.6)));
        let words =
            (0..clusters).map(|_| (0..VOCABULARY.1).map(|_| draw(dice, &flat)).collect()).collect();
        let weights = sums((0..clusters).map(|_| dice.random_range(0.05f64..1.0).powf(-0.3)));
        Self {
            basis,
            spectrum,
            centres,
            weights,
            image_cone,
            text_cone: unit(text_cone),
            words,
            zipf,
        }
    }

    /// What a picture of some cluster shows.
    fn latent(&self, dice: &mut ChaCha8Rng) -> (usize, Vec<f32>) {
        let cluster = draw(dice, &self.weights);
        let own = normals(dice, RANK);
        let entries = self.centres[cluster].iter().zip(own).zip(&self.spectrum);
        (cluster, entries.map(|((centre, x), s)| 0.75 * centre + 0.66 * x * s).collect())
    }

    /// What a text about that says.
    fn described(&self, dice: &mut ChaCha8Rng, latent: &[f32]) -> Vec<f32> {
        let noise = normals(dice, RANK);
        let noise = unit(noise.iter().zip(&self.spectrum).map(|(x, s)| x * s).collect());
        unit(latent.to_vec()).iter().zip(noise).map(|(z, n)| 0.75 * z + 0.66 * n).collect()
    }

    /// The vector of a latent, in a cone.
    fn embedded(&self, dice: &mut ChaCha8Rng, latent: &[f32], cone: &[f32]) -> Vec<f32> {
        let (along, isotropic) = (0.6f32, 0.25f32);
        let mut x = vec![0.0; DIM];
        for (z, direction) in unit(latent.to_vec()).iter().zip(&self.basis) {
            add(&mut x, direction, z * (1.0 - along * along - isotropic * isotropic).sqrt());
        }
        add(&mut x, cone, along);
        add(&mut x, &normals(dice, DIM), isotropic / (DIM as f32).sqrt());
        unit(x)
    }

    fn image(&self, dice: &mut ChaCha8Rng, latent: &[f32]) -> Vec<f32> {
        self.embedded(dice, latent, &self.image_cone)
    }

    fn text(&self, dice: &mut ChaCha8Rng, latent: &[f32]) -> Vec<f32> {
        let mut cone: Vec<f32> = self.text_cone.iter().map(|x| 0.95 * x).collect();
        add(&mut cone, &self.image_cone, 0.3);
        let described = self.described(dice, latent);
        self.embedded(dice, &described, &cone)
    }

    fn caption(&self, dice: &mut ChaCha8Rng, cluster: usize) -> Vec<usize> {
        // The sum of many small chances is close to Poisson's law.
        let words = (0..100).filter(|_| dice.random_bool(0.1)).count().clamp(3, 25);
        let mut word = || {
            let own = dice.random_bool(0.5);
            if own { *self.words[cluster].choose(dice).unwrap() } else { draw(dice, &self.zipf) }
        };
        (0..words).map(|_| word()).collect()
    }
}

/// A drawn picture.
struct Drawn {
    latent: Vec<f32>,
    vector: Vec<f32>,
    caption: Vec<usize>,
}

/// Pictures of one task; the same whatever was drawn before.
fn drawn(world: &World, task: usize, count: usize) -> Vec<Drawn> {
    let dice = &mut ChaCha8Rng::seed_from_u64(1_000 + task as u64);
    let picture = |_| {
        let (cluster, latent) = world.latent(dice);
        let vector = world.image(dice, &latent);
        Drawn { vector, caption: world.caption(dice, cluster), latent }
    };
    (0..count).map(picture).collect()
}

fn sentence(words: &[usize]) -> String {
    words.iter().map(|word| format!("w{word}")).collect::<Vec<_>>().join(" ")
}

fn bytes_of(numbers: &[f32]) -> Vec<u8> {
    numbers.iter().flat_map(|x| x.to_le_bytes()).collect()
}

fn generate(dir: &Path, count: usize) {
    fs_err::create_dir_all(dir).unwrap();
    let world = World::new((count / CLUSTER).max(1));
    let mut base = std::io::BufWriter::new(fs_err::File::create(dir.join("base.f32")).unwrap());
    let mut captions =
        std::io::BufWriter::new(fs_err::File::create(dir.join("captions.txt")).unwrap());
    let stride = count.div_ceil(QUERIES);
    let mut asked = Vec::new();
    let tasks: Vec<usize> = (0..count.div_ceil(TASK_ROWS)).collect();
    for batch in tasks.chunks(16) {
        let draw = |task: &usize| drawn(&world, *task, TASK_ROWS.min(count - task * TASK_ROWS));
        for (task, pictures) in batch.iter().zip(batch.par_iter().map(draw).collect::<Vec<_>>()) {
            for (number, picture) in pictures.into_iter().enumerate() {
                base.write_all(&bytes_of(&picture.vector)).unwrap();
                writeln!(captions, "{}", sentence(&picture.caption)).unwrap();
                let row = task * TASK_ROWS + number;
                if row.is_multiple_of(stride) {
                    asked.push((row as u32, picture));
                }
            }
        }
    }
    write_queries(dir, &world, &asked);
}

fn write_queries(dir: &Path, world: &World, asked: &[(u32, Drawn)]) {
    let dice = &mut ChaCha8Rng::seed_from_u64(8);
    let texts = asked.iter().flat_map(|(_, picture)| world.text(dice, &picture.latent));
    fs_err::write(dir.join("text.f32"), bytes_of(&texts.collect::<Vec<_>>())).unwrap();
    let images = (0..QUERIES).flat_map(|_| {
        let latent = world.latent(dice).1;
        world.image(dice, &latent)
    });
    fs_err::write(dir.join("image.f32"), bytes_of(&images.collect::<Vec<_>>())).unwrap();
    let targets: Vec<u8> = asked.iter().flat_map(|(row, _)| row.to_le_bytes()).collect();
    fs_err::write(dir.join("target.u32"), targets).unwrap();
    let query = |(_, picture): &(u32, Drawn)| {
        let words = dice.random_range(2..=4);
        sentence(&picture.caption.choose_multiple(dice, words).copied().collect::<Vec<_>>())
    };
    fs_err::write(
        dir.join("textq.txt"),
        asked.iter().map(query).collect::<Vec<_>>().join("\n") + "\n",
    )
    .unwrap();
}

fn read(path: &Path) -> Vec<f32> {
    let bytes = fs_err::read(path).unwrap();
    bytes.as_chunks::<4>().0.iter().map(|word| f32::from_le_bytes(*word)).collect()
}

/// Vectors and queries of a folder.
struct Data {
    vectors: Vectors,
    probes: Vec<Vec<f32>>,
    texts: Vec<Vec<f32>>,
    images: Vec<Vec<f32>>,
}

impl Data {
    fn read(dir: &Path, dim: usize) -> Self {
        let rows = |name: &str| -> Vec<Vec<f32>> {
            read(&dir.join(name)).chunks_exact(dim).map(<[f32]>::to_vec).collect()
        };
        // The first half of the texts is for calibrating, the rest is asked.
        let mut probes = rows("text.f32");
        let texts = probes.split_off(probes.len() / 2);
        let vectors = Vectors::held(dim, &read(&dir.join("base.f32")));
        Self { vectors, probes, texts, images: rows("image.f32") }
    }
}

fn level(name: &str) -> Level {
    *Level::all().iter().find(|known| format!("{known:?}").contains(name)).unwrap()
}

fn build(dir: &Path, level_name: &str, dim: usize) {
    let data = Data::read(dir, dim);
    let (start, mut told) = (Instant::now(), "");
    let mut progress = |what: &'static str, _, _| {
        if what != told {
            println!("  {:.2} s: {what}", start.elapsed().as_secs_f64());
            told = what;
        }
    };
    let (level, live) = (level(level_name), RowSet::all(data.vectors.rows()));
    let codes = dir.join("codes");
    VectorIndex::build_at(level, &codes, &data.vectors, &live, &data.probes, &mut progress)
        .unwrap();
    println!("{level:?}: {} x {dim} built in {:.2} s", live.len(), start.elapsed().as_secs_f64());
}

fn ask(dir: &Path, level_name: &str, dim: usize) {
    let data = Data::read(dir, dim);
    let start = Instant::now();
    let index = VectorIndex::open_at(level(level_name), &dir.join("codes"), &data.vectors).unwrap();
    println!("{:?} opened in {:.3} s", level(level_name), start.elapsed().as_secs_f64());
    println!("{}; {:?}", index.describe(), index.recall());
    for share in [1.0, 0.5, 0.1, 0.01, 0.001] {
        let dice = &mut ChaCha8Rng::seed_from_u64(9);
        let mut allowed = RowSet::none(data.vectors.rows());
        let rows = 0..data.vectors.rows() as Row;
        rows.filter(|_| dice.random_bool(share)).for_each(|row| allowed.insert(row));
        for (kind, queries) in [("text", &data.texts), ("image", &data.images)] {
            let queries = &queries[..queries.len().min(MEASURED)];
            report(
                &format!("{:>5} % {kind:<5}", share * 100.0),
                &index,
                &data.vectors,
                queries,
                &allowed,
            );
        }
    }
    throughput(&index, &data.vectors, &data.texts);
}

/// Recall@10 and latency on one thread.
fn report(
    name: &str,
    index: &VectorIndex,
    vectors: &Vectors,
    queries: &[Vec<f32>],
    allowed: &RowSet,
) {
    let mut times = Vec::new();
    let (mut right, mut all) = (0, 0);
    for query in queries {
        let wanted: Vec<Row> =
            exact(vectors, query, 10, allowed).into_iter().map(|found| found.0).collect();
        let found = index.search(vectors, query, 10, allowed);
        right += found.iter().filter(|(row, _)| wanted.contains(row)).count();
        all += wanted.len();
    }
    for _ in 0..3 {
        for query in queries {
            let start = Instant::now();
            std::hint::black_box(index.search(vectors, query, 10, allowed));
            times.push(start.elapsed().as_secs_f64() * 1e3);
        }
    }
    times.sort_by(f64::total_cmp);
    let (p50, p99) = (times[times.len() / 2], times[times.len() * 99 / 100]);
    println!("{name} recall@10 {:.4}, p50 {p50:.3} ms, p99 {p99:.3} ms", right as f64 / all as f64);
}

/// Queries per second on one and on two threads.
fn throughput(index: &VectorIndex, vectors: &Vectors, queries: &[Vec<f32>]) {
    let allowed = &RowSet::all(vectors.rows());
    for threads in [1, 2] {
        let start = Instant::now();
        std::thread::scope(|scope| {
            for thread in 0..threads {
                scope.spawn(move || {
                    for query in queries.iter().skip(thread).step_by(threads) {
                        std::hint::black_box(index.search(vectors, query, 10, allowed));
                    }
                });
            }
        });
        let rate = queries.len() as f64 / start.elapsed().as_secs_f64();
        println!("{threads} threads: {rate:.0} queries/s (text)");
    }
}

//! Draws vectors, captions and queries to measure search with, the same for the same count.
//!
//! `generate DIR N` writes base.f32, text.f32, image.f32, captions.txt, textq.txt and target.u32. The vectors are clusters of low
//! rank in a narrow cone, and queries of text lie in another cone. Words are drawn by Zipf's law, half of them from the vocabulary
//! of the cluster. bench/search/README.md says how they are used.

#![allow(clippy::print_stdout, reason = "an example says how it is used")]
#![allow(clippy::unwrap_used, reason = "an example may stop at the first error")]

use std::io::Write;
use std::path::Path;

use rand::seq::IndexedRandom;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rayon::prelude::*;

/// Width of the drawn vectors.
const DIM: usize = 512;

/// Rank of what tells pictures apart.
const RANK: usize = 128;

/// Pictures of a cluster, on average.
const CLUSTER: usize = 100;

/// Queries of each kind.
const QUERIES: usize = 1000;

/// Words that there are, and those that a cluster prefers.
const VOCABULARY: (usize, usize) = (50_000, 30);

/// Rows drawn by one task, from a seed of their own.
const TASK_ROWS: usize = 4096;

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    match &words[..] {
        [dir, count] => generate(Path::new(dir), count.parse().unwrap()),
        _ => panic!("usage: generate DIR N"),
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

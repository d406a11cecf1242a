//! What the hybrid is worth on pictures with several captions: `hybrid DATA IMAGE_ROOT MODEL [random]`.
//!
//! All captions of a picture but its last (or a random one) are indexed; the weight is fitted on these, each held out in
//! turn, and the one that the index has never seen looks for its picture. Prints MRR@10 and R@10 of each way to order.

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use finelens_clip::{Checkpoint, Embedder};
use finelens_compute::Cpu;
use finelens_data::{Example, Options};
use finelens_finetune::{Embedded as Features, embed};
use finelens_search::{
    Backend, Embedded, Fingerprint, Item, Language, Mode, Query, Record, Settings, Trial, Words,
};
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Captions that the weight is fitted on, at most.
const TRIALS: usize = 1_000;

/// Samples of the bootstrap.
const RESAMPLES: usize = 2_000;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [data, root, model, rest @ ..] = arguments.as_slice() else {
        anyhow::bail!("usage: hybrid DATA IMAGE_ROOT MODEL [random]");
    };
    let options = Options { image_root: Some(root.into()), ..Options::default() };
    let dataset = finelens_data::open(Path::new(data), &options)?;
    let several = dataset.examples.into_iter().filter(|example| example.captions.len() > 1);
    let mut several: Vec<Example> = several.collect();
    if !rest.is_empty() {
        turn_at_random(&mut several);
    }
    let several: Vec<&Example> = several.iter().collect();
    let mut embedder = Embedder::new(Checkpoint::load(Path::new(model))?, Box::new(Cpu::new()))?;
    let features = embed(&mut embedder, &several, |_| {})?;
    let pictures = pictures(&several, &features);
    let folder = tempfile::tempdir()?;
    let index = filled(&folder.path().join("index"), &pictures)?;
    let rrf = ranks(&index, &pictures, Mode::Hybrid)?;
    let fitted = index.fit(&trials(&pictures))?;
    let ways = [
        ("words alone", ranks(&index, &pictures, Mode::Lexical)?),
        ("vector alone", ranks(&index, &pictures, Mode::Vector)?),
        ("RRF", rrf),
        ("fitted", ranks(&index, &pictures, Mode::Hybrid)?),
    ];
    let rule = index.stats()?.rule;
    print(&ways, &format!("{rule:?}, {fitted:.3?}"))
}

/// Makes a random caption of each the last.
fn turn_at_random(examples: &mut [Example]) {
    let mut dice = ChaCha8Rng::seed_from_u64(3);
    for example in examples {
        let turn = dice.random_range(0..example.captions.len());
        example.captions.rotate_left(turn);
    }
}

/// A picture with its captions and their vectors.
struct Picture<'a> {
    example: &'a Example,
    vector: &'a [f32],
    captions: Vec<&'a [f32]>,
}

impl Picture<'_> {
    /// Place of the caption that is never indexed.
    fn last(&self) -> usize {
        self.example.captions.len() - 1
    }
}

fn pictures<'a>(examples: &[&'a Example], features: &'a Features) -> Vec<Picture<'a>> {
    let mut texts = 0..;
    let kept = features.examples.iter().enumerate();
    kept.map(|(row, place)| {
        let example = examples[*place];
        let captions = texts.by_ref().take(example.captions.len());
        let captions = captions.map(|text| features.texts.rows(text..text + 1)).collect();
        Picture { example, vector: features.images.rows(row..row + 1), captions }
    })
    .collect()
}

fn filled(dir: &Path, pictures: &[Picture<'_>]) -> Result<Embedded> {
    let dim = pictures.first().context("no picture has more than one caption")?.vector.len();
    let model = Fingerprint { hash: String::new(), name: String::new() };
    let settings = Settings { dim, model, language: Language::English, text_fields: Vec::new() };
    let index = Embedded::create(dir, &settings)?;
    let item = |picture: &Picture<'_>| {
        let captions = picture.example.captions[..picture.last()].to_vec();
        let record = Record { id: picture.example.id.clone(), captions, ..Record::default() };
        Item { record, vector: picture.vector.to_vec() }
    };
    index.put(&pictures.iter().map(item).collect::<Vec<_>>())?;
    index.optimise(&mut |_, _, _| {})?;
    Ok(index)
}

/// Spread evenly over all indexed captions.
fn trials(pictures: &[Picture<'_>]) -> Vec<Trial> {
    let each = |picture: &Picture<'_>| -> Vec<Trial> {
        let trial = |caption: usize| {
            let vector = picture.captions[caption].to_vec();
            Trial { id: picture.example.id.clone(), caption, vector }
        };
        (0..picture.last()).map(trial).collect()
    };
    let all: Vec<Trial> = pictures.iter().flat_map(each).collect();
    let wanted = TRIALS.min(all.len());
    (0..wanted).map(|number| all[number * all.len() / wanted].clone()).collect()
}

/// For each picture the place at which its last caption finds it, from 1; `None` beyond the tenth.
fn ranks(index: &Embedded, pictures: &[Picture<'_>], mode: Mode) -> Result<Vec<Option<usize>>> {
    let rank = |picture: &Picture<'_>| {
        let words = Words::plain(&picture.example.captions[picture.last()]);
        let vector = picture.captions[picture.last()].to_vec();
        let found = index.search(&Query { mode, ..Query::new(words, Some(vector)) })?;
        let place = found.hits.iter().position(|hit| hit.record.id == picture.example.id);
        Ok(place.map(|place| place + 1))
    };
    pictures.iter().map(rank).collect()
}

fn print(ways: &[(&str, Vec<Option<usize>>)], fitted: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "| order | MRR@10 | R@10 |\n|---|---:|---:|")?;
    for (way, ranks) in ways {
        let found = ranks.iter().flatten().count() as f64 / ranks.len() as f64;
        writeln!(out, "| {way} | {:.3} | {found:.3} |", mean(&reciprocal(ranks)))?;
    }
    let of = |place: usize| reciprocal(&ways[place].1);
    let better = usize::from(mean(&of(0)) <= mean(&of(1)));
    let gain: Vec<f64> = of(3).iter().zip(of(better)).map(|(a, b)| a - b).collect();
    let (low, high) = interval(&gain);
    writeln!(
        out,
        "\n{} captions; fitted: {fitted}. Fitted against {}: {:+.3} MRR@10 (95 %: {low:+.3} to {high:+.3})",
        gain.len(),
        ways[better].0,
        mean(&gain)
    )?;
    Ok(())
}

fn reciprocal(ranks: &[Option<usize>]) -> Vec<f64> {
    ranks.iter().map(|rank| rank.map_or(0.0, |rank| 1.0 / rank as f64)).collect()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// 95 % of the means of samples with replacement lie between these.
///
/// Source: Efron, "Bootstrap Methods: Another Look at the Jackknife" (1979).
fn interval(values: &[f64]) -> (f64, f64) {
    let mut dice = ChaCha8Rng::seed_from_u64(1);
    let mut sample = || {
        let drawn = values.iter().map(|_| values[dice.random_range(0..values.len())]);
        drawn.sum::<f64>() / values.len() as f64
    };
    let mut means: Vec<f64> = (0..RESAMPLES).map(|_| sample()).collect();
    means.sort_by(f64::total_cmp);
    (means[RESAMPLES / 40], means[RESAMPLES - 1 - RESAMPLES / 40])
}

//! How often find-in-picture is right: `find QUESTIONS.jsonl IMAGE_ROOT MODEL INDEX`, after `bench/find/split.py`.
//!
//! Asks for every feature in every picture that the questions know about, and prints how well four scores tell present
//! from absent (the area under the ROC curve over all questions), what the two that decide by themselves answered, and ten features each in a picture that has it and in one that has not.

use std::collections::HashMap;
use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use finelens::finding::{Asked, Finder};
use finelens_clip::{Checkpoint, Embedder, Picture, locate};
use finelens_compute::Cpu;
use finelens_search::Embedded;
use serde::Deserialize;

/// A line of the questions.
#[derive(Deserialize)]
struct Row {
    image: String,
    present: Vec<String>,
    absent: Vec<String>,
}

/// One question with what each way to answer made of it.
struct Answer {
    image: String,
    feature: String,
    present: bool,
    /// Higher is likelier: whole cosine, soft-max over tiles, against words, against pictures.
    scores: [f64; 4],
    /// What the last two said.
    found: [bool; 2],
    false_alarm: f64,
}

const WAYS: [&str; 4] = [
    "cosine of the whole picture",
    "largest share of a soft-max over tiles",
    "tiles, against other words (no index)",
    "tiles, against pictures of the index",
];

/// Examples of each kind.
const SHOWN: usize = 10;

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [questions, root, model, index] = arguments.as_slice() else {
        anyhow::bail!("usage: find QUESTIONS.jsonl IMAGE_ROOT MODEL INDEX");
    };
    let mut embedder = Embedder::new(Checkpoint::load(Path::new(model))?, Box::new(Cpu::new()))?;
    let mut finders = [Finder::new(), Finder::new()];
    let dir = Path::new(index);
    finders[1].learn(&Embedded::open_read_only(dir)?, dir, &mut embedder, &mut |_, _| {})?;
    let (mut answers, mut texts) = (Vec::new(), HashMap::new());
    for line in fs_err::read_to_string(questions)?.lines() {
        let row: Row = serde_json::from_str(line)?;
        let bytes = fs_err::read(Path::new(root).join(&row.image))?;
        let picture = embedder.decoder.decode(&bytes)?.picture;
        let looked_at = LookedAt::new(&mut embedder, row.image, picture)?;
        let asked = row.present.iter().map(|feature| (feature, true));
        for (feature, present) in asked.chain(row.absent.iter().map(|feature| (feature, false))) {
            if !texts.contains_key(feature) {
                texts.insert(feature.clone(), locate::feature_vector(&mut embedder, feature)?);
            }
            let question = (feature.as_str(), texts[feature].as_slice(), present);
            answers.push(looked_at.answer(&mut embedder, &mut finders, question)?);
        }
    }
    print(&answers)
}

/// A picture with its vectors, for the ways to answer that keep none.
struct LookedAt {
    image: String,
    picture: Picture,
    whole: Vec<f32>,
    tiles: Vec<f32>,
}

impl LookedAt {
    fn new(embedder: &mut Embedder, image: String, picture: Picture) -> Result<Self> {
        let areas = locate::tiles(picture.width(), picture.height(), embedder.preprocess.size());
        let tiles = embedder.tiles(&picture, &areas)?;
        let whole = embedder.images(std::slice::from_ref(&picture))?;
        Ok(Self { image, picture, whole, tiles })
    }

    fn answer(
        &self,
        embedder: &mut Embedder,
        finders: &mut [Finder; 2],
        (feature, text, present): (&str, &[f32], bool),
    ) -> Result<Answer> {
        let shares = locate::soft_max(&locate::cosines(&self.tiles, text), 100.0);
        let share = shares.into_iter().fold(0.0, f32::max);
        let whole = locate::cosines(&self.whole, text)[0];
        let asked = Asked { feature, ..Asked::default() };
        let words = finders[0].find(embedder, &self.picture, &asked)?;
        let pictures = finders[1].find(embedder, &self.picture, &asked)?;
        Ok(Answer {
            image: self.image.clone(),
            feature: feature.to_owned(),
            present,
            scores: [f64::from(whole), f64::from(share), words.confidence, pictures.confidence],
            found: [words.found, pictures.found],
            false_alarm: pictures.false_alarm.context("the index has too few pictures")?,
        })
    }
}

fn print(answers: &[Answer]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let features = features(answers);
    let present = answers.iter().filter(|answer| answer.present).count();
    writeln!(
        out,
        "{} features, {present} questions about what is present, {} about what is absent\n",
        features.len(),
        answers.len() - present
    )?;
    writeln!(out, "| score | AUC |\n|---|---:|")?;
    for (way, name) in WAYS.iter().enumerate() {
        writeln!(out, "| {name} | {:.3} |", auc(answers, way))?;
    }
    writeln!(
        out,
        "\n| decision | found where present | found where absent | balanced accuracy |\n|---|---:|---:|---:|"
    )?;
    for (way, name) in [(0, WAYS[2]), (1, WAYS[3])] {
        decision(&mut out, name, &rates(answers, |answer| answer.found[way]))?;
    }
    for allowed in [0.02, 0.05, 0.2] {
        let name = format!("the same, with `--false-alarm {allowed}`");
        decision(&mut out, &name, &rates(answers, |answer| answer.false_alarm <= allowed))?;
    }
    examples(&mut out, answers, &features)
}

fn decision(out: &mut impl Write, name: &str, [present, absent]: &[f64; 2]) -> Result<()> {
    let balanced = f64::midpoint(*present, 1.0 - absent);
    Ok(writeln!(out, "| {name} | {present:.3} | {absent:.3} | {balanced:.3} |")?)
}

fn features(answers: &[Answer]) -> Vec<&str> {
    let mut features: Vec<&str> = answers.iter().map(|answer| answer.feature.as_str()).collect();
    features.sort_unstable();
    features.dedup();
    features
}

/// Shares of yes where the feature is present and where it is absent.
fn rates(answers: &[Answer], yes: impl Fn(&Answer) -> bool) -> [f64; 2] {
    [true, false].map(|present| {
        let asked = answers.iter().filter(|answer| answer.present == present);
        let (all, found) =
            asked.fold((0, 0), |(all, found), answer| (all + 1, found + usize::from(yes(answer))));
        f64::from(u32::try_from(found).unwrap_or(u32::MAX)) / f64::from(all.max(1))
    })
}

/// The probability that a picture with the feature scores higher than one without; half where they are equal.
fn auc(answers: &[Answer], way: usize) -> f64 {
    let mut scores: Vec<(f64, bool)> =
        answers.iter().map(|answer| (answer.scores[way], answer.present)).collect();
    scores.sort_by(|a, b| a.0.total_cmp(&b.0));
    let (mut below, mut won, mut present) = (0.0, 0.0, 0.0);
    for equal in scores.chunk_by(|a, b| a.0 == b.0) {
        let with = equal.iter().filter(|score| score.1).count() as f64;
        let without = equal.len() as f64 - with;
        won += with * (below + without / 2.0);
        below += without;
        present += with;
    }
    won / (present * below)
}

/// Features spread over all, each in the middle one of the pictures that have it and of those that have not.
fn examples(out: &mut impl Write, answers: &[Answer], features: &[&str]) -> Result<()> {
    writeln!(
        out,
        "\n| feature | picture | is it there? | answer | false alarm |\n|---|---|---|---|---:|"
    )?;
    for present in [true, false] {
        for number in 0..SHOWN {
            let feature = features[number * features.len() / SHOWN];
            let asked: Vec<&Answer> = answers
                .iter()
                .filter(|answer| answer.feature == feature && answer.present == present)
                .collect();
            let Some(answer) = asked.get(asked.len() / 2) else { continue };
            let file = answer.image.rsplit('/').next().unwrap_or_default();
            let there = if present { "yes" } else { "no" };
            let said = if answer.found[1] { "found" } else { "not there" };
            writeln!(out, "| {feature} | {file} | {there} | {said} | {:.3} |", answer.false_alarm)?;
        }
    }
    Ok(())
}

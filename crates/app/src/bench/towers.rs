//! The model at work: pictures and texts to vectors, and steps of training.

use std::path::{Path, PathBuf};

use finelens_clip::{Model, Preprocess};
use finelens_compute::Precision;
use finelens_finetune::{Rehearsal, embed_files};

use super::photographs::{Files, pictures_in};
use super::record::Measurement;
use super::{Session, Subject, machine};
use crate::cli::Part;
use crate::model;
use crate::number::counted;

const PARTS: [Part; 3] = [Part::Image, Part::Text, Part::Step];

/// Measurements of files, where no folder is named.
pub(super) const FILES: usize = 2;

/// Times what is wanted, the smallest batch first: memory only grows.
pub(super) fn run(session: &mut Session<'_>, subject: Subject) -> anyhow::Result<()> {
    if !PARTS.iter().chain([&Part::Files]).any(|part| session.wants(*part)) {
        return Ok(());
    }
    let model = Model::new(subject.config, subject.tensors, model::device())?;
    let mut rehearsal = Rehearsal::new(model, 1, session.words.tokens);
    for part in PARTS {
        // Nothing is trained in int8.
        let here = part != Part::Step || model::precision() != Precision::Int8;
        if !here || !session.wants(part) {
            continue;
        }
        for batch in session.batches(part) {
            if !session.next(shown(part)) {
                return Ok(());
            }
            rehearsal.draw(batch, session.words.tokens);
            one(session, part, &mut rehearsal)?;
        }
    }
    if session.wants(Part::Files) {
        files(session, rehearsal.model_mut(), &subject.preprocess)?;
    }
    Ok(())
}

/// Embeds the files of the folder that was named, or drawn ones.
fn files(
    session: &mut Session<'_>,
    model: &mut Model,
    preprocess: &Preprocess,
) -> anyhow::Result<()> {
    if let Some(folder) = &session.words.pictures {
        let paths = pictures_in(folder)?;
        let name = |count| format!("{} of yours", counted(count, "file"));
        return embed(session, model, preprocess, (name, &paths));
    }
    for files in [Files::small()?, Files::photographs(session.words.quick, PHOTOGRAPHS)?] {
        let folder = tempfile::tempdir()?;
        let paths = files.write(folder.path())?;
        embed(session, model, preprocess, (|_| files.name.clone(), &paths))?;
    }
    Ok(())
}

/// Large files that are embedded. Own choice: one batch of the model, half a second of decoding.
const PHOTOGRAPHS: usize = 8;

fn embed(
    session: &mut Session<'_>,
    model: &mut Model,
    preprocess: &Preprocess,
    (name, paths): (impl Fn(usize) -> String, &[PathBuf]),
) -> anyhow::Result<()> {
    if !session.next("embedding files") {
        return Ok(());
    }
    let paths: Vec<&Path> = paths.iter().map(PathBuf::as_path).collect();
    let decoder = preprocess.decoder();
    machine::forget_peak();
    let (mut read, mut unreadable) = (0, Vec::new());
    let times = session.clock.time(|| {
        let embedded = embed_files(model, (&decoder, preprocess), &paths, |_| ())?;
        (read, unreadable) = (embedded.kept.len(), embedded.unreadable);
        let Some(why) = unreadable.first() else { return Ok(()) };
        anyhow::ensure!(read > 0, "{why}");
        Ok(())
    })?;
    session.unreadable = unreadable;
    let name = format!("{}, embedded", name(read));
    let one = Measurement::new(Part::Files, name, (read as f64, "images"), &times);
    session.add(one.with_operations(model.config().image_operations()).with_memory());
    Ok(())
}

fn shown(part: Part) -> &'static str {
    match part {
        Part::Image => "embedding images",
        Part::Text => "embedding texts",
        _ => "training steps",
    }
}

fn one(session: &mut Session<'_>, part: Part, rehearsal: &mut Rehearsal) -> anyhow::Result<()> {
    let (batch, tokens) = (rehearsal.batch(), rehearsal.tokens());
    machine::forget_peak();
    let times = session.clock.time(|| {
        match part {
            Part::Image => drop(rehearsal.images()?),
            Part::Text => drop(rehearsal.texts()?),
            _ => drop(rehearsal.step()?),
        }
        Ok(())
    })?;
    let config = rehearsal.model().config();
    let (name, unit, operations, tokens) = match part {
        Part::Image => ("images".to_owned(), "images", config.image_operations(), None),
        Part::Text => (
            format!("texts of {tokens} tokens"),
            "texts",
            config.text_operations(tokens),
            Some(tokens),
        ),
        _ => ("training step".to_owned(), "pairs", config.pair_operations(tokens), Some(tokens)),
    };
    let name = format!("{name}, batch {batch}");
    let one = Measurement::new(part, name, (batch as f64, unit), &times);
    session.add(one.with_batch(batch, tokens).with_operations(operations).with_memory());
    Ok(())
}

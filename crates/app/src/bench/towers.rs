//! The model at work: pictures and texts to vectors, and steps of training.

use finelens_clip::Model;
use finelens_compute::Precision;
use finelens_finetune::Rehearsal;

use super::record::Measurement;
use super::{Session, Subject, machine};
use crate::cli::Part;
use crate::model;

const PARTS: [Part; 3] = [Part::Image, Part::Text, Part::Step];

/// Times what is wanted, the smallest batch first: memory only grows.
pub(super) fn run(session: &mut Session<'_>, subject: Subject) -> anyhow::Result<()> {
    // Nothing is trained in int8.
    let here = |part: Part| part != Part::Step || model::precision() != Precision::Int8;
    let parts = PARTS.into_iter().filter(|part| here(*part) && session.wants(*part));
    let parts = parts.collect::<Vec<_>>();
    if parts.is_empty() {
        return Ok(());
    }
    let model = Model::new(subject.config, subject.tensors, model::device())?;
    let mut rehearsal = Rehearsal::new(model, 1, session.words.tokens);
    for part in parts {
        for batch in session.batches(part) {
            if !session.next(shown(part)) {
                return Ok(());
            }
            rehearsal.draw(batch, session.words.tokens);
            one(session, part, &mut rehearsal)?;
        }
    }
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

//! A model on a split: features, ranks, and the record that is printed.
//!
//! Joins `finetune::embed` with `finetune::eval`; reading data and printing are left to the commands.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use finelens_clip::{Checkpoint, Embedder};
use finelens_data::Example;
use finelens_finetune::eval::record::EvaluationRecord;
use finelens_finetune::eval::{self, Bootstrap, Evaluated, Features, zero_shot};
use finelens_finetune::{Embedded, embed};

use crate::error::Error;
use crate::input::{candidates, classes_of};
use crate::number::counted;
use crate::printer::Printer;
use crate::progress::counter;
use crate::rounding;

/// One model on one split.
pub(crate) struct Measured {
    /// Features and what they belong to.
    pub(crate) embedded: Embedded,
    /// Ranks under every protocol.
    pub(crate) evaluated: Evaluated,
}

/// Class names, and sentences around them.
pub(crate) struct Classes {
    /// The file they come from, for messages.
    pub(crate) path: PathBuf,
    /// One per class.
    pub(crate) names: Vec<String>,
    /// Each with `{}` or `{class}` in it.
    pub(crate) prompts: Vec<String>,
}

impl Classes {
    /// Reads a file with a class name per line; every prompt must have a place for it.
    pub(crate) fn read(path: &Path, prompts: &[String]) -> anyhow::Result<Self> {
        if let Some(prompt) = prompts.iter().find(|prompt| fill(prompt, "") == **prompt) {
            return Err(Error::Prompt { prompt: prompt.clone() }.into());
        }
        let text = fs_err::read_to_string(path)?;
        let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
        let mut known = BTreeSet::new();
        let names: Vec<String> =
            lines.filter(|line| known.insert(*line)).map(str::to_owned).collect();
        if names.is_empty() {
            return Err(Error::NoClasses { path: path.to_owned() }.into());
        }
        Ok(Self { path: path.to_owned(), names, prompts: prompts.to_vec() })
    }
}

/// A prompt with a class name in its place, `_` and `-` as spaces.
fn fill(prompt: &str, class: &str) -> String {
    let class = class.replace(['_', '-'], " ");
    prompt.replace("{class}", &class).replace("{}", &class)
}

/// Runs the model over the pictures and captions and ranks them.
pub(crate) fn measure(
    checkpoint: Checkpoint,
    examples: &[&Example],
    classes: Option<&Classes>,
    printer: &Printer,
) -> anyhow::Result<Measured> {
    let mut embedder = rounding::embedder(None, checkpoint, examples, printer)?;
    let bar = counter(printer, "measuring", examples.len());
    let embedded = embed(&mut embedder, examples, |done| bar.set_position(done as u64))?;
    bar.finish_and_clear();
    let mut evaluated = eval::evaluate(&embedded.corpus, &embedded.images, &embedded.texts)?;
    if let Some(classes) = classes {
        let kept: Vec<&Example> = embedded.examples.iter().map(|&place| examples[place]).collect();
        evaluated.zero_shot =
            Some(classify(&mut embedder, &kept, &embedded.images, classes, printer)?);
    }
    Ok(Measured { embedded, evaluated })
}

fn classify(
    embedder: &mut Embedder,
    examples: &[&Example],
    images: &Features,
    classes: &Classes,
    printer: &Printer,
) -> anyhow::Result<eval::ZeroShotRanks> {
    let known = classes_of(examples, &classes.names);
    if known.is_empty() {
        let found = examples.first().and_then(|example| candidates(example).into_iter().next());
        return Err(Error::NoClassFits {
            path: classes.path.clone(),
            found: found.unwrap_or_default(),
        }
        .into());
    }
    if known.len() < examples.len() {
        let left = counted(examples.len() - known.len(), "picture");
        printer
            .warn(format_args!("{left} of no class in {}: not classified", classes.path.display()));
    }
    let mut prompts = Vec::new();
    for prompt in &classes.prompts {
        let sentences: Vec<String> =
            classes.names.iter().map(|class| fill(prompt, class)).collect();
        let sentences: Vec<&str> = sentences.iter().map(String::as_str).collect();
        prompts.push(Features::new(images.dim(), embedder.texts(&sentences)?)?);
    }
    let (places, truth): (Vec<usize>, Vec<u32>) = known.into_iter().unzip();
    Ok(zero_shot::rank(&images.pick(places), &truth, &zero_shot::average_prompts(&prompts)?)?)
}

impl Measured {
    /// The record that is printed and kept.
    pub(crate) fn record(&self, classes: Option<&Classes>) -> EvaluationRecord {
        let names = classes.map_or(&[][..], |classes| &classes.names);
        EvaluationRecord::new(&self.embedded.corpus, &self.evaluated, names, &Bootstrap::default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prompt_takes_the_class_as_words() {
        assert_eq!(
            fill("an aerial photo of {}", "storage_tanks"),
            "an aerial photo of storage tanks"
        );
        assert_eq!(
            fill("{class}, seen from above", "baseball-field"),
            "baseball field, seen from above"
        );
    }

    #[test]
    fn a_prompt_without_a_place_for_the_class_is_refused() {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs_err::write(file.path(), "river\n\n port \nriver\n").unwrap();
        assert!(Classes::read(file.path(), &["a photo".to_owned()]).is_err());
        assert_eq!(
            Classes::read(file.path(), &["a {}".to_owned()]).unwrap().names,
            ["river", "port"]
        );
    }
}

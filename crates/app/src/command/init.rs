//! `finelens init`: a fresh CLIP in Hugging Face layout.

use finelens_clip::config::{Config, Pooling};
use finelens_clip::tensors::parameters;
use finelens_clip::{Checkpoint, Tokenizer};
use finelens_data::Split;

use crate::Verdict;
use crate::cli::Init;
use crate::error::Error;
use crate::input::{self, DataSettings};
use crate::model::must_be_empty;
use crate::number::{bytes, grouped, weights};
use crate::printer::Printer;

/// Bytes of a weight.
const F32: u64 = 4;

/// Runs the command.
pub(crate) fn run(words: &Init, printer: &Printer) -> anyhow::Result<Verdict> {
    must_be_empty(&words.dir)?;
    let tokenizer = tokenizer(words, printer)?;
    let config = config(words, &tokenizer)?;
    let (parameters, tokens) = (parameters(&config), config.text.vocab_size);
    let (image, patch) = (config.vision.image_size, config.vision.patch_size);
    Checkpoint::init(config, tokenizer, words.seed)?.save(&words.dir)?;
    printer.data(format_args!(
        "{}: {} with random weights, {} of them ({})",
        words.dir.display(),
        words.preset,
        weights(parameters),
        bytes(parameters as u64 * F32),
    ))?;
    printer.data(format_args!(
        "pictures of {image} x {image} in patches of {patch}, {} tokens",
        grouped(tokens)
    ))?;
    printer.say(format_args!(
        "train it: finelens train DATA --model {} --set optimizer.learning_rate=5e-4",
        words.dir.display()
    ));
    Ok(Verdict::Done)
}

fn tokenizer(words: &Init, printer: &Printer) -> anyhow::Result<Tokenizer> {
    if let Some(dir) = &words.vocab {
        return Ok(Tokenizer::load(dir)?);
    }
    let mut settings = DataSettings::default();
    settings.overlay(words.vocab_from.as_deref(), &words.data);
    let dataset = input::open(&settings, printer)?;
    // Words of the other splits would tell the model what it will be measured on.
    let train = dataset.split(Split::Train);
    let captions = train.iter().flat_map(|example| &example.captions).map(String::as_str);
    Ok(Tokenizer::train(captions, words.vocab_size))
}

fn config(words: &Init, tokenizer: &Tokenizer) -> anyhow::Result<Config> {
    let mut config = Config::preset(&words.preset, tokenizer.vocab_size())
        .expect("only the names of presets are taken");
    config.text.pooling = Pooling::EndToken(tokenizer.end_token());
    if let Some(size) = words.image_size {
        let patch = config.vision.patch_size;
        if size < patch {
            return Err(Error::ImageSize { found: size, patch }.into());
        }
        config.vision.image_size = size;
    }
    Ok(config)
}

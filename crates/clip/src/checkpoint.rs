//! A model directory in memory: shape, weights, preprocessing and tokens belong together.

use std::path::Path;

use crate::config::{self, Config, Pooling};
use crate::error::Error;
use crate::preprocess::Preprocess;
use crate::tensors::Tensors;
use crate::tokenizer::Tokenizer;
use crate::{init, weights};

/// Everything that a Hugging Face CLIP directory holds.
#[derive(Debug, Clone)]
pub struct Checkpoint {
    /// The shape of the model.
    pub config: Config,
    /// Its weights, by Hugging Face's names.
    pub tensors: Tensors,
    /// How pictures become pixels.
    pub preprocess: Preprocess,
    /// How sentences become tokens.
    pub tokenizer: Tokenizer,
}

impl Checkpoint {
    /// A fresh model with random weights and CLIP's own preprocessing.
    ///
    /// # Errors
    /// When the tokens do not fit the shape.
    pub fn init(config: Config, tokenizer: Tokenizer, seed: u64) -> Result<Self, Error> {
        let (tensors, preprocess) =
            (init::random(&config, seed), Preprocess::clip(config.vision.image_size));
        let tokenizer = tokenizer.with_context_length(config.text.context_length);
        let checkpoint = Self { config, tensors, preprocess, tokenizer };
        checkpoint.agrees(Path::new(config::FILE))?;
        Ok(checkpoint)
    }

    /// Reads a directory.
    ///
    /// # Errors
    /// When a file is missing or damaged, describes what cannot be represented, or disagrees with another.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let config = Config::load(dir)?;
        let tokenizer = Tokenizer::load(dir)?.with_context_length(config.text.context_length);
        let preprocess = Preprocess::load(dir)?;
        let tensors = weights::load(dir, &config)?;
        let checkpoint = Self { config, tensors, preprocess, tokenizer };
        checkpoint.agrees(&dir.join(config::FILE))?;
        Ok(checkpoint)
    }

    /// Writes a directory that `transformers` loads; existing files of these names are replaced.
    ///
    /// # Errors
    /// When a file cannot be written.
    pub fn save(&self, dir: &Path) -> Result<(), Error> {
        fs_err::create_dir_all(dir)?;
        fs_err::write(dir.join(config::FILE), self.config.to_json()?)?;
        self.preprocess.save(dir)?;
        self.tokenizer.save(dir)?;
        weights::save_safetensors(dir, &self.tensors)
    }

    /// The files of a directory are made by different tools; where they disagree, features would silently be wrong.
    fn agrees(&self, path: &Path) -> Result<(), Error> {
        let wrong = |key: &str, expected: String, found: String| {
            Err(Error::Config { path: path.to_owned(), key: key.to_owned(), expected, found })
        };
        let end = self.tokenizer.end_token();
        if let Pooling::EndToken(id) = self.config.text.pooling
            && id != end
        {
            let expected = format!("the tokenizer's end token, {end}");
            return wrong("text_config.eos_token_id", expected, id.to_string());
        }
        let (needed, vocab_size) = (self.tokenizer.vocab_size(), self.config.text.vocab_size);
        if needed > vocab_size {
            let expected = format!("at least {needed}, the size of the tokenizer's vocabulary");
            return wrong("text_config.vocab_size", expected, vocab_size.to_string());
        }
        let (side, size) = (self.preprocess.size(), self.config.vision.image_size);
        if side != size {
            let expected = format!("{side}, the size that preprocessor_config.json crops to");
            return wrong("vision_config.image_size", expected, size.to_string());
        }
        Ok(())
    }
}

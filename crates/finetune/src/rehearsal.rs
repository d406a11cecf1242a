//! A training step or an embedding on drawn input, to be timed.
//!
//! What it costs does not depend on what the numbers are, so no picture, sentence or data set is needed.

use finelens_clip::config::Pooling;
use finelens_clip::{Batch, Learning, Model, TokenBatch};
use finelens_compute::DType;
use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::config::OptimizerConfig;
use crate::error::Error;
use crate::optim::Optimizer;

const ALL: Learning = Learning { vision: true, text: true, recompute: false };

/// So small that weights stay what they were.
const LEARNING_RATE: f32 = 1e-9;

/// A model with one drawn batch.
#[derive(Debug)]
pub struct Rehearsal {
    model: Model,
    optimizer: Option<Optimizer>,
    pixels: Vec<f32>,
    tokens: TokenBatch,
    groups: Vec<u32>,
    steps: usize,
}

impl Rehearsal {
    /// Draws `batch` pictures, and as many texts of `tokens` tokens, or of the model's most where it has fewer.
    pub fn new(model: Model, batch: usize, tokens: usize) -> Self {
        let nothing = TokenBatch::padded(&[[0u32; 0]; 0], 0, &model.config().text);
        let mut rehearsal = Self {
            model,
            optimizer: None,
            pixels: Vec::new(),
            tokens: nothing,
            groups: Vec::new(),
            steps: 0,
        };
        rehearsal.draw(batch, tokens);
        rehearsal
    }

    /// Draws another batch.
    pub fn draw(&mut self, batch: usize, tokens: usize) {
        let mut random = ChaCha8Rng::seed_from_u64(1);
        let config = self.model.config();
        let pixels = batch * 3 * config.vision.image_size.pow(2);
        self.pixels = (0..pixels).map(|_| random.random_range(-2.0..2.0)).collect();
        let length = tokens.min(config.text.context_length);
        let sentence = |_| sentence(&mut random, &config.text, length);
        let sequences: Vec<Vec<u32>> = (0..batch).map(sentence).collect();
        self.tokens = TokenBatch::padded(&sequences, length, &config.text);
        self.groups = (0..batch as u32).collect();
    }

    /// The model that rehearses.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// The same, to do something else with.
    pub fn model_mut(&mut self) -> &mut Model {
        &mut self.model
    }

    /// Pairs of the batch.
    pub fn batch(&self) -> usize {
        self.groups.len()
    }

    /// Tokens of each text.
    pub fn tokens(&self) -> usize {
        self.tokens.tokens
    }

    /// Embeds the pictures.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn images(&mut self) -> Result<Vec<f32>, Error> {
        Ok(self.model.image_features(&self.pixels)?)
    }

    /// Embeds the texts.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn texts(&mut self) -> Result<Vec<f32>, Error> {
        Ok(self.model.text_features(&self.tokens)?)
    }

    /// Forward, backward, clipping and AdamW; returns the loss.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn step(&mut self) -> Result<f32, Error> {
        let gradients = self.model.gradients()?;
        if self.optimizer.is_none() {
            let config = OptimizerConfig::default();
            self.optimizer = Some(Optimizer::new(&mut self.model, &config, ALL)?);
        }
        let device = self.model.device();
        let loss = device.alloc(1, DType::F32).map_err(finelens_clip::Error::from)?;
        device.fill(gradients, 0.0);
        let batch = Batch { pixels: &self.pixels, tokens: &self.tokens, groups: &self.groups };
        self.model.forward_backward(&batch, ALL, loss)?;
        self.steps += 1;
        if let Some(optimizer) = &self.optimizer {
            optimizer.step(&mut self.model, self.steps, LEARNING_RATE)?;
        }
        let mut value = [0.0];
        self.model.device().read(loss, &mut value).map_err(finelens_clip::Error::from)?;
        self.model.device().free(loss);
        Ok(value[0])
    }
}

/// Any tokens, the last of which ends the sentence, so that all of them count.
fn sentence(
    random: &mut ChaCha8Rng,
    config: &finelens_clip::config::TextConfig,
    length: usize,
) -> Vec<u32> {
    let end = match config.pooling {
        Pooling::EndToken(end) => end,
        Pooling::ArgMax => config.vocab_size as u32 - 1,
    };
    let word = |_| loop {
        let token = random.random_range(0..config.vocab_size as u32 - 1);
        if token != end {
            break token;
        }
    };
    (1..length).map(word).chain([end]).collect()
}

#[cfg(test)]
mod tests {
    use finelens_clip::{Config, init};
    use finelens_compute::Cpu;

    use super::*;

    #[test]
    fn a_drawn_batch_is_embedded_and_learnt_from() {
        let config = Config::preset("tiny", 600).unwrap();
        let model =
            Model::new(config.clone(), init::random(&config, 1), Box::new(Cpu::new())).unwrap();
        let mut rehearsal = Rehearsal::new(model, 2, 1000);
        assert_eq!((rehearsal.batch(), rehearsal.tokens()), (2, config.text.context_length));
        assert_eq!(rehearsal.images().unwrap().len(), 2 * config.embed_dim);
        rehearsal.draw(3, 8);
        assert_eq!(rehearsal.texts().unwrap().len(), 3 * config.embed_dim);
        assert!(rehearsal.step().unwrap().is_finite());
        assert!(rehearsal.step().unwrap().is_finite());
    }
}

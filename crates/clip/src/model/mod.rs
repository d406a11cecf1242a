//! CLIP on a device: pixels and tokens to unit vectors, and the loss back to gradients.
//!
//! Source: Radford et al. 2021, arXiv:2103.00020; names and details as in transformers
//! `models/clip/modeling_clip.py`. It reads no files and knows neither pictures nor sentences.

mod arena;
mod block;
mod layout;
mod text;
mod tokens;
mod tower;
mod vision;

use finelens_compute::{Contrastive, DType, Device, Picked, Span};

use crate::config::Config;
use crate::error::Error;
use crate::tensors::{Tensor, Tensors};
use arena::Arena;
use layout::{Layout, Place, Places};
use text::Text;
use tower::{Gradients, Keep};
use vision::Vision;

pub use layout::Segment;
pub use tokens::TokenBatch;

/// Which halves of the model learn; the logit scale always does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Learning {
    /// The tower that reads pixels.
    pub vision: bool,
    /// The tower that reads tokens.
    pub text: bool,
    /// Blocks keep their input only and compute the rest again backward.
    pub recompute: bool,
}

impl Learning {
    fn keep(self, learns: bool, device: &dyn Device) -> Keep {
        match (learns, self.recompute) {
            (false, _) => Keep::nothing(device),
            (true, true) => Keep::BlockInputs,
            (true, false) => Keep::Everything,
        }
    }
}

/// Rows of all sequences that go through a tower at once where nothing is kept. More rows outgrow the cache between two
/// operations, fewer read the weights too often. Own choice, measured with ViT-B/32 on two cores.
const ROWS_AT_ONCE: usize = 1600;

/// How many sequences of that many tokens go through a tower at once.
fn at_once(tokens: usize) -> usize {
    (ROWS_AT_ONCE / tokens.max(1)).max(1)
}

/// Does `work` on a thread of the pool: from outside, each of the hundred operations of a pass would wake the pool and wait
/// for it anew, which for one sentence takes longer than many of them.
fn in_pool<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    rayon::scope(|_| work())
}

/// Pairs for one step.
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a> {
    /// `(B, 3, S, S)`.
    pub pixels: &'a [f32],
    /// A caption for each picture.
    pub tokens: &'a TokenBatch,
    /// `(B)`: an image and a text with the same group are a right pair.
    pub groups: &'a [u32],
}

/// The weights on a device, and room for what is computed from them.
#[derive(Debug)]
pub struct Model {
    config: Config,
    device: Box<dyn Device>,
    layout: Layout,
    places: Places,
    weights: Span,
    gradients: Option<Span>,
    arenas: Arenas,
}

/// Memory of the two towers, and of the integers that they read.
#[derive(Debug)]
struct Arenas {
    vision: Arena,
    text: Arena,
    ids: Arena,
}

/// What the passes through the towers share.
struct Run<'a> {
    device: &'a mut dyn Device,
    config: &'a Config,
    places: &'a Places,
    /// All weights of the model.
    weights: Span,
}

/// The integers of one batch.
#[derive(Debug, Clone, Copy)]
struct Ids {
    tokens: Span,       // (B, T)
    class_rows: Span,   // (B)
    text_rows: Span,    // (B)
    text_lengths: Span, // (B)
    groups: Span,       // (B)
}

impl Ids {
    fn class(self) -> Picked {
        Picked { rows: self.class_rows, key_lengths: None }
    }

    fn sentence(self) -> Picked {
        Picked { rows: self.text_rows, key_lengths: Some(self.text_lengths) }
    }
}

impl Model {
    /// Puts the weights on the device, one after the other, so that they are never held twice.
    ///
    /// # Errors
    /// When they do not fit into its memory.
    ///
    /// # Panics
    /// If `tensors` lacks a weight that `config` asks for; [`crate::weights::load`] checks that.
    pub fn new(
        config: Config,
        mut tensors: Tensors,
        mut device: Box<dyn Device>,
    ) -> Result<Self, Error> {
        let layout = Layout::new(&config);
        let places = Places::new(&config, &layout);
        let weights = device.alloc(layout.len(), DType::F32)?;
        for (name, _, place) in layout.iter() {
            let tensor = tensors.remove(name).unwrap_or_else(|| panic!("{name} is missing"));
            device.write(place.of(weights), &tensor.data);
        }
        let activations = device.compute_dtype();
        let arenas = Arenas {
            vision: Arena::new(activations),
            text: Arena::new(activations),
            ids: Arena::new(DType::U32),
        };
        Ok(Self { config, device, layout, places, weights, gradients: None, arenas })
    }

    /// The shape of the model.
    pub fn config(&self) -> &Config {
        &self.config
    }

    /// What computes.
    pub fn device(&mut self) -> &mut dyn Device {
        &mut *self.device
    }

    /// All weights as they stand now, in one flat buffer.
    pub fn weights(&self) -> Span {
        self.weights
    }

    /// The gradients, laid out as the weights, made on first use.
    ///
    /// # Errors
    /// When they do not fit into the device's memory.
    pub fn gradients(&mut self) -> Result<Span, Error> {
        if let Some(gradients) = self.gradients {
            return Ok(gradients);
        }
        Ok(*self.gradients.insert(self.device.alloc(self.layout.len(), DType::F32)?))
    }

    /// The logarithm of the factor on the cosines, among the weights.
    pub fn logit_scale(&self) -> Span {
        self.places.logit_scale.of(self.weights)
    }

    /// The stretches of the flat buffers that learn.
    pub fn segments(&self, learning: Learning) -> Vec<Segment> {
        self.layout.segments(|name| {
            let vision =
                name.starts_with("vision_model.") || name.starts_with("visual_projection.");
            let text = name.starts_with("text_model.") || name.starts_with("text_projection.");
            (vision && learning.vision) || (text && learning.text) || !(vision || text)
        })
    }

    /// A flat buffer laid out as the weights, read back, by the weights' names.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn named(&mut self, flat: Span) -> Result<Tensors, Error> {
        let Self { layout, device, .. } = self;
        let read = |(name, shape, place): &(String, Vec<usize>, Place)| {
            let span = place.of(flat);
            let mut data = vec![0.0; span.len()];
            device.read(span, &mut data)?;
            Ok((name.clone(), Tensor { shape: shape.clone(), data }))
        };
        layout.iter().map(read).collect()
    }

    /// Writes a flat buffer laid out as the weights.
    ///
    /// # Panics
    /// If a weight is missing.
    pub fn write_named(&mut self, flat: Span, tensors: &Tensors) {
        for (name, _, place) in self.layout.iter() {
            self.device.write(place.of(flat), &tensors[name].data);
        }
    }

    /// Unit vectors of pictures, a few at a time, so that what passes between two operations stays in the cache.
    ///
    /// # Shapes
    /// `pixels` `(B, 3, S, S)` to `(B, D)`.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn image_features(&mut self, pixels: &[f32]) -> Result<Vec<f32>, Error> {
        in_pool(|| self.features_of_images(pixels))
    }

    fn features_of_images(&mut self, pixels: &[f32]) -> Result<Vec<f32>, Error> {
        let at_once = at_once(self.config.vision.tokens());
        let mut features = Vec::new();
        for pixels in pixels.chunks(at_once * self.pixels_each()) {
            let batch = pixels.len() / self.pixels_each();
            let ids = self.lay_out_ids(batch, 0)?;
            self.write_class_rows(ids, batch);
            let vision = self.lay_out_vision(batch, Keep::nothing(&*self.device), false)?;
            vision.forward(&mut self.run(), pixels, ids.class());
            self.read_onto(vision.activations.features, &mut features)?;
        }
        Ok(features)
    }

    /// Unit vectors of texts, a few at a time.
    ///
    /// # Shapes
    /// `tokens` `(B, T)` to `(B, D)`.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn text_features(&mut self, tokens: &TokenBatch) -> Result<Vec<f32>, Error> {
        in_pool(|| self.features_of_texts(tokens))
    }

    fn features_of_texts(&mut self, tokens: &TokenBatch) -> Result<Vec<f32>, Error> {
        let mut features = Vec::new();
        for tokens in tokens.chunks(at_once(tokens.tokens)) {
            let ids = self.lay_out_ids(tokens.batch, tokens.tokens)?;
            self.write_tokens(ids, &tokens);
            let text = self.lay_out_text(&tokens, Keep::nothing(&*self.device), false)?;
            text.forward(&mut self.run(), ids.tokens, ids.sentence());
            self.read_onto(text.activations.features, &mut features)?;
        }
        Ok(features)
    }

    /// One pass forward and backward: writes the loss, and adds the gradients of what learns.
    ///
    /// # Errors
    /// When activations do not fit into the device's memory.
    ///
    /// # Panics
    /// If the shapes of the batch do not agree.
    pub fn forward_backward(
        &mut self,
        batch: &Batch<'_>,
        learning: Learning,
        loss: Span,
    ) -> Result<(), Error> {
        let (gradients, n) = (self.gradients()?, batch.tokens.batch);
        assert_eq!(
            (batch.pixels.len(), batch.groups.len()),
            (n * self.pixels_each(), n),
            "shapes of a batch"
        );
        let ids = self.lay_out_ids(n, batch.tokens.tokens)?;
        self.write_class_rows(ids, n);
        self.write_tokens(ids, batch.tokens);
        self.device.write_ids(ids.groups, batch.groups);
        let [image_keep, text_keep] =
            [learning.vision, learning.text].map(|learns| learning.keep(learns, &*self.device));
        let vision = self.lay_out_vision(n, image_keep, true)?;
        let text = self.lay_out_text(batch.tokens, text_keep, true)?;

        let mut run = self.run();
        vision.forward(&mut run, batch.pixels, ids.class());
        text.forward(&mut run, ids.tokens, ids.sentence());
        run.contrastive(n, ids.groups, &vision, &text, loss, gradients);
        if learning.vision {
            vision.backward(&mut run, ids.class(), gradients);
        }
        if learning.text {
            text.backward(&mut run, ids.tokens, ids.sentence(), gradients);
        }
        Ok(())
    }

    fn run(&mut self) -> Run<'_> {
        Run {
            device: &mut *self.device,
            config: &self.config,
            places: &self.places,
            weights: self.weights,
        }
    }

    fn read_onto(&mut self, span: Span, values: &mut Vec<f32>) -> Result<(), Error> {
        let before = values.len();
        values.resize(before + span.len(), 0.0);
        Ok(self.device.read(span, &mut values[before..])?)
    }

    fn pixels_each(&self) -> usize {
        3 * self.config.vision.image_size.pow(2)
    }

    fn lay_out_ids(&mut self, batch: usize, tokens: usize) -> Result<Ids, Error> {
        let ids = self.arenas.ids.lay_out(&mut *self.device, |plan| Ids {
            tokens: plan.take(batch * tokens),
            class_rows: plan.take(batch),
            text_rows: plan.take(batch),
            text_lengths: plan.take(batch),
            groups: plan.take(batch),
        })?;
        Ok(ids)
    }

    fn lay_out_vision(
        &mut self,
        batch: usize,
        keep: Keep,
        backward: bool,
    ) -> Result<Vision, Error> {
        let Self { config, arenas, device, .. } = self;
        let plan = |plan: &mut arena::Plan| Vision::plan(plan, config, batch, keep, backward);
        Ok(arenas.vision.lay_out(&mut **device, plan)?)
    }

    fn lay_out_text(
        &mut self,
        tokens: &TokenBatch,
        keep: Keep,
        backward: bool,
    ) -> Result<Text, Error> {
        let Self { config, arenas, device, .. } = self;
        let shape = (tokens.batch, tokens.tokens);
        let plan = |plan: &mut arena::Plan| Text::plan(plan, config, shape, keep, backward);
        Ok(arenas.text.lay_out(&mut **device, plan)?)
    }

    /// The class token stands first in each sequence.
    fn write_class_rows(&mut self, ids: Ids, batch: usize) {
        let tokens = self.config.vision.tokens();
        let rows: Vec<u32> = (0..batch).map(|b| (b * tokens) as u32).collect();
        self.device.write_ids(ids.class_rows, &rows);
    }

    fn write_tokens(&mut self, ids: Ids, tokens: &TokenBatch) {
        let row = |(b, position): (usize, &usize)| (b * tokens.tokens + position) as u32;
        let rows: Vec<u32> = tokens.pooled.iter().enumerate().map(row).collect();
        self.device.write_ids(ids.tokens, &tokens.ids);
        // Causal attention: a row sees itself and what stands before it.
        let lengths: Vec<u32> = tokens.pooled.iter().map(|position| *position as u32 + 1).collect();
        self.device.write_ids(ids.text_rows, &rows);
        self.device.write_ids(ids.text_lengths, &lengths);
    }
}

impl Run<'_> {
    fn contrastive(
        &mut self,
        n: usize,
        groups: Span,
        vision: &Vision,
        text: &Text,
        loss: Span,
        gradients: Span,
    ) {
        let planned = |gradients: &Option<Gradients>| gradients.as_ref().map(|g| g.d_features);
        let d_image_features = planned(&vision.gradients).expect("planned for a backward pass");
        let d_text_features = planned(&text.gradients).expect("planned for a backward pass");
        self.device.contrastive(&Contrastive {
            images: n,
            texts: n,
            width: self.config.embed_dim,
            image_terms: (0, n),
            text_terms: (0, n),
            image_features: vision.activations.features,
            text_features: text.activations.features,
            image_groups: groups,
            text_groups: groups,
            logit_scale: self.places.logit_scale.of(self.weights),
            loss,
            d_image_features,
            d_text_features,
            d_logit_scale: self.places.logit_scale.of(gradients),
        });
    }
}

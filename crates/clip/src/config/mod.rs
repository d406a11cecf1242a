//! The shape of a CLIP model: what `config.json` says, as numbers that were checked.
//!
//! Reads and writes Hugging Face's `config.json` and reads open_clip's `open_clip_config.json`. It
//! does not describe preprocessing or tokens, which have files of their own.

mod hugging_face;
mod object;
mod open_clip;
mod operations;
mod presets;

use std::path::Path;

use crate::Error;

pub use presets::{PRESETS, Preset};

/// Name of the Hugging Face configuration file in a model directory.
pub const FILE: &str = "config.json";
/// Name of the open_clip configuration file in a model directory.
pub const OPEN_CLIP_FILE: &str = "open_clip_config.json";

/// The whole model: two towers that meet in one embedding space.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Width D of the shared embedding space (`projection_dim`).
    pub embed_dim: usize,
    /// Natural logarithm of the initial inverse temperature; used for fresh models only.
    pub logit_scale_init: f32,
    /// The tower that reads pixels.
    pub vision: VisionConfig,
    /// The tower that reads tokens.
    pub text: TextConfig,
}

/// A stack of pre-norm transformer blocks.
#[derive(Debug, Clone, PartialEq)]
pub struct Tower {
    /// Channels C of the residual stream (`hidden_size`).
    pub width: usize,
    /// Number of blocks (`num_hidden_layers`).
    pub layers: usize,
    /// Attention heads H; `width` is a multiple of it.
    pub heads: usize,
    /// Channels between the two linear maps of the MLP (`intermediate_size`).
    pub mlp_width: usize,
    /// Non-linearity of the MLP.
    pub activation: Activation,
    /// Added to the variance in every layer norm of the tower.
    pub layer_norm_eps: f32,
}

/// Non-linearity between the two linear maps of an MLP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`, as OpenAI trained its models.
    QuickGelu,
    /// The exact `x * Φ(x)` with the error function, as most open_clip models were trained.
    Gelu,
}

/// The vision tower: square RGB pictures cut into square patches.
#[derive(Debug, Clone, PartialEq)]
pub struct VisionConfig {
    /// The blocks.
    pub tower: Tower,
    /// Side of the input picture in pixels.
    pub image_size: usize,
    /// Side of a patch in pixels; a rest at the right and lower edge is not looked at.
    pub patch_size: usize,
}

impl VisionConfig {
    /// Number of patches P of a picture.
    pub fn patches(&self) -> usize {
        (self.image_size / self.patch_size).pow(2)
    }

    /// Number of tokens T of a picture: the class token and the patches.
    pub fn tokens(&self) -> usize {
        self.patches() + 1
    }
}

/// The text tower: causal attention over token ids.
#[derive(Debug, Clone, PartialEq)]
pub struct TextConfig {
    /// The blocks.
    pub tower: Tower,
    /// Number of different token ids.
    pub vocab_size: usize,
    /// Longest sequence, start and end token included (`max_position_embeddings`).
    pub context_length: usize,
    /// Which position stands for the whole sentence.
    pub pooling: Pooling,
}

/// Which position of a token sequence stands for the whole sentence.
///
/// Source: `CLIPTextTransformer.forward` in transformers, `models/clip/modeling_clip.py`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pooling {
    /// The first position that holds this token.
    EndToken(u32),
    /// The first position of the highest id. Written as `eos_token_id = 2`, whatever the tokenizer
    /// says, as in the configurations that OpenAI's models were first published with.
    ArgMax,
}

impl Config {
    /// Reads `config.json` of the directory, or `open_clip_config.json` where only that is there.
    pub fn load(dir: &Path) -> Result<Self, Error> {
        let (path, other) = (dir.join(FILE), dir.join(OPEN_CLIP_FILE));
        if !path.exists() && other.exists() {
            return Self::from_open_clip_json(&fs_err::read_to_string(&other)?, &other);
        }
        Self::from_json(&fs_err::read_to_string(&path)?, &path)
    }

    /// Reads the text of a Hugging Face `config.json`; `path` is named in errors.
    ///
    /// Keys that are absent have the defaults of transformers. Keys that do not change what the model
    /// computes are passed over.
    pub fn from_json(json: &str, path: &Path) -> Result<Self, Error> {
        hugging_face::read(json, path)
    }

    /// Reads the text of an `open_clip_config.json`; `path` is named in errors.
    pub fn from_open_clip_json(json: &str, path: &Path) -> Result<Self, Error> {
        open_clip::read(json, path)
    }

    /// The text of a `config.json` that transformers reads as the same model.
    ///
    /// The one model that it cannot say is one whose end token is 2: that number means
    /// [`Pooling::ArgMax`].
    pub fn to_json(&self) -> Result<String, Error> {
        hugging_face::write(self)
    }
}

//! Model sizes by name, for fresh models.
//!
//! Weights are not chosen here: see `init`.

use super::{Activation, Config, Pooling, TextConfig, Tower, VisionConfig};

/// A model size that can be asked for by name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preset {
    /// What the user types.
    pub name: &'static str,
    /// One line for a list of presets.
    pub description: &'static str,
    image_size: usize,
    patch_size: usize,
    embed_dim: usize,
    vision_width: usize,
    vision_layers: usize,
    text_width: usize,
    text_layers: usize,
}

/// All presets, smallest first.
///
/// Source of the `vit-*` sizes: Radford et al., "Learning Transferable Visual Models From Natural
/// Language Supervision" (2021), table 20. The smaller ones keep its head width of 64 and MLP ratio
/// of 4, and are sized for training from nothing on a few cores.
pub const PRESETS: &[Preset] = &[
    Preset {
        name: "tiny",
        description: "64 px in patches of 8: tests, drawings, icons",
        image_size: 64,
        patch_size: 8,
        embed_dim: 128,
        vision_width: 128,
        vision_layers: 4,
        text_width: 128,
        text_layers: 2,
    },
    Preset {
        name: "small",
        description: "112 px in patches of 16: trains from nothing on a laptop in minutes",
        image_size: 112,
        patch_size: 16,
        embed_dim: 256,
        vision_width: 256,
        vision_layers: 6,
        text_width: 256,
        text_layers: 3,
    },
    Preset {
        name: "medium",
        description: "160 px in patches of 16: from nothing on many cores or a small GPU",
        image_size: 160,
        patch_size: 16,
        embed_dim: 384,
        vision_width: 384,
        vision_layers: 8,
        text_width: 384,
        text_layers: 4,
    },
    Preset {
        name: "vit-b-32",
        description: "224 px in patches of 32: the size of openai/clip-vit-base-patch32",
        image_size: 224,
        patch_size: 32,
        embed_dim: 512,
        vision_width: 768,
        vision_layers: 12,
        text_width: 512,
        text_layers: 12,
    },
    Preset {
        name: "vit-b-16",
        description: "224 px in patches of 16: the size of openai/clip-vit-base-patch16",
        image_size: 224,
        patch_size: 16,
        embed_dim: 512,
        vision_width: 768,
        vision_layers: 12,
        text_width: 512,
        text_layers: 12,
    },
    Preset {
        name: "vit-l-14",
        description: "224 px in patches of 14: the size of openai/clip-vit-large-patch14",
        image_size: 224,
        patch_size: 14,
        embed_dim: 768,
        vision_width: 1024,
        vision_layers: 24,
        text_width: 768,
        text_layers: 12,
    },
];

impl Config {
    /// The configuration of the preset called `name`, or `None` where there is none.
    ///
    /// The end token is taken to be the last of the vocabulary, as in CLIP's own; with a tokenizer
    /// that says otherwise, set `text.pooling`.
    pub fn preset(name: &str, vocab_size: usize) -> Option<Self> {
        PRESETS.iter().find(|preset| preset.name == name).map(|preset| preset.config(vocab_size))
    }
}

impl Preset {
    /// The configuration of this size with a vocabulary of `vocab_size` tokens.
    pub fn config(&self, vocab_size: usize) -> Config {
        Config {
            embed_dim: self.embed_dim,
            logit_scale_init: super::hugging_face::LOGIT_SCALE_INIT,
            vision: VisionConfig {
                tower: tower(self.vision_width, self.vision_layers),
                image_size: self.image_size,
                patch_size: self.patch_size,
            },
            text: TextConfig {
                tower: tower(self.text_width, self.text_layers),
                vocab_size,
                context_length: 77,
                pooling: Pooling::EndToken(vocab_size.saturating_sub(1) as u32),
            },
        }
    }
}

fn tower(width: usize, layers: usize) -> Tower {
    Tower {
        width,
        layers,
        heads: width / 64,
        mlp_width: 4 * width,
        activation: Activation::QuickGelu,
        layer_norm_eps: 1e-5,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tensors::parameters;

    #[test]
    fn presets_grow_from_the_first_to_the_last() {
        let sizes: Vec<f64> = PRESETS.iter().map(|p| p.config(49_408)).map(|c| work(&c)).collect();
        assert!(sizes.is_sorted(), "{sizes:?}");
    }

    fn work(config: &Config) -> f64 {
        (parameters(config) - config.text.vocab_size * config.text.tower.width) as f64
            * config.vision.tokens() as f64
    }

    #[test]
    fn small_has_7_8_million_parameters_with_a_word_vocabulary() {
        let millions = parameters(&Config::preset("small", 1_529).unwrap()) as f64 / 1e6;
        assert!((7.5..8.1).contains(&millions), "{millions}");
    }

    #[test]
    fn an_unknown_name_is_no_preset() {
        assert_eq!(Config::preset("vit-b-33", 10), None);
    }
}

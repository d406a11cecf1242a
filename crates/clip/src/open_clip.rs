//! A directory that open_clip loads as `local-dir:DIR`, from a model of ours.
//!
//! Tokenizer files are not written here: open_clip reads Hugging Face's, which the caller copies into
//! the same directory, `tokenizer_config.json` included, since that names the class and the padding token. Reading open_clip's files is the business of `config` and `weights`.
//! Source: `create_model` and `get_tokenizer` in open_clip 3.3, `factory.py`.

use std::path::Path;

use serde::Serialize;
use serde_json::{Map, Value, json};

use crate::Error;
use crate::config::{self, Activation, Config, Pooling, TextConfig, Tower};
use crate::tensors::{Tensor, Tensors};
use crate::weights::{self, Place, open_clip_places, transpose, write_safetensors};

/// How pictures become pixels, in open_clip's words (`preprocess_cfg`).
///
/// The side of the picture is the model's own.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct PreprocessConfig {
    /// Mean of each channel, of values from 0 to 1.
    pub mean: [f32; 3],
    /// Standard deviation of each channel.
    pub std: [f32; 3],
    /// `bicubic` or `bilinear`.
    pub interpolation: &'static str,
    /// `shortest` (then the centre is cut out) or `squash`.
    pub resize_mode: &'static str,
}

/// Writes `open_clip_model.safetensors` and `open_clip_config.json` into `dir`, which must exist.
///
/// Refuses what open_clip cannot represent before it writes anything.
pub fn export(
    dir: &Path,
    config: &Config,
    tensors: &Tensors,
    preprocess: &PreprocessConfig,
) -> Result<(), Error> {
    let json = config_json(config, preprocess)?;
    write_safetensors(&dir.join(weights::OPEN_CLIP_FILE), &renamed(config, tensors))?;
    fs_err::write(dir.join(config::OPEN_CLIP_FILE), json)?;
    Ok(())
}

/// The tensors under open_clip's names and in its layout.
///
/// # Panics
/// If `tensors` are not those of `config`.
fn renamed(config: &Config, tensors: &Tensors) -> Tensors {
    open_clip_places(config)
        .into_iter()
        .map(|(name, place)| (name, stored(tensors, &place)))
        .collect()
}

fn stored(tensors: &Tensors, place: &Place) -> Tensor {
    match place {
        Place::Whole(name) => tensors[name].clone(),
        Place::Transposed(name) => {
            let Tensor { shape, data } = &tensors[name];
            Tensor { shape: shape.iter().rev().copied().collect(), data: transpose(data, shape[1]) }
        }
        Place::Stacked(names) => {
            let parts = names.each_ref().map(|name| &tensors[name]);
            let mut shape = parts[0].shape.clone();
            shape[0] *= parts.len();
            Tensor { shape, data: parts.iter().flat_map(|part| &part.data).copied().collect() }
        }
    }
}

/// The text of `open_clip_config.json`, or what open_clip cannot represent.
fn config_json(config: &Config, preprocess: &PreprocessConfig) -> Result<String, Error> {
    let (vision, text) = (&config.vision, &config.text);
    let activation = shared_activation(config)?;
    let mut vision_cfg = tower_json(&vision.tower);
    vision_cfg.extend(object(json!({
        "image_size": vision.image_size,
        "patch_size": vision.patch_size,
        "head_width": vision.tower.width / vision.tower.heads,
    })));
    let mut text_cfg = tower_json(&text.tower);
    text_cfg.extend(object(json!({
        "context_length": text.context_length,
        "vocab_size": text.vocab_size,
        "heads": text.tower.heads,
        // Any name makes open_clip read the tokenizer beside this file instead of its built-in one.
        "hf_tokenizer_name": "local",
    })));
    text_cfg.extend(pooling_json(text));
    let file = json!({
        "model_cfg": {
            "embed_dim": config.embed_dim,
            "quick_gelu": activation == Activation::QuickGelu,
            "vision_cfg": vision_cfg,
            "text_cfg": text_cfg,
        },
        "preprocess_cfg": preprocess,
    });
    Ok(format!("{file:#}\n"))
}

/// open_clip has one activation for both towers.
fn shared_activation(config: &Config) -> Result<Activation, Error> {
    let (vision, text) = (config.vision.tower.activation, config.text.tower.activation);
    if vision == text {
        return Ok(vision);
    }
    Err(Error::NotInOpenClip {
        what: "activation",
        expected: "the same in both towers".to_owned(),
        found: format!("{vision:?} for pictures and {text:?} for text"),
    })
}

fn tower_json(tower: &Tower) -> Map<String, Value> {
    let ratio = mlp_ratio(tower.mlp_width, tower.width);
    let mut map =
        object(json!({ "width": tower.width, "layers": tower.layers, "mlp_ratio": ratio }));
    if tower.layer_norm_eps.to_bits() != 1e-5_f32.to_bits() {
        map.insert("norm_kwargs".to_owned(), json!({ "eps": shortest(tower.layer_norm_eps) }));
    }
    map
}

/// open_clip multiplies by the width and cuts off, so a ratio that was rounded down needs a nudge.
fn mlp_ratio(mlp_width: usize, width: usize) -> f64 {
    let ratio = mlp_width as f64 / width as f64;
    if (width as f64 * ratio) as usize == mlp_width {
        ratio
    } else {
        (mlp_width as f64 + 0.5) / width as f64
    }
}

/// The number as a person would write it: 1e-6 and not 9.99999997475e-7.
fn shortest(number: f32) -> f64 {
    number.to_string().parse().unwrap_or(f64::from(number))
}

/// Only open_clip 3 knows `eos`; where the end token is the highest id, every version pools alike.
fn pooling_json(text: &TextConfig) -> Map<String, Value> {
    object(match text.pooling {
        Pooling::EndToken(id) if id as usize + 1 < text.vocab_size => {
            json!({ "pool_type": "eos", "eos_id": id })
        }
        Pooling::EndToken(_) | Pooling::ArgMax => json!({}),
    })
}

fn object(value: Value) -> Map<String, Value> {
    match value {
        Value::Object(map) => map,
        _ => Map::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::init;

    fn clip() -> PreprocessConfig {
        PreprocessConfig {
            mean: [0.5; 3],
            std: [0.25; 3],
            interpolation: "bicubic",
            resize_mode: "shortest",
        }
    }

    fn round_trip(config: &Config) {
        let dir = tempfile::tempdir().unwrap();
        let tensors = init::random(config, 5);
        export(dir.path(), config, &tensors, &clip()).unwrap();
        let read = Config::load(dir.path()).unwrap();
        assert_eq!(read, Config { logit_scale_init: read.logit_scale_init, ..config.clone() });
        assert_eq!(weights::load(dir.path(), &read).unwrap(), tensors);
    }

    #[test]
    fn an_export_reads_back_as_the_same_model() {
        let mut config = Config::preset("tiny", 300).unwrap();
        config.text.pooling = Pooling::EndToken(40);
        round_trip(&config);
        config.vision.tower.layer_norm_eps = 1e-6;
        config.vision.tower.mlp_width = 333;
        config.text.pooling = Pooling::ArgMax;
        config.vision.tower.activation = Activation::Gelu;
        config.text.tower.activation = Activation::Gelu;
        round_trip(&config);
    }

    #[test]
    fn an_end_token_that_is_the_highest_id_needs_no_setting() {
        let json = config_json(&Config::preset("tiny", 300).unwrap(), &clip()).unwrap();
        assert!(!json.contains("eos"), "{json}");
    }

    #[test]
    fn every_mlp_width_survives_the_ratio() {
        for (mlp_width, width) in
            (1..400).flat_map(|mlp| [1, 3, 49, 128, 768].map(|width| (mlp, width)))
        {
            assert_eq!((width as f64 * mlp_ratio(mlp_width, width)) as usize, mlp_width);
        }
    }

    #[test]
    fn two_activations_are_refused_and_nothing_is_written() {
        let dir = tempfile::tempdir().unwrap();
        let mut config = Config::preset("tiny", 300).unwrap();
        config.text.tower.activation = Activation::Gelu;
        let error = export(dir.path(), &config, &init::random(&config, 1), &clip()).unwrap_err();
        assert_eq!(
            error.to_string(),
            "activation: open_clip can only have the same in both towers, this model has QuickGelu for pictures and Gelu for text"
        );
        assert_eq!(fs_err::read_dir(dir.path()).unwrap().count(), 0);
    }
}

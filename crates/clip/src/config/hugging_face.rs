//! Hugging Face's `config.json`, both ways.
//!
//! Every default is that of `CLIPConfig`, `CLIPTextConfig` and `CLIPVisionConfig`.
//! Source: transformers, `models/clip/configuration_clip.py`.

use std::path::Path;

use serde::Serialize;

use super::object::Object;
use super::{Activation, Config, Pooling, TextConfig, Tower, VisionConfig};
use crate::Error;

/// Logarithm of 1 / 0.07, rounded as in transformers (`logit_scale_init_value`).
pub(super) const LOGIT_SCALE_INIT: f32 = 2.6592;

/// Largest sizes that are believed. They are far above any published model, and keep products of
/// them well inside 64 bits, so that a damaged file cannot overflow a size.
pub(super) const MOST_CHANNELS: usize = 1 << 16;
pub(super) const MOST_LAYERS: usize = 1 << 10;
pub(super) const MOST_TOKENS: usize = 1 << 24;
pub(super) const MOST_PIXELS: usize = 1 << 14;

/// The `eos_token_id` that stands for "the highest id" and not for a token.
const LEGACY_END_TOKEN: u32 = 2;

pub(super) fn read(json: &str, path: &Path) -> Result<Config, Error> {
    let file = Object::parse(json, path)?;
    check_kind(&file)?;
    let vision = section(&file, "vision_config")?;
    let text = section(&file, "text_config")?;
    Ok(Config {
        embed_dim: file.size("projection_dim", 512, MOST_CHANNELS)?,
        logit_scale_init: file.number("logit_scale_init_value", f64::from(LOGIT_SCALE_INIT))?
            as f32,
        vision: read_vision(&vision)?,
        text: read_text(&text)?,
    })
}

/// Refuses the files of other architectures, which share many keys with CLIP's.
fn check_kind(file: &Object<'_>) -> Result<(), Error> {
    let has_towers = ["", "_dict"].iter().any(|end| {
        ["text", "vision"].iter().all(|tower| file.get(&format!("{tower}_config{end}")).is_some())
    });
    match file.word("model_type", "")? {
        "clip" => Ok(()),
        "" if has_towers => Ok(()),
        _ => Err(file.wrong("model_type", "\"clip\"")),
    }
}

/// One tower's object; the older `*_config_dict` wins over it key by key, as in `CLIPConfig`.
fn section<'a>(file: &Object<'a>, key: &str) -> Result<Object<'a>, Error> {
    let tower = file.object(key)?;
    let older = format!("{key}_dict");
    if file.get(&older).is_none() {
        Ok(tower)
    } else {
        Ok(tower.overridden_by(file.object(&older)?))
    }
}

fn read_vision(object: &Object<'_>) -> Result<VisionConfig, Error> {
    check_model_type(object, "clip_vision_model")?;
    if object.size("num_channels", 3, MOST_CHANNELS)? != 3 {
        return Err(object.wrong("num_channels", "3, since pictures are RGB"));
    }
    let image_size = object.side("image_size", 224, MOST_PIXELS)?;
    let patch_size = object.side("patch_size", 32, MOST_PIXELS)?;
    if patch_size > image_size {
        return Err(
            object.wrong("patch_size", &format!("at most image_size, which is {image_size}"))
        );
    }
    Ok(VisionConfig { tower: read_tower(object, 768, 12)?, image_size, patch_size })
}

fn read_text(object: &Object<'_>) -> Result<TextConfig, Error> {
    check_model_type(object, "clip_text_model")?;
    let vocab_size = object.size("vocab_size", 49_408, MOST_TOKENS)?;
    Ok(TextConfig {
        tower: read_tower(object, 512, 8)?,
        vocab_size,
        context_length: object.whole("max_position_embeddings", 77, 2, MOST_CHANNELS)?,
        pooling: read_pooling(object, vocab_size)?,
    })
}

fn check_model_type(object: &Object<'_>, expected: &'static str) -> Result<(), Error> {
    let found = object.word("model_type", expected)?;
    // Files converted in 2022 name the whole model in its parts.
    let known = found == expected || found == "clip" || found.is_empty();
    if known { Ok(()) } else { Err(object.wrong("model_type", &format!("\"{expected}\""))) }
}

fn read_pooling(object: &Object<'_>, vocab_size: usize) -> Result<Pooling, Error> {
    let id = object.whole("eos_token_id", 49_407, 0, MOST_TOKENS)? as u32;
    if id == LEGACY_END_TOKEN {
        return Ok(Pooling::ArgMax);
    }
    if id as usize >= vocab_size {
        return Err(
            object.wrong("eos_token_id", &format!("an id below vocab_size, which is {vocab_size}"))
        );
    }
    Ok(Pooling::EndToken(id))
}

fn read_tower(
    object: &Object<'_>,
    default_width: usize,
    default_heads: usize,
) -> Result<Tower, Error> {
    let width = object.size("hidden_size", default_width, MOST_CHANNELS)?;
    let heads = object.size("num_attention_heads", default_heads, MOST_CHANNELS)?;
    if width % heads != 0 {
        return Err(object
            .wrong("num_attention_heads", &format!("a divisor of hidden_size, which is {width}")));
    }
    let layer_norm_eps = object.number("layer_norm_eps", 1e-5)? as f32;
    if layer_norm_eps <= 0.0 || !layer_norm_eps.is_finite() {
        return Err(object.wrong("layer_norm_eps", "a positive number"));
    }
    Ok(Tower {
        width,
        heads,
        layers: object.size("num_hidden_layers", 12, MOST_LAYERS)?,
        mlp_width: object.size("intermediate_size", 4 * default_width, MOST_CHANNELS)?,
        activation: read_activation(object)?,
        layer_norm_eps,
    })
}

fn read_activation(object: &Object<'_>) -> Result<Activation, Error> {
    match object.word("hidden_act", "quick_gelu")? {
        "quick_gelu" => Ok(Activation::QuickGelu),
        "gelu" => Ok(Activation::Gelu),
        _ => Err(object.wrong("hidden_act", "\"quick_gelu\" or \"gelu\"")),
    }
}

#[derive(Serialize)]
struct File<'a> {
    architectures: [&'static str; 1],
    model_type: &'static str,
    projection_dim: usize,
    logit_scale_init_value: f32,
    dtype: &'static str,
    text_config: TextSection<'a>,
    vision_config: VisionSection<'a>,
}

#[derive(Serialize)]
struct TextSection<'a> {
    model_type: &'static str,
    #[serde(flatten)]
    tower: TowerSection<'a>,
    vocab_size: usize,
    max_position_embeddings: usize,
    eos_token_id: u32,
    // The model reads neither; null keeps transformers' defaults, which lie outside a small vocabulary, away.
    bos_token_id: Option<u32>,
    pad_token_id: Option<u32>,
}

#[derive(Serialize)]
struct VisionSection<'a> {
    model_type: &'static str,
    #[serde(flatten)]
    tower: TowerSection<'a>,
    image_size: usize,
    patch_size: usize,
    num_channels: usize,
}

#[derive(Serialize)]
struct TowerSection<'a> {
    hidden_size: usize,
    intermediate_size: usize,
    num_hidden_layers: usize,
    num_attention_heads: usize,
    projection_dim: usize,
    hidden_act: &'a str,
    layer_norm_eps: f32,
}

pub(super) fn write(config: &Config) -> Result<String, Error> {
    let end_token = end_token(config.text.pooling)?;
    let file = File {
        architectures: ["CLIPModel"],
        model_type: "clip",
        projection_dim: config.embed_dim,
        logit_scale_init_value: config.logit_scale_init,
        dtype: "float32",
        text_config: text_section(config, end_token),
        vision_config: VisionSection {
            model_type: "clip_vision_model",
            tower: tower_section(&config.vision.tower, config.embed_dim),
            image_size: config.vision.image_size,
            patch_size: config.vision.patch_size,
            num_channels: 3,
        },
    };
    let mut json =
        serde_json::to_string_pretty(&file).expect("strings and finite numbers always serialise");
    json.push('\n');
    Ok(json)
}

fn end_token(pooling: Pooling) -> Result<u32, Error> {
    match pooling {
        Pooling::ArgMax => Ok(LEGACY_END_TOKEN),
        Pooling::EndToken(LEGACY_END_TOKEN) => Err(Error::Config {
            path: super::FILE.into(),
            key: "text_config.eos_token_id".to_owned(),
            expected: "an end token other than 2, which means the highest id".to_owned(),
            found: "2".to_owned(),
        }),
        Pooling::EndToken(id) => Ok(id),
    }
}

fn text_section(config: &Config, eos_token_id: u32) -> TextSection<'_> {
    TextSection {
        model_type: "clip_text_model",
        tower: tower_section(&config.text.tower, config.embed_dim),
        vocab_size: config.text.vocab_size,
        max_position_embeddings: config.text.context_length,
        eos_token_id,
        bos_token_id: None,
        pad_token_id: None,
    }
}

fn tower_section(tower: &Tower, embed_dim: usize) -> TowerSection<'_> {
    TowerSection {
        hidden_size: tower.width,
        intermediate_size: tower.mlp_width,
        num_hidden_layers: tower.layers,
        num_attention_heads: tower.heads,
        projection_dim: embed_dim,
        hidden_act: match tower.activation {
            Activation::QuickGelu => "quick_gelu",
            Activation::Gelu => "gelu",
        },
        layer_norm_eps: tower.layer_norm_eps,
    }
}

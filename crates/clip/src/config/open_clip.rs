//! open_clip's `open_clip_config.json`, read.
//!
//! open_clip describes many architectures; every key that would change what the model computes and
//! is not one of CLIP's own is refused. Writing it is `open_clip`'s business.
//! Source: `CLIPVisionCfg`, `CLIPTextCfg` and `CLIP` in open_clip 3.3, `model.py`.

use std::path::Path;

use serde_json::Value;

use super::hugging_face::{MOST_CHANNELS, MOST_LAYERS, MOST_PIXELS, MOST_TOKENS};
use super::object::Object;
use super::{Activation, Config, Pooling, TextConfig, Tower, VisionConfig};
use crate::Error;

/// Keys of the whole model that are read, or that do not change the features of a trained model.
const MODEL_KEYS: &[&str] = &[
    "embed_dim",
    "vision_cfg",
    "text_cfg",
    "quick_gelu",
    "init_logit_scale",
    "custom_text",
    "multimodal_cfg",
];
/// Keys of the vision tower that are read, or that matter only while training or with timm's models.
const VISION_KEYS: &[&str] = &[
    "layers",
    "width",
    "head_width",
    "mlp_ratio",
    "patch_size",
    "image_size",
    "norm_kwargs",
    "pool_type",
    "pos_embed_type",
    "block_type",
    "patch_dropout",
    "attn_pooler_queries",
    "attn_pooler_heads",
    "timm_pool",
    "timm_proj",
    "timm_drop",
    "timm_drop_path",
    "timm_proj_bias",
    "timm_model_pretrained",
    "output_tokens",
];
/// Keys of the text tower that are read, or that only choose the tokenizer.
const TEXT_KEYS: &[&str] = &[
    "context_length",
    "vocab_size",
    "hf_tokenizer_name",
    "tokenizer_mode",
    "tokenizer_kwargs",
    "width",
    "heads",
    "layers",
    "mlp_ratio",
    "pad_id",
    "eos_id",
    "pool_type",
    "proj_type",
    "norm_kwargs",
    "block_type",
    "hf_model_pretrained",
    "hf_proj_type",
    "hf_pooler_type",
    "output_tokens",
];

pub(super) fn read(json: &str, path: &Path) -> Result<Config, Error> {
    let file = Object::parse(json, path)?;
    let model = if file.get("model_cfg").is_some() { file.object("model_cfg")? } else { file };
    refuse_others(&model, MODEL_KEYS)?;
    let activation =
        if model.flag("quick_gelu")? { Activation::QuickGelu } else { Activation::Gelu };
    for key in ["embed_dim", "vision_cfg", "text_cfg"] {
        model.get(key).ok_or_else(|| model.wrong(key, "a value"))?;
    }
    Ok(Config {
        embed_dim: model.size("embed_dim", 512, MOST_CHANNELS)?,
        // open_clip starts from the unrounded logarithm of 1 / 0.07.
        logit_scale_init: model.number("init_logit_scale", (1.0_f64 / 0.07).ln())? as f32,
        vision: read_vision(&model.object("vision_cfg")?, activation)?,
        text: read_text(&model.object("text_cfg")?, activation)?,
    })
}

/// Refuses every key that is not in `known`, unless its value switches it off.
fn refuse_others(object: &Object<'_>, known: &[&str]) -> Result<(), Error> {
    let off = |value: &Value| matches!(value, Value::Bool(false)) || value.as_f64() == Some(0.0);
    let other =
        object.keys().find(|key| !known.contains(key) && object.get(key).is_some_and(|v| !off(v)));
    other.map_or(Ok(()), |key| {
        Err(object.wrong(key, "no such setting: it is not part of a plain CLIP model"))
    })
}

fn read_vision(object: &Object<'_>, activation: Activation) -> Result<VisionConfig, Error> {
    refuse_others(object, VISION_KEYS)?;
    expect_word(object, "pool_type", "tok")?;
    expect_word(object, "pos_embed_type", "learnable")?;
    expect_word(object, "block_type", "default")?;
    let width = object.size("width", 768, MOST_CHANNELS)?;
    let head_width = object.size("head_width", 64, MOST_CHANNELS)?;
    if width % head_width != 0 {
        return Err(object.wrong("head_width", &format!("a divisor of width, which is {width}")));
    }
    let image_size = object.side("image_size", 224, MOST_PIXELS)?;
    let patch_size = object.side("patch_size", 16, MOST_PIXELS)?;
    if patch_size > image_size {
        return Err(
            object.wrong("patch_size", &format!("at most image_size, which is {image_size}"))
        );
    }
    Ok(VisionConfig {
        tower: read_tower(object, width, width / head_width, activation)?,
        image_size,
        patch_size,
    })
}

fn read_text(object: &Object<'_>, activation: Activation) -> Result<TextConfig, Error> {
    refuse_others(object, TEXT_KEYS)?;
    expect_word(object, "proj_type", "linear")?;
    expect_word(object, "block_type", "default")?;
    let width = object.size("width", 512, MOST_CHANNELS)?;
    let heads = object.size("heads", 8, MOST_CHANNELS)?;
    if width % heads != 0 {
        return Err(object.wrong("heads", &format!("a divisor of width, which is {width}")));
    }
    let vocab_size = object.size("vocab_size", 49_408, MOST_TOKENS)?;
    Ok(TextConfig {
        tower: read_tower(object, width, heads, activation)?,
        vocab_size,
        context_length: object.whole("context_length", 77, 2, MOST_CHANNELS)?,
        pooling: read_pooling(object, vocab_size)?,
    })
}

fn expect_word(object: &Object<'_>, key: &str, expected: &'static str) -> Result<(), Error> {
    if object.word(key, expected)? == expected {
        return Ok(());
    }
    Err(object.wrong(key, &format!("\"{expected}\"")))
}

fn read_pooling(object: &Object<'_>, vocab_size: usize) -> Result<Pooling, Error> {
    match object.word("pool_type", "argmax")? {
        "argmax" => Ok(Pooling::ArgMax),
        "eos" => Ok(Pooling::EndToken(object.whole("eos_id", 2, 0, vocab_size - 1)? as u32)),
        _ => Err(object.wrong("pool_type", "\"argmax\" or \"eos\"")),
    }
}

fn read_tower(
    object: &Object<'_>,
    width: usize,
    heads: usize,
    activation: Activation,
) -> Result<Tower, Error> {
    let mlp_width = (width as f64 * object.number("mlp_ratio", 4.0)?) as usize;
    if !(1..=MOST_CHANNELS).contains(&mlp_width) {
        return Err(object.wrong("mlp_ratio", "a positive ratio"));
    }
    let norm = object.object("norm_kwargs")?;
    refuse_others(&norm, &["eps"])?;
    let layer_norm_eps = norm.number("eps", 1e-5)? as f32;
    if layer_norm_eps <= 0.0 || !layer_norm_eps.is_finite() {
        return Err(norm.wrong("eps", "a positive number"));
    }
    let layers = object.size("layers", 12, MOST_LAYERS)?;
    Ok(Tower { width, layers, heads, mlp_width, activation, layer_norm_eps })
}

//! Named weights of a model on the host: Hugging Face `CLIPModel` names, always `f32`.
//!
//! No arithmetic and no file formats here: `weights` reads and writes them, the model computes.

use std::collections::BTreeMap;

use crate::config::{Config, TextConfig, Tower, VisionConfig};

/// One weight: its shape and its values in row-major order.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Tensor {
    /// Sizes of the axes, outermost first; empty for a scalar.
    pub shape: Vec<usize>,
    /// Values in row-major order; as many as the product of `shape`.
    pub data: Vec<f32>,
}

/// All weights of a model by their Hugging Face state-dict name.
pub type Tensors = BTreeMap<String, Tensor>;

/// Every parameter of the model that `config` describes, with its shape, in a fixed order.
///
/// The order is part of the contract: within a block `q_proj`, `k_proj` and `v_proj` stand side by
/// side, their weights and then their biases, so a flat buffer laid out in this order holds one fused
/// `(3C, C)` matrix and one fused `(3C)` bias. The logit scale comes first, then the vision tower,
/// then the text tower.
///
/// Source: module names of `CLIPModel` in transformers, `models/clip/modeling_clip.py`.
pub fn expected_tensors(config: &Config) -> Vec<(String, Vec<usize>)> {
    let mut list = vec![("logit_scale".to_owned(), Vec::new())];
    vision_tensors(&config.vision, &mut list);
    let vision_width = config.vision.tower.width;
    list.push(("visual_projection.weight".to_owned(), vec![config.embed_dim, vision_width]));
    text_tensors(&config.text, &mut list);
    let text_width = config.text.tower.width;
    list.push(("text_projection.weight".to_owned(), vec![config.embed_dim, text_width]));
    list
}

fn vision_tensors(vision: &VisionConfig, list: &mut Vec<(String, Vec<usize>)>) {
    let (width, patch) = (vision.tower.width, vision.patch_size);
    let mut add =
        |name: &str, shape: Vec<usize>| list.push((format!("vision_model.{name}"), shape));
    add("embeddings.class_embedding", vec![width]);
    add("embeddings.patch_embedding.weight", vec![width, 3, patch, patch]);
    add("embeddings.position_embedding.weight", vec![vision.tokens(), width]);
    // transformers spells it so.
    add("pre_layrnorm.weight", vec![width]);
    add("pre_layrnorm.bias", vec![width]);
    block_tensors("vision_model", &vision.tower, list);
    list.push(("vision_model.post_layernorm.weight".to_owned(), vec![width]));
    list.push(("vision_model.post_layernorm.bias".to_owned(), vec![width]));
}

fn text_tensors(text: &TextConfig, list: &mut Vec<(String, Vec<usize>)>) {
    let width = text.tower.width;
    let mut add = |name: &str, shape: Vec<usize>| list.push((format!("text_model.{name}"), shape));
    add("embeddings.token_embedding.weight", vec![text.vocab_size, width]);
    add("embeddings.position_embedding.weight", vec![text.context_length, width]);
    block_tensors("text_model", &text.tower, list);
    list.push(("text_model.final_layer_norm.weight".to_owned(), vec![width]));
    list.push(("text_model.final_layer_norm.bias".to_owned(), vec![width]));
}

fn block_tensors(model: &str, tower: &Tower, list: &mut Vec<(String, Vec<usize>)>) {
    let (width, mlp) = (tower.width, tower.mlp_width);
    for layer in 0..tower.layers {
        let mut add = |name: &str, shape: Vec<usize>| {
            list.push((format!("{model}.encoder.layers.{layer}.{name}"), shape));
        };
        add("layer_norm1.weight", vec![width]);
        add("layer_norm1.bias", vec![width]);
        for name in ["q_proj", "k_proj", "v_proj"] {
            add(&format!("self_attn.{name}.weight"), vec![width, width]);
        }
        for name in ["q_proj", "k_proj", "v_proj"] {
            add(&format!("self_attn.{name}.bias"), vec![width]);
        }
        add("self_attn.out_proj.weight", vec![width, width]);
        add("self_attn.out_proj.bias", vec![width]);
        add("layer_norm2.weight", vec![width]);
        add("layer_norm2.bias", vec![width]);
        add("mlp.fc1.weight", vec![mlp, width]);
        add("mlp.fc1.bias", vec![mlp]);
        add("mlp.fc2.weight", vec![width, mlp]);
        add("mlp.fc2.bias", vec![width]);
    }
}

/// Number of trained values in the model that `config` describes.
pub fn parameters(config: &Config) -> usize {
    expected_tensors(config).iter().map(|(_, shape)| shape.iter().product::<usize>()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn vit_b_32_has_the_151_277_313_parameters_of_the_original() {
        assert_eq!(parameters(&Config::preset("vit-b-32", 49_408).unwrap()), 151_277_313);
    }

    #[test]
    fn query_key_and_value_stand_side_by_side() {
        let names: Vec<String> = expected_tensors(&Config::preset("tiny", 100).unwrap())
            .into_iter()
            .map(|(name, _)| name)
            .collect();
        for suffix in ["weight", "bias"] {
            for (i, _) in
                names.iter().enumerate().filter(|(_, n)| n.ends_with(&format!("q_proj.{suffix}")))
            {
                assert_eq!(names[i + 1], names[i].replace("q_proj", "k_proj"));
                assert_eq!(names[i + 2], names[i].replace("q_proj", "v_proj"));
            }
        }
    }
}

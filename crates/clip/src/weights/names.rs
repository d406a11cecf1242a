//! Where a tensor of open_clip's goes among Hugging Face's names.
//!
//! Hugging Face's names are the ones used everywhere else, so only open_clip's need a table.
//! Source: state dict of `CLIP` in open_clip 3.3, `model.py` and `transformer.py`.

use crate::config::Config;

/// How one stored tensor becomes one or several of ours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Place {
    /// As it is.
    Whole(String),
    /// With its two axes exchanged.
    Transposed(String),
    /// Three of ours stacked along the first axis.
    Stacked([String; 3]),
}

/// open_clip's names outside the blocks, ours, and whether the axes are exchanged.
const OUTSIDE: &[(&str, &str, bool)] = &[
    ("logit_scale", "logit_scale", false),
    ("visual.class_embedding", "vision_model.embeddings.class_embedding", false),
    ("visual.positional_embedding", "vision_model.embeddings.position_embedding.weight", false),
    ("visual.conv1.weight", "vision_model.embeddings.patch_embedding.weight", false),
    ("visual.ln_pre.weight", "vision_model.pre_layrnorm.weight", false),
    ("visual.ln_pre.bias", "vision_model.pre_layrnorm.bias", false),
    ("visual.ln_post.weight", "vision_model.post_layernorm.weight", false),
    ("visual.ln_post.bias", "vision_model.post_layernorm.bias", false),
    ("visual.proj", "visual_projection.weight", true),
    ("token_embedding.weight", "text_model.embeddings.token_embedding.weight", false),
    ("positional_embedding", "text_model.embeddings.position_embedding.weight", false),
    ("ln_final.weight", "text_model.final_layer_norm.weight", false),
    ("ln_final.bias", "text_model.final_layer_norm.bias", false),
    ("text_projection", "text_projection.weight", true),
];

/// Names inside a block: open_clip's and ours, each followed by `.weight` and `.bias`.
const BLOCK: &[(&str, &str)] = &[
    ("ln_1", "layer_norm1"),
    ("attn.out_proj", "self_attn.out_proj"),
    ("ln_2", "layer_norm2"),
    ("mlp.c_fc", "mlp.fc1"),
    ("mlp.c_proj", "mlp.fc2"),
];

/// Every tensor that open_clip stores for this model, and where it goes.
pub(crate) fn open_clip_places(config: &Config) -> Vec<(String, Place)> {
    let mut places: Vec<(String, Place)> = OUTSIDE
        .iter()
        .map(|&(theirs, ours, transposed)| {
            let ours = ours.to_owned();
            (
                theirs.to_owned(),
                if transposed { Place::Transposed(ours) } else { Place::Whole(ours) },
            )
        })
        .collect();
    let towers =
        [("visual.", "vision_model", &config.vision.tower), ("", "text_model", &config.text.tower)];
    for (theirs, ours, tower) in towers {
        for layer in 0..tower.layers {
            let theirs = format!("{theirs}transformer.resblocks.{layer}");
            let ours = format!("{ours}.encoder.layers.{layer}");
            places.extend(block_places(&theirs, &ours));
        }
    }
    places
}

fn block_places(theirs: &str, ours: &str) -> Vec<(String, Place)> {
    let mut places = Vec::new();
    for part in ["weight", "bias"] {
        let stacked = ["q", "k", "v"].map(|name| format!("{ours}.self_attn.{name}_proj.{part}"));
        places.push((format!("{theirs}.attn.in_proj_{part}"), Place::Stacked(stacked)));
        places.extend(BLOCK.iter().map(|(their_name, our_name)| {
            (
                format!("{theirs}.{their_name}.{part}"),
                Place::Whole(format!("{ours}.{our_name}.{part}")),
            )
        }));
    }
    places
}

/// The name without what wrappers put before it: `module.` (data parallelism) and `text.`
/// (open_clip's `CustomTextCLIP`).
pub(super) fn bare(name: &str) -> &str {
    let name = name.strip_prefix("module.").unwrap_or(name);
    name.strip_prefix("text.").unwrap_or(name)
}

/// Whether the tensor only repeats what the configuration says.
pub(super) fn is_buffer(name: &str) -> bool {
    name.ends_with(".position_ids")
        || ["attn_mask", "input_resolution", "context_length", "vocab_size"].contains(&name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::tensors::expected_tensors;

    #[test]
    fn open_clip_names_lead_to_every_tensor_exactly_once() {
        let config = Config::preset("tiny", 100).unwrap();
        let ours: Vec<String> = open_clip_places(&config)
            .into_iter()
            .flat_map(|(_, place)| match place {
                Place::Whole(name) | Place::Transposed(name) => vec![name],
                Place::Stacked(names) => names.to_vec(),
            })
            .collect();
        let expected: BTreeSet<String> =
            expected_tensors(&config).into_iter().map(|(name, _)| name).collect();
        assert_eq!(ours.len(), expected.len());
        assert_eq!(ours.into_iter().collect::<BTreeSet<_>>(), expected);
    }

    #[test]
    fn prefixes_of_wrappers_are_dropped() {
        assert_eq!(bare("module.visual.proj"), "visual.proj");
        assert_eq!(bare("text.ln_final.bias"), "ln_final.bias");
        assert_eq!(bare("text_projection"), "text_projection");
    }
}

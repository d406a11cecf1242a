//! Where each weight stands in one flat buffer; gradients and moments are laid out alike.

use std::collections::BTreeMap;
use std::ops::Range;

use finelens_compute::Span;

use crate::config::{Config, Tower};
use crate::tensors::expected_tensors;

/// A weight's place in the flat buffers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Place {
    start: usize,
    len: usize,
}

impl Place {
    /// This weight in `flat`: the weights, their gradients or their moments.
    pub(super) fn of(self, flat: Span) -> Span {
        flat.part(self.start, self.len)
    }

    /// Itself and the one after it, as one matrix.
    fn with_next(self, next: Self) -> Self {
        assert_eq!(
            self.start + self.len,
            next.start,
            "weights that are used as one stand side by side"
        );
        Self { start: self.start, len: self.len + next.len }
    }
}

/// A stretch of the flat buffers that learns in one way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Segment {
    /// First element and the one after the last.
    pub range: Range<usize>,
    /// Whether these are matrices; biases, norms and the logit scale are not, and do not decay.
    ///
    /// Source: open_clip `src/open_clip_train/main.py`, which excludes one-dimensional parameters.
    pub decays: bool,
}

/// Names, shapes and places of all weights.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    weights: Vec<(String, Vec<usize>, Place)>,
    by_name: BTreeMap<String, usize>,
    len: usize,
}

impl Layout {
    pub(super) fn new(config: &Config) -> Self {
        let mut layout = Self { weights: Vec::new(), by_name: BTreeMap::new(), len: 0 };
        for (name, shape) in expected_tensors(config) {
            let len = shape.iter().product();
            layout.by_name.insert(name.clone(), layout.weights.len());
            layout.weights.push((name, shape, Place { start: layout.len, len }));
            layout.len += len;
        }
        layout
    }

    /// Number of elements.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// # Panics
    /// If the model has no such weight: names are spelt in this crate only.
    pub(super) fn place(&self, name: &str) -> Place {
        let index =
            self.by_name.get(name).unwrap_or_else(|| panic!("the model has no weight {name}"));
        self.weights[*index].2
    }

    /// Name, shape and place of every weight.
    pub(super) fn iter(&self) -> impl Iterator<Item = &(String, Vec<usize>, Place)> {
        self.weights.iter()
    }

    /// The weights that `learns` picks by name, in the longest stretches of one kind.
    pub(super) fn segments(&self, learns: impl Fn(&str) -> bool) -> Vec<Segment> {
        let mut segments: Vec<Segment> = Vec::new();
        for (_, shape, place) in self.weights.iter().filter(|(name, ..)| learns(name)) {
            let (range, decays) = (place.start..place.start + place.len, shape.len() > 1);
            match segments.last_mut() {
                Some(last) if last.range.end == range.start && last.decays == decays => {
                    last.range.end = range.end;
                }
                _ => segments.push(Segment { range, decays }),
            }
        }
        segments
    }
}

/// The two weights of a norm.
#[derive(Debug, Clone, Copy)]
pub(super) struct NormPlaces {
    pub(super) scale: Place,
    pub(super) shift: Place,
}

impl NormPlaces {
    fn new(layout: &Layout, name: &str) -> Self {
        Self {
            scale: layout.place(&format!("{name}.weight")),
            shift: layout.place(&format!("{name}.bias")),
        }
    }
}

/// The two weights of a linear map.
#[derive(Debug, Clone, Copy)]
pub(super) struct LinearPlaces {
    pub(super) weight: Place,
    pub(super) bias: Place,
}

impl LinearPlaces {
    fn new(layout: &Layout, name: &str) -> Self {
        Self {
            weight: layout.place(&format!("{name}.weight")),
            bias: layout.place(&format!("{name}.bias")),
        }
    }

    fn with_next(self, next: Self) -> Self {
        Self { weight: self.weight.with_next(next.weight), bias: self.bias.with_next(next.bias) }
    }
}

/// The weights of one block.
#[derive(Debug, Clone, Copy)]
pub(super) struct BlockPlaces {
    pub(super) norm1: NormPlaces,
    pub(super) query: LinearPlaces,
    /// Keys and values as one map to 2 C.
    pub(super) key_value: LinearPlaces,
    pub(super) out: LinearPlaces,
    pub(super) norm2: NormPlaces,
    pub(super) fc1: LinearPlaces,
    pub(super) fc2: LinearPlaces,
}

impl BlockPlaces {
    fn new(layout: &Layout, name: &str) -> Self {
        let linear = |part: &str| LinearPlaces::new(layout, &format!("{name}.{part}"));
        Self {
            norm1: NormPlaces::new(layout, &format!("{name}.layer_norm1")),
            query: linear("self_attn.q_proj"),
            key_value: linear("self_attn.k_proj").with_next(linear("self_attn.v_proj")),
            out: linear("self_attn.out_proj"),
            norm2: NormPlaces::new(layout, &format!("{name}.layer_norm2")),
            fc1: linear("mlp.fc1"),
            fc2: linear("mlp.fc2"),
        }
    }
}

/// What both towers have: the blocks, a norm and a projection.
#[derive(Debug, Clone)]
pub(super) struct TowerPlaces {
    pub(super) blocks: Vec<BlockPlaces>,
    pub(super) last_norm: NormPlaces,
    pub(super) projection: Place,
}

impl TowerPlaces {
    fn new(layout: &Layout, tower: &Tower, name: &str, last_norm: &str, projection: &str) -> Self {
        let block = |i| BlockPlaces::new(layout, &format!("{name}.encoder.layers.{i}"));
        Self {
            blocks: (0..tower.layers).map(block).collect(),
            last_norm: NormPlaces::new(layout, &format!("{name}.{last_norm}")),
            projection: layout.place(projection),
        }
    }
}

/// All weights of the model, by role.
#[derive(Debug, Clone)]
pub(super) struct Places {
    pub(super) logit_scale: Place,
    pub(super) class: Place,
    pub(super) patch: Place,
    pub(super) vision_positions: Place,
    pub(super) first_norm: NormPlaces,
    pub(super) vision: TowerPlaces,
    pub(super) tokens: Place,
    pub(super) text_positions: Place,
    pub(super) text: TowerPlaces,
}

impl Places {
    pub(super) fn new(config: &Config, layout: &Layout) -> Self {
        let (vision, text) = (&config.vision.tower, &config.text.tower);
        Self {
            logit_scale: layout.place("logit_scale"),
            class: layout.place("vision_model.embeddings.class_embedding"),
            patch: layout.place("vision_model.embeddings.patch_embedding.weight"),
            vision_positions: layout.place("vision_model.embeddings.position_embedding.weight"),
            // The misspelling is transformers' own.
            first_norm: NormPlaces::new(layout, "vision_model.pre_layrnorm"),
            vision: TowerPlaces::new(
                layout,
                vision,
                "vision_model",
                "post_layernorm",
                "visual_projection.weight",
            ),
            tokens: layout.place("text_model.embeddings.token_embedding.weight"),
            text_positions: layout.place("text_model.embeddings.position_embedding.weight"),
            text: TowerPlaces::new(
                layout,
                text,
                "text_model",
                "final_layer_norm",
                "text_projection.weight",
            ),
        }
    }
}

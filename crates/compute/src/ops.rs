//! What each operation takes: its sizes, what it reads and what it writes.
//!
//! Unless a field says that it is added to, an operation overwrites what it writes. Gradients of
//! weights are always added to, so that several passes can share one step. No operation may write
//! what it also reads, except where a field says so.

use crate::span::Span;

/// A non-linearity applied after a linear map.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Activation {
    /// `x * sigmoid(1.702 x)`. Source: openai/CLIP `clip/model.py`, class `QuickGELU`.
    QuickGelu,
    /// `x * Phi(x)`, with the exact Gaussian distribution function. Source: Hendrycks & Gimpel 2016, arXiv:1606.08415.
    Gelu,
}

/// An activation and what it was applied to.
#[derive(Debug, Clone, Copy)]
pub struct Activated {
    /// Which one.
    pub activation: Activation,
    /// `(R, outputs)`.
    pub input: Span,
}

/// `y = activation(x)`, element by element.
#[derive(Debug, Clone, Copy)]
pub struct Activate {
    /// Which one.
    pub activation: Activation,
    /// Any number of elements.
    pub x: Span,
    /// As many.
    pub y: Span,
}

/// Whether a gradient replaces what is there or is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Update {
    /// Replace.
    Set,
    /// Add.
    Add,
}

/// `y = activation(x weightᵀ + bias) + residual`.
#[derive(Debug, Clone, Copy)]
pub struct Linear {
    /// R.
    pub rows: usize,
    /// Width of a row of `x`.
    pub inputs: usize,
    /// Width of a row of `y`.
    pub outputs: usize,
    /// `(R, inputs)`.
    pub x: Span,
    /// `(outputs, inputs)`.
    pub weight: Span,
    /// `(outputs)`.
    pub bias: Option<Span>,
    /// Applied before the residual is added.
    pub activation: Option<Activation>,
    /// `(R, outputs)`: what the activation is applied to, where a backward pass will read it.
    pub before_activation: Option<Span>,
    /// Whether this is part of a training step. Elsewhere weights rest, and a device may keep them in a form of its own.
    pub training: bool,
    /// `(R, outputs)`.
    pub residual: Option<Span>,
    /// `(R, outputs)`.
    pub y: Span,
}

/// Gradients of [`Linear`]; the residual's is `d_y` itself.
#[derive(Debug, Clone, Copy)]
pub struct LinearBackward {
    /// R.
    pub rows: usize,
    /// Width of a row of `x`.
    pub inputs: usize,
    /// Width of a row of `d_y`.
    pub outputs: usize,
    /// `(R, inputs)`, as in the forward pass.
    pub x: Span,
    /// `(outputs, inputs)`.
    pub weight: Span,
    /// As in the forward pass. Where given, `d_y` is used up: it is multiplied by the slope in place.
    pub activation: Option<Activated>,
    /// `(R, outputs)`.
    pub d_y: Span,
    /// `(R, inputs)`, where wanted.
    pub d_x: Option<(Span, Update)>,
    /// `(outputs, inputs)`, where wanted; added to.
    pub d_weight: Option<Span>,
    /// `(outputs)`, where wanted; added to.
    pub d_bias: Option<Span>,
}

/// `y = (x - mean) / sqrt(variance + eps) * scale + shift`, row by row.
///
/// Source: Ba, Kiros & Hinton 2016, arXiv:1607.06450.
#[derive(Debug, Clone, Copy)]
pub struct LayerNorm {
    /// R.
    pub rows: usize,
    /// C.
    pub width: usize,
    /// Added to the variance.
    pub eps: f32,
    /// `(R, C)`.
    pub x: Span,
    /// `(C)`.
    pub scale: Span,
    /// `(C)`.
    pub shift: Span,
    /// `(R, C)`.
    pub y: Span,
    /// `(R, 2)`: mean and reciprocal standard deviation, kept for the backward pass.
    pub moments: Span,
}

/// Gradients of [`LayerNorm`].
#[derive(Debug, Clone, Copy)]
pub struct LayerNormBackward {
    /// R.
    pub rows: usize,
    /// C.
    pub width: usize,
    /// `(R, C)`.
    pub x: Span,
    /// `(C)`.
    pub scale: Span,
    /// `(R, 2)`, from the forward pass.
    pub moments: Span,
    /// `(R, C)`.
    pub d_y: Span,
    /// `(R, C)`; added to, since a residual stream's own gradient already stands there.
    pub d_x: Span,
    /// `(C)` each, where wanted; added to.
    pub d_scale_shift: Option<(Span, Span)>,
}

/// Softmax attention, `softmax(q kᵀ / sqrt(D)) v` for each head.
///
/// Source: Vaswani et al. 2017, arXiv:1706.03762, section 3.2.1.
#[derive(Debug, Clone, Copy)]
pub struct Attention {
    /// B.
    pub batch: usize,
    /// H.
    pub heads: usize,
    /// D, so that C = H D.
    pub head_width: usize,
    /// Query rows for each item.
    pub queries: usize,
    /// Key and value rows for each item.
    pub keys: usize,
    /// Whether a query sees only the keys up to its own place; the last query sees all of them.
    pub causal: bool,
    /// `(B)` of type u32: how many keys count, where items are shorter than `keys`; at least one each.
    pub key_lengths: Option<Span>,
    /// `(B, queries, C)`.
    pub query: Span,
    /// `(B, keys, 2 C)`: keys, then values.
    pub key_value: Span,
    /// `(B, queries, C)`.
    pub y: Span,
    /// `(B, H, queries)`: log of the sum of exponentials, kept for the backward pass.
    pub log_sums: Span,
}

/// Gradients of [`Attention`]; the weights are computed again rather than kept.
#[derive(Debug, Clone, Copy)]
pub struct AttentionBackward {
    /// As in the forward pass; `y` is not read.
    pub forward: Attention,
    /// `(B, queries, C)`.
    pub d_y: Span,
    /// `(B, queries, C)`.
    pub d_query: Span,
    /// `(B, keys, 2 C)`.
    pub d_key_value: Span,
}

/// Weight and bias of a linear map inside of a [`Block`].
#[derive(Debug, Clone, Copy)]
pub struct Affine {
    /// `(outputs, inputs)`.
    pub weight: Span,
    /// `(outputs)`.
    pub bias: Span,
}

/// Scale and shift of a norm inside of a [`Block`], `(C)` each.
#[derive(Debug, Clone, Copy)]
pub struct ScaleShift {
    /// Multiplied.
    pub scale: Span,
    /// Added.
    pub shift: Span,
}

/// The one row of each sequence that is wanted of a [`Block`].
#[derive(Debug, Clone, Copy)]
pub struct Picked {
    /// `(B)` of type u32: rows of `x`, no row twice.
    pub rows: Span,
    /// `(B)` of type u32: how many keys each of them sees, where it is not all.
    pub key_lengths: Option<Span>,
}

/// One transformer block of which nothing is kept for a backward pass.
///
/// `m = x + out(attention(norm1(x)))`, then `y = m + fc2(activation(fc1(norm2(m))))`. Where rows are picked, they alone ask
/// and come out, while all rows bring keys and values.
///
/// Source: Radford et al. 2021, arXiv:2103.00020, section 2.4; Vaswani et al. 2017, arXiv:1706.03762.
#[derive(Debug, Clone, Copy)]
pub struct Block {
    /// B.
    pub batch: usize,
    /// T.
    pub tokens: usize,
    /// C.
    pub width: usize,
    /// H.
    pub heads: usize,
    /// M, width between the two maps of the MLP.
    pub mlp: usize,
    /// Added to the variance in both norms.
    pub eps: f32,
    /// Between the two maps of the MLP.
    pub activation: Activation,
    /// As in [`Attention`]; a picked row says itself how far it sees.
    pub causal: bool,
    /// Where only one row of each sequence is wanted.
    pub picked: Option<Picked>,
    /// Of `x`.
    pub norm1: ScaleShift,
    /// C to C.
    pub query: Affine,
    /// C to 2 C: keys, then values.
    pub key_value: Affine,
    /// C to C.
    pub out: Affine,
    /// Of the middle.
    pub norm2: ScaleShift,
    /// C to M.
    pub fc1: Affine,
    /// M to C.
    pub fc2: Affine,
    /// `(B, T, C)`.
    pub x: Span,
    /// `(B, T, C)`, or `(B, C)` where rows are picked.
    pub y: Span,
}

/// Rows of a table plus their positions: `x[b, t] = table[ids[b, t]] + positions[t]`.
#[derive(Debug, Clone, Copy)]
pub struct EmbedTokens {
    /// B.
    pub batch: usize,
    /// T.
    pub tokens: usize,
    /// C.
    pub width: usize,
    /// `(B, T)` of type u32, each below the number of rows of `table`.
    pub ids: Span,
    /// `(vocabulary, C)`.
    pub table: Span,
    /// `(at least T, C)`.
    pub positions: Span,
    /// `(B, T, C)`.
    pub x: Span,
}

/// Gradients of [`EmbedTokens`].
#[derive(Debug, Clone, Copy)]
pub struct EmbedTokensBackward {
    /// B.
    pub batch: usize,
    /// T.
    pub tokens: usize,
    /// C.
    pub width: usize,
    /// `(B, T)` of type u32.
    pub ids: Span,
    /// `(B, T, C)`.
    pub d_x: Span,
    /// `(vocabulary, C)`; added to.
    pub d_table: Span,
    /// `(at least T, C)`; added to.
    pub d_positions: Span,
}

/// Cuts pictures into patches, a row each, behind one row of zeros for the class token.
///
/// With that row the patch projection is one matrix product, and its weight gradient too.
#[derive(Debug, Clone, Copy)]
pub struct UnfoldPatches {
    /// B.
    pub batch: usize,
    /// Side of a picture.
    pub side_px: usize,
    /// Side of a patch; what remains at the right and at the bottom is not used.
    pub patch_px: usize,
    /// `(B, 3, side, side)`.
    pub pixels: Span,
    /// `(B, 1 + patches, 3 patch²)`.
    pub patches: Span,
}

/// Adds positions to every row and the class token to the first: `x[b, t] += positions[t]`.
#[derive(Debug, Clone, Copy)]
pub struct EmbedPatches {
    /// B.
    pub batch: usize,
    /// T, the class token counted.
    pub tokens: usize,
    /// C.
    pub width: usize,
    /// `(C)`.
    pub class: Span,
    /// `(T, C)`.
    pub positions: Span,
    /// `(B, T, C)`; changed in place.
    pub x: Span,
}

/// Gradients of [`EmbedPatches`]; that of `x` is `d_x` itself.
#[derive(Debug, Clone, Copy)]
pub struct EmbedPatchesBackward {
    /// B.
    pub batch: usize,
    /// T, the class token counted.
    pub tokens: usize,
    /// C.
    pub width: usize,
    /// `(B, T, C)`.
    pub d_x: Span,
    /// `(C)`; added to.
    pub d_class: Span,
    /// `(T, C)`; added to.
    pub d_positions: Span,
}

/// One row for each item: `y[b] = x[rows[b]]`.
#[derive(Debug, Clone, Copy)]
pub struct Pool {
    /// B.
    pub batch: usize,
    /// C.
    pub width: usize,
    /// `(B)` of type u32: rows of `x`, no row twice.
    pub rows: Span,
    /// `(rows, C)`.
    pub x: Span,
    /// `(B, C)`.
    pub y: Span,
}

/// Gradient of [`Pool`]: zero everywhere but in the rows taken.
#[derive(Debug, Clone, Copy)]
pub struct PoolBackward {
    /// B.
    pub batch: usize,
    /// C.
    pub width: usize,
    /// `(B)` of type u32.
    pub rows: Span,
    /// `(B, C)`.
    pub d_y: Span,
    /// `(rows, C)`.
    pub d_x: Span,
}

/// Rows of length one: `y = x / |x|`. A row of zeros stays one.
#[derive(Debug, Clone, Copy)]
pub struct Normalize {
    /// R.
    pub rows: usize,
    /// D.
    pub width: usize,
    /// `(R, D)`.
    pub x: Span,
    /// `(R, D)`.
    pub y: Span,
    /// `(R)`: reciprocal lengths, kept for the backward pass.
    pub scales: Span,
}

/// Gradient of [`Normalize`].
#[derive(Debug, Clone, Copy)]
pub struct NormalizeBackward {
    /// R.
    pub rows: usize,
    /// D.
    pub width: usize,
    /// `(R, D)`, from the forward pass.
    pub y: Span,
    /// `(R)`, from the forward pass.
    pub scales: Span,
    /// `(R, D)`.
    pub d_y: Span,
    /// `(R, D)`.
    pub d_x: Span,
}

/// Symmetric InfoNCE with several right answers, and its gradients, in one pass.
///
/// An image and a text are a right pair when they carry the same group. The target of a row is
/// spread evenly over its right pairs; with all groups different this is CLIP's own loss. A device
/// may hold only some of the rows and columns: the loss is the sum of their terms over the size of
/// the whole, so the shares of several devices add up.
///
/// Source: Radford et al. 2021, arXiv:2103.00020, figure 3; several positives as in Khosla et al. 2020,
/// arXiv:2004.11362, equation 2.
#[derive(Debug, Clone, Copy)]
pub struct Contrastive {
    /// N, images gathered from all devices.
    pub images: usize,
    /// M, texts gathered from all devices.
    pub texts: usize,
    /// D.
    pub width: usize,
    /// First image and number of images whose terms count here.
    pub image_terms: (usize, usize),
    /// First text and number of texts whose terms count here.
    pub text_terms: (usize, usize),
    /// `(N, D)`, unit rows.
    pub image_features: Span,
    /// `(M, D)`, unit rows.
    pub text_features: Span,
    /// `(N)` of type u32.
    pub image_groups: Span,
    /// `(M)` of type u32; every group has at least one text and one image.
    pub text_groups: Span,
    /// `(1)`: natural logarithm of the factor on the cosines.
    pub logit_scale: Span,
    /// `(1)`.
    pub loss: Span,
    /// `(N, D)`.
    pub d_image_features: Span,
    /// `(M, D)`.
    pub d_text_features: Span,
    /// `(1)`; added to.
    pub d_logit_scale: Span,
}

/// Length of all gradients together, and the factor that brings it down to a bound.
///
/// Source: Pascanu et al. 2013, arXiv:1211.5063; the factor `min(1, max / (norm + 1e-6))` is PyTorch's
/// `clip_grad_norm_`.
#[derive(Debug, Clone, Copy)]
pub struct ClipNorm<'a> {
    /// All of them.
    pub gradients: &'a [Span],
    /// The bound.
    pub max_norm: f32,
    /// `(1)`: the length before clipping.
    pub norm: Span,
    /// `(1)`: the factor.
    pub factor: Span,
}

/// One step of Adam with decoupled weight decay.
///
/// Source: Loshchilov & Hutter 2019, arXiv:1711.05101, algorithm 2, with the learning rate also on the decay
/// as in PyTorch.
#[derive(Debug, Clone, Copy)]
pub struct AdamW {
    /// Weights; changed in place. What a device derived from them is forgotten.
    pub weights: Span,
    /// Same length.
    pub gradients: Span,
    /// Same length: running mean of the gradients.
    pub first_moments: Span,
    /// Same length: running mean of their squares.
    pub second_moments: Span,
    /// `(1)`.
    pub learning_rate: Span,
    /// `(1)`: which step this is, from 1 on, as a float.
    pub step: Span,
    /// `(1)`: multiplied into the gradients.
    pub gradient_factor: Span,
    /// Decay of the first moments.
    pub beta1: f32,
    /// Decay of the second moments.
    pub beta2: f32,
    /// Added to the root of the second moment.
    pub eps: f32,
    /// Share of a weight lost in a step of rate one.
    pub weight_decay: f32,
}

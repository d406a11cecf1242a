//! Slow, obvious twins of the operations, in f64, for tests to compare with.
//!
//! Forward only: a gradient is checked against differences of these.

use crate::ops::Activation;

/// `activation(x weightᵀ + bias)`; shapes as in [`crate::Linear`].
pub fn linear(x: &[f64], weight: &[f64], bias: &[f64], activation: Option<Activation>) -> Vec<f64> {
    let outputs = bias.len();
    let inputs = weight.len() / outputs;
    let apply = |x: f64| activation.map_or(x, |a| activate(a, x));
    let cell =
        |row: &[f64], o: usize| apply(dot(row, &weight[o * inputs..(o + 1) * inputs]) + bias[o]);
    x.chunks(inputs).flat_map(|row| (0..outputs).map(move |o| cell(row, o))).collect()
}

/// One value through an activation.
pub fn activate(activation: Activation, x: f64) -> f64 {
    match activation {
        Activation::QuickGelu => x / (1.0 + (-1.702 * x).exp()),
        Activation::Gelu => 0.5 * x * (1.0 + erf(x / std::f64::consts::SQRT_2)),
    }
}

/// The error function: its Taylor series near zero, the continued fraction of its complement elsewhere.
fn erf(x: f64) -> f64 {
    if x.abs() > 2.0 {
        let z = x.abs();
        let fraction = (1..100).rev().fold(0.0, |rest, k| 0.5 * f64::from(k) / (z + rest));
        return x.signum()
            * (1.0 - (-z * z).exp() / (std::f64::consts::PI.sqrt() * (z + fraction)));
    }
    let (mut term, mut total) = (x, x);
    for n in 1..60 {
        term *= -x * x / f64::from(n);
        total += term / f64::from(2 * n + 1);
    }
    total * std::f64::consts::FRAC_2_SQRT_PI
}

/// Shapes as in [`crate::LayerNorm`].
pub fn layer_norm(x: &[f64], scale: &[f64], shift: &[f64], eps: f64) -> Vec<f64> {
    let width = scale.len();
    let row = |x: &[f64]| {
        let mean = x.iter().sum::<f64>() / width as f64;
        let variance = x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / width as f64;
        let value = |i: usize| (x[i] - mean) / (variance + eps).sqrt() * scale[i] + shift[i];
        (0..width).map(value).collect::<Vec<_>>()
    };
    x.chunks(width).flat_map(row).collect()
}

/// The sizes of an attention, named as in [`crate::Attention`].
#[derive(Debug, Clone, Copy)]
pub struct AttentionShape<'a> {
    /// H.
    pub heads: usize,
    /// D.
    pub head_width: usize,
    /// Query rows for each item.
    pub queries: usize,
    /// Key rows for each item.
    pub keys: usize,
    /// Whether a query sees only the keys up to its own place.
    pub causal: bool,
    /// Keys that count, for each item of the batch.
    pub lengths: &'a [usize],
}

/// Shapes as in [`crate::Attention`].
pub fn attention(shape: &AttentionShape<'_>, query: &[f64], key_value: &[f64]) -> Vec<f64> {
    let width = shape.heads * shape.head_width;
    let mut out = vec![0.0; query.len()];
    for (b, length) in shape.lengths.iter().enumerate() {
        for row in 0..shape.queries {
            let limit =
                if shape.causal { row + 1 + shape.keys - shape.queries } else { shape.keys };
            for head in 0..shape.heads {
                let column = head * shape.head_width;
                let q = &query[(b * shape.queries + row) * width + column..][..shape.head_width];
                let key = |t: usize| {
                    &key_value[(b * shape.keys + t) * 2 * width + column..][..shape.head_width]
                };
                let scores = (0..limit.min(*length))
                    .map(|t| dot(q, key(t)) / (shape.head_width as f64).sqrt());
                let weights = softmax(&scores.collect::<Vec<_>>());
                let to = &mut out[(b * shape.queries + row) * width + column..][..shape.head_width];
                for (t, weight) in weights.iter().enumerate() {
                    let value = &key_value[(b * shape.keys + t) * 2 * width + width + column..];
                    to.iter_mut().zip(value).for_each(|(to, value)| *to += weight * value);
                }
            }
        }
    }
    out
}

/// Rows of length one.
pub fn normalize(x: &[f64], width: usize) -> Vec<f64> {
    x.chunks(width)
        .flat_map(|row| row.iter().map(|x| x / dot(row, row).sqrt()).collect::<Vec<_>>())
        .collect()
}

/// The loss of [`crate::Contrastive`] over all rows and columns.
pub fn contrastive(
    images: &[f64],
    texts: &[f64],
    width: usize,
    groups: (&[u32], &[u32]),
    logit_scale: f64,
) -> f64 {
    let half = |a: &[f64], b: &[f64], from: &[u32], to: &[u32]| {
        let row = |(row, group): (&[f64], &u32)| {
            let logits: Vec<f64> =
                b.chunks(width).map(|other| dot(row, other) * logit_scale.exp()).collect();
            let right: Vec<usize> = (0..to.len()).filter(|j| to[*j] == *group).collect();
            let weights = softmax(&logits);
            -right.iter().map(|j| weights[*j].ln()).sum::<f64>() / right.len() as f64
        };
        a.chunks(width).zip(from).map(row).sum::<f64>() / from.len() as f64
    };
    0.5 * (half(images, texts, groups.0, groups.1) + half(texts, images, groups.1, groups.0))
}

/// Exponentials that add up to one.
pub fn softmax(x: &[f64]) -> Vec<f64> {
    let largest = x.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let total: f64 = x.iter().map(|x| (x - largest).exp()).sum();
    x.iter().map(|x| (x - largest).exp() / total).collect()
}

/// Sum of products.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The gradient of `f` at `x` by central differences.
pub fn gradient(x: &[f64], f: impl Fn(&[f64]) -> f64) -> Vec<f64> {
    const STEP: f64 = 1e-5;
    let at = |i: usize, by: f64| {
        let mut moved = x.to_vec();
        moved[i] += by;
        f(&moved)
    };
    (0..x.len()).map(|i| (at(i, STEP) - at(i, -STEP)) / (2.0 * STEP)).collect()
}

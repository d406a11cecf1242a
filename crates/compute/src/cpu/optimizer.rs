//! Gradient clipping and AdamW.

use rayon::prelude::*;

use super::memory::Memory;
use super::simd::{product, vectorised};
use crate::ops::{AdamW, ClipNorm};

/// Elements for one task; also the block of the norm's sum, so it must not depend on the thread count.
const RUN: usize = 1 << 14;

pub(super) fn clip_norm(memory: &mut Memory, op: &ClipNorm<'_>) {
    let mut open = memory.open();
    let squares: f64 = op.gradients.iter().map(|span| square_sum(open.read(*span))).sum();
    let norm = squares.sqrt() as f32;
    open.write(op.norm)[0] = norm;
    // A norm that is not finite must not turn into a factor of zero: NaN says so in every weight's place.
    open.write(op.factor)[0] =
        if norm.is_finite() { (op.max_norm / (norm + 1e-6)).min(1.0) } else { f32::NAN };
}

fn square_sum(x: &[f32]) -> f64 {
    let parts: Vec<f64> = x.par_chunks(RUN).map(|x| f64::from(product(x, x))).collect();
    parts.iter().sum()
}

pub(super) fn adamw(memory: &mut Memory, op: &AdamW) {
    let mut open = memory.open();
    let (rate, step) = (open.read(op.learning_rate)[0], open.read(op.step)[0]);
    let (factor, gradients) = (open.read(op.gradient_factor)[0], open.read(op.gradients));
    let (weights, first, second) =
        (open.write(op.weights), open.write(op.first_moments), open.write(op.second_moments));
    let step = Step {
        keep: 1.0 - rate * op.weight_decay,
        size: rate / (1.0 - op.beta1.powf(step)),
        root: (1.0 - op.beta2.powf(step)).sqrt(),
        factor,
        op,
    };
    let moments = first.par_chunks_mut(RUN).zip(second.par_chunks_mut(RUN));
    let tasks = weights.par_chunks_mut(RUN).zip(gradients.par_chunks(RUN)).zip(moments);
    tasks.for_each(|((weights, gradients), (first, second))| {
        update(&step, weights, gradients, first, second);
    });
}

/// The numbers that one step has for all weights.
struct Step<'a> {
    /// Share of a weight that the decay leaves.
    keep: f32,
    /// Rate over the first moments' bias correction.
    size: f32,
    /// Root of the second moments' bias correction.
    root: f32,
    /// Multiplied into the gradients.
    factor: f32,
    op: &'a AdamW,
}

vectorised! {
    fn update(step: &Step<'_>, weights: &mut [f32], gradients: &[f32], first: &mut [f32], second: &mut [f32]) {
        let Step { keep, size, root, factor, op } = step;
        for (((w, g), m), v) in weights.iter_mut().zip(gradients).zip(first).zip(second) {
            let g = g * factor;
            *m = op.beta1 * *m + (1.0 - op.beta1) * g;
            *v = op.beta2 * *v + (1.0 - op.beta2) * g * g;
            *w = *w * keep - size * *m / (v.sqrt() / root + op.eps);
        }
    }
}

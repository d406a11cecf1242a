//! Layer norm, and rows of length one.

use rayon::prelude::*;

use super::memory::Memory;
use super::simd::{add, dot, sum, sum_blocks, task_rows, vectorised};
use crate::ops::{LayerNorm, LayerNormBackward, Normalize, NormalizeBackward};

pub(super) fn layer_norm(memory: &mut Memory, op: &LayerNorm) {
    let mut open = memory.open();
    let (x, scale, shift) = (open.read(op.x), open.read(op.scale), open.read(op.shift));
    let (y, moments) = (open.write(op.y), open.write(op.moments));
    let (width, run) = (op.width, task_rows(op.width));
    let tasks = y.par_chunks_mut(run * width).zip(x.par_chunks(run * width));
    tasks.zip(moments.par_chunks_mut(run * 2)).for_each(|((y, x), moments)| {
        layer_norm_rows(x, scale, shift, op.eps, y, moments);
    });
}

vectorised! {
    fn layer_norm_rows(
        x: &[f32],
        scale: &[f32],
        shift: &[f32],
        eps: f32,
        y: &mut [f32],
        moments: &mut [f32],
    ) {
        let width = scale.len();
        let rows = y.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(moments.chunks_exact_mut(2));
        for ((y, x), moments) in rows {
            layer_norm_row(x, scale, shift, eps, y, moments);
        }
    }
}

vectorised! {
    /// The same where no moments are kept.
    pub(super) fn normalised_rows(x: &[f32], scale: &[f32], shift: &[f32], eps: f32, y: &mut [f32]) {
        let width = scale.len();
        for (y, x) in y.chunks_exact_mut(width).zip(x.chunks_exact(width)) {
            layer_norm_row(x, scale, shift, eps, y, &mut [0.0; 2]);
        }
    }
}

#[inline(always)]
fn layer_norm_row(
    x: &[f32],
    scale: &[f32],
    shift: &[f32],
    eps: f32,
    y: &mut [f32],
    moments: &mut [f32],
) {
    let width = x.len() as f32;
    let mean = sum(x, x, |x, _| x) / width;
    let variance = sum(x, x, |x, _| (x - mean) * (x - mean)) / width;
    let inverse = 1.0 / (variance + eps).sqrt();
    for (((y, x), scale), shift) in y.iter_mut().zip(x).zip(scale).zip(shift) {
        *y = (x - mean) * inverse * scale + shift;
    }
    moments.copy_from_slice(&[mean, inverse]);
}

pub(super) fn layer_norm_backward(memory: &mut Memory, op: &LayerNormBackward) {
    let mut open = memory.open();
    let (x, scale, moments) = (open.read(op.x), open.read(op.scale), open.read(op.moments));
    let (d_y, d_x) = (open.read(op.d_y), open.write(op.d_x));
    if let Some((d_scale, d_shift)) = op.d_scale_shift {
        let (d_scale, d_shift) = (open.write(d_scale), open.write(d_shift));
        parameter_gradients(op.width, x, moments, d_y, d_scale, d_shift);
    }
    let (width, run) = (op.width, task_rows(op.width));
    let tasks = d_x.par_chunks_mut(run * width).zip(x.par_chunks(run * width));
    let tasks = tasks.zip(moments.par_chunks(run * 2)).zip(d_y.par_chunks(run * width));
    tasks.for_each(|(((d_x, x), moments), d_y)| input_gradients(x, scale, moments, d_y, d_x));
}

vectorised! {
    fn input_gradients(x: &[f32], scale: &[f32], moments: &[f32], d_y: &[f32], d_x: &mut [f32]) {
        let width = scale.len();
        let rows = d_x.chunks_exact_mut(width).zip(x.chunks_exact(width)).zip(d_y.chunks_exact(width));
        for (((d_x, x), d_y), moments) in rows.zip(moments.chunks_exact(2)) {
            input_gradient(x, scale, moments, d_y, d_x);
        }
    }
}

#[inline(always)]
fn input_gradient(x: &[f32], scale: &[f32], moments: &[f32], d_y: &[f32], d_x: &mut [f32]) {
    let (mean, inverse, width) = (moments[0], moments[1], x.len() as f32);
    let (x, scale, d_y) = (&x[..d_x.len()], &scale[..d_x.len()], &d_y[..d_x.len()]);
    let along_ones = dot(d_y, scale) / width;
    let along_x = (triple(d_y, scale, x) / width - mean * along_ones) * inverse;
    for i in 0..d_x.len() {
        let normalised = (x[i] - mean) * inverse;
        d_x[i] += inverse * (d_y[i] * scale[i] - along_ones - normalised * along_x);
    }
}

/// Sum of the products of three rows.
#[inline(always)]
fn triple(a: &[f32], b: &[f32], c: &[f32]) -> f32 {
    use super::simd::LANES;
    let whole = a.len() / LANES * LANES;
    let mut lanes = [0.0f32; LANES];
    for start in (0..whole).step_by(LANES) {
        let (a, b, c) =
            (&a[start..start + LANES], &b[start..start + LANES], &c[start..start + LANES]);
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane] * c[lane];
        }
    }
    let rest: f32 = (whole..a.len()).map(|i| a[i] * b[i] * c[i]).sum();
    lanes.iter().sum::<f32>() + rest
}

fn parameter_gradients(
    width: usize,
    x: &[f32],
    moments: &[f32],
    d_y: &[f32],
    d_scale: &mut [f32],
    d_shift: &mut [f32],
) {
    let mut total = vec![0.0; 2 * width];
    sum_blocks(moments.len() / 2, &mut total, |rows, part| {
        let here = rows.start * width..rows.end * width;
        let moments = &moments[2 * rows.start..2 * rows.end];
        add_parameter_gradients(&x[here.clone()], moments, &d_y[here], part);
    });
    add(d_scale, &total[..width]);
    add(d_shift, &total[width..]);
}

vectorised! {
    /// `part` holds the gradients of the scale, then those of the shift.
    fn add_parameter_gradients(x: &[f32], moments: &[f32], d_y: &[f32], part: &mut [f32]) {
        let width = part.len() / 2;
        let (scale, shift) = part.split_at_mut(width);
        let rows = x.chunks_exact(width).zip(d_y.chunks_exact(width)).zip(moments.chunks_exact(2));
        for ((x, d_y), moments) in rows {
            let columns = scale.iter_mut().zip(shift.iter_mut()).zip(x).zip(d_y);
            for (((scale, shift), x), d) in columns {
                *scale += d * (x - moments[0]) * moments[1];
                *shift += d;
            }
        }
    }
}

/// Below this length a row counts as zero: it has no direction.
const NO_LENGTH: f32 = 1e-12;

pub(super) fn normalize(memory: &mut Memory, op: &Normalize) {
    let mut open = memory.open();
    let (x, y, scales) = (open.read(op.x), open.write(op.y), open.write(op.scales));
    let rows = y.par_chunks_mut(op.width).zip(x.par_chunks(op.width)).zip(scales.par_iter_mut());
    let rows = rows.with_min_len(task_rows(op.width));
    rows.for_each(|((y, x), scale)| *scale = normalize_row(x, y));
}

vectorised! {
    /// Gives the reciprocal length.
    fn normalize_row(x: &[f32], y: &mut [f32]) -> f32 {
        let length = dot(x, x).sqrt();
        let scale = if length > NO_LENGTH { 1.0 / length } else { 0.0 };
        for (y, x) in y.iter_mut().zip(x) {
            *y = x * scale;
        }
        scale
    }
}

pub(super) fn normalize_backward(memory: &mut Memory, op: &NormalizeBackward) {
    let mut open = memory.open();
    let (y, scales) = (open.read(op.y), open.read(op.scales));
    let (d_y, d_x) = (open.read(op.d_y), open.write(op.d_x));
    let (y, d_y) = (y.par_chunks(op.width), d_y.par_chunks(op.width));
    let rows = d_x.par_chunks_mut(op.width).zip(y).zip(d_y).zip(scales);
    let rows = rows.with_min_len(task_rows(op.width));
    rows.for_each(|(((d_x, y), d_y), scale)| normalize_row_backward(y, *scale, d_y, d_x));
}

vectorised! {
    fn normalize_row_backward(y: &[f32], scale: f32, d_y: &[f32], d_x: &mut [f32]) {
        let along = dot(y, d_y);
        for ((d_x, y), d_y) in d_x.iter_mut().zip(y).zip(d_y) {
            *d_x = scale * (d_y - y * along);
        }
    }
}

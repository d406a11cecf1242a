//! Layer norm, and rows of length one.

use rayon::prelude::*;

use super::memory::Memory;
use super::simd::{dot, simd, sum, sum_blocks, task_rows};
use crate::ops::{LayerNorm, LayerNormBackward, Normalize, NormalizeBackward};

pub(super) fn layer_norm(memory: &mut Memory, op: &LayerNorm) {
    let mut open = memory.open();
    let (x, scale, shift) = (open.read(op.x), open.read(op.scale), open.read(op.shift));
    let (y, moments) = (open.write(op.y), open.write(op.moments));
    let (width, run) = (op.width, task_rows(op.width));
    let tasks = y
        .par_chunks_mut(run * width)
        .zip(x.par_chunks(run * width))
        .zip(moments.par_chunks_mut(run * 2));
    tasks.for_each(|((y, x), moments)| {
        simd(|| {
            let rows = y
                .chunks_exact_mut(width)
                .zip(x.chunks_exact(width))
                .zip(moments.chunks_exact_mut(2));
            for ((y, x), moments) in rows {
                layer_norm_row(x, scale, shift, op.eps, y, moments);
            }
        });
    });
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
    d_x.par_chunks_mut(run * width).enumerate().for_each(|(task, d_x)| {
        simd(|| {
            for (i, d_x) in d_x.chunks_exact_mut(width).enumerate() {
                let row = task * run + i;
                let here = row * width..(row + 1) * width;
                input_gradient(
                    &x[here.clone()],
                    scale,
                    &moments[2 * row..2 * row + 2],
                    &d_y[here],
                    d_x,
                );
            }
        });
    });
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
        let (scale, shift) = part.split_at_mut(width);
        for row in rows {
            let (mean, inverse) = (moments[2 * row], moments[2 * row + 1]);
            let here = row * width..(row + 1) * width;
            for (((scale, shift), x), d) in
                scale.iter_mut().zip(shift.iter_mut()).zip(&x[here.clone()]).zip(&d_y[here])
            {
                *scale += d * (x - mean) * inverse;
                *shift += d;
            }
        }
    });
    super::simd::add_to(d_scale, &total[..width]);
    super::simd::add_to(d_shift, &total[width..]);
}

/// Below this length a row counts as zero: it has no direction.
const NO_LENGTH: f32 = 1e-12;

pub(super) fn normalize(memory: &mut Memory, op: &Normalize) {
    let mut open = memory.open();
    let (x, y, scales) = (open.read(op.x), open.write(op.y), open.write(op.scales));
    let rows = y.par_chunks_mut(op.width).zip(x.par_chunks(op.width)).zip(scales.par_iter_mut());
    rows.with_min_len(task_rows(op.width)).for_each(|((y, x), scale)| {
        simd(|| {
            let length = dot(x, x).sqrt();
            *scale = if length > NO_LENGTH { 1.0 / length } else { 0.0 };
            for (y, x) in y.iter_mut().zip(x) {
                *y = x * *scale;
            }
        });
    });
}

pub(super) fn normalize_backward(memory: &mut Memory, op: &NormalizeBackward) {
    let mut open = memory.open();
    let (y, scales) = (open.read(op.y), open.read(op.scales));
    let (d_y, d_x) = (open.read(op.d_y), open.write(op.d_x));
    let (y, d_y) = (y.par_chunks(op.width), d_y.par_chunks(op.width));
    let rows = d_x.par_chunks_mut(op.width).zip(y).zip(d_y).zip(scales);
    rows.with_min_len(task_rows(op.width)).for_each(|(((d_x, y), d_y), scale)| {
        simd(|| {
            let along = dot(y, d_y);
            for ((d_x, y), d_y) in d_x.iter_mut().zip(y).zip(d_y) {
                *d_x = scale * (d_y - y * along);
            }
        });
    });
}

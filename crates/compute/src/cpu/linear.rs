//! Linear maps with bias, activation and residual.

use std::ops::Range;

use rayon::prelude::*;

use super::matmul::{Into, Matrix, MatrixMut, multiply};
use super::memory::Memory;
use super::panels::{self, Finish, MOST_ROWS, Panels};
use super::prepared::{Form, Prepared};
use super::simd::{TASK_ELEMENTS, add, add_to, exp, sum_blocks, task_rows, vectorised};
use crate::ops::{Activate, Activated, Activation, Linear, LinearBackward, Update};

pub(super) fn forward(memory: &mut Memory, weights: &mut Prepared<Panels>, op: &Linear) {
    weights.follow(memory, op.weight);
    let only_y = !op.training && op.before_activation.is_none();
    if only_y && op.rows <= MOST_ROWS && panels::are_fast() {
        return forward_few(memory, weights, op);
    }
    let mut open = memory.open();
    let (x, weight) = (open.read(op.x), open.read(op.weight));
    let bias = op.bias.map(|span| open.read(span));
    let residual = op.residual.map(|span| open.read(span));
    let y = open.write(op.y);
    let before = op.before_activation.map(|span| open.write(span));
    let weight = Matrix::new(weight, op.outputs, op.inputs).t();
    let x = Matrix::new(x, op.rows, op.inputs);
    let Some(activation) = op.activation else {
        affine(y, op.outputs, x, weight, bias, residual);
        return;
    };
    if let Some(before) = before {
        affine(before, op.outputs, x, weight, bias, None);
        through(activation, Some(before), residual, y);
    } else {
        affine(y, op.outputs, x, weight, bias, None);
        through(activation, None, residual, y);
    }
}

/// Few rows, where the weight is laid out once for many products.
fn forward_few(memory: &mut Memory, weights: &mut Prepared<Panels>, op: &Linear) {
    let mut open = memory.open();
    let weight = Matrix::new(open.read(op.weight), op.outputs, op.inputs);
    let weight = weights.get(op.weight, Form::Forward, |to| to.lay_out(weight));
    let x = Matrix::new(open.read(op.x), op.rows, op.inputs);
    let (bias, residual) =
        (op.bias.map(|span| open.read(span)), op.residual.map(|span| open.read(span)));
    let finish = Finish { bias, activation: op.activation, residual };
    panels::multiply(MatrixMut::new(open.write(op.y), op.rows, op.outputs), x, weight, finish);
}

/// `y = x weight + bias + residual`: the sums are laid down first, and the product added to them.
fn affine(
    y: &mut [f32],
    width: usize,
    x: Matrix<'_>,
    weight: Matrix<'_>,
    bias: Option<&[f32]>,
    residual: Option<&[f32]>,
) {
    let rows = y.len() / width;
    if let Some(residual) = residual {
        y.copy_from_slice(residual);
    }
    if let Some(bias) = bias {
        let fresh = residual.is_none();
        y.par_chunks_mut(task_rows(width) * width).for_each(|chunk| {
            for row in chunk.chunks_exact_mut(width) {
                if fresh { row.copy_from_slice(bias) } else { add(row, bias) }
            }
        });
    }
    let into = if bias.is_none() && residual.is_none() { Into::Set } else { Into::Add };
    multiply(MatrixMut::new(y, rows, width), into, x, weight);
}

pub(super) fn activate(memory: &mut Memory, op: &Activate) {
    let mut open = memory.open();
    through(op.activation, Some(open.read(op.x)), None, open.write(op.y));
}

/// What is in `from`, or else in `y` itself, through the activation, plus the residual.
fn through(activation: Activation, from: Option<&[f32]>, residual: Option<&[f32]>, y: &mut [f32]) {
    y.par_chunks_mut(TASK_ELEMENTS).enumerate().for_each(|(i, y)| {
        let here = i * TASK_ELEMENTS..i * TASK_ELEMENTS + y.len();
        if let Some(from) = from {
            y.copy_from_slice(&from[here.clone()]);
        }
        activate_row(activation, y);
        if let Some(residual) = residual {
            add(y, &residual[here]);
        }
    });
}

/// Values through an activation, in place.
pub(super) fn activate_row(activation: Activation, y: &mut [f32]) {
    match activation {
        Activation::QuickGelu => quick_gelu(y),
        Activation::Gelu => gelu(y),
    }
}

vectorised! {
    fn quick_gelu(y: &mut [f32]) {
        for y in y {
            *y *= quick_gate(*y);
        }
    }
}

vectorised! {
    fn gelu(y: &mut [f32]) {
        for y in y {
            *y *= gaussian(*y);
        }
    }
}

pub(super) fn backward(memory: &mut Memory, op: &LinearBackward) {
    let mut open = memory.open();
    let d_y = open.write(op.d_y);
    if let Some(Activated { activation, input }) = op.activation {
        slope(activation, op.outputs, open.read(input), d_y);
    }
    let d_y: &[f32] = d_y;
    let d_y_matrix = Matrix::new(d_y, op.rows, op.outputs);
    if let Some((span, update)) = op.d_x {
        let weight = Matrix::new(open.read(op.weight), op.outputs, op.inputs);
        let into = if update == Update::Add { Into::Add } else { Into::Set };
        multiply(MatrixMut::new(open.write(span), op.rows, op.inputs), into, d_y_matrix, weight);
    }
    if let Some(span) = op.d_weight {
        let x = Matrix::new(open.read(op.x), op.rows, op.inputs);
        multiply(
            MatrixMut::new(open.write(span), op.outputs, op.inputs),
            Into::Add,
            d_y_matrix.t(),
            x,
        );
    }
    if let Some(span) = op.d_bias {
        sum_rows(d_y, op.outputs, open.write(span));
    }
}

/// `total += ` the sum of all rows.
pub(super) fn sum_rows(x: &[f32], width: usize, total: &mut [f32]) {
    let rows = |rows: Range<usize>| &x[rows.start * width..rows.end * width];
    sum_blocks(x.len() / width, total, |block, part| add_rows(rows(block), part));
}

vectorised! {
    /// Adds rows of the length of `part` to it.
    fn add_rows(x: &[f32], part: &mut [f32]) {
        for row in x.chunks_exact(part.len()) {
            add_to(part, row);
        }
    }
}

/// `d_y *= activation'(input)`.
pub(super) fn slope(activation: Activation, width: usize, input: &[f32], d_y: &mut [f32]) {
    let run = task_rows(width) * width;
    d_y.par_chunks_mut(run).zip(input.par_chunks(run)).for_each(|(d_y, input)| match activation {
        Activation::QuickGelu => quick_gelu_slope(input, d_y),
        Activation::Gelu => gelu_slope(input, d_y),
    });
}

vectorised! {
    fn quick_gelu_slope(input: &[f32], d_y: &mut [f32]) {
        for (d, x) in d_y.iter_mut().zip(input) {
            let gate = quick_gate(*x);
            *d *= gate * (1.0 + 1.702 * x * (1.0 - gate));
        }
    }
}

vectorised! {
    fn gelu_slope(input: &[f32], d_y: &mut [f32]) {
        const INVERSE_ROOT_OF_TWO_PI: f32 = 0.398_942_3;
        for (d, x) in d_y.iter_mut().zip(input) {
            *d *= gaussian(*x) + x * INVERSE_ROOT_OF_TWO_PI * exp(-0.5 * x * x);
        }
    }
}

/// One value through an activation.
#[inline(always)]
pub(super) fn activated(activation: Activation, x: f32) -> f32 {
    match activation {
        Activation::QuickGelu => x * quick_gate(x),
        Activation::Gelu => x * gaussian(x),
    }
}

/// `sigmoid(1.702 x)`.
#[inline(always)]
fn quick_gate(x: f32) -> f32 {
    1.0 / (1.0 + exp(-1.702 * x))
}

/// The Gaussian distribution function.
///
/// Source: Abramowitz & Stegun, formula 7.1.26 (error below 1.5e-7), for `erfc(|x| / sqrt 2) / 2`.
#[inline(always)]
fn gaussian(x: f32) -> f32 {
    let z = x.abs() * std::f32::consts::FRAC_1_SQRT_2;
    let t = 1.0 / (1.0 + 0.327_591_1 * z);
    let tail = 1.421_413_7 + t * (-1.453_152_1 + t * 1.061_405_4);
    let polynomial = t * (0.254_829_6 + t * (-0.284_496_72 + t * tail));
    let upper = 0.5 * polynomial * exp(-z * z);
    if x < 0.0 { upper } else { 1.0 - upper }
}

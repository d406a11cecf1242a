//! Linear maps with bias, activation and residual, their products in bf16.

use super::output::Output;
use super::pack::pack;
use super::product::multiply;
use super::tile::Side;
use super::{Bf16, Room};
use crate::cpu::linear::{slope, sum_rows};
use crate::cpu::matmul::{Cells, Matrix, MatrixMut};
use crate::cpu::memory::Memory;
use crate::cpu::prepared::Form;
use crate::ops::{Activated, Linear, LinearBackward, Update};

pub(crate) fn forward(memory: &mut Memory, bf16: &mut Bf16, op: &Linear) {
    let Bf16 { kernel, weights, room, .. } = bf16;
    weights.follow(memory, op.weight);
    let mut open = memory.open();
    let weight = Matrix::new(open.read(op.weight), op.outputs, op.inputs);
    pack(*kernel, Matrix::new(open.read(op.x), op.rows, op.inputs), Side::Left, &mut room.left);
    let weight = weights.get(op.weight, Form::Forward, |to| pack(*kernel, weight, Side::Right, to));
    let bias = op.bias.map(|span| open.read(span));
    let residual = op.residual.map(|span| open.read(span));
    let mut matrix = |span| MatrixMut::new(open.write(span), op.rows, op.outputs);
    let before_activation = op.before_activation.map(|span| Cells::new(matrix(span)));
    let output = Output {
        bias,
        activation: op.activation,
        before_activation,
        residual,
        ..Output::new(matrix(op.y), false)
    };
    multiply(*kernel, &room.left, weight, output);
}

pub(crate) fn backward(memory: &mut Memory, bf16: &mut Bf16, op: &LinearBackward) {
    let Bf16 { kernel, weights, room: Room { left, turned, right }, .. } = bf16;
    weights.follow(memory, op.weight);
    let mut open = memory.open();
    let d_y = open.write(op.d_y);
    if let Some(Activated { activation, input }) = op.activation {
        slope(activation, op.outputs, open.read(input), d_y);
    }
    let d_y: &[f32] = d_y;
    let d_y_matrix = Matrix::new(d_y, op.rows, op.outputs);
    if let Some((span, update)) = op.d_x {
        let weight = Matrix::new(open.read(op.weight), op.outputs, op.inputs).t();
        let weight =
            weights.get(op.weight, Form::Backward, |to| pack(*kernel, weight, Side::Right, to));
        pack(*kernel, d_y_matrix, Side::Left, left);
        let d_x = MatrixMut::new(open.write(span), op.rows, op.inputs);
        multiply(*kernel, left, weight, Output::new(d_x, update == Update::Add));
    }
    if let Some(span) = op.d_weight {
        let x = Matrix::new(open.read(op.x), op.rows, op.inputs);
        pack(*kernel, d_y_matrix.t(), Side::Left, turned);
        pack(*kernel, x.t(), Side::Right, right);
        let d_weight = MatrixMut::new(open.write(span), op.outputs, op.inputs);
        multiply(*kernel, turned, right, Output::new(d_weight, true));
    }
    if let Some(span) = op.d_bias {
        sum_rows(d_y, op.outputs, open.write(span));
    }
}

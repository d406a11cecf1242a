//! From bf16 and f32 to tiles of int8, each line with a step of its own.
//!
//! Symmetric: a line's largest magnitude becomes 127. Weights once, activations before each product.
//! Source: Jacob et al. 2018, arXiv:1712.05877, section 2.1, with zero point 0; a step per row and per column as in
//! Dettmers et al. 2022, arXiv:2208.07339, section 2.

use rayon::prelude::*;

use super::kernel::Kernel;
use super::tile::{DEPTH_INT8, LINES, PAIRS, Packed, Tile};
use crate::cpu::matmul::Matrix;
use crate::cpu::simd::vectorised;

/// The largest step count; -128 is not used, so that signs are alike.
const LARGEST: f32 = 127.0;

/// Step and its reciprocal; a line of zeros has neither.
#[inline(always)]
fn step(magnitude: f32) -> (f32, f32) {
    if magnitude == 0.0 { (0.0, 0.0) } else { (magnitude / LARGEST, LARGEST / magnitude) }
}

/// The nearest whole number of steps as a byte: a sum with 1.5 * 2^23 rounds in the lowest bits.
#[inline(always)]
fn byte(steps: f32) -> u32 {
    (steps + 12_582_912.0).to_bits() & 0xff
}

/// A left factor in bf16 once more in int8.
pub(super) fn quantise(from: &Packed, to: &mut Packed) {
    let (depth, lines) = (from.depth(), from.lines());
    let (tiles, steps) = to.reset_int8(lines, depth * DEPTH_INT8 / 2);
    if tiles.is_empty() {
        return;
    }
    let strips = tiles.par_chunks_exact_mut(depth.div_ceil(2)).zip(steps.par_chunks_mut(LINES));
    strips.enumerate().for_each(|(i, (tiles, steps))| {
        quantise_strip(from.strip(i, 0, depth), tiles, steps);
    });
}

vectorised! {
    fn quantise_strip(from: &[Tile], to: &mut [Tile], steps: &mut [f32]) {
        for (row, worth) in steps.iter_mut().enumerate() {
            let here = row * PAIRS..(row + 1) * PAIRS;
            let (step, inverse) = step(magnitude(from, row));
            *worth = step;
            for (pair, to) in from.chunks(2).zip(to.iter_mut()) {
                let to = &mut to.0[here.clone()];
                let (low, high) = to.split_at_mut(PAIRS / 2);
                quantise_row(&pair[0].0[here.clone()], inverse, low);
                match pair.get(1) {
                    Some(tile) => quantise_row(&tile.0[here.clone()], inverse, high),
                    None => high.fill(0),
                }
            }
        }
    }
}

/// The largest magnitude of a row: without their signs, bf16 values are in the order of their bits.
#[inline(always)]
fn magnitude(tiles: &[Tile], row: usize) -> f32 {
    let mut largest = [0u32; PAIRS];
    for tile in tiles {
        for (largest, pair) in largest.iter_mut().zip(&tile.0[row * PAIRS..(row + 1) * PAIRS]) {
            *largest = (*largest).max(pair << 16 & 0x7fff_0000).max(pair & 0x7fff_0000);
        }
    }
    f32::from_bits(largest.iter().copied().fold(0, u32::max))
}

/// Sixteen pairs as eight fours.
#[inline(always)]
fn quantise_row(pairs: &[u32], inverse: f32, fours: &mut [u32]) {
    let mut bytes = [0u32; PAIRS];
    for (bytes, pair) in bytes.iter_mut().zip(pairs) {
        let low = byte(f32::from_bits(pair << 16) * inverse);
        let high = byte(f32::from_bits(pair & 0xffff_0000) * inverse);
        *bytes = low | high << 8;
    }
    for (i, four) in fours.iter_mut().enumerate() {
        *four = bytes[2 * i] | bytes[2 * i + 1] << 16;
    }
}

/// A weight `(outputs, inputs)` as the right factor of `x weightᵀ`, as the kernel wants it.
pub(super) fn quantise_weight(kernel: Kernel, weight: Matrix<'_>, to: &mut Packed) {
    let shift = kernel.right_int8_shift();
    let (outputs, inputs) = weight.shape();
    let (tiles, steps) = to.reset_int8(outputs, inputs);
    if tiles.is_empty() {
        return;
    }
    let strips = tiles.par_chunks_exact_mut(inputs.div_ceil(DEPTH_INT8));
    strips.zip(steps.par_chunks_mut(LINES)).enumerate().for_each(|(i, (tiles, steps))| {
        tiles.fill(Tile::ZERO);
        for (line, worth) in steps.iter_mut().enumerate() {
            *worth = quantise_line(weight.row(i * LINES + line), line, tiles);
        }
        tiles.iter_mut().flat_map(|tile| &mut tile.0).for_each(|four| *four ^= shift);
    });
}

/// Gives the line's step.
fn quantise_line(values: &[f32], line: usize, tiles: &mut [Tile]) -> f32 {
    let (step, inverse) = step(values.iter().fold(0.0, |most, value| value.abs().max(most)));
    for (values, tile) in values.chunks(DEPTH_INT8).zip(tiles) {
        for (row, four) in values.chunks(4).enumerate() {
            for (i, value) in four.iter().enumerate() {
                tile.0[row * LINES + line] |= byte(value * inverse) << (8 * i);
            }
        }
    }
    step
}

#[cfg(test)]
mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::super::output::Output;
    use super::super::pack::pack;
    use super::super::product::multiply;
    use super::super::tile::{Side, round, values};
    use super::*;
    use crate::cpu::matmul::MatrixMut;

    /// Steps of one line, and what one is worth.
    fn line(row: &[f32]) -> (Vec<f64>, f64) {
        let most = row.iter().fold(0.0f32, |most, x| most.max(x.abs()));
        let inverse = if most == 0.0 { 0.0 } else { 127.0 / most };
        let steps = row.iter().map(|x| f64::from((x * inverse).round_ties_even())).collect();
        (steps, f64::from(most) / 127.0)
    }

    #[test]
    fn products_are_those_of_whole_steps() {
        let mut random = ChaCha8Rng::seed_from_u64(5);
        for (rows, columns, depth) in
            [(1, 1, 1), (16, 32, 64), (33, 47, 65), (50, 96, 130), (70, 10, 300), (2, 17, 9000)]
        {
            let mut numbers = |len: usize, size: f32| {
                let number = |_| random.random_range(-size..size);
                (0..len).map(number).collect::<Vec<f32>>()
            };
            let exact = |x: f32| values(u32::from(round(x))).0;
            let a: Vec<f32> = numbers(rows * depth, 3.0).into_iter().map(exact).collect();
            let mut b = numbers(columns * depth, 0.1);
            b[..depth].fill(0.0);
            for kernel in Kernel::all_here() {
                let (mut rounded, mut left, mut right) = Default::default();
                pack(kernel, Matrix::new(&a, rows, depth), Side::Left, &mut rounded);
                quantise(&rounded, &mut left);
                quantise_weight(kernel, Matrix::new(&b, columns, depth), &mut right);
                let mut out = vec![7.0; rows * columns];
                let output = Output::new(MatrixMut::new(&mut out, rows, columns), false);
                multiply(kernel, &left, &right, output);
                for (i, out) in out.iter().enumerate() {
                    let (row, column) = (i / columns, i % columns);
                    let (left, left_step) = line(&a[row * depth..][..depth]);
                    let (right, right_step) = line(&b[column * depth..][..depth]);
                    let sum: f64 = left.iter().zip(&right).map(|(a, b)| a * b).sum();
                    let right = sum * left_step * right_step;
                    let tolerance = 1e-5 * (1.0 + right.abs());
                    assert!(
                        (f64::from(*out) - right).abs() < tolerance,
                        "{kernel:?} {out} {right}"
                    );
                }
            }
        }
    }
}

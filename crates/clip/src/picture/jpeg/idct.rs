//! The inverse cosine transform, in the integers of libjpeg's "slow" method, which Pillow uses.
//!
//! Source: libjpeg-turbo, `src/jidctint.c`; Loeffler, Ligtenberg and Moschytz (1989).

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instructions found at run time"
)]

/// Eight values that are treated alike.
type Lanes = [i32; 8];

/// Bits after the point of the factors, and extra bits that the first pass keeps.
const BITS: u32 = 13;
const EXTRA: u32 = 2;

/// One block: samples, row by row, of dequantised coefficients.
#[inline(always)]
pub(super) fn block(coefficients: &[i16; 64], steps: &[u16; 64], out: &mut [u8], stride: usize) {
    let mut rows = [[0; 8]; 8];
    for (row, (values, steps)) in
        rows.iter_mut().zip(coefficients.chunks_exact(8).zip(steps.chunks_exact(8)))
    {
        for (lane, (&value, &step)) in row.iter_mut().zip(values.iter().zip(steps)) {
            *lane = i32::from(value).wrapping_mul(i32::from(step));
        }
    }
    let columns = transposed(&pass::<{ BITS - EXTRA }>(&rows));
    let samples = transposed(&pass::<{ BITS + EXTRA + 3 }>(&columns));
    for (row, out) in samples.iter().zip(out.chunks_mut(stride)) {
        for (value, out) in row.iter().zip(&mut out[..8]) {
            *out = (value + 128).clamp(0, 255) as u8;
        }
    }
}

/// The same for a block that has no coefficient but the first.
#[inline(always)]
pub(super) fn flat(coefficient: i16, step: u16, out: &mut [u8], stride: usize) {
    let value = ((i32::from(coefficient) * i32::from(step) + 4) >> 3) + 128;
    for out in out.chunks_mut(stride).take(8) {
        out[..8].fill(value.clamp(0, 255) as u8);
    }
}

/// A transform along the outer index, of eight lanes at once; the result loses `SHIFT` bits, rounded.
#[inline(always)]
fn pass<const SHIFT: u32>(v: &[Lanes; 8]) -> [Lanes; 8] {
    let middle = scale(add(v[2], v[6]), 4433);
    let (low, high) = (add(middle, scale(v[6], -15137)), add(middle, scale(v[2], 6270)));
    let (sum, difference) =
        (scale(add(v[0], v[4]), 1 << BITS), scale(subtract(v[0], v[4]), 1 << BITS));
    let even =
        [add(sum, high), add(difference, low), subtract(difference, low), subtract(sum, high)];
    let odd = odd(v);
    let mut out = [[0; 8]; 8];
    for i in 0..4 {
        out[i] = rounded::<SHIFT>(add(even[i], odd[i]));
        out[7 - i] = rounded::<SHIFT>(subtract(even[i], odd[i]));
    }
    out
}

/// What the odd coefficients add to outputs 0 to 3, and take from 7 to 4.
#[inline(always)]
fn odd(v: &[Lanes; 8]) -> [Lanes; 4] {
    let (outer, inner) = (scale(add(v[7], v[1]), -7373), scale(add(v[5], v[3]), -20995));
    let (z3, z4) = (add(v[7], v[3]), add(v[5], v[1]));
    let both = scale(add(z3, z4), 9633);
    let (z3, z4) = (add(scale(z3, -16069), both), add(scale(z4, -3196), both));
    [
        add(scale(v[1], 12299), add(outer, z4)),
        add(scale(v[3], 25172), add(inner, z3)),
        add(scale(v[5], 16819), add(inner, z4)),
        add(scale(v[7], 2446), add(outer, z3)),
    ]
}

#[inline(always)]
fn add(a: Lanes, b: Lanes) -> Lanes {
    std::array::from_fn(|i| a[i].wrapping_add(b[i]))
}

#[inline(always)]
fn subtract(a: Lanes, b: Lanes) -> Lanes {
    std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
}

#[inline(always)]
fn scale(a: Lanes, factor: i32) -> Lanes {
    std::array::from_fn(|i| a[i].wrapping_mul(factor))
}

#[inline(always)]
fn rounded<const SHIFT: u32>(a: Lanes) -> Lanes {
    std::array::from_fn(|i| a[i].wrapping_add(1 << (SHIFT - 1)) >> SHIFT)
}

#[inline(always)]
fn transposed(v: &[Lanes; 8]) -> [Lanes; 8] {
    std::array::from_fn(|i| std::array::from_fn(|j| v[j][i]))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// T.81, A.3.3, in floating point.
    fn slow(coefficients: &[i16; 64]) -> [f64; 64] {
        let norm = |k: usize| if k == 0 { 0.5f64.sqrt() } else { 1.0 };
        let wave =
            |x: usize, k: usize| norm(k) * ((2 * x + 1) as f64 * k as f64 * PI / 16.0).cos() / 2.0;
        std::array::from_fn(|at| {
            let term =
                |k: usize| f64::from(coefficients[k]) * wave(at % 8, k % 8) * wave(at / 8, k / 8);
            (0..64).map(term).sum::<f64>() + 128.0
        })
    }

    #[test]
    fn the_integers_stay_within_one_of_the_exact_transform() {
        let mut state = 7u32;
        for _ in 0..200 {
            let coefficients = std::array::from_fn(|k| {
                state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((state >> 16) as i16) / (128 * (k as i16 + 4))
            });
            let mut out = [0; 64];
            block(&coefficients, &[1; 64], &mut out, 8);
            for (fast, slow) in out.iter().zip(slow(&coefficients)) {
                assert!((f64::from(*fast) - slow.clamp(0.0, 255.0)).abs() <= 1.0, "{fast} {slow}");
            }
        }
    }

    #[test]
    fn a_flat_block_is_the_general_case() {
        for dc in -1100..1100 {
            let (mut fast, mut general) = ([0; 64], [0; 64]);
            let mut coefficients = [0; 64];
            coefficients[0] = dc;
            flat(dc, 3, &mut fast, 8);
            block(&coefficients, &[3; 64], &mut general, 8);
            assert_eq!(fast, general);
        }
    }
}

//! The inverse cosine transform, in the integers of libjpeg's "slow" method, which Pillow uses, to blocks of 8, 4, 2 or 1.
//!
//! A block that is to be smaller is not transformed and then shrunk: its higher frequencies are left out of the sums.
//!
//! Source: libjpeg-turbo, `src/jidctint.c` and, for the smaller ones, `src/jidctred.c`; Loeffler, Ligtenberg and Moschytz (1989).

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instructions found at run time"
)]

/// Dequantised coefficients in natural order.
pub(super) type Coefficients = [i32; 64];

/// Values that are treated alike.
type Lanes<const N: usize> = [i32; N];

/// Bits after the point of the factors, and extra bits that the first pass keeps.
const BITS: u32 = 13;
const EXTRA: u32 = 2;

/// Coefficients in the order of the file that stand in the upper left quarter: the first ten.
const QUARTER: usize = 10;

/// The samples of one block, `side` rows of `side`, at the beginning of `out`; behind the coefficient `last`, in the order of the
/// file, all are zero.
#[inline(always)]
pub(super) fn block(
    coefficients: &Coefficients,
    last: usize,
    side: usize,
    out: &mut [u8],
    stride: usize,
) {
    match side {
        8 if last == 0 => flat::<8>(coefficients[0], out, stride),
        8 if last < QUARTER => store(&quarter(coefficients), out, stride),
        8 => store(&whole(coefficients), out, stride),
        4 => store(&half(coefficients), out, stride),
        2 => store(&fourth(coefficients), out, stride),
        _ => flat::<1>(coefficients[0], out, stride),
    }
}

#[inline(always)]
fn store<const N: usize>(samples: &[Lanes<N>; N], out: &mut [u8], stride: usize) {
    for (row, out) in samples.iter().zip(out.chunks_mut(stride)) {
        for (value, out) in row.iter().zip(&mut out[..N]) {
            *out = (value + 128).clamp(0, 255) as u8;
        }
    }
}

/// A block that has no coefficient but the first.
#[inline(always)]
fn flat<const N: usize>(coefficient: i32, out: &mut [u8], stride: usize) {
    let value = (coefficient.wrapping_add(4) >> 3) + 128;
    for out in out.chunks_mut(stride).take(N) {
        out[..N].fill(value.clamp(0, 255) as u8);
    }
}

#[inline(always)]
fn rows(coefficients: &Coefficients) -> [Lanes<8>; 8] {
    std::array::from_fn(|i| std::array::from_fn(|j| coefficients[8 * i + j]))
}

#[inline(always)]
fn whole(coefficients: &Coefficients) -> [Lanes<8>; 8] {
    let columns = transposed(&pass::<8, { BITS - EXTRA }>(&rows(coefficients)));
    transposed(&pass::<8, { BITS + EXTRA + 3 }>(&columns))
}

/// The same where only the upper left quarter is not zero.
#[inline(always)]
fn quarter(coefficients: &Coefficients) -> [Lanes<8>; 8] {
    let row = |i: usize| std::array::from_fn(|j| coefficients[8 * i + j]);
    let upper: [Lanes<4>; 8] = [row(0), row(1), row(2), row(3), [0; 4], [0; 4], [0; 4], [0; 4]];
    let first = pass::<4, { BITS - EXTRA }>(&upper);
    let column = |j: usize| std::array::from_fn(|i| first[i][j]);
    let left = [column(0), column(1), column(2), column(3), [0; 8], [0; 8], [0; 8], [0; 8]];
    transposed(&pass::<8, { BITS + EXTRA + 3 }>(&left))
}

/// A transform along the outer index, of all lanes at once; the result loses `SHIFT` bits, rounded.
#[inline(always)]
fn pass<const N: usize, const SHIFT: u32>(v: &[Lanes<N>; 8]) -> [Lanes<N>; 8] {
    let middle = scale(add(v[2], v[6]), 4433);
    let (low, high) = (add(middle, scale(v[6], -15137)), add(middle, scale(v[2], 6270)));
    let (sum, difference) =
        (scale(add(v[0], v[4]), 1 << BITS), scale(subtract(v[0], v[4]), 1 << BITS));
    let even =
        [add(sum, high), add(difference, low), subtract(difference, low), subtract(sum, high)];
    let odd = odd(v);
    let mut out = [[0; N]; 8];
    for i in 0..4 {
        out[i] = rounded::<N, SHIFT>(add(even[i], odd[i]));
        out[7 - i] = rounded::<N, SHIFT>(subtract(even[i], odd[i]));
    }
    out
}

/// What the odd coefficients add to outputs 0 to 3, and take from 7 to 4.
#[inline(always)]
fn odd<const N: usize>(v: &[Lanes<N>; 8]) -> [Lanes<N>; 4] {
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

/// Four samples a side.
#[inline(always)]
fn half(coefficients: &Coefficients) -> [Lanes<4>; 4] {
    let first = half_pass::<8, { BITS - EXTRA + 1 }>(&rows(coefficients));
    let columns: [Lanes<4>; 8] = std::array::from_fn(|j| std::array::from_fn(|i| first[i][j]));
    transposed(&half_pass::<4, { BITS + EXTRA + 3 + 1 }>(&columns))
}

#[inline(always)]
fn half_pass<const N: usize, const SHIFT: u32>(v: &[Lanes<N>; 8]) -> [Lanes<N>; 4] {
    let middle = add(scale(v[2], 15137), scale(v[6], -6270));
    let first = scale(v[0], 1 << (BITS + 1));
    let (outer, inner) = (add(first, middle), subtract(first, middle));
    let odd = |factors: [i32; 4]| {
        let [a, b, c, d] = factors;
        add(add(scale(v[1], a), scale(v[3], b)), add(scale(v[5], c), scale(v[7], d)))
    };
    let (wide, narrow) = (odd([20995, 7373, -4926, -4176]), odd([8697, -17799, 11893, -1730]));
    [
        rounded::<N, SHIFT>(add(outer, wide)),
        rounded::<N, SHIFT>(add(inner, narrow)),
        rounded::<N, SHIFT>(subtract(inner, narrow)),
        rounded::<N, SHIFT>(subtract(outer, wide)),
    ]
}

/// Two samples a side.
#[inline(always)]
fn fourth(coefficients: &Coefficients) -> [Lanes<2>; 2] {
    let first = fourth_pass::<8, { BITS - EXTRA + 2 }>(&rows(coefficients));
    let columns: [Lanes<2>; 8] = std::array::from_fn(|j| std::array::from_fn(|i| first[i][j]));
    transposed(&fourth_pass::<2, { BITS + EXTRA + 3 + 2 }>(&columns))
}

#[inline(always)]
fn fourth_pass<const N: usize, const SHIFT: u32>(v: &[Lanes<N>; 8]) -> [Lanes<N>; 2] {
    let first = scale(v[0], 1 << (BITS + 2));
    let odd = add(
        add(scale(v[1], 29692), scale(v[3], -10426)),
        add(scale(v[5], 6967), scale(v[7], -5906)),
    );
    [rounded::<N, SHIFT>(add(first, odd)), rounded::<N, SHIFT>(subtract(first, odd))]
}

#[inline(always)]
fn add<const N: usize>(a: Lanes<N>, b: Lanes<N>) -> Lanes<N> {
    std::array::from_fn(|i| a[i].wrapping_add(b[i]))
}

#[inline(always)]
fn subtract<const N: usize>(a: Lanes<N>, b: Lanes<N>) -> Lanes<N> {
    std::array::from_fn(|i| a[i].wrapping_sub(b[i]))
}

#[inline(always)]
fn scale<const N: usize>(a: Lanes<N>, factor: i32) -> Lanes<N> {
    std::array::from_fn(|i| a[i].wrapping_mul(factor))
}

#[inline(always)]
fn rounded<const N: usize, const SHIFT: u32>(a: Lanes<N>) -> Lanes<N> {
    std::array::from_fn(|i| a[i].wrapping_add(1 << (SHIFT - 1)) >> SHIFT)
}

#[inline(always)]
fn transposed<const N: usize>(v: &[Lanes<N>; N]) -> [Lanes<N>; N] {
    std::array::from_fn(|i| std::array::from_fn(|j| v[j][i]))
}

#[cfg(test)]
mod tests {
    use std::f64::consts::PI;

    use super::*;

    /// T.81, A.3.3, in floating point, at `side` places along each axis.
    fn slow(coefficients: &Coefficients, side: usize) -> Vec<f64> {
        let norm = |k: usize| if k == 0 { 0.5f64.sqrt() } else { 1.0 };
        let wave = |x: usize, k: usize| {
            norm(k) * ((2 * x + 1) as f64 * k as f64 * PI / (2 * side) as f64).cos() / 2.0
        };
        // A smaller block knows no frequency that it has no places for.
        let used = |k: &usize| k % 8 < side && k / 8 < side;
        let sample = |at: usize| {
            let term = |k: usize| {
                f64::from(coefficients[k]) * wave(at % side, k % 8) * wave(at / side, k / 8)
            };
            (0..64).filter(used).map(term).sum::<f64>() + 128.0
        };
        (0..side * side).map(sample).collect()
    }

    fn drawn(count: usize, state: &mut u32) -> Coefficients {
        std::array::from_fn(|k| {
            *state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            let value = i32::from((*state >> 16) as i16) / (128 * (k as i32 + 4));
            if k % 8 + k / 8 < count { value } else { 0 }
        })
    }

    #[test]
    fn the_integers_stay_within_one_of_the_exact_transform() {
        let mut state = 7u32;
        for _ in 0..200 {
            let coefficients = drawn(16, &mut state);
            let mut out = [0; 64];
            block(&coefficients, 63, 8, &mut out, 8);
            for (fast, slow) in out.iter().zip(slow(&coefficients, 8)) {
                assert!((f64::from(*fast) - slow.clamp(0.0, 255.0)).abs() <= 1.0, "{fast} {slow}");
            }
        }
    }

    #[test]
    fn smaller_blocks_stay_near_the_exact_transform_of_low_frequencies() {
        let mut state = 9u32;
        for side in [1, 2, 4] {
            for _ in 0..50 {
                let coefficients = drawn(side.min(2), &mut state);
                let mut out = [0; 16];
                block(&coefficients, 63, side, &mut out, side);
                for (fast, slow) in out.iter().zip(slow(&coefficients, side)) {
                    let slow = slow.clamp(0.0, 255.0);
                    assert!((f64::from(*fast) - slow).abs() <= 1.5, "{side}: {fast} {slow}");
                }
            }
        }
    }

    #[test]
    fn blocks_with_few_coefficients_are_the_general_case() {
        let mut state = 5u32;
        for count in 1..=4 {
            let coefficients = drawn(count, &mut state);
            // A sum of places below four: the first ten in the order of the file.
            let last = if count == 1 { 0 } else { QUARTER - 1 };
            let (mut fast, mut general) = ([0; 64], [0; 64]);
            block(&coefficients, last, 8, &mut fast, 8);
            block(&coefficients, 63, 8, &mut general, 8);
            assert_eq!(fast, general, "{count}");
        }
    }

    #[test]
    fn a_flat_block_is_the_general_case() {
        for dc in -3300..3300 {
            let (mut fast, mut general) = ([0; 64], [0; 64]);
            let mut coefficients = [0; 64];
            coefficients[0] = dc;
            block(&coefficients, 0, 8, &mut fast, 8);
            block(&coefficients, 63, 8, &mut general, 8);
            assert_eq!(fast, general);
        }
    }
}

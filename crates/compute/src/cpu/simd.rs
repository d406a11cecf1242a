//! Plain loops compiled for the processor at hand, and the few functions that they need.
//!
//! A loop inside `vectorised!` is compiled for AVX-512, for AVX2 and for the plain target (NEON
//! belongs to every 64-bit Arm), and the best is taken at run time. The loops are written so that the
//! compiler turns them into vector code; a function called from them must be inlined to share their target.

use std::ops::Range;

use rayon::prelude::*;

/// What the loops are compiled for on this machine.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Level {
    /// AVX-512 with bytes, words, double words and short vectors.
    Avx512,
    /// AVX2 with fused multiplication.
    Avx2,
    /// What every processor of the target has.
    Plain,
}

/// The best that this machine has; asked once, remembered by the standard library.
#[inline]
pub(super) fn level() -> Level {
    #[cfg(target_arch = "x86_64")]
    {
        let short = is_x86_feature_detected!("avx512vl") && is_x86_feature_detected!("avx512bw");
        if short && is_x86_feature_detected!("avx512f") && is_x86_feature_detected!("avx512dq") {
            return Level::Avx512;
        }
        if is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma") {
            return Level::Avx2;
        }
    }
    Level::Plain
}

/// Defines a function whose body is compiled for each [`Level`].
macro_rules! vectorised {
    ($(#[$doc:meta])* $vis:vis fn $name:ident($($arg:ident: $type:ty),* $(,)?) $(-> $out:ty)? $body:block) => {
        $(#[$doc])*
        #[cfg_attr(
            target_arch = "x86_64",
            expect(unsafe_code, reason = "a newer instruction is used once it was found")
        )]
        $vis fn $name($($arg: $type),*) $(-> $out)? {
            #[inline(always)]
            fn plain($($arg: $type),*) $(-> $out)? $body
            #[cfg(target_arch = "x86_64")]
            {
                #[target_feature(enable = "avx512f,avx512vl,avx512bw,avx512dq,avx2,fma")]
                fn avx512($($arg: $type),*) $(-> $out)? {
                    plain($($arg),*)
                }
                #[target_feature(enable = "avx2,fma")]
                fn avx2($($arg: $type),*) $(-> $out)? {
                    plain($($arg),*)
                }
                match $crate::cpu::simd::level() {
                    // SAFETY: `level` found these instructions on this machine.
                    $crate::cpu::simd::Level::Avx512 => return unsafe { avx512($($arg),*) },
                    // SAFETY: as above.
                    $crate::cpu::simd::Level::Avx2 => return unsafe { avx2($($arg),*) },
                    $crate::cpu::simd::Level::Plain => {}
                }
            }
            plain($($arg),*)
        }
    };
}
pub(super) use vectorised;

/// Partial sums held side by side, so that a sum over a row can be vectorised; the order is fixed.
pub(super) const LANES: usize = 16;

/// Sum of `term(a, b)` over two rows of the same length.
#[inline(always)]
pub(super) fn sum(a: &[f32], b: &[f32], term: impl Fn(f32, f32) -> f32) -> f32 {
    let mut lanes = [0.0f32; LANES];
    let (chunks_a, chunks_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let mut rest = 0.0;
    for (x, y) in chunks_a.remainder().iter().zip(chunks_b.remainder()) {
        rest += term(*x, *y);
    }
    for (x, y) in chunks_a.zip(chunks_b) {
        for lane in 0..LANES {
            lanes[lane] += term(x[lane], y[lane]);
        }
    }
    lanes.iter().sum::<f32>() + rest
}

/// Dot product.
#[inline(always)]
pub(super) fn dot(a: &[f32], b: &[f32]) -> f32 {
    sum(a, b, |x, y| x * y)
}

/// The largest of a row; minus infinity for none.
#[inline(always)]
pub(super) fn maximum(row: &[f32]) -> f32 {
    let mut lanes = [f32::NEG_INFINITY; LANES];
    let chunks = row.chunks_exact(LANES);
    let rest = chunks.remainder().iter().copied().fold(f32::NEG_INFINITY, larger);
    for chunk in chunks {
        for lane in 0..LANES {
            lanes[lane] = larger(lanes[lane], chunk[lane]);
        }
    }
    lanes.iter().copied().fold(rest, larger)
}

/// `f32::max` treats NaN in a way that does not vectorise.
#[inline(always)]
fn larger(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

/// `e^x` to about two units in the last place.
///
/// The usual split into a power of two and a remainder of at most ln 2 / 2, whose Taylor polynomial of
/// degree seven is exact to f32. A sum with 1.5 * 2^23 rounds to an integer without a conversion.
#[inline(always)]
pub(super) fn exp(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Not `clamp`, which keeps NaN in a branch; NaN comes out of the polynomial all the same.
    let x = if x < -87.3 { -87.3 } else { x };
    let x = if x > 88.3 { 88.3 } else { x };
    let rounded = x * std::f32::consts::LOG2_E + ROUND;
    let power = rounded - ROUND;
    let r = x - power * LN_2_HIGH - power * LN_2_LOW;
    let tail = 1.0 / 24.0 + r * (1.0 / 120.0 + r * (1.0 / 720.0 + r * (1.0 / 5040.0)));
    let polynomial = 1.0 + r * (1.0 + r * (0.5 + r * (1.0 / 6.0 + r * tail)));
    let scale = f32::from_bits((rounded.to_bits() << 23).wrapping_add(127 << 23));
    polynomial * scale
}

/// Rows are handed to threads in runs of about this many elements: long enough to be worth a task.
pub(super) const TASK_ELEMENTS: usize = 1 << 14;

/// Number of rows of `width` elements for one task.
pub(super) fn task_rows(width: usize) -> usize {
    (TASK_ELEMENTS / width.max(1)).max(1)
}

/// Adds to `total` the sum over blocks of rows of what `add` adds to its part.
///
/// Blocks have a fixed size and are added in order, so the sum does not depend on the number of threads.
pub(super) fn sum_blocks(
    rows: usize,
    total: &mut [f32],
    add: impl Fn(Range<usize>, &mut [f32]) + Sync,
) {
    const BLOCK_ROWS: usize = 256;
    let blocks: Vec<Vec<f32>> = (0..rows.div_ceil(BLOCK_ROWS))
        .into_par_iter()
        .map(|block| {
            let mut part = vec![0.0; total.len()];
            let first = block * BLOCK_ROWS;
            add(first..rows.min(first + BLOCK_ROWS), &mut part);
            part
        })
        .collect();
    for part in blocks {
        add_to(total, &part);
    }
}

/// `to += from`, inside another loop.
#[inline(always)]
pub(super) fn add_to(to: &mut [f32], from: &[f32]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += from;
    }
}

vectorised! {
    /// `to += from`.
    pub(super) fn add(to: &mut [f32], from: &[f32]) {
        add_to(to, from);
    }
}

vectorised! {
    /// Dot product.
    pub(super) fn product(a: &[f32], b: &[f32]) -> f32 {
        dot(a, b)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exponential_is_right_to_a_few_units_in_the_last_place() {
        for step in -8700..8830 {
            let x = step as f32 / 100.0;
            let right = f64::from(x).exp();
            assert!((f64::from(exp(x)) - right).abs() <= 3e-7 * right, "exp({x})");
        }
        assert!(exp(-1000.0) < 1.3e-38);
        assert!(exp(f32::NAN).is_nan());
    }

    #[test]
    fn block_sums_do_not_depend_on_threads() {
        let x: Vec<f32> = (0..3000).map(|i| (i as f32).sin()).collect();
        let total = |threads| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
            let mut out = [0.0f32];
            pool.install(|| {
                sum_blocks(3000, &mut out, |rows, part| part[0] += x[rows].iter().sum::<f32>());
            });
            out[0].to_bits()
        };
        assert_eq!(total(1), total(3));
    }

    #[test]
    fn the_maximum_of_a_row_is_found_anywhere() {
        for place in 0..40 {
            let mut row = vec![-3.0; 40];
            row[place] = -1.0;
            assert!((maximum(&row) + 1.0).abs() < f32::EPSILON);
        }
    }
}

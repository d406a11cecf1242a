//! Loops of multiplications on registers, and one over memory; `crate::ceiling` says what for.
#![cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "newer instructions are used once they were found")
)]

use std::hint::black_box;

use super::simd::vectorised;
use crate::ceiling::Registers;

/// Sums that do not wait for each other: products take four cycles, and two are begun in each.
const SUMS: usize = 12;

/// Multiplications and additions in f32, by the widest registers that there are.
pub(crate) fn f32_registers() -> Registers {
    #[cfg(target_arch = "x86_64")]
    {
        use super::simd::{Level, level};
        let (instructions, lanes, run): (_, _, fn(u64)) = match level() {
            // SAFETY: `level` found these instructions on this machine.
            Level::Avx512 => ("AVX-512", 16, |rounds| unsafe { x86::f32_512(rounds) }),
            // SAFETY: as above.
            Level::Avx2 => ("AVX2", 8, |rounds| unsafe { x86::f32_256(rounds) }),
            Level::Plain => return plain_registers(),
        };
        Registers { instructions, operations: 2 * lanes * SUMS as u64, run }
    }
    #[cfg(not(target_arch = "x86_64"))]
    plain_registers()
}

/// Four lanes, which every 64-bit processor has.
fn plain_registers() -> Registers {
    const LANES: usize = 4;
    fn run(rounds: u64) {
        let (a, b) = (black_box([1.0f32; LANES]), black_box([0.5f32; LANES]));
        let mut sums = [[0.0f32; LANES]; SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                for lane in 0..LANES {
                    sum[lane] += a[lane] * b[lane];
                }
            }
            // Equal products would be taken out of the loop.
            black_box(&mut sums);
        }
    }
    Registers { instructions: "plain", operations: 2 * (LANES * SUMS) as u64, run }
}

/// Pairs of bf16 in vector registers.
pub(crate) fn vector_pairs() -> Option<Registers> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512bf16") && is_x86_feature_detected!("avx512f") {
        let operations = 2 * 32 * SUMS as u64;
        // SAFETY: the instructions were just found.
        let run = |rounds| unsafe { x86::bf16_512(rounds) };
        return Some(Registers { instructions: "AVX512_BF16", operations, run });
    }
    None
}

/// Four integers of eight bits at a time in vector registers.
pub(crate) fn vector_integers() -> Option<Registers> {
    #[cfg(target_arch = "x86_64")]
    if is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512f") {
        let operations = 2 * 64 * SUMS as u64;
        // SAFETY: the instructions were just found.
        let run = |rounds| unsafe { x86::int8_512(rounds) };
        return Some(Registers { instructions: "AVX512_VNNI", operations, run });
    }
    None
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use std::arch::x86_64::{
        __m512, __m512bh, _mm256_fmadd_ps, _mm256_set1_ps, _mm256_setzero_ps, _mm512_dpbf16_ps,
        _mm512_dpbusd_epi32, _mm512_fmadd_ps, _mm512_set1_epi8, _mm512_set1_ps, _mm512_setzero_ps,
        _mm512_setzero_si512,
    };
    use std::hint::black_box;

    use super::SUMS;

    #[target_feature(enable = "avx512f")]
    pub(super) fn f32_512(rounds: u64) {
        let (a, b) = (black_box(_mm512_set1_ps(1.0)), black_box(_mm512_set1_ps(0.5)));
        let mut sums = [_mm512_setzero_ps(); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_fmadd_ps(a, b, *sum);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn f32_256(rounds: u64) {
        let (a, b) = (black_box(_mm256_set1_ps(1.0)), black_box(_mm256_set1_ps(0.5)));
        let mut sums = [_mm256_setzero_ps(); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm256_fmadd_ps(a, b, *sum);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx512f,avx512bf16")]
    pub(super) fn bf16_512(rounds: u64) {
        let one = black_box(_mm512_set1_ps(1.0));
        // SAFETY: both are 64 bytes, and any bits are bf16 numbers.
        let pairs = unsafe { std::mem::transmute::<__m512, __m512bh>(one) };
        let mut sums = [_mm512_setzero_ps(); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_dpbf16_ps(*sum, pairs, pairs);
            }
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx512f,avx512vnni")]
    pub(super) fn int8_512(rounds: u64) {
        let bytes = black_box(_mm512_set1_epi8(1));
        let mut sums = [_mm512_setzero_si512(); SUMS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = _mm512_dpbusd_epi32(*sum, bytes, bytes);
            }
        }
        black_box(sums);
    }
}

vectorised! {
    /// Sum of all words, the high bits lost.
    pub(crate) fn read_words(words: &[u64]) -> u64 {
        words.iter().fold(0, |sum, word| sum.wrapping_add(*word))
    }
}

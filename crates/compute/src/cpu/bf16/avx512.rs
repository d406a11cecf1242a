//! Packing and products by AVX-512 with its instructions for bf16.
#![expect(unsafe_code, reason = "newer instructions are used once they were found")]

use std::arch::x86_64::{
    __m512, __m512bh, __m512i, _mm512_cvtne2ps_pbh, _mm512_dpbf16_ps, _mm512_loadu_ps,
    _mm512_loadu_si512, _mm512_maskz_loadu_ps, _mm512_permutexvar_epi16, _mm512_set1_epi32,
    _mm512_setzero_ps, _mm512_setzero_si512, _mm512_shuffle_i32x4, _mm512_storeu_ps,
    _mm512_storeu_si512, _mm512_unpackhi_epi32, _mm512_unpackhi_epi64, _mm512_unpacklo_epi32,
    _mm512_unpacklo_epi64,
};
use std::mem::transmute;

use super::kernel::{Block, SIDE, Strips};
use super::tile::{LINES, PAIRS, Side, Tile};
use crate::cpu::matmul::Matrix;

/// Whether the processor has what this file uses.
pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512bf16")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512f")
}

/// One tile from at most 16 lines of at most 32 values, the rest zeros.
#[target_feature(enable = "avx512f,avx512bf16,avx512bw,avx512vl")]
pub(super) fn pack(part: Matrix<'_>, side: Side, to: &mut Tile) {
    let (across, memory) = (part.is_across(), if part.is_across() { part.t() } else { part });
    let rows = if across { pairs_of_rows(memory) } else { rows_of_pairs(memory) };
    // Rows of memory give one line each, or one pair each: as the left or the right factor wants it.
    let rows = if across == (side == Side::Left) { transpose(rows) } else { rows };
    for (row, to) in rows.into_iter().zip(to.0.chunks_exact_mut(PAIRS)) {
        // SAFETY: `to` has 16 times 4 bytes.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), row) };
    }
}

/// Up to 16 values of a row, the rest zeros.
#[inline]
#[target_feature(enable = "avx512f")]
fn load(row: &[f32]) -> __m512 {
    if row.len() >= 16 {
        // SAFETY: the row has 16 values.
        return unsafe { _mm512_loadu_ps(row.as_ptr()) };
    }
    // SAFETY: the mask leaves out what is beyond the row.
    unsafe { _mm512_maskz_loadu_ps((1u16 << row.len()) - 1, row.as_ptr()) }
}

/// Each row of memory is a line: its neighbouring values are the pairs.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16,avx512bw")]
fn rows_of_pairs(memory: Matrix<'_>) -> [__m512i; 16] {
    let mut out = [_mm512_setzero_si512(); 16];
    let (lines, depth) = memory.shape();
    for (line, out) in out.iter_mut().enumerate().take(lines) {
        let row = memory.row(line);
        let (low, high) = row.split_at(depth.min(16));
        // SAFETY: both are 64 bytes of plain bits.
        *out =
            unsafe { transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(load(high), load(low))) };
    }
    out
}

/// Two rows of memory are the two halves of one row of pairs.
#[inline]
#[target_feature(enable = "avx512f,avx512bf16,avx512bw")]
fn pairs_of_rows(memory: Matrix<'_>) -> [__m512i; 16] {
    const TAKE_BY_TURNS: [u16; 32] = {
        let (mut order, mut i) = ([0; 32], 0);
        while i < 16 {
            (order[2 * i], order[2 * i + 1]) = (i as u16, i as u16 + 16);
            i += 1;
        }
        order
    };
    // SAFETY: 32 times 2 bytes are read.
    let order = unsafe { _mm512_loadu_si512(TAKE_BY_TURNS.as_ptr().cast()) };
    let mut out = [_mm512_setzero_si512(); 16];
    let depth = memory.shape().0;
    for (pair, out) in out.iter_mut().enumerate().take(depth.div_ceil(2)) {
        let even = load(memory.row(2 * pair));
        let odd =
            if 2 * pair + 1 < depth { load(memory.row(2 * pair + 1)) } else { _mm512_setzero_ps() };
        // SAFETY: both are 64 bytes of plain bits.
        let both = unsafe { transmute::<__m512bh, __m512i>(_mm512_cvtne2ps_pbh(odd, even)) };
        *out = _mm512_permutexvar_epi16(order, both);
    }
    out
}

/// Sixteen rows of sixteen as columns: within quarters first, then the quarters themselves.
#[inline]
#[target_feature(enable = "avx512f")]
#[expect(
    clippy::large_types_passed_by_value,
    reason = "sixteen registers, never in memory once inlined"
)]
fn transpose(rows: [__m512i; 16]) -> [__m512i; 16] {
    let zero = _mm512_setzero_si512();
    let mut fours = [zero; 16];
    for i in (0..16).step_by(4) {
        let low = (
            _mm512_unpacklo_epi32(rows[i], rows[i + 1]),
            _mm512_unpacklo_epi32(rows[i + 2], rows[i + 3]),
        );
        let high = (
            _mm512_unpackhi_epi32(rows[i], rows[i + 1]),
            _mm512_unpackhi_epi32(rows[i + 2], rows[i + 3]),
        );
        fours[i] = _mm512_unpacklo_epi64(low.0, low.1);
        fours[i + 1] = _mm512_unpackhi_epi64(low.0, low.1);
        fours[i + 2] = _mm512_unpacklo_epi64(high.0, high.1);
        fours[i + 3] = _mm512_unpackhi_epi64(high.0, high.1);
    }
    let mut out = [zero; 16];
    for i in 0..4 {
        // Quarters of four rows each; a row's quarters belong to the columns i, i + 4, i + 8, i + 12.
        let (a, b, c, d) = (fours[i], fours[4 + i], fours[8 + i], fours[12 + i]);
        let (even_ab, odd_ab) =
            (_mm512_shuffle_i32x4::<0x88>(a, b), _mm512_shuffle_i32x4::<0xdd>(a, b));
        let (even_cd, odd_cd) =
            (_mm512_shuffle_i32x4::<0x88>(c, d), _mm512_shuffle_i32x4::<0xdd>(c, d));
        out[i] = _mm512_shuffle_i32x4::<0x88>(even_ab, even_cd);
        out[i + 4] = _mm512_shuffle_i32x4::<0x88>(odd_ab, odd_cd);
        out[i + 8] = _mm512_shuffle_i32x4::<0xdd>(even_ab, even_cd);
        out[i + 12] = _mm512_shuffle_i32x4::<0xdd>(odd_ab, odd_cd);
    }
    out
}

/// See [`super::kernel::Ready::multiply`].
pub(super) fn multiply(strips: Strips<'_>, block: &mut Block) {
    match strips {
        Strips::Two(left, right) => {
            for (i, left) in left.into_iter().enumerate() {
                for half in 0..2 {
                    let first = i * LINES + half * ROWS;
                    // SAFETY: this kernel was chosen after `is_here`.
                    unsafe { rows::<2>(left, half * ROWS, right, &mut block.0[first * SIDE..]) };
                }
            }
        }
        Strips::One(left, right) => {
            for half in 0..2 {
                let out = &mut block.0[half * ROWS * SIDE..];
                // SAFETY: as above.
                unsafe { rows::<1>(left, half * ROWS, [right], out) };
            }
        }
    }
}

/// Rows whose sums fit into the registers at once, beside those of two strips.
const ROWS: usize = 8;

/// Rows `first..first + ROWS` of the left strip times `N` right strips.
#[target_feature(enable = "avx512f,avx512bf16,avx512bw,avx512vl")]
fn rows<const N: usize>(left: &[Tile], first: usize, right: [&[Tile]; N], out: &mut [u32]) {
    let mut sums = [[_mm512_setzero_ps(); N]; ROWS];
    for (depth, left) in left.iter().enumerate() {
        let left = &left.0[first * PAIRS..][..ROWS * PAIRS];
        let right = right.map(|right| &right[depth].0);
        for pair in 0..PAIRS {
            // SAFETY: 16 pairs are read of a tile's 256, and their bits are those of `__m512bh`.
            let columns = right.map(|right| unsafe {
                transmute::<__m512i, __m512bh>(_mm512_loadu_si512(
                    right[pair * LINES..][..LINES].as_ptr().cast(),
                ))
            });
            for (row, sums) in sums.iter_mut().enumerate() {
                // SAFETY: 64 bytes of plain bits.
                let value = unsafe {
                    transmute::<__m512i, __m512bh>(_mm512_set1_epi32(
                        left[row * PAIRS + pair] as i32,
                    ))
                };
                for (sum, columns) in sums.iter_mut().zip(columns) {
                    *sum = _mm512_dpbf16_ps(*sum, value, columns);
                }
            }
        }
    }
    for (row, sums) in sums.into_iter().enumerate() {
        for (j, sum) in sums.into_iter().enumerate() {
            let to = &mut out[row * SIDE + j * LINES..][..LINES];
            // SAFETY: `to` has 16 values.
            unsafe { _mm512_storeu_ps(to.as_mut_ptr().cast(), sum) };
        }
    }
}

//! Products of int8 tiles by AVX-512 with its instructions for bytes.
//!
//! They multiply unsigned by signed bytes, and a single four, for all lanes at once, is read from memory as the signed one
//! only. So the right factor is laid out with 128 added to each byte, and 128 times the sum of a row of the left one is
//! taken off in the end. Source: Intel SDM volume 2, `VPDPBUSD`.
#![expect(unsafe_code, reason = "newer instructions are used once they were found")]

use std::arch::x86_64::{
    __m512i, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_reduce_add_epi32, _mm512_set1_epi32,
    _mm512_setzero_si512, _mm512_storeu_si512, _mm512_sub_epi32,
};

use super::kernel::{Block, SIDE, Strips};
use super::tile::{LINES, PAIRS, Tile};

/// Whether the processor has what this file uses.
pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512f")
}

/// Changes the signs of four signed bytes as if they were unsigned: adds 128 to each.
pub(super) const SHIFT: u32 = 0x8080_8080;

/// See [`super::kernel::Ready::multiply`]. The right factor is shifted.
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

/// Rows whose sums fit into the registers at once, beside what is to be taken off.
const ROWS: usize = 8;

/// Rows `first..first + ROWS` of the left strip times `N` right strips.
#[target_feature(enable = "avx512f,avx512vnni")]
fn rows<const N: usize>(left: &[Tile], first: usize, right: [&[Tile]; N], out: &mut [u32]) {
    let mut sums = [[_mm512_setzero_si512(); N]; ROWS];
    let mut beyond = [_mm512_setzero_si512(); ROWS];
    let shift = _mm512_set1_epi32(SHIFT as i32);
    for (depth, left) in left.iter().enumerate() {
        let left = &left.0[first * PAIRS..][..ROWS * PAIRS];
        let right = right.map(|right| &right[depth].0);
        for (beyond, row) in beyond.iter_mut().zip(left.chunks_exact(PAIRS)) {
            *beyond = _mm512_dpbusd_epi32(*beyond, shift, load(row));
        }
        for four in 0..PAIRS {
            let columns = right.map(|right| load(&right[four * LINES..][..LINES]));
            for (row, sums) in sums.iter_mut().enumerate() {
                let value = _mm512_set1_epi32(left[row * PAIRS + four] as i32);
                for (sum, columns) in sums.iter_mut().zip(columns) {
                    *sum = _mm512_dpbusd_epi32(*sum, columns, value);
                }
            }
        }
    }
    for (row, (sums, beyond)) in sums.into_iter().zip(beyond).enumerate() {
        let beyond = _mm512_set1_epi32(_mm512_reduce_add_epi32(beyond));
        for (j, sum) in sums.into_iter().enumerate() {
            let to = &mut out[row * SIDE + j * LINES..][..LINES];
            // SAFETY: `to` has 16 values.
            unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_sub_epi32(sum, beyond)) };
        }
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(fours: &[u32]) -> __m512i {
    assert_eq!(fours.len(), LINES, "a row of a tile");
    // SAFETY: 16 values are read.
    unsafe { _mm512_loadu_si512(fours.as_ptr().cast()) }
}

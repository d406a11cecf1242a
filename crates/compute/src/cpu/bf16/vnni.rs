//! Products of int8 tiles by AVX-512 with its instructions for bytes.
//!
//! They multiply unsigned by signed bytes, so 128 is added to the left factor, and the sum of the right one's columns
//! is taken off 128 times. Source: Intel SDM volume 2, `VPDPBUSD`.
#![expect(unsafe_code, reason = "newer instructions are used once they were found")]

use std::arch::x86_64::{
    __m512i, _mm512_dpbusd_epi32, _mm512_loadu_si512, _mm512_set1_epi32, _mm512_setzero_si512,
    _mm512_storeu_si512, _mm512_sub_epi32,
};

use super::kernel::{Block, SIDE, Strips};
use super::tile::{LINES, PAIRS, Tile};

/// Whether the processor has what this file uses.
pub(super) fn is_here() -> bool {
    is_x86_feature_detected!("avx512vnni") && is_x86_feature_detected!("avx512f")
}

/// See [`super::kernel::Ready::multiply`].
pub(super) fn multiply(strips: Strips<'_>, block: &mut Block) {
    let (lefts, rights): (&[&[Tile]], &[&[Tile]]) = match &strips {
        Strips::Two(left, right) => (left, right),
        Strips::One(left, right) => (std::slice::from_ref(left), std::slice::from_ref(right)),
    };
    for (i, left) in lefts.iter().enumerate() {
        for (j, right) in rights.iter().enumerate() {
            let out = &mut block.0[i * LINES * SIDE + j * LINES..];
            // SAFETY: this kernel was chosen after `is_here`.
            unsafe { quarter(left, right, out) };
        }
    }
}

/// Added to each of four signed bytes, by changing their signs as if they were unsigned.
const SHIFT: u32 = 0x8080_8080;

/// All sixteen rows of one strip times one strip.
#[target_feature(enable = "avx512f,avx512vnni")]
fn quarter(left: &[Tile], right: &[Tile], out: &mut [u32]) {
    let mut sums = [_mm512_setzero_si512(); LINES];
    let mut beyond = _mm512_setzero_si512();
    let shift = _mm512_set1_epi32(SHIFT as i32);
    for (left, right) in left.iter().zip(right) {
        for four in 0..PAIRS {
            let columns = load(&right.0[four * LINES..][..LINES]);
            beyond = _mm512_dpbusd_epi32(beyond, shift, columns);
            for (row, sum) in sums.iter_mut().enumerate() {
                let value = _mm512_set1_epi32((left.0[row * PAIRS + four] ^ SHIFT) as i32);
                *sum = _mm512_dpbusd_epi32(*sum, value, columns);
            }
        }
    }
    for (row, sum) in sums.into_iter().enumerate() {
        let to = &mut out[row * SIDE..][..LINES];
        // SAFETY: `to` has 16 values.
        unsafe { _mm512_storeu_si512(to.as_mut_ptr().cast(), _mm512_sub_epi32(sum, beyond)) };
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn load(fours: &[u32]) -> __m512i {
    assert_eq!(fours.len(), LINES, "a row of a tile");
    // SAFETY: 16 values are read.
    unsafe { _mm512_loadu_si512(fours.as_ptr().cast()) }
}

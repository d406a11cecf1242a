//! Products of rows of bytes with a query of small integers.
//!
//! A row is kept as bytes of which 128 is zero, because the instructions multiply unsigned with signed bytes.

use super::Level;

/// The largest magnitude in a query: two products `255 * 64` fit into the 16 bits in which AVX2 adds them.
pub(crate) const LARGEST_QUERY: f32 = 64.0;

/// Rows that are asked for ahead of their turn; more than the memory answers at once are of no use.
const AHEAD: usize = 6;

/// For each place the product of its row, 128 taken off, with the query.
///
/// # Shapes
/// `query` is `(D,)`, `bytes` is `(N, D)`, `out` has one number for each of `places`.
pub(crate) fn byte_dots(level: Level, query: &[i8], bytes: &[u8], places: &[u32], out: &mut [i32]) {
    let row = |place: u32| &bytes[place as usize * query.len()..][..query.len()];
    let offset = 128 * query.iter().map(|q| i32::from(*q)).sum::<i32>();
    for (number, (place, out)) in places.iter().zip(out).enumerate() {
        if let Some(next) = places.get(number + AHEAD) {
            prefetch(row(*next));
        }
        *out = product(level, query, row(*place)) - offset;
    }
}

/// The product of one row, nothing taken off.
#[inline]
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "instructions are used once they were found")
)]
fn product(level: Level, query: &[i8], row: &[u8]) -> i32 {
    #[cfg(target_arch = "x86_64")]
    match level.0 {
        // SAFETY: a level is only made where its instructions were found.
        super::Kind::Avx512 => return unsafe { x86::product_avx512(query, row) },
        // SAFETY: as above.
        super::Kind::Avx2 => return unsafe { x86::product_avx2(query, row) },
        super::Kind::Plain => {}
    }
    let _ = level;
    plain(query, row)
}

/// The plain twin; written so that compilers find the instructions of NEON and SSE2.
#[inline]
fn plain(query: &[i8], row: &[u8]) -> i32 {
    row.iter().zip(query).map(|(byte, q)| i32::from(*byte) * i32::from(*q)).sum()
}

/// Asks for numbers before they are needed.
#[inline]
#[cfg_attr(target_arch = "x86_64", expect(unsafe_code, reason = "a prefetch takes a pointer"))]
pub(crate) fn prefetch<T>(numbers: &[T]) {
    #[cfg(target_arch = "x86_64")]
    for line in numbers.chunks(64 / size_of::<T>()) {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        // SAFETY: a prefetch reads nothing, and the address is that of a number.
        unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) }
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = numbers;
}

/// AVX-512 and AVX2.
#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(clippy::wildcard_imports, reason = "names of instructions say where they are from")]

    use std::arch::x86_64::*;

    #[expect(unsafe_code, reason = "loads take pointers")]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512vnni")]
    pub(super) fn product_avx512(query: &[i8], row: &[u8]) -> i32 {
        let mut sums = [_mm512_setzero_si512(); 2];
        let (blocks, rest) = row.as_chunks::<64>();
        let (query_blocks, query_rest) = query.as_chunks::<64>();
        for (number, (row, query)) in blocks.iter().zip(query_blocks).enumerate() {
            // SAFETY: 64 bytes are there on both sides, and the loads need no alignment.
            let (row, query) = unsafe {
                (_mm512_loadu_si512(row.as_ptr().cast()), _mm512_loadu_si512(query.as_ptr().cast()))
            };
            sums[number % 2] = _mm512_dpbusd_epi32(sums[number % 2], row, query);
        }
        let mask = (1u64 << rest.len()) - 1;
        // SAFETY: the mask leaves out what is beyond the ends, and what is left out is not read.
        let (row, query) = unsafe {
            (
                _mm512_maskz_loadu_epi8(mask, rest.as_ptr().cast()),
                _mm512_maskz_loadu_epi8(mask, query_rest.as_ptr()),
            )
        };
        sums[0] = _mm512_dpbusd_epi32(sums[0], row, query);
        _mm512_reduce_add_epi32(_mm512_add_epi32(sums[0], sums[1]))
    }

    #[expect(unsafe_code, reason = "loads take pointers")]
    #[target_feature(enable = "avx2")]
    pub(super) fn product_avx2(query: &[i8], row: &[u8]) -> i32 {
        let ones = _mm256_set1_epi16(1);
        let mut sums = [_mm256_setzero_si256(); 2];
        let (blocks, rest) = row.as_chunks::<32>();
        let (query_blocks, query_rest) = query.as_chunks::<32>();
        for (number, (row, query)) in blocks.iter().zip(query_blocks).enumerate() {
            // SAFETY: 32 bytes are there on both sides, and the loads need no alignment.
            let (row, query) = unsafe {
                (_mm256_loadu_si256(row.as_ptr().cast()), _mm256_loadu_si256(query.as_ptr().cast()))
            };
            let pairs = _mm256_maddubs_epi16(row, query);
            sums[number % 2] = _mm256_add_epi32(sums[number % 2], _mm256_madd_epi16(pairs, ones));
        }
        let eight = _mm256_add_epi32(sums[0], sums[1]);
        let four =
            _mm_add_epi32(_mm256_castsi256_si128(eight), _mm256_extracti128_si256::<1>(eight));
        let two = _mm_add_epi32(four, _mm_shuffle_epi32::<0b00_00_11_10>(four));
        let one = _mm_add_epi32(two, _mm_shuffle_epi32::<0b00_00_00_01>(two));
        _mm_cvtsi128_si32(one) + super::plain(query_rest, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::embedded::vector::kernel::bits::tests::{SHAPES, numbers};

    fn small(count: usize, most: f32) -> Vec<f32> {
        numbers(count, 9).iter().map(|x| (x * most).round()).collect()
    }

    #[test]
    fn every_level_multiplies_like_the_plain_loop() {
        for dim in SHAPES {
            let query: Vec<i8> = small(dim, LARGEST_QUERY).iter().map(|x| *x as i8).collect();
            let bytes: Vec<u8> =
                small(dim * 20, 127.0).iter().map(|x| (*x + 128.0) as u8).collect();
            let places = [7, 0, 19, 19, 3, 4, 5, 6, 8];
            let right = places.map(|place: u32| {
                let row = &bytes[place as usize * dim..][..dim];
                row.iter()
                    .zip(&query)
                    .map(|(b, q)| (i32::from(*b) - 128) * i32::from(*q))
                    .sum::<i32>()
            });
            for level in Level::all() {
                let mut found = [0; 9];
                byte_dots(level, &query, &bytes, &places, &mut found);
                assert_eq!(found, right, "{level:?} {dim}");
                byte_dots(level, &query, &bytes, &[], &mut []);
            }
        }
    }

    #[test]
    fn the_largest_products_do_not_overflow() {
        for sign in [1, -1] {
            let (query, row) = (vec![sign * LARGEST_QUERY as i8; 1536], vec![255; 1536]);
            for level in Level::all() {
                let mut found = [0];
                byte_dots(level, &query, &row, &[0], &mut found);
                assert_eq!(found, [i32::from(sign) * 64 * 127 * 1536], "{level:?}");
            }
        }
    }
}

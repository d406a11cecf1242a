//! The scan over 1-bit codes: 32 rows at once, by table lookups in registers.
//!
//! Four signs of a row are a nibble, and what a nibble adds to the product with the query is one of 16 numbers. These
//! sit in a register, rounded to six bits, so that a shuffle instruction looks up 16, 32 or 64 rows at once and four
//! lookups fit into a byte before they must be widened. Six bits per four signs are finer than the four bits per sign
//! of the paper, and no bit is ever counted.
//!
//! Source: André, Kermarrec, Le Scouarnec, "Cache locality is not enough: High-Performance Nearest Neighbor Search with
//! Product Quantization Fast Scan" (VLDB 2015), for the lookups; Gao and Long, "`RaBitQ`" (SIGMOD 2024), for the codes.

use super::{Level, prefetch, vectorised};

/// Rows of a block.
pub(crate) const LANES: usize = 32;

/// Signs in a byte-wide step of the scan: four nibbles, two bytes of a row.
const QUAD: usize = 16;

/// Bytes of a block that hold one [`QUAD`] of each of its rows.
const QUAD_BYTES: usize = 64;

/// Bytes of the tables of a [`QUAD`]: four tables of 16, each twice, since a shuffle looks only at its own 16 bytes.
const TABLE_BYTES: usize = 128;

/// The largest entry of a table: four of them fit into a byte.
const LARGEST_ENTRY: f32 = 63.0;

/// Bytes of a block of rows with D signs each.
pub(crate) fn block_bytes(dim: usize) -> usize {
    dim.div_ceil(QUAD) * QUAD_BYTES
}

/// The byte of a row within 32 bytes of a block. Rows 0 to 15 are the even bytes and rows 16 to 31 the odd ones: so
/// widening the sums by masking and shifting gives them in order.
fn byte_of(lane: usize) -> usize {
    if lane < LANES / 2 { 2 * lane } else { 2 * (lane - LANES / 2) + 1 }
}

/// Writes the signs of a row into its lane of a block of zeros.
pub(crate) fn put_lane(block: &mut [u8], lane: usize, row: &[f32]) {
    for (pair, eight) in block.chunks_exact_mut(LANES).zip(row.chunks(8)) {
        let bits = eight.iter().enumerate().map(|(bit, x)| u8::from(*x > 0.0) << bit);
        pair[byte_of(lane)] = bits.sum();
    }
}

/// Copies the lane of one block into a lane of another.
pub(crate) fn take_lane(from: &[u8], from_lane: usize, to: &mut [u8], to_lane: usize) {
    for (from, to) in from.chunks_exact(LANES).zip(to.chunks_exact_mut(LANES)) {
        to[byte_of(to_lane)] = from[byte_of(from_lane)];
    }
}

/// What the nibbles of a code add to its product with one query.
#[derive(Clone, Debug)]
pub(crate) struct Tables {
    /// For each [`QUAD`] the tables of its nibbles 0, 2, 1 and 3, in the order in which 64 bytes use them.
    entries: Vec<u8>,
    /// What one unit of an entry is worth.
    unit: f32,
    /// The product with a code that disagrees with every sign.
    least: f32,
}

impl Tables {
    /// # Shapes
    /// `query` is `(D,)`, rotated.
    pub(crate) fn new(level: Level, query: &[f32]) -> Self {
        let mut padded = query.to_vec();
        padded.resize(query.len().div_ceil(QUAD) * QUAD, 0.0);
        let reach = |four: &[f32]| four.iter().map(|x| x.abs()).sum::<f32>();
        let widest = padded.chunks_exact(4).map(reach).fold(f32::MIN_POSITIVE, f32::max);
        let unit = 2.0 * widest / LARGEST_ENTRY;
        let least = -padded.chunks_exact(4).map(reach).sum::<f32>();
        let mut entries = vec![0; padded.len() / QUAD * TABLE_BYTES];
        fill(level, &padded, 1.0 / unit, &mut entries);
        Self { entries, unit, least }
    }
}

vectorised! {
    /// Writes the entries of all tables.
    fn fill(query: &[f32], scale: f32, entries: &mut [u8]) {
        let quads = query.as_chunks::<QUAD>().0.iter().zip(entries.as_chunks_mut::<TABLE_BYTES>().0);
        for (signs, tables) in quads {
            for (nibble, four) in signs.as_chunks::<4>().0.iter().enumerate() {
                // Nibbles 0 and 1 belong to the first 32 of 64 bytes; 0 and 2 are the low halves of theirs.
                let place = nibble % 2 * 64 + nibble / 2 * 32;
                let table = table(four, scale);
                tables[place..][..16].copy_from_slice(&table);
                tables[place + 16..][..16].copy_from_slice(&table);
            }
        }
    }
}

/// The table of four entries of the query. Sums begin at their least, so none is negative.
#[inline(always)]
fn table(four: &[f32; 4], scale: f32) -> [u8; 16] {
    let mut sums = [0.5f32; 16];
    for (bit, x) in four.iter().enumerate() {
        for (pattern, sum) in sums.iter_mut().enumerate() {
            let sign = if pattern >> bit & 1 == 1 { 1.0 } else { -1.0 };
            *sum += (x.abs() + sign * x) * scale;
        }
    }
    sums.map(|sum| sum as u8)
}

/// A row whose estimate reached the threshold.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Passed {
    /// Its place among the scanned ones.
    pub(crate) place: u32,
    /// The estimate.
    pub(crate) estimate: f32,
}

/// Blocks of codes with what turns their sums into estimates: `base + factor * sum`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Block<'a> {
    /// Codes of whole blocks; there may be more of them, which are then asked for from memory ahead of their turn.
    pub(crate) codes: &'a [u8],
    /// One for each row of these blocks.
    pub(crate) factors: &'a [f32],
    /// One for each row of these blocks.
    pub(crate) bases: &'a [f32],
}

/// Blocks that are asked for ahead of their turn: about as many bytes as arrive while one is worked on, and the memory's
/// own foresight ends with a page.
const AHEAD: usize = 2;

/// Adds the rows whose estimate is at least `threshold`.
#[cfg_attr(
    target_arch = "x86_64",
    expect(unsafe_code, reason = "instructions are used once they were found")
)]
pub(crate) fn scan(
    level: Level,
    tables: &Tables,
    blocks: Block<'_>,
    threshold: f32,
    passed: &mut Vec<Passed>,
) {
    #[cfg(target_arch = "x86_64")]
    match level.0 {
        // SAFETY: a level is only made where its instructions were found.
        super::Kind::Avx512 => {
            return unsafe { x86::scan_avx512(tables, blocks, threshold, passed) };
        }
        // SAFETY: as above.
        super::Kind::Avx2 => return unsafe { x86::scan_avx2(tables, blocks, threshold, passed) },
        super::Kind::Plain => {}
    }
    let _ = level;
    #[cfg(target_arch = "aarch64")]
    scan_by(arm::sums, tables, blocks, threshold, passed);
    #[cfg(not(target_arch = "aarch64"))]
    scan_by(sums, tables, blocks, threshold, passed);
}

/// The scan, given what sums up a block.
#[inline(always)]
fn scan_by(
    sums: impl Fn(&[u8], &[u8]) -> [u16; LANES],
    tables: &Tables,
    blocks: Block<'_>,
    threshold: f32,
    passed: &mut Vec<Passed>,
) {
    let codes = blocks.codes.chunks_exact(tables.entries.len() / 2);
    let factors = blocks.factors.as_chunks::<LANES>().0;
    let bases = blocks.bases.as_chunks::<LANES>().0;
    for (number, ((codes, factors), bases)) in codes.zip(factors).zip(bases).enumerate() {
        let sums = sums(&tables.entries, codes);
        for lane in 0..LANES {
            let product = f32::from(sums[lane]) * tables.unit + tables.least;
            let estimate = product * factors[lane] + bases[lane];
            if estimate >= threshold {
                passed.push(Passed { place: (number * LANES + lane) as u32, estimate });
            }
        }
    }
}

/// Asks for a block that will be needed soon.
#[inline]
fn ask_ahead(codes: &[u8], number: usize, size: usize) {
    if let Some(next) = codes.get((number + AHEAD) * size..(number + AHEAD + 1) * size) {
        prefetch(next);
    }
}

/// The plain twin: for each row of a block the sum of its entries.
#[cfg_attr(target_arch = "aarch64", expect(dead_code, reason = "the twin is for tests there"))]
fn sums(entries: &[u8], codes: &[u8]) -> [u16; LANES] {
    let mut sums = [0; LANES];
    for (tables, codes) in entries.chunks_exact(TABLE_BYTES).zip(codes.chunks_exact(QUAD_BYTES)) {
        for (lane, sum) in sums.iter_mut().enumerate() {
            for pair in 0..2 {
                let byte = codes[pair * LANES + byte_of(lane)] as usize;
                let tables = &tables[pair * 32..];
                *sum += u16::from(tables[byte & 15]) + u16::from(tables[64 + (byte >> 4)]);
            }
        }
    }
    sums
}

/// AVX-512 and AVX2.
#[cfg(target_arch = "x86_64")]
mod x86 {
    #![allow(clippy::wildcard_imports, reason = "names of instructions say where they are from")]

    use std::arch::x86_64::*;

    use super::{Block, LANES, Passed, QUAD_BYTES, TABLE_BYTES, Tables, ask_ahead};

    #[expect(unsafe_code, reason = "a load takes a pointer")]
    #[target_feature(enable = "avx512f")]
    fn load_64(bytes: &[u8; 64]) -> __m512i {
        // SAFETY: 64 bytes are there, and the load needs no alignment.
        unsafe { _mm512_loadu_si512(bytes.as_ptr().cast()) }
    }

    #[expect(unsafe_code, reason = "a load takes a pointer")]
    #[target_feature(enable = "avx2")]
    fn load_32(bytes: &[u8; 32]) -> __m256i {
        // SAFETY: 32 bytes are there, and the load needs no alignment.
        unsafe { _mm256_loadu_si256(bytes.as_ptr().cast()) }
    }

    #[expect(unsafe_code, reason = "a load takes a pointer")]
    #[target_feature(enable = "avx512f")]
    fn load_16_floats(numbers: &[f32; 16]) -> __m512 {
        // SAFETY: 16 numbers are there, and the load needs no alignment.
        unsafe { _mm512_loadu_ps(numbers.as_ptr()) }
    }

    #[expect(unsafe_code, reason = "a load takes a pointer")]
    #[target_feature(enable = "avx")]
    fn load_8_floats(numbers: &[f32; 8]) -> __m256 {
        // SAFETY: 8 numbers are there, and the load needs no alignment.
        unsafe { _mm256_loadu_ps(numbers.as_ptr()) }
    }

    #[expect(unsafe_code, reason = "a store takes a pointer")]
    #[target_feature(enable = "avx512f")]
    fn store_16_floats(numbers: __m512, to: &mut [f32; 16]) {
        // SAFETY: there is room for 16 numbers, and the store needs no alignment.
        unsafe { _mm512_storeu_ps(to.as_mut_ptr(), numbers) }
    }

    #[expect(unsafe_code, reason = "a store takes a pointer")]
    #[target_feature(enable = "avx")]
    fn store_8_floats(numbers: __m256, to: &mut [f32; 8]) {
        // SAFETY: there is room for 8 numbers, and the store needs no alignment.
        unsafe { _mm256_storeu_ps(to.as_mut_ptr(), numbers) }
    }

    /// The lanes of `mask`.
    #[inline]
    fn push(mut mask: u32, first: usize, estimates: &[f32], passed: &mut Vec<Passed>) {
        while mask != 0 {
            let lane = mask.trailing_zeros() as usize;
            mask &= mask - 1;
            passed.push(Passed { place: (first + lane) as u32, estimate: estimates[lane] });
        }
    }

    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2")]
    pub(super) fn scan_avx512(
        tables: &Tables,
        blocks: Block<'_>,
        threshold: f32,
        passed: &mut Vec<Passed>,
    ) {
        let (unit, least) = (_mm512_set1_ps(tables.unit), _mm512_set1_ps(tables.least));
        let limit = _mm512_set1_ps(threshold);
        let codes = blocks.codes.chunks_exact(tables.entries.len() / 2);
        let factors = blocks.factors.as_chunks::<LANES>().0;
        let bases = blocks.bases.as_chunks::<LANES>().0;
        for (number, ((codes, factors), bases)) in codes.zip(factors).zip(bases).enumerate() {
            ask_ahead(blocks.codes, number, codes.len());
            let sums = sums_avx512(&tables.entries, codes);
            let (factors, bases) = (factors.as_chunks::<16>().0, bases.as_chunks::<16>().0);
            for half in 0..2 {
                let sum = _mm512_cvtepi32_ps(_mm512_cvtepu16_epi32(sums[half]));
                let product = _mm512_add_ps(_mm512_mul_ps(sum, unit), least);
                let scaled = _mm512_mul_ps(product, load_16_floats(&factors[half]));
                let estimate = _mm512_add_ps(scaled, load_16_floats(&bases[half]));
                let mask = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(estimate, limit);
                if mask != 0 {
                    let mut estimates = [0.0; 16];
                    store_16_floats(estimate, &mut estimates);
                    push(mask.into(), number * LANES + half * 16, &estimates, passed);
                }
            }
        }
    }

    /// Sums of rows 0 to 15 and of rows 16 to 31.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2")]
    fn sums_avx512(entries: &[u8], codes: &[u8]) -> [__m256i; 2] {
        // What is added to the even ones has the odd ones in its upper bytes; they are taken off at the end.
        let (mut even, mut odd) = (_mm512_setzero_si512(), _mm512_setzero_si512());
        // Two lookups a byte from each of two steps.
        let (twice, last) = entries.as_chunks::<{ 2 * TABLE_BYTES }>();
        let (codes, last_codes) = codes.as_chunks::<{ 2 * QUAD_BYTES }>();
        for (tables, codes) in twice.iter().zip(codes) {
            let (tables, codes) = (tables.as_chunks::<64>().0, codes.as_chunks::<64>().0);
            let first = look_up_64(&tables[0], &tables[1], &codes[0]);
            let second = look_up_64(&tables[2], &tables[3], &codes[1]);
            let sum = _mm512_add_epi8(first, second);
            even = _mm512_add_epi16(even, sum);
            odd = _mm512_add_epi16(odd, _mm512_srli_epi16::<8>(sum));
        }
        if let (Some(tables), Some(codes)) = (last.first_chunk::<128>(), last_codes.first_chunk()) {
            let tables = tables.as_chunks::<64>().0;
            let sum = look_up_64(&tables[0], &tables[1], codes);
            even = _mm512_add_epi16(even, sum);
            odd = _mm512_add_epi16(odd, _mm512_srli_epi16::<8>(sum));
        }
        even = _mm512_sub_epi16(even, _mm512_slli_epi16::<8>(odd));
        [even, odd].map(|sums| {
            _mm256_add_epi16(_mm512_castsi512_si256(sums), _mm512_extracti64x4_epi64::<1>(sums))
        })
    }

    /// What 128 nibbles add: two pairs of nibbles for each of 32 rows.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx2")]
    #[inline]
    fn look_up_64(low: &[u8; 64], high: &[u8; 64], codes: &[u8; 64]) -> __m512i {
        let nibble = _mm512_set1_epi8(15);
        let codes = load_64(codes);
        let first = _mm512_shuffle_epi8(load_64(low), _mm512_and_si512(codes, nibble));
        let shifted = _mm512_and_si512(_mm512_srli_epi16::<4>(codes), nibble);
        _mm512_add_epi8(first, _mm512_shuffle_epi8(load_64(high), shifted))
    }

    #[target_feature(enable = "avx2")]
    pub(super) fn scan_avx2(
        tables: &Tables,
        blocks: Block<'_>,
        threshold: f32,
        passed: &mut Vec<Passed>,
    ) {
        let (unit, least) = (_mm256_set1_ps(tables.unit), _mm256_set1_ps(tables.least));
        let limit = _mm256_set1_ps(threshold);
        let codes = blocks.codes.chunks_exact(tables.entries.len() / 2);
        let factors = blocks.factors.as_chunks::<LANES>().0;
        let bases = blocks.bases.as_chunks::<LANES>().0;
        for (number, ((codes, factors), bases)) in codes.zip(factors).zip(bases).enumerate() {
            ask_ahead(blocks.codes, number, codes.len());
            let sums = sums_avx2(&tables.entries, codes);
            let (factors, bases) = (factors.as_chunks::<8>().0, bases.as_chunks::<8>().0);
            for eight in 0..4 {
                let sum = _mm256_cvtepi32_ps(_mm256_cvtepu16_epi32(sums[eight]));
                let product = _mm256_add_ps(_mm256_mul_ps(sum, unit), least);
                let scaled = _mm256_mul_ps(product, load_8_floats(&factors[eight]));
                let estimate = _mm256_add_ps(scaled, load_8_floats(&bases[eight]));
                let mask = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_GE_OQ>(estimate, limit));
                if mask != 0 {
                    let mut estimates = [0.0; 8];
                    store_8_floats(estimate, &mut estimates);
                    push(mask as u32, number * LANES + eight * 8, &estimates, passed);
                }
            }
        }
    }

    /// Sums of eight rows each, in order.
    #[target_feature(enable = "avx2")]
    fn sums_avx2(entries: &[u8], codes: &[u8]) -> [__m128i; 4] {
        // As above.
        let (mut even, mut odd) = (_mm256_setzero_si256(), _mm256_setzero_si256());
        let tables = entries.as_chunks::<TABLE_BYTES>().0;
        for (tables, codes) in tables.iter().zip(codes.as_chunks::<QUAD_BYTES>().0) {
            let (tables, codes) = (tables.as_chunks::<32>().0, codes.as_chunks::<32>().0);
            let first = look_up_32(&tables[0], &tables[2], &codes[0]);
            let second = look_up_32(&tables[1], &tables[3], &codes[1]);
            let sum = _mm256_add_epi8(first, second);
            even = _mm256_add_epi16(even, sum);
            odd = _mm256_add_epi16(odd, _mm256_srli_epi16::<8>(sum));
        }
        even = _mm256_sub_epi16(even, _mm256_slli_epi16::<8>(odd));
        let halves = |sums| (_mm256_castsi256_si128(sums), _mm256_extracti128_si256::<1>(sums));
        let ((a, b), (c, d)) = (halves(even), halves(odd));
        [a, b, c, d]
    }

    /// What 64 nibbles add: a pair of nibbles for each of 32 rows.
    #[target_feature(enable = "avx2")]
    #[inline]
    fn look_up_32(low: &[u8; 32], high: &[u8; 32], codes: &[u8; 32]) -> __m256i {
        let nibble = _mm256_set1_epi8(15);
        let codes = load_32(codes);
        let first = _mm256_shuffle_epi8(load_32(low), _mm256_and_si256(codes, nibble));
        let shifted = _mm256_and_si256(_mm256_srli_epi16::<4>(codes), nibble);
        _mm256_add_epi8(first, _mm256_shuffle_epi8(load_32(high), shifted))
    }
}

/// NEON.
#[cfg(target_arch = "aarch64")]
mod arm {
    #![allow(clippy::wildcard_imports, reason = "names of instructions say where they are from")]

    use std::arch::aarch64::*;

    use super::{LANES, QUAD_BYTES, TABLE_BYTES};

    #[expect(unsafe_code, reason = "a load takes a pointer")]
    fn load(bytes: &[u8; 16]) -> uint8x16_t {
        // SAFETY: 16 bytes are there, and every 64-bit Arm has NEON.
        unsafe { vld1q_u8(bytes.as_ptr()) }
    }

    /// For each row of a block the sum of its entries.
    #[expect(unsafe_code, reason = "instructions beyond the plain language")]
    #[inline]
    pub(super) fn sums(entries: &[u8], codes: &[u8]) -> [u16; LANES] {
        let mut sums = [0u16; LANES];
        // SAFETY: every 64-bit Arm has NEON; the stores go to eight numbers each.
        unsafe {
            let (mut even, mut odd) = ([vdupq_n_u16(0); 2], [vdupq_n_u16(0); 2]);
            let tables = entries.as_chunks::<TABLE_BYTES>().0;
            for (tables, codes) in tables.iter().zip(codes.as_chunks::<QUAD_BYTES>().0) {
                let (tables, codes) = (tables.as_chunks::<16>().0, codes.as_chunks::<16>().0);
                for half in 0..2 {
                    let first = look_up(&tables[0], &tables[4], &codes[half]);
                    let second = look_up(&tables[2], &tables[6], &codes[2 + half]);
                    let sum = vreinterpretq_u16_u8(vaddq_u8(first, second));
                    even[half] = vaddq_u16(even[half], vandq_u16(sum, vdupq_n_u16(0xff)));
                    odd[half] = vaddq_u16(odd[half], vshrq_n_u16::<8>(sum));
                }
            }
            for half in 0..2 {
                vst1q_u16(sums[half * 8..].as_mut_ptr(), even[half]);
                vst1q_u16(sums[16 + half * 8..].as_mut_ptr(), odd[half]);
            }
        }
        sums
    }

    /// What 32 nibbles add: a pair of nibbles for each of 16 rows.
    #[expect(unsafe_code, reason = "instructions beyond the plain language")]
    #[inline]
    fn look_up(low: &[u8; 16], high: &[u8; 16], codes: &[u8; 16]) -> uint8x16_t {
        let codes = load(codes);
        // SAFETY: every 64-bit Arm has NEON.
        unsafe {
            let first = vqtbl1q_u8(load(low), vandq_u8(codes, vdupq_n_u8(15)));
            vaddq_u8(first, vqtbl1q_u8(load(high), vshrq_n_u8::<4>(codes)))
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use rand::{Rng, SeedableRng};
    use rand_chacha::ChaCha8Rng;

    use super::*;

    /// Widths that are and are not multiples of what a register holds.
    pub(in super::super) const SHAPES: [usize; 10] =
        [32, 33, 48, 100, 128, 200, 512, 768, 1000, 1536];

    pub(in super::super) fn numbers(count: usize, seed: u64) -> Vec<f32> {
        let mut dice = ChaCha8Rng::seed_from_u64(seed);
        (0..count).map(|_| dice.random_range(-1.0..1.0)).collect()
    }

    /// Codes, factors and bases of random rows.
    fn blocks(dim: usize, rows: usize) -> (Vec<f32>, Vec<u8>, Vec<f32>, Vec<f32>) {
        let x = numbers(rows * dim, 1);
        let padded = rows.div_ceil(LANES) * LANES;
        let mut codes = vec![0; padded / LANES * block_bytes(dim)];
        for (place, row) in x.chunks_exact(dim).enumerate() {
            let block = &mut codes[place / LANES * block_bytes(dim)..][..block_bytes(dim)];
            put_lane(block, place % LANES, row);
        }
        (x, codes, numbers(padded, 2), numbers(padded, 3))
    }

    #[test]
    fn every_level_passes_the_rows_that_the_plain_loop_passes() {
        for dim in SHAPES {
            for rows in [0, 1, 31, 32, 33, 100] {
                let (_, codes, factors, bases) = blocks(dim, rows);
                let tables = Tables::new(Level::best(), &numbers(dim, 4));
                let blocks = Block { codes: &codes, factors: &factors, bases: &bases };
                let mut right = Vec::new();
                scan_by(sums, &tables, blocks, 0.5, &mut right);
                for level in Level::all() {
                    let mut found = Vec::new();
                    scan(level, &tables, blocks, 0.5, &mut found);
                    assert_eq!(found, right, "{level:?} {dim} {rows}");
                }
            }
        }
    }

    #[test]
    fn a_sum_is_the_product_of_signs_and_query_but_for_rounding() {
        for dim in SHAPES {
            let (x, codes, _, _) = blocks(dim, 40);
            let query = numbers(dim, 5);
            for level in Level::all() {
                let tables = Tables::new(level, &query);
                let (ones, zeros) = (vec![1.0; 64], vec![0.0; 64]);
                let blocks = Block { codes: &codes, factors: &ones, bases: &zeros };
                let mut found = Vec::new();
                scan(level, &tables, blocks, f32::NEG_INFINITY, &mut found);
                for (row, passed) in x.chunks_exact(dim).zip(&found) {
                    let signs = row.iter().map(|x| if *x > 0.0 { 1.0 } else { -1.0 });
                    let right: f32 = signs.zip(&query).map(|(sign, q)| sign * q).sum();
                    let allowed = tables.unit * (dim as f32 / 4.0).sqrt() * 2.0;
                    assert!((passed.estimate - right).abs() <= allowed, "{level:?} {dim}");
                }
            }
        }
    }

    #[test]
    fn a_lane_can_be_moved_to_another_block() {
        let (_, codes, _, _) = blocks(100, 40);
        let size = block_bytes(100);
        let mut moved = vec![0; size];
        take_lane(&codes[size..], 3, &mut moved, 30);
        let mut back = codes[size..].to_vec();
        take_lane(&moved, 30, &mut back, 3);
        assert_eq!(back, codes[size..]);
        assert!(moved.iter().any(|byte| *byte != 0));
    }
}

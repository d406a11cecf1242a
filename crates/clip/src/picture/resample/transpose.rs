//! Rows of bytes to vector lanes: a byte of each row side by side.
//!
//! Blocks of eight rows by eight bytes are transposed as numbers of 64 bits, many at once: in three rounds, parts off the diagonal
//! change places. Byte by byte it took longer than all arithmetic of a resize.
//!
//! Source: Warren, "Hacker's Delight" (2nd edition, 2012), section 7-3, with bytes for bits.

/// Rows that are taken at once: one vector lane each.
pub(super) const LANES: usize = 16;
/// Rows of a block, and bytes of its rows.
const SIDE: usize = 8;
/// Blocks that are transposed at once: a row of them fills a register of 512 bits.
const BLOCKS: usize = 8;
const BYTES: usize = BLOCKS * SIDE;

/// Eight rows of as many blocks.
type Rows = [[u64; BLOCKS]; SIDE];

/// Puts byte `i` of row `lane` at `lanes[i * LANES + lane]`.
///
/// # Panics
/// When the rows differ in length, or `lanes` is not `LANES` times as long.
#[inline(always)]
pub(super) fn rows_to_lanes(rows: &[&[u8]; LANES], lanes: &mut [u8]) {
    let length = rows[0].len();
    assert!(rows.iter().all(|row| row.len() == length), "rows of one length");
    let lanes = lanes.as_chunks_mut::<LANES>().0;
    assert_eq!(lanes.len(), length, "a place for each byte");
    for at in (0..length / BYTES).map(|block| block * BYTES) {
        for first in [0, SIDE] {
            let columns =
                transpose(std::array::from_fn(|row| numbers(&rows[first + row][at..][..BYTES])));
            for (column, numbers) in columns.iter().enumerate() {
                for (block, number) in numbers.iter().enumerate() {
                    let bytes = &mut lanes[at + block * SIDE + column][first..first + SIDE];
                    bytes.copy_from_slice(&number.to_le_bytes());
                }
            }
        }
    }
    for (at, lanes) in lanes.iter_mut().enumerate().skip(length / BYTES * BYTES) {
        *lanes = std::array::from_fn(|lane| rows[lane][at]);
    }
}

#[inline(always)]
fn numbers(bytes: &[u8]) -> [u64; BLOCKS] {
    let (numbers, _) = bytes.as_chunks::<SIDE>();
    std::array::from_fn(|block| u64::from_le_bytes(numbers[block]))
}

/// Transposes each block: byte `j` of row `i` changes places with byte `i` of row `j`.
#[inline(always)]
fn transpose(mut rows: Rows) -> Rows {
    const ROUNDS: [(usize, u64); 3] =
        [(1, 0x00ff_00ff_00ff_00ff), (2, 0x0000_ffff_0000_ffff), (4, 0x0000_0000_ffff_ffff)];
    for (step, mask) in ROUNDS {
        for upper in (0..SIDE).filter(|row| row & step == 0) {
            let (before, from) = rows.split_at_mut(upper + step);
            for (high, low) in before[upper].iter_mut().zip(&mut from[0]) {
                let differ = ((*high >> (8 * step)) ^ *low) & mask;
                *high ^= differ << (8 * step);
                *low ^= differ;
            }
        }
    }
    rows
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_finds_its_lane() {
        for length in [1, BYTES - 1, BYTES, 2 * BYTES + 7] {
            let byte = |lane: usize, at: usize| (lane * 89 + at * 7 + at / 37) as u8;
            let rows: [Vec<u8>; LANES] =
                std::array::from_fn(|lane| (0..length).map(|at| byte(lane, at)).collect());
            let mut lanes = vec![0; length * LANES];
            rows_to_lanes(&std::array::from_fn(|lane| rows[lane].as_slice()), &mut lanes);
            for (at, lanes) in lanes.chunks_exact(LANES).enumerate() {
                let expected: [u8; LANES] = std::array::from_fn(|lane| byte(lane, at));
                assert_eq!(lanes, expected, "byte {at} of {length}");
            }
        }
    }
}

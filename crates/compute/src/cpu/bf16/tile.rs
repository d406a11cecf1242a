//! Sixteen by sixteen pairs of bf16 values, or fours of int8 values: the unit in which factors are laid out.
//!
//! A product adds up over pairs of neighbouring values, as the instructions do. A tile of the left
//! factor has a row for each of 16 rows and a column for each of 16 pairs; a tile of the right factor
//! has a row for each pair and a column for each of 16 columns. So the two are transposed to each
//! other, and a tile is one register of AMX: 16 rows of 64 bytes. In int8 four neighbouring values take the place of a pair.
//! Source: Intel 64 and IA-32 Architectures Software Developer's Manual, `TDPBF16PS` and `TDPBSSD`.

/// Rows of the left factor, or columns of the right one, in a tile.
pub(super) const LINES: usize = 16;
/// Pairs in a tile.
pub(super) const PAIRS: usize = 16;
/// Values that are added up in a tile: two in each pair.
pub(super) const DEPTH: usize = 2 * PAIRS;
/// The same in int8: four in the place of a pair.
pub(super) const DEPTH_INT8: usize = 4 * PAIRS;

/// 16 rows of 16 pairs; the even value of a pair is in the lower half.
#[derive(Debug, Clone, Copy)]
#[repr(C, align(64))]
pub(super) struct Tile(pub(super) [u32; LINES * PAIRS]);

impl Tile {
    pub(super) const ZERO: Self = Self([0; LINES * PAIRS]);
}

/// Which factor a tile belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Side {
    Left,
    Right,
}

/// One factor laid out: strips of 16 lines, each a run of tiles, filled up with zeros. A right factor in int8 may be shifted
/// for its kernel, see [`super::kernel::Kernel::right_int8_shift`].
#[derive(Debug, Default)]
pub(super) struct Packed {
    tiles: Vec<Tile>,
    lines: usize,
    depth: usize,
    /// In int8: what one step is worth in each line. Empty in bf16.
    steps: Vec<f32>,
}

impl Packed {
    /// Makes room for `lines` times `depth` values in bf16 and gives the tiles, whose content is arbitrary.
    pub(super) fn reset(&mut self, lines: usize, depth: usize) -> &mut [Tile] {
        self.steps.clear();
        self.tiles(lines, depth.div_ceil(DEPTH))
    }

    /// The same in int8, with the worth of a step for each line.
    pub(super) fn reset_int8(&mut self, lines: usize, depth: usize) -> (&mut [Tile], &mut [f32]) {
        let mut steps = std::mem::take(&mut self.steps);
        steps.resize(lines, 0.0);
        self.tiles(lines, depth.div_ceil(DEPTH_INT8));
        self.steps = steps;
        let wanted = self.strips() * self.depth;
        (&mut self.tiles[..wanted], &mut self.steps)
    }

    fn tiles(&mut self, lines: usize, depth: usize) -> &mut [Tile] {
        (self.lines, self.depth) = (lines, depth);
        let wanted = self.strips() * depth;
        if self.tiles.len() < wanted {
            self.tiles = vec![Tile::ZERO; wanted];
        }
        &mut self.tiles[..wanted]
    }

    /// In int8: what one step is worth in each line.
    pub(super) fn steps(&self) -> Option<&[f32]> {
        (!self.steps.is_empty()).then_some(&self.steps)
    }

    /// Rows of the left factor, or columns of the right one.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Tiles in a strip.
    pub(super) fn depth(&self) -> usize {
        self.depth
    }

    pub(super) fn strips(&self) -> usize {
        self.lines.div_ceil(LINES)
    }

    /// Tiles `from..to` of strip `i`.
    pub(super) fn strip(&self, i: usize, from: usize, to: usize) -> &[Tile] {
        &self.tiles[i * self.depth + from..i * self.depth + to]
    }
}

/// The nearest bf16 value, ties to even, as the upper half of an f32.
#[inline(always)]
pub(super) fn round(x: f32) -> u16 {
    let bits = x.to_bits();
    if x.is_nan() {
        return (bits >> 16) as u16 | 0x40;
    }
    ((bits + 0x7fff + (bits >> 16 & 1)) >> 16) as u16
}

/// The two values of a pair.
#[inline(always)]
pub(super) fn values(pair: u32) -> (f32, f32) {
    (f32::from_bits(pair << 16), f32::from_bits(pair & 0xffff_0000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_to_nearest_even() {
        let rounded = |x: f32| values(u32::from(round(x))).0;
        assert_eq!(rounded(1.0), 1.0);
        assert_eq!(rounded(1.0 + 1.0 / 256.0), 1.0);
        assert_eq!(rounded(1.0 + 3.0 / 256.0), 1.0 + 4.0 / 256.0);
        assert_eq!(rounded(-1.003), -1.0);
        assert_eq!(rounded(f32::INFINITY), f32::INFINITY);
        assert!(rounded(f32::NAN).is_nan());
    }
}

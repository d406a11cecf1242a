//! Rows of a coarser component at the picture's full width, by libjpeg's "fancy" triangle filter.
//!
//! Source: libjpeg-turbo, `src/jdsample.c`: which method is used when, and how each rounds.

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instructions found at run time"
)]

use super::markers::{Component, Frame};

/// The samples of one component: as many of its last rows as are still needed.
pub(super) struct Plane {
    /// A row that is not needed any more makes room for a new one.
    samples: Vec<u8>,
    stride: usize,
    /// Rows that there is room for.
    kept: usize,
    /// Side of a block.
    pub(super) side: usize,
    /// What of it belongs to the picture.
    pub(super) width: usize,
    height: usize,
    /// How much coarser it is than the picture.
    pub(super) across: usize,
    down: usize,
    /// Whether coarse samples are smoothed.
    smooth: bool,
}

impl Plane {
    /// Room for two rows of units: the rows of a unit need one of the unit before and one of the unit after.
    pub(super) fn new(frame: &Frame, component: &Component) -> Self {
        let (side, (width, height)) = (component.side(frame), component.size(frame));
        let (across, down) = frame.sampling();
        let (stride, kept) = (component.blocks_across * side, 2 * component.down * side);
        Self {
            samples: vec![0; stride * kept],
            stride,
            kept,
            side,
            width,
            height,
            across: across * frame.block / (component.across * side),
            down: down * frame.block / (component.down * side),
            smooth: frame.block > 1,
        }
    }

    /// Where block `x` of row `y` of blocks begins, with rows `stride` apart.
    #[inline(always)]
    pub(super) fn block(&mut self, x: usize, y: usize) -> (&mut [u8], usize) {
        let row = y * self.side % self.kept;
        (&mut self.samples[row * self.stride + x * self.side..], self.stride)
    }

    fn row(&self, y: usize) -> &[u8] {
        &self.samples[y % self.kept * self.stride..][..self.width]
    }

    /// Row `y` of the picture; `out` has room for at least `width * across` samples.
    #[inline(always)]
    pub(super) fn upsampled(&self, y: usize, sums: &mut [u16], out: &mut [u8]) {
        let near = self.row(y / self.down);
        match (self.across, self.down) {
            (1, 1) => out[..self.width].copy_from_slice(near),
            (2, 1) if self.smooth && self.width > 2 => twice_across(near, out),
            (1, 2) if self.smooth => twice_down(near, self.other(y), y % 2, out),
            (2, 2) if self.smooth && self.width > 2 => {
                let sums = &mut sums[..self.width];
                for (sum, (&near, &far)) in sums.iter_mut().zip(near.iter().zip(self.other(y))) {
                    *sum = 3 * u16::from(near) + u16::from(far);
                }
                twice_both(sums, out);
            }
            _ => repeated(near, self.across, out),
        }
    }

    /// The row on the other side of row `y` of the picture: above an even one, below an odd one.
    #[inline(always)]
    fn other(&self, y: usize) -> &[u8] {
        let near = y / 2;
        self.row(if y.is_multiple_of(2) {
            near.saturating_sub(1)
        } else {
            (near + 1).min(self.height - 1)
        })
    }
}

#[inline(always)]
fn repeated(near: &[u8], times: usize, out: &mut [u8]) {
    for (out, &value) in out.chunks_exact_mut(times).zip(near) {
        out.fill(value);
    }
}

#[inline(always)]
fn twice_down(near: &[u8], far: &[u8], odd: usize, out: &mut [u8]) {
    let bias = 1 + odd as u16;
    for (out, (&near, &far)) in out.iter_mut().zip(near.iter().zip(far)) {
        *out = ((3 * u16::from(near) + u16::from(far) + bias) >> 2) as u8;
    }
}

#[inline(always)]
fn twice_across(near: &[u8], out: &mut [u8]) {
    let last = near.len() - 1;
    out[0] = near[0];
    out[2 * last + 1] = near[last];
    for (pair, two) in out[1..=2 * last].chunks_exact_mut(2).zip(near.windows(2)) {
        let (left, right) = (u16::from(two[0]), u16::from(two[1]));
        pair[0] = ((3 * left + right + 2) >> 2) as u8;
        pair[1] = ((3 * right + left + 1) >> 2) as u8;
    }
}

/// `sums`: three times the near row and once the far one.
#[inline(always)]
fn twice_both(sums: &[u16], out: &mut [u8]) {
    let last = sums.len() - 1;
    out[0] = ((4 * sums[0] + 8) >> 4) as u8;
    out[2 * last + 1] = ((4 * sums[last] + 7) >> 4) as u8;
    for (pair, two) in out[1..=2 * last].chunks_exact_mut(2).zip(sums.windows(2)) {
        pair[0] = ((3 * two[0] + two[1] + 7) >> 4) as u8;
        pair[1] = ((3 * two[1] + two[0] + 8) >> 4) as u8;
    }
}

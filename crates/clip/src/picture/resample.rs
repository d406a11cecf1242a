//! Resizing as Pillow does it, to the bit, for any part of the result.
//!
//! Two passes, one for each direction, with 22-bit fixed-point weights and an 8-bit picture between them. A kernel sees
//! every pixel of the picture, also those outside the area that is resized, so a window of a resize is exactly the
//! crop of the whole. Only the window is ever computed. It knows pixels, not what a model wants of them.
//!
//! Source: Pillow, `src/libImaging/Resample.c` and `ImagingScaleAffine` in `src/libImaging/Geometry.c` (13.0).

#![expect(
    clippy::inline_always,
    reason = "only what is inlined is compiled for the instructions found at run time"
)]

mod transpose;

use std::ops::Range;

use super::Picture;
use transpose::LANES;

/// How source pixels are weighted; the kernels are widened when the picture shrinks (antialiasing), but for `Nearest`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Filter {
    /// The pixel under the centre, without antialiasing.
    Nearest,
    /// The mean of what is covered.
    Box,
    /// A triangle of radius 1.
    Bilinear,
    /// A Hamming-windowed sinc of radius 1.
    Hamming,
    /// Keys' cubic with a = -0.5, radius 2.
    Bicubic,
    /// A Lanczos-windowed sinc of radius 3.
    Lanczos,
}

/// A rectangle of a picture in pixels; edges may fall between pixels.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Area {
    /// Left edge.
    pub x: f64,
    /// Upper edge.
    pub y: f64,
    /// Extent to the right, above 0.
    pub width: f64,
    /// Extent downwards, above 0.
    pub height: f64,
}

impl Area {
    /// The whole of `picture`.
    pub fn of(picture: &Picture) -> Self {
        Self { x: 0.0, y: 0.0, width: picture.width() as f64, height: picture.height() as f64 }
    }
}

/// A resize to `width` x `height` pixels of which only the columns and rows of the window are wanted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) width: usize,
    pub(crate) height: usize,
    pub(crate) columns: Range<usize>,
    pub(crate) rows: Range<usize>,
}

/// Resizes `area` of `picture` to `width` x `height` pixels, as Pillow's `Image.resize(size, resample, box)` does.
///
/// Pixels just outside the area take part where the kernel reaches them.
///
/// # Panics
/// When the area is empty or not inside the picture, or a side of the result is 0.
pub fn resample(
    picture: &Picture,
    area: Area,
    width: usize,
    height: usize,
    filter: Filter,
) -> Picture {
    resample_window(
        picture,
        area,
        &Target { width, height, columns: 0..width, rows: 0..height },
        filter,
    )
}

/// The window of [`resample`]'s result, without computing the rest.
pub(crate) fn resample_window(
    picture: &Picture,
    area: Area,
    target: &Target,
    filter: Filter,
) -> Picture {
    assert!(
        area.width > 0.0 && area.height > 0.0 && area.x >= 0.0 && area.y >= 0.0,
        "an area inside: {area:?}"
    );
    let (right, bottom) = (area.x + area.width, area.y + area.height);
    let slack = 1e-6;
    assert!(
        right <= picture.width() as f64 + slack && bottom <= picture.height() as f64 + slack,
        "inside: {area:?}"
    );
    if area == Area::of(picture)
        && (target.width, target.height) == (picture.width(), picture.height())
    {
        return picture.crop(target.columns.clone(), target.rows.clone());
    }
    if filter == Filter::Nearest {
        return nearest(picture, area, target);
    }
    let Target { width, height, columns, rows } = target;
    let across = Axis::new(filter, picture.width(), (area.x, area.width), *width, columns.clone());
    let down = Axis::new(filter, picture.height(), (area.y, area.height), *height, rows.clone());
    pulp::Arch::new().dispatch(Passes { picture, across, down, first: First::of(picture, target) })
}

/// The pass that comes first; the rounding between them is part of the result.
enum First {
    Horizontal,
    Vertical,
}

impl First {
    /// Since version 13.0 Pillow begins vertically where the height loses more than twice what the
    /// width does. Older versions always begin horizontally, which changes a few values.
    fn of(picture: &Picture, target: &Target) -> Self {
        let shorter = picture.height() as i64 - target.height as i64;
        let narrower = picture.width() as i64 - target.width as i64;
        if shorter > 0 && shorter > 2 * narrower { Self::Vertical } else { Self::Horizontal }
    }
}

/// Both passes: plain loops, compiled for each level of vector instructions, chosen at run time.
struct Passes<'a> {
    picture: &'a Picture,
    across: Axis,
    down: Axis,
    first: First,
}

impl pulp::NullaryFnOnce for Passes<'_> {
    type Output = Picture;

    #[inline(always)]
    fn call(self) -> Picture {
        let (columns, rows) = (self.across.reach(), self.down.reach());
        match self.first {
            First::Horizontal => {
                let between = horizontal(self.picture, &self.across, rows.clone());
                vertical(&between, &self.down.shifted(rows.start), 0..between.width())
            }
            First::Vertical => {
                let between = vertical(self.picture, &self.down, columns.clone());
                horizontal(&between, &self.across.shifted(columns.start), 0..between.height())
            }
        }
    }
}

/// Bits after the point in the weights: 32 less 8 of the pixel less 2 of headroom.
const PRECISION: u32 = 32 - 8 - 2;
/// One half, added so that the final shift rounds.
const HALF: i32 = 1 << (PRECISION - 1);
/// One column of such rows: all reds, all greens, all blues.
const COLUMN: usize = 3 * LANES;

/// For each wanted output position of one axis: where its kernel starts, and the weights.
struct Axis {
    starts: Vec<usize>,
    weights: Vec<i32>,
    ends: Vec<usize>,
}

impl Axis {
    /// The `wanted` positions of a resize of `input` pixels, from `start` and `length` long, to `output`.
    fn new(
        filter: Filter,
        input: usize,
        (start, length): (f64, f64),
        output: usize,
        wanted: Range<usize>,
    ) -> Self {
        let scale = length / output as f64;
        let stretch = scale.max(1.0);
        let shrink = 1.0 / stretch;
        let support = filter.support() * stretch;
        let mut axis = Self { starts: Vec::new(), weights: Vec::new(), ends: Vec::new() };
        for position in wanted {
            let centre = start + (position as f64 + 0.5) * scale;
            let first = (centre - support + 0.5).max(0.0) as usize;
            let last = ((centre + support + 0.5) as usize).min(input);
            let kernel = (first..last).map(|x| filter.weight((x as f64 - centre + 0.5) * shrink));
            axis.push(first, &kernel.collect::<Vec<_>>());
        }
        axis
    }

    fn push(&mut self, start: usize, kernel: &[f64]) {
        let total: f64 = kernel.iter().sum();
        let norm = if total == 0.0 { 1.0 } else { total };
        self.starts.push(start);
        self.weights.extend(kernel.iter().map(|weight| fixed(weight / norm)));
        self.ends.push(self.weights.len());
    }

    /// The same kernels over a picture that lacks the first `by` positions.
    fn shifted(mut self, by: usize) -> Self {
        self.starts.iter_mut().for_each(|start| *start -= by);
        self
    }

    fn len(&self) -> usize {
        self.starts.len()
    }

    /// First source position and weights of output `index`.
    fn kernel(&self, index: usize) -> (usize, &[i32]) {
        let from = if index == 0 { 0 } else { self.ends[index - 1] };
        (self.starts[index], &self.weights[from..self.ends[index]])
    }

    /// The source positions that any kernel touches.
    fn reach(&self) -> Range<usize> {
        let (first, _) = self.kernel(0);
        let (last, weights) = self.kernel(self.len() - 1);
        first..last + weights.len()
    }
}

/// Pillow's rounding of a weight: half away from zero.
fn fixed(weight: f64) -> i32 {
    let half = if weight < 0.0 { -0.5 } else { 0.5 };
    (half + weight * f64::from(1 << PRECISION)) as i32
}

#[inline(always)]
fn pixel(sum: i32) -> u8 {
    (sum >> PRECISION).clamp(0, 255) as u8
}

/// Every wanted column, of these rows only.
#[inline(always)]
fn horizontal(picture: &Picture, axis: &Axis, rows: Range<usize>) -> Picture {
    let span = axis.reach();
    let stride = axis.len() * 3;
    let mut rgb = vec![0; stride * rows.len()];
    let mut columns = vec![0; span.len() * COLUMN];
    for (block, out) in rgb.chunks_mut(stride * LANES).enumerate() {
        let top = rows.start + block * LANES;
        // Lanes without a row of their own take the last one, and nobody reads what comes of it.
        let row = |lane: usize| {
            &picture.row((top + lane).min(rows.end - 1))[span.start * 3..span.end * 3]
        };
        transpose::rows_to_lanes(&std::array::from_fn(row), &mut columns);
        mix_columns(axis, span.start, &columns, out);
    }
    Picture::new(axis.len(), rows.len(), rgb)
}

/// The horizontal pass over one block of rows that stand in `columns` as lanes.
#[inline(always)]
fn mix_columns(axis: &Axis, left: usize, columns: &[u8], out: &mut [u8]) {
    let stride = axis.len() * 3;
    for index in 0..axis.len() {
        let (start, weights) = axis.kernel(index);
        let taps = &columns[(start - left) * COLUMN..][..weights.len() * COLUMN];
        let mut sums = [HALF; COLUMN];
        for (tap, &weight) in taps.chunks_exact(COLUMN).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(tap) {
                *sum += i32::from(value) * weight;
            }
        }
        let pixels = sums.map(pixel);
        for (lane, row) in out.chunks_exact_mut(stride).enumerate() {
            let [red, green, blue] = [pixels[lane], pixels[LANES + lane], pixels[2 * LANES + lane]];
            row[index * 3..index * 3 + 3].copy_from_slice(&[red, green, blue]);
        }
    }
}

/// Every wanted row, of these columns only.
#[inline(always)]
fn vertical(picture: &Picture, axis: &Axis, columns: Range<usize>) -> Picture {
    let stride = columns.len() * 3;
    let mut rgb = vec![0; stride * axis.len()];
    for (index, out) in rgb.chunks_exact_mut(stride).enumerate() {
        let (start, weights) = axis.kernel(index);
        let width = picture.width() * 3;
        let rows = &picture.rgb()[start * width..][..weights.len() * width];
        mix_rows(weights, rows, columns.start * 3, out);
    }
    Picture::new(columns.len(), axis.len(), rgb)
}

/// Mixes whole rows from byte `left` on, a few values at a time so that the sums stay in registers.
#[inline(always)]
fn mix_rows(weights: &[i32], rows: &[u8], left: usize, out: &mut [u8]) {
    const VALUES: usize = 64;
    let stride = rows.len() / weights.len();
    for (chunk, out) in out.chunks_mut(VALUES).enumerate() {
        let mut sums = [HALF; VALUES];
        for (row, &weight) in rows.chunks_exact(stride).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(&row[left + chunk * VALUES..][..out.len()]) {
                *sum += i32::from(value) * weight;
            }
        }
        for (value, &sum) in out.iter_mut().zip(&sums) {
            *value = pixel(sum);
        }
    }
}

fn nearest(picture: &Picture, area: Area, target: &Target) -> Picture {
    let columns =
        nearest_positions(area.x, area.width, target.width, &target.columns, picture.width());
    let rows =
        nearest_positions(area.y, area.height, target.height, &target.rows, picture.height());
    let mut rgb = Vec::with_capacity(columns.len() * rows.len() * 3);
    for row in rows.iter().map(|&y| picture.row(y)) {
        for &x in &columns {
            rgb.extend_from_slice(&row[x * 3..x * 3 + 3]);
        }
    }
    Picture::new(columns.len(), rows.len(), rgb)
}

/// The position is summed step by step, as Pillow does: rounding errors are part of the result.
fn nearest_positions(
    start: f64,
    length: f64,
    output: usize,
    wanted: &Range<usize>,
    input: usize,
) -> Vec<usize> {
    let step = length / output as f64;
    let first = start + step * 0.5;
    let positions = std::iter::successors(Some(first), |at| Some(at + step));
    positions.skip(wanted.start).take(wanted.len()).map(|at| (at as usize).min(input - 1)).collect()
}

impl Filter {
    /// Radius of the kernel when enlarging.
    fn support(self) -> f64 {
        match self {
            Self::Nearest | Self::Box => 0.5,
            Self::Bilinear | Self::Hamming => 1.0,
            Self::Bicubic => 2.0,
            Self::Lanczos => 3.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        match self {
            Self::Nearest | Self::Box => f64::from(u8::from(x > -0.5 && x <= 0.5)),
            Self::Bilinear => (1.0 - x.abs()).max(0.0),
            Self::Hamming => hamming(x.abs()),
            Self::Bicubic => bicubic(x.abs()),
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Self::Lanczos => 0.0,
        }
    }
}

fn sinc(x: f64) -> f64 {
    let angle = x * std::f64::consts::PI;
    if angle == 0.0 { 1.0 } else { angle.sin() / angle }
}

fn hamming(x: f64) -> f64 {
    if x >= 1.0 { 0.0 } else { sinc(x) * (0.54 + 0.46 * (x * std::f64::consts::PI).cos()) }
}

/// Source: Keys, "Cubic convolution interpolation for digital image processing" (1981), a = -0.5.
fn bicubic(x: f64) -> f64 {
    const A: f64 = -0.5;
    if x < 1.0 {
        ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
    } else if x < 2.0 {
        (((x - 5.0) * x + 8.0) * x - 4.0) * A
    } else {
        0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The horizontal pass, one value after the other.
    fn plain(picture: &Picture, axis: &Axis, rows: Range<usize>) -> Picture {
        let value = |y: usize, index: usize, channel: usize| {
            let (start, weights) = axis.kernel(index);
            let taps = picture.row(y)[start * 3 + channel..].iter().step_by(3);
            pixel(weights.iter().zip(taps).fold(HALF, |sum, (w, tap)| sum + w * i32::from(*tap)))
        };
        let pixels = |y| (0..axis.len()).flat_map(move |i| (0..3).map(move |c| (y, i, c)));
        let values = rows.clone().flat_map(pixels).map(|(y, index, c)| value(y, index, c));
        Picture::new(axis.len(), rows.len(), values.collect())
    }

    #[test]
    fn the_horizontal_pass_is_the_sum_written_out() {
        for (width, height, wanted) in [(1, 1, 3), (21, 3, 9), (22, 16, 30), (300, 37, 11)] {
            let bytes = (0..width * height * 3).map(|i| (i * i / 7 + i) as u8).collect();
            let picture = Picture::new(width, height, bytes);
            let whole = (0.0, width as f64);
            let axis = Axis::new(Filter::Bicubic, width, whole, wanted, 1..wanted - 1);
            for rows in [0..height, height / 2..height] {
                let fast = horizontal(&picture, &axis, rows.clone());
                assert!(
                    fast == plain(&picture, &axis, rows.clone()),
                    "{width} x {height}, {rows:?}"
                );
            }
        }
    }
}

//! All vectors of the store at one moment, as plain rows of f32.

use std::sync::Arc;

use crate::embedded::mapped::{Mapped, as_f32};
use crate::rows::Row;

/// Rows in one file of vectors.
pub(crate) const SEGMENT_ROWS: usize = 1 << 16;

/// Vectors of rows 0 to N, those of deleted pictures included. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Vectors {
    dim: usize,
    rows: usize,
    /// Each holds [`SEGMENT_ROWS`] rows, the last one perhaps fewer.
    segments: Vec<Arc<Segment>>,
}

/// Where the numbers of a segment are.
#[derive(Debug)]
pub(crate) enum Segment {
    /// In a file.
    Mapped(Mapped),
    /// In memory.
    #[cfg_attr(not(test), allow(dead_code, reason = "tests and examples hold vectors in memory"))]
    Held(Vec<f32>),
}

impl Segment {
    fn numbers(&self) -> &[f32] {
        match self {
            Self::Mapped(bytes) => as_f32(bytes),
            Self::Held(numbers) => numbers,
        }
    }
}

impl Vectors {
    /// # Shapes
    /// Each segment `(SEGMENT_ROWS, D)`, the last `(rows % SEGMENT_ROWS, D)`.
    pub(crate) fn new(dim: usize, rows: usize, segments: Vec<Arc<Segment>>) -> Self {
        debug_assert_eq!(segments.len(), rows.div_ceil(SEGMENT_ROWS));
        Self { dim, rows, segments }
    }

    /// Vectors in memory.
    ///
    /// # Shapes
    /// `numbers` is `(N, D)`.
    #[cfg_attr(not(test), allow(dead_code, reason = "tests and examples hold vectors in memory"))]
    pub(crate) fn held(dim: usize, numbers: &[f32]) -> Self {
        let segments = numbers.chunks(SEGMENT_ROWS * dim);
        let segments = segments.map(|rows| Arc::new(Segment::Held(rows.to_vec()))).collect();
        Self::new(dim, numbers.len() / dim, segments)
    }

    /// The files or pieces of memory, in order.
    pub(crate) fn segments(&self) -> &[Arc<Segment>] {
        &self.segments
    }

    /// D.
    pub(crate) fn dim(&self) -> usize {
        self.dim
    }

    /// N.
    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    /// `(D,)`: one vector.
    #[inline]
    pub(crate) fn row(&self, row: Row) -> &[f32] {
        let (segment, place) = (row as usize / SEGMENT_ROWS, row as usize % SEGMENT_ROWS);
        &self.segments[segment].numbers()[place * self.dim..][..self.dim]
    }
}

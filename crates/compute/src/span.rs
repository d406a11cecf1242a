//! A span of a device's memory: which buffer, from where, how long, of what type.

/// Type of the elements of a buffer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum DType {
    /// 32-bit floats: weights, activations, gradients.
    F32,
    /// 32-bit unsigned integers: token ids, row numbers, groups.
    U32,
}

/// A run of elements in one buffer of a device; a plain handle, copied freely.
///
/// A span means nothing to another device than the one that made it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Span {
    pub(crate) buffer: usize,
    pub(crate) start: usize,
    len: usize,
    dtype: DType,
}

impl Span {
    /// The whole of buffer number `buffer`, which has `len` elements. For implementors of devices.
    pub fn whole(buffer: usize, len: usize, dtype: DType) -> Self {
        Self { buffer, start: 0, len, dtype }
    }

    /// Number of elements.
    #[expect(clippy::len_without_is_empty, reason = "nobody asks whether planned memory is empty")]
    pub fn len(self) -> usize {
        self.len
    }

    /// Type of the elements.
    pub fn dtype(self) -> DType {
        self.dtype
    }

    /// The `len` elements from `start` on, counted from this span's own start.
    ///
    /// # Panics
    /// If they reach beyond the span.
    #[must_use]
    pub fn part(self, start: usize, len: usize) -> Self {
        let fits = start.checked_add(len).is_some_and(|end| end <= self.len);
        assert!(fits, "{len} elements from {start} reach beyond a span of {}", self.len);
        Self { start: self.start + start, len, ..self }
    }

    /// Whether the two spans share an element.
    pub(crate) fn overlaps(self, other: Self) -> bool {
        self.buffer == other.buffer
            && self.len > 0
            && other.len > 0
            && self.start < other.start + other.len
            && other.start < self.start + self.len
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbouring_parts_do_not_overlap() {
        let whole = Span::whole(0, 10, DType::F32);
        let (left, right) = (whole.part(0, 5), whole.part(5, 5));
        assert!(!left.overlaps(right));
        assert!(left.overlaps(whole.part(4, 1)));
        assert!(!left.overlaps(Span::whole(1, 10, DType::F32)));
    }

    #[test]
    #[should_panic(expected = "reach beyond")]
    fn a_part_stays_inside() {
        let _ = Span::whole(0, 10, DType::F32).part(8, 3);
    }
}

//! Sets of rows, one bit each.
//!
//! A row is the number under which the store keeps a picture: rows count up and are never used twice.

/// Number of a picture in the store.
pub(crate) type Row = u32;

/// A set of rows below a length.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub(crate) struct RowSet {
    words: Vec<u64>,
    len: usize,
}

impl RowSet {
    /// No row of `len`.
    pub(crate) fn none(len: usize) -> Self {
        Self { words: vec![0; len.div_ceil(64)], len }
    }

    /// Every row below `len`.
    pub(crate) fn all(len: usize) -> Self {
        let mut set = Self { words: vec![u64::MAX; len.div_ceil(64)], len };
        if let Some(last) = set.words.last_mut().filter(|_| !len.is_multiple_of(64)) {
            *last = (1 << (len % 64)) - 1;
        }
        set
    }

    /// Rows that could be in it.
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    /// Rows that are in it.
    pub(crate) fn count(&self) -> usize {
        self.words.iter().map(|word| word.count_ones() as usize).sum()
    }

    /// Whether this row is in it; rows beyond the length are not.
    #[inline]
    pub(crate) fn contains(&self, row: Row) -> bool {
        self.words.get(row as usize / 64).is_some_and(|word| word >> (row % 64) & 1 == 1)
    }

    /// Takes a row in.
    pub(crate) fn insert(&mut self, row: Row) {
        debug_assert!((row as usize) < self.len);
        self.words[row as usize / 64] |= 1 << (row % 64);
    }

    /// Takes a row out.
    pub(crate) fn remove(&mut self, row: Row) {
        if let Some(word) = self.words.get_mut(row as usize / 64) {
            *word &= !(1 << (row % 64));
        }
    }

    /// Makes room up to `len`; the new rows are in it.
    pub(crate) fn grow(&mut self, len: usize) {
        let old = self.len;
        self.words.resize(len.div_ceil(64), 0);
        self.len = len;
        for row in old..len {
            self.insert(row as Row);
        }
    }

    /// Keeps what is in both.
    pub(crate) fn intersect(&mut self, other: &Self) {
        let others = other.words.iter().copied().chain(std::iter::repeat(0));
        for (word, other) in self.words.iter_mut().zip(others) {
            *word &= other;
        }
    }

    /// Takes out what is in the other.
    pub(crate) fn subtract(&mut self, other: &Self) {
        for (word, other) in self.words.iter_mut().zip(&other.words) {
            *word &= !other;
        }
    }

    /// The rows, ascending.
    pub(crate) fn iter(&self) -> impl Iterator<Item = Row> + '_ {
        self.words.iter().enumerate().flat_map(|(place, &word)| {
            let mut rest = word;
            std::iter::from_fn(move || {
                (rest != 0).then(|| {
                    let bit = rest.trailing_zeros();
                    rest &= rest - 1;
                    place as Row * 64 + bit
                })
            })
        })
    }

    /// The rows, descending.
    pub(crate) fn newest(&self) -> impl Iterator<Item = Row> + '_ {
        (0..self.len as Row).rev().filter(|&row| self.contains(row))
    }
}

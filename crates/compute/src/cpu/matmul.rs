//! Matrix products on strided views, through the `gemm` crate.
#![expect(
    unsafe_code,
    reason = "gemm takes pointers, and blocks of one matrix are written from several threads; the bounds are checked here"
)]

use std::marker::PhantomData;

use gemm::Parallelism;

use super::bf16::{Kernel, Small};

/// A strided view for reading.
#[derive(Debug, Clone, Copy)]
pub(super) struct Matrix<'a> {
    data: &'a [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
    column_stride: usize,
}

impl<'a> Matrix<'a> {
    /// Rows that follow each other.
    pub(super) fn new(data: &'a [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Rows that start `row_stride` apart.
    pub(super) fn strided(data: &'a [f32], rows: usize, columns: usize, row_stride: usize) -> Self {
        assert!(fits(data.len(), rows, columns, row_stride), "a matrix reaches beyond its memory");
        Self { data, rows, columns, row_stride, column_stride: 1 }
    }

    /// The transposed view.
    pub(super) fn t(self) -> Self {
        let Self { data, rows, columns, row_stride, column_stride } = self;
        Self {
            data,
            rows: columns,
            columns: rows,
            row_stride: column_stride,
            column_stride: row_stride,
        }
    }
}

/// What the bf16 products read of a view.
impl Matrix<'_> {
    /// Rows and columns.
    pub(super) fn shape(self) -> (usize, usize) {
        (self.rows, self.columns)
    }

    /// Whether neighbours in memory stand in one column rather than in one row.
    pub(super) fn is_across(self) -> bool {
        self.column_stride != 1
    }

    /// At most `rows.1` rows from `rows.0` on, and columns alike: fewer where the view ends.
    pub(super) fn part(self, rows: (usize, usize), columns: (usize, usize)) -> Self {
        let start = rows.0 * self.row_stride + columns.0 * self.column_stride;
        Self {
            data: &self.data[start..],
            rows: rows.1.min(self.rows - rows.0),
            columns: columns.1.min(self.columns - columns.0),
            ..self
        }
    }

    pub(super) fn at(self, row: usize, column: usize) -> f32 {
        self.data[row * self.row_stride + column * self.column_stride]
    }
}

impl<'a> Matrix<'a> {
    /// One row of a view whose rows stand in one piece.
    #[inline]
    pub(super) fn row(self, row: usize) -> &'a [f32] {
        debug_assert!(!self.is_across(), "a row in one piece");
        &self.data[row * self.row_stride..][..self.columns]
    }

    /// The memory of such a view from one row on.
    pub(super) fn rows_from(self, row: usize) -> &'a [f32] {
        debug_assert!(!self.is_across(), "rows in one piece each");
        &self.data[row * self.row_stride..]
    }
}

fn fits(len: usize, rows: usize, columns: usize, row_stride: usize) -> bool {
    columns <= row_stride && (rows == 0 || (rows - 1) * row_stride + columns <= len)
}

/// A strided view for writing.
#[derive(Debug)]
pub(super) struct MatrixMut<'a> {
    data: &'a mut [f32],
    rows: usize,
    columns: usize,
    row_stride: usize,
}

impl<'a> MatrixMut<'a> {
    /// Rows that follow each other.
    pub(super) fn new(data: &'a mut [f32], rows: usize, columns: usize) -> Self {
        Self::strided(data, rows, columns, columns)
    }

    /// Rows that start `row_stride` apart.
    pub(super) fn strided(
        data: &'a mut [f32],
        rows: usize,
        columns: usize,
        row_stride: usize,
    ) -> Self {
        assert!(fits(data.len(), rows, columns, row_stride), "a matrix reaches beyond its memory");
        Self { data, rows, columns, row_stride }
    }
}

impl<'a> MatrixMut<'a> {
    /// Memory, rows, columns, and elements from one row to the next.
    pub(super) fn parts(self) -> (&'a mut [f32], usize, usize, usize) {
        (self.data, self.rows, self.columns, self.row_stride)
    }
}

/// A matrix that several threads write, each its own blocks.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    first: *mut f32,
    rows: usize,
    columns: usize,
    row_stride: usize,
    life: PhantomData<&'a mut [f32]>,
}

// SAFETY: elements are reached through `row` only, whose callers share none.
unsafe impl Send for Cells<'_> {}
// SAFETY: as above.
unsafe impl Sync for Cells<'_> {}

impl<'a> Cells<'a> {
    pub(super) fn new(matrix: MatrixMut<'a>) -> Self {
        let (data, rows, columns, row_stride) = matrix.parts();
        Self { first: data.as_mut_ptr(), rows, columns, row_stride, life: PhantomData }
    }

    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// The address of an element.
    pub(super) fn place(&self, row: usize, column: usize) -> *const f32 {
        self.first.wrapping_add(row * self.row_stride + column)
    }

    /// # Safety
    /// Nobody else holds one of these elements meanwhile.
    pub(super) unsafe fn row(&self, row: usize, from: usize, len: usize) -> &'a mut [f32] {
        assert!(row < self.rows && from + len <= self.columns, "a block reaches beyond its matrix");
        // SAFETY: the view was checked when it was made: row `row` has `columns` elements from there on. That
        // nobody else holds them is promised by the caller.
        unsafe { std::slice::from_raw_parts_mut(self.first.add(row * self.row_stride + from), len) }
    }
}

/// Whether a product replaces what is there or is added to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Into {
    Set,
    Add,
}

/// `out = scale * a b`, or added to it, on all threads.
pub(super) fn multiply(out: MatrixMut<'_>, into: Into, a: Matrix<'_>, b: Matrix<'_>) {
    product(out, into, a, b, 1.0, Parallelism::Rayon(0));
}

/// Small products inside a parallel loop, one after the other on the calling thread.
pub(super) enum Products {
    F32,
    Bf16(Small),
}

impl Products {
    /// In bf16 with that kernel, or in f32.
    pub(super) fn new(bf16: Option<Kernel>) -> Self {
        bf16.map_or(Self::F32, |kernel| Self::Bf16(Small::new(kernel)))
    }

    /// `out = scale * a b`, or added to it.
    pub(super) fn multiply(
        &mut self,
        out: MatrixMut<'_>,
        into: Into,
        a: Matrix<'_>,
        b: Matrix<'_>,
        scale: f32,
    ) {
        match self {
            Self::F32 => product(out, into, a, b, scale, Parallelism::None),
            Self::Bf16(small) => small.multiply(out, into, a, b, scale),
        }
    }
}

fn product(
    out: MatrixMut<'_>,
    into: Into,
    a: Matrix<'_>,
    b: Matrix<'_>,
    scale: f32,
    threads: Parallelism,
) {
    let MatrixMut { data, rows, columns, row_stride } = out;
    assert_eq!((rows, columns, a.columns), (a.rows, b.columns, b.rows), "shapes of a product");
    let stride = |s: usize| s as isize;
    // SAFETY: the three views were checked against their slices when they were made (a transposed view
    // covers the same elements), the shapes agree, and `out` is borrowed mutably, so it overlaps neither.
    unsafe {
        gemm::gemm(
            rows,
            columns,
            a.columns,
            data.as_mut_ptr(),
            1,
            stride(row_stride),
            into == Into::Add,
            a.data.as_ptr(),
            stride(a.column_stride),
            stride(a.row_stride),
            b.data.as_ptr(),
            stride(b.column_stride),
            stride(b.row_stride),
            1.0f32,
            scale,
            false,
            false,
            false,
            threads,
        );
    }
}

/// All dot products of rows: `out[q, k] = queries[q] · keys[k]`, on all threads.
///
/// For scores outside of a training step, such as ranking a collection.
///
/// # Shapes
/// `queries` `(Q, dim)`, `keys` `(K, dim)`, `out` `(Q, K)`; Q and K follow from the lengths.
///
/// # Panics
/// If the lengths do not agree.
pub fn dot_products(queries: &[f32], keys: &[f32], dim: usize, out: &mut [f32]) {
    let (q, k) = (queries.len() / dim, keys.len() / dim);
    assert_eq!(
        (q * dim, k * dim, q * k),
        (queries.len(), keys.len(), out.len()),
        "shapes of dot products"
    );
    multiply(
        MatrixMut::new(out, q, k),
        Into::Set,
        Matrix::new(queries, q, dim),
        Matrix::new(keys, k, dim).t(),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_can_be_added_and_transposed() {
        let (a, b) = ([1.0, 2.0, 3.0, 4.0], [1.0, 10.0]);
        let mut out = [100.0, 100.0];
        multiply(
            MatrixMut::new(&mut out, 1, 2),
            Into::Add,
            Matrix::new(&b, 1, 2),
            Matrix::new(&a, 2, 2),
        );
        assert_eq!(out, [131.0, 142.0]);
        multiply(
            MatrixMut::new(&mut out, 1, 2),
            Into::Set,
            Matrix::new(&b, 1, 2),
            Matrix::new(&a, 2, 2).t(),
        );
        assert_eq!(out, [21.0, 43.0]);
    }

    #[test]
    fn empty_products_are_fine() {
        dot_products(&[], &[1.0, 2.0], 2, &mut []);
    }

    #[test]
    #[should_panic(expected = "beyond its memory")]
    fn a_view_stays_in_its_memory() {
        Matrix::strided(&[0.0; 5], 2, 2, 4);
    }
}

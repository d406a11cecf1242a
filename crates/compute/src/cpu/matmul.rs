//! Matrix products on strided views, through the `gemm` crate.
#![expect(unsafe_code, reason = "gemm takes pointers; the bounds are checked here")]

use gemm::Parallelism;

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

/// The same times `scale` on the calling thread only, for small products inside a parallel loop.
pub(super) fn multiply_here(
    out: MatrixMut<'_>,
    into: Into,
    a: Matrix<'_>,
    b: Matrix<'_>,
    scale: f32,
) {
    product(out, into, a, b, scale, Parallelism::None);
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

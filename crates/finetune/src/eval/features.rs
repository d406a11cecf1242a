//! Feature rows that are known to be finite unit vectors.
//!
//! Deliberately refuses what a model should never produce instead of ranking it somewhere: one NaN
//! would otherwise be found by nobody and nowhere.

use std::ops::Range;

use super::Error;

/// How far a row's length may be from 1: an f32 normalisation is off by 1e-7, a bf16 one by a few
/// 1e-3.
const UNIT_TOLERANCE: f64 = 5e-3;

/// Row-major f32 unit vectors of one width.
#[derive(Debug, Clone, PartialEq)]
pub struct Features {
    dim: usize,
    data: Vec<f32>,
}

impl Features {
    /// Takes rows of `dim` values after checking that each is finite and of length 1.
    ///
    /// # Shapes
    /// `data` (N, `dim`), row-major.
    ///
    /// # Errors
    /// Names the first row that is not finite or not a unit vector.
    pub fn new(dim: usize, data: Vec<f32>) -> Result<Self, Error> {
        if dim == 0 || !data.len().is_multiple_of(dim) {
            return Err(Error::RaggedFeatures { dim, values: data.len() });
        }
        data.chunks_exact(dim).enumerate().try_for_each(|(row, values)| check_row(row, values))?;
        Ok(Self { dim, data })
    }

    /// Width of a row.
    pub fn dim(&self) -> usize {
        self.dim
    }

    /// Number of rows.
    pub fn len(&self) -> usize {
        self.data.len() / self.dim
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.data.is_empty()
    }

    /// All values, row-major.
    pub fn values(&self) -> &[f32] {
        &self.data
    }

    /// The values of some consecutive rows.
    pub fn rows(&self, rows: Range<usize>) -> &[f32] {
        &self.data[rows.start * self.dim..rows.end * self.dim]
    }

    /// The rows with these numbers, in this order.
    #[must_use]
    pub fn pick(&self, rows: impl IntoIterator<Item = usize>) -> Self {
        let data = rows.into_iter().flat_map(|row| self.rows(row..row + 1)).copied().collect();
        Self { dim: self.dim, data }
    }

    /// Checks that there are `expected` rows, as wide as `other`'s.
    pub(crate) fn expect(&self, what: &'static str, rows: usize, dim: usize) -> Result<(), Error> {
        if self.dim != dim {
            return Err(Error::Width { what, expected: dim, found: self.dim });
        }
        if self.len() != rows {
            return Err(Error::RowCount { what, expected: rows, found: self.len() });
        }
        Ok(())
    }
}

fn check_row(row: usize, values: &[f32]) -> Result<(), Error> {
    if let Some(&found) = values.iter().find(|value| !value.is_finite()) {
        return Err(Error::NotFinite { row, found });
    }
    let found = length(values);
    if (found - 1.0).abs() > UNIT_TOLERANCE {
        return Err(Error::NotUnit { row, found });
    }
    Ok(())
}

/// Euclidean length, summed in f64.
pub(crate) fn length(values: &[f32]) -> f64 {
    values.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_nan_is_an_error_that_names_its_row() {
        let found = Features::new(2, vec![1.0, 0.0, f32::NAN, 1.0]).unwrap_err();
        assert_eq!(found.to_string(), "feature row 1: expected finite numbers, found NaN");
    }

    #[test]
    fn a_row_that_was_not_normalised_is_refused() {
        let found = Features::new(2, vec![1.0, 0.0, 3.0, 4.0]).unwrap_err();
        assert_eq!(found, Error::NotUnit { row: 1, found: 5.0 });
    }

    #[test]
    fn half_a_row_is_refused() {
        assert!(matches!(Features::new(2, vec![1.0, 0.0, 1.0]), Err(Error::RaggedFeatures { .. })));
        assert!(matches!(Features::new(0, vec![]), Err(Error::RaggedFeatures { .. })));
    }
}

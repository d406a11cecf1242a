//! What can be wrong with the input of an evaluation.

/// What the caller must change before the evaluation can run. Rows count from 0.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The number of values is not a whole number of rows.
    #[error("expected rows of {dim} values, found {values} values in all")]
    RaggedFeatures {
        /// Width of a row.
        dim: usize,
        /// Number of values given.
        values: usize,
    },
    /// A feature is NaN or infinite.
    #[error("feature row {row}: expected finite numbers, found {found}")]
    NotFinite {
        /// The row.
        row: usize,
        /// The value.
        found: f32,
    },
    /// A row is not a unit vector.
    #[error("feature row {row}: expected length 1, found {found}")]
    NotUnit {
        /// The row.
        row: usize,
        /// Its Euclidean length.
        found: f64,
    },
    /// Two lists that belong together differ in length.
    #[error("{what}: expected {expected} rows, found {found}")]
    RowCount {
        /// Which list.
        what: &'static str,
        /// How many rows it should have.
        expected: usize,
        /// How many it has.
        found: usize,
    },
    /// Two sets of features come from different embedding spaces.
    #[error("{what}: expected features of width {expected}, found {found}")]
    Width {
        /// Which features.
        what: &'static str,
        /// Width of the other side.
        expected: usize,
        /// Width found.
        found: usize,
    },
    /// An index points past the end of what it indexes.
    #[error("{what} {row}: expected an index below {expected}, found {found}")]
    Index {
        /// What carries the index.
        what: &'static str,
        /// Its row.
        row: usize,
        /// How many there are to point at.
        expected: usize,
        /// The index.
        found: usize,
    },
    /// An image has no caption, so nothing is right for it.
    #[error("image {image:?} has no caption, so no answer is right for it")]
    ImageWithoutCaption {
        /// Id of the image.
        image: String,
    },
    /// There is nothing to measure.
    #[error("no {what} to evaluate")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// The features of a class's prompts cancel out.
    #[error("class {class}: the features of its prompts cancel out")]
    PromptsCancel {
        /// Index of the class.
        class: usize,
    },
    /// No metric has this name.
    #[error("unknown metric {name:?}, nearest is {nearest:?}; known: {known}")]
    UnknownMetric {
        /// What was asked for.
        name: String,
        /// The known name that is spelt most alike.
        nearest: String,
        /// All known names, comma separated.
        known: String,
    },
    /// Two evaluations to be compared were made on different queries.
    #[error("cannot compare: {what} differ between before and after")]
    DifferentQueries {
        /// What differs.
        what: &'static str,
    },
}

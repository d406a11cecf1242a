//! What the index keeps of one picture.

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::metadata::{self, Metadata};

/// Everything about a picture but its vector.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Record {
    /// Unique in the index.
    pub id: String,
    /// Where the original is, if it is a file.
    pub place: Option<Place>,
    /// What was said about it, in order; may be empty.
    pub captions: Vec<String>,
    /// What to filter by.
    pub metadata: Metadata,
    /// A small JPEG, at most [`THUMBNAIL_PX`] on its longer side; not loaded with a hit.
    pub thumbnail: Option<Vec<u8>>,
}

/// Longer side of a thumbnail.
pub const THUMBNAIL_PX: usize = 384;

/// A file below a named root, so that a collection can move without its index.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// Name of the root; `Embedded::roots` tells the folder.
    pub root: String,
    /// Path below the root, with `/` between its parts.
    pub path: String,
    /// Size of the file when it was embedded.
    pub bytes: u64,
    /// When the file was last changed, in nanoseconds since 1970; what tells a changed file from a known one.
    pub modified_ns: i64,
    /// CRC-32 of the file, for files that were touched but not changed.
    pub crc: u32,
}

/// A record with its vector: what goes into an index.
#[derive(Clone, Debug, PartialEq)]
pub struct Item {
    /// The picture.
    pub record: Record,
    /// `(D,)`: its unit vector.
    pub vector: Vec<f32>,
}

impl Record {
    /// Tells whether captions or metadata changed.
    pub fn words_crc(&self) -> u32 {
        let words = serde_json::to_vec(&(&self.captions, &self.metadata));
        crc32fast::hash(&words.unwrap_or_default())
    }

    /// Whether an index can keep it.
    ///
    /// # Errors
    /// An id that cannot be one, or metadata that could not be read back.
    pub fn check(&self) -> Result<(), Error> {
        check_id(&self.id)?;
        match metadata::unreadable(&self.metadata) {
            Some(reason) => Err(Error::Id { id: self.id.clone(), reason }),
            None => Ok(()),
        }
    }
}

impl Item {
    /// Whether an index of vectors of `dim` numbers can keep it.
    ///
    /// # Errors
    /// Besides those of [`Record::check`], a vector of another width or length.
    pub fn check(&self, dim: usize) -> Result<(), Error> {
        self.record.check()?;
        check_vector(&self.record.id, &self.vector, dim)
    }
}

/// Longest id, in bytes.
const LONGEST_ID: usize = 4_096;

fn check_id(id: &str) -> Result<(), Error> {
    let reason = match id.len() {
        0 => "an id must not be empty",
        1..=LONGEST_ID if !id.contains('\0') => return Ok(()),
        1..=LONGEST_ID => "an id must not hold a zero byte",
        _ => "an id must not be longer than 4,096 bytes",
    };
    Err(Error::Id { id: id.chars().take(80).collect(), reason })
}

/// How far the length of a unit vector may be from 1; f32 in and out of any model is far closer.
const UNIT_TOLERANCE: f32 = 1e-3;

/// Fails for what cannot be compared by its cosine.
pub(crate) fn check_vector(what: &str, vector: &[f32], dim: usize) -> Result<(), Error> {
    if vector.len() != dim {
        let (what, found) = (what.to_owned(), vector.len());
        return Err(Error::Width { what, expected: dim, found });
    }
    let length = vector.iter().map(|x| x * x).sum::<f32>().sqrt();
    if (length - 1.0).abs() <= UNIT_TOLERANCE {
        return Ok(());
    }
    let found = match vector.iter().find(|x| !x.is_finite()) {
        Some(number) => format!("{number} in it"),
        None => format!("length {length}"),
    };
    Err(Error::NotUnit { what: what.to_owned(), found })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_vector_that_has_no_direction_says_why() {
        let told = |vector: &[f32]| check_vector("a.jpg", vector, 2).unwrap_err().to_string();
        assert_eq!(told(&[f32::NAN, 1.0]), "a.jpg: expected a vector of length 1, found NaN in it");
        assert_eq!(
            told(&[0.0, f32::NEG_INFINITY]),
            "a.jpg: expected a vector of length 1, found -inf in it"
        );
        assert_eq!(told(&[0.0, 0.0]), "a.jpg: expected a vector of length 1, found length 0");
        assert_eq!(told(&[1.0]), "a.jpg: expected a vector of 2 numbers, found 1");
        assert!(check_vector("a.jpg", &[0.6, -0.8], 2).is_ok());
    }

    #[test]
    fn an_id_has_letters_and_an_end() {
        let check = |id: &str| Record { id: id.to_owned(), ..Record::default() }.check();
        assert!(check("folder/a picture.jpg").is_ok());
        for wrong in ["", "a\0b", &"x".repeat(4_097)] {
            assert!(matches!(check(wrong), Err(Error::Id { .. })), "{wrong:?}");
        }
    }
}

//! What the index keeps of one picture.

use serde::{Deserialize, Serialize};

use crate::metadata::Metadata;

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
}

//! Pictures that came over HTTP: limits, and where they are kept.

use std::path::{Path, PathBuf};

use axum::http::StatusCode;
use finelens_clip::picture::PictureError;
use finelens_clip::{Decoder, Picture};
use finelens_search::Place;
use sha2::{Digest, Sha256};

use super::failure::Failure;
use crate::indexing::{UPLOADS, size_and_time};

/// Pixels of an uploaded picture at most: a photograph of any camera, and never more memory than some 200 MB.
const PIXELS: u64 = 64_000_000;

/// Decodes an uploaded picture.
///
/// # Errors
/// What is no picture, or a larger one than a camera makes.
pub(crate) fn decode(bytes: &[u8], decoder: &Decoder) -> Result<Picture, Failure> {
    let decoder = Decoder { max_pixels: PIXELS.min(decoder.max_pixels), ..decoder.clone() };
    decoder.decode(bytes).map(|decoded| decoded.picture).map_err(|error| refused(&error))
}

fn refused(error: &PictureError) -> Failure {
    let (status, code) = match error {
        PictureError::TooLarge { .. } => (StatusCode::PAYLOAD_TOO_LARGE, "too_large"),
        PictureError::UnknownFormat { .. } | PictureError::Unsupported { .. } => {
            (StatusCode::UNSUPPORTED_MEDIA_TYPE, "no_picture")
        }
        _ => (StatusCode::UNPROCESSABLE_ENTITY, "damaged_picture"),
    };
    Failure::new(status, code, error.to_string())
        .hint("send a JPEG, PNG, WebP, TIFF, BMP or GIF picture")
}

/// Digits of a name.
const HEX: &[u8; 16] = b"0123456789abcdef";

/// The name of a picture by its bytes.
pub(crate) fn hash(bytes: &[u8]) -> String {
    let hex = |byte: &u8| [byte >> 4, byte & 15].map(|digit| char::from(HEX[usize::from(digit)]));
    Sha256::digest(bytes).iter().flat_map(hex).collect()
}

/// Where an index keeps what was uploaded.
#[derive(Debug, Clone)]
pub(crate) struct Uploads {
    folder: PathBuf,
}

impl Uploads {
    /// In the folder of an index.
    pub(crate) fn new(index: &Path) -> Self {
        Self { folder: index.join(UPLOADS) }
    }

    /// Keeps a picture that others are to be compared with, and returns its name.
    pub(crate) fn keep_query(&self, bytes: &[u8]) -> Result<String, Failure> {
        let hash = hash(bytes);
        self.keep("queries", &hash, bytes)?;
        Ok(hash)
    }

    /// A picture that was kept.
    pub(crate) fn query(&self, hash: &str) -> Result<Vec<u8>, Failure> {
        let is_hash = hash.len() == 64 && hash.bytes().all(|byte| byte.is_ascii_hexdigit());
        let gone = || {
            Failure::new(
                StatusCode::NOT_FOUND,
                "no_upload",
                "there is no uploaded picture of this name",
            )
            .hint("upload it again with POST /api/uploads; old ones are forgotten")
        };
        if !is_hash {
            return Err(gone());
        }
        fs_err::read(self.folder.join("queries").join(hash)).map_err(|_| gone())
    }

    /// Keeps a picture of the index.
    pub(crate) fn keep_picture(&self, bytes: &[u8]) -> Result<Place, Failure> {
        let ending =
            image::guess_format(bytes).ok().and_then(|format| format.extensions_str().first());
        let name = format!("{}.{}", hash(bytes), ending.unwrap_or(&"bin"));
        let file = self.keep("pictures", &name, bytes)?;
        let (bytes_long, modified_ns) =
            size_and_time(&file).map_err(|error| Failure::disk(&error))?;
        Ok(Place {
            root: UPLOADS.to_owned(),
            path: format!("pictures/{name}"),
            bytes: bytes_long,
            modified_ns,
            crc: crc32fast::hash(bytes),
        })
    }

    /// Deletes a picture that the index has no more.
    pub(crate) fn forget_picture(&self, place: &Place) {
        if place.root == UPLOADS && fs_err::remove_file(self.folder.join(&place.path)).is_err() {
            tracing::warn!("{} was to be deleted and is not there", place.path);
        }
    }

    /// Writes a file under a name that says what is in it; nobody sees half of it.
    fn keep(&self, kind: &str, name: &str, bytes: &[u8]) -> Result<PathBuf, Failure> {
        let folder = self.folder.join(kind);
        let file = folder.join(name);
        if file.exists() {
            return Ok(file);
        }
        let write = || -> std::io::Result<()> {
            fs_err::create_dir_all(&folder)?;
            let mut half = tempfile::NamedTempFile::new_in(&folder)?;
            std::io::Write::write_all(&mut half, bytes)?;
            half.as_file().sync_all()?;
            half.persist(&file)?;
            Ok(())
        };
        write().map_err(|error| Failure::disk(&error))?;
        Ok(file)
    }
}

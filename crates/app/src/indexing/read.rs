//! A file becomes what the index and the model need of it, in one decoding.

use finelens_clip::{Decoder, Embedder, Picture, Preprocess};
use finelens_search::{Place, Record};

use super::plan::{Candidate, size_and_time};
use crate::thumbnail;

/// What came of reading a picture.
#[derive(Debug)]
pub(crate) enum Read {
    /// It has to be embedded.
    Picture {
        /// With place and thumbnail.
        record: Record,
        /// `(3, S, S)`: what the model takes.
        pixels: Vec<f32>,
        /// Whether the index has a picture of that id.
        replaces: bool,
    },
    /// The file was touched or moved, but its bytes are those that the index knows.
    Same {
        /// With place, without thumbnail.
        record: Record,
        /// Whether other things are said about it than before.
        reworded: bool,
    },
    /// It cannot be used.
    Unreadable(Unreadable),
}

/// A picture that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Unreadable {
    /// Its id.
    pub(crate) id: String,
    /// Which file or id, and why.
    pub(crate) what: String,
}

impl Unreadable {
    pub(super) fn new(id: &str, what: String) -> Self {
        Self { id: id.to_owned(), what }
    }
}

/// Reads pictures for one model.
#[derive(Debug, Clone)]
pub(crate) struct Reader {
    decoder: Decoder,
    preprocess: Preprocess,
}

impl Reader {
    /// A reader that prepares pictures as this model wants them.
    pub(crate) fn new(embedder: &Embedder) -> Self {
        Self { decoder: embedder.decoder.clone(), preprocess: embedder.preprocess.clone() }
    }

    /// `(3, S, S)`: what the model takes.
    pub(crate) fn pixels(&self, picture: &Picture) -> Vec<f32> {
        self.preprocess.pixels(picture)
    }

    /// How files become pictures for this model.
    pub(crate) fn decoder(&self) -> &Decoder {
        &self.decoder
    }

    /// Reads, compares, decodes, prepares.
    pub(crate) fn read(&self, candidate: &Candidate) -> Read {
        self.try_read(candidate)
            .unwrap_or_else(|what| Read::Unreadable(Unreadable::new(&candidate.record.id, what)))
    }

    fn try_read(&self, candidate: &Candidate) -> Result<Read, String> {
        candidate.record.check().map_err(|error| error.to_string())?;
        // Looked at before it is read: should it change in between, the next run sees another time.
        let (_, modified_ns) = size_and_time(&candidate.file).map_err(|error| error.to_string())?;
        let bytes = fs_err::read(&candidate.file).map_err(|error| error.to_string())?;
        let crc = crc32fast::hash(&bytes);
        let length = bytes.len() as u64;
        let place = candidate.record.place.clone();
        let place = place.map(|place| Place { bytes: length, modified_ns, crc, ..place });
        let record = Record { place, ..candidate.record.clone() };
        let known = candidate.known.as_ref();
        let same = |place: &Place| (place.crc, place.bytes) == (crc, length);
        if let Some(known) = known.filter(|known| known.place.as_ref().is_some_and(same)) {
            let reworded = known.words_crc != record.words_crc();
            return Ok(Read::Same { record, reworded });
        }
        let told = |what: String| format!("{}: {what}", candidate.file.display());
        let decoded = self.decoder.decode(&bytes).map_err(|error| told(error.to_string()))?;
        let thumbnail = Some(thumbnail::jpeg(&decoded.picture).map_err(told)?);
        let pixels = self.pixels(&decoded.picture);
        let record = Record { thumbnail, ..record };
        Ok(Read::Picture { record, pixels, replaces: known.is_some() })
    }
}

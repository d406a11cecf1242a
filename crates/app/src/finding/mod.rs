//! Find-in-picture: where in a picture a feature is, or that it is not there.
//!
//! One [`Finder`] for each model, beside the embedder that it is called with. It keeps what it has seen, so another
//! question about the same picture costs no more than its words:
//!
//! ```text
//! let mut finder = Finder::new();                               // knows words only
//! finder.learn(&index, &index_dir, &mut embedder, &mut |done, of| …)?;   // knows the pictures of an index: once, kept on disk
//! let asked = Asked { feature: "a boat", id: Some("port_1.jpg"), ..Asked::default() };
//! let found = finder.find(&mut embedder, &picture, &asked)?;   // blocks; `serde_json` writes `found` as the API has it
//! ```
//!
//! How it decides, and how often it is right: docs/find.md.

mod alike;
mod answer;
mod drawing;
mod sample;
mod seen;
mod texts;
mod told;

use std::path::Path;
use std::time::Instant;

use finelens_clip::locate::{self, BACKGROUND, HeatMap, Null};
use finelens_clip::{Area, Embedder, Picture};
use finelens_search::Embedded;

use answer::Basis;
pub use answer::Found;
pub(crate) use drawing::drawn;
use sample::Sample;
pub(crate) use sample::picture_of;
use seen::Seen;
use texts::Texts;
pub(crate) use told::told;

/// What is asked about a picture.
#[derive(Debug, Clone, Copy)]
pub struct Asked<'a> {
    /// What to look for, in words.
    pub feature: &'a str,
    /// The picture's id, where it is in the index itself: it is not compared with itself then.
    pub id: Option<&'a str>,
    /// Boxes at most.
    pub boxes: usize,
    /// How often "found" may be wrong about pictures without the feature.
    pub false_alarm: f64,
}

/// How often "found" may be wrong. Own choice: with one in ten the model of docs/find.md finds about twice as much as with
/// one in fifty.
pub const FALSE_ALARM: f64 = 0.1;

impl Default for Asked<'_> {
    fn default() -> Self {
        Self { feature: "", id: None, boxes: 5, false_alarm: FALSE_ALARM }
    }
}

/// Share of other things that may fit a picture as well as the feature, where no other pictures are known.
///
/// Own choice: the two mistakes are then about as frequent as with an index (docs/find.md).
const OTHERS: f64 = 0.1;

/// Rarity at which a map of something that was found ends at the earliest. Own choice: about one in thirty, so that a picture
/// that is found by many weak places looks weak everywhere.
const RARE: f32 = 0.4;

/// What a soft-max over tiles multiplies cosines by.
///
/// Source: Radford et al. (2021), 2.5: the learned scale of CLIP, which ends at its ceiling of 100.
const SOFT_MAX_SCALE: f32 = 100.0;

/// Answers questions about pictures, and remembers what it needs for the next.
#[derive(Debug, Default)]
pub struct Finder {
    sample: Option<Sample>,
    background: Option<Vec<f32>>,
    seen: Seen,
    texts: Texts,
}

impl Finder {
    /// One that knows words only: it compares a feature with other things that a picture may show.
    pub fn new() -> Self {
        Self::default()
    }

    /// Learns how pictures of an index look to the model, which makes its answers calibrated.
    ///
    /// The first time it reads some pictures and puts their tiles through the model; what came out is kept in the
    /// index's folder, if that can be written to, until the index has changed much. `embedder` must be the
    /// index's own model. An index of too few pictures teaches nothing: then the answers go by words.
    ///
    /// # Errors
    /// What the index or the device has to report; a picture that cannot be read is left out.
    pub fn learn(
        &mut self,
        index: &Embedded,
        dir: &Path,
        embedder: &mut Embedder,
        on_progress: &mut dyn FnMut(usize, usize),
    ) -> anyhow::Result<()> {
        self.sample = sample::of(index, dir, embedder, on_progress)?;
        Ok(())
    }

    /// Whether an index has been learned from before, so that learning is only reading.
    pub fn is_known(index: &Embedded, dir: &Path) -> anyhow::Result<bool> {
        Ok(sample::kept(index, dir)?.is_some())
    }

    /// Whether it has learned from an index.
    pub fn knows_pictures(&self) -> bool {
        self.sample.is_some()
    }

    /// Looks for a feature in a picture.
    ///
    /// # Errors
    /// What the device has to report.
    pub fn find(
        &mut self,
        embedder: &mut Embedder,
        picture: &Picture,
        asked: &Asked<'_>,
    ) -> anyhow::Result<Found> {
        let start = Instant::now();
        let feature = self.texts.vector(asked.feature, embedder)?;
        let areas = locate::tiles(picture.width(), picture.height(), embedder.preprocess.size());
        let vectors = self.seen.tiles(picture, || embedder.tiles(picture, &areas))?;
        let cosines = locate::cosines(&vectors, &feature);
        let judged = if let Some(sample) = &self.sample {
            by_pictures(sample, &feature, &cosines, asked)
        } else {
            let background = background(&mut self.background, embedder)?;
            by_words(background, &vectors, &cosines, asked)
        };
        let tiled = Tiled { picture, areas: &areas, cosines: &cosines };
        Ok(answer::of(&tiled, &judged, asked, start.elapsed()))
    }
}

/// A picture's tiles beside a feature.
struct Tiled<'a> {
    picture: &'a Picture,
    areas: &'a [Area],
    cosines: &'a [f32],
}

impl Tiled<'_> {
    /// How rare each place would be where the feature is not. What was found stands out: there the scale ends at the best place.
    /// What was not stays cool, as far from its end as chance is.
    fn warmth(&self, surprise: &[f32], found: bool) -> HeatMap {
        let least = if found { RARE } else { 1.0 };
        let most = surprise.iter().copied().fold(least, f32::max);
        self.map(&surprise.iter().map(|of_tile| of_tile / most).collect::<Vec<f32>>())
    }

    fn map(&self, values: &[f32]) -> HeatMap {
        locate::heat_map(self.picture.width(), self.picture.height(), self.areas, values)
    }
}

/// What the picture's numbers mean.
struct Judged {
    basis: Basis,
    /// Of pictures, or of words: how many fit the feature, or this picture, as well.
    reaching: usize,
    /// Of how many.
    of: usize,
    /// The same as a rate.
    rate: f64,
    /// The rate up to which the answer is yes.
    allowed: f64,
    /// For each tile the share of others that it beats.
    beaten: Vec<f32>,
    /// For each tile how rare it would be among the others.
    surprise: Vec<f32>,
}

/// Against other pictures, of the same feature.
fn by_pictures(sample: &Sample, feature: &[f32], cosines: &[f32], asked: &Asked<'_>) -> Judged {
    let others = sample.without(asked.id, asked.feature);
    let theirs: Vec<Vec<f32>> =
        others.pictures.iter().map(|other| locate::cosines(&other.tiles, feature)).collect();
    let pictures = Null::new(theirs.iter().map(|cosines| locate::evidence(cosines)).collect());
    let tiles = Null::new(theirs.concat());
    let evidence = locate::evidence(cosines);
    Judged {
        basis: if others.unsaid { Basis::Unsaid } else { Basis::Any },
        reaching: pictures.reaching(evidence),
        of: pictures.len(),
        rate: pictures.false_alarm(evidence),
        allowed: asked.false_alarm,
        beaten: cosines.iter().map(|cosine| tiles.beaten(*cosine)).collect(),
        surprise: cosines.iter().map(|cosine| tiles.surprise(*cosine)).collect(),
    }
}

/// Against other things that the same picture may show.
fn by_words(background: &[f32], vectors: &[f32], cosines: &[f32], asked: &Asked<'_>) -> Judged {
    let dim = background.len() / BACKGROUND.len();
    let other = |(name, text): (&&str, _)| {
        (!alike::mentions(name, asked.feature)).then(|| locate::cosines(vectors, text))
    };
    let others = BACKGROUND.iter().zip(background.chunks_exact(dim)).filter_map(other);
    let others: Vec<Vec<f32>> = others.collect();
    let things = Null::new(others.iter().map(|cosines| locate::evidence(cosines)).collect());
    let of_tile = |(tile, cosine): (usize, &f32)| {
        let others = Null::new(others.iter().map(|cosines| cosines[tile]).collect());
        (others.beaten(*cosine), others.surprise(*cosine))
    };
    let (beaten, surprise) = cosines.iter().enumerate().map(of_tile).unzip();
    let evidence = locate::evidence(cosines);
    Judged {
        basis: Basis::Words,
        reaching: things.reaching(evidence),
        of: things.len(),
        rate: things.false_alarm(evidence),
        allowed: OTHERS,
        beaten,
        surprise,
    }
}

fn background<'a>(
    kept: &'a mut Option<Vec<f32>>,
    embedder: &mut Embedder,
) -> anyhow::Result<&'a [f32]> {
    let vectors = match kept.take() {
        Some(vectors) => vectors,
        None => locate::background_vectors(embedder)?,
    };
    Ok(kept.insert(vectors))
}

//! Pictures of an index as tiles: what a feature's numbers look like where it is not.

use std::collections::hash_map::DefaultHasher;
use std::collections::{BTreeMap, HashMap};
use std::hash::{Hash, Hasher};
use std::path::{Path, PathBuf};

use finelens_clip::{Embedder, Picture, locate};
use finelens_search::{Backend, Embedded, Item};
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use serde::{Deserialize, Serialize};

use super::alike;

/// Pictures in a sample. Own choice: a rate of one in ten is then known to about two in a hundred.
const PICTURES: usize = 200;

/// Tiles after which no more pictures are taken, once there are [`ENOUGH`]: some seconds for a small model.
const TILES: usize = 2_400;

/// Pictures that are taken however many tiles they have.
const ENOUGH: usize = 64;

/// Fewer pictures say nothing of one in ten.
const FEWEST: usize = 30;

/// A sample is taken anew when the index has grown or shrunk by more than this share. Own choice.
const CHANGED: f64 = 0.25;

/// Tiles that go through the model together, so that a server can turn to something else in between. Own choice: half a second of
/// a model of the size of ViT-B/32 on two cores.
const TOGETHER: usize = 8;

/// The file in an index's folder.
const FILE: &str = "find-sample.safetensors";

/// Counts up when tiles or vectors are made in another way.
const VERSION: u32 = 1;

/// Pictures of an index, chosen by chance, that are compared with the one in question.
#[derive(Debug)]
pub(super) struct Sample {
    pictures: Vec<Other>,
}

/// One of them.
#[derive(Debug, PartialEq)]
pub(super) struct Other {
    id: String,
    captions: Vec<String>,
    /// `(N, D)`.
    pub(super) tiles: Vec<f32>,
}

/// Those that one question is compared with.
pub(super) struct Others<'a> {
    pub(super) pictures: Vec<&'a Other>,
    /// Whether none is captioned with the feature.
    pub(super) unsaid: bool,
}

impl Sample {
    /// All but the picture in question and those whose captions name the feature, unless too few are left.
    pub(super) fn without(&self, id: Option<&str>, feature: &str) -> Others<'_> {
        let others = self.pictures.iter().filter(|other| id != Some(other.id.as_str()));
        let others: Vec<&Other> = others.collect();
        let says = |other: &Other| other.captions.iter().any(|text| alike::mentions(text, feature));
        let unsaid: Vec<&Other> = others.iter().copied().filter(|other| !says(other)).collect();
        let captioned = others.iter().any(|other| !other.captions.is_empty());
        if captioned && unsaid.len() >= FEWEST {
            return Others { pictures: unsaid, unsaid: true };
        }
        Others { pictures: others, unsaid: false }
    }
}

/// The sample of an index: the one kept there, or a new one, which is kept; none where there are too few pictures.
pub(super) fn of(
    index: &Embedded,
    dir: &Path,
    embedder: &mut Embedder,
    on_progress: &mut dyn FnMut(usize, usize),
) -> anyhow::Result<Option<Sample>> {
    let sample = if let Some(sample) = kept(index, dir)? {
        sample
    } else {
        let about = About::of(index)?;
        let sample = draw(index, embedder, on_progress)?;
        let path = dir.join(FILE);
        // A folder that cannot be written to costs time, not the answer.
        let written = write(&path, about, &sample);
        let _ = written.inspect_err(|error| tracing::debug!("{}: {error}", path.display()));
        sample
    };
    Ok((sample.pictures.len() >= FEWEST).then_some(sample))
}

/// The sample that is kept in an index's folder, if it still serves.
pub(super) fn kept(index: &Embedded, dir: &Path) -> anyhow::Result<Option<Sample>> {
    let About { model, pictures, .. } = About::of(index)?;
    let kept = read(&dir.join(FILE)).filter(|(about, _)| about.serves(&model, pictures));
    Ok(kept.map(|(_, sample)| sample))
}

fn draw(
    index: &Embedded,
    embedder: &mut Embedder,
    on_progress: &mut dyn FnMut(usize, usize),
) -> anyhow::Result<Sample> {
    let roots = index.roots()?;
    let ids = chosen(index.known()?.into_keys().collect());
    let (mut pictures, mut tiles) = (Vec::new(), 0);
    for (done, id) in ids.iter().enumerate() {
        if tiles >= TILES && pictures.len() >= ENOUGH {
            break;
        }
        let Some(item) = index.get(id)? else { continue };
        let Some(picture) = picture_of(&item, &roots, embedder) else { continue };
        let areas = locate::tiles(picture.width(), picture.height(), embedder.preprocess.size());
        tiles += areas.len();
        let mut vectors = Vec::new();
        for some in areas.chunks(TOGETHER) {
            on_progress(done, ids.len());
            vectors.extend(embedder.tiles(&picture, some)?);
        }
        let Item { record, .. } = item;
        pictures.push(Other { id: record.id, captions: record.captions, tiles: vectors });
    }
    on_progress(ids.len(), ids.len());
    Ok(Sample { pictures })
}

/// Ids by the order of their hashes: by chance, and nearly the same ones after the index has grown.
fn chosen(ids: Vec<String>) -> Vec<String> {
    let hash = |id: &String| {
        let mut hasher = DefaultHasher::new();
        id.hash(&mut hasher);
        hasher.finish()
    };
    let mut ids: Vec<(u64, String)> = ids.into_iter().map(|id| (hash(&id), id)).collect();
    ids.sort_unstable();
    ids.into_iter().take(PICTURES).map(|(_, id)| id).collect()
}

/// The original, or what the index has of it.
pub(crate) fn picture_of(
    item: &Item,
    roots: &BTreeMap<String, PathBuf>,
    embedder: &Embedder,
) -> Option<Picture> {
    let place = item.record.place.as_ref();
    let original = place.and_then(|place| Some(roots.get(&place.root)?.join(&place.path)));
    let bytes = original.and_then(|path| fs_err::read(path).ok());
    let decoded = bytes.and_then(|bytes| embedder.decoder.decode(&bytes).ok());
    let thumbnail = || embedder.decoder.decode(item.record.thumbnail.as_ref()?).ok();
    decoded.or_else(thumbnail).map(|decoded| decoded.picture)
}

/// What a kept sample is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct About {
    version: u32,
    model: String,
    pictures: usize,
}

impl About {
    /// As the index is now.
    fn of(index: &Embedded) -> anyhow::Result<Self> {
        let model = index.settings().model.hash;
        Ok(Self { version: VERSION, model, pictures: index.stats()?.pictures })
    }

    fn serves(&self, model: &str, pictures: usize) -> bool {
        let changed = self.pictures.abs_diff(pictures) as f64;
        self.version == VERSION && self.model == model && changed <= CHANGED * self.pictures as f64
    }
}

/// What stands beside the vectors.
#[derive(Serialize, Deserialize)]
struct Header {
    about: About,
    /// Id, captions, and numbers in its tiles.
    pictures: Vec<(String, Vec<String>, usize)>,
}

/// Name of the header in the file's metadata.
const HEADER: &str = "sample";

/// Name of the vectors.
const VECTORS: &str = "tiles";

fn write(path: &Path, about: About, sample: &Sample) -> anyhow::Result<()> {
    let entry = |other: &Other| (other.id.clone(), other.captions.clone(), other.tiles.len());
    let header = Header { about, pictures: sample.pictures.iter().map(entry).collect() };
    let values = sample.pictures.iter().flat_map(|other| &other.tiles);
    let bytes: Vec<u8> = values.flat_map(|value| value.to_le_bytes()).collect();
    let tensor = TensorView::new(Dtype::F32, vec![bytes.len() / 4], &bytes)?;
    let metadata = HashMap::from([(HEADER.to_owned(), serde_json::to_string(&header)?)]);
    let file = serialize([(VECTORS, tensor)], Some(metadata))?;
    // Another process may do the same: whoever is last wins, and nobody sees half a file.
    let half = path.with_extension(format!("{}.part", std::process::id()));
    fs_err::write(&half, file)?;
    fs_err::rename(&half, path)?;
    Ok(())
}

/// The sample in a file; none if it is not there or not whole.
fn read(path: &Path) -> Option<(About, Sample)> {
    let bytes = fs_err::read(path).ok()?;
    let (_, metadata) = SafeTensors::read_metadata(&bytes).ok()?;
    let header: Header = serde_json::from_str(metadata.metadata().as_ref()?.get(HEADER)?).ok()?;
    let file = SafeTensors::deserialize(&bytes).ok()?;
    let mut values = file.tensor(VECTORS).ok()?.data().chunks_exact(4);
    let mut pictures = Vec::new();
    for (id, captions, count) in header.pictures {
        let value = |bytes: &[u8]| bytes.try_into().map(f32::from_le_bytes);
        let tiles: Vec<f32> =
            values.by_ref().take(count).map(value).collect::<Result<_, _>>().ok()?;
        if tiles.len() != count {
            return None;
        }
        pictures.push(Other { id, captions, tiles });
    }
    Some((header.about, Sample { pictures }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn other(number: usize, caption: &str) -> Other {
        let captions = vec!["something".to_owned(), caption.to_owned()];
        Other { id: format!("{number}.jpg"), captions, tiles: vec![number as f32; 4] }
    }

    fn sample() -> Sample {
        let caption = |number| if number < 10 { "two boats" } else { "a tree" };
        Sample { pictures: (0..FEWEST + 11).map(|number| other(number, caption(number))).collect() }
    }

    fn about(pictures: usize) -> About {
        About { version: VERSION, model: "m".to_owned(), pictures }
    }

    #[test]
    fn neither_the_picture_itself_nor_what_is_captioned_with_the_feature_is_compared() {
        let sample = sample();
        let others = sample.without(Some("12.jpg"), "a boat");
        assert!(others.unsaid);
        assert_eq!(others.pictures.len(), FEWEST);
        assert!(
            others
                .pictures
                .iter()
                .all(|other| other.id != "12.jpg" && other.captions[1] == "a tree")
        );
    }

    #[test]
    fn a_feature_that_nearly_all_show_is_compared_with_all() {
        let sample = sample();
        let others = sample.without(None, "trees");
        assert!(!others.unsaid);
        assert_eq!(others.pictures.len(), sample.pictures.len());
    }

    #[test]
    fn what_was_kept_is_read_again_and_half_a_file_is_none() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join(FILE);
        let sample = sample();
        write(&path, about(50), &sample).unwrap();
        let (found, again) = read(&path).unwrap();
        assert_eq!((found, again.pictures), (about(50), sample.pictures));
        let bytes = fs_err::read(&path).unwrap();
        fs_err::write(&path, &bytes[..bytes.len() - 4]).unwrap();
        assert!(read(&path).is_none());
        assert!(read(&dir.path().join("other")).is_none());
    }

    #[test]
    fn a_sample_serves_its_model_until_the_index_has_changed_much() {
        assert!(about(100).serves("m", 125) && about(100).serves("m", 75));
        assert!(!about(100).serves("m", 126) && !about(100).serves("n", 100));
        assert!(!About { version: 0, ..about(100) }.serves("m", 100));
    }

    #[test]
    fn a_grown_index_keeps_most_of_its_sample() {
        let ids = |count: usize| (0..count).map(|number| format!("{number}.jpg")).collect();
        let (small, large) = (chosen(ids(1000)), chosen(ids(1250)));
        assert_eq!(small.len(), PICTURES);
        assert!(large.iter().filter(|id| small.contains(id)).count() > PICTURES / 2);
    }
}

//! `preprocessor_config.json`, in all the spellings that `transformers` has used.
//!
//! Keys that do not change the pixels are kept and ignored. What would change them and is not known here is an error.

use std::path::{Path, PathBuf};

use serde_json::{Map, Value, json};

use super::{Levels, Preprocess, Resize};
use crate::Error;
use crate::picture::Filter;

const FILE: &str = "preprocessor_config.json";
/// Where newer versions of `transformers` put the same keys, under `image_processor`.
const COMBINED_FILE: &str = "processor_config.json";
const COMBINED_KEY: &str = "image_processor";

/// Class names whose arithmetic is CLIP's.
const TYPES: [&str; 4] = [
    "CLIPImageProcessor",
    "CLIPImageProcessorFast",
    "CLIPImageProcessorPil",
    "CLIPFeatureExtractor",
];

/// Source: `transformers`, `OPENAI_CLIP_MEAN` and `OPENAI_CLIP_STD` in `image_utils.py`.
pub(super) const MEAN: [f64; 3] = [0.481_454_66, 0.457_827_5, 0.408_210_73];
pub(super) const DEVIATION: [f64; 3] = [0.268_629_54, 0.261_302_58, 0.275_777_11];
pub(super) const FACTOR: f64 = 1.0 / 255.0;
const SIZE: usize = 224;

pub(super) fn clip(size: usize) -> Preprocess {
    let file = json!({
        "crop_size": { "height": size, "width": size },
        "do_center_crop": true,
        "do_convert_rgb": true,
        "do_normalize": true,
        "do_rescale": true,
        "do_resize": true,
        "image_mean": MEAN,
        "image_processor_type": "CLIPImageProcessor",
        "image_std": DEVIATION,
        "resample": 3,
        "rescale_factor": FACTOR,
        "size": { "shortest_edge": size },
    });
    let Value::Object(keys) = file else { unreachable!("the literal above is an object") };
    File { path: PathBuf::from(FILE), keys }.preprocess().expect("our own configuration is valid")
}

pub(super) fn load(dir: &Path) -> Result<Preprocess, Error> {
    let path = dir.join(FILE);
    let combined = dir.join(COMBINED_FILE);
    if path.exists() || !combined.exists() {
        return File { keys: object(read(&path)?, &path, "the file")?, path }.preprocess();
    }
    let mut whole = object(read(&combined)?, &combined, "the file")?;
    let part = whole.remove(COMBINED_KEY).unwrap_or(Value::Null);
    File { keys: object(part, &combined, COMBINED_KEY)?, path: combined }.preprocess()
}

pub(super) fn save(keys: &Map<String, Value>, dir: &Path) -> Result<(), Error> {
    let path = dir.join(FILE);
    let text = serde_json::to_string_pretty(keys)
        .map_err(|source| Error::Json { path: path.clone(), source })?;
    Ok(fs_err::write(path, text + "\n")?)
}

fn read(path: &Path) -> Result<Value, Error> {
    let text = fs_err::read_to_string(path)?;
    serde_json::from_str(&text).map_err(|source| Error::Json { path: path.to_owned(), source })
}

fn object(value: Value, path: &Path, key: &str) -> Result<Map<String, Value>, Error> {
    match value {
        Value::Object(keys) => Ok(keys),
        other => Err(Error::Config {
            path: path.to_owned(),
            key: key.to_owned(),
            expected: "an object".to_owned(),
            found: other.to_string(),
        }),
    }
}

/// The keys of one file, asked for one by one.
struct File {
    path: PathBuf,
    keys: Map<String, Value>,
}

impl File {
    fn preprocess(self) -> Result<Preprocess, Error> {
        self.check_type()?;
        if self.flag("do_pad", false)? {
            return Err(self.wrong("do_pad", "false"));
        }
        let resize = self.flag("do_resize", true)?.then(|| self.resize()).transpose()?;
        let crop = self.flag("do_center_crop", true)?.then(|| self.crop()).transpose()?;
        let size = self.final_size(resize, crop)?;
        let levels = self.levels()?;
        let (filter, background) = (self.filter()?, self.background()?);
        Ok(Preprocess { file: self.keys, resize, filter, crop, size, background, levels })
    }

    fn check_type(&self) -> Result<(), Error> {
        let key = if self.keys.contains_key("image_processor_type") {
            "image_processor_type"
        } else {
            "feature_extractor_type"
        };
        match self.get(key) {
            None => Ok(()),
            Some(Value::String(name)) if TYPES.contains(&name.as_str()) => Ok(()),
            Some(_) => Err(self.wrong(key, "CLIPImageProcessor")),
        }
    }

    /// The side of the square that comes out, if a square does.
    fn final_size(&self, resize: Option<Resize>, crop: Option<usize>) -> Result<usize, Error> {
        match (resize, crop) {
            (_, Some(crop)) => Ok(crop),
            (Some(Resize::Exact { width, height }), None) if width == height => Ok(width),
            (Some(Resize::Exact { .. }), None) => {
                Err(self.wrong("size", "equal height and width, as there is no crop"))
            }
            (_, None) => {
                Err(self.wrong("do_center_crop", "true, as the resized picture is not square"))
            }
        }
    }

    fn resize(&self) -> Result<Resize, Error> {
        let expected = "a number, {\"shortest_edge\": N} or {\"height\": H, \"width\": W}";
        match self.sides("size") {
            None => Ok(Resize::ShortestEdge(SIZE)),
            Some(Sides::One(edge)) => Ok(Resize::ShortestEdge(edge)),
            Some(Sides::Two { width, height }) => Ok(Resize::Exact { width, height }),
            Some(Sides::Unknown) => Err(self.wrong("size", expected)),
        }
    }

    fn crop(&self) -> Result<usize, Error> {
        match self.sides("crop_size") {
            None => Ok(SIZE),
            Some(Sides::One(side)) if self.keys["crop_size"].is_number() => Ok(side),
            Some(Sides::Two { width, height }) if width == height => Ok(width),
            Some(_) => Err(self
                .wrong("crop_size", "a number, or {\"height\": N, \"width\": N} with equal sides")),
        }
    }

    fn sides(&self, key: &str) -> Option<Sides> {
        let side = |value: &Value| {
            value.as_u64().filter(|side| (1..=MAX_SIDE).contains(side)).map(|side| side as usize)
        };
        let found = match self.get(key)? {
            Value::Array(pair) if pair.len() == 2 => side(&pair[1])
                .zip(side(&pair[0]))
                .map(|(width, height)| Sides::Two { width, height }),
            Value::Object(keys) => {
                let set: Vec<_> = keys.iter().filter(|(_, value)| !value.is_null()).collect();
                match set.as_slice() {
                    [(name, edge)] if *name == "shortest_edge" => side(edge).map(Sides::One),
                    [_, _] => {
                        both(keys.get("width").and_then(side), keys.get("height").and_then(side))
                    }
                    _ => None,
                }
            }
            number => side(number).map(Sides::One),
        };
        Some(found.unwrap_or(Sides::Unknown))
    }

    fn filter(&self) -> Result<Filter, Error> {
        match self.get("resample").map_or(Some(3), Value::as_u64) {
            Some(0) => Ok(Filter::Nearest),
            Some(1) => Ok(Filter::Lanczos),
            Some(2) => Ok(Filter::Bilinear),
            Some(3) => Ok(Filter::Bicubic),
            Some(4) => Ok(Filter::Box),
            Some(5) => Ok(Filter::Hamming),
            _ => Err(self.wrong(
                "resample",
                "0 nearest, 1 lanczos, 2 bilinear, 3 bicubic, 4 box or 5 hamming",
            )),
        }
    }

    fn levels(&self) -> Result<Levels, Error> {
        let factor = match self.get("rescale_factor") {
            _ if !self.flag("do_rescale", true)? => 1.0,
            None => FACTOR,
            Some(value) => {
                value.as_f64().ok_or_else(|| self.wrong("rescale_factor", "a number"))?
            }
        };
        if !self.flag("do_normalize", true)? {
            return Ok(Levels::new(factor, [0.0; 3], [1.0; 3]));
        }
        let deviation = self.channels("image_std", DEVIATION)?;
        if deviation.contains(&0.0) {
            return Err(self.wrong("image_std", "numbers other than 0"));
        }
        Ok(Levels::new(factor, self.channels("image_mean", MEAN)?, deviation))
    }

    /// One number for each channel; a single one stands for all three.
    fn channels(&self, key: &str, default: [f64; 3]) -> Result<[f64; 3], Error> {
        let found = match self.get(key) {
            None => Some(default),
            Some(Value::Array(values)) => values
                .iter()
                .map(Value::as_f64)
                .collect::<Option<Vec<_>>>()
                .and_then(|of| of.try_into().ok()),
            Some(value) => value.as_f64().map(|one| [one; 3]),
        };
        found.ok_or_else(|| self.wrong(key, "three numbers"))
    }

    /// Our own key: `transformers` has no word for it.
    fn background(&self) -> Result<[u8; 3], Error> {
        match self.get("background") {
            None => Ok([0; 3]),
            Some(value) => serde_json::from_value(value.clone())
                .map_err(|_| self.wrong("background", "three numbers from 0 to 255")),
        }
    }

    fn flag(&self, key: &str, default: bool) -> Result<bool, Error> {
        match self.get(key) {
            None => Ok(default),
            Some(value) => value.as_bool().ok_or_else(|| self.wrong(key, "true or false")),
        }
    }

    /// `null` is as good as absent.
    fn get(&self, key: &str) -> Option<&Value> {
        self.keys.get(key).filter(|value| !value.is_null())
    }

    fn wrong(&self, key: &str, expected: &str) -> Error {
        Error::Config {
            path: self.path.clone(),
            key: key.to_owned(),
            expected: expected.to_owned(),
            found: self.get(key).map_or_else(|| "nothing".to_owned(), Value::to_string),
        }
    }
}

/// More than any model has; keeps products far from overflow.
const MAX_SIDE: u64 = 1 << 16;

/// What a size can say.
enum Sides {
    One(usize),
    Two { width: usize, height: usize },
    Unknown,
}

fn both(width: Option<usize>, height: Option<usize>) -> Option<Sides> {
    width.zip(height).map(|(width, height)| Sides::Two { width, height })
}

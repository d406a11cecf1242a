//! Preprocessing in open_clip's words, for export.

use serde_json::Value;

use super::config::{DEVIATION, FACTOR, MEAN};
use super::{Levels, Preprocess, Resize};
use crate::Error;
use crate::open_clip::PreprocessConfig;
use crate::picture::Filter;

impl Preprocess {
    /// The same preprocessing as open_clip's `preprocess_cfg` says it.
    ///
    /// # Errors
    /// Names what open_clip has no word for.
    pub fn open_clip(&self) -> Result<PreprocessConfig, Error> {
        let (mean, std) = self.normalisation()?;
        Ok(PreprocessConfig {
            mean: mean.map(|value| value as f32),
            std: std.map(|value| value as f32),
            interpolation: self.interpolation()?,
            resize_mode: self.resize_mode()?,
        })
    }

    fn normalisation(&self) -> Result<([f64; 3], [f64; 3]), Error> {
        let (mean, std) =
            (self.channels("image_mean", MEAN), self.channels("image_std", DEVIATION));
        // open_clip always takes bytes to 0..1 and always normalises; the table of levels shows whether this model does.
        if Levels::new(FACTOR, mean, std) == self.levels {
            return Ok((mean, std));
        }
        Err(refused(
            "rescale_factor, do_rescale and do_normalize",
            "1/255, true and true",
            "others",
        ))
    }

    fn interpolation(&self) -> Result<&'static str, Error> {
        match self.filter {
            Filter::Bicubic => Ok("bicubic"),
            Filter::Bilinear => Ok("bilinear"),
            other => Err(refused("resample", "bicubic or bilinear", &format!("{other:?}"))),
        }
    }

    fn resize_mode(&self) -> Result<&'static str, Error> {
        let size = self.size;
        match self.resize {
            Some(Resize::ShortestEdge(edge)) if edge == size && self.crop == Some(size) => {
                Ok("shortest")
            }
            Some(Resize::Exact { width, height }) if (width, height) == (size, size) => {
                Ok("squash")
            }
            other => {
                Err(refused("size", &format!("the model's {size} pixels"), &format!("{other:?}")))
            }
        }
    }

    /// As the file says it; it was checked when it was read.
    fn channels(&self, key: &str, default: [f64; 3]) -> [f64; 3] {
        let numbers =
            |values: &Vec<Value>| values.iter().map(Value::as_f64).collect::<Option<Vec<_>>>();
        match self.file.get(key) {
            Some(Value::Array(values)) => {
                numbers(values).and_then(|of| of.try_into().ok()).unwrap_or(default)
            }
            Some(value) => value.as_f64().map_or(default, |one| [one; 3]),
            None => default,
        }
    }
}

fn refused(what: &'static str, expected: &str, found: &str) -> Error {
    Error::NotInOpenClip { what, expected: expected.to_owned(), found: found.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn clips_own_preprocessing_is_open_clips_too() {
        let found = Preprocess::clip(224).open_clip().unwrap();
        assert_eq!((found.interpolation, found.resize_mode), ("bicubic", "shortest"));
        assert!(
            (found.mean[0] - 0.481_454_66).abs() < 1e-7
                && (found.std[2] - 0.275_777_1).abs() < 1e-7
        );
    }

    #[test]
    fn what_open_clip_cannot_say_is_refused() {
        let mut sharp = Preprocess::clip(224);
        sharp.filter = Filter::Lanczos;
        assert!(matches!(sharp.open_clip(), Err(Error::NotInOpenClip { what: "resample", .. })));
        let mut raw = Preprocess::clip(224);
        raw.levels = Levels::new(1.0, MEAN, DEVIATION);
        assert!(raw.open_clip().is_err());
        let mut larger = Preprocess::clip(224);
        larger.resize = Some(Resize::ShortestEdge(256));
        assert!(larger.open_clip().is_err());
    }
}

//! Takes tensors in any order, under any known name, and keeps those that fit the configuration.
//!
//! The values of a tensor are only asked for once its name and shape are right, so a hostile shape
//! costs nothing.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use super::names::{self, Place};
use crate::Error;
use crate::config::Config;
use crate::tensors::{Tensor, Tensors, expected_tensors};

/// A tensor whose shape is not what the configuration asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misshapen {
    /// Its name in the file.
    pub name: String,
    /// Shape that the configuration asks for.
    pub expected: Vec<usize>,
    /// Shape in the file.
    pub found: Vec<usize>,
}

pub(super) struct Collector {
    expected: BTreeMap<String, Vec<usize>>,
    places: HashMap<String, Place>,
    tensors: Tensors,
    unexpected: Vec<String>,
    misshapen: Vec<Misshapen>,
}

impl Collector {
    pub(super) fn new(config: &Config) -> Self {
        let expected: BTreeMap<_, _> = expected_tensors(config).into_iter().collect();
        let mut places: HashMap<String, Place> =
            names::open_clip_places(config).into_iter().collect();
        places.extend(expected.keys().map(|name| (name.clone(), Place::Whole(name.clone()))));
        Self {
            expected,
            places,
            tensors: Tensors::new(),
            unexpected: Vec::new(),
            misshapen: Vec::new(),
        }
    }

    /// Shows a tensor of the file at `path`; `read` is called if it is wanted.
    pub(super) fn offer(
        &mut self,
        path: &Path,
        name: &str,
        shape: &[usize],
        read: impl FnOnce() -> Result<Vec<f32>, Error>,
    ) -> Result<(), Error> {
        let bare = names::bare(name);
        if names::is_buffer(bare) {
            return Ok(());
        }
        let Some(place) = self.places.get(bare).cloned() else {
            self.unexpected.push(name.to_owned());
            return Ok(());
        };
        let expected = self.stored_shape(&place);
        // Some versions of open_clip store the logit scale as a vector of one.
        let same = shape == expected || (expected.is_empty() && shape == [1]);
        if !same {
            self.misshapen.push(Misshapen {
                name: name.to_owned(),
                expected,
                found: shape.to_owned(),
            });
            return Ok(());
        }
        let data = read()?;
        refuse_not_finite(path, name, &data)?;
        self.put(place, data);
        Ok(())
    }

    /// Shape in the file of what goes to `place`.
    fn stored_shape(&self, place: &Place) -> Vec<usize> {
        let mut shape = match place {
            Place::Whole(name) | Place::Transposed(name) => self.expected[name].clone(),
            Place::Stacked(names) => self.expected[&names[0]].clone(),
        };
        match place {
            Place::Whole(_) => {}
            Place::Transposed(_) => shape.reverse(),
            Place::Stacked(names) => shape[0] *= names.len(),
        }
        shape
    }

    fn put(&mut self, place: Place, data: Vec<f32>) {
        match place {
            Place::Whole(name) => self.insert(name, data),
            Place::Transposed(name) => {
                let columns = self.expected[&name][0];
                self.insert(name, transpose(&data, columns));
            }
            Place::Stacked(names) => {
                let size = data.len() / names.len();
                for (name, part) in names.into_iter().zip(data.chunks_exact(size)) {
                    self.insert(name, part.to_vec());
                }
            }
        }
    }

    fn insert(&mut self, name: String, data: Vec<f32>) {
        let shape = self.expected[&name].clone();
        self.tensors.insert(name, Tensor { shape, data });
    }

    /// All tensors, or an error that lists what is missing, left over or of a wrong shape.
    pub(super) fn finish(self, path: &Path) -> Result<Tensors, Error> {
        let misshapen: Vec<&str> =
            self.misshapen.iter().map(|tensor| names::bare(&tensor.name)).collect();
        let covers = |name: &String| {
            misshapen.iter().any(|bad| self.places.get(*bad).is_some_and(|p| p.covers(name)))
        };
        let missing: Vec<String> = self
            .expected
            .keys()
            .filter(|name| !self.tensors.contains_key(*name) && !covers(name))
            .cloned()
            .collect();
        if missing.is_empty() && self.unexpected.is_empty() && self.misshapen.is_empty() {
            return Ok(self.tensors);
        }
        Err(Error::WeightsDoNotFit {
            path: path.to_owned(),
            missing,
            unexpected: self.unexpected,
            misshapen: self.misshapen,
        })
    }
}

impl Place {
    fn covers(&self, name: &String) -> bool {
        match self {
            Self::Whole(ours) | Self::Transposed(ours) => ours == name,
            Self::Stacked(ours) => ours.contains(name),
        }
    }
}

fn refuse_not_finite(path: &Path, name: &str, data: &[f32]) -> Result<(), Error> {
    let Some(index) = data.iter().position(|value| !value.is_finite()) else { return Ok(()) };
    Err(Error::NotFinite {
        path: path.to_owned(),
        tensor: name.to_owned(),
        index,
        value: data[index],
    })
}

/// The matrix with its axes exchanged; `columns` is the width of a row of `data`.
pub(crate) fn transpose(data: &[f32], columns: usize) -> Vec<f32> {
    (0..columns).flat_map(|column| data.iter().skip(column).step_by(columns)).copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn transposing_exchanges_rows_and_columns() {
        assert_eq!(transpose(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3), [1.0, 4.0, 2.0, 5.0, 3.0, 6.0]);
    }

    #[test]
    fn nothing_is_read_for_a_wrong_shape() {
        let mut collector = Collector::new(&Config::preset("tiny", 100).unwrap());
        let path = Path::new("file");
        let unread = || panic!("the values were asked for");
        collector.offer(path, "text_projection.weight", &[usize::MAX, 2], unread).unwrap();
        collector.offer(path, "vision_model.embeddings.position_ids", &[1, 65], unread).unwrap();
        collector.offer(path, "extra.weight", &[3], unread).unwrap();
        let Err(Error::WeightsDoNotFit { missing, unexpected, misshapen, .. }) =
            collector.finish(path)
        else {
            panic!("it does not fit");
        };
        assert_eq!(unexpected, ["extra.weight"]);
        assert_eq!(misshapen[0].expected, [128, 128]);
        assert!(!missing.contains(&"text_projection.weight".to_owned()));
    }
}

//! PyTorch's file format before version 1.6: five pickles and then the storages, end to end.
//!
//! The still older tar archives are not read.
//! Source: PyTorch, `_legacy_save` in `torch/serialization.py`.

use std::collections::HashMap;
use std::io::Read;
use std::ops::Range;
use std::path::Path;

use super::collector::Collector;
use super::pickle::{self, Input, Refusal, View};
use super::torch::{damaged, refused, values};
use crate::Error;

/// The pickles of the magic number and of the protocol version, 1001.
const MAGIC: &[u8] = b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03.";

/// Whether the file at `path` is of this format.
pub(super) fn starts(path: &Path) -> Result<bool, Error> {
    let mut start = Vec::new();
    fs_err::File::open(path)?.take(MAGIC.len() as u64).read_to_end(&mut start)?;
    Ok(start == MAGIC)
}

pub(super) fn read(path: &Path, collector: &mut Collector) -> Result<(), Error> {
    let file = fs_err::read(path)?;
    let contents = Contents::read(&file).map_err(|refusal| refused(path, refusal))?;
    for (name, view) in &contents.named {
        collector.offer(path, name, &view.shape, || {
            let range = contents.storages.get(view.storage.key.as_str());
            let range = range.ok_or_else(|| damaged(path, &format!("{name} has no storage")))?;
            values(path, name, view, &file[range.clone()])
        })?;
    }
    Ok(())
}

struct Contents {
    named: Vec<(String, View)>,
    /// Where in the file the bytes of each storage are.
    storages: HashMap<String, Range<usize>>,
}

impl Contents {
    fn read(file: &[u8]) -> Result<Self, Refusal> {
        let mut input = Input(file);
        input.take(MAGIC.len())?;
        // How the writer's machine represents numbers.
        pickle::skip(&mut input)?;
        let named = pickle::tensors(&mut input)?;
        let sizes: HashMap<String, usize> = named
            .iter()
            .map(|(_, view)| (view.storage.key.clone(), view.storage.format.size()))
            .collect();
        let mut storages = HashMap::new();
        for key in pickle::strings(&mut input)? {
            let size =
                sizes.get(&key).ok_or(Refusal::Damaged("it has a storage that no tensor uses"))?;
            let len = input
                .number(8)?
                .checked_mul(*size)
                .ok_or(Refusal::Damaged("a storage is too large"))?;
            let start = file.len() - input.0.len();
            input.take(len)?;
            storages.insert(key, start..start + len);
        }
        Ok(Self { named, storages })
    }
}

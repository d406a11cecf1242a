//! The safetensors format, both ways.
//!
//! The crate of that name parses and checks the header; names and shapes are the collector's job.

use std::io::{BufWriter, Write};
use std::path::Path;

use safetensors::tensor::{Dtype, Metadata, SafeTensorError, SafeTensors, TensorInfo};

use super::collector::Collector;
use super::numbers::Format;
use crate::Error;
use crate::tensors::Tensors;

pub(super) fn read(path: &Path, collector: &mut Collector) -> Result<(), Error> {
    let bytes = fs_err::read(path)?;
    let file = SafeTensors::deserialize(&bytes).map_err(|error| damaged(path, &error))?;
    for (name, view) in file.iter() {
        collector.offer(path, name, view.shape(), || {
            format(view.dtype()).decode(view.data()).ok_or_else(|| Error::NumberFormat {
                path: path.to_owned(),
                tensor: name.to_owned(),
                found: format!("{:?}", view.dtype()),
            })
        })?;
    }
    Ok(())
}

fn damaged(path: &Path, error: &SafeTensorError) -> Error {
    Error::Damaged {
        path: path.to_owned(),
        reason: format!("not a whole safetensors file: {error}"),
    }
}

fn format(dtype: Dtype) -> Format {
    match dtype {
        Dtype::F64 => Format::F64,
        Dtype::F32 => Format::F32,
        Dtype::F16 => Format::F16,
        Dtype::BF16 => Format::Bf16,
        other => Format::Other(other.bitsize() / 8),
    }
}

/// Writes the tensors to `path` by way of a file beside it, so that `path` is never half-written.
pub(crate) fn write(path: &Path, tensors: &Tensors) -> Result<(), Error> {
    let header = header(tensors).map_err(|error| damaged(path, &error))?;
    let partial = path.with_extension("safetensors.partial");
    let mut file = BufWriter::with_capacity(1 << 20, fs_err::File::create(&partial)?);
    file.write_all(&(header.len() as u64).to_le_bytes())?;
    file.write_all(&header)?;
    for tensor in tensors.values() {
        for value in &tensor.data {
            file.write_all(&value.to_le_bytes())?;
        }
    }
    file.flush()?;
    file.get_ref().sync_all()?;
    fs_err::rename(&partial, path)?;
    sync_directory(path)
}

/// Names, shapes and places as JSON, filled up to a multiple of 8 bytes so that the values are aligned.
fn header(tensors: &Tensors) -> Result<Vec<u8>, SafeTensorError> {
    // transformers reads no file that does not say `format: pt`.
    let format = Some([("format".to_owned(), "pt".to_owned())].into());
    let mut end = 0;
    let infos = tensors.iter().map(|(name, tensor)| {
        let start = end;
        end += 4 * tensor.data.len();
        let shape = tensor.shape.clone();
        (name.clone(), TensorInfo { dtype: Dtype::F32, shape, data_offsets: (start, end) })
    });
    let metadata = Metadata::new(format, infos.collect())?;
    let mut json = serde_json::to_vec(&metadata)?;
    json.resize(json.len().next_multiple_of(8), b' ');
    Ok(json)
}

/// Makes a rename in the directory of `path` last; only Unix lets a directory be opened for that.
fn sync_directory(path: &Path) -> Result<(), Error> {
    #[cfg(unix)]
    if let Some(dir) = path.parent().filter(|dir| !dir.as_os_str().is_empty()) {
        fs_err::File::open(dir)?.sync_all()?;
    }
    Ok(())
}

//! Makes the embedded base from a model folder: `pack MODEL [OUT]`, the weights as f16.
//!
//! OUT is `crates/app/assets/base` when not given. Run it on `RUN/best` of the run that `assets/base/base.toml` describes.

use anyhow::{Context, Result, bail};
use half::f16;
use safetensors::tensor::{Dtype, TensorView};
use safetensors::{SafeTensors, serialize};
use std::io::Write;
use std::path::Path;

/// Copied as they are.
const SMALL: [&str; 3] = ["config.json", "preprocessor_config.json", "tokenizer.json"];

/// The file of weights.
const WEIGHTS: &str = "model.safetensors";

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let here = concat!(env!("CARGO_MANIFEST_DIR"), "/assets/base");
    let (model, out) = match arguments.as_slice() {
        [model] => (Path::new(model), Path::new(here)),
        [model, out] => (Path::new(model), Path::new(out)),
        _ => bail!("usage: pack MODEL [OUT]"),
    };
    fs_err::create_dir_all(out)?;
    for name in SMALL {
        fs_err::copy(model.join(name), out.join(name))?;
    }
    let bytes = fs_err::read(model.join(WEIGHTS))?;
    let halves = SafeTensors::deserialize(&bytes)?.tensors().into_iter().map(|(name, tensor)| {
        let half = halved(&tensor).with_context(|| name.clone())?;
        Ok((name, tensor.shape().to_vec(), half))
    });
    let halves: Vec<_> = halves.collect::<Result<_>>()?;
    let mut views = Vec::new();
    for (name, shape, half) in &halves {
        views.push((name.as_str(), TensorView::new(Dtype::F16, shape.clone(), half)?));
    }
    fs_err::write(out.join(WEIGHTS), serialize(views, None)?)?;
    let size: usize = halves.iter().map(|(_, _, half)| half.len()).sum();
    writeln!(std::io::stdout(), "{}: {:.1} MB of weights", out.display(), size as f64 / 1e6)?;
    Ok(())
}

/// The same numbers with half the bits.
fn halved(tensor: &TensorView<'_>) -> Result<Vec<u8>> {
    if tensor.dtype() != Dtype::F32 {
        bail!("expected f32, found {:?}", tensor.dtype());
    }
    let values = tensor
        .data()
        .chunks_exact(4)
        .map(|bytes| f32::from_le_bytes(bytes.try_into().expect("four bytes")));
    let halves: Vec<f16> = values.map(f16::from_f32).collect();
    if halves.iter().any(|half| !half.is_finite()) {
        bail!("a weight is too large for f16");
    }
    Ok(halves.iter().flat_map(|half| half.to_le_bytes()).collect())
}

//! Features as a safetensors file, for whoever wants to compute with them elsewhere.

use std::collections::HashMap;
use std::path::Path;

use finelens_finetune::Embedded;
use safetensors::serialize;
use safetensors::tensor::{Dtype, TensorView};

/// Writes `image_features` (N, D), `text_features` (M, D) and `image_of_text` (M), with ids and captions as JSON lists in
/// the metadata.
pub(crate) fn write(path: &Path, embedded: &Embedded) -> anyhow::Result<()> {
    let (images, texts, corpus) = (&embedded.images, &embedded.texts, &embedded.corpus);
    let floats =
        |values: &[f32]| values.iter().flat_map(|value| value.to_le_bytes()).collect::<Vec<u8>>();
    let owners: Vec<u8> =
        corpus.image_of_text().iter().flat_map(|&owner| i64::from(owner).to_le_bytes()).collect();
    let (image_bytes, text_bytes) = (floats(images.values()), floats(texts.values()));
    let tensors = [
        (
            "image_features",
            TensorView::new(Dtype::F32, vec![images.len(), images.dim()], &image_bytes)?,
        ),
        (
            "text_features",
            TensorView::new(Dtype::F32, vec![texts.len(), texts.dim()], &text_bytes)?,
        ),
        ("image_of_text", TensorView::new(Dtype::I64, vec![corpus.texts()], &owners)?),
    ];
    let metadata = HashMap::from([
        ("image_ids".to_owned(), serde_json::to_string(corpus.image_ids())?),
        ("captions".to_owned(), serde_json::to_string(corpus.captions())?),
    ]);
    Ok(fs_err::write(path, serialize(tensors, Some(metadata))?)?)
}

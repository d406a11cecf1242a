//! The parts of a question become one vector.

use std::sync::Arc;

use axum::body::Bytes;
use finelens_search::{Backend, Embedded};
use futures_util::future::try_join_all;

use super::collection::Collection;
use super::decoding::Decoding;
use super::embedding::Embedding;
use super::failure::Failure;
use super::gate::blocking;
use crate::question::{Part, Sum, What};

/// A picture to embed, as a question names it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Shown {
    /// By the name of an upload.
    Upload(String),
    /// By its bytes, in the request itself.
    Sent(Bytes),
}

/// `(D,)`: the weighted sum of the parts, of length 1; nothing where there are none.
pub(crate) async fn vector(
    collection: &Collection,
    decoding: &Decoding,
    parts: &[Part<Shown>],
) -> Result<Option<Vec<f32>>, Failure> {
    if parts.is_empty() {
        return Ok(None);
    }
    let embedding = collection.embedding()?;
    // All at once, so that they share a batch.
    let vectors = parts.iter().map(|part| of(collection, decoding, &embedding, &part.what));
    let vectors = try_join_all(vectors).await?;
    let mut sum = Sum::new(collection.reader.settings().dim);
    for (part, vector) in parts.iter().zip(vectors) {
        sum.add(part.weight, &vector);
    }
    Ok(Some(sum.unit().map_err(anyhow::Error::from)?))
}

async fn of(
    collection: &Collection,
    decoding: &Decoding,
    embedding: &Embedding,
    what: &What<Shown>,
) -> Result<Arc<[f32]>, Failure> {
    match what {
        What::Text(text) => embedding.text(text).await,
        What::Id(id) => of_id(Arc::clone(&collection.reader), id.clone()).await,
        What::Picture(Shown::Sent(bytes)) => {
            picture(decoding, embedding, bytes.clone()).await.map(Arc::from)
        }
        What::Picture(Shown::Upload(name)) => {
            of_upload(collection, decoding, embedding, name).await
        }
    }
}

async fn of_id(index: Arc<Embedded>, id: String) -> Result<Arc<[f32]>, Failure> {
    let item = blocking(move || index.get(&id).map(|item| item.ok_or(id))).await??;
    item.map(|item| item.vector.into()).map_err(|id| Failure::no_picture(&id))
}

async fn of_upload(
    collection: &Collection,
    decoding: &Decoding,
    embedding: &Embedding,
    name: &str,
) -> Result<Arc<[f32]>, Failure> {
    if let Some(known) = embedding.known_picture(name) {
        return Ok(known);
    }
    let (uploads, wanted) = (Arc::clone(&collection.uploads), name.to_owned());
    let bytes = blocking(move || uploads.query(&wanted)).await??;
    let vector = picture(decoding, embedding, bytes.into()).await?;
    Ok(embedding.remember_picture(name, vector))
}

/// `(D,)`: the unit vector of an encoded picture.
async fn picture(
    decoding: &Decoding,
    embedding: &Embedding,
    bytes: Bytes,
) -> Result<Vec<f32>, Failure> {
    let reader = embedding.reader().await?;
    let decoder = reader.decoder().clone();
    let pixels = move |picture| Ok(reader.pixels(&picture));
    embedding.picture(decoding.decode(bytes, &decoder, pixels).await?).await
}

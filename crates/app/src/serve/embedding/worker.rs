//! The thread that has a model: takes what waits, and sends vectors back.

use finelens_clip::Embedder;
use std::sync::Arc;
use tokio::sync::oneshot;

use super::queue::{Ask, Batch, Queue};
use crate::serve::failure::Failure;

/// Embeds until the queue is closed. Should it break off, nobody waits in vain.
pub(super) fn work(queue: &Arc<Queue>, mut embedder: Embedder) {
    let _closing = Closing(Arc::clone(queue));
    while let Some(batch) = queue.next() {
        match batch {
            Batch::Texts(asks) => texts(&mut embedder, asks),
            Batch::Pictures(asks) => pictures(&mut embedder, asks),
        }
    }
}

struct Closing(Arc<Queue>);

impl Drop for Closing {
    fn drop(&mut self) {
        self.0.close();
    }
}

type Reply = oneshot::Sender<Result<Vec<f32>, Failure>>;

fn texts(embedder: &mut Embedder, asks: Vec<Ask<String>>) {
    let (texts, replies): (Vec<String>, Vec<Reply>) =
        asks.into_iter().map(|ask| (ask.what, ask.reply)).unzip();
    let texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let features = embedder.texts(&texts); // (N, D)
    send(embedder, replies, features);
}

fn pictures(embedder: &mut Embedder, asks: Vec<Ask<Vec<f32>>>) {
    let (pixels, replies): (Vec<Vec<f32>>, Vec<Reply>) =
        asks.into_iter().map(|ask| (ask.what, ask.reply)).unzip();
    let features = embedder.model.image_features(&pixels.concat()); // (B, D)
    send(embedder, replies, features);
}

/// Each its row.
fn send(
    embedder: &Embedder,
    replies: Vec<Reply>,
    features: Result<Vec<f32>, finelens_clip::Error>,
) {
    let dim = embedder.model.config().embed_dim;
    match features {
        Ok(features) => {
            for (reply, vector) in replies.into_iter().zip(features.chunks_exact(dim)) {
                // Whoever left does not need it any more.
                let _ = reply.send(Ok(vector.to_vec()));
            }
        }
        Err(error) => {
            let failure = Failure::internal(error.to_string());
            for reply in replies {
                let _ = reply.send(Err(failure.clone()));
            }
        }
    }
}

//! Texts and pictures become vectors, on one thread per model that takes together what waits.
//!
//! The model is read while the server answers already; whoever needs it waits until it is there.

mod queue;
mod worker;

use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use axum::http::StatusCode;
use finelens_clip::Embedder;
use lru::LruCache;
use tokio::sync::{oneshot, watch};

use super::failure::Failure;
use crate::indexing::Reader;
use crate::problem::Problem;
use queue::{Ask, Queue};

/// Vectors that are remembered, of texts and of uploaded pictures: paging asks for the same again. Some 8 MB at width 512.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(4096).unwrap();

/// Code of what needs a model where none can be used.
pub(crate) const NO_MODEL: &str = "no_model";

/// A model at work.
#[derive(Debug)]
pub(crate) struct Embedding {
    queue: Arc<Queue>,
    /// Vectors by what they are of: `t` and a text, or `p` and the hash of a picture.
    known: Mutex<LruCache<String, Arc<[f32]>>>,
    model: watch::Receiver<State>,
}

/// How far the model is.
#[derive(Debug, Clone)]
pub(crate) enum State {
    /// It is being read.
    Loading,
    /// It answers; pictures are to be prepared by this reader.
    Ready(Reader),
    /// It cannot be used, and why.
    Failed(Failure),
}

impl Embedding {
    /// Begins to read a model on a thread of its own.
    pub(crate) fn start(
        load: impl FnOnce() -> anyhow::Result<Embedder> + Send + 'static,
    ) -> std::io::Result<Self> {
        let (queue, (tell, model)) = (Arc::new(Queue::default()), watch::channel(State::Loading));
        let taken = Arc::clone(&queue);
        std::thread::Builder::new().name("model".to_owned()).spawn(move || match load() {
            Ok(embedder) => {
                tell.send_replace(State::Ready(Reader::new(&embedder)));
                worker::work(&taken, embedder);
            }
            Err(error) => {
                tell.send_replace(State::Failed(unusable(&error)));
            }
        })?;
        Ok(Self { queue, known: Mutex::new(LruCache::new(REMEMBERED)), model })
    }

    /// How far the model is.
    pub(crate) fn state(&self) -> State {
        self.model.borrow().clone()
    }

    /// What waits for the model.
    pub(crate) fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// What prepares pictures for the model, once it is there.
    pub(crate) async fn reader(&self) -> Result<Reader, Failure> {
        let mut model = self.model.clone();
        let state = model.wait_for(|state| !matches!(state, State::Loading)).await;
        match state.as_deref() {
            Ok(State::Ready(reader)) => Ok(reader.clone()),
            Ok(State::Failed(failure)) => Err(failure.clone()),
            Ok(State::Loading) | Err(_) => Err(Failure::internal("the model was never read")),
        }
    }

    /// `(D,)`: the unit vector of a sentence.
    pub(crate) async fn text(&self, text: &str) -> Result<Arc<[f32]>, Failure> {
        let key = format!("t{text}");
        if let Some(known) = self.known(&key) {
            return Ok(known);
        }
        self.reader().await?;
        let (reply, answer) = oneshot::channel();
        self.queue.push_text(Ask { what: text.to_owned(), reply })?;
        let vector = answered(answer).await?;
        Ok(self.remember(key, vector))
    }

    /// `(D,)`: the unit vector of a picture that [`Embedding::reader`] has prepared.
    pub(crate) async fn picture(&self, pixels: Vec<f32>) -> Result<Vec<f32>, Failure> {
        let (reply, answer) = oneshot::channel();
        self.queue.push_picture(Ask { what: pixels, reply })?;
        answered(answer).await
    }

    /// The vector of an uploaded picture that was embedded before.
    pub(crate) fn known_picture(&self, hash: &str) -> Option<Arc<[f32]>> {
        self.known(&format!("p{hash}"))
    }

    /// Remembers the vector of an uploaded picture.
    pub(crate) fn remember_picture(&self, hash: &str, vector: Vec<f32>) -> Arc<[f32]> {
        self.remember(format!("p{hash}"), vector)
    }

    fn known(&self, key: &str) -> Option<Arc<[f32]>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner).get(key).cloned()
    }

    fn remember(&self, key: String, vector: Vec<f32>) -> Arc<[f32]> {
        let vector: Arc<[f32]> = vector.into();
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.put(key, Arc::clone(&vector));
        vector
    }
}

impl Drop for Embedding {
    fn drop(&mut self) {
        self.queue.close();
    }
}

async fn answered(
    answer: oneshot::Receiver<Result<Vec<f32>, Failure>>,
) -> Result<Vec<f32>, Failure> {
    answer.await.unwrap_or_else(|_| Err(Failure::internal("the model does not answer any more")))
}

/// What the log says of it, paths and all, is nobody else's to know.
pub(super) fn unusable(error: &anyhow::Error) -> Failure {
    let why = Problem::of(error).map_or_else(|| error.to_string(), |problem| problem.message);
    tracing::warn!("{why}: only words can be searched; --model says where the model is");
    let told = "the model of this index cannot be used";
    Failure::new(StatusCode::SERVICE_UNAVAILABLE, NO_MODEL, told)
        .hint("mode=lexical needs no model; the server's log says what is wrong with it")
}

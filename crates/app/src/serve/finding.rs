//! Looking for things in pictures, on a thread of its own: it takes seconds, which no search should have to wait for.
//!
//! It has its own copy of the model, read when somebody asks for the first time.

use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, OnceLock};

use finelens_clip::{Embedder, Picture};
use finelens_search::{Backend, Embedded};
use tokio::sync::oneshot;

use super::embedding::unusable;
use super::failure::Failure;
use crate::finding::{Asked, Finder, Found, picture_of};
use crate::indexing::folders;
use crate::printer::Printer;
use crate::question;

/// Questions that may wait. Own choice: at a second or two each, the last one waits as long as people do.
const WAITING: usize = 4;

/// Where to look.
#[derive(Debug)]
pub(crate) enum Where {
    /// In a picture of the index.
    Id(String),
    /// In a picture that was sent.
    Picture(Picture),
}

/// The way to the thread, which begins with the first question.
#[derive(Debug)]
pub(crate) struct Finding {
    place: Place,
    line: OnceLock<SyncSender<Question>>,
}

/// The index, and where its model is said to be.
#[derive(Debug, Clone)]
struct Place {
    path: PathBuf,
    said: Option<String>,
    index: Arc<Embedded>,
}

#[derive(Debug)]
struct Question {
    at: Where,
    feature: String,
    reply: oneshot::Sender<Result<Found, Failure>>,
}

impl Finding {
    /// One for an index; nothing is read yet.
    pub(crate) fn new(path: &Path, said: Option<&str>, index: &Arc<Embedded>) -> Self {
        let (path, said) = (path.to_owned(), said.map(str::to_owned));
        let place = Place { path, said, index: Arc::clone(index) };
        Self { place, line: OnceLock::new() }
    }

    /// Looks for a feature, when it is this question's turn.
    pub(crate) async fn find(&self, at: Where, feature: String) -> Result<Found, Failure> {
        let (reply, answer) = oneshot::channel();
        let line = self.line.get_or_init(|| begin(self.place.clone()));
        line.try_send(Question { at, feature, reply }).map_err(|error| match error {
            TrySendError::Full(_) => Failure::busy(),
            TrySendError::Disconnected(_) => Failure::internal("nobody looks any more"),
        })?;
        answer.await.unwrap_or_else(|_| Err(Failure::internal("looking for it broke off")))
    }
}

fn begin(place: Place) -> SyncSender<Question> {
    let (line, questions) = sync_channel(WAITING);
    // Should there be no thread, its end of the line is gone, and every question is told so.
    let begun = std::thread::Builder::new()
        .name("finding".to_owned())
        .spawn(move || answer_all(&place, &questions));
    let _ = begun.inspect_err(|error| tracing::error!("no thread to look in pictures: {error}"));
    line
}

/// A model with what it knows of the index, and which model it is.
struct Ready {
    hash: String,
    embedder: Embedder,
    finder: Finder,
}

fn answer_all(place: &Place, questions: &Receiver<Question>) {
    let mut ready = None;
    while let Ok(question) = questions.recv() {
        if question.reply.is_closed() {
            continue;
        }
        let answer = answer(place, &mut ready, question.at, &question.feature);
        // Whoever left does not need it any more.
        let _ = question.reply.send(answer);
    }
}

fn answer(
    place: &Place,
    ready: &mut Option<Ready>,
    at: Where,
    feature: &str,
) -> Result<Found, Failure> {
    let hash = place.index.settings().model.hash;
    let known = ready.take().filter(|ready| ready.hash == hash);
    let known = match known {
        Some(known) => known,
        None => get_ready(place, hash).map_err(|error| unusable(&error))?,
    };
    let Ready { embedder, finder, .. } = ready.insert(known);
    let (picture, id) = match at {
        Where::Picture(picture) => (picture, None),
        Where::Id(id) => (of_index(place, embedder, &id)?, Some(id)),
    };
    let asked = Asked { feature, id: id.as_deref(), ..Asked::default() };
    Ok(finder.find(embedder, &picture, &asked)?)
}

fn get_ready(place: &Place, hash: String) -> anyhow::Result<Ready> {
    let Place { path, said, index } = place;
    let mut embedder = question::embedder(path, said.as_deref(), index, &Printer::silent())?;
    let mut finder = Finder::new();
    finder.learn(index, path, &mut embedder, &mut |_, _| {})?;
    Ok(Ready { hash, embedder, finder })
}

fn of_index(place: &Place, embedder: &Embedder, id: &str) -> Result<Picture, Failure> {
    let gone = || Failure::no_picture(id);
    let item = place.index.get(id)?.ok_or_else(gone)?;
    picture_of(&item, &folders(&place.index, &place.path)?, embedder).ok_or_else(gone)
}

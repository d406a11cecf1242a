//! Looking for things in pictures, on a thread of its own: it takes seconds, which no search should have to wait for.
//!
//! It has its own copy of the model, read when somebody asks for the first time. Before that, and once for an index, it learns how
//! other pictures look: at the start of the server, while nothing else is to be done.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use finelens_clip::{Embedder, Picture};
use finelens_search::{Backend, Embedded};
use serde::Serialize;
use tokio::sync::oneshot;
use utoipa::ToSchema;

use super::embedding::{Embedding, State, unusable};
use super::failure::Failure;
use super::gate::Gate;
use crate::finding::{Asked, Finder, Found, picture_of};
use crate::indexing::folders;
use crate::model;
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

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct Finding {
    line: SyncSender<Question>,
    asked: Arc<Asking>,
}

/// The index, and where its model is said to be.
#[derive(Debug)]
struct Place {
    path: PathBuf,
    said: Option<String>,
    index: Arc<Embedded>,
    /// What goes before learning.
    gate: Gate,
    asked: Arc<Asking>,
}

/// What the thread and those who ask it know of each other.
#[derive(Debug, Default)]
struct Asking {
    /// Questions that wait.
    waiting: AtomicUsize,
    learning: Mutex<Learning>,
}

/// How far it is with learning how pictures of the index look.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, ToSchema)]
pub(crate) struct Learning {
    /// Whether it can answer without learning first.
    ready: bool,
    /// Pictures that it has looked at.
    done: usize,
    /// Pictures that it is going to look at; 0 before it has begun.
    of: usize,
}

#[derive(Debug)]
struct Question {
    at: Where,
    feature: String,
    reply: oneshot::Sender<Result<Found, Failure>>,
}

impl Finding {
    /// Begins on a thread of its own; it learns once `model`, which searches use, has been read.
    pub(crate) fn start(
        (path, said): (&Path, Option<&str>),
        index: &Arc<Embedded>,
        model: Arc<Embedding>,
        gate: &Gate,
    ) -> std::io::Result<Self> {
        let (line, questions) = sync_channel(WAITING);
        let (path, said, asked) = (path.to_owned(), said.map(str::to_owned), Arc::default());
        let place = Place {
            path,
            said,
            index: Arc::clone(index),
            gate: gate.clone(),
            asked: Arc::clone(&asked),
        };
        std::thread::Builder::new().name("finding".to_owned()).spawn(move || {
            let ready = learn_ahead(&place, &model);
            drop(model);
            answer_all(&place, ready, &questions);
        })?;
        Ok(Self { line, asked })
    }

    /// How far it is with learning.
    pub(crate) fn learning(&self) -> Learning {
        *self.asked.learning()
    }

    /// Looks for a feature, when it is this question's turn.
    pub(crate) async fn find(&self, at: Where, feature: String) -> Result<Found, Failure> {
        let (reply, answer) = oneshot::channel();
        self.asked.waiting.fetch_add(1, Ordering::Relaxed);
        self.line.try_send(Question { at, feature, reply }).map_err(|error| {
            self.asked.waiting.fetch_sub(1, Ordering::Relaxed);
            match error {
                TrySendError::Full(_) => Failure::busy(),
                TrySendError::Disconnected(_) => Failure::internal("nobody looks any more"),
            }
        })?;
        answer.await.unwrap_or_else(|_| Err(Failure::internal("looking for it broke off")))
    }
}

/// How often a thread that waits for another looks up.
const LOOKS_UP: Duration = Duration::from_millis(20);

/// Longest rest between two pictures, so that learning comes to an end under load, too. Own choice.
const RESTS: Duration = Duration::from_secs(1);

/// Learns how the pictures of the index look, if nobody has before.
fn learn_ahead(place: &Place, model: &Embedding) -> Option<Ready> {
    while matches!(model.state(), State::Loading) {
        std::thread::sleep(LOOKS_UP);
    }
    let is_known = || Finder::is_known(&place.index, &place.path).unwrap_or(false);
    if is_known() {
        place.asked.learning().ready = true;
        return None;
    }
    if matches!(model.state(), State::Failed(_)) {
        return None;
    }
    let ready = get_ready(place, place.index.settings().model.hash);
    let ready = ready.inspect_err(|error| tracing::warn!("no picture was looked at: {error:#}"));
    // Weights take room: they are kept if somebody waits already, or if what was learned could not be written down.
    ready.ok().filter(|_| place.asked.somebody_waits() || !is_known())
}

impl Asking {
    fn learning(&self) -> MutexGuard<'_, Learning> {
        self.learning.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn somebody_waits(&self) -> bool {
        self.waiting.load(Ordering::Relaxed) > 0
    }
}

impl Place {
    /// Lets searches go first, unless somebody waits for what is being learned.
    fn rest(&self) {
        let begun = Instant::now();
        let others = || self.gate.inside() > 0 && !self.asked.somebody_waits();
        while others() && begun.elapsed() < RESTS {
            std::thread::sleep(LOOKS_UP);
        }
    }
}

/// A model with what it knows of the index, and which model it is.
struct Ready {
    hash: String,
    embedder: Embedder,
    finder: Finder,
}

fn answer_all(place: &Place, mut ready: Option<Ready>, questions: &Receiver<Question>) {
    while let Ok(question) = questions.recv() {
        place.asked.waiting.fetch_sub(1, Ordering::Relaxed);
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
    let Place { path, said, index, .. } = place;
    let checkpoint = question::checkpoint(path, said.as_deref(), index, &Printer::silent())?;
    let mut embedder = model::embedder_for_parts(checkpoint)?;
    let mut finder = Finder::new();
    finder.learn(index, path, &mut embedder, &mut |done, of| {
        *place.asked.learning() = Learning { ready: false, done, of };
        place.rest();
    })?;
    place.asked.learning().ready = true;
    Ok(Ready { hash, embedder, finder })
}

fn of_index(place: &Place, embedder: &Embedder, id: &str) -> Result<Picture, Failure> {
    let gone = || Failure::no_picture(id);
    let item = place.index.get(id)?.ok_or_else(gone)?;
    picture_of(&item, &folders(&place.index, &place.path)?, embedder).ok_or_else(gone)
}

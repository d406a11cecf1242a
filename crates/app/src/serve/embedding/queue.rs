//! What waits for a model: bounded, and taken out together.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use tokio::sync::oneshot;

use crate::serve::failure::Failure;

/// Texts that wait at most, and as many pictures. The gate lets in fewer, so this is only the last wall.
const WAITING: usize = 256;

/// Texts that go through the model together. Own choice: more only make the first of them wait.
const TEXTS: usize = 32;

/// Pictures that go through the model together: they take longer, and texts that come meanwhile wait.
const PICTURES: usize = 4;

/// Something to embed, and where its vector is waited for.
#[derive(Debug)]
pub(super) struct Ask<T> {
    /// What is to be embedded.
    pub(super) what: T,
    /// Where the vector goes.
    pub(super) reply: oneshot::Sender<Result<Vec<f32>, Failure>>,
}

/// What goes through the model together.
#[derive(Debug)]
pub(super) enum Batch {
    /// Sentences.
    Texts(Vec<Ask<String>>),
    /// `(3, S, S)` each: pictures as the model takes them.
    Pictures(Vec<Ask<Vec<f32>>>),
}

#[derive(Debug, Default)]
pub(super) struct Queue {
    waiting: Mutex<Waiting>,
    arrived: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    texts: VecDeque<Ask<String>>,
    pictures: VecDeque<Ask<Vec<f32>>>,
    closed: bool,
}

impl Queue {
    /// Puts a text at the end.
    pub(super) fn push_text(&self, ask: Ask<String>) -> Result<(), Failure> {
        self.push(ask, |waiting| &mut waiting.texts)
    }

    /// Puts a picture at the end.
    pub(super) fn push_picture(&self, ask: Ask<Vec<f32>>) -> Result<(), Failure> {
        self.push(ask, |waiting| &mut waiting.pictures)
    }

    fn push<T>(
        &self,
        ask: Ask<T>,
        line: impl FnOnce(&mut Waiting) -> &mut VecDeque<Ask<T>>,
    ) -> Result<(), Failure> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(Failure::internal("the model does not answer any more"));
        }
        let line = line(&mut waiting);
        if line.len() >= WAITING {
            return Err(Failure::busy());
        }
        line.push_back(ask);
        self.arrived.notify_one();
        Ok(())
    }

    /// Waits for something to do; `None` once the queue was closed. Texts go first, as people wait for them while they type.
    pub(super) fn next(&self) -> Option<Batch> {
        let mut waiting = self.lock();
        loop {
            if waiting.closed {
                return None;
            }
            let texts = taken(&mut waiting.texts, TEXTS);
            if !texts.is_empty() {
                return Some(Batch::Texts(texts));
            }
            let pictures = taken(&mut waiting.pictures, PICTURES);
            if !pictures.is_empty() {
                return Some(Batch::Pictures(pictures));
            }
            waiting = self.arrived.wait(waiting).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Things that wait.
    pub(super) fn len(&self) -> usize {
        let waiting = self.lock();
        waiting.texts.len() + waiting.pictures.len()
    }

    /// Ends the work; whoever waits is told that nothing comes.
    pub(super) fn close(&self) {
        *self.lock() = Waiting { closed: true, ..Waiting::default() };
        self.arrived.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The first of a line, without those whose clients have left.
fn taken<T>(line: &mut VecDeque<Ask<T>>, most: usize) -> Vec<Ask<T>> {
    line.retain(|ask| !ask.reply.is_closed());
    line.drain(..line.len().min(most)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ask<T>(what: T) -> (Ask<T>, oneshot::Receiver<Result<Vec<f32>, Failure>>) {
        let (reply, answer) = oneshot::channel();
        (Ask { what, reply }, answer)
    }

    #[test]
    fn what_waits_is_taken_together_texts_first_and_never_too_many() {
        let queue = Queue::default();
        let mut answers = Vec::new();
        let (picture, answer) = ask(vec![0.0]);
        queue.push_picture(picture).unwrap();
        let mut pictures = vec![answer];
        for number in 0..=TEXTS {
            let (text, answer) = ask(number.to_string());
            queue.push_text(text).unwrap();
            answers.push(answer);
        }
        // The client of the second text leaves.
        answers.remove(1);
        let Some(Batch::Texts(texts)) = queue.next() else { panic!() };
        let shown: Vec<&str> = texts.iter().map(|ask| ask.what.as_str()).collect();
        assert_eq!((texts.len(), shown[0], shown[1]), (TEXTS, "0", "2"));
        let Some(Batch::Pictures(batch)) = queue.next() else { panic!() };
        assert_eq!(batch.len(), 1);
        queue.close();
        assert!(queue.next().is_none());
        drop((texts, batch));
        assert!(pictures.remove(0).blocking_recv().is_err());
    }

    #[test]
    fn a_full_queue_refuses() {
        let queue = Queue::default();
        let answers: Vec<_> = (0..WAITING)
            .map(|_| {
                let (text, answer) = ask(String::new());
                queue.push_text(text).unwrap();
                answer
            })
            .collect();
        assert_eq!(queue.push_text(ask(String::new()).0), Err(Failure::busy()));
        assert_eq!(queue.len(), WAITING);
        drop(answers);
    }
}

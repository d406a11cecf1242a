//! How many requests are worked on at once, and how many may wait: more are refused at once.

use std::sync::Arc;
use std::thread::available_parallelism;
use std::time::{Duration, Instant};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::failure::Failure;

/// Requests that may wait for each core. Own choice: at some milliseconds a search, the last of them waits a tenth of a
/// second, which nobody minds; a longer queue would only make everybody slow.
const WAITING: usize = 16;

/// The way in.
#[derive(Debug, Clone)]
pub(crate) struct Gate {
    /// How many places there are.
    most: usize,
    /// Places for those at work and those that wait.
    places: Arc<Semaphore>,
    /// Places for those at work.
    working: Arc<Semaphore>,
}

/// A request that was let in.
#[derive(Debug)]
pub(crate) struct Admitted {
    place: OwnedSemaphorePermit,
    working: Arc<Semaphore>,
}

impl Gate {
    /// As many at work as there are cores.
    pub(crate) fn new() -> Self {
        Self::of(available_parallelism().map_or(1, usize::from))
    }

    fn of(cores: usize) -> Self {
        let most = cores * (1 + WAITING);
        let places = Arc::new(Semaphore::new(most));
        Self { most, places, working: Arc::new(Semaphore::new(cores)) }
    }

    /// Requests at work or waiting.
    pub(crate) fn inside(&self) -> usize {
        self.most - self.places.available_permits()
    }

    /// Lets a request in, or says that there is no place.
    pub(crate) fn enter(&self) -> Result<Admitted, Failure> {
        let place = Arc::clone(&self.places).try_acquire_owned().map_err(|_| Failure::busy())?;
        Ok(Admitted { place, working: Arc::clone(&self.working) })
    }
}

impl Admitted {
    /// Does `work` on a thread of its own when it is this request's turn; also says how long it waited.
    pub(crate) async fn work<T: Send + 'static>(
        self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<(T, Duration), Failure> {
        let begun = Instant::now();
        let closed = |_| Failure::internal("the server is closing");
        let turn = self.working.acquire_owned().await.map_err(closed)?;
        let waited = begun.elapsed();
        let place = self.place;
        let done = blocking(move || {
            // Work goes on when its client has left, and holds its places until it is done.
            let _held = (turn, place);
            work()
        });
        Ok((done.await?, waited))
    }
}

/// Does something that takes a moment without holding up others.
pub(crate) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, Failure> {
    let gone = |_| Failure::internal("what was to be done broke off");
    tokio::task::spawn_blocking(work).await.map_err(gone)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_finds_no_place_is_told_at_once() {
        let gate = Gate::of(1);
        let inside: Vec<Admitted> = (0..=WAITING).map(|_| gate.enter().unwrap()).collect();
        assert_eq!(gate.enter().unwrap_err(), Failure::busy());
        drop(inside);
        assert!(gate.enter().is_ok());
    }
}

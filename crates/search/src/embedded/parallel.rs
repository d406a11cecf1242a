//! Threads for work that is done while a lock is held.
//!
//! A thread of rayon's pool that waits for a part of its work takes up other tasks meanwhile. If one of those wants the lock
//! that the thread holds already, neither ever goes on. In a pool of its own, such work meets nothing that wants the lock.

use std::panic::resume_unwind;
use std::sync::OnceLock;
use std::thread::scope;

use rayon::{ThreadPool, ThreadPoolBuilder};

/// Does work on threads of its own. A thread of another pool stands still meanwhile, and takes up nothing else.
pub(super) fn apart<T: Send>(work: impl FnOnce() -> T + Send) -> T {
    // Where no thread can be made, the work is done on this one.
    let Some(pool) = pool() else { return work() };
    if rayon::current_thread_index().is_none() || pool.current_thread_index().is_some() {
        return pool.install(work);
    }
    scope(|scope| {
        let done = scope.spawn(|| pool.install(work)).join();
        done.unwrap_or_else(|panic| resume_unwind(panic))
    })
}

fn pool() -> Option<&'static ThreadPool> {
    static POOL: OnceLock<Option<ThreadPool>> = OnceLock::new();
    let name = |number| format!("index-{number}");
    POOL.get_or_init(|| ThreadPoolBuilder::new().thread_name(name).build().ok()).as_ref()
}

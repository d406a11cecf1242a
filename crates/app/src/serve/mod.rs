//! `finelens serve`: an index answers in the browser and over HTTP.
//!
//! The whole way of a request is here: `router` is what answers, `run` is what listens.

mod api;
mod collection;
mod decoding;
mod embedding;
mod failure;
mod finding;
mod gate;
pub(crate) mod guard;
mod images;
mod listener;
mod metrics;
mod openapi;
mod page;
mod parts;
mod state;
mod training;
mod uploads;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;

use crate::error::Error;
use crate::printer::Printer;
use failure::Failure;
use gate::blocking;
use guard::Policy;
use state::Served;
pub(crate) use uploads::copy as copy_uploads;

/// What a server is told when it begins.
#[derive(Debug, Clone)]
pub(crate) struct Config {
    /// Folder of the index.
    pub(crate) index: PathBuf,
    /// Folder of the index to compare with.
    pub(crate) compare: Option<PathBuf>,
    /// Where to listen, as `HOST:PORT`.
    pub(crate) address: String,
    /// The model of the index, where it is not where it was.
    pub(crate) model: Option<String>,
    /// Whether the index must stay as it is.
    pub(crate) read_only: bool,
    /// Who may ask.
    pub(crate) guard: guard::Settings,
}

impl Config {
    /// An index for this machine alone, at an address of it.
    pub(crate) fn new(index: PathBuf, address: String) -> Self {
        let guard = guard::Settings::default();
        Self { index, compare: None, address, model: None, read_only: false, guard }
    }
}

/// Fails where nothing can listen there, so that whoever wants to serve later knows at once.
pub(crate) fn must_be_free(address: &str) -> anyhow::Result<()> {
    let taken = |source| Error::Listen { address: address.to_owned(), source };
    std::net::TcpListener::bind(address).map_err(taken)?;
    Ok(())
}

/// Longest time that requests in flight are given to end once the server was asked to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often it is looked whether an index can be let go of.
const LOOKED_AFTER: Duration = Duration::from_secs(1);

/// Serves until somebody asks to stop: Ctrl-C, or SIGTERM.
pub(crate) fn run(config: &Config, printer: &Printer) -> anyhow::Result<()> {
    let served = Arc::new(Served::open(config)?);
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let ended = runtime.block_on(listen(config, served, printer));
    // What is still at work was given its time.
    runtime.shutdown_background();
    ended
}

async fn listen(config: &Config, served: Arc<Served>, printer: &Printer) -> anyhow::Result<()> {
    let taken = |source| Error::Listen { address: config.address.clone(), source };
    let listener = TcpListener::bind(&config.address).await.map_err(taken)?;
    let address = listener.local_addr()?;
    let warn = |told| printer.warn(told);
    let policy = Arc::new(Policy::new(&config.guard, address, Arc::clone(&served.metrics), warn)?);
    printer.data(format_args!("http://{address}/"))?;
    printer.say(format_args!("serving {}; Ctrl-C ends it", config.index.display()));
    tokio::spawn(let_go(Arc::clone(&served)));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut seen = stopped.clone();
    let graceful = async move {
        asked_to_stop().await;
        let _ = stop.send(true);
    };
    let serving = listener::serve(listener, router(served, &policy), graceful);
    tokio::select! {
        () = serving => {}
        () = async { let _ = seen.wait_for(|stop| *stop).await; tokio::time::sleep(PATIENCE).await } => {
            tracing::warn!("some requests did not end in {} s", PATIENCE.as_secs());
        }
    }
    Ok(())
}

/// Lets go of indexes that were not changed for a while, so that others can change them.
async fn let_go(served: Arc<Served>) {
    loop {
        tokio::time::sleep(LOOKED_AFTER).await;
        let served = Arc::clone(&served);
        let let_go = move || served.collections().for_each(|(_, collection)| collection.let_go());
        let _ = blocking(let_go).await;
    }
}

/// Everything that is answered: the page beside the API, the guard around both.
fn router(served: Arc<Served>, policy: &Arc<Policy>) -> Router {
    let routes = openapi::router()
        .merge(page::router())
        .fallback(page::missing)
        .method_not_allowed_fallback(|| async { Failure::wrong_method() })
        .with_state(served);
    guard::wrap(routes, policy)
}

/// Ends when somebody asks to stop.
async fn asked_to_stop() {
    #[cfg(unix)]
    let terminated = async {
        use tokio::signal::unix::{SignalKind, signal};
        match signal(SignalKind::terminate()) {
            Ok(mut signal) => {
                signal.recv().await;
            }
            Err(_) => std::future::pending().await,
        }
    };
    #[cfg(not(unix))]
    let terminated = std::future::pending::<()>();
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        () = terminated => {}
    }
}

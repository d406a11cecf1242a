//! `finelens serve`: an index answers in the browser and over HTTP.
//!
//! The whole way of a request is here: `router` is what answers, `run` is what listens.

mod api;
mod collection;
mod embedding;
mod failure;
mod gate;
mod openapi;
mod page;
mod parts;
mod state;
mod uploads;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use axum::{Router, middleware};
use tokio::net::TcpListener;

use crate::printer::Printer;
use failure::Failure;
use gate::blocking;
use state::Served;

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
    let listener = TcpListener::bind(&config.address)
        .await
        .with_context(|| format!("cannot listen at {}", config.address))?;
    let address = listener.local_addr()?;
    printer.data(format_args!("http://{address}/"))?;
    printer.say(format_args!("serving {}; Ctrl-C ends it", config.index.display()));
    tokio::spawn(let_go(Arc::clone(&served)));
    let (stop, stopped) = tokio::sync::watch::channel(false);
    let mut seen = stopped.clone();
    let graceful = async move {
        asked_to_stop().await;
        let _ = stop.send(true);
    };
    let service = router(served).into_make_service_with_connect_info::<SocketAddr>();
    let serving = axum::serve(listener, service).with_graceful_shutdown(graceful);
    tokio::select! {
        ended = serving => ended?,
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

/// Everything that is answered. The page goes beside the API, the guard around both, and nothing outside of `tell`, which
/// writes every failure the same way.
fn router(served: Arc<Served>) -> Router {
    openapi::router()
        .merge(page::router())
        .fallback(|| async { Failure::nothing_here() })
        .method_not_allowed_fallback(|| async { Failure::wrong_method() })
        .with_state(served)
        .layer(middleware::from_fn(failure::tell))
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

//! The daemon's life: lock, wiring, adoption, serving, and its end.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use delivery::Delivery;
use model::{Failure, FailureCode};
use sandbox::Sandboxes;
use tokio::net::TcpListener;
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::watch;

use crate::config::ServeConfig;
use crate::wiring::{self, Wired};
use crate::{http, registry, socket};

/// Threads of the control plane; the edge has its own.
const THREADS: usize = 2;

/// How long a thread that waited for the disk waits for more: what it allocated goes back with it.
const IDLE_THREAD: Duration = Duration::from_secs(1);

/// Runs the daemon until it is told to stop. Calls `ready` with the edge's port once it listens.
///
/// A signal ends the daemon alone: apps go on running, and the next daemon finds them.
pub fn serve(config: ServeConfig, ready: impl FnOnce(u16)) -> Result<(), Failure> {
    start_log();
    socket::prepare(&config.home)?;
    let _lock = socket::lock(&config.home)?;
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(THREADS)
        .max_blocking_threads(16)
        .thread_keep_alive(IDLE_THREAD)
        .enable_all()
        .build()
        .map_err(|error| {
            Failure::new(FailureCode::Machine, "threads cannot be started")
                .because(error.to_string())
        })?;
    let served = runtime.block_on(run(config, ready));
    runtime.shutdown_background();
    served
}

async fn run(config: ServeConfig, ready: impl FnOnce(u16)) -> Result<(), Failure> {
    // Calls that come while apps are still being found wait for their answer.
    let listener = socket::listen(&config.home)?;
    let api = listen(config.api_port).await?;
    let api_address = api.local_addr().map_err(broken)?;
    let Wired {
        delivery,
        sandboxes,
        registry,
        tokens,
        keyless,
    } = wiring::wire(&config, api_address.to_string()).await?;
    delivery.adopt().await?;
    let (stop, stopped) = watch::channel(false);
    end_on_signal(stop.clone())?;
    tokio::spawn(Arc::clone(&delivery).sweep_for_ever());
    tokio::spawn(Arc::clone(&delivery).transcribe_for_ever());
    let port = delivery.edge().port();
    tracing::info!(port, home = %config.home.display(), "mayfly serves");
    ready(port);
    let daemon = http::Daemon {
        delivery: Arc::clone(&delivery),
        home: config.home.clone(),
        api_address,
        tokens,
        keyless,
        stop,
    };
    let open = http::open_router(daemon.clone());
    tokio::select! {
        served = http::serve(listener, daemon, stopped.clone()) => served,
        served = registry::serve_beside(api, registry, open, stopped) => served,
    }
    .map_err(broken)?;
    finish(&delivery, &sandboxes).await;
    Ok(())
}

/// The port that other people's tools use. On this machine alone: tokens would travel in the open.
async fn listen(port: u16) -> Result<TcpListener, Failure> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
    listener.map_err(|error| {
        let text = format!("the registry cannot listen on port {port}");
        Failure::new(FailureCode::InUse, text)
            .because(error.to_string())
            .hint("choose another port with `mayfly serve --api-port PORT`")
    })
}

/// Lets requests under way end before the process does, and leaves nothing where no app is left.
async fn finish(delivery: &Delivery, sandboxes: &Sandboxes) {
    delivery.close().await;
    if let Err(error) = sandbox::close(sandboxes) {
        tracing::warn!(%error, "what apps share could not be removed; the next daemon uses it again");
    }
    tracing::info!("mayfly has stopped");
}

fn end_on_signal(stop: watch::Sender<bool>) -> Result<(), Failure> {
    let mut terminate = signal(SignalKind::terminate()).map_err(broken)?;
    let mut interrupt = signal(SignalKind::interrupt()).map_err(broken)?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        stop.send_replace(true);
    });
    Ok(())
}

fn broken(error: std::io::Error) -> Failure {
    Failure::new(FailureCode::Machine, "the daemon cannot go on").because(error.to_string())
}

/// The daemon's own log goes to standard error; `MAYFLY_LOG` says how much.
fn start_log() {
    let filter = tracing_subscriber::EnvFilter::try_from_env("MAYFLY_LOG");
    let filter = filter.unwrap_or_else(|_| tracing_subscriber::EnvFilter::new("info"));
    // A second daemon in one process (tests) keeps the first one's log.
    let _ = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(false)
        .try_init();
}

//! One thread that serves requests, with a runtime and a pool of its own.

use std::collections::HashMap;
use std::io;
use std::net::TcpListener;
use std::rc::Rc;
use std::sync::Arc;
use std::time::Duration;

use model::{AppName, ReleaseKey};
use tokio::sync::{mpsc, oneshot};
use tokio::task::{JoinHandle, spawn_local};

use crate::chance::Chance;
use crate::connection::{self, Closing};
use crate::pool::Pool;
use crate::shared::Shared;

/// What the port's calls ask of each worker.
pub(crate) enum Command {
    /// Serve an app on its own port.
    Open(u16, AppName, TcpListener),
    /// Close an app's own port, then say so.
    Close(u16, oneshot::Sender<()>),
    /// Close idle connections to an instance.
    GiveUp(u64),
    /// Close idle connections to a release.
    Forget(ReleaseKey),
    /// Accept nothing any more, let requests end for so long, then stop.
    Stop(Duration),
}

/// The workers, as others see them.
pub(crate) struct Crew {
    desks: Vec<mpsc::UnboundedSender<Command>>,
}

impl Crew {
    /// Places for `workers`, and what each reads from.
    pub(crate) fn new(workers: usize) -> (Self, Vec<mpsc::UnboundedReceiver<Command>>) {
        let pairs = (0..workers.max(1)).map(|_| mpsc::unbounded_channel());
        let (desks, inboxes) = pairs.unzip();
        (Self { desks }, inboxes)
    }

    /// Closes idle connections to an instance, everywhere.
    pub(crate) fn give_up(&self, instance: u64) {
        self.tell(|| Command::GiveUp(instance));
    }

    /// Closes idle connections to a release, everywhere.
    pub(crate) fn forget(&self, release: &ReleaseKey) {
        self.tell(|| Command::Forget(release.clone()));
    }

    /// Stops all workers.
    pub(crate) fn stop(&self, within: Duration) {
        self.tell(|| Command::Stop(within));
    }

    /// Hands an app's own port to every worker.
    pub(crate) fn open(&self, port: u16, app: &AppName, listener: &TcpListener) -> io::Result<()> {
        let shares = self.desks.iter().map(|_| listener.try_clone());
        let shares = shares.collect::<io::Result<Vec<_>>>()?;
        for (desk, share) in self.desks.iter().zip(shares) {
            let _ = desk.send(Command::Open(port, app.clone(), share));
        }
        Ok(())
    }

    /// Closes an app's own port and waits until every worker has.
    pub(crate) async fn close(&self, port: u16) {
        let mut closed = Vec::new();
        for desk in &self.desks {
            let (done, waiting) = oneshot::channel();
            let _ = desk.send(Command::Close(port, done));
            closed.push(waiting);
        }
        for waiting in closed {
            let _ = waiting.await;
        }
    }

    /// A worker that has ended needs to be told nothing.
    fn tell(&self, command: impl Fn() -> Command) {
        for desk in &self.desks {
            let _ = desk.send(command());
        }
    }
}

/// What the requests on one thread share.
pub(crate) struct Worker {
    /// What all workers share.
    pub(crate) shared: Arc<Shared>,
    /// This worker's idle upstream connections.
    pub(crate) pool: Pool,
    /// This worker's random numbers.
    pub(crate) chance: Chance,
}

/// Which of the edge's doors a client came through.
#[derive(Debug, Clone)]
pub(crate) enum Door {
    /// The edge, where the Host names the app.
    Edge,
    /// An app's own port.
    Own(AppName),
}

/// Serves until it is told to stop. Fails only before it serves.
pub(crate) fn run(
    shared: Arc<Shared>,
    listeners: Vec<TcpListener>,
    inbox: mpsc::UnboundedReceiver<Command>,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build_local(tokio::runtime::LocalOptions::default())?;
    let worker = Rc::new(Worker {
        shared,
        pool: Pool::default(),
        chance: Chance::new(),
    });
    runtime.block_on(serve(worker, listeners, inbox))
}

async fn serve(
    worker: Rc<Worker>,
    listeners: Vec<TcpListener>,
    mut inbox: mpsc::UnboundedReceiver<Command>,
) -> io::Result<()> {
    let closing = Rc::new(Closing::default());
    let mut doors = Vec::new();
    for listener in listeners {
        let listener = tokio::net::TcpListener::from_std(listener)?;
        doors.push(spawn_local(accept(&worker, &closing, listener, Door::Edge)));
    }
    let pool = Rc::clone(&worker);
    spawn_local(async move { pool.pool.expire().await });
    let mut own: HashMap<u16, JoinHandle<()>> = HashMap::new();
    while let Some(command) = inbox.recv().await {
        match command {
            Command::Open(port, app, listener) => {
                match tokio::net::TcpListener::from_std(listener) {
                    Ok(listener) => {
                        let door = accept(&worker, &closing, listener, Door::Own(app));
                        own.insert(port, spawn_local(door));
                    }
                    // The other workers have it.
                    Err(cause) => tracing::error!(%cause, port, "a worker cannot open a port"),
                }
            }
            Command::Close(port, done) => {
                close(own.remove(&port)).await;
                let _ = done.send(());
            }
            Command::GiveUp(instance) => worker.pool.give_up(instance),
            Command::Forget(release) => worker.pool.forget(&release),
            Command::Stop(within) => {
                for door in doors.into_iter().chain(own.into_values()) {
                    close(Some(door)).await;
                }
                closing.close(within).await;
                break;
            }
        }
    }
    Ok(())
}

/// Ends a door; its socket is closed when this returns.
async fn close(door: Option<JoinHandle<()>>) {
    if let Some(door) = door {
        door.abort();
        let _ = door.await;
    }
}

fn accept(
    worker: &Rc<Worker>,
    closing: &Rc<Closing>,
    listener: tokio::net::TcpListener,
    door: Door,
) -> impl Future<Output = ()> + use<> {
    let (worker, closing, door) = (Rc::clone(worker), Rc::clone(closing), Rc::new(door));
    async move {
        loop {
            match listener.accept().await {
                Ok((stream, peer)) => {
                    let (worker, closing) = (Rc::clone(&worker), Rc::clone(&closing));
                    let door = Rc::clone(&door);
                    spawn_local(connection::serve(worker, closing, door, stream, peer));
                }
                Err(cause) => {
                    // Out of descriptors: those who hold some need time to let go.
                    tracing::warn!(%cause, "cannot accept a connection");
                    tokio::time::sleep(Duration::from_millis(50)).await;
                }
            }
        }
    }
}

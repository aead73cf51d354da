//! The edge itself: the adapter of the port.

use std::collections::HashMap;
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::sync::{Arc, Mutex as StdMutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use async_trait::async_trait;
use model::{AppName, ReleaseKey};
use ports::traffic::{Drained, Hold, Route, Talk, Target, Traffic, TrafficError};
use tokio::sync::Mutex;

use crate::chance::Chance;
use crate::config::Config;
use crate::lane::LEAVE;
use crate::shared::Shared;
use crate::tally::ReleaseTally;
use crate::worker::Crew;
use crate::{listen, probe, talk, worker};

/// The running edge. Dropped, it stops at once; [`Traffic::close`] lets requests end.
pub struct Edge {
    shared: Arc<Shared>,
    threads: StdMutex<Vec<JoinHandle<()>>>,
    own_ports: Mutex<HashMap<AppName, u16>>,
}

impl Edge {
    /// Opens the edge's port and starts its workers.
    ///
    /// Fails with [`TrafficError::PortInUse`] when something listens there, a second daemon
    /// included.
    pub fn start(mut config: Config) -> Result<Self, TrafficError> {
        let listeners = listen::edge(config.listen, &config.also)?;
        let port = config.listen.port();
        let failed = |cause| TrafficError::Listen { port, cause };
        config.listen = listeners[0].local_addr().map_err(failed)?;
        let (crew, inboxes) = Crew::new(config.workers);
        let edge = Self {
            shared: Shared::new(config, crew),
            threads: StdMutex::default(),
            own_ports: Mutex::default(),
        };
        for (number, inbox) in inboxes.into_iter().enumerate() {
            let shares = listeners.iter().map(TcpListener::try_clone);
            let shares = shares.collect::<io::Result<Vec<_>>>().map_err(failed)?;
            let shared = Arc::clone(&edge.shared);
            let thread = std::thread::Builder::new().name(format!("edge-{number}"));
            let thread = thread.spawn(move || {
                if let Err(cause) = worker::run(shared, shares, inbox) {
                    tracing::error!(%cause, "a worker of the edge has ended");
                }
            });
            edge.threads().push(thread.map_err(failed)?);
        }
        Ok(edge)
    }

    /// What each release has answered so far.
    pub fn tallies(&self) -> Vec<ReleaseTally> {
        self.shared.tallies()
    }

    fn threads(&self) -> std::sync::MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn join(threads: Vec<JoinHandle<()>>) {
    for thread in threads {
        if thread.join().is_err() {
            tracing::error!("a worker of the edge has panicked");
        }
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        self.shared.crew().stop(Duration::ZERO);
        join(std::mem::take(&mut *self.threads()));
    }
}

impl Edge {
    /// The Host that requests to a target's app have.
    fn host_of(&self, target: &Target) -> String {
        let config = &self.shared.config;
        format!(
            "{}.{}:{}",
            target.release.app,
            config.domain,
            config.listen.port()
        )
    }
}

#[async_trait]
impl Traffic for Edge {
    fn edge(&self) -> SocketAddr {
        self.shared.config.listen
    }

    async fn free_port(&self) -> Result<u16, TrafficError> {
        let chance = Chance::new();
        listen::free_port(|end| chance.below(end))
    }

    async fn set(&self, route: Route) -> Result<(), TrafficError> {
        let mut own_ports = self.own_ports.lock().await;
        let (app, port) = (route.app.clone(), route.local_port);
        let before = own_ports.get(&app).copied();
        if before == Some(port) {
            return self.shared.set(route);
        }
        let listener = listen::own(port)?;
        self.shared.set(route)?;
        let opened = self.shared.crew().open(port, &app, &listener);
        opened.map_err(|cause| TrafficError::Listen { port, cause })?;
        own_ports.insert(app, port);
        if let Some(before) = before {
            self.shared.crew().close(before).await;
        }
        Ok(())
    }

    async fn remove(&self, app: &AppName) {
        let mut own_ports = self.own_ports.lock().await;
        self.shared.remove(app);
        if let Some(port) = own_ports.remove(app) {
            self.shared.crew().close(port).await;
        }
    }

    async fn hold(&self, app: &AppName) -> Box<dyn Hold> {
        Box::new(self.shared.gatehouse(app).hold())
    }

    async fn drain(&self, release: &ReleaseKey, within: Duration) -> Drained {
        self.shared.crew().forget(release);
        match self.shared.lane(release) {
            Some(lane) => lane.drain(within).await,
            None => Drained::Complete,
        }
    }

    async fn close(&self, within: Duration) {
        let deadline = Instant::now() + within;
        self.shared.crew().stop(within + LEAVE);
        for lane in self.shared.lanes() {
            let left = deadline.saturating_duration_since(Instant::now());
            lane.drain(left).await;
        }
        let threads = std::mem::take(&mut *self.threads());
        if tokio::task::spawn_blocking(move || join(threads))
            .await
            .is_err()
        {
            tracing::error!("the edge could not be joined");
        }
    }

    async fn talk(
        &self,
        target: &Target,
        talk: &Talk<'_>,
        within: Duration,
    ) -> Result<(), io::Error> {
        let upstream = target
            .upstream
            .as_ref()
            .ok_or(io::ErrorKind::NotConnected)?;
        let host = self.host_of(target);
        match tokio::time::timeout(within, talk::hold(upstream, talk, &host)).await {
            Ok(ended) => ended,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    async fn probe(&self, target: &Target, path: &str, within: Duration) -> Result<u16, io::Error> {
        let host = self.host_of(target);
        match tokio::time::timeout(within, probe::ask(target, path, &host)).await {
            Ok(status) => status,
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }
}

//! The edge keeps the contract of its port.

use std::net::SocketAddr;
use std::sync::Arc;

use async_trait::async_trait;
use model::ReleaseKey;
use ports::traffic::{Observation, Observer, Waker};
use proxy::{Config, Edge, Limits};

/// Sees everything and wakes nobody: no target of the contract sleeps.
struct Onlooker;

impl Observer for Onlooker {
    fn observe(&self, _: Observation<'_>) {}
}

#[async_trait]
impl Waker for Onlooker {
    async fn wake(&self, _: &ReleaseKey) -> Result<(), std::io::Error> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

async fn edge() -> (Edge, ()) {
    let edge = Edge::start(Config {
        listen: SocketAddr::from(([127, 0, 0, 1], 0)),
        also: Vec::new(),
        domain: "localhost".into(),
        workers: 2,
        observer: Arc::new(Onlooker),
        waker: Arc::new(Onlooker),
        limits: Limits::default(),
    });
    (edge.expect("a free port"), ())
}

ports::traffic_contract!(edge);

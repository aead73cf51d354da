//! mayfly's edge alone, in front of one upstream of this machine: what `cargo xtask bench proxy`
//! loads. Weights, tallies and request ids are on, as in the daemon.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;

use anyhow::{Context, Result};
use model::instance::InstanceId;
use model::{AppName, ReleaseKey, ReleaseNumber};
use ports::Traffic;
use ports::runtime::Upstream;
use ports::traffic::{Observation, Observer, Route, Target, Wakefulness, Waker};
use proxy::{Config, Edge, Limits};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The canary's share, in percent.
const CANARY: u8 = 5;

struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _: Observation<'_>) {}
}

struct NothingSleeps;

#[async_trait::async_trait]
impl Waker for NothingSleeps {
    async fn wake(&self, _: &ReleaseKey) -> std::io::Result<()> {
        Ok(())
    }
}

/// Arguments: the upstream's port. Prints the edge's port; ends when its input does.
#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let port = std::env::args()
        .nth(1)
        .context("which port has the upstream?")?;
    let upstream = SocketAddr::from((Ipv4Addr::LOCALHOST, port.parse()?));
    let edge = Edge::start(config())?;
    edge.set(route(upstream, edge.free_port().await?)?).await?;
    println!("{}", edge.edge().port());
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await??;
    Ok(())
}

fn config() -> Config {
    Config {
        listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
        also: Vec::new(),
        domain: "localhost".to_owned(),
        workers: 1,
        observer: Arc::new(Unobserved),
        waker: Arc::new(NothingSleeps),
        limits: Limits::default(),
    }
}

fn route(upstream: SocketAddr, local_port: u16) -> Result<Route> {
    let app: AppName = "bench".parse()?;
    let (stable, canary) = (target(&app, 1, upstream), target(&app, 2, upstream));
    Ok(Route {
        app: app.clone(),
        split: vec![(100 - CANARY, stable.clone()), (CANARY, canary.clone())],
        assets_of: None,
        releases: vec![stable, canary],
        local_port,
        down: String::new(),
    })
}

/// A release of `app` that answers at `upstream`, in the network namespace of this machine.
fn target(app: &AppName, number: u32, upstream: SocketAddr) -> Target {
    let release = ReleaseKey {
        app: app.clone(),
        number: ReleaseNumber::new(number),
    };
    Target {
        upstream: Some(Upstream {
            instance: InstanceId {
                release: release.clone(),
                serial: 1,
            },
            netns: PathBuf::from("/proc/self/ns/net"),
            address: upstream,
        }),
        release,
        site: None,
        wakefulness: Wakefulness::Awake,
    }
}

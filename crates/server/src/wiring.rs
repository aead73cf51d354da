//! Which adapter stands behind each port. The only file that names them.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use build::ImageBuilder;
use delivery::warm::LateWaker;
use delivery::{Delivery, Ports, Settings};
use model::{Failure, FailureCode};
use ports::traffic::{Observation, Observer};
use ports::{BlobStore, SystemClock};
use proxy::Edge;
use sandbox::Sandboxes;
use store::{DiskBlobs, DiskCheckout, SqliteLedger};

use crate::config::ServeConfig;

/// Nobody reads observations yet; the edge keeps its own tallies.
struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _: Observation<'_>) {}
}

/// The daemon's parts that its life is made of.
pub(crate) struct Wired {
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) sandboxes: Arc<Sandboxes>,
}

/// Puts the daemon together.
pub(crate) async fn wire(config: &ServeConfig) -> Result<Wired, Failure> {
    let home = &config.home;
    let ledger = SqliteLedger::open(&home.join("ledger.db"))
        .await
        .map_err(|error| Failure::of(&error))?;
    let blobs: Arc<dyn BlobStore> =
        Arc::new(DiskBlobs::open(&home.join("blobs")).map_err(|error| Failure::of(&error))?);
    let checkout =
        DiskCheckout::open(&home.join("sources"), Arc::clone(&blobs)).map_err(unusable)?;
    let sandboxes = Arc::new(
        Sandboxes::new(sandbox::Config {
            home: home.clone(),
            supervisor: config.program.clone(),
            supervisor_args: vec!["supervise".to_owned()],
        })
        .map_err(unusable)?,
    );
    let swept =
        sandbox::sweep_leftovers(&sandboxes, sandbox::Sweep::Unfinished).map_err(unusable)?;
    if swept > 0 {
        tracing::info!(swept, "what an earlier daemon left half made was removed");
    }
    let builder = ImageBuilder::new(
        build::Config {
            home: home.clone(),
            mirror: config.mirror.clone(),
        },
        Arc::clone(&blobs),
        Arc::clone(&sandboxes) as Arc<dyn ports::Workshop>,
    )?;
    let waker = Arc::new(LateWaker::default());
    let edge = Edge::start(edge_config(config, Arc::clone(&waker))?)?;
    let ports = Ports {
        ledger: Arc::new(ledger),
        blobs,
        checkout: Arc::new(checkout),
        builder: Arc::new(builder),
        runtime: Arc::clone(&sandboxes) as Arc<dyn ports::Runtime>,
        traffic: Arc::new(edge),
        clock: Arc::new(SystemClock),
    };
    let settings = Settings {
        cache_bytes: config.cache_bytes,
        ..Settings::new(home.join("data"))
    };
    let delivery = Delivery::new(ports, settings);
    waker.set(&delivery);
    Ok(Wired {
        delivery,
        sandboxes,
    })
}

fn edge_config(config: &ServeConfig, waker: Arc<LateWaker>) -> Result<proxy::Config, Failure> {
    let address = edge_address(&config.listen)?;
    Ok(proxy::Config {
        listen: SocketAddr::new(address, config.port),
        domain: "localhost".to_owned(),
        workers: std::thread::available_parallelism().map_or(1, usize::from),
        observer: Arc::new(Unobserved),
        waker,
        limits: proxy::Limits::default(),
    })
}

/// The edge opens the IPv6 twin of a loopback or unspecified IPv4 address by itself.
fn edge_address(listen: &[IpAddr]) -> Result<IpAddr, Failure> {
    match listen {
        [] => Ok(IpAddr::V4(Ipv4Addr::LOCALHOST)),
        [one] => Ok(*one),
        [IpAddr::V4(four), IpAddr::V6(six)] if four.is_loopback() && six.is_loopback() => {
            Ok(IpAddr::V4(*four))
        }
        _ => Err(
            Failure::new(FailureCode::Usage, "the edge listens on one address").hint(
                "give `--listen` once; `--listen 0.0.0.0` means every address of the machine",
            ),
        ),
    }
}

fn unusable(error: std::io::Error) -> Failure {
    Failure::new(FailureCode::Machine, "the daemon's folders cannot be used")
        .because(error.to_string())
}

//! Which adapter stands behind each port. The only file that names them.

mod gates;
mod log;
mod repository;
mod scan_cache;
mod signing;

pub(crate) use gates::read_folder as read_policy_folder;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use api::supply::KeylessTrust;
use attest::{KeyFolder, LogKey};
use build::ImageBuilder;
use delivery::warm::LateWaker;
use delivery::{BuilderIdentity, Delivery, Ports, Settings};
use model::policy::Audience;
use model::provenance::Placement;
use model::{Failure, FailureCode, Timestamp};
use ports::traffic::{Observation, Observer};
use ports::{BlobStore, SystemClock};
use proxy::Edge;
use sandbox::Sandboxes;
use sbom::LayerCataloguer;
use store::registry::{Limits, RELEASES, ReleaseRegistry, RepositoryName, TokenStore};
use store::{DiskBlobs, DiskCheckout, Registry, SqliteLedger};

use crate::config::ServeConfig;
use crate::registry::{self, Openness};

/// Nobody reads observations yet; the edge keeps its own tallies.
struct Unobserved;

impl Observer for Unobserved {
    fn observe(&self, _: Observation<'_>) {}
}

/// The daemon's parts that its life is made of.
pub(crate) struct Wired {
    pub(crate) delivery: Arc<Delivery>,
    pub(crate) sandboxes: Arc<Sandboxes>,
    pub(crate) registry: registry::State,
    pub(crate) tokens: TokenStore,
    pub(crate) keyless: Option<KeylessTrust>,
}

/// Puts the daemon together. Clients reach its registry at `host`.
pub(crate) async fn wire(config: &ServeConfig, host: String) -> Result<Wired, Failure> {
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
    let builder = Arc::new(ImageBuilder::new(
        build::Config {
            home: home.clone(),
            mirror: config.mirror.clone(),
        },
        Arc::clone(&blobs),
        Arc::clone(&sandboxes) as Arc<dyn ports::Workshop>,
    )?);
    let keys = KeyFolder::open(&home.join("keys/signing"), Timestamp::now())
        .map_err(|error| Failure::of(&error))?;
    let log_key = LogKey::open(&home.join("keys/log.pem")).map_err(|error| Failure::of(&error))?;
    let signing = signing::signing(&keys, log_key.verifier(), config.keyless.as_deref())?;
    let log = log::open(&home.join("transparency"), log_key, &ledger).await?;
    let registry = Registry::open(
        &ledger,
        Arc::clone(&blobs),
        &home.join("uploads"),
        Limits::default(),
    )
    .map_err(unusable)?;
    let tokens = TokenStore::new(&ledger);
    let waker = Arc::new(LateWaker::default());
    let edge = Edge::start(edge_config(config, Arc::clone(&waker)))?;
    let ports = Ports {
        ledger: Arc::new(ledger),
        cataloguer: Arc::new(LayerCataloguer::default()),
        signer: signing.signer,
        keys: Arc::new(keys),
        registry: Arc::new(ReleaseRegistry::new(registry.clone(), host)),
        log: Arc::new(log),
        blobs,
        checkout: Arc::new(checkout),
        tester: Arc::clone(&builder) as Arc<dyn ports::Tester>,
        builder,
        runtime: Arc::clone(&sandboxes) as Arc<dyn ports::Runtime>,
        traffic: Arc::new(edge),
        checker: Arc::new(gates::checker(&config.program, home)?),
        scanner: Arc::new(gates::scanner(home)?),
        decider: Arc::new(gates::decider(&config.policy, home)?),
        clock: Arc::new(SystemClock),
    };
    let settings = Settings {
        cache_bytes: config.cache_bytes,
        source: config.source,
        builder: builder_identity(config),
        sign_within: signing.within,
        audience: audience(&config.listen),
        max_advisory_age_seconds: config.max_advisory_age.as_secs(),
        may_approve: gates::may_approve,
        ..Settings::new(home.join("data"))
    };
    let delivery = Delivery::new(ports, settings);
    waker.set(&delivery);
    Ok(Wired {
        delivery,
        sandboxes,
        registry: registry::State::new(registry::Config {
            registry,
            tokens: Arc::new(tokens.clone()),
            openness: Arc::new(openness),
            anonymous: config.anonymous,
        }),
        tokens,
        keyless: signing.trust,
    })
}

/// Releases are what they are; everything else takes pushes.
fn openness(repository: &RepositoryName) -> Openness {
    match repository.as_str().starts_with(RELEASES) {
        true => Openness::ReadOnly,
        false => Openness::Open,
    }
}

/// A server that its platform engineer gave a name is one that its users do not administrate.
fn builder_identity(config: &ServeConfig) -> BuilderIdentity {
    match &config.builder_id {
        Some(id) => BuilderIdentity {
            id: id.clone(),
            placement: Placement::Hosted,
        },
        None => BuilderIdentity::default(),
    }
}

fn edge_config(config: &ServeConfig, waker: Arc<LateWaker>) -> proxy::Config {
    let (first, also) = edge_addresses(&config.listen);
    proxy::Config {
        listen: SocketAddr::new(first, config.port),
        also,
        domain: "localhost".to_owned(),
        workers: std::thread::available_parallelism().map_or(1, usize::from),
        observer: Arc::new(Unobserved),
        waker,
        limits: proxy::Limits::default(),
    }
}

/// Who can reach apps at these addresses. Nobody asks who calls yet.
fn audience(listen: &[IpAddr]) -> Audience {
    match listen.iter().all(IpAddr::is_loopback) {
        true => Audience::Machine,
        false => Audience::Public,
    }
}

/// The first address, IPv4 before IPv6, and the others. One that another one covers is left out: it
/// cannot be opened twice.
fn edge_addresses(listen: &[IpAddr]) -> (IpAddr, Vec<IpAddr>) {
    let mut all = listen.to_vec();
    all.sort();
    all.dedup();
    let covered = |address: &IpAddr| all.iter().any(|other| covers(other, address));
    let mut own = all.iter().copied().filter(|address| !covered(address));
    let first = own.next().unwrap_or(Ipv4Addr::LOCALHOST.into());
    (first, own.collect())
}

/// Whether listening on `any` is listening on `address` too: 0.0.0.0 brings its twin `::` along.
fn covers(any: &IpAddr, address: &IpAddr) -> bool {
    any.is_unspecified() && any != address && (any.is_ipv4() || address.is_ipv6())
}

fn unusable(error: std::io::Error) -> Failure {
    Failure::new(FailureCode::Machine, "the daemon's folders cannot be used")
        .because(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_edge_opens_each_address_once() {
        for (listen, first, also) in [
            (&[][..], "127.0.0.1", &[][..]),
            (&["10.0.0.2"], "10.0.0.2", &[]),
            (&["::1", "127.0.0.1"], "127.0.0.1", &["::1"]),
            (
                &["10.0.0.3", "10.0.0.2", "10.0.0.3"],
                "10.0.0.2",
                &["10.0.0.3"],
            ),
            (&["10.0.0.2", "0.0.0.0"], "0.0.0.0", &[]),
            (&["::", "0.0.0.0", "::1"], "0.0.0.0", &[]),
            (&["::", "10.0.0.2", "::1"], "10.0.0.2", &["::"]),
        ] {
            let parse = |text: &&str| text.parse::<IpAddr>().expect("an address");
            let listen: Vec<_> = listen.iter().map(parse).collect();
            let also: Vec<_> = also.iter().map(parse).collect();
            assert_eq!(edge_addresses(&listen), (parse(&first), also), "{listen:?}");
        }
    }
}

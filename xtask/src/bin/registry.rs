//! mayfly's registry alone, on a free loopback port: what `cargo xtask interop` judges and
//! `cargo xtask bench supply` loads. The record, the blobs and the tokens are those of the daemon.

use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context, Result};
use model::Timestamp;
use ports::access::{Right, Scope};
use server::registry::{Anonymous, Config, Openness, State, serve};
use store::registry::{Limits, NewToken, Registry, RepositoryName, TokenStore};
use store::{DiskBlobs, SqliteLedger};
use tokio::net::TcpListener;
use tokio::sync::watch;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// Repositories below this name take no pushes.
const RELEASES: &str = "releases/";

/// Arguments: the folder of its state. Prints its port, a token that may write and one that may
/// read, a line each; ends when its input does.
#[tokio::main(worker_threads = 2)]
async fn main() -> Result<()> {
    let home = std::env::args().nth(1).context("in which folder?")?;
    let home = PathBuf::from(home);
    std::fs::create_dir_all(&home)?;
    let ledger = SqliteLedger::open(&home.join("ledger.db")).await?;
    let blobs = Arc::new(DiskBlobs::open(&home.join("blobs"))?);
    let registry = Registry::open(&ledger, blobs, &home.join("uploads"), Limits::default())?;
    let tokens = TokenStore::new(&ledger);
    let secrets = [
        issue(&tokens, Right::Write).await?,
        issue(&tokens, Right::Read).await?,
    ];
    let state = State::new(Config {
        registry,
        tokens: Arc::new(tokens),
        openness: Arc::new(openness),
        anonymous: Anonymous::Refused,
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
    println!("{}", listener.local_addr()?.port());
    secrets.iter().for_each(|secret| println!("{secret}"));
    let (stop, stopped) = watch::channel(false);
    let served = tokio::spawn(serve(listener, state, stopped));
    tokio::task::spawn_blocking(|| std::io::copy(&mut std::io::stdin(), &mut std::io::sink()))
        .await??;
    stop.send_replace(true);
    Ok(served.await??)
}

async fn issue(tokens: &TokenStore, right: Right) -> Result<String> {
    let now = Timestamp::now();
    let new = NewToken {
        label: format!("{right:?}"),
        scopes: vec![Scope {
            prefix: String::new(),
            right,
        }],
        expires_at: now + Duration::from_secs(24 * 3600),
    };
    Ok(tokens.issue(new, now).await?.secret)
}

fn openness(repository: &RepositoryName) -> Openness {
    match repository.as_str().starts_with(RELEASES) {
        true => Openness::ReadOnly,
        false => Openness::Open,
    }
}

//! `cargo xtask bench proxy`: CPU seconds per 100,000 requests of mayfly's edge and of nginx, in
//! turns, each with one worker pinned to a core; load and upstream share the other cores.

mod edge;
mod nginx;
mod wrk;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Result, ensure};
use serde_json::json;

use super::stats::{self, Interval};
use super::table::Table;
use crate::process;
use crate::setup;

/// What `bench proxy` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Alternating rounds
    #[arg(long, default_value_t = 20)]
    rounds: usize,
    /// Seconds of load in a round, for each
    #[arg(long, default_value_t = 3)]
    seconds: u64,
    /// Connections held open
    #[arg(long, default_value_t = 32)]
    connections: usize,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// The core that the proxies run on.
const PROXY_CORE: usize = 1;
/// The core for the load and the upstream.
const LOAD_CORE: usize = 0;

/// What the issue asks for: CPU time a request, relative to nginx's.
const TARGET: f64 = 1.05;

/// One round of load on one proxy.
struct Round {
    cpu_per_100k: f64,
    requests_per_second: f64,
    p99: Duration,
}

/// Measures both and prints a table, or JSON.
pub fn run(args: &Args) -> Result<()> {
    ensure!(args.rounds >= 2, "an interval needs at least two rounds");
    setup::want_packages(&["nginx", "wrk"])?;
    let scratch = tempfile::tempdir()?;
    let upstream = nginx::upstream(scratch.path(), LOAD_CORE)?;
    let nginx = nginx::proxy(scratch.path(), upstream.address, PROXY_CORE)?;
    let edge = edge::start(upstream.address, PROXY_CORE)?;
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    warm_up(args, &[edge.address, nginx.address])?;
    for number in 0..args.rounds {
        eprintln!("round {} of {}", number + 1, args.rounds);
        // Who begins alternates: neither always has the warmer machine.
        let edge_first = number % 2 == 0;
        if edge_first {
            ours.push(round(args, edge.address, edge.worker)?);
        }
        theirs.push(round(args, nginx.address, nginx.worker)?);
        if !edge_first {
            ours.push(round(args, edge.address, edge.worker)?);
        }
    }
    print(args, &ours, &theirs);
    Ok(())
}

/// A proxy that runs, and the process that does its work.
struct Proxy {
    address: SocketAddr,
    worker: u32,
    _running: process::Running,
}

fn warm_up(args: &Args, addresses: &[SocketAddr]) -> Result<()> {
    for &address in addresses {
        wrk::load(address, args.connections, 1, LOAD_CORE)?;
    }
    Ok(())
}

fn round(args: &Args, address: SocketAddr, worker: u32) -> Result<Round> {
    let before = process::cpu_time(worker)?;
    let load = wrk::load(address, args.connections, args.seconds, LOAD_CORE)?;
    let used = process::cpu_time(worker)?.saturating_sub(before);
    Ok(Round {
        cpu_per_100k: used.as_secs_f64() * 100_000.0 / load.requests as f64,
        requests_per_second: load.requests as f64 / load.seconds,
        p99: load.p99,
    })
}

fn print(args: &Args, ours: &[Round], theirs: &[Round]) {
    let pairs: Vec<_> = ours
        .iter()
        .zip(theirs)
        .map(|(ours, theirs)| (ours.cpu_per_100k, theirs.cpu_per_100k))
        .collect();
    let ratio = stats::ratio(&pairs);
    if args.json {
        println!("{}", report(args, ours, theirs, ratio));
        return;
    }
    let mut table = Table::new(&["", "CPU s per 100k requests", "requests/s", "p99 ms"]);
    for (name, rounds) in [("mayfly", ours), ("nginx", theirs)] {
        let of = |figure: fn(&Round) -> f64| median_of(rounds, figure);
        table.row([
            name.to_owned(),
            format!("{:.3}", of(|round| round.cpu_per_100k)),
            format!("{:.0}", of(|round| round.requests_per_second)),
            format!("{:.2}", of(|round| round.p99.as_secs_f64() * 1000.0)),
        ]);
    }
    println!("{table}");
    println!(
        "mayfly ÷ nginx, CPU time a request: {:.3} (95 % interval {:.3}–{:.3}, {} rounds; target ≤ {TARGET}): {}",
        ratio.middle,
        ratio.low,
        ratio.high,
        pairs.len(),
        if ratio.middle <= TARGET {
            "reached"
        } else {
            "not reached"
        },
    );
}

fn median_of(rounds: &[Round], figure: fn(&Round) -> f64) -> f64 {
    stats::median(&rounds.iter().map(figure).collect::<Vec<_>>())
}

fn report(args: &Args, ours: &[Round], theirs: &[Round], ratio: Interval) -> serde_json::Value {
    let side = |rounds: &[Round]| {
        let all: Vec<_> = rounds.iter().map(|round| round.cpu_per_100k).collect();
        json!({
            "cpu_seconds_per_100k": stats::median(&all),
            "cpu_seconds_per_100k_rounds": all,
            "requests_per_second": median_of(rounds, |round| round.requests_per_second),
            "p99_ms": median_of(rounds, |round| round.p99.as_secs_f64() * 1000.0),
        })
    };
    json!({
        "connections": args.connections,
        "seconds": args.seconds,
        "mayfly": side(ours),
        "nginx": side(theirs),
        "ratio": ratio,
        "target": TARGET,
    })
}

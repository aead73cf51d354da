//! The load.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context, Result, ensure};

use crate::command::{self, command};

/// What a load came to.
#[derive(Debug, PartialEq)]
pub struct Load {
    /// Requests answered, all of them well.
    pub requests: u64,
    /// How long it took.
    pub seconds: f64,
    /// 99 of 100 answers came within this.
    pub p99: Duration,
}

/// Asks for `/` over and over. Fails when one request does: figures of errors are worth nothing.
pub fn load(address: SocketAddr, connections: usize, seconds: u64, core: usize) -> Result<Load> {
    let url = format!("http://{address}/");
    let (core, connections, time) = (
        core.to_string(),
        connections.to_string(),
        format!("{seconds}s"),
    );
    let host = format!("Host: bench.localhost:{}", address.port());
    let words = [
        "-c",
        &core,
        "wrk",
        "-t1",
        "-c",
        &connections,
        "-d",
        &time,
        "--latency",
        "-H",
        &host,
        &url,
    ];
    let text = command::capture(&mut command("taskset", words))?;
    ensure!(
        !text.contains("Non-2xx"),
        "not every answer was good:\n{text}"
    );
    ensure!(
        !text.contains("Socket errors"),
        "connections broke:\n{text}"
    );
    parse(&text).with_context(|| format!("wrk printed what cannot be read:\n{text}"))
}

fn parse(text: &str) -> Option<Load> {
    let (requests, rest) = text
        .lines()
        .find_map(|line| line.split_once(" requests in "))?;
    let p99 = text
        .lines()
        .find_map(|line| line.trim().strip_prefix("99%"))?;
    Some(Load {
        requests: requests.trim().parse().ok()?,
        seconds: duration(rest.split(',').next()?)?.as_secs_f64(),
        p99: duration(p99.trim())?,
    })
}

/// wrk writes `371.00us`, `1.20ms`, `3.01s`, `1.00m`.
fn duration(text: &str) -> Option<Duration> {
    let split = text.find(|letter: char| letter.is_ascii_alphabetic())?;
    let number: f64 = text[..split].parse().ok()?;
    let unit = match &text[split..] {
        "us" => 1e-6,
        "ms" => 1e-3,
        "s" => 1.0,
        "m" => 60.0,
        _ => return None,
    };
    Some(Duration::from_secs_f64(number * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_output_of_wrk_is_read() {
        let text = "Running 2s test @ http://127.0.0.1:1/\n  1 threads and 32 connections\n  \
                    Thread Stats   Avg      Stdev     Max   +/- Stdev\n    \
                    Latency   474.00us  210.00us   9.00ms   94.00%\n  \
                    Latency Distribution\n     50%  450.00us\n     99%    1.25ms\n  \
                    128000 requests in 2.10s, 30.00MB read\nRequests/sec:  60952.38\n";
        let expected = Load {
            requests: 128_000,
            seconds: 2.1,
            p99: Duration::from_micros(1250),
        };
        assert_eq!(parse(text), Some(expected));
        assert_eq!(parse("unable to connect"), None);
    }
}

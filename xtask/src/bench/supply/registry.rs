//! Push and pull of a large blob: mayfly's registry beside Debian's docker-registry, in turns.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, ensure};
use base64::prelude::{BASE64_STANDARD, Engine};
use serde_json::json;

use super::super::stats::{self, Interval};
use super::super::table::Table;
use crate::command::{self, command};
use crate::process::{Running, await_some};
use crate::registry::{Profile, Registry};
use crate::setup;

/// What `bench supply registry` is told.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Alternating rounds
    #[arg(long, default_value_t = 15)]
    rounds: usize,
    /// The blob's size, in MB
    #[arg(long, default_value_t = 100)]
    megabytes: usize,
    /// How mayfly is compiled; only `release` gives figures
    #[arg(long, value_enum, default_value_t = Profile::Release)]
    profile: Profile,
    /// Print a JSON object
    #[arg(long)]
    json: bool,
}

/// One of the two that are compared.
struct Side {
    name: &'static str,
    address: SocketAddr,
    pid: u32,
    authorization: String,
    /// Seconds.
    push: Vec<f64>,
    pull: Vec<f64>,
}

/// Measures both and prints a table, or JSON.
pub fn run(args: &Args) -> Result<()> {
    ensure!(args.rounds >= 2, "an interval needs at least two rounds");
    setup::want_packages(&["docker-registry"])?;
    let scratch = tempfile::tempdir()?;
    let ours = Registry::start(&scratch.path().join("mayfly"), args.profile)?;
    let (theirs, address) = docker_registry(&scratch.path().join("docker"))?;
    let mut sides = [
        Side {
            name: "mayfly",
            address: ours.address,
            pid: ours.pid(),
            authorization: login(ours.address, &ours.writer)?,
            push: Vec::new(),
            pull: Vec::new(),
        },
        Side {
            name: "docker-registry",
            address,
            pid: theirs.pid(),
            authorization: String::new(),
            push: Vec::new(),
            pull: Vec::new(),
        },
    ];
    for number in 0..=args.rounds {
        eprintln!("round {number} of {}", args.rounds);
        let blob = Blob::new(scratch.path(), args.megabytes * 1_000_000, number)?;
        for side in &mut sides {
            side.round(&blob, number)?;
        }
        // Who begins alternates: neither always has the warmer machine.
        sides.reverse();
    }
    sides.sort_by_key(|side| side.name != "mayfly");
    print(args, &sides)
}

/// Content that no earlier round had.
struct Blob {
    digest: String,
    bytes: Vec<u8>,
}

impl Blob {
    fn new(scratch: &Path, size: usize, number: usize) -> Result<Self> {
        let mut bytes = vec![0; size];
        fs::File::open("/dev/urandom")?.read_exact(&mut bytes[..size.min(1 << 20)])?;
        let (first, rest) = bytes.split_at_mut(size.min(1 << 20));
        for part in rest.chunks_mut(first.len()) {
            part.copy_from_slice(&first[..part.len()]);
        }
        let file = scratch.join(format!("blob-{number}"));
        fs::write(&file, &bytes)?;
        let sum = command::capture(command("sha256sum", ["--"]).arg(&file))?;
        fs::remove_file(&file)?;
        let hex = sum.split(' ').next().context("no digest")?;
        Ok(Self {
            digest: format!("sha256:{hex}"),
            bytes,
        })
    }
}

impl Side {
    /// Pushes and pulls a blob. The first round warms up.
    fn round(&mut self, blob: &Blob, number: usize) -> Result<()> {
        let began = Instant::now();
        self.push(blob)?;
        let pushed = began.elapsed().as_secs_f64();
        let began = Instant::now();
        self.pull(blob)?;
        let pulled = began.elapsed().as_secs_f64();
        if number > 0 {
            self.push.push(pushed);
            self.pull.push(pulled);
        }
        Ok(())
    }

    fn push(&self, blob: &Blob) -> Result<()> {
        let begun = self.ask("POST", "/v2/bench/blobs/uploads/", Some(&[]))?;
        ensure!(
            begun.status == 202,
            "an upload begins with {}",
            begun.status
        );
        let location = begun.location.context("no location")?;
        let path = match location.split_once("://") {
            Some((_, rest)) => &rest[rest.find('/').context("no path")?..],
            None => &location,
        };
        let query = if path.contains('?') { '&' } else { '?' };
        let path = format!("{path}{query}digest={}", blob.digest);
        let put = self.ask("PUT", &path, Some(&blob.bytes))?;
        ensure!(put.status == 201, "a push ends with {}", put.status);
        Ok(())
    }

    fn pull(&self, blob: &Blob) -> Result<()> {
        let got = self.ask("GET", &format!("/v2/bench/blobs/{}", blob.digest), None)?;
        ensure!(got.status == 200, "a pull ends with {}", got.status);
        ensure!(got.length == blob.bytes.len(), "{} bytes came", got.length);
        Ok(())
    }

    fn ask(&self, method: &str, path: &str, body: Option<&[u8]>) -> Result<Answer> {
        ask(self.address, method, path, &self.authorization, body)
    }
}

/// What a client needs of an answer; its body is counted and thrown away.
struct Answer {
    status: u16,
    location: Option<String>,
    length: usize,
    start: Vec<u8>,
}

fn ask(
    address: SocketAddr,
    method: &str,
    path: &str,
    authorization: &str,
    body: Option<&[u8]>,
) -> Result<Answer> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_nodelay(true)?;
    let length = body.map(|body| format!("Content-Length: {}\r\n", body.len()));
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n{}{authorization}\r\n",
        length.unwrap_or_default()
    )?;
    stream.write_all(body.unwrap_or_default())?;
    let mut stream = BufReader::with_capacity(256 * 1024, stream);
    let (mut status, mut location, mut line) = (0, None, String::new());
    while stream.read_line(&mut line)? > 2 {
        if let Some((name, value)) = line.split_once(": ") {
            if name.eq_ignore_ascii_case("location") {
                location = Some(value.trim().to_owned());
            }
        } else {
            status = line.split(' ').nth(1).unwrap_or_default().parse()?;
        }
        line.clear();
    }
    let (mut length, mut start) = (0, Vec::new());
    loop {
        let part = stream.fill_buf()?;
        if part.is_empty() {
            break;
        }
        if start.len() < 4096 {
            start.extend_from_slice(&part[..part.len().min(4096)]);
        }
        let count = part.len();
        length += count;
        stream.consume(count);
    }
    Ok(Answer {
        status,
        location,
        length,
        start,
    })
}

/// The header of a login, as docker gets it: a bearer for a token.
fn login(address: SocketAddr, secret: &str) -> Result<String> {
    let basic = format!(
        "Authorization: Basic {}\r\n",
        BASE64_STANDARD.encode(format!("bench:{secret}"))
    );
    let answer = ask(address, "GET", "/v2/token", &basic, None)?;
    ensure!(answer.status == 200, "a login ends with {}", answer.status);
    let answer: serde_json::Value = serde_json::from_slice(&answer.start)?;
    let bearer = answer["token"].as_str().context("no token")?;
    Ok(format!("Authorization: Bearer {bearer}\r\n"))
}

/// Debian's docker-registry, with its state in `folder`.
fn docker_registry(folder: &Path) -> Result<(Running, SocketAddr)> {
    fs::create_dir_all(folder)?;
    let address = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?;
    let config = folder.join("config.yml");
    let root = folder.join("data");
    let text = format!(
        "version: 0.1\nlog:\n  level: error\n  accesslog:\n    disabled: true\nstorage:\n  filesystem:\n    rootdirectory: {}\nhttp:\n  addr: {address}\n",
        root.display()
    );
    fs::write(&config, text)?;
    let mut registry = command("docker-registry", ["serve"]);
    registry
        .arg(&config)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(fs::File::create(folder.join("log"))?);
    let running = Running::start(registry)?;
    await_some("docker-registry listens", Duration::from_secs(30), || {
        TcpStream::connect(address).ok()
    })
    .with_context(|| fs::read_to_string(folder.join("log")).unwrap_or_default())?;
    Ok((running, address))
}

/// The most memory that a process had at once.
///
/// Source: proc(5), `/proc/pid/status`, `VmHWM`.
fn peak_bytes(pid: u32) -> Result<u64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = line.and_then(|rest| rest.trim().strip_suffix(" kB")?.parse::<u64>().ok());
    Ok(kibibytes.context("no peak")? * 1024)
}

fn print(args: &Args, sides: &[Side; 2]) -> Result<()> {
    let [ours, theirs] = sides;
    let ratio = |of: fn(&Side) -> &Vec<f64>| {
        let pairs = of(ours).iter().copied().zip(of(theirs).iter().copied());
        stats::ratio(&pairs.collect::<Vec<_>>())
    };
    let (push, pull) = (ratio(|side| &side.push), ratio(|side| &side.pull));
    if args.json {
        println!("{}", report(args, sides, push, pull)?);
        return Ok(());
    }
    let mut table = Table::new(&["", "push s", "pull s", "peak memory MB"]);
    for side in sides {
        table.row([
            side.name.to_owned(),
            format!("{:.3}", stats::median(&side.push)),
            format!("{:.3}", stats::median(&side.pull)),
            format!("{:.1}", peak_bytes(side.pid)? as f64 / 1e6),
        ]);
    }
    println!("{table}");
    for (what, ratio) in [("push", push), ("pull", pull)] {
        println!(
            "{what}, mayfly ÷ docker-registry: {:.3} (95 % interval {:.3}–{:.3}, {} rounds; target ≤ 1): {}",
            ratio.middle,
            ratio.low,
            ratio.high,
            ours.push.len(),
            if ratio.middle <= 1.0 {
                "reached"
            } else {
                "not reached"
            },
        );
    }
    Ok(())
}

fn report(
    args: &Args,
    sides: &[Side; 2],
    push: Interval,
    pull: Interval,
) -> Result<serde_json::Value> {
    let mut report = json!({
        "megabytes": args.megabytes,
        "rounds": args.rounds,
        "push_ratio": push,
        "pull_ratio": pull,
    });
    for side in sides {
        report[side.name] = json!({
            "push_seconds": side.push,
            "pull_seconds": side.pull,
            "peak_bytes": peak_bytes(side.pid)?,
        });
    }
    Ok(report)
}

//! Fulcio, Rekor and a timestamp authority on loopback, each with an authority or key that lives as
//! long as they do; and who signs people in.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::command::{self, command};
use crate::interop::door::Door;
use crate::interop::ours;
use crate::judges::{COSIGN_3, FULCIO, REKOR, TIMESTAMPS};
use crate::process::{Running, await_some};

/// All of them. Dropped, they end; each may be ended alone.
pub struct Services {
    issuer: SocketAddr,
    _issuer: Running,
    /// The certificate authority.
    pub authority: Option<Running>,
    /// The public log.
    pub log: Option<Running>,
    /// The timestamp authority.
    pub clock: Option<Running>,
}

/// What a token is to say.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    /// For whom it is.
    pub audience: &'static str,
    /// When it was issued, in seconds from now.
    pub issued: i64,
    /// How long it is good from then on, in seconds.
    pub lifetime: i64,
    /// `issuer`, or `nobody` for a forgery.
    pub signer: &'static str,
}

/// One that is accepted.
pub const GOOD: Token = Token {
    audience: "sigstore",
    issued: 0,
    lifetime: 600,
    signer: "issuer",
};

/// Who signs in.
pub const ANN: &str = "ann@example.org";

/// The log's name. cosign wants the host of its URL to be the origin of its checkpoints.
const ORIGIN: &str = "rekor.local";
const LONG_AGO: &str = "2020-01-01T00:00:00Z";
/// A service that starts slower is broken.
const PATIENCE: Duration = Duration::from_secs(30);

impl Services {
    /// Starts them, and writes `trusted_root.json` and `signing_config.json` into `folder`.
    pub fn start(folder: &Path) -> Result<Self> {
        let (issuer, issuer_process) = sign_in(folder)?;
        let (authority, authority_process) = authority(folder, issuer)?;
        let (log, log_process) = log(folder)?;
        let (clock, clock_process) = clock(folder)?;
        let services = Self {
            issuer,
            _issuer: issuer_process,
            authority: Some(authority_process),
            log: Some(log_process),
            clock: Some(clock_process),
        };
        trusted_root(folder)?;
        signing_config(folder, &services.issuer_url(), [authority, log, clock])?;
        Ok(services)
    }

    /// The issuer's name.
    pub fn issuer_url(&self) -> String {
        format!("http://{}", self.issuer)
    }

    /// A token of Ann's.
    pub fn token(&self, token: Token) -> Result<String> {
        let Token {
            audience,
            issued,
            lifetime,
            signer,
        } = token;
        Door::open(self.issuer).text(&format!(
            "/token?email={ANN}&audience={audience}&issued={issued}&lifetime={lifetime}\
             &signer={signer}"
        ))
    }
}

fn sign_in(folder: &Path) -> Result<(SocketAddr, Running)> {
    let mut serve = command(&ours::issuer()?.to_string_lossy(), [folder]);
    serve.stdin(Stdio::piped()).stdout(Stdio::piped());
    let mut running = Running::start(serve)?;
    let output = running.child().stdout.take().context("no output")?;
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line)?;
    let port: u16 = line.trim().parse().context("the issuer named no port")?;
    Ok((SocketAddr::from((Ipv4Addr::LOCALHOST, port)), running))
}

fn authority(folder: &Path, issuer: SocketAddr) -> Result<(SocketAddr, Running)> {
    let config = format!(
        "oidc-issuers:\n  http://{issuer}:\n    issuer-url: http://{issuer}\n    \
         client-id: sigstore\n    type: email\n"
    );
    fs::write(folder.join("fulcio.yaml"), config)?;
    let [http, grpc, metrics] = free_ports()?;
    let mut serve = service(&FULCIO.built()?, folder, "fulcio")?;
    serve
        .args(["serve", "--ca", "ephemeralca", "--host", "127.0.0.1"])
        .args(["--grpc-host", "127.0.0.1", "--port", &http.to_string()])
        .args(["--grpc-port", &grpc.to_string()])
        .args(["--metrics-port", &metrics.to_string()])
        .args(["--config-path", "fulcio.yaml"])
        .arg(format!("--ct-log-url=http://{issuer}/certificates"))
        .args(["--ct-log-public-key-path", "certificates.pub"])
        .arg("--legacy-unix-domain-socket")
        .arg(folder.join("fulcio.socket"));
    let (address, running) = started("fulcio", serve, http, folder)?;
    let chain = await_text("fulcio", address, "/api/v1/rootCert")?;
    fs::write(folder.join("fulcio.pem"), chain)?;
    Ok((address, running))
}

fn log(folder: &Path) -> Result<(SocketAddr, Running)> {
    let [http, grpc, metrics] = free_ports()?;
    let mut serve = service(&REKOR.built()?, folder, "rekor")?;
    serve
        .args(["serve", "--storage-dir", "rekor", "--signer-filepath"])
        .args(["log.pem", "--hostname", ORIGIN])
        .args(["--checkpoint-interval", "1s", "--batch-max-age", "20ms"])
        .args(["--http-port", &http.to_string()])
        .args(["--grpc-port", &grpc.to_string()])
        .args(["--http-metrics-port", &metrics.to_string()]);
    let (address, running) = started("rekor", serve, http, folder)?;
    await_text("rekor", address, "/healthz")?;
    Ok((address, running))
}

fn clock(folder: &Path) -> Result<(SocketAddr, Running)> {
    let [http] = free_ports()?;
    let mut serve = service(&TIMESTAMPS.built()?, folder, "timestamps")?;
    serve
        .args(["serve", "--host", "127.0.0.1", "--port", &http.to_string()])
        .args(["--timestamp-signer", "memory", "--disable-ntp-monitoring"]);
    let (address, running) = started("timestamp-server", serve, http, folder)?;
    let chain = await_text("timestamp-server", address, "/api/v1/timestamp/certchain")?;
    fs::write(folder.join("timestamps.pem"), chain)?;
    Ok((address, running))
}

/// A program that works in `folder` and writes what it says there.
fn service(program: &PathBuf, folder: &Path, name: &str) -> Result<Command> {
    let said = fs::File::create(folder.join(format!("{name}.log")))?;
    let mut service = Command::new(program);
    service
        .current_dir(folder)
        .env("HOME", folder)
        .stdin(Stdio::null())
        .stdout(said.try_clone()?)
        .stderr(said);
    Ok(service)
}

fn started(name: &str, serve: Command, port: u16, folder: &Path) -> Result<(SocketAddr, Running)> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let mut running = Running::start(serve)?;
    let connected = await_some(name, PATIENCE, || {
        let has_ended = !running.is_running();
        (has_ended || TcpStream::connect(address).is_ok()).then_some(has_ended)
    });
    let said = || {
        let logs = ["fulcio", "rekor", "timestamps"].map(|log| folder.join(format!("{log}.log")));
        logs.map(|log| fs::read_to_string(log).unwrap_or_default())
            .concat()
    };
    let has_ended = connected.with_context(said)?;
    ensure!(!has_ended, "{name} ended at once: {}", said());
    Ok((address, running))
}

fn await_text(name: &str, address: SocketAddr, path: &str) -> Result<String> {
    await_some(name, PATIENCE, || Door::open(address).text(path).ok())
}

fn free_ports<const COUNT: usize>() -> Result<[u16; COUNT]> {
    let bound: Result<Vec<_>, _> = (0..COUNT)
        .map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)))
        .collect();
    let mut ports = [0; COUNT];
    for (port, listener) in ports.iter_mut().zip(bound?) {
        *port = listener.local_addr()?.port();
    }
    Ok(ports)
}

fn cosign(folder: &Path, words: &[&str]) -> Result<Command> {
    let mut cosign = Command::new(COSIGN_3.built()?);
    cosign.current_dir(folder).env("HOME", folder).args(words);
    Ok(cosign)
}

/// cosign writes the trusted root: it is no file of ours.
fn trusted_root(folder: &Path) -> Result<()> {
    let mut create = cosign(folder, &["trusted-root", "create"])?;
    create
        .arg("--fulcio=url=http://fulcio.local,certificate-chain=fulcio.pem")
        .arg(format!(
            "--ctfe=url=http://certificates.local,public-key=certificates.pub,\
             start-time={LONG_AGO}"
        ))
        .arg("--tsa=url=http://timestamps.local,certificate-chain=timestamps.pem")
        .arg(format!(
            "--rekor=url=http://{ORIGIN},origin={ORIGIN},public-key=log.pub,\
             start-time={LONG_AGO}"
        ))
        .args(["--out", "trusted_root.json"]);
    command::capture(&mut create)?;
    name_authorities(&folder.join("trusted_root.json"))
}

/// The certificate of an authority that lives in memory names an organization only; PyPI's verifier
/// reads no trusted root with such an authority. The name is for people, nothing is compared with it.
fn name_authorities(file: &Path) -> Result<()> {
    let mut root: Value = serde_json::from_slice(&fs::read(file)?)?;
    for kind in ["certificateAuthorities", "timestampAuthorities"] {
        let authorities = root[kind].as_array_mut();
        for authority in authorities.context("cosign names no authority")? {
            let subject = authority["subject"].as_object_mut().context("a subject")?;
            subject.entry("commonName").or_insert("in memory".into());
        }
    }
    Ok(fs::write(file, root.to_string())?)
}

fn signing_config(folder: &Path, issuer: &str, services: [SocketAddr; 3]) -> Result<()> {
    let [authority, log, clock] = services;
    let rest = |version: u32| format!("api-version={version},start-time={LONG_AGO},operator=test");
    let mut create = cosign(folder, &["signing-config", "create"])?;
    create
        .arg(format!("--fulcio=url=http://{authority},{}", rest(1)))
        .arg(format!("--rekor=url=http://{log},{}", rest(2)))
        .arg(format!("--oidc-provider=url={issuer},{}", rest(1)))
        .arg(format!(
            "--tsa=url=http://{clock}/api/v1/timestamp,{}",
            rest(1)
        ))
        .args(["--rekor-config=ANY", "--tsa-config=ANY"])
        .args(["--out", "signing_config.json"]);
    command::capture(&mut create).map(drop)
}

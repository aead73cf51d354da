//! A mayfly with a home of its own.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use crate::command::{self, command};
use crate::http;

/// A daemon and its state. Dropped, it ends with its apps.
pub struct Mayfly {
    program: PathBuf,
    home: PathBuf,
    caches: PathBuf,
}

/// How an `up` ended, and how long it took from call to exit.
#[derive(Debug)]
pub struct Up {
    /// The last line that it printed.
    pub result: UpResult,
    /// From call to exit.
    pub took: Duration,
}

/// The last line of `mayfly up --json`.
#[derive(Debug, Deserialize)]
pub struct UpResult {
    outcome: String,
    local_url: Option<String>,
    error: Option<serde_json::Value>,
}

impl Up {
    /// Where the new release answers. Fails when there is none.
    pub fn promoted(&self) -> Result<SocketAddr> {
        self.ended("promoted")
    }

    /// Fails unless nothing had changed.
    pub fn unchanged(&self) -> Result<SocketAddr> {
        self.ended("unchanged")
    }

    fn ended(&self, outcome: &str) -> Result<SocketAddr> {
        let result = &self.result;
        ensure!(
            result.outcome == outcome,
            "`up` ended {} and not {outcome}: {:?}",
            result.outcome,
            result.error
        );
        http::address_of(result.local_url.as_deref().context("`up` named no URL")?)
    }
}

impl Mayfly {
    /// A mayfly in `folder`. The program is copied there: whatever runs it is this bench's.
    pub fn new(program: &Path, folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let copy = folder.join("mayfly");
        fs::copy(program, &copy).with_context(|| format!("cannot copy {}", program.display()))?;
        Ok(Self {
            program: copy,
            home: folder.join("home"),
            caches: folder.join("caches"),
        })
    }

    /// Its state.
    pub fn home(&self) -> &Path {
        &self.home
    }

    /// Its program: nothing else runs that file.
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// Starts the daemon on a free port and returns when it is ready.
    pub fn serve(&self) -> Result<()> {
        self.serve_with(&[])
    }

    /// The same, with settings.
    pub fn serve_with(&self, settings: &[&str]) -> Result<()> {
        let serve = &mut self.command(&["serve", "--detach", "--port", "0"]);
        command::capture(serve.args(settings)).map(drop)
    }

    /// Ends the daemon and its apps.
    pub fn stop(&self) -> Result<()> {
        command::capture(&mut self.command(&["stop"])).map(drop)
    }

    /// Starts bringing an app up.
    pub fn begin_up(&self, folder: &Path, name: &str) -> Result<UpUnderWay> {
        let mut up = self.command(&["up", "--json", "--app", name]);
        up.arg(folder).stdin(Stdio::null());
        up.stdout(Stdio::piped()).stderr(Stdio::piped());
        let began = Instant::now();
        let child = up.spawn().context("mayfly cannot be started")?;
        Ok(UpUnderWay { child, began })
    }

    /// Brings an app up.
    pub fn up(&self, folder: &Path, name: &str) -> Result<Up> {
        self.begin_up(folder, name)?.end()
    }

    /// The sum of the layers of an app's newest release, as they are stored.
    pub fn image_bytes(&self, name: &str) -> Result<u64> {
        let text = command::capture(&mut self.command(&["status", name, "--json"]))?;
        let status: serde_json::Value = serde_json::from_str(&text)?;
        let size = status["releases"][0]["size_bytes"].as_u64();
        size.with_context(|| format!("the status of {name} names no size"))
    }

    /// A command that is yet to be started.
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut mayfly = command(&self.program.to_string_lossy(), arguments);
        mayfly
            .env("MAYFLY_HOME", &self.home)
            .env("XDG_CACHE_HOME", &self.caches)
            .env("XDG_STATE_HOME", self.caches.join("state"));
        mayfly
    }
}

impl Drop for Mayfly {
    fn drop(&mut self) {
        if let Err(failure) = self.stop() {
            eprintln!("a daemon may be left: {failure:#}");
        }
    }
}

/// An `up` that has not ended yet.
pub struct UpUnderWay {
    child: std::process::Child,
    began: Instant,
}

impl UpUnderWay {
    /// Waits for it.
    pub fn end(self) -> Result<Up> {
        let output = self.child.wait_with_output()?;
        let took = self.began.elapsed();
        let text = String::from_utf8_lossy(&output.stdout);
        let Some(line) = text.lines().last() else {
            bail!(
                "`up` said nothing: {}",
                String::from_utf8_lossy(&output.stderr)
            );
        };
        let result = serde_json::from_str(line);
        let result = result.with_context(|| format!("`up` ended with an odd line: {line}"))?;
        Ok(Up { result, took })
    }
}

//! `mayfly.toml`: every key is optional, and an unknown one is an error that names the nearest.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;

use serde::Deserialize;

use crate::app::AppName;
use crate::env;
use crate::keep::{DEFAULT_KEEP, KeepRules};
use crate::limits::{BuildLimits, RunLimits, TestLimits, parse_size, parse_span};
use crate::serving::RunConfig;

/// The file's name.
pub const FILE_NAME: &str = "mayfly.toml";

/// What `mayfly.toml` says. The default is what an empty file says.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Manifest {
    /// The app's name; the folder's name by default.
    pub name: Option<AppName>,
    /// How long the app lives from each `mayfly up` on: `30d`. Without an end by default.
    pub ttl: Option<Span>,
    /// `[build]`.
    pub build: BuildSection,
    /// `[run]`.
    pub run: RunSection,
    /// `[tests]`.
    pub tests: TestsSection,
    /// `[egress]`.
    pub egress: EgressSection,
    /// `[env]`: variables that are no secrets.
    pub env: BTreeMap<String, String>,
}

/// How the image is made.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct BuildSection {
    /// `static`, `node`, `python` or `front_and_back`.
    pub kind: Option<KindSetting>,
    /// The version of the interpreter: `3.11`, `3.13`, `22`.
    pub version: Option<String>,
    /// Debian packages to add: `["libgl1"]`.
    pub packages: Vec<String>,
    /// A shell command that builds the app, in place of the one that was found.
    pub command: Option<String>,
    /// The folder of finished files that the build makes, for a static site or a front end.
    pub output: Option<String>,
    /// Memory for the build: `2 GiB`.
    pub memory: Option<Size>,
    /// Time for the build, in seconds.
    pub timeout: Option<u32>,
    /// Disk for the build: `4 GiB`.
    pub disk: Option<Size>,
}

/// The kinds of app as mayfly.toml writes them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KindSetting {
    /// Files only.
    Static,
    /// A Node server.
    Node,
    /// A Python server.
    Python,
    /// A front end beside a back end.
    FrontAndBack,
}

/// How the app runs.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RunSection {
    /// A shell command that starts the server.
    pub command: Option<String>,
    /// Shell commands that run to their end before it; `[]` for none.
    pub before: Option<Vec<String>>,
    /// The port it listens on.
    pub port: Option<u16>,
    /// The path that says whether it is ready: an answer below 500.
    pub health: Option<String>,
    /// Patterns of what outlives a release.
    pub keep: Option<Vec<String>>,
    /// Memory of all its processes: `512 MiB`.
    pub memory: Option<Size>,
    /// CPUs: `1.0`.
    pub cpu: Option<Cpus>,
    /// Processes and threads.
    pub pids: Option<u32>,
    /// What kept files may hold: `1 GiB`.
    pub data: Option<Size>,
    /// What `/tmp` may hold: `256 MiB`.
    pub tmp: Option<Size>,
    /// Seconds until it must be ready.
    pub ready_within: Option<u32>,
    /// How large one log file may be: `10 MiB`.
    pub log_size: Option<Size>,
    /// How many log files are kept.
    pub log_files: Option<u32>,
}

/// How the app's own tests run.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TestsSection {
    /// A shell command that runs them, in place of those that were found.
    pub command: Option<String>,
    /// Time for each suite, in seconds.
    pub timeout: Option<u32>,
    /// Memory for each suite: `512 MiB`.
    pub memory: Option<Size>,
}

/// What the app may reach.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EgressSection {
    /// Hosts, `api.example.com` or `api.example.com:8443`.
    pub allow: Vec<String>,
}

/// A length of time with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Span(
    /// In seconds.
    pub u64,
);

impl TryFrom<String> for Span {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let seconds = parse_span(&text);
        seconds
            .map(Self)
            .ok_or_else(|| format!("`{text}` is no length of time; write `12h` or `30d`"))
    }
}

/// A size with its unit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "SizeText")]
pub struct Size(
    /// In bytes.
    pub u64,
);

#[derive(Deserialize)]
#[serde(untagged)]
enum SizeText {
    Bytes(u64),
    Text(String),
}

impl TryFrom<SizeText> for Size {
    type Error = String;

    fn try_from(size: SizeText) -> Result<Self, String> {
        match size {
            SizeText::Bytes(bytes) => Ok(Self(bytes)),
            SizeText::Text(text) => parse_size(&text)
                .map(Self)
                .ok_or_else(|| format!("`{text}` is no size; write it as \"512 MiB\"")),
        }
    }
}

/// A number of CPUs, in thousandths.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "f64")]
pub struct Cpus(
    /// Thousandths of a CPU.
    pub u32,
);

impl TryFrom<f64> for Cpus {
    type Error = String;

    fn try_from(cpus: f64) -> Result<Self, String> {
        let sane = (0.05..=64.0).contains(&cpus);
        sane.then_some(Self((cpus * 1000.0) as u32))
            .ok_or_else(|| "cpu is a number from 0.05 to 64".to_owned())
    }
}

/// Where and why `mayfly.toml` cannot be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{FILE_NAME}:{line}:{column}: {message}")]
pub struct ManifestError {
    /// Counted from 1.
    pub line: usize,
    /// Counted from 1, in characters.
    pub column: usize,
    /// What is wrong.
    pub message: String,
    /// The nearest key that exists, when the key does not.
    pub nearest: Option<String>,
}

impl Manifest {
    /// Reads and checks the file's text.
    pub fn parse(text: &str) -> Result<Self, ManifestError> {
        let manifest: Self = toml::from_str(text).map_err(|cause| explain(text, &cause))?;
        manifest.check().map_err(|(key, message)| {
            let at = text.find(key).unwrap_or(0);
            let (line, column) = position(text, at);
            ManifestError {
                line,
                column,
                message,
                nearest: None,
            }
        })?;
        Ok(manifest)
    }

    /// How a release of the app runs.
    pub fn run_config(&self) -> RunConfig {
        let keep = || DEFAULT_KEEP.map(str::to_owned).to_vec();
        RunConfig {
            limits: self.run.limits(),
            health: self.run.health.clone().unwrap_or_else(|| "/".to_owned()),
            keep: self.run.keep.clone().unwrap_or_else(keep),
            egress: self.egress.allow.clone(),
            env: self.env.clone(),
        }
    }

    /// What a build of the app may use.
    pub fn build_limits(&self) -> BuildLimits {
        let default = BuildLimits::default();
        BuildLimits {
            memory_bytes: self
                .build
                .memory
                .map_or(default.memory_bytes, |size| size.0),
            seconds: self.build.timeout.unwrap_or(default.seconds),
            disk_bytes: self.build.disk.map_or(default.disk_bytes, |size| size.0),
            pids: default.pids,
        }
    }

    /// What each suite of the app's own tests may use.
    pub fn test_limits(&self) -> TestLimits {
        let default = TestLimits::default();
        TestLimits {
            memory_bytes: self
                .tests
                .memory
                .map_or(default.memory_bytes, |size| size.0),
            seconds: self.tests.timeout.unwrap_or(default.seconds),
            ..default
        }
    }

    /// Checks what types cannot say. Returns the key at fault and what is wrong with it.
    fn check(&self) -> Result<(), (&'static str, String)> {
        if let Some(keep) = &self.run.keep {
            KeepRules::new(keep).map_err(|cause| ("keep", cause.to_string()))?;
        }
        if let Some(health) = &self.run.health
            && (!health.starts_with('/') || health.chars().any(|c| c.is_control() || c == ' '))
        {
            return Err((
                "health",
                format!("`{health}` is no path; it begins with `/`"),
            ));
        }
        if let Some(name) = self.env.keys().find(|name| !env::is_name(name)) {
            return Err((
                "[env]",
                format!("`{name}` cannot be the name of a variable"),
            ));
        }
        if let Some(package) = self
            .build
            .packages
            .iter()
            .find(|name| !is_debian_name(name))
        {
            return Err((
                "packages",
                format!("`{package}` is no name of a Debian package"),
            ));
        }
        if let Some(host) = self.egress.allow.iter().find(|host| !is_host(host)) {
            return Err((
                "allow",
                format!("`{host}` is no host; write `name` or `name:port`"),
            ));
        }
        if self.tests.timeout == Some(0) {
            return Err(("timeout", "a timeout is at least one second".to_owned()));
        }
        if self.run.port == Some(0) {
            return Err(("port", "a port is a number from 1 to 65535".to_owned()));
        }
        Ok(())
    }
}

impl RunSection {
    fn limits(&self) -> RunLimits {
        let default = RunLimits::default();
        RunLimits {
            memory_bytes: self.memory.map_or(default.memory_bytes, |size| size.0),
            cpu_millis: self.cpu.map_or(default.cpu_millis, |cpus| cpus.0),
            pids: self.pids.unwrap_or(default.pids),
            data_bytes: self.data.map_or(default.data_bytes, |size| size.0),
            tmp_bytes: self.tmp.map_or(default.tmp_bytes, |size| size.0),
            ready_seconds: self.ready_within.unwrap_or(default.ready_seconds),
            log_file_bytes: self.log_size.map_or(default.log_file_bytes, |size| size.0),
            log_files: self.log_files.unwrap_or(default.log_files).max(1),
        }
    }
}

/// Debian policy 5.6.7: at least two of these, beginning with a letter or digit.
fn is_debian_name(name: &str) -> bool {
    let fits = |b: u8| matches!(b, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.');
    name.len() >= 2 && name.bytes().all(fits) && name.as_bytes()[0].is_ascii_alphanumeric()
}

/// A name or an address that an app may be given. This machine itself and its neighbours on the
/// link (where clouds keep their credentials) are none: nobody but their owner grants them.
fn is_host(text: &str) -> bool {
    let (host, port) = text.rsplit_once(':').unwrap_or((text, "443"));
    let fits = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'.';
    let own = match host.parse::<Ipv4Addr>() {
        Ok(address) => address.is_loopback() || address.is_link_local() || address.is_unspecified(),
        Err(_) => host.eq_ignore_ascii_case("localhost"),
    };
    !own && !host.is_empty()
        && host.bytes().all(fits)
        && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Turns the parser's error into a place, a plain message and the nearest key.
fn explain(text: &str, cause: &toml::de::Error) -> ManifestError {
    let (line, column) = position(text, cause.span().map_or(0, |span| span.start));
    let message = cause.message().trim().replace('\n', ", ");
    let (message, nearest) = match unknown_field(&message) {
        Some((key, known)) => (format!("there is no key `{key}`"), nearest(&key, &known)),
        None => (message, None),
    };
    ManifestError {
        line,
        column,
        message,
        nearest,
    }
}

/// Takes serde's sentence about an unknown field apart: the field, and those that exist.
fn unknown_field(message: &str) -> Option<(String, Vec<String>)> {
    let rest = message.strip_prefix("unknown field ")?;
    let mut quoted = rest.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((quoted.next()?, quoted.collect()))
}

fn nearest(key: &str, known: &[String]) -> Option<String> {
    let score = |name: &String| strsim::jaro_winkler(key, name);
    let best = known.iter().max_by(|a, b| score(a).total_cmp(&score(b)))?;
    (score(best) > 0.7).then(|| best.clone())
}

/// The line and column, from 1, of the byte `at`.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (
        before.matches('\n').count() + 1,
        before[line_start..].chars().count() + 1,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::{GIB, MIB};

    #[test]
    fn an_empty_file_means_the_defaults() {
        let manifest = Manifest::parse("").expect("an empty file");
        assert_eq!(manifest, Manifest::default());
        assert_eq!(manifest.run_config().limits, RunLimits::default());
        assert_eq!(manifest.build_limits(), BuildLimits::default());
    }

    #[test]
    fn every_section_overrides_its_guess() {
        let manifest = Manifest::parse(
            r#"
            name = "shop"
            [build]
            packages = ["libgl1"]
            memory = "1 GiB"
            [run]
            command = "python serve.py"
            port = 5000
            memory = "64 MiB"
            cpu = 0.5
            keep = ["notes/"]
            [tests]
            timeout = 5
            [egress]
            allow = ["api.example.com", "db.example.com:5432"]
            [env]
            GREETING = "hello"
            "#,
        )
        .expect("a good file");
        let config = manifest.run_config();
        assert_eq!(config.limits.memory_bytes, 64 * MIB);
        assert_eq!(config.limits.cpu_millis, 500);
        assert_eq!(config.keep, ["notes/"]);
        assert_eq!(manifest.build_limits().memory_bytes, GIB);
        assert_eq!(manifest.run.port, Some(5000));
        assert_eq!(manifest.test_limits().seconds, 5);
    }

    #[test]
    fn a_mistake_is_shown_with_its_place_and_the_nearest_key() {
        for (text, line, column, nearest) in [
            ("[run]\ncomand = \"x\"", 2, 1, Some("command")),
            ("nmae = \"x\"", 1, 1, Some("name")),
            ("[rum]\n", 1, 2, Some("run")),
            ("[run]\nxyzzy = 1", 2, 1, None),
            ("[run\n", 1, 5, None),
            ("[run]\nport = 99999", 2, 8, None),
            ("[run]\nmemory = \"lots\"", 2, 10, None),
            ("name = \"My App\"", 1, 8, None),
            ("[run]\nkeep = [\"../x\"]", 2, 1, None),
            ("[run]\nhealth = \"x\"", 2, 1, None),
            ("[build]\npackages = [\"a b\"]", 2, 1, None),
            ("[egress]\nallow = [\"http://x/\"]", 2, 1, None),
            ("[egress]\nallow = [\"127.0.0.1:5432\"]", 2, 1, None),
            ("[egress]\nallow = [\"169.254.169.254\"]", 2, 1, None),
            ("[env]\n\"a b\" = \"1\"", 1, 1, None),
        ] {
            let error = Manifest::parse(text).expect_err(text);
            let got = (error.line, error.column, error.nearest.as_deref());
            assert_eq!(got, (line, column, nearest), "{text:?}: {error}");
        }
    }
}

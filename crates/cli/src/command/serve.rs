//! `mayfly serve`: the daemon.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket};
use std::path::PathBuf;
use std::time::Duration;

use api::paths;
use api::types::StopRequest;
use model::advisory::MAX_AGE_SECONDS;
use model::failure::Failure;
use model::limits::{CACHE_BYTES, SourceLimits, parse_size};
use server::registry::Anonymous;
use server::{PolicySource, ServeConfig};

use crate::command::{moment, stop};
use crate::daemon::notify::{News, Starter};
use crate::daemon::{self, ServeOptions, StartError, Started};
use crate::exit::Exit;
use crate::face;

#[derive(Debug, clap::Args)]
pub(crate) struct Args {
    /// Let systemd start the daemon, now and at every boot
    #[arg(long, conflicts_with = "detach")]
    install: bool,
    /// The port that apps answer on [default: 7777]; 0 takes a free one
    #[arg(long)]
    port: Option<u16>,
    /// An address to listen on; give it once for each [default: this machine only, 127.0.0.1 and ::1]
    #[arg(long, value_name = "ADDR")]
    listen: Vec<IpAddr>,
    /// The port of the registry and the transparency log, on this machine only [default: one above
    /// --port; a free one when that is 0]
    #[arg(long)]
    api_port: Option<u16>,
    /// Let programs on this machine pull images without a token
    #[arg(long)]
    anonymous_pull: bool,
    /// What provenance calls this server, a URI; give it when its users do not administrate it
    #[arg(long, value_name = "URI")]
    builder_id: Option<String>,
    /// Sign as an identity instead of with a key, as this file says (see docs/signing.md)
    #[arg(long, value_name = "FILE")]
    keyless: Option<PathBuf>,
    /// The folder of the policy that decides what may serve [default: the one that comes with mayfly]
    #[arg(long, value_name = "DIR", conflicts_with = "policy_repository")]
    policy: Option<PathBuf>,
    /// The git repository of that policy
    #[arg(long, value_name = "URL", requires = "policy_commit")]
    policy_repository: Option<String>,
    /// The commit of that repository, in full
    #[arg(long, value_name = "COMMIT", requires = "policy_repository")]
    policy_commit: Option<String>,
    /// How old vulnerability data may be to decide by [default: 7d]
    #[arg(long, value_name = "TIME", value_parser = age)]
    advisory_age: Option<String>,
    /// The Debian mirror for base images [default: the one that this machine's apt is set to]
    #[arg(long, value_name = "URL", value_parser = mirror)]
    mirror: Option<String>,
    /// How much disk cached packages and layers may take [default: 10 GiB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    cache: Option<String>,
    /// How large an app's folder may be [default: 200 MiB]
    #[arg(long, value_name = "SIZE", value_parser = size)]
    source_size: Option<String>,
    /// How many files an app's folder may hold [default: 20000]
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u32).range(1..))]
    source_files: Option<u32>,
    /// Run in the background; returns when the daemon is ready
    #[arg(long)]
    detach: bool,
}

impl Args {
    fn options(&self) -> ServeOptions {
        ServeOptions {
            port: self.port,
            api_port: self.api_port,
            anonymous_pull: self.anonymous_pull,
            builder_id: self.builder_id.clone(),
            keyless: self.keyless.clone(),
            policy: self.policy.clone(),
            policy_repository: self.policy_repository.clone(),
            policy_commit: self.policy_commit.clone(),
            advisory_age: self.advisory_age.clone(),
            listen: self.listen.clone(),
            mirror: self.mirror.clone(),
            cache: self.cache.clone(),
            source_size: self.source_size.clone(),
            source_files: self.source_files,
        }
    }

    fn config(&self) -> ServeConfig {
        let port = self.port.unwrap_or(paths::DEFAULT_PORT);
        let cache_bytes = self.cache.as_deref().and_then(parse_size);
        ServeConfig {
            home: paths::home(),
            port,
            listen: match self.listen.is_empty() {
                true => loopback(),
                false => self.listen.clone(),
            },
            api_port: self.api_port.unwrap_or_else(|| paths::api_port(port)),
            anonymous: match self.anonymous_pull {
                true => Anonymous::MayPull,
                false => Anonymous::Refused,
            },
            builder_id: self.builder_id.clone(),
            keyless: self.keyless.clone(),
            policy: self.policy(),
            max_advisory_age: self
                .advisory_age
                .as_deref()
                .and_then(|text| moment::length(text).ok())
                .unwrap_or(Duration::from_secs(MAX_AGE_SECONDS)),
            mirror: self.mirror.clone(),
            cache_bytes: cache_bytes.unwrap_or(CACHE_BYTES),
            source: self.source(),
            // Also when the program's file was replaced meanwhile.
            program: PathBuf::from("/proc/self/exe"),
        }
    }
}

impl Args {
    fn policy(&self) -> PolicySource {
        match (&self.policy, &self.policy_repository, &self.policy_commit) {
            (Some(folder), ..) => PolicySource::Folder(folder.clone()),
            (None, Some(url), Some(commit)) => PolicySource::Repository {
                url: url.clone(),
                commit: commit.clone(),
            },
            _ => PolicySource::BuiltIn,
        }
    }

    fn source(&self) -> SourceLimits {
        let default = SourceLimits::default();
        let size = self.source_size.as_deref().and_then(parse_size);
        SourceLimits {
            total_bytes: size.unwrap_or(default.total_bytes),
            files: self
                .source_files
                .map_or(default.files, |files| files as usize),
        }
    }
}

/// Runs the daemon here, in the background, or by systemd.
pub(crate) fn run(args: &Args) -> Result<Exit, Failure> {
    if args.install {
        hand_over()?;
        let installed = daemon::install(&paths::home(), &args.options())?;
        installed.steps.iter().for_each(|step| face::note(step));
        return Ok(Exit::Ok);
    }
    if args.detach {
        return detach(args);
    }
    // SAFETY: no thread has been started yet.
    let starter = unsafe { Starter::take_from_environment() };
    let ended = serve(args, &starter);
    if let Err(failure) = &ended {
        starter.tell(&News::Failed(Box::new(failure.clone())));
    }
    ended.map(|()| Exit::Ok)
}

/// Ends the daemon that serves this home, so that systemd's takes over; its apps go on running.
/// Where systemd does not run, nothing is ended: installing fails.
fn hand_over() -> Result<(), Failure> {
    if nix::unistd::geteuid().is_root() && daemon::is_booted() {
        let ended = daemon::runtime()?.block_on(stop::stop(StopRequest::KeepApps))?;
        if ended {
            face::note("the daemon that was running hands its apps over to systemd's");
        }
    }
    Ok(())
}

fn serve(args: &Args, starter: &Starter) -> Result<(), Failure> {
    if !nix::unistd::geteuid().is_root() {
        return Err(StartError::NotRoot.into());
    }
    server::serve(args.config(), |port| {
        face::note(&format!("mayfly serves http://<app>.localhost:{port}"));
        starter.tell(&News::Ready);
    })
}

fn detach(args: &Args) -> Result<Exit, Failure> {
    let home = paths::home();
    let started = daemon::runtime()?.block_on(daemon::start(&home, &args.options()))?;
    face::note(match started {
        Started::Already => "a mayfly daemon already runs; its settings stay as they are",
        Started::Background => "the mayfly daemon runs in the background",
        Started::Systemd => "systemd started the mayfly daemon",
    });
    Ok(Exit::Ok)
}

/// This machine's own addresses; a kernel without IPv6 has one.
fn loopback() -> Vec<IpAddr> {
    let both = [
        IpAddr::from(Ipv4Addr::LOCALHOST),
        IpAddr::from(Ipv6Addr::LOCALHOST),
    ];
    let exists = |address: &IpAddr| UdpSocket::bind((*address, 0)).is_ok();
    both.into_iter().filter(exists).collect()
}

fn size(text: &str) -> Result<String, String> {
    match parse_size(text) {
        Some(_) => Ok(text.to_owned()),
        None => Err("write a size as `10 GiB` or `800 MB`".to_owned()),
    }
}

fn age(text: &str) -> Result<String, String> {
    moment::length(text).map(|_| text.to_owned())
}

fn mirror(text: &str) -> Result<String, String> {
    let rest = text
        .strip_prefix("http://")
        .or_else(|| text.strip_prefix("https://"));
    let fits =
        |rest: &str| !rest.is_empty() && rest.bytes().all(|b| b.is_ascii_graphic() && b != b'"');
    match rest.is_some_and(fits) {
        true => Ok(text.to_owned()),
        false => Err("a mirror is a URL: http://HOST/debian".to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use clap::Parser;
    use model::limits::GIB;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        args: Args,
    }

    #[test]
    fn a_daemon_in_the_background_gets_the_settings_of_its_starter() {
        let words = [
            "serve",
            "--port",
            "80",
            "--listen",
            "::1",
            "--mirror",
            "http://m.example/debian",
            "--cache",
            "1 GiB",
            "--source-size",
            "1 GiB",
            "--source-files",
            "30000",
        ];
        let line = Line::try_parse_from(words).expect("good arguments");
        assert_eq!(line.args.options().arguments(), words[1..]);
        let config = line.args.config();
        assert_eq!((config.port, config.cache_bytes), (80, GIB));
        let source = (config.source.total_bytes, config.source.files);
        assert_eq!(source, (GIB, 30_000));
    }

    #[test]
    fn settings_that_cannot_be_are_refused() {
        for words in [
            ["serve", "--port", "70000"],
            ["serve", "--listen", "localhost"],
            ["serve", "--mirror", "ftp://m.example"],
            ["serve", "--mirror", "http://"],
            ["serve", "--mirror", "http://m.example/a b"],
            ["serve", "--cache", "much"],
            ["serve", "--source-size", "much"],
            ["serve", "--source-files", "0"],
        ] {
            assert!(Line::try_parse_from(words).is_err(), "{words:?}");
        }
    }
}

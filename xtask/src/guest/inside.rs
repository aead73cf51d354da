//! What is checked inside the guest.

use std::fs;
use std::io::Write;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

use super::apps::{self, GuestApp, KINDS, LIMITS};
use crate::command;
use crate::http;
use crate::process::{self, await_some};

/// Before the name of a check that passed.
pub const PASS: &str = "PASS ";
/// Before the name of a check that failed, and why.
pub const FAIL: &str = "FAIL ";
/// After the last check.
pub const END: &str = "END of the checks";

/// Everything is slow here.
const PATIENCE: Duration = Duration::from_secs(180);
/// Left by the first boot for the second.
const MARK: &str = "/var/lib/mayfly-checks-first-boot";

/// Which of the two boots it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Boot {
    /// Nothing ran before.
    First,
    /// `serve --install` was run at the first.
    Second,
}

impl Boot {
    /// The boot that this is, when this program is the guest's checks.
    pub fn of_this_machine() -> Option<Self> {
        let program = std::env::args().next()?;
        let is_checks = Path::new(&program).file_name()? == "mayfly-checks";
        is_checks.then(|| {
            if Path::new(MARK).exists() {
                Self::Second
            } else {
                Self::First
            }
        })
    }
}

/// Runs the checks of a boot, and ends it.
pub fn run(boot: Boot) -> Result<()> {
    let guest = Guest {
        scratch: PathBuf::from(fs::read_to_string("/etc/mayfly-checks")?),
    };
    match boot {
        Boot::First => guest.first(),
        Boot::Second => guest.second(),
    }
    say(END);
    if boot == Boot::First {
        fs::write(MARK, "")?;
    }
    nix::unistd::sync();
    command::run(Command::new("systemctl").arg("reboot"))
}

struct Guest {
    /// Where the apps and mayfly's state are.
    scratch: PathBuf,
}

impl Guest {
    fn first(&self) {
        check("the machine has systemd and cgroup v2 alone", is_plain);
        check("doctor misses nothing but the network", || self.doctor());
        check("apps of before come back with `serve`", || {
            self.mayfly(&["serve", "--detach"])?;
            KINDS.iter().try_for_each(|app| self.answers(app))
        });
        for app in &KINDS {
            check(&format!("an edit of {} is promoted", app.name), || {
                self.edit(app)
            });
        }
        check("memory below the limit can be had", || {
            self.eats_within_limit()
        });
        check(
            "memory beyond the limit ends the app, and it is started again",
            || self.eats_too_much(),
        );
        check("processes beyond the limit are not made", || self.forks());
        check(
            "apps outlive a daemon that is killed, and answer when it returns",
            || self.kill_daemon(),
        );
        check(
            "`serve --install` hands the daemon to systemd, and apps answer",
            || self.install(),
        );
        check(
            "systemd brings a killed daemon back, and apps outlive it",
            || self.kill_unit(),
        );
    }

    fn second(&self) {
        check("the daemon is back after a reboot", || {
            let active =
                || command::capture(Command::new("systemctl").args(["is-active", "mayfly"])).ok();
            await_some("the unit is active", PATIENCE, active).map(drop)
        });
        for app in KINDS.iter().chain([&LIMITS]) {
            check(&format!("{} is back after a reboot", app.name), || {
                self.answers(app)
            });
        }
        check("an edit is promoted after a reboot", || {
            self.edit(&KINDS[1])
        });
        check("`stop` leaves no process and no cgroup", || self.stop());
    }

    fn doctor(&self) -> Result<()> {
        // It fails here, for want of a network: what it says counts.
        let output = self.command(&["doctor", "--json"]).output()?;
        let checks: Vec<Value> = serde_json::from_slice(&output.stdout)?;
        ensure!(!checks.is_empty(), "doctor checks nothing");
        let asks = |check: &Value| {
            check["name"]
                .as_str()
                .is_some_and(|name| name.ends_with("answers"))
        };
        let missing: Vec<_> = checks
            .iter()
            .filter(|check| check["ok"] != true && !asks(check))
            .collect();
        ensure!(missing.is_empty(), "{missing:?}");
        Ok(())
    }

    fn edit(&self, app: &GuestApp) -> Result<()> {
        let (file, line) = app.edit;
        let file = app.folder(&self.scratch).join(file);
        fs::OpenOptions::new()
            .append(true)
            .open(file)?
            .write_all(line.as_bytes())?;
        let folder = app.folder(&self.scratch).display().to_string();
        let up = ["up", "--json", "--app", app.name, &folder];
        let output = self.command(&up).output()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let result: Value = serde_json::from_str(text.lines().last().unwrap_or_default())?;
        ensure!(
            result["outcome"] == "promoted",
            "{} after {}",
            result["error"],
            steps(&text)
        );
        self.answers(app)
    }

    /// Waits until the app's first page says what it should.
    fn answers(&self, app: &GuestApp) -> Result<()> {
        let says = || {
            self.ask(app, "/")
                .ok()
                .filter(|answer| answer.contains(app.says))
        };
        await_some(app.name, PATIENCE, says).map(drop)
    }

    fn eats_within_limit(&self) -> Result<()> {
        self.answers(&LIMITS)?;
        let answer = self.ask(&LIMITS, "/eat?mb=16")?;
        ensure!(answer.contains("ate 16"), "{answer}");
        Ok(())
    }

    fn eats_too_much(&self) -> Result<()> {
        let before = self.token()?;
        let answer = self.ask(&LIMITS, "/eat?mb=512");
        ensure!(answer.is_err(), "the app ate 512 MB: {answer:?}");
        let other = || self.token().ok().filter(|token| *token != before);
        await_some("the app is started again", PATIENCE, other)?;
        KINDS.iter().try_for_each(|app| self.answers(app))
    }

    fn forks(&self) -> Result<()> {
        self.answers(&LIMITS)?;
        let answer = self.ask(&LIMITS, "/fork")?;
        let count = answer
            .rsplit_once("forked ")
            .context("no number")?
            .1
            .trim()
            .parse::<u32>()?;
        ensure!((1..32).contains(&count), "the app made {count} processes");
        Ok(())
    }

    fn kill_daemon(&self) -> Result<()> {
        let before = self.token()?;
        kill(self.daemon()?)?;
        ensure!(self.token().is_err(), "somebody answers without a daemon");
        self.mayfly(&["serve", "--detach"])?;
        self.same_process(&before)
    }

    fn install(&self) -> Result<()> {
        let before = self.token()?;
        let installed = self.mayfly(&["serve", "--install"]);
        let log = [
            "--unit",
            "mayfly",
            "--lines",
            "5",
            "--no-pager",
            "--output",
            "cat",
        ];
        let log = || command::capture(Command::new("journalctl").args(log)).unwrap_or_default();
        installed.with_context(|| format!("the unit said: {}", log()))?;
        command::capture(Command::new("systemctl").args(["is-enabled", "mayfly"]))?;
        command::capture(Command::new("systemctl").args(["is-active", "mayfly"]))?;
        self.answers(&LIMITS)?;
        KINDS.iter().try_for_each(|app| self.answers(app))?;
        self.same_process(&before)
    }

    fn kill_unit(&self) -> Result<()> {
        let (before, old) = (self.token()?, self.daemon()?);
        kill(old)?;
        let new = || self.daemon().ok().filter(|new| *new != old);
        await_some("another daemon", PATIENCE, new)?;
        self.same_process(&before)
    }

    fn stop(&self) -> Result<()> {
        self.mayfly(&["stop"])?;
        for work in ["serve", "supervise"] {
            let left = running(work);
            ensure!(left.is_empty(), "processes are left: {work} {left:?}");
        }
        let of_apps = ["/sys/fs/cgroup", "-type", "d", "-path", "*/apps/*"];
        let groups = command::capture(Command::new("find").args(of_apps))?;
        ensure!(groups.is_empty(), "groups are left: {groups}");
        Ok(())
    }

    /// The app that answers is the one that answered before, not a new start of it.
    fn same_process(&self, before: &str) -> Result<()> {
        let token = await_some("the app answers", PATIENCE, || self.token().ok())?;
        ensure!(token == before, "the app was started again");
        Ok(())
    }

    /// Drawn by the app when it starts.
    fn token(&self) -> Result<String> {
        let answer = self.ask(&LIMITS, "/")?;
        let token = answer.rsplit_once("token ").context("no token")?.1;
        Ok(token.trim().to_owned())
    }

    fn ask(&self, app: &GuestApp, path: &str) -> Result<String> {
        let answer = http::get(self.address(app)?, path)?;
        match http::is_ok(&answer) {
            true => Ok(answer),
            false => bail!("{}: {answer}", app.name),
        }
    }

    /// An app's port stays its own; it is asked for once and remembered on disk.
    fn address(&self, app: &GuestApp) -> Result<SocketAddr> {
        let known = self.scratch.join(format!("{}.url", app.name));
        if let Ok(url) = fs::read_to_string(&known) {
            return http::address_of(&url);
        }
        let status: Value = serde_json::from_str(&self.mayfly(&["status", app.name, "--json"])?)?;
        let url = status["local_url"]
            .as_str()
            .context("the status has no local URL")?;
        fs::write(known, url)?;
        http::address_of(url)
    }

    fn daemon(&self) -> Result<u32> {
        running("serve").first().copied().context("no daemon")
    }

    fn mayfly(&self, arguments: &[&str]) -> Result<String> {
        command::capture(&mut self.command(arguments))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut mayfly = Command::new("/usr/local/bin/mayfly");
        mayfly
            .args(arguments)
            .env("MAYFLY_HOME", apps::home(&self.scratch));
        mayfly.env("XDG_CACHE_HOME", self.scratch.join("caches"));
        mayfly
    }
}

fn is_plain() -> Result<()> {
    let init = fs::read_to_string("/proc/1/comm")?;
    ensure!(init.trim() == "systemd", "process 1 is {init}");
    let controllers = fs::read_to_string("/sys/fs/cgroup/cgroup.controllers")?;
    for controller in ["cpu", "memory", "pids"] {
        ensure!(
            controllers.contains(controller),
            "cgroup v2 has only {controllers}"
        );
    }
    ensure!(
        !Path::new("/sys/fs/cgroup/memory").exists(),
        "cgroup v1 is there too"
    );
    Ok(())
}

/// The steps that a run took.
fn steps(lines: &str) -> String {
    let lines = lines
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let steps = lines.filter_map(|line| Some(line["step"].as_str()?.to_owned()));
    steps.collect::<Vec<_>>().join(", ")
}

/// The processes of mayfly that do this work.
fn running(work: &str) -> Vec<u32> {
    let program = Path::new("/usr/local/bin/mayfly");
    let is_mayfly =
        |pid: &u32| fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == program);
    let all = process::all().into_iter().filter(is_mayfly);
    all.filter(|pid| process::first_argument(*pid) == work)
        .collect()
}

fn kill(pid: u32) -> Result<()> {
    use nix::sys::signal::{Signal, kill};
    kill(
        nix::unistd::Pid::from_raw(pid.cast_signed()),
        Signal::SIGKILL,
    )?;
    let gone = || (!Path::new(&format!("/proc/{pid}")).exists()).then_some(());
    await_some("the process is gone", PATIENCE, gone)
}

fn check(name: &str, work: impl FnOnce() -> Result<()>) {
    match work() {
        Ok(()) => say(&format!("{PASS}{name}")),
        Err(failure) => {
            let why = format!("{failure:#}").replace('\n', " / ");
            say(&format!("{FAIL}{name}: {why}"));
        }
    }
}

/// One line of its own on the console.
fn say(line: &str) {
    let _ = write!(std::io::stdout(), "\r\n{line}\r\n");
    let _ = std::io::stdout().flush();
}

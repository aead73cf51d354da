//! A daemon in the background: one for all who ask, and nothing of its starter's in its hands.

use std::fs::{self, File};
use std::io::Read;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::thread;

const BINARY: &str = env!("CARGO_BIN_EXE_mayfly");
/// Where a descriptor is left open by mistake, as agents and editors do.
const STRAY: i32 = 77;

/// A home of its own; its daemon ends with it.
struct Home(tempfile::TempDir);

impl Home {
    fn new() -> Self {
        Self(tempfile::tempdir().expect("a folder"))
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = Command::new(BINARY);
        command
            .args(arguments)
            .env("MAYFLY_HOME", self.0.path())
            .stdin(Stdio::null());
        command
    }

    fn run(&self, arguments: &[&str]) -> Output {
        self.command(arguments).output().expect("it starts")
    }

    /// The daemon's process, as it wrote it into its lock.
    fn daemon(&self) -> PathBuf {
        let pid = fs::read_to_string(self.0.path().join("run/daemon.lock")).expect("a daemon");
        Path::new("/proc").join(pid.trim())
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        self.run(&["stop"]);
    }
}

fn link(path: PathBuf) -> String {
    let target = fs::read_link(&path).unwrap_or_else(|cause| panic!("{}: {cause}", path.display()));
    target.display().to_string()
}

#[test]
fn a_daemon_holds_no_terminal_pipe_or_folder_of_its_starter() {
    let home = Home::new();
    let (mut reader, writer) = std::io::pipe().expect("a pipe");
    let mut command = home.command(&["serve", "--detach", "--port", "0"]);
    let stray = writer.as_raw_fd();
    // SAFETY: dup2 may be called between fork and exec; its copy stays open over exec.
    unsafe {
        command.pre_exec(move || match libc::dup2(stray, STRAY) {
            STRAY => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    let output = command.output().expect("it ends, and its pipes with it");
    drop(writer);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let mut left = String::new();
    reader
        .read_to_string(&mut left)
        .expect("nobody holds the other end");
    let daemon = home.daemon();
    let log = home.0.path().join("log/daemon.log").display().to_string();
    assert_eq!(link(daemon.join("fd/0")), "/dev/null");
    assert_eq!(link(daemon.join("fd/1")), log);
    assert_eq!(link(daemon.join("fd/2")), log);
    assert_eq!(link(daemon.join("cwd")), "/");
    let environment = fs::read(daemon.join("environ")).expect("its environment");
    assert!(!environment.is_empty());
    let stat = fs::read_to_string(daemon.join("stat")).expect("its state");
    let (_, stat) = stat.rsplit_once(") ").expect("its fields");
    let terminal = stat.split(' ').nth(4);
    assert_eq!(terminal, Some("0"), "it has no terminal (proc(5), tty_nr)");
}

#[test]
fn of_several_starters_at_once_one_starts_the_daemon() {
    let home = Home::new();
    let start = || {
        let output = home.run(&["serve", "--detach", "--port", "0"]);
        let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(0), "{stderr}");
        stderr
    };
    let said: Vec<_> = thread::scope(|scope| {
        let starters: Vec<_> = (0..4).map(|_| scope.spawn(start)).collect();
        starters
            .into_iter()
            .map(|starter| starter.join().expect("no panic"))
            .collect()
    });
    let background = said
        .iter()
        .filter(|said| said.contains("runs in the background"));
    assert_eq!(background.count(), 1, "{said:?}");
    let already = said.iter().filter(|said| said.contains("already runs"));
    assert_eq!(already.count(), 3, "{said:?}");
}

#[test]
fn stopping_returns_when_the_daemon_is_gone() {
    let home = Home::new();
    home.run(&["serve", "--detach", "--port", "0"]);
    let daemon = home.daemon();
    assert!(daemon.exists());
    let output = home.run(&["stop"]);
    assert_eq!(output.status.code(), Some(0));
    let gone = !daemon.exists()
        || fs::read_to_string(daemon.join("stat")).is_ok_and(|stat| stat.contains(") Z "));
    assert!(gone, "{} still runs", daemon.display());
}

#[test]
fn a_daemon_that_cannot_start_says_why_to_its_starter() {
    let home = Home::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let port = taken.local_addr().expect("its address").port().to_string();
    let output = home.run(&[
        "serve",
        "--detach",
        "--port",
        &port,
        "--listen",
        "127.0.0.1",
    ]);
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(75), "{stderr}");
    assert!(
        stderr.starts_with("error: ") && stderr.contains(&port),
        "{stderr}"
    );
    assert!(stderr.contains("hint: "), "{stderr}");
    let log = File::open(home.0.path().join("log/daemon.log")).expect("its log");
    assert!(
        log.metadata().expect("its size").len() > 0,
        "the daemon says it in its log too"
    );
}

//! A daemon with a home of its own.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Process, Stdio};
use std::time::Duration;

use tempfile::TempDir;

use crate::answer::{Answer, Ask};
use crate::disk::Disk;
use crate::folder::AppFolder;
use crate::outcome::{Command, Up};
use crate::{eventually, template};

/// A real daemon on a free port, with its own home. Dropping it ends the daemon and its apps.
pub struct Bench {
    program: PathBuf,
    home: TempDir,
    /// What the home lies on, when that is a disk of its own. Goes after the home.
    disk: Option<Disk>,
    machine: Machine,
    daemon: Option<Child>,
    port: u16,
}

/// What the daemon's machine allows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Machine {
    Usual,
    /// CAP_SYS_ADMIN is out of reach, as in most containers.
    ForbidsMounts,
}

impl Bench {
    /// A daemon whose caches have the Python and Node bases; the program is
    /// `env!("CARGO_BIN_EXE_mayfly")`.
    pub fn start(program: &str) -> Self {
        let bench = Self::at_rest(program);
        template::fill(Path::new(program), bench.home());
        bench.awake()
    }

    /// A daemon with empty caches.
    pub fn start_bare(program: &str) -> Self {
        Self::at_rest(program).awake()
    }

    /// A daemon with filled caches whose home lies on a disk of its own.
    pub fn start_on(program: &str, disk: Disk) -> Self {
        let mut bench = Self::at_rest_in(program, disk.path());
        bench.disk = Some(disk);
        template::fill(Path::new(program), bench.home());
        bench.awake()
    }

    /// A daemon with filled caches on a machine that forbids mounts.
    pub fn start_where_mounts_are_forbidden(program: &str) -> Self {
        let mut bench = Self::at_rest(program);
        bench.machine = Machine::ForbidsMounts;
        template::fill(Path::new(program), bench.home());
        bench.awake()
    }

    /// A home without a daemon.
    pub fn at_rest(program: &str) -> Self {
        Self::at_rest_in(program, &std::env::temp_dir())
    }

    fn at_rest_in(program: &str, place: &Path) -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "these tests make sandboxes: run them as root"
        );
        let home = tempfile::Builder::new()
            .prefix("mayfly-test-")
            .tempdir_in(place)
            .expect("a temporary folder");
        Self {
            program: program.into(),
            home,
            disk: None,
            machine: Machine::Usual,
            daemon: None,
            port: 0,
        }
    }

    fn awake(mut self) -> Self {
        self.serve();
        self
    }

    /// The daemon's home.
    pub fn home(&self) -> &Path {
        self.home.path()
    }

    /// Starts the daemon, and waits until it answers.
    pub fn serve(&mut self) {
        let port = self.port.to_string();
        self.serve_with(&["--port", &port]);
    }

    /// The same with arguments.
    pub fn serve_with(&mut self, arguments: &[&str]) {
        self.serve_unanswered(arguments);
        self.answered();
    }

    /// Starts the daemon again and does not wait for it.
    pub fn serve_again_unanswered(&mut self) {
        let port = self.port.to_string();
        self.serve_unanswered(&["--port", &port]);
    }

    /// Waits until the daemon answers.
    pub fn answered(&mut self) {
        self.port = eventually("the daemon answers", Duration::from_secs(60), || {
            self.health()
        });
    }

    fn serve_unanswered(&mut self, arguments: &[&str]) {
        fs::create_dir_all(self.home().join("log")).expect("a folder");
        let log = File::options()
            .create(true)
            .append(true)
            .open(self.log_file())
            .expect("a log file");
        let mut serve = self.process(&["serve"]);
        serve
            .args(arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log);
        // Keep a stray signal of the test's terminal away from it.
        serve.process_group(0);
        if self.machine == Machine::ForbidsMounts {
            // SAFETY: a plain system call between fork and exec.
            unsafe { serve.pre_exec(forbid_mounts) };
        }
        self.daemon = Some(serve.spawn().expect("the daemon"));
    }

    /// The disk that the home lies on.
    pub fn disk(&self) -> &Disk {
        self.disk.as_ref().expect("a disk of its own")
    }

    fn log_file(&self) -> PathBuf {
        self.home().join("log/test-daemon.log")
    }

    /// What the daemon logged.
    pub fn daemon_log(&self) -> String {
        fs::read_to_string(self.log_file()).unwrap_or_default()
    }

    /// The edge's port, when the daemon answers.
    fn health(&mut self) -> Option<u16> {
        let exited = self
            .daemon
            .as_mut()
            .is_some_and(|daemon| daemon.try_wait().is_ok_and(|end| end.is_some()));
        assert!(!exited, "the daemon ended:\n{}", self.daemon_log());
        let socket = api::paths::socket(self.home());
        let stream = std::os::unix::net::UnixStream::connect(socket).ok()?;
        let answer = crate::answer::over(stream, &Ask::get("mayfly", api::paths::HEALTH)).ok()?;
        let health: api::types::Health = serde_json::from_slice(&answer.body).ok()?;
        Some(health.port)
    }

    /// The daemon's process.
    pub fn pid(&self) -> u32 {
        self.daemon.as_ref().expect("a daemon").id()
    }

    /// Ends the daemon as `kill -9` does. Its apps go on.
    pub fn kill_daemon(&mut self) {
        let mut daemon = self.daemon.take().expect("a daemon");
        daemon.kill().expect("a signal");
        daemon.wait().expect("its end");
    }

    /// Waits until the daemon has ended by itself.
    pub fn daemon_ended(&mut self) {
        let mut daemon = self.daemon.take().expect("a daemon");
        eventually("the daemon ends", Duration::from_secs(30), || {
            daemon.try_wait().expect("its state")
        });
    }

    /// A command that is yet to be started.
    pub fn process(&self, arguments: &[&str]) -> Process {
        let mut process = Process::new(&self.program);
        process
            .args(arguments)
            .env(api::paths::HOME_VARIABLE, self.home())
            .env("XDG_STATE_HOME", self.home().join("test-state"))
            .env("XDG_CACHE_HOME", self.home().join("client-cache"));
        process
    }

    /// Runs a command to its end.
    pub fn mayfly(&self, arguments: &[&str]) -> Command {
        self.process(arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the command")
            .into()
    }

    /// Starts a command.
    pub fn spawn(&self, arguments: &[&str]) -> Child {
        let mut process = self.process(arguments);
        process
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command")
    }

    /// Brings a folder up.
    pub fn up(&self, folder: &AppFolder) -> Up {
        self.up_with(folder, &[])
    }

    /// Brings a folder up, with arguments.
    pub fn up_with(&self, folder: &AppFolder, arguments: &[&str]) -> Up {
        self.up_path(folder.path(), arguments)
    }

    /// Brings up what lies at a path.
    pub fn up_path(&self, path: &Path, arguments: &[&str]) -> Up {
        let path = path.to_str().expect("a path in UTF-8");
        let all: Vec<&str> = ["up", path, "--json"]
            .into_iter()
            .chain(arguments.iter().copied())
            .collect();
        self.mayfly(&all).into()
    }

    /// Where the edge listens.
    pub fn edge(&self) -> SocketAddr {
        (Ipv4Addr::LOCALHOST, self.port).into()
    }

    /// Asks the edge for a page of an app.
    #[track_caller]
    pub fn get(&self, app: &str, path: &str) -> Answer {
        self.ask(&Ask::get(&format!("{app}.localhost"), path))
    }

    /// Asks the edge.
    #[track_caller]
    pub fn ask(&self, ask: &Ask<'_>) -> Answer {
        ask.send(self.edge())
            .unwrap_or_else(|error| panic!("{ask:?}: {error}"))
    }
}

/// Takes CAP_SYS_ADMIN out of the bounding set: the next exec gives it to nobody, root included
/// (capabilities(7)).
fn forbid_mounts() -> std::io::Result<()> {
    const CAP_SYS_ADMIN: libc::c_ulong = 21;
    // SAFETY: takes a number, and no memory.
    match unsafe { libc::prctl(libc::PR_CAPBSET_DROP, CAP_SYS_ADMIN, 0, 0, 0) } {
        0 => Ok(()),
        _ => Err(std::io::Error::last_os_error()),
    }
}

impl Drop for Bench {
    fn drop(&mut self) {
        if self.daemon.is_none()
            && self.home().join("ledger.db").exists()
            && !std::thread::panicking()
        {
            // A killed daemon's apps still run: only a daemon can end them.
            self.serve();
        }
        let Some(mut daemon) = self.daemon.take() else {
            return;
        };
        let stopped = self.mayfly(&["stop"]);
        if stopped.code != 0 && !std::thread::panicking() {
            eprintln!("the daemon did not stop: {}", stopped.stderr);
        }
        // When it has not stopped by now it never will.
        let stopped = (0..500).any(|_| {
            std::thread::sleep(Duration::from_millis(20));
            daemon.try_wait().is_ok_and(|end| end.is_some())
        });
        if !stopped {
            let _ = daemon.kill();
            let _ = daemon.wait();
        }
        if std::thread::panicking() {
            eprintln!("the daemon's log:\n{}", self.daemon_log());
        }
    }
}

//! What the tests of this package share: a small root file system from the machine's own files, and
//! sandboxes in a temporary home.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use model::instance::{InstanceId, InstanceState};
use model::limits::{MIB, RunLimits};
use model::serving::Process;
use ports::runtime::{Launch, Runtime, Seed, Termination};
use rustix::process::Pid;
use sandbox::{Config, Sandboxes};
use tempfile::TempDir;

/// How long anything may take on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
const INTERVAL: Duration = Duration::from_millis(5);

/// Programs that the tests' commands use.
const PROGRAMS: [&str; 14] = [
    "/usr/bin/python3",
    "/bin/sh",
    "/bin/cat",
    "/bin/ls",
    "/bin/sleep",
    "/bin/mkdir",
    "/bin/ln",
    "/bin/rm",
    "/bin/mv",
    "/bin/chmod",
    "/usr/bin/id",
    "/bin/mount",
    "/usr/bin/unshare",
    "/bin/true",
];

/// A layer with Python and a shell, made once from this machine's files.
pub(crate) fn base() -> PathBuf {
    static BASE: OnceLock<PathBuf> = OnceLock::new();
    BASE.get_or_init(|| {
        let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("sandbox-base-1");
        if !base.exists() {
            make_base(&base);
        }
        base
    })
    .clone()
}

fn make_base(base: &Path) {
    let fresh = base.with_extension(std::process::id().to_string());
    fs::create_dir_all(fresh.join("usr/bin")).expect("a folder");
    for name in ["bin", "lib", "lib64"] {
        fs::create_dir_all(fresh.join("usr").join(name)).expect("a folder");
        symlink(format!("usr/{name}"), fresh.join(name)).expect("a link");
    }
    let mut files: Vec<PathBuf> = PROGRAMS.iter().map(PathBuf::from).collect();
    let version = output(
        "/usr/bin/python3",
        &["-c", "import sys; print('%d.%d' % sys.version_info[:2])"],
    );
    let library = PathBuf::from(format!("/usr/lib/python{}", version.trim()));
    take_folder(&library, &fresh);
    let modules = fs::read_dir(library.join("lib-dynload")).expect("Python's own modules");
    files.extend(modules.filter_map(|entry| Some(entry.ok()?.path())));
    let libraries: Vec<PathBuf> = files.iter().flat_map(|file| libraries_of(file)).collect();
    for file in files.iter().chain(&libraries) {
        take(file, &fresh);
    }
    if fs::rename(&fresh, base).is_err() {
        fs::remove_dir_all(&fresh).expect("another test was faster");
    }
}

fn output(program: &str, args: &[&str]) -> String {
    let output = Command::new(program).args(args).output();
    let output = output.unwrap_or_else(|cause| panic!("the tests need {program}: {cause}"));
    String::from_utf8(output.stdout).expect("text")
}

fn libraries_of(file: &Path) -> Vec<PathBuf> {
    let listed = output("/usr/bin/ldd", &[file.to_str().expect("text")]);
    let words = listed
        .split_whitespace()
        .filter(|word| word.starts_with('/'));
    words
        .map(|word| PathBuf::from(word.trim_end_matches(':')))
        .collect()
}

/// Copies a file to the same place in the base; `/lib` and `/bin` are links to `/usr`'s.
fn take(file: &Path, base: &Path) {
    let target = match file.starts_with("/usr") {
        true => base.join(file.strip_prefix("/").expect("absolute")),
        false => base
            .join("usr")
            .join(file.strip_prefix("/").expect("absolute")),
    };
    fs::create_dir_all(target.parent().expect("a parent")).expect("a folder");
    let _ = fs::remove_file(&target);
    fs::copy(file, &target).unwrap_or_else(|cause| panic!("{}: {cause}", file.display()));
}

fn take_folder(folder: &Path, base: &Path) {
    for entry in fs::read_dir(folder)
        .expect("a folder")
        .filter_map(Result::ok)
    {
        let path = entry.path();
        let name = entry.file_name();
        if path.is_dir()
            && !["test", "__pycache__", "idlelib"]
                .iter()
                .any(|n| name == *n)
        {
            take_folder(&path, base);
        } else if path.is_file() {
            take(&path, base);
        }
    }
}

/// Sandboxes in a home of their own, which goes with them.
pub(crate) struct Room {
    pub(crate) sandboxes: Sandboxes,
    pub(crate) folder: TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        assert!(
            nix::unistd::geteuid().is_root(),
            "these tests need root: they make sandboxes"
        );
        let folder = tempfile::tempdir().expect("a temporary folder");
        let sandboxes = open(folder.path());
        Self { sandboxes, folder }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// What a later daemon would have.
    pub(crate) fn reopened(&self) -> Sandboxes {
        open(self.folder.path())
    }

    /// A layer with an app's folder of these files.
    pub(crate) fn app(&self, name: &str, files: &[(&str, &str)]) -> PathBuf {
        let layer = self.path("layers").join(name);
        for (path, content) in files {
            let path = layer.join("srv/app").join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(&path, content).expect("a file");
            fs::set_permissions(&path, PermissionsExt::from_mode(0o644)).expect("a mode");
        }
        fs::create_dir_all(layer.join("srv/app")).expect("a folder");
        layer
    }

    /// What starts `command` as release 1 of `app` with these files.
    pub(crate) fn launch(&self, app: &str, files: &[(&str, &str)], command: &[&str]) -> Launch {
        Launch {
            release: format!("{app}.r1").parse().expect("a release"),
            layers: vec![base(), self.app(app, files)],
            process: Process {
                command: command.iter().map(|word| (*word).to_owned()).collect(),
                before: Vec::new(),
                env: BTreeMap::new(),
                workdir: "/srv/app".to_owned(),
                port: 8080,
            },
            env: BTreeMap::new(),
            limits: RunLimits {
                memory_bytes: 128 * MIB,
                tmp_bytes: 16 * MIB,
                ..RunLimits::default()
            },
            keep: model::keep::DEFAULT_KEEP.map(str::to_owned).to_vec(),
            data: self.path("data").join(app),
            seed: Seed::Never,
            uid_slot: 7,
            egress: Vec::new(),
        }
    }

    /// Starts it, or fails with what the supervisor said last.
    pub(crate) async fn start(&self, launch: Launch) -> InstanceId {
        let started = self.sandboxes.start(launch).await;
        started.unwrap_or_else(|cause| panic!("it did not start: {cause:?}"))
    }

    /// Starts a Python script and waits for its end; returns what it printed.
    pub(crate) async fn python(&self, app: &str, script: &str) -> (InstanceState, Vec<String>) {
        let launch = self.launch(app, &[("main.py", script)], &["python3", "main.py"]);
        self.run(launch).await
    }

    pub(crate) async fn run(&self, launch: Launch) -> (InstanceState, Vec<String>) {
        let id = self.start(launch).await;
        let ended = self.sandboxes.ended(&id).await.expect("an end");
        let lines = self.lines(&id).await;
        self.sandboxes.remove(&id).await.expect("removed");
        (ended, lines)
    }

    /// What an instance printed so far, without times.
    pub(crate) async fn lines(&self, id: &InstanceId) -> Vec<String> {
        let files = self.sandboxes.logs(id).await.expect("logs");
        let text: String = files
            .iter()
            .map(|file| fs::read_to_string(file).expect("a log"))
            .collect();
        text.lines().map(|line| line[25..].to_owned()).collect()
    }

    /// Waits until the instance printed `line`.
    pub(crate) async fn printed(&self, id: &InstanceId, line: &str) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let lines = self.lines(id).await;
            if lines.iter().any(|found| found == line) {
                return;
            }
            let state = self.sandboxes.state(id).await;
            assert!(Instant::now() < deadline, "{state:?} printed {lines:?}");
            tokio::time::sleep(INTERVAL).await;
        }
    }

    /// Waits until it listens.
    pub(crate) async fn listens(&self, id: &InstanceId) -> ports::runtime::Upstream {
        until(async || {
            self.sandboxes
                .upstream(id, 8080)
                .await
                .expect("sockets")
                .is_some()
        })
        .await;
        let found = self.sandboxes.upstream(id, 8080).await.expect("sockets");
        found.expect("an address")
    }

    pub(crate) async fn stop_all(&self) {
        for id in self.sandboxes.list().await.expect("a list") {
            self.sandboxes
                .stop(&id, Termination::Now)
                .await
                .expect("stopped");
            self.sandboxes.remove(&id).await.expect("removed");
        }
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        // A failed test must leave nothing either.
        sandbox::sweep_leftovers(&self.sandboxes, sandbox::Sweep::Everything).expect("swept");
    }
}

fn open(home: &Path) -> Sandboxes {
    let config = Config {
        home: home.to_owned(),
        supervisor: env!("CARGO_BIN_EXE_supervise-for-tests").into(),
        supervisor_args: Vec::new(),
    };
    Sandboxes::new(config).expect("sandboxes")
}

/// Asks again at short intervals, for what has no event.
pub(crate) async fn until(mut holds: impl AsyncFnMut() -> bool) {
    let deadline = Instant::now() + PATIENCE;
    while !holds().await {
        assert!(Instant::now() < deadline, "it did not come to be in time");
        tokio::time::sleep(INTERVAL).await;
    }
}

/// A process of an instance: its `supervisor`, or `init`, the first in its sandbox.
pub(crate) fn pid_in(room: &Room, id: &InstanceId, who: &str) -> Pid {
    let path = room.path("sandboxes").join(id.to_string());
    let state = fs::read(path.join("state.json")).expect("a state");
    let state: serde_json::Value = serde_json::from_slice(&state).expect("JSON");
    let pid = state[who]["pid"].as_i64().expect("a process id");
    Pid::from_raw(pid as i32).expect("a process id")
}

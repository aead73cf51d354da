//! Starting the daemon so that it outlives its starter and holds nothing of it: no terminal, no
//! pipe, no folder.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom};
use std::net::IpAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixDatagram as StdDatagram;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::{Duration, Instant};

use api::{Client, paths};
use model::failure::{Failure, FailureCode, Remedy};
use tokio::net::UnixDatagram;
use tokio::process::Command;

use super::notify::{self, News};
use super::systemd;

/// How long a daemon may take to be ready: it may have to bring many apps back.
const READY_WITHIN: Duration = Duration::from_secs(60);
/// How long one that could not start may take to end.
const GONE_WITHIN: Duration = Duration::from_secs(5);
/// How often a daemon that another call has started is looked for: a Unix socket cannot be awaited.
const LOOK_AGAIN: Duration = Duration::from_millis(10);
/// A log larger than this gives way to a new one when a daemon starts.
const LOG_BYTES: u64 = 10 * 1024 * 1024;
/// How much of the log is shown when a daemon dies at its start.
const LOG_TAIL_LINES: usize = 10;

/// The settings of a daemon that are not its defaults.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct ServeOptions {
    /// The edge's port.
    pub(crate) port: Option<u16>,
    /// The port of the registry and the log.
    pub(crate) api_port: Option<u16>,
    /// Whether images are pulled without a token.
    pub(crate) anonymous_pull: bool,
    /// What provenance calls this server.
    pub(crate) builder_id: Option<String>,
    /// The settings of keyless signing.
    pub(crate) keyless: Option<PathBuf>,
    /// The policy's folder.
    pub(crate) policy: Option<PathBuf>,
    /// The policy's repository.
    pub(crate) policy_repository: Option<String>,
    /// The commit of it.
    pub(crate) policy_commit: Option<String>,
    /// How old vulnerability data may be, as the user wrote it.
    pub(crate) advisory_age: Option<String>,
    /// The edge's addresses.
    pub(crate) listen: Vec<IpAddr>,
    /// The Debian mirror.
    pub(crate) mirror: Option<String>,
    /// The cache's size, as the user wrote it.
    pub(crate) cache: Option<String>,
    /// How large an app's folder may be, as the user wrote it.
    pub(crate) source_size: Option<String>,
    /// How many files it may hold.
    pub(crate) source_files: Option<u32>,
}

impl ServeOptions {
    /// As `mayfly serve` takes them.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let text = |name, value: &Option<String>| value.clone().map(|value| (name, value));
        let number = |name, value: Option<u32>| value.map(|value| (name, value.to_string()));
        // The daemon runs in another folder.
        let absolute = |path: &PathBuf| std::path::absolute(path).unwrap_or_else(|_| path.clone());
        let path = |path: &Option<PathBuf>| {
            let path = path.as_ref().map(absolute);
            path.map(|path| path.to_string_lossy().into_owned())
        };
        let (keyless, policy) = (path(&self.keyless), path(&self.policy));
        let listen = self.listen.iter().map(|one| ("--listen", one.to_string()));
        let all = number("--port", self.port.map(u32::from)).into_iter();
        let all = all.chain(listen).chain(text("--mirror", &self.mirror));
        let all = all.chain(number("--api-port", self.api_port.map(u32::from)));
        let all = all.chain(text("--builder-id", &self.builder_id));
        let all = all.chain(text("--keyless", &keyless));
        let all = all.chain(text("--policy", &policy));
        let all = all.chain(text("--policy-repository", &self.policy_repository));
        let all = all.chain(text("--policy-commit", &self.policy_commit));
        let all = all.chain(text("--advisory-age", &self.advisory_age));
        let all = all.chain(text("--cache", &self.cache));
        let all = all.chain(text("--source-size", &self.source_size));
        let all = all.chain(number("--source-files", self.source_files));
        let anonymous = self.anonymous_pull.then(|| "--anonymous-pull".to_owned());
        all.flat_map(|(name, value)| [name.to_owned(), value])
            .chain(anonymous)
            .collect()
    }
}

/// How a daemon came up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Started {
    /// Another call had started it meanwhile.
    Already,
    /// Here, in the background.
    Background,
    /// By systemd, which keeps it.
    Systemd,
}

/// Why no daemon came up.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StartError {
    /// The daemon makes namespaces and mounts, which takes root.
    #[error("no mayfly daemon runs, and only root can start one")]
    NotRoot,
    /// The state's folder cannot be used.
    #[error("`{}` cannot be used", path.display())]
    Home {
        /// The file or folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// The program could not be started.
    #[error("the daemon cannot be started")]
    Spawn(#[source] io::Error),
    /// The daemon said why it ended.
    #[error(transparent)]
    Failed(Failure),
    /// The daemon ended without a word.
    #[error("the daemon ended at once ({status}); its last lines:\n{tail}")]
    Died {
        /// How it ended.
        status: ExitStatus,
        /// The end of its log.
        tail: String,
    },
    /// It did not say that it is ready.
    #[error("the daemon was not ready within {} seconds", READY_WITHIN.as_secs())]
    Silent {
        /// Where it logs.
        log: PathBuf,
    },
    /// systemd could not start it.
    #[error("systemd cannot start the daemon: {0}")]
    Systemd(String),
}

impl Remedy for StartError {
    fn code(&self) -> FailureCode {
        match self {
            Self::NotRoot => FailureCode::Forbidden,
            Self::Failed(failure) => failure.code,
            Self::Silent { .. } => FailureCode::Unavailable,
            _ => FailureCode::Machine,
        }
    }

    fn hint(&self) -> Option<String> {
        Some(match self {
            Self::NotRoot => "run `sudo mayfly serve --install`".into(),
            Self::Home { .. } => {
                format!(
                    "set {} to a folder that root can write to",
                    paths::HOME_VARIABLE
                )
            }
            Self::Spawn(_) | Self::Died { .. } => "run `mayfly doctor`".into(),
            Self::Failed(failure) => return failure.hint.clone(),
            Self::Silent { log } => format!("see `{}`", log.display()),
            Self::Systemd(_) => format!("run `journalctl -u {}`", systemd::UNIT),
        })
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::Failed(failure) => failure.retryable,
            Self::Silent { .. } => true,
            _ => false,
        }
    }
}

impl From<StartError> for Failure {
    /// What the daemon said stays as it said it.
    fn from(error: StartError) -> Self {
        match error {
            StartError::Failed(failure) => failure,
            other => Self::of(&other),
        }
    }
}

/// Starts a daemon for `home` and returns when it is ready. Of several calls at once one starts it,
/// the others wait for that one.
pub(crate) async fn start(home: &Path, options: &ServeOptions) -> Result<Started, StartError> {
    if !nix::unistd::geteuid().is_root() {
        return Err(StartError::NotRoot);
    }
    let _lock = lock(home)?;
    if Client::connect(home).await.is_ok() {
        return Ok(Started::Already);
    }
    if *options == ServeOptions::default() && systemd::keeps(home) {
        systemd::start().map_err(StartError::Systemd)?;
        return Ok(Started::Systemd);
    }
    match spawn(home, options).await {
        // One that somebody else started at the same moment was faster.
        Err(StartError::Failed(failure))
            if failure.code == FailureCode::InUse && listens_soon(home).await =>
        {
            Ok(Started::Already)
        }
        spawned => spawned.map(|()| Started::Background),
    }
}

/// Whether another daemon has this home and takes connections: it does very soon after it has taken
/// the home's lock.
async fn listens_soon(home: &Path) -> bool {
    let until = Instant::now() + READY_WITHIN;
    loop {
        if Client::connect(home).await.is_ok() {
            return true;
        }
        if !is_taken(home) || Instant::now() > until {
            return false;
        }
        tokio::time::sleep(LOOK_AGAIN).await;
    }
}

/// Whether a daemon has the home's lock.
fn is_taken(home: &Path) -> bool {
    let lock = File::open(home.join("run/daemon.lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// Taken while a daemon is started; given back when it is dropped.
fn lock(home: &Path) -> Result<File, StartError> {
    let run = home.join("run");
    let path = run.join("start.lock");
    let home_error = |path: &Path| {
        let path = path.to_owned();
        move |cause| StartError::Home { path, cause }
    };
    fs::create_dir_all(&run).map_err(home_error(&run))?;
    let file = OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(&path)
        .map_err(home_error(&path))?;
    file.lock().map_err(home_error(&path))?;
    Ok(file)
}

async fn spawn(home: &Path, options: &ServeOptions) -> Result<(), StartError> {
    let (mut log, log_path) = open_log(home)?;
    let from = log.seek(SeekFrom::End(0)).unwrap_or(0);
    let (socket, name) = notify::listen().map_err(StartError::Spawn)?;
    let mut command = detached(home, options, &log).map_err(StartError::Spawn)?;
    let mut daemon = command
        .env(notify::VARIABLE, name)
        .spawn()
        .map_err(StartError::Spawn)?;
    let news = tokio::time::timeout(READY_WITHIN, async {
        tokio::select! {
            biased;
            news = next_news(socket) => news.map(Ok),
            status = daemon.wait() => status.map(Err),
        }
    });
    match news.await {
        Ok(Ok(Ok(News::Ready))) => Ok(()),
        Ok(Ok(Ok(News::Failed(failure)))) => {
            // What it held, its port and its lock, is free once it is gone.
            let _ = tokio::time::timeout(GONE_WITHIN, daemon.wait()).await;
            Err(StartError::Failed(*failure))
        }
        Ok(Ok(Err(status))) => Err(StartError::Died {
            status,
            tail: tail(&mut log, from),
        }),
        Ok(Err(cause)) => Err(StartError::Spawn(cause)),
        Err(_) => Err(StartError::Silent { log: log_path }),
    }
}

/// This program as a daemon: a session of its own, in the root folder, with no descriptor but its
/// log.
fn detached(home: &Path, options: &ServeOptions, log: &File) -> io::Result<Command> {
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("mayfly")
        .arg("serve")
        .args(options.arguments())
        .env(paths::HOME_VARIABLE, home)
        .current_dir("/")
        .stdin(Stdio::null())
        .stdout(log.try_clone()?)
        .stderr(log.try_clone()?);
    // SAFETY: between fork and exec only system calls are made.
    unsafe { command.pre_exec(leave_the_starter) };
    Ok(command)
}

fn leave_the_starter() -> io::Result<()> {
    nix::unistd::setsid()?;
    nix::sys::stat::umask(nix::sys::stat::Mode::from_bits_truncate(0o022));
    // SAFETY: closes nothing now; marks every descriptor past standard error to be closed by exec.
    let closed = unsafe {
        libc::syscall(
            libc::SYS_close_range,
            3,
            libc::c_uint::MAX,
            libc::CLOSE_RANGE_CLOEXEC,
        )
    };
    match closed {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

fn open_log(home: &Path) -> Result<(File, PathBuf), StartError> {
    let folder = home.join("log");
    let path = folder.join("daemon.log");
    let open = || {
        fs::create_dir_all(&folder)?;
        if fs::metadata(&path).is_ok_and(|log| log.len() > LOG_BYTES) {
            fs::rename(&path, folder.join("daemon.log.1"))?;
        }
        OpenOptions::new()
            .create(true)
            .append(true)
            .read(true)
            .mode(0o640)
            .open(&path)
    };
    match open() {
        Ok(log) => Ok((log, path)),
        Err(cause) => Err(StartError::Home { path, cause }),
    }
}

async fn next_news(socket: StdDatagram) -> io::Result<News> {
    socket.set_nonblocking(true)?;
    let socket = UnixDatagram::from_std(socket)?;
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let size = socket.recv(&mut buffer).await?;
        if let Some(news) = News::parse(&buffer[..size]) {
            return Ok(news);
        }
    }
}

/// The last lines that were logged after `from`.
fn tail(log: &mut File, from: u64) -> String {
    let mut text = Vec::new();
    let read = log
        .seek(SeekFrom::Start(from))
        .and_then(|_| log.take(64 * 1024).read_to_end(&mut text));
    if read.is_err() {
        return String::new();
    }
    let text = String::from_utf8_lossy(&text);
    let lines: Vec<_> = text.lines().collect();
    lines[lines.len().saturating_sub(LOG_TAIL_LINES)..].join("\n")
}

//! Two workers at most, each fed by a thread that waits for it.

use std::io;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::{Order, frame};
use crate::scan::{FileScan, Trouble};
use crate::settings::Settings;

/// A worker that dies again and again is not started again; the rest counts as not read.
const DEATHS: usize = 64;

/// A file that has to be read.
pub(crate) struct Job {
    /// Its place in the list of files.
    pub(crate) index: usize,
    /// Its path.
    pub(crate) path: String,
}

/// As many files are read faster by one worker than by two.
const FEW: usize = 12;

/// Why no worker could be started.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the program that reads files, `{program}`")]
pub struct StartError {
    program: String,
    #[source]
    cause: io::Error,
}

/// Reads files, each by one of the workers. The answers are the bytes of [`FileScan`]s.
pub(crate) fn scan_all(
    jobs: &[Job],
    settings: &Settings,
    read: &(dyn Fn(&str) -> io::Result<Vec<u8>> + Sync),
) -> Result<Vec<(usize, Vec<u8>)>, StartError> {
    let next = AtomicUsize::new(0);
    let deaths = AtomicUsize::new(0);
    let done = Mutex::new(Vec::with_capacity(jobs.len()));
    let failed = Mutex::new(None);
    let feed = || {
        let mut worker: Option<Worker> = None;
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { break };
            let answer = match read(&job.path) {
                Err(_) => trouble(Trouble::Unreadable),
                Ok(bytes) => match ask(&mut worker, settings, job, bytes, &deaths) {
                    Ok(answer) => answer,
                    Err(error) => {
                        *lock(&failed) = Some(error);
                        break;
                    }
                },
            };
            lock(&done).push((job.index, answer));
        }
    };
    // A worker reads its rules first; a few files are not worth a second one.
    let workers = settings.workers.clamp(1, 2).min(jobs.len().div_ceil(FEW));
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(feed);
        }
    });
    match lock(&failed).take() {
        Some(error) => Err(error),
        None => Ok(std::mem::take(&mut *lock(&done))),
    }
}

fn lock<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex
        .lock()
        .unwrap_or_else(|poisoned| poisoned.into_inner())
}

fn trouble(trouble: Trouble) -> Vec<u8> {
    let scan = FileScan {
        troubles: vec![trouble],
        ..FileScan::default()
    };
    postcard::to_allocvec(&scan).unwrap_or_default()
}

fn ask(
    worker: &mut Option<Worker>,
    settings: &Settings,
    job: &Job,
    bytes: Vec<u8>,
    deaths: &AtomicUsize,
) -> Result<Vec<u8>, StartError> {
    if deaths.load(Ordering::Relaxed) >= DEATHS {
        return Ok(trouble(Trouble::Died));
    }
    if worker.is_none() {
        *worker = Some(Worker::start(settings)?);
    }
    let order = Order {
        path: job.path.clone(),
        bytes,
    };
    let answer = worker
        .as_mut()
        .and_then(|worker| worker.ask(&order, settings.file_time).ok());
    match answer {
        Some(answer) => Ok(answer),
        None => {
            deaths.fetch_add(1, Ordering::Relaxed);
            *worker = None;
            Ok(trouble(Trouble::Died))
        }
    }
}

/// A running worker. It ends when it is dropped.
struct Worker {
    child: Child,
    input: ChildStdin,
    output: ChildStdout,
}

impl Worker {
    fn start(settings: &Settings) -> Result<Self, StartError> {
        let program = &settings.worker.program;
        let error = |cause| StartError {
            program: program.display().to_string(),
            cause,
        };
        let mut child = Command::new(program)
            .args(&settings.worker.args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            // What a parser says when it dies is of its own making, not of the app's.
            .stderr(Stdio::null())
            .spawn()
            .map_err(error)?;
        match (child.stdin.take(), child.stdout.take()) {
            (Some(input), Some(output)) => Ok(Self {
                child,
                input,
                output,
            }),
            _ => Err(error(io::ErrorKind::BrokenPipe.into())),
        }
    }

    fn ask(&mut self, order: &Order, time: Duration) -> io::Result<Vec<u8>> {
        let message = postcard::to_allocvec(order).map_err(io::Error::other)?;
        frame::write(&mut self.input, &message)?;
        wait_until_readable(&self.output, time)?;
        frame::read(&mut self.output)?.ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        // It waits for orders, or for nothing: in both cases it has nothing to lose.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn wait_until_readable(output: &ChildStdout, time: Duration) -> io::Result<()> {
    let end = Instant::now() + time;
    loop {
        let left = end.saturating_duration_since(Instant::now());
        let left = Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: i64::from(left.subsec_nanos()),
        };
        let mut wanted = [PollFd::new(output, PollFlags::IN)];
        match poll(&mut wanted, Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => return Ok(()),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

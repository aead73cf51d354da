//! The long wait for a sandbox: output, egress, memory, time, and the end.

use std::collections::VecDeque;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::Instant;

use model::Timestamp;
use model::instance::{DeniedEgress, Exit};
use model::progress::Stream;
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::budget::Budget;
use super::ending;
use super::give_up;
use super::launch::Launched;
use super::lines::{Flow, Output};
use super::logs::Logs;
use super::wire::{self, Report};
use crate::cgroup::{Group, OomWatch};
use crate::egress::{Proxy, Rules};
use crate::events::{self, End, Event};
use crate::folder::{Folder, write_json};
use crate::plan::{Plan, Role};
use crate::process::Process;
use crate::pulse::Pulse;
use crate::state::{Ended, Record};

/// How many lines of a command that failed before the app are told.
const LAST_LINES: usize = 40;

/// Everything that is kept of a sandbox while it runs.
pub(super) struct Watch {
    plan: Plan,
    folder: Folder,
    group: Group,
    supervisor: Process,
    init: Process,
    /// When the command began; `None` until it was handed over.
    since: Option<Timestamp>,
    /// Who started it; an app's supervisor hangs up once the command runs.
    parent: Option<UnixStream>,
    init_handle: OwnedFd,
    socket: Option<OwnedFd>,
    outputs: Vec<Output>,
    proxy: Option<Proxy>,
    memory: OomWatch,
    logs: Option<Logs>,
    last_lines: VecDeque<String>,
    denied: Vec<DeniedEgress>,
    begun: Instant,
    kills: u64,
    last_kill: Option<Instant>,
    status: Option<i32>,
    failure: Option<Event>,
    cut_short: Option<End>,
    limits: Option<Budget>,
    /// Stops when an app's end is written down.
    pulse: Option<Pulse>,
}

/// Whether a sandbox's first process has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Life {
    GoesOn,
    Ended,
}

/// Whether a round waits until there is something to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wait {
    ForNews,
    Never,
}

/// What a descriptor belongs to.
#[derive(Clone, Copy)]
enum Source {
    Init,
    Socket,
    Output(usize),
    Proxy,
    Memory,
    Parent,
}

impl Watch {
    pub(super) fn new(
        plan: Plan,
        folder: Folder,
        supervisor: Process,
        made: Launched,
    ) -> io::Result<Self> {
        let group = Group::at(&plan.group)?;
        let init_handle = made.init.open()?.ok_or(io::ErrorKind::NotFound)?;
        let rules = Rules::parse(plan.egress.as_deref().unwrap_or_default());
        let proxy = made.listener.map(|listener| Proxy::new(listener, rules));
        let (logs, limits) = match &plan.role {
            Role::App(role) => (Some(Logs::open(&folder.logs(), &role.limits)?), None),
            Role::Job(role) => (None, Some(Budget::new(role.clone()))),
        };
        Ok(Self {
            plan,
            folder,
            memory: group.watch_oom()?,
            group,
            supervisor,
            init: made.init,
            since: None,
            parent: None,
            init_handle,
            outputs: vec![
                Output::new(made.stdout, Stream::Stdout)?,
                Output::new(made.stderr, Stream::Stderr)?,
            ],
            proxy: proxy.transpose()?,
            logs,
            last_lines: VecDeque::new(),
            denied: Vec::new(),
            begun: Instant::now(),
            kills: 0,
            last_kill: None,
            status: None,
            failure: None,
            cut_short: None,
            limits,
            socket: Some(made.socket),
            pulse: None,
        })
    }

    /// The first process's id.
    pub(super) fn init(&self) -> i32 {
        self.init.pid
    }

    /// Lets the sandbox begin. It ends when `parent` hangs up too early.
    pub(super) fn begin(&mut self, parent: UnixStream) -> io::Result<()> {
        self.parent = Some(parent);
        self.say_go()
    }

    /// Serves the sandbox until its first process has ended, and cleans up.
    pub(super) fn run(mut self) -> io::Result<()> {
        while self.round(Wait::ForNews)? == Life::GoesOn {
            reap_others(self.init.pid);
        }
        self.finish(None)
    }

    /// Does what is ready now.
    pub(super) fn turn_now(&mut self) -> io::Result<Life> {
        self.round(Wait::Never)
    }

    /// The descriptors that tell of news; none is added later.
    pub(super) fn descriptors(&self) -> Vec<BorrowedFd<'_>> {
        self.sources().into_iter().map(|(_, fd)| fd).collect()
    }

    fn round(&mut self, wait: Wait) -> io::Result<Life> {
        let Some(ready) = self.wait(wait)? else {
            return Ok(Life::Ended);
        };
        for source in ready {
            self.turn(source)?;
        }
        self.check_limits()?;
        Ok(Life::GoesOn)
    }

    fn say_go(&self) -> io::Result<()> {
        match &self.socket {
            Some(socket) => wire::send_bytes(socket, wire::GO),
            None => Ok(()),
        }
    }

    /// What became ready; `None` when the first process has ended.
    fn wait(&self, wait: Wait) -> io::Result<Option<Vec<Source>>> {
        let sources = self.sources();
        let mut watched: Vec<PollFd<'_>> = sources
            .iter()
            .map(|(source, fd)| {
                let flags = match source {
                    Source::Parent => PollFlags::RDHUP,
                    _ => PollFlags::IN,
                };
                PollFd::from_borrowed_fd(*fd, flags)
            })
            .collect();
        let patience = match wait {
            Wait::Never => Some(Timespec::default()),
            Wait::ForNews => self.limits.as_ref().map(Budget::patience),
        };
        match poll(&mut watched, patience.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(cause) => return Err(cause.into()),
        }
        let ready = watched.iter().zip(&sources);
        let ready: Vec<Source> = ready
            .filter(|(polled, _)| !polled.revents().is_empty())
            .map(|(_, (source, _))| *source)
            .collect();
        let ended = ready.iter().any(|source| matches!(source, Source::Init));
        Ok((!ended).then_some(ready))
    }

    fn sources(&self) -> Vec<(Source, BorrowedFd<'_>)> {
        let mut sources = vec![
            (Source::Init, self.init_handle.as_fd()),
            (Source::Memory, self.memory.as_fd()),
        ];
        sources.extend(self.socket.iter().map(|fd| (Source::Socket, fd.as_fd())));
        sources.extend(self.parent.iter().map(|fd| (Source::Parent, fd.as_fd())));
        let outputs = self.outputs.iter().enumerate();
        sources.extend(outputs.map(|(at, output)| (Source::Output(at), output.as_fd())));
        sources.extend(self.proxy.iter().map(|proxy| {
            // SAFETY: the proxy owns the descriptor and lives as long as the borrow of `self`.
            let fd = unsafe { BorrowedFd::borrow_raw(proxy.poll_fd()) };
            (Source::Proxy, fd)
        }));
        sources
    }

    fn turn(&mut self, source: Source) -> io::Result<()> {
        match source {
            Source::Init => Ok(()),
            Source::Socket => self.hear(),
            Source::Output(at) => {
                self.read(at);
                Ok(())
            }
            Source::Proxy => self.serve_egress(),
            Source::Memory => {
                self.memory.acknowledge();
                self.count_kills();
                Ok(())
            }
            Source::Parent => {
                self.parent = None;
                // Nobody waits for it any more.
                self.group.kill()
            }
        }
    }

    fn hear(&mut self) -> io::Result<()> {
        let Some(report) = self
            .socket
            .as_ref()
            .map(wire::receive)
            .transpose()?
            .flatten()
        else {
            self.socket = None;
            return Ok(());
        };
        match report {
            Report::Ready => {}
            Report::Started => self.hand_over()?,
            Report::Ended { status } => self.status = Some(status),
            Report::Before { index, status } => {
                self.count_kills();
                let exit = ending::exit_of(status);
                self.failure = Some(Event::Before {
                    command: self.command(index),
                    exit: ending::cause(exit, self.last_kill, Instant::now()),
                    lines: Vec::new(),
                });
            }
            Report::Unrunnable { index, errno } => {
                let cause = io::Error::from_raw_os_error(errno);
                let why = format!("`{}` cannot be run: {cause}", self.command(index));
                self.failure = Some(Event::Failed { why });
            }
        }
        Ok(())
    }

    fn command(&self, index: u32) -> String {
        let before = self.plan.before.get(index as usize);
        before.unwrap_or(&self.plan.command).join(" ")
    }

    /// The command runs: from now on the sandbox is there for any daemon to find.
    fn hand_over(&mut self) -> io::Result<()> {
        let since = Timestamp::now();
        self.since = Some(since);
        self.begun = Instant::now();
        self.last_lines = VecDeque::new();
        let record = Record {
            supervisor: self.supervisor,
            init: self.init,
            since,
        };
        if let Role::App(_) = self.plan.role {
            self.pulse = Some(Pulse::start(&self.folder.pulse())?);
        }
        write_json(&self.folder.state(), &record)?;
        let Some(parent) = &self.parent else {
            return Ok(());
        };
        if events::send(parent, &Event::Started).is_err() {
            self.since = None;
            return self.group.kill();
        }
        if let Role::App(_) = self.plan.role {
            self.parent = None;
        }
        Ok(())
    }

    fn read(&mut self, at: usize) {
        let Some(mut output) = (at < self.outputs.len()).then(|| self.outputs.remove(at)) else {
            return;
        };
        if output.turn(&mut |stream, text| self.take_line(stream, text)) == Flow::Open {
            self.outputs.insert(at, output);
        }
    }

    fn take_line(&mut self, stream: Stream, text: &[u8]) {
        if let Some(logs) = &mut self.logs {
            logs.write(stream, text, Timestamp::now());
            if self.since.is_none() {
                self.last_lines.truncate(LAST_LINES - 1);
                let text = String::from_utf8_lossy(text).into_owned();
                self.last_lines.push_front(text);
            }
        } else if let Some(parent) = &self.parent {
            let text = String::from_utf8_lossy(text).into_owned();
            if events::send(parent, &Event::Line { stream, text }).is_err() {
                self.parent = None;
                let _ = self.group.kill();
            }
        }
    }

    fn serve_egress(&mut self) -> io::Result<()> {
        let Some(proxy) = &mut self.proxy else {
            return Ok(());
        };
        proxy.turn()?;
        let denied = proxy.take_denied();
        if !denied.is_empty() {
            self.denied.extend(denied);
            write_json(&self.folder.denied(), &self.denied)?;
        }
        Ok(())
    }

    fn count_kills(&mut self) {
        let kills = self.group.oom_kills();
        if kills > self.kills {
            self.kills = kills;
            self.last_kill = Some(Instant::now());
        }
    }

    fn check_limits(&mut self) -> io::Result<()> {
        if self.cut_short.is_none()
            && let Some(limits) = &mut self.limits
        {
            self.cut_short = limits.broken(Instant::now());
            if self.cut_short.is_some() {
                self.group.kill()?;
            }
        }
        Ok(())
    }

    /// Writes the end down and removes what is left of the sandbox. `status` is the first process's
    /// when it was collected already.
    pub(super) fn finish(mut self, status: Option<i32>) -> io::Result<()> {
        if status.is_none() && self.init.runs() {
            self.group.kill()?;
        }
        // Reports and output that came before the end are still in the pipes.
        while self.socket.is_some() {
            self.hear()?;
        }
        self.count_kills();
        let status = status.unwrap_or_else(|| self.collect());
        for mut output in std::mem::take(&mut self.outputs) {
            output.drain(&mut |stream, text| self.take_line(stream, text));
        }
        let exit = ending::exit_of(self.status.unwrap_or(status));
        let exit = ending::cause(exit, self.last_kill, Instant::now());
        match &self.plan.role {
            Role::App(_) if self.since.is_some() => self.finish_app(exit),
            Role::App(_) => {
                self.finish_unstarted(exit);
                Ok(())
            }
            Role::Job(_) => self.finish_job(exit),
        }
    }

    /// Collects the first process; its own wait status counts when it could not report another.
    fn collect(&self) -> i32 {
        let mut status = libc::SIGKILL;
        // SAFETY: `status` lives through the call.
        unsafe { libc::waitpid(self.init.pid, &mut status, 0) };
        status
    }

    fn finish_app(self, exit: Exit) -> io::Result<()> {
        let ended = Ended {
            exit,
            at: Timestamp::now(),
            uptime_millis: self.begun.elapsed().as_millis() as u64,
        };
        write_json(&self.folder.exit(), &ended)?;
        self.group.remove()
    }

    fn finish_unstarted(self, exit: Exit) {
        let mut event = self.failure.unwrap_or_else(|| Event::Failed {
            why: format!("the sandbox's first process {exit}"),
        });
        if let Event::Before { lines, .. } = &mut event {
            *lines = self.last_lines.into_iter().rev().collect();
        }
        give_up(&self.plan, &self.group, &self.folder);
        if let Some(parent) = &self.parent {
            let _ = events::send(parent, &event);
        }
    }

    fn finish_job(mut self, exit: Exit) -> io::Result<()> {
        if let Some(proxy) = &mut self.proxy {
            self.denied.extend(proxy.take_denied());
        }
        if self.cut_short.is_none() && self.limits.as_ref().is_some_and(Budget::is_over) {
            self.cut_short = Some(End::DiskLimit);
        }
        let event = self.failure.unwrap_or_else(|| Event::Ended {
            end: self.cut_short.unwrap_or(End::Exit(exit)),
            denied: self.denied,
        });
        give_up(&self.plan, &self.group, &self.folder);
        match &self.parent {
            Some(parent) => events::send(parent, &event),
            None => Ok(()),
        }
    }
}

/// Collects ended children other than the first process, whose end is [`Watch::finish`]'s.
fn reap_others(init: i32) {
    use nix::sys::wait::{Id, WaitPidFlag, waitid, waitpid};
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    while let Ok(status) = waitid(Id::All, flags) {
        match status.pid() {
            Some(pid) if pid.as_raw() != init => {
                let _ = waitpid(pid, None);
            }
            _ => return,
        }
    }
}

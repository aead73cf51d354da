//! The process that keeps the sandboxes of apps: one for all that a daemon starts.
//!
//! It outlives the daemon, and ends when its last sandbox has and the daemon is gone. Each sandbox
//! has a [`Watch`]; trouble of one is that one's.

use std::collections::HashMap;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::thread;

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::wait::waitpid;
use nix::unistd::Pid;
use rustix::event::epoll::{self, EventData, EventFlags};
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

use super::handover::{Door, Made};
use super::watch::{Life, Watch};
use super::{give_up, groups};
use crate::cgroup::Group;
use crate::events::{self, Event};
use crate::folder::{Folder, read_json};
use crate::plan::Plan;
use crate::process::Process;

/// Not a sandbox's place: the door, the ends of children.
const DOOR: u64 = u64::MAX;
const ENDED: u64 = u64::MAX - 1;
/// How many descriptors' news are taken at once.
const EVENTS: usize = 64;
/// The stack of a thread that writes an end down.
const STACK_BYTES: usize = 256 * 1024;

/// Keeps every sandbox that comes through `door`, until none will come and none is left.
pub(super) fn keep(door: Door) -> io::Result<()> {
    raise_open_files();
    let mut keeper = Keeper::new(door)?;
    while keeper.door.is_some() || !keeper.watches.is_empty() {
        keeper.round()?;
    }
    Ok(())
}

struct Keeper {
    me: Process,
    epoll: OwnedFd,
    /// Closed when nobody is left behind it.
    door: Option<Door>,
    children: SignalFd,
    /// By place: the token of a sandbox's descriptors.
    watches: HashMap<u64, Watch>,
    next: u64,
    /// First processes that were collected, and their wait statuses.
    collected: HashMap<i32, i32>,
    /// Whether this process is in the supervisors' control group.
    sheltered: bool,
}

impl Keeper {
    fn new(door: Door) -> io::Result<Self> {
        let mut set = SigSet::empty();
        set.add(Signal::SIGCHLD);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&set), None)?;
        let children = SignalFd::with_flags(&set, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let epoll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
        epoll::add(&epoll, &door, EventData::new_u64(DOOR), EventFlags::IN)?;
        epoll::add(
            &epoll,
            children.as_fd(),
            EventData::new_u64(ENDED),
            EventFlags::IN,
        )?;
        Ok(Self {
            me: Process::find(std::process::id() as i32)?,
            epoll,
            door: Some(door),
            children,
            watches: HashMap::new(),
            next: 0,
            collected: HashMap::new(),
            sheltered: false,
        })
    }

    /// Waits for news, and does what they ask for.
    fn round(&mut self) -> io::Result<()> {
        let mut events = Vec::with_capacity(EVENTS);
        match epoll::wait(
            &self.epoll,
            rustix::buffer::spare_capacity(&mut events),
            None,
        ) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(cause) => return Err(cause.into()),
        }
        let mut places: Vec<u64> = events.iter().map(|event| event.data.u64()).collect();
        places.sort_unstable();
        places.dedup();
        for place in places {
            match place {
                DOOR => self.admit(),
                ENDED => self.collect_children(),
                place => self.turn(place),
            }
        }
        Ok(())
    }

    /// Takes a sandbox in and lets it begin.
    fn admit(&mut self) {
        let made = match self.door.as_ref().map(Door::take) {
            Some(Ok(Some(made))) => made,
            Some(Ok(None)) | None => {
                self.door = None;
                // Whoever still asks here would wait for ever.
                let _ = rustix::net::shutdown(io::stdin(), rustix::net::Shutdown::Both);
                return;
            }
            Some(Err(cause)) => {
                eprintln!("a sandbox was lost on its way to the keeper: {cause}");
                return;
            }
        };
        // From its end on, the sandbox's first process is this one's child.
        let _ = waitpid(Pid::from_raw(made.maker), None);
        let (folder, parent) = (made.folder.clone(), made.parent.try_clone());
        if let Err(cause) = self.begin(made) {
            let why = format!("the sandbox cannot be kept: {cause}");
            let _ = parent.and_then(|parent| events::send(&parent, &Event::Failed { why }));
            let _ = abandon(&folder);
        }
    }

    fn begin(&mut self, made: Made) -> io::Result<()> {
        let plan: Option<Plan> = read_json(&made.folder.plan())?;
        let plan = plan.ok_or(io::ErrorKind::NotFound)?;
        if !self.sheltered {
            groups::shelter(&plan.supervisors, std::process::id())?;
            self.sheltered = true;
        }
        let mut watch = Watch::new(plan.once_made(), made.folder, self.me, made.launched)?;
        watch.begin(made.parent)?;
        let data = EventData::new_u64(self.next);
        for descriptor in watch.descriptors() {
            epoll::add(
                &self.epoll,
                descriptor,
                data,
                EventFlags::IN | EventFlags::RDHUP,
            )?;
        }
        self.watches.insert(self.next, watch);
        self.next += 1;
        Ok(())
    }

    fn turn(&mut self, place: u64) {
        let Some(watch) = self.watches.get_mut(&place) else {
            return;
        };
        // What an app sends must not end the others: a bug that it finds costs its own sandbox.
        let life = catch_unwind(AssertUnwindSafe(|| watch.turn_now()));
        let life = match life {
            Ok(Ok(life)) => life,
            Ok(Err(cause)) => {
                eprintln!("a sandbox is given up: {cause}");
                Life::Ended
            }
            Err(_) => Life::Ended,
        };
        if life == Life::Ended
            && let Some(watch) = self.watches.remove(&place)
        {
            self.finish(watch);
        }
    }

    /// Writes an end down on a thread: the kernel may take a while to let go of the dead.
    fn finish(&mut self, watch: Watch) {
        let init = watch.init();
        self.collect_children();
        let status = self.collected.remove(&init);
        let work = move || {
            if let Err(cause) = watch.finish(status) {
                eprintln!("an end could not be written down: {cause}");
            }
        };
        let thread = thread::Builder::new().stack_size(STACK_BYTES);
        if let Err(cause) = thread.spawn(work) {
            eprintln!("no thread can be started: {cause}");
        }
    }

    /// Collects every child that has ended, and remembers how the first processes did.
    fn collect_children(&mut self) {
        while let Ok(Some(_)) = self.children.read_signal() {}
        loop {
            let mut status = 0;
            // SAFETY: `status` lives through the call.
            let pid = unsafe { libc::waitpid(-1, &mut status, libc::WNOHANG) };
            if pid <= 0 {
                return;
            }
            if self.watches.values().any(|watch| watch.init() == pid) {
                self.collected.insert(pid, status);
            }
        }
    }
}

/// Removes a sandbox that could not be kept.
fn abandon(folder: &Folder) -> io::Result<()> {
    let plan: Option<Plan> = read_json(&folder.plan())?;
    let plan = plan.ok_or(io::ErrorKind::NotFound)?;
    give_up(&plan, &Group::at(&plan.group)?, folder);
    Ok(())
}

/// Each sandbox takes about ten descriptors.
fn raise_open_files() {
    let maximum = getrlimit(Resource::Nofile).maximum;
    let limit = Rlimit {
        current: maximum,
        maximum,
    };
    // Where it is refused, fewer sandboxes fit.
    let _ = setrlimit(Resource::Nofile, limit);
}

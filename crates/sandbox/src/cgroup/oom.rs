//! Noticing that the kernel killed something for its memory.

use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::path::Path;

use rustix::event::{EventfdFlags, eventfd};
use rustix::fs::inotify;

use super::{Hierarchies, Version, field, read};

/// How many processes of the group were killed for their memory.
pub(super) fn kills(hierarchies: &Hierarchies, group: &Path) -> u64 {
    let Ok(folder) = hierarchies.folder("memory", group) else {
        return 0;
    };
    let file = match hierarchies.version() {
        Version::V1 => "memory.oom_control",
        Version::V2 => "memory.events",
    };
    let text = read(&folder, file).unwrap_or_default();
    field(&text, "oom_kill").unwrap_or(0)
}

/// A descriptor that becomes readable when a group runs out of memory: on v1 a counter, on v2 a
/// watch of `memory.events`.
#[derive(Debug)]
pub(crate) struct OomWatch(OwnedFd);

impl OomWatch {
    pub(super) fn new(hierarchies: &Hierarchies, group: &Path) -> io::Result<Self> {
        let folder = hierarchies.folder("memory", group)?;
        match hierarchies.version() {
            Version::V1 => counter(&folder).map(Self),
            Version::V2 => file_watch(&folder.join("memory.events")).map(Self),
        }
    }

    /// Makes it unreadable until the next time.
    pub(crate) fn acknowledge(&self) {
        let mut events = [0; 4096];
        let _ = rustix::io::read(&self.0, &mut events);
    }
}

impl AsFd for OomWatch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

fn counter(folder: &Path) -> io::Result<OwnedFd> {
    let counter = eventfd(0, EventfdFlags::CLOEXEC | EventfdFlags::NONBLOCK)?;
    let watched = File::open(folder.join("memory.oom_control"))?;
    let order = format!("{} {}", counter.as_raw_fd(), watched.as_raw_fd());
    std::fs::write(folder.join("cgroup.event_control"), order)?;
    Ok(counter)
}

fn file_watch(file: &Path) -> io::Result<OwnedFd> {
    let watch = inotify::init(inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK)?;
    inotify::add_watch(&watch, file, inotify::WatchFlags::MODIFY)?;
    Ok(watch)
}

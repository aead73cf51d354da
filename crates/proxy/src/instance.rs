//! One running server that requests go to, and the way into its network namespace.

use std::cell::OnceCell;
use std::fs::File;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::time::{Duration, Instant};

use ports::runtime::Upstream;
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};

/// How long an instance that serves one connection at a time is not kept waiting by idle ones.
const SOLITARY: Duration = Duration::from_secs(30);

/// One instance as the workers see it.
pub(crate) struct Instance {
    /// Names it within this edge; never used twice.
    pub(crate) id: u64,
    /// As the runtime named it.
    pub(crate) upstream: Upstream,
    netns: Result<Netns, io::ErrorKind>,
    other_family: AtomicBool,
    /// Idle connections to it, of all workers.
    pub(crate) idle: AtomicUsize,
    /// New connections to it that wait for their first answer suspiciously long.
    pub(crate) stalled: AtomicUsize,
    began: Instant,
    solitary_until_millis: AtomicU64,
}

impl Instance {
    /// Opens its network namespace; when that fails, so does each connection to it.
    pub(crate) fn new(upstream: Upstream) -> Self {
        static IDS: AtomicU64 = AtomicU64::new(1);
        Self {
            id: IDS.fetch_add(1, Relaxed),
            netns: Netns::open(&upstream.netns).map_err(|cause| cause.kind()),
            upstream,
            other_family: AtomicBool::new(false),
            idle: AtomicUsize::new(0),
            stalled: AtomicUsize::new(0),
            began: Instant::now(),
            solitary_until_millis: AtomicU64::new(0),
        }
    }

    /// A socket for `address`, made inside its namespace.
    pub(crate) fn socket(&self, address: SocketAddr) -> io::Result<OwnedFd> {
        match &self.netns {
            Ok(netns) => netns.socket(address),
            Err(kind) => Err((*kind).into()),
        }
    }

    /// Where to connect: first the address that worked last.
    pub(crate) fn addresses(&self) -> [SocketAddr; 2] {
        let (first, second) = (self.upstream.address, other_loopback(self.upstream.address));
        match self.other_family.load(Relaxed) {
            false => [first, second],
            true => [second, first],
        }
    }

    /// Remembers which address works.
    pub(crate) fn answered_at(&self, address: SocketAddr) {
        let other = address != self.upstream.address;
        if self.other_family.load(Relaxed) != other {
            self.other_family.store(other, Relaxed);
        }
    }

    /// Whether an idle connection to it may be kept.
    pub(crate) fn takes_idle(&self) -> bool {
        let until = self.solitary_until_millis.load(Relaxed);
        self.stalled.load(Relaxed) == 0 && (until == 0 || self.age_millis() >= until)
    }

    /// An idle connection seemed to keep it from others: it gets none for a while.
    pub(crate) fn is_solitary(&self) {
        let until = self.age_millis() + SOLITARY.as_millis() as u64;
        self.solitary_until_millis.store(until, Relaxed);
    }

    fn age_millis(&self) -> u64 {
        self.began.elapsed().as_millis() as u64
    }
}

/// 127.0.0.1 for ::1 and the other way round; servers listen on either.
fn other_loopback(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(_) => IpAddr::V6(Ipv6Addr::LOCALHOST),
        IpAddr::V6(_) => IpAddr::V4(Ipv4Addr::LOCALHOST),
    };
    SocketAddr::new(ip, address.port())
}

/// A network namespace, kept open so that its name cannot come to mean another one.
struct Netns {
    file: File,
    inode: (u64, u64),
}

thread_local! {
    /// The namespace that this thread lives in.
    static HOME: OnceCell<Netns> = const { OnceCell::new() };
}

impl Netns {
    fn open(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let about = file.metadata()?;
        Ok(Self {
            inode: (about.dev(), about.ino()),
            file,
        })
    }

    /// Makes a socket in this namespace and returns to the thread's own. Only the making of a
    /// socket binds it to a namespace; connecting can happen anywhere.
    fn socket(&self, address: SocketAddr) -> io::Result<OwnedFd> {
        HOME.with(|home| {
            if home.get().is_none() {
                let opened = Self::open(Path::new("/proc/thread-self/ns/net"))?;
                let _ = home.set(opened);
            }
            match home.get() {
                Some(home) if home.inode != self.inode => {
                    self.enter()?;
                    let socket = make_socket(address);
                    if home.enter().is_err() {
                        // This thread would serve one app's requests from another's network.
                        std::process::abort();
                    }
                    socket
                }
                _ => make_socket(address),
            }
        })
    }

    fn enter(&self) -> io::Result<()> {
        let only = Some(LinkNameSpaceType::Network);
        Ok(move_into_link_name_space(self.file.as_fd(), only)?)
    }
}

fn make_socket(address: SocketAddr) -> io::Result<OwnedFd> {
    use rustix::net::{AddressFamily, SocketFlags, SocketType, socket_with};
    let family = match address {
        SocketAddr::V4(_) => AddressFamily::INET,
        SocketAddr::V6(_) => AddressFamily::INET6,
    };
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(socket_with(family, SocketType::STREAM, flags, None)?)
}

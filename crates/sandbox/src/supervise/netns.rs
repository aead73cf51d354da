//! The sandbox's network: loopback, and the egress proxy's socket.

use std::fs::File;
use std::io;
use std::net::TcpListener;
use std::os::fd::AsRawFd;

use nix::sched::{CloneFlags, setns};

use crate::plan::EGRESS;

/// Lets apps listen on ports below 1024, as many that were written for containers do.
const FIRST_FREE_PORT: (&str, &str) = ("/proc/sys/net/ipv4/ip_unprivileged_port_start", "0");

/// Brings up loopback in the network namespace of `pid`; with `listen`, also opens the egress
/// proxy's socket in there.
///
/// The calling process must have one thread. It ends if it cannot return to its own namespace.
pub(super) fn prepare(pid: i32, listen: bool) -> io::Result<Option<TcpListener>> {
    let own = File::open("/proc/self/ns/net")?;
    let theirs = File::open(format!("/proc/{pid}/ns/net"))?;
    setns(theirs, CloneFlags::CLONE_NEWNET)?;
    let done = furnish(listen);
    if setns(own, CloneFlags::CLONE_NEWNET).is_err() {
        std::process::abort();
    }
    done
}

fn furnish(listen: bool) -> io::Result<Option<TcpListener>> {
    bring_up_loopback()?;
    std::fs::write(FIRST_FREE_PORT.0, FIRST_FREE_PORT.1)?;
    listen.then(|| TcpListener::bind(EGRESS)).transpose()
}

/// Source: netdevice(7).
fn bring_up_loopback() -> io::Result<()> {
    let socket = std::net::UdpSocket::bind("0.0.0.0:0")?;
    // SAFETY: all-zero is a valid `ifreq`.
    let mut request: libc::ifreq = unsafe { std::mem::zeroed() };
    for (to, from) in request.ifr_name.iter_mut().zip(b"lo") {
        *to = *from as libc::c_char;
    }
    request.ifr_ifru.ifru_flags = libc::IFF_UP as libc::c_short;
    // SAFETY: the request is an `ifreq` that lives through the call.
    let answer = unsafe { libc::ioctl(socket.as_raw_fd(), libc::SIOCSIFFLAGS as _, &request) };
    match answer {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

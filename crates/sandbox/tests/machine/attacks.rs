//! What a hostile app tries. Each check has a control: the same act succeeds where it may.

use std::io::Write;
use std::net::TcpListener;
use std::os::linux::net::SocketAddrExt;
use std::os::unix::net::{SocketAddr, UnixListener};

use model::instance::{Exit, InstanceState};
use ports::runtime::Runtime;

use crate::support::Room;

/// Prints what each expression gives, or the error number with which it fails.
const PROBE: &str = "
import ctypes, errno, os, socket, subprocess
libc = ctypes.CDLL(None, use_errno=True)
def call(name, *args):
    if getattr(libc, name)(*args) < 0:
        raise OSError(ctypes.get_errno(), name)
    return 'done'
def syscall(number, *args):
    if libc.syscall(number, *args) < 0:
        raise OSError(ctypes.get_errno(), number)
    return 'done'
def attempt(name, act):
    try:
        print(name, act())
    except OSError as e:
        print(name, errno.errorcode.get(e.errno, e))
def connect(family, address):
    with socket.socket(family) as s:
        s.settimeout(3)
        s.connect(address)
    return 'done'
def read(path):
    with open(path, 'rb') as f:
        f.read(1)
    return 'done'
def write(path):
    with open(path, 'wb') as f:
        f.write(b'x')
    return 'done'
";

impl Room {
    /// Runs the attempts, and compares `name outcome` of each.
    async fn attempts(&self, app: &str, attempts: &[(&str, &str, &str)]) {
        let acts = attempts
            .iter()
            .map(|(name, act, _)| format!("attempt({name:?}, lambda: {act})\n"));
        let script: String = [PROBE.to_owned()].into_iter().chain(acts).collect();
        let (state, lines) = self.python(app, &script).await;
        let fine = Exit::Code { code: 0 };
        assert!(
            matches!(state, InstanceState::Exited { exit, .. } if exit == fine),
            "{state:?} {lines:?}"
        );
        let expected: Vec<String> = attempts
            .iter()
            .map(|(name, _, outcome)| format!("o {name} {outcome}"))
            .collect();
        assert_eq!(lines, expected);
    }
}

#[tokio::test]
async fn the_hosts_files_are_out_of_reach() {
    let room = Room::new();
    let secret = room.path("secret");
    std::fs::write(&secret, "x").expect("a file");
    let path = format!("read({:?})", secret.display().to_string());
    room.attempts(
        "reader",
        &[
            ("its own file", "read('main.py')", "done"),
            ("a file of the host", &path, "ENOENT"),
            ("its own folder", "write('new')", "done"),
            (
                "the data folder",
                "write(os.environ['DATA_DIR'] + '/new')",
                "done",
            ),
            ("tmp", "write('/tmp/new')", "done"),
            ("home", "write(os.path.expanduser('~/new'))", "done"),
            ("the root", "write('/new')", "EROFS"),
            ("a system folder", "write('/usr/bin/new')", "EROFS"),
            ("a program", "write('/usr/bin/python3')", "EROFS"),
            ("etc", "write('/etc/passwd')", "EROFS"),
            ("dev null", "write('/dev/null')", "done"),
            (
                "kernel settings",
                "write('/proc/sys/kernel/core_pattern')",
                "EROFS",
            ),
            ("cgroups", "len(os.listdir('/sys'))", "0"),
            (
                "a device",
                "os.mknod('disk', 0o60600, os.makedev(254, 0))",
                "EPERM",
            ),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_hosts_network_is_out_of_reach() {
    let room = Room::new();
    let host = TcpListener::bind("127.0.0.1:0").expect("a socket");
    let port = host.local_addr().expect("an address").port();
    let name = format!("mayfly-test-{}", std::process::id());
    let address = SocketAddr::from_abstract_name(&name).expect("an address");
    let _listener = UnixListener::bind_addr(&address).expect("a socket");
    let host_tcp = format!("connect(socket.AF_INET, ('127.0.0.1', {port}))");
    let host_unix = format!("connect(socket.AF_UNIX, '\\0{name}')");
    // The control: what is unreachable from within is there.
    std::net::TcpStream::connect(("127.0.0.1", port)).expect("it listens");
    std::os::unix::net::UnixStream::connect_addr(&address).expect("it listens");
    room.attempts(
        "caller",
        &[
            ("itself", "[s := socket.create_server(('127.0.0.1', 80)), connect(socket.AF_INET, ('127.0.0.1', 80))][1]", "done"),
            ("its proxy", "connect(socket.AF_INET, ('127.88.0.1', 3128))", "done"),
            ("the host's loopback", &host_tcp, "ECONNREFUSED"),
            ("the cloud's metadata", "connect(socket.AF_INET, ('169.254.169.254', 80))", "ENETUNREACH"),
            ("a private address", "connect(socket.AF_INET, ('10.0.0.1', 80))", "ENETUNREACH"),
            ("IPv6", "connect(socket.AF_INET6, ('2001:db8::1', 80))", "ENETUNREACH"),
            ("an abstract socket", &host_unix, "ECONNREFUSED"),
            ("a raw socket", "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)", "EPERM"),
            ("a packet socket", "socket.socket(socket.AF_PACKET, socket.SOCK_RAW)", "ENOSYS"),
            ("kernel crypto", "socket.socket(socket.AF_ALG, socket.SOCK_SEQPACKET)", "ENOSYS"),
        ],
    )
    .await;
}

#[tokio::test]
async fn the_kernel_refuses_what_could_break_out() {
    let room = Room::new();
    room.attempts(
        "breaker",
        &[
            ("who", "os.getuid()", "1000"),
            ("rights", "open('/proc/self/status').read().split('CapBnd:\\t')[1][:16]", "0000000000000000"),
            ("becoming root", "os.setuid(0)", "EPERM"),
            ("mount", "call('mount', b'x', b'/tmp', b'tmpfs', 0, None)", "EPERM"),
            ("umount", "call('umount2', b'/tmp', 0)", "EPERM"),
            ("unshare", "call('unshare', 0x10000000)", "EPERM"),
            ("clone a namespace", "syscall(56, 0x10000000 | 17, 0, 0, 0, 0)", "ENOSYS"),
            ("clone3", "syscall(435, 0, 0)", "ENOSYS"),
            ("fork", "os.waitpid(os.fork() or os._exit(0), 0)[1]", "0"),
            ("setns", "call('setns', os.open('/proc/self/ns/net', os.O_RDONLY), 0)", "EPERM"),
            ("ptrace", "call('ptrace', 0, 0, 0, 0)", "EPERM"),
            ("bpf", "syscall(321, 0, 0, 0)", "EPERM"),
            ("keyctl", "syscall(250, 0, 0, 0)", "EPERM"),
            ("io_uring", "syscall(425, 1, 0)", "EPERM"),
            ("perf", "syscall(298, 0, 0, 0, 0, 0)", "EPERM"),
            ("userfaultfd", "syscall(323, 0)", "EPERM"),
            ("chroot", "os.chroot('/tmp')", "EPERM"),
            ("an unknown call", "syscall(999)", "ENOSYS"),
            ("reboot", "syscall(169, 0, 0, 0, 0)", "EPERM"),
            ("the first process's memory", "read('/proc/1/mem')", "EACCES"),
            ("the first process's files", "os.listdir('/proc/1/fd')", "EACCES"),
            ("its own memory", "read('/proc/self/maps')", "done"),
            ("processes in sight", "len([p for p in os.listdir('/proc') if p.isdigit()])", "2"),
            ("killing the first process", "[os.kill(1, 9), 'sent'][1]", "sent"),
            ("being here still", "'yes'", "yes"),
            ("a setuid file", "[write('suid'), os.chmod('suid', 0o4755), subprocess.run(['id', '-u'], capture_output=True, text=True).stdout.strip()][2]", "1000"),
        ],
    )
    .await;
}

#[tokio::test]
async fn siblings_do_not_see_each_other() {
    let room = Room::new();
    let server = "
import socket, time
s = socket.socket(socket.AF_UNIX); s.bind('\\0sibling'); s.listen()
t = socket.create_server(('127.0.0.1', 5000))
open('/tmp/shared', 'w').write('x')
print('ready')
time.sleep(600)
";
    let launch = room.launch("one", &[("main.py", server)], &["python3", "main.py"]);
    let id = room.start(launch).await;
    room.printed(&id, "o ready").await;
    // The control: the sibling is reached where the proxy would reach it.
    let upstream = room.listens(&id).await;
    assert_eq!(upstream.address.port(), 5000);
    room.attempts(
        "two",
        &[
            (
                "its socket",
                "connect(socket.AF_UNIX, '\\0sibling')",
                "ECONNREFUSED",
            ),
            (
                "its port",
                "connect(socket.AF_INET, ('127.0.0.1', 5000))",
                "ECONNREFUSED",
            ),
            ("its files", "read('/tmp/shared')", "ENOENT"),
        ],
    )
    .await;
    room.stop_all().await;
}

#[tokio::test]
async fn a_tmp_that_is_full_hurts_nobody_else() {
    let room = Room::new();
    let fill = "open('/tmp/big', 'wb').write(b'x' * 40_000_000)";
    room.attempts(
        "filler",
        &[
            ("too much", fill, "ENOSPC"),
            ("its folder", "write('y')", "done"),
        ],
    )
    .await;
}

#[tokio::test]
async fn output_that_is_no_text_is_kept_on_its_line() {
    let room = Room::new();
    let script = r"
import sys
sys.stdout.buffer.write(b'\xff\xfe\x1b[2Jforged\rline\0\n'); sys.stdout.flush()
";
    let launch = room.launch("noise", &[("main.py", script)], &["python3", "main.py"]);
    let id = room.start(launch).await;
    room.sandboxes.ended(&id).await.expect("an end");
    let files = room.sandboxes.logs(&id).await.expect("logs");
    let bytes = std::fs::read(&files[0]).expect("a log");
    assert_eq!(bytes.iter().filter(|byte| **byte == b'\n').count(), 1);
    std::io::sink().write_all(&bytes).expect("read");
    room.stop_all().await;
}

#[tokio::test]
async fn denied_hosts_are_remembered_with_the_instance() {
    let room = Room::new();
    let script = "
import urllib.request
try:
    urllib.request.urlopen('http://tracker.invalid:8000/x')
except Exception as e:
    print(type(e).__name__)
import time; time.sleep(600)
";
    let launch = room.launch("spy", &[("main.py", script)], &["python3", "main.py"]);
    let id = room.start(launch).await;
    room.printed(&id, "o HTTPError").await;
    let denied = room.sandboxes.denied(&id).await.expect("a list");
    assert_eq!(denied.len(), 1);
    assert_eq!(
        (denied[0].host.as_str(), denied[0].port),
        ("tracker.invalid", 8000)
    );
    room.stop_all().await;
}

//! The daemon's socket, and the lock that keeps a second daemon away.

use std::ffi::CString;
use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::Path;

use api::paths;
use model::{Failure, FailureCode};
use nix::fcntl::{Flock, FlockArg};
use nix::unistd::Group;
use tokio::net::UnixListener;

/// Keeps a second daemon away from `home` for as long as it lives.
pub(crate) struct HomeLock(
    #[expect(dead_code, reason = "the lock is held by being there")] Flock<File>,
);

/// Takes the home for this daemon. Fails when another one has it.
pub(crate) fn lock(home: &Path) -> Result<HomeLock, Failure> {
    let path = home.join("run/daemon.lock");
    let run = home.join("run");
    fs::create_dir_all(&run).map_err(|error| machine(&run, &error))?;
    let mut file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .open(&path);
    let file = file.as_mut().map_err(|error| machine(&path, error))?;
    let file = file.try_clone().map_err(|error| machine(&path, &error))?;
    match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
        Ok(mut lock) => {
            let pid = std::process::id().to_string();
            lock.set_len(0)
                .and_then(|()| lock.write_all(pid.as_bytes()))
                .map_err(|error| machine(&path, &error))?;
            Ok(HomeLock(lock))
        }
        Err((mut file, _)) => {
            let mut pid = String::new();
            // The number is for the message only.
            let _ = file.read_to_string(&mut pid);
            Err(Failure::new(
                FailureCode::InUse,
                format!(
                    "a mayfly daemon (process {pid}) already serves `{}`",
                    home.display()
                ),
            )
            .hint("use that one, or end it with `mayfly stop`"))
        }
    }
}

/// Listens on the socket. Root and the members of the group `mayfly` may connect.
pub(crate) fn listen(home: &Path) -> Result<UnixListener, Failure> {
    let path = paths::socket(home);
    match fs::remove_file(&path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            return Err(machine(&path, &error));
        }
        _ => {}
    }
    let listener = UnixListener::bind(&path).map_err(|error| machine(&path, &error))?;
    let group = Group::from_name(paths::GROUP).ok().flatten();
    if let Some(group) = group {
        chown(&path, None, Some(group.gid.as_raw())).map_err(|error| machine(&path, &error))?;
    }
    fs::set_permissions(&path, Permissions::from_mode(0o660))
        .map_err(|error| machine(&path, &error))?;
    Ok(listener)
}

/// Makes the folders of the daemon's state: others may pass through, and see nothing.
pub(crate) fn prepare(home: &Path) -> Result<(), Failure> {
    for (folder, mode) in [
        ("", 0o711),
        ("run", 0o755),
        ("data", 0o711),
        ("log", 0o700),
        ("sandboxes", 0o711),
    ] {
        let path = home.join(folder);
        fs::create_dir_all(&path).map_err(|error| machine(&path, &error))?;
        fs::set_permissions(&path, Permissions::from_mode(mode))
            .map_err(|error| machine(&path, &error))?;
    }
    has_room(home)
}

/// Refuses to start on a full disk, before anything is half written.
fn has_room(home: &Path) -> Result<(), Failure> {
    let path = CString::new(home.as_os_str().as_encoded_bytes()).unwrap_or_default();
    let stat = nix::sys::statvfs::statvfs(path.as_c_str())
        .map_err(|error| machine(home, &error.into()))?;
    let free_bytes = stat.blocks_available() * stat.fragment_size();
    if free_bytes > 16 * model::limits::MIB {
        return Ok(());
    }
    Err(Failure::new(
        FailureCode::DiskFull,
        format!("the disk that holds `{}` is full", home.display()),
    )
    .hint("free some disk space, then start mayfly again"))
}

fn machine(path: &Path, error: &io::Error) -> Failure {
    let code = match error.kind() {
        io::ErrorKind::StorageFull => FailureCode::DiskFull,
        io::ErrorKind::PermissionDenied => FailureCode::Forbidden,
        _ => FailureCode::Machine,
    };
    let failure = Failure::new(code, format!("`{}` cannot be used", path.display()))
        .because(error.to_string());
    match code {
        FailureCode::DiskFull => failure.hint("free some disk space, then start mayfly again"),
        _ => failure.hint("run it as root, or set MAYFLY_HOME to a folder that it can write to"),
    }
}

//! One home whose caches are filled once, for all tests: the bases and tools that every Python and
//! Node app needs. Others get hard links to its files, which nothing ever writes to.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use nix::fcntl::{Flock, FlockArg};

use crate::bench::Bench;
use crate::folder::AppFolder;

/// What a home shares.
const SHARED: [&str; 3] = ["layers", "blobs", "cache"];

/// Gives `home` what the template has, making that first when it is not there.
pub(crate) fn fill(program: &Path, home: &Path) {
    let root = root(program);
    fs::create_dir_all(&root).expect("a folder for the shared cache");
    let lock = File::create(root.join("lock")).expect("a lock file");
    let _lock = Flock::lock(lock, FlockArg::LockExclusive)
        .map_err(|(_, error)| error)
        .expect("the lock");
    let template = root.join("home");
    if !root.join("filled").exists() {
        make(program, &template);
        File::create(root.join("filled")).expect("a mark");
    }
    for shared in SHARED
        .iter()
        .filter(|shared| template.join(shared).exists())
    {
        link(&template.join(shared), &home.join(shared));
    }
    freshen(&home.join("blobs"));
}

/// Blobs that nothing holds go when they are old: these have just come to this home.
fn freshen(folder: &Path) {
    let now = std::time::SystemTime::now();
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.file_type().expect("a type").is_dir() {
            freshen(&entry.path());
        } else {
            let file = File::options()
                .write(true)
                .open(entry.path())
                .expect("a blob");
            file.set_modified(now).expect("its new time");
        }
    }
}

/// Beside the binary: a new build may make other layers.
fn root(program: &Path) -> PathBuf {
    let made = fs::metadata(program)
        .and_then(|metadata| metadata.modified())
        .expect("the binary");
    let stamp = made
        .duration_since(std::time::UNIX_EPOCH)
        .expect("a time after 1970")
        .as_millis();
    let folder = program.parent().expect("a folder");
    forget_older(folder, stamp);
    folder.join(format!("mayfly-test-cache-{stamp}"))
}

/// Removes the caches of binaries that are not there any more.
fn forget_older(folder: &Path, stamp: u128) {
    let current = format!("mayfly-test-cache-{stamp}");
    for entry in fs::read_dir(folder).into_iter().flatten().flatten() {
        let name = entry.file_name().to_string_lossy().into_owned();
        if name.starts_with("mayfly-test-cache-") && name != current {
            // Another test process may have removed it already.
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}

fn make(program: &Path, template: &Path) {
    let bench = Bench::start_bare(program.to_str().expect("a path in UTF-8"));
    let python = "from http.server import HTTPServer, SimpleHTTPRequestHandler\n\
                  HTTPServer(('127.0.0.1', 8000), SimpleHTTPRequestHandler).serve_forever()\n";
    let node = "require('http').createServer((q, a) => a.end('hello')).listen(process.env.PORT)\n";
    for (name, file, text) in [("python", "app.py", python), ("node", "server.js", node)] {
        bench.up(&AppFolder::new(name, &[(file, text)])).promoted();
    }
    fs::create_dir_all(template).expect("a folder");
    for shared in SHARED
        .iter()
        .filter(|shared| bench.home().join(shared).exists())
    {
        run(Command::new("cp")
            .args(["-a", "--reflink=auto"])
            .arg(bench.home().join(shared))
            .arg(template));
    }
}

/// Copies only where links cannot be made: on another disk.
fn link(from: &Path, to: &Path) {
    let device = |path: &Path| fs::metadata(path).expect("a folder").dev();
    let home = to.parent().expect("a home");
    let how = match device(from) == device(home) {
        true => "-al",
        false => "-a",
    };
    run(Command::new("cp").arg(how).arg(from).arg(to));
}

fn run(command: &mut Command) {
    let status = command.stdin(Stdio::null()).status().expect("a copy");
    assert!(status.success(), "{command:?}: {status}");
}

//! docker: Debian's, with a daemon of this bench's own on a private socket.

use std::fs::{self, File};
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

use anyhow::{Context, Result};

use super::app::{App, Kind};
use super::base;
use crate::command::{self, command};
use crate::process::{Running, await_some};

/// Debian's client; another one that comes first in `$PATH` may lack BuildKit.
const CLIENT: &str = "/usr/bin/docker";

/// The control group of its containers, beside the machine's others.
const GROUP: &str = "mayfly-bench";

/// A docker daemon. Dropped, it ends.
pub struct Docker {
    folder: PathBuf,
    socket: PathBuf,
    daemon: Option<Running>,
}

impl Docker {
    /// Starts a daemon whose state is in `folder`. It makes no bridge and no firewall rules:
    /// containers share the machine's network, the fastest that docker has.
    pub fn start(folder: &Path) -> Result<Self> {
        fs::create_dir_all(folder)?;
        let socket = folder.join("docker.sock");
        let log = File::create(folder.join("log"))?;
        let mut daemon = command("dockerd", ["--iptables=false", "--bridge=none", "--host"]);
        daemon
            .arg(format!("unix://{}", socket.display()))
            .arg(format!("--cgroup-parent=/{GROUP}"))
            .arg("--data-root")
            .arg(folder.join("data"))
            .arg("--exec-root")
            .arg(folder.join("exec"))
            .arg("--pidfile")
            .arg(folder.join("pid"))
            .stdin(Stdio::null())
            .stdout(log.try_clone()?)
            .stderr(log);
        let docker = Self {
            socket,
            daemon: Some(Running::start(daemon)?),
            folder: folder.to_owned(),
        };
        let answers = || command::capture(&mut docker.client(&["version"])).ok();
        await_some("dockerd answers", Duration::from_secs(60), answers)
            .with_context(|| fs::read_to_string(folder.join("log")).unwrap_or_default())?;
        Ok(docker)
    }

    /// Makes a base image of a root filesystem.
    pub fn import(&self, root: &Path, tag: &str) -> Result<()> {
        let archive = root.with_extension("tar");
        command::capture(
            command("tar", ["-cf"])
                .arg(&archive)
                .arg("-C")
                .arg(root)
                .arg("."),
        )?;
        let mut import = self.client(&["import"]);
        for variable in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
            // The machine's own authorities count in builds, as they do for mayfly's.
            let set = format!("ENV {variable}=/{}", base::AUTHORITIES);
            import.arg("--change").arg(set);
        }
        command::capture(import.arg(&archive).arg(tag))?;
        Ok(fs::remove_file(archive)?)
    }

    /// Builds the image of an app, with BuildKit.
    pub fn build(&self, app: &App) -> Result<()> {
        let mut build = self.client(&["build", "--quiet", "--network", "host", "--tag"]);
        build
            .arg(tag(app.kind()))
            .arg("--file")
            .arg(app.kind().dockerfile());
        command::capture(build.arg(app.folder())).map(drop)
    }

    /// Runs the app's image on a free port of this machine.
    pub fn run(&self, kind: Kind) -> Result<Container<'_>> {
        let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?
            .local_addr()?
            .port();
        let mut run = self.client(&["run", "--detach", "--rm", "--network", "host", "--env"]);
        let id = command::capture(run.arg(format!("PORT={port}")).arg(tag(kind)))?;
        Ok(Container {
            docker: self,
            id: id.trim().to_owned(),
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, port)),
        })
    }

    /// The size of the app's image, unpacked.
    pub fn image_bytes(&self, kind: Kind) -> Result<u64> {
        let mut inspect = self.client(&["image", "inspect", "--format", "{{.Size}}"]);
        let text = command::capture(inspect.arg(tag(kind)))?;
        text.trim()
            .parse()
            .with_context(|| format!("`{text}` is no size"))
    }

    /// A command of the client, for this daemon.
    pub fn client(&self, arguments: &[&str]) -> Command {
        let mut client = command(CLIENT, arguments);
        client
            .env("DOCKER_HOST", format!("unix://{}", self.socket.display()))
            .env("DOCKER_BUILDKIT", "1");
        client
    }
}

impl Drop for Docker {
    fn drop(&mut self) {
        drop(self.daemon.take());
        // dockerd leaves the mount that names the machine's network namespace.
        let mounts = fs::read_to_string("/proc/self/mounts").unwrap_or_default();
        let points = mounts.lines().filter_map(|line| line.split(' ').nth(1));
        for point in points.filter(|point| Path::new(point).starts_with(&self.folder)) {
            if let Err(failure) = command::capture(&mut command("umount", [point])) {
                eprintln!("a mount is left: {failure:#}");
            }
        }
        // One for each hierarchy of cgroup v1, one of v2.
        let hierarchies = fs::read_dir("/sys/fs/cgroup")
            .into_iter()
            .flatten()
            .flatten();
        let hierarchies = hierarchies.map(|hierarchy| hierarchy.path());
        for root in hierarchies.chain(["/sys/fs/cgroup".into()]) {
            remove_group(&root.join(GROUP));
        }
    }
}

/// Removes a control group and those below it; the kernel keeps what is in use.
fn remove_group(group: &Path) {
    for entry in fs::read_dir(group).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            remove_group(&entry.path());
        }
    }
    if let Err(cause) = fs::remove_dir(group)
        && cause.kind() != std::io::ErrorKind::NotFound
        && cause.kind() != std::io::ErrorKind::NotADirectory
    {
        eprintln!("the group {} is left: {cause}", group.display());
    }
}

fn tag(kind: Kind) -> String {
    format!("mayfly-bench/app-{}", kind.to_string().to_lowercase())
}

/// A container that runs. Dropped, it is removed.
pub struct Container<'a> {
    docker: &'a Docker,
    id: String,
    address: SocketAddr,
}

impl Container<'_> {
    /// Where its app answers.
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Container<'_> {
    fn drop(&mut self) {
        let mut remove = self.docker.client(&["rm", "--force", &self.id]);
        if let Err(failure) = command::capture(&mut remove) {
            eprintln!("a container may be left: {failure:#}");
        }
    }
}

//! The guest's disk: Debian 12 with systemd, this binary, and the apps.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use super::apps;
use crate::command::{self, command};
use crate::place;

/// What the guest has beyond Debian's essential packages.
const PACKAGES: &str = "linux-image-cloud-amd64,systemd-sysv,iproute2,ca-certificates";
/// Where Debian's own keys are.
const KEYRING: &str = "/usr/share/keyrings/debian-archive-keyring.gpg";
const SIZE: &str = "6G";

/// The checks are run by systemd, as a service: at the first boot and at the second.
const UNIT: &str = "[Unit]\n\
    Description=checks of mayfly\n\
    After=multi-user.target mayfly.service\n\
    \n\
    [Service]\n\
    ExecStart=/usr/local/bin/mayfly-checks\n\
    KillMode=process\n\
    StandardOutput=tty\n\
    StandardError=tty\n\
    TTYPath=/dev/ttyS0\n\
    \n\
    [Install]\n\
    WantedBy=multi-user.target\n";

/// A disk and what boots it.
pub struct Disk {
    /// The raw image.
    pub image: PathBuf,
    /// The kernel.
    pub kernel: PathBuf,
    /// The initial file system.
    pub initrd: PathBuf,
}

/// Makes the disk in `scratch`.
pub fn make(program: &Path, scratch: &Path) -> Result<Disk> {
    let root = scratch.join("root");
    unpack(&debian()?, &root)?;
    furnish(&root, program, scratch)?;
    let image = scratch.join("disk.img");
    let mut format = command("mke2fs", ["-q", "-t", "ext4", "-d"]);
    command::capture(format.arg(&root).arg(&image).arg(SIZE))?;
    Ok(Disk {
        image,
        kernel: boot_file(&root, "vmlinuz-")?,
        initrd: boot_file(&root, "initrd.img-")?,
    })
}

/// Debian's tree as an archive; made once and kept.
fn debian() -> Result<PathBuf> {
    let folder = place::cache().join("guest");
    let archive = folder.join("debian-12.tar");
    if archive.is_file() {
        return Ok(archive);
    }
    fs::create_dir_all(&folder)?;
    let new = folder.join("new.tar");
    let source = format!("deb [signed-by={KEYRING}] {} bookworm main", mirror()?);
    let mut debootstrap = command("mmdebstrap", ["--quiet", "--variant=apt"]);
    debootstrap
        .arg(format!("--include={PACKAGES}"))
        .arg("bookworm")
        .arg(&new)
        .arg(source);
    command::capture(&mut debootstrap)?;
    fs::rename(new, &archive)?;
    Ok(archive)
}

/// The mirror that this machine's apt takes Debian 12 from.
fn mirror() -> Result<String> {
    let format = [
        "indextargets",
        "--format",
        "$(REPO_URI) $(CODENAME) $(COMPONENT)",
        "Created-By: Packages",
    ];
    let targets = command::capture(&mut command("apt-get", format))?;
    let mirror = targets
        .lines()
        .find_map(|line| line.strip_suffix(" bookworm main"));
    let mirror = mirror.context("this machine's apt has no mirror of Debian 12 (bookworm)")?;
    Ok(mirror.to_owned())
}

fn unpack(archive: &Path, root: &Path) -> Result<()> {
    fs::create_dir_all(root)?;
    command::capture(command("tar", ["-xf"]).arg(archive).arg("-C").arg(root)).map(drop)
}

/// Adds the binaries, the checks, the apps and mayfly's state, at the paths that they have here.
fn furnish(root: &Path, program: &Path, scratch: &Path) -> Result<()> {
    let programs = root.join("usr/local/bin");
    fs::copy(program, programs.join("mayfly"))?;
    fs::copy(std::env::current_exe()?, programs.join("mayfly-checks"))?;
    fs::write(
        root.join("etc/mayfly-checks"),
        scratch.display().to_string(),
    )?;
    fs::write(root.join("etc/fstab"), "/dev/vda / ext4 rw 0 1\n")?;
    fs::write(root.join("etc/hostname"), "guest\n")?;
    let units = root.join("etc/systemd/system");
    fs::write(units.join("mayfly-checks.service"), UNIT)?;
    let wanted = units.join("multi-user.target.wants");
    fs::create_dir_all(&wanted)?;
    symlink(
        "../mayfly-checks.service",
        wanted.join("mayfly-checks.service"),
    )?;
    // The console belongs to the checks.
    symlink("/dev/null", units.join("serial-getty@ttyS0.service"))?;
    for from in [scratch.join("apps"), apps::home(scratch)] {
        let to = root.join(from.strip_prefix("/")?);
        fs::create_dir_all(to.parent().context("a folder")?)?;
        command::capture(command("cp", ["-a"]).arg(&from).arg(&to))?;
    }
    Ok(())
}

fn boot_file(root: &Path, prefix: &str) -> Result<PathBuf> {
    let files = fs::read_dir(root.join("boot"))?
        .flatten()
        .map(|entry| entry.path());
    let mut files = files.filter(|file| {
        file.file_name()
            .is_some_and(|name| name.to_string_lossy().starts_with(prefix))
    });
    files
        .next()
        .with_context(|| format!("the guest has no {prefix}*"))
}

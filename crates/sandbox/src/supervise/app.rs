//! The folders of an app: its writable copy, its kept files, its data folder.

use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use model::keep::{Entry, KeepRules};
use rustix::fs::{AtFlags, FileType, Mode, OFlags, mkdirat, openat, symlinkat, unlinkat};

use super::binds::Binds;
use super::rootfs::{Access, Bind, Root, naming};
use crate::beneath::{make_plain, open_child_of, open_folder, open_plain, split};
use crate::copy::{self, copy_folder, kind, names, open_child, status};
use crate::folder::{Folder, write_json};
use crate::kept::{self, Kept};
use crate::plan::{AppRole, DATA, Plan};

/// Copies the app's folder, seeds the data folder, and ties kept files to it.
pub(super) fn prepare(plan: &Plan, role: &AppRole, folder: &Folder) -> io::Result<Binds> {
    let owner = plan.owner();
    let app = copy_app(plan, folder)?;
    let data = open_data(&role.data, owner)?;
    let rules = KeepRules::new(&role.keep)
        .map_err(|cause| io::Error::new(io::ErrorKind::InvalidInput, cause))?;
    if let Some(seed) = &role.seed {
        let seed = open_folder(seed).map_err(|cause| naming(seed, &cause))?;
        kept::seed(&seed, &data, &rules, owner)?;
    }
    let mut others = Vec::new();
    for Kept { path, entry } in kept::find(&data, &rules)? {
        match entry {
            Entry::Folder => others.push(bind_folder(plan, &app, &data, &path)?),
            Entry::File => link_file(&app, &path, owner)?,
        }
    }
    others.push(Bind {
        source: data,
        target: DATA.into(),
        access: Access::Write,
    });
    Ok(Binds {
        app: Some(app),
        others,
    })
}

/// What the app's folder has in lower layers alone (dependencies): to be seen read-only.
pub(super) fn only_in_layers(root: &Root, plan: &Plan, app: &OwnedFd) -> io::Result<Vec<Bind>> {
    let mut binds = Vec::new();
    if let Some(layers) = root.open(&plan.workdir)? {
        let layers = open_child_of(&layers)?;
        collect(&layers, app, &plan.workdir, plan.owner(), &mut binds)?;
    }
    Ok(binds)
}

fn copy_app(plan: &Plan, folder: &Folder) -> io::Result<OwnedFd> {
    std::fs::create_dir(folder.app())?;
    let app = open_folder(&folder.app())?;
    let mut copied = Vec::new();
    if let Some(top) = plan.layers.last() {
        let layer = open_folder(top).map_err(|cause| naming(top, &cause))?;
        match open_plain(&layer, &plan.workdir, OFlags::RDONLY | OFlags::DIRECTORY) {
            Ok(source) => copied = copy_folder(&source, &app, plan.owner())?,
            Err(rustix::io::Errno::NOENT) => {}
            Err(cause) => return Err(cause.into()),
        }
    }
    copy::give(&app, ".", plan.owner())?;
    write_json(&folder.manifest(), &copied)?;
    Ok(app)
}

fn open_data(path: &Path, owner: u32) -> io::Result<OwnedFd> {
    std::fs::create_dir_all(path).map_err(|cause| naming(path, &cause))?;
    let data = open_folder(path)?;
    copy::give(&data, ".", owner)?;
    Ok(data)
}

fn bind_folder(plan: &Plan, app: &OwnedFd, data: &OwnedFd, path: &Path) -> io::Result<Bind> {
    make_plain(app.as_fd(), path, plan.owner())?;
    Ok(Bind {
        source: open_plain(data, path, OFlags::RDONLY | OFlags::DIRECTORY)?,
        target: plan.workdir.join(path),
        access: Access::Write,
    })
}

/// A link, not a mount: an app may replace the file, and SQLite finds its journals beside it.
fn link_file(app: &OwnedFd, path: &Path, owner: u32) -> io::Result<()> {
    let (above, name) = split(path)?;
    let above = make_plain(app.as_fd(), above, owner)?;
    match unlinkat(&above, name, AtFlags::empty()) {
        Ok(()) | Err(rustix::io::Errno::NOENT) => {}
        Err(cause) => return Err(cause.into()),
    }
    symlinkat(Path::new(DATA).join(path), &above, name)?;
    copy::give(&above, name, owner)
}

fn collect(
    layers: &OwnedFd,
    app: &OwnedFd,
    target: &Path,
    owner: u32,
    binds: &mut Vec<Bind>,
) -> io::Result<()> {
    for name in names(layers)? {
        let target = target.join(kept::as_path(&name));
        let Some(below) = status(layers, &name)? else {
            continue;
        };
        match status(app, &name)? {
            None => {
                if let Some(bind) = cover(layers, app, &name, kind(&below), target, owner)? {
                    binds.push(bind);
                }
            }
            Some(above) => {
                let both = [kind(&below), kind(&above)];
                if both == [FileType::Directory; 2] {
                    let (layers, app) = (open_child(layers, &name)?, open_child(app, &name)?);
                    collect(&layers, &app, &target, owner, binds)?;
                }
            }
        }
    }
    Ok(())
}

/// Makes a mount point in the app's copy for what only the layers have; links are copied.
fn cover(
    layers: &OwnedFd,
    app: &OwnedFd,
    name: &std::ffi::CStr,
    kind: FileType,
    target: PathBuf,
    owner: u32,
) -> io::Result<Option<Bind>> {
    match kind {
        FileType::Directory => mkdirat(app, name, Mode::from_raw_mode(0o755))?,
        FileType::RegularFile => {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            openat(app, name, flags, Mode::from_raw_mode(0o644))?;
        }
        FileType::Symlink => {
            let link = rustix::fs::readlinkat(layers, name, Vec::new())?;
            symlinkat(link, app, name)?;
        }
        _ => return Ok(None),
    }
    copy::give(app, name, owner)?;
    if kind == FileType::Symlink {
        return Ok(None);
    }
    let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    Ok(Some(Bind {
        source: openat(layers, name, flags, Mode::empty())?,
        target,
        access: Access::Read,
    }))
}

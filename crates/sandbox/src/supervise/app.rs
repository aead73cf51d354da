//! The folders of an app: its writable copy, its kept files, its data folder.

use std::ffi::CStr;
use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use model::keep::{Entry, KeepRules};
use rustix::fs::{
    AtFlags, FileType, Mode, OFlags, fstat, mkdirat, openat, readlinkat, symlinkat, unlinkat,
};

use super::binds::Binds;
use super::rootfs::{Access, Bind, Root, naming};
use crate::beneath::{make_plain, open_child_of, open_folder, open_plain, split};
use crate::copy::{self, Copied, copy_folder, kind, names, open_child, status};
use crate::folder::Folder;
use crate::kept::{self, Kept};
use crate::plan::{AppRole, DATA, Plan};

/// The writable copy of an app's folder.
pub(super) struct AppCopy {
    folder: OwnedFd,
    /// Where to write down what it held at the start.
    manifest: File,
    copied: Vec<Copied>,
}

impl AppCopy {
    /// Makes mount points for what only lower layers have in the app's folder (dependencies), and
    /// writes the manifest. Returns the folder, and what is to be bound in it, read-only.
    pub(super) fn complete(mut self, root: &Root, plan: &Plan) -> io::Result<(OwnedFd, Vec<Bind>)> {
        let mut covers = Covers {
            owner: plan.owner(),
            binds: Vec::new(),
            files: Vec::new(),
        };
        if let Some(layers) = root.open(&plan.workdir)? {
            let layers = open_child_of(&layers)?;
            covers.collect(&layers, &self.folder, &plan.workdir)?;
        }
        for file in covers.files {
            let path = file.strip_prefix(&plan.workdir).unwrap_or(&file).to_owned();
            let stat = fstat(open_plain(&self.folder, &path, OFlags::PATH)?)?;
            self.copied.push(Copied::new(path, &stat));
        }
        self.manifest
            .write_all(&serde_json::to_vec(&self.copied)?)?;
        Ok((self.folder, covers.binds))
    }
}

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
            Entry::Folder => others.push(bind_folder(plan, &app.folder, &data, &path)?),
            Entry::File => link_file(&app.folder, &path, owner)?,
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

fn copy_app(plan: &Plan, folder: &Folder) -> io::Result<AppCopy> {
    DirBuilder::new().mode(0o755).create(folder.app())?;
    let mut manifest = OpenOptions::new();
    let manifest = manifest.write(true).create_new(true).mode(0o600);
    let manifest = manifest.open(folder.manifest())?;
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
    Ok(AppCopy {
        folder: app,
        manifest,
        copied,
    })
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

/// What only the layers have in the app's folder.
struct Covers {
    owner: u32,
    binds: Vec<Bind>,
    /// Mount points that are files.
    files: Vec<PathBuf>,
}

impl Covers {
    fn collect(&mut self, layers: &OwnedFd, app: &OwnedFd, at: &Path) -> io::Result<()> {
        for name in names(layers)? {
            let target = at.join(kept::as_path(&name));
            let Some(below) = status(layers, &name)? else {
                continue;
            };
            match status(app, &name)? {
                None => self.cover(layers, app, &name, kind(&below), target)?,
                Some(above) if [kind(&below), kind(&above)] == [FileType::Directory; 2] => {
                    let (layers, app) = (open_child(layers, &name)?, open_child(app, &name)?);
                    self.collect(&layers, &app, &target)?;
                }
                Some(_) => {}
            }
        }
        Ok(())
    }

    /// Makes a mount point in the app's copy; links are copied.
    fn cover(
        &mut self,
        layers: &OwnedFd,
        app: &OwnedFd,
        name: &CStr,
        kind: FileType,
        target: PathBuf,
    ) -> io::Result<()> {
        match kind {
            FileType::Directory => mkdirat(app, name, Mode::from_raw_mode(0o755))?,
            FileType::RegularFile => {
                let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
                openat(app, name, flags, Mode::from_raw_mode(0o644))?;
                self.files.push(target.clone());
            }
            FileType::Symlink => {
                symlinkat(readlinkat(layers, name, Vec::new())?, app, name)?;
                return copy::give(app, name, self.owner);
            }
            _ => return Ok(()),
        }
        copy::give(app, name, self.owner)?;
        let flags = OFlags::PATH | OFlags::NOFOLLOW | OFlags::CLOEXEC;
        self.binds.push(Bind {
            source: openat(layers, name, flags, Mode::empty())?,
            target,
            access: Access::Read,
        });
        Ok(())
    }
}

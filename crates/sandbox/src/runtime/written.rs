//! What an app wrote in its own folder, and what of it is kept.
//!
//! The folder is the app's to write: everything in it is hostile. Nothing here follows a link.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};

use model::keep::{Entry, KeepRules};
use ports::runtime::{Fate, Written};
use rustix::fs::FileType;

use super::instance::Instance;
use crate::beneath::open_folder;
use crate::copy::{Copied, fingerprint, kind, names, open_child, status};
use crate::folder::read_json;
use crate::kept;

/// How deep the app's folder is searched.
const DEPTH: usize = 128;
/// Folders of files that interpreters make again by themselves.
const CACHES: [&str; 1] = ["__pycache__"];

/// An app's folder and its data folder.
pub(super) struct Folders {
    app: OwnedFd,
    data: OwnedFd,
    data_path: PathBuf,
    rules: KeepRules,
    /// What the app's folder held at the start.
    source: BTreeMap<PathBuf, Copied>,
    owner: u32,
}

impl Folders {
    pub(super) fn open(instance: &Instance) -> io::Result<Self> {
        let (plan, role) = (instance.plan()?, instance.role()?);
        let copied: Vec<Copied> = read_json(&instance.folder.manifest())?.unwrap_or_default();
        let rules = KeepRules::new(&role.keep);
        Ok(Self {
            app: open_folder(&instance.folder.app())?,
            data: open_folder(&role.data)?,
            data_path: role.data,
            rules: rules.map_err(io::Error::other)?,
            source: copied
                .into_iter()
                .map(|file| (file.path.clone(), file))
                .collect(),
            owner: plan.owner(),
        })
    }

    /// Files that are new or changed, in the order of paths.
    pub(super) fn written(&self) -> io::Result<Vec<Written>> {
        let mut paths = Vec::new();
        self.search(&self.app, Path::new(""), 0, &mut paths)?;
        paths.sort();
        let kept = self.kept_among(&paths);
        let written = paths.into_iter().map(|path| Written {
            fate: match kept.contains(&path) {
                true => Fate::Kept,
                false => Fate::Lost,
            },
            path: path.to_string_lossy().into_owned(),
        });
        Ok(written.collect())
    }

    /// Copies what is kept to the data folder. Returns what is new there: a file, or a folder with
    /// all in it. What was there before is replaced by the app's newer copy and not returned.
    ///
    /// A failure undoes what was new.
    pub(super) fn save(&self) -> io::Result<Vec<PathBuf>> {
        let mut fresh = BTreeSet::new();
        for written in self.written()? {
            if written.fate == Fate::Lost {
                continue;
            }
            if let Err(cause) = self.save_file(Path::new(&written.path), &mut fresh) {
                for path in &fresh {
                    let _ = std::fs::remove_file(path).or_else(|_| std::fs::remove_dir_all(path));
                }
                return Err(cause);
            }
        }
        Ok(fresh.into_iter().collect())
    }

    fn save_file(&self, path: &Path, fresh: &mut BTreeSet<PathBuf>) -> io::Result<()> {
        let first = self.first_missing(path)?;
        match kept::bring(&self.app, &self.data, path, Entry::File, self.owner) {
            Ok(()) => {
                fresh.extend(first.map(|path| self.data_path.join(path)));
                Ok(())
            }
            // The app planted a link on the way, or took the file away again: its own loss.
            Err(cause) if is_planted(&cause) => {
                tracing::warn!(path = %path.display(), "not saved: {cause}");
                Ok(())
            }
            Err(cause) => Err(cause),
        }
    }

    /// The outermost part of `path` that the data folder lacks.
    fn first_missing(&self, path: &Path) -> io::Result<Option<PathBuf>> {
        let mut parts: Vec<&Path> = path
            .ancestors()
            .filter(|part| *part != Path::new(""))
            .collect();
        parts.reverse();
        for part in parts {
            if !kept::exists(&self.data, part)? {
                return Ok(Some(part.to_owned()));
            }
        }
        Ok(None)
    }

    fn kept_among(&self, paths: &[PathBuf]) -> BTreeSet<PathBuf> {
        let by_rule = |path: &&PathBuf| {
            let text = path.to_str();
            text.is_some_and(|text| self.rules.kept(text, Entry::File).is_some())
        };
        let mut kept: BTreeSet<PathBuf> = paths.iter().filter(by_rule).cloned().collect();
        for path in paths {
            // A journal is worth as much as its database, whichever of them was written.
            let database = kept::database_of(path);
            let database = database.filter(|db| by_rule(&db));
            if database.is_some_and(|db| kept.contains(&db) || self.source.contains_key(&db)) {
                kept.insert(path.clone());
            }
        }
        kept
    }

    fn search(
        &self,
        folder: &OwnedFd,
        at: &Path,
        depth: usize,
        found: &mut Vec<PathBuf>,
    ) -> io::Result<()> {
        for name in names(folder)? {
            let Some(stat) = status(folder, &name)? else {
                continue;
            };
            let path = at.join(kept::as_path(&name));
            match kind(&stat) {
                FileType::Directory if depth < DEPTH && !is_cache(&path) => {
                    let child = open_child(folder, &name)?;
                    self.search(&child, &path, depth + 1, found)?;
                }
                FileType::RegularFile if !self.is_source(&path, fingerprint(&stat)) => {
                    found.push(path);
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn is_source(&self, path: &Path, now: (u64, (i64, i64))) -> bool {
        let file = self.source.get(path);
        file.is_some_and(|file| (file.size, file.modified) == now)
    }
}

fn is_planted(cause: &io::Error) -> bool {
    let planted = [
        libc::ELOOP,
        libc::ENOTDIR,
        libc::EISDIR,
        libc::ENOENT,
        libc::EXDEV,
    ];
    cause
        .raw_os_error()
        .is_some_and(|errno| planted.contains(&errno))
        || cause.kind() == io::ErrorKind::InvalidInput
}

fn is_cache(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str());
    name.is_some_and(|name| CACHES.contains(&name))
}

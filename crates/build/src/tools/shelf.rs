//! The folder of fetched tools.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::SystemTime;

use tempfile::TempDir;

use super::ToolError;

/// Where tools lie.
///
/// ```text
/// <tools>/<name>-<version>/    the tool; never changed once there
/// <tools>/.used/<name>-…       mtime = last use; text = the boot it was written in, until flushed
/// <tools>/.hosts               hosts that registries keep their files on, one a line
/// <tools>/.work/               folders in the making
/// ```
#[derive(Debug, Clone)]
pub(crate) struct ToolShelf {
    root: PathBuf,
    boot: String,
    placing: Arc<Mutex<()>>,
}

/// A tool on the shelf, for the eviction.
#[derive(Debug, Clone)]
pub(crate) struct ShelvedTool {
    pub(crate) name: String,
    pub(crate) used_at: SystemTime,
    pub(crate) size_bytes: u64,
}

impl ToolShelf {
    /// Opens the folder and removes what an earlier daemon left in the making.
    pub(super) fn open(root: PathBuf) -> Result<Self, ToolError> {
        let shelf = Self {
            root,
            boot: crate::layer::this_boot(),
            placing: Arc::default(),
        };
        match fs::remove_dir_all(shelf.work()) {
            Err(cause) if cause.kind() != io::ErrorKind::NotFound => {
                return Err(shelf.failed(&shelf.work())(cause));
            }
            _ => {}
        }
        for folder in [shelf.work(), shelf.used()] {
            fs::create_dir_all(&folder).map_err(shelf.failed(&folder))?;
        }
        Ok(shelf)
    }

    pub(super) fn scratch(&self) -> Result<TempDir, ToolError> {
        tempfile::tempdir_in(self.work()).map_err(self.failed(&self.work()))
    }

    /// A tool's folder, when it is there whole; counts as a use of it. One that was written before
    /// the machine crashed, and not flushed since, does not count.
    pub(super) fn find(&self, name: &str) -> Option<PathBuf> {
        let folder = self.root.join(name);
        let note = self.used().join(name);
        let boot = fs::read_to_string(&note).ok()?;
        let whole = boot.is_empty() || boot == self.boot;
        if !whole || !folder.is_dir() {
            return None;
        }
        let note = File::options().append(true).open(note).ok()?;
        note.set_modified(SystemTime::now()).ok()?;
        Some(folder)
    }

    /// Puts a finished folder on the shelf. When the tool is there already, that one stays:
    /// somebody may be using it.
    pub(super) fn place(&self, name: &str, folder: TempDir) -> Result<PathBuf, ToolError> {
        use std::os::unix::fs::PermissionsExt;
        let target = self.root.join(name);
        fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755))
            .map_err(self.failed(folder.path()))?;
        let _alone = self.placing.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(there) = self.find(name) {
            return Ok(there);
        }
        // Left behind without its note, or half removed: it does not count.
        let _ = fs::remove_dir_all(&target);
        fs::rename(folder.path(), &target).map_err(self.failed(&target))?;
        let _ = folder.keep();
        fs::write(self.used().join(name), &self.boot).map_err(self.failed(&target))?;
        Ok(target)
    }

    /// Notes a host that a registry keeps its files on.
    pub(super) fn learn(&self, host: Option<String>) {
        let mut hosts = self.learnt_hosts();
        if host.is_none_or(|host| !hosts.insert(host)) {
            return;
        }
        let lines: String = hosts.into_iter().map(|host| host + "\n").collect();
        if let Err(cause) = fs::write(self.root.join(".hosts"), lines) {
            tracing::warn!(%cause, "a registry's host is not kept");
        }
    }

    pub(super) fn learnt_hosts(&self) -> BTreeSet<String> {
        let text = fs::read_to_string(self.root.join(".hosts")).unwrap_or_default();
        text.lines().map(str::to_owned).collect()
    }

    /// The notes of tools that may not be on disk yet. Flush the file system, then hand them to
    /// [`ToolShelf::flushed`].
    pub(crate) fn unflushed(&self) -> io::Result<Vec<PathBuf>> {
        let mut notes = Vec::new();
        for entry in fs::read_dir(self.used())? {
            let entry = entry?;
            if entry.metadata()?.len() > 0 {
                notes.push(entry.path());
            }
        }
        Ok(notes)
    }

    /// Notes that these tools are on disk.
    pub(crate) fn flushed(&self, notes: &[PathBuf]) -> io::Result<()> {
        for note in notes {
            let used_at = fs::metadata(note)?.modified()?;
            let note = File::options().write(true).open(note)?;
            note.set_len(0)?;
            note.set_modified(used_at)?;
        }
        Ok(())
    }

    /// Every tool on the shelf.
    pub(crate) fn list(&self) -> io::Result<Vec<ShelvedTool>> {
        let mut tools = Vec::new();
        for entry in fs::read_dir(self.used())? {
            let entry = entry?;
            let name = entry.file_name().to_string_lossy().into_owned();
            tools.push(ShelvedTool {
                used_at: entry.metadata()?.modified()?,
                size_bytes: size_of(&self.root.join(&name)),
                name,
            });
        }
        Ok(tools)
    }

    /// Removes a tool.
    pub(crate) fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.used().join(name))?;
        fs::remove_dir_all(self.root.join(name))
    }

    fn work(&self) -> PathBuf {
        self.root.join(".work")
    }

    fn used(&self) -> PathBuf {
        self.root.join(".used")
    }

    fn failed(&self, path: &Path) -> impl Fn(io::Error) -> ToolError + use<> {
        let path = path.to_owned();
        move |cause| ToolError::Io {
            path: path.clone(),
            cause,
        }
    }
}

fn size_of(folder: &Path) -> u64 {
    let files = walkdir::WalkDir::new(folder).into_iter().flatten();
    files
        .filter_map(|file| file.metadata().ok())
        .filter(|about| about.is_file())
        .map(|about| about.len())
        .sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tool_is_found_only_after_it_was_placed_whole() {
        let home = tempfile::tempdir().expect("a folder");
        let shelf = ToolShelf::open(home.path().to_owned()).expect("a shelf");
        fs::create_dir(home.path().join("uv-1")).expect("left by a crash");
        assert!(shelf.find("uv-1").is_none());
        let scratch = shelf.scratch().expect("a folder");
        fs::write(scratch.path().join("uv"), "program").expect("a file");
        shelf.place("uv-1", scratch).expect("placed");
        let found = shelf.find("uv-1").expect("found");
        assert_eq!(fs::read(found.join("uv")).expect("a file"), b"program");
        assert!(shelf.list().expect("a list")[0].size_bytes > 0);
        shelf.remove("uv-1").expect("removed");
        assert!(shelf.find("uv-1").is_none());
    }

    #[test]
    fn after_a_crash_of_the_machine_only_flushed_tools_are_left() {
        for (flush, left) in [(true, true), (false, false)] {
            let home = tempfile::tempdir().expect("a folder");
            let mut shelf = ToolShelf::open(home.path().to_owned()).expect("a shelf");
            shelf.boot = "an earlier boot".into();
            let scratch = shelf.scratch().expect("a folder");
            shelf.place("uv-1", scratch).expect("placed");
            if flush {
                let notes = shelf.unflushed().expect("notes");
                shelf.flushed(&notes).expect("noted");
            }
            let next = ToolShelf::open(home.path().to_owned()).expect("a shelf");
            assert_eq!(next.find("uv-1").is_some(), left, "flushed: {flush}");
        }
    }

    #[test]
    fn hosts_that_were_learnt_are_known_to_the_next_daemon() {
        let home = tempfile::tempdir().expect("a folder");
        let shelf = ToolShelf::open(home.path().to_owned()).expect("a shelf");
        shelf.learn(Some("files.example".into()));
        shelf.learn(Some("files.example".into()));
        shelf.learn(None);
        let next = ToolShelf::open(home.path().to_owned()).expect("a shelf");
        assert_eq!(next.learnt_hosts().len(), 1);
    }
}

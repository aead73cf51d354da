//! The folder of unpacked layers: a cache that can be made again from the blobs.

use std::fs::{self, File, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use model::Digest;
use model::image::Layer;
use serde::{Deserialize, Serialize};
use tempfile::TempDir;

use super::LayerError;
use super::unpack::UnpackError;

/// Where unpacked layers lie, and what is known about them.
///
/// ```text
/// <home>/layers/<diff_id hex>/     the files, owned by root; never changed once there
/// <home>/layers/.about/<hex>       its size and the boot it was written in; mtime = last use
/// <home>/layers/.index/<key hex>   the layer that a build with these inputs made
/// <home>/layers/.work/             folders in the making
/// ```
///
/// Folders are not flushed to disk when they are placed. After a crash of the machine those that
/// were written before it and not flushed since are removed, and unpacked again when needed.
#[derive(Debug, Clone)]
pub struct Shelf {
    root: PathBuf,
    boot: String,
}

/// A folder in the making, on the shelf's own file system. It vanishes when dropped.
#[derive(Debug)]
pub struct Scratch(TempDir);

impl Scratch {
    /// The folder.
    pub fn path(&self) -> &Path {
        self.0.path()
    }
}

/// What the shelf notes about a folder.
#[derive(Debug, Serialize, Deserialize)]
struct About {
    size_bytes: u64,
    /// The boot whose page cache may hold the only copy; none when it was flushed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    unflushed: Option<String>,
}

/// A folder on the shelf, for the eviction.
#[derive(Debug, Clone)]
pub(crate) struct Shelved {
    pub(crate) diff_id: Digest,
    pub(crate) size_bytes: u64,
    pub(crate) used_at: SystemTime,
}

impl Shelf {
    /// Opens `<home>/layers`, removes what an earlier daemon left in the making, and what a crash
    /// of the machine may have damaged. One daemon at a time.
    pub fn open(home: &Path) -> Result<Self, LayerError> {
        let shelf = Self {
            root: home.join("layers"),
            boot: this_boot(),
        };
        remove_tree(&shelf.work())?;
        for folder in [shelf.work(), shelf.about(), shelf.index()] {
            fs::create_dir_all(&folder).map_err(LayerError::at(&folder))?;
        }
        shelf.remove_damaged()?;
        Ok(shelf)
    }

    /// A new empty folder that a layer can be made in.
    pub fn scratch(&self) -> Result<Scratch, LayerError> {
        let made = tempfile::Builder::new().prefix("").tempdir_in(self.work());
        made.map(Scratch).map_err(LayerError::at(self.work()))
    }

    /// Where the layer is unpacked, when it is; counts as a use of it.
    pub fn find(&self, diff_id: &Digest) -> Option<PathBuf> {
        let folder = self.folder(diff_id);
        if !folder.is_dir() {
            return None;
        }
        let about = File::options()
            .append(true)
            .open(self.about_file(diff_id))
            .ok()?;
        about.set_modified(SystemTime::now()).ok()?;
        Some(folder)
    }

    /// Puts a finished folder on the shelf. When the layer is there already, that one stays.
    pub fn place(
        &self,
        diff_id: &Digest,
        folder: Scratch,
        size_bytes: u64,
    ) -> Result<PathBuf, LayerError> {
        let target = self.folder(diff_id);
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755))
            .and_then(|()| super::place::set_time(folder.path()))
            .map_err(LayerError::at(folder.path()))?;
        if self.find(diff_id).is_some() {
            return Ok(target);
        }
        // The note first: a folder without one is never used.
        self.note(diff_id, size_bytes)?;
        match fs::rename(folder.path(), &target) {
            Ok(()) => {
                // The folder is the shelf's now.
                let _ = folder.0.keep();
                Ok(target)
            }
            Err(cause) if is_taken(&cause) => Ok(target),
            Err(cause) => Err(LayerError::at(target)(cause)),
        }
    }

    /// The layer that a build with inputs of this digest made.
    pub fn recall(&self, key: &Digest) -> Option<Layer> {
        read_note(&self.index().join(key.hex()))
    }

    /// Notes the layer that a build with inputs of this digest made.
    pub fn remember(&self, key: &Digest, layer: &Layer) -> Result<(), LayerError> {
        let bytes = serde_json::to_vec(layer).unwrap_or_default();
        self.write(&self.index().join(key.hex()), &bytes)
    }

    /// Every folder on the shelf.
    pub(crate) fn list(&self) -> Result<Vec<Shelved>, LayerError> {
        let folder = self.about();
        let mut shelved = Vec::new();
        for entry in fs::read_dir(&folder).map_err(LayerError::at(&folder))? {
            let entry = entry.map_err(LayerError::at(&folder))?;
            let Some(diff_id) = diff_id_of(&entry.file_name().to_string_lossy()) else {
                continue;
            };
            let about = self.read_about(&diff_id);
            let used_at = entry.metadata().and_then(|about| about.modified());
            shelved.push(Shelved {
                diff_id,
                size_bytes: about.map_or(0, |about| about.size_bytes),
                used_at: used_at.unwrap_or(SystemTime::UNIX_EPOCH),
            });
        }
        Ok(shelved)
    }

    /// Removes a folder. Returns the bytes that it held.
    pub(crate) fn remove(&self, diff_id: &Digest) -> Result<u64, LayerError> {
        let about = self.read_about(diff_id);
        // Renamed first: a folder that is half removed must not be found.
        let gone = self.scratch()?;
        match fs::rename(self.folder(diff_id), gone.path().join("layer")) {
            Ok(()) => {}
            Err(cause) if cause.kind() == io::ErrorKind::NotFound => {}
            Err(cause) => return Err(LayerError::at(self.folder(diff_id))(cause)),
        }
        let note = self.about_file(diff_id);
        fs::remove_file(&note).map_err(LayerError::at(&note))?;
        Ok(about.map_or(0, |about| about.size_bytes))
    }

    /// Notes of inputs whose layer is not on the shelf; no layer where a note cannot be read.
    pub(super) fn lost(&self) -> Result<Vec<(PathBuf, Option<Layer>)>, LayerError> {
        let folder = self.index();
        let mut lost = Vec::new();
        for entry in fs::read_dir(&folder).map_err(LayerError::at(&folder))? {
            let note = entry.map_err(LayerError::at(&folder))?.path();
            let layer = read_note(&note);
            let is_here = |layer: &Layer| self.folder(&layer.diff_id).is_dir();
            if !layer.as_ref().is_some_and(is_here) {
                lost.push((note, layer));
            }
        }
        Ok(lost)
    }

    /// Removes a note of inputs.
    pub(super) fn forget(&self, note: &Path) -> Result<(), LayerError> {
        fs::remove_file(note).map_err(LayerError::at(note))
    }

    /// Flushes the file system to disk, so that a crash of the machine leaves every folder whole.
    pub(crate) fn flush(&self) -> Result<(), LayerError> {
        let waiting: Vec<(Digest, About)> = self
            .list()?
            .into_iter()
            .filter_map(|shelved| Some((shelved.diff_id, self.read_about(&shelved.diff_id)?)))
            .filter(|(_, about)| about.unflushed.is_some())
            .collect();
        let root = File::open(&self.root).map_err(LayerError::at(&self.root))?;
        rustix::fs::syncfs(&root).map_err(|cause| LayerError::at(&self.root)(cause.into()))?;
        for (diff_id, about) in waiting {
            let used_at = fs::metadata(self.about_file(&diff_id)).and_then(|m| m.modified());
            let flushed = About {
                unflushed: None,
                ..about
            };
            self.write_about(&diff_id, &flushed)?;
            if let (Ok(used_at), Ok(file)) = (used_at, File::open(self.about_file(&diff_id))) {
                let _ = file.set_modified(used_at);
            }
        }
        Ok(())
    }

    /// Checks that what was unpacked is `diff_id`, then places it.
    pub(super) fn place_unpacked(
        &self,
        layer: &Layer,
        actual: &Digest,
        folder: Scratch,
        size_bytes: u64,
    ) -> Result<PathBuf, LayerError> {
        match *actual == layer.diff_id {
            true => self.place(&layer.diff_id, folder, size_bytes),
            false => Err(UnpackError::WrongContent.into()),
        }
    }

    fn remove_damaged(&self) -> Result<(), LayerError> {
        for shelved in self.list()? {
            let whole = self
                .read_about(&shelved.diff_id)
                .is_some_and(|about| about.unflushed.is_none_or(|boot| boot == self.boot));
            if !whole {
                self.remove(&shelved.diff_id)?;
            }
        }
        Ok(())
    }

    fn note(&self, diff_id: &Digest, size_bytes: u64) -> Result<(), LayerError> {
        let about = About {
            size_bytes,
            unflushed: Some(self.boot.clone()),
        };
        self.write_about(diff_id, &about)
    }

    fn write_about(&self, diff_id: &Digest, about: &About) -> Result<(), LayerError> {
        let bytes = serde_json::to_vec(about).unwrap_or_default();
        self.write(&self.about_file(diff_id), &bytes)
    }

    fn read_about(&self, diff_id: &Digest) -> Option<About> {
        let bytes = fs::read(self.about_file(diff_id)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }

    fn write(&self, path: &Path, bytes: &[u8]) -> Result<(), LayerError> {
        use std::io::Write;
        let mut file =
            tempfile::NamedTempFile::new_in(self.work()).map_err(LayerError::at(path))?;
        file.write_all(bytes).map_err(LayerError::at(path))?;
        file.persist(path)
            .map_err(|error| LayerError::at(path)(error.error))?;
        Ok(())
    }

    fn folder(&self, diff_id: &Digest) -> PathBuf {
        self.root.join(diff_id.hex())
    }

    fn about(&self) -> PathBuf {
        self.root.join(".about")
    }

    fn about_file(&self, diff_id: &Digest) -> PathBuf {
        self.about().join(diff_id.hex())
    }

    fn index(&self) -> PathBuf {
        self.root.join(".index")
    }

    fn work(&self) -> PathBuf {
        self.root.join(".work")
    }
}

/// The machine's name for this boot.
pub(crate) fn this_boot() -> String {
    let boot = fs::read_to_string("/proc/sys/kernel/random/boot_id").unwrap_or_default();
    boot.trim().to_owned()
}

fn read_note(note: &Path) -> Option<Layer> {
    serde_json::from_slice(&fs::read(note).ok()?).ok()
}

fn diff_id_of(name: &str) -> Option<Digest> {
    format!("sha256:{name}").parse().ok()
}

fn is_taken(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::AlreadyExists | io::ErrorKind::DirectoryNotEmpty
    )
}

fn remove_tree(path: &Path) -> Result<(), LayerError> {
    match fs::remove_dir_all(path) {
        Err(cause) if cause.kind() != io::ErrorKind::NotFound => Err(LayerError::at(path)(cause)),
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shelf_with(content: &str) -> (TempDir, Shelf, Digest) {
        let home = tempfile::tempdir().expect("a folder");
        let shelf = Shelf::open(home.path()).expect("a shelf");
        let scratch = shelf.scratch().expect("a folder");
        fs::write(scratch.path().join("file"), content).expect("a file");
        let diff_id = Digest::of(content.as_bytes());
        shelf.place(&diff_id, scratch, 7).expect("placed");
        (home, shelf, diff_id)
    }

    #[test]
    fn a_placed_folder_is_found_again_by_the_next_daemon() {
        let (home, _, diff_id) = shelf_with("x");
        let shelf = Shelf::open(home.path()).expect("a shelf");
        let folder = shelf.find(&diff_id).expect("found");
        assert_eq!(fs::read(folder.join("file")).expect("a file"), b"x");
        assert!(shelf.find(&Digest::of(b"other")).is_none());
    }

    #[test]
    fn after_a_crash_of_the_machine_only_flushed_folders_are_left() {
        for (flush, left) in [(true, true), (false, false)] {
            let (home, mut shelf, diff_id) = shelf_with("x");
            shelf.boot = "an earlier boot".into();
            shelf.note(&diff_id, 7).expect("noted");
            if flush {
                shelf.flush().expect("flushed");
            }
            let next = Shelf::open(home.path()).expect("a shelf");
            assert_eq!(next.find(&diff_id).is_some(), left, "flushed: {flush}");
        }
    }

    #[test]
    fn placing_a_layer_twice_keeps_the_first() {
        let (_home, shelf, diff_id) = shelf_with("x");
        let again = shelf.scratch().expect("a folder");
        let path = again.path().to_owned();
        shelf.place(&diff_id, again, 7).expect("placed");
        assert!(!path.exists(), "the second folder is gone");
        assert_eq!(shelf.list().expect("a list").len(), 1);
    }

    #[test]
    fn a_removed_folder_and_its_notes_are_gone() {
        let (_home, shelf, diff_id) = shelf_with("x");
        assert_eq!(shelf.remove(&diff_id).expect("removed"), 7);
        assert!(shelf.find(&diff_id).is_none());
        assert!(shelf.list().expect("a list").is_empty());
    }
}

//! Folders of apps that tests write.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

/// A folder with an app, removed with its value. Its name is the app's.
pub struct AppFolder {
    _parent: TempDir,
    path: PathBuf,
}

impl AppFolder {
    /// A folder called `name` with these files.
    pub fn new(name: &str, files: &[(&str, &str)]) -> Self {
        let parent = TempDir::new().expect("a temporary folder");
        let path = parent.path().join(name);
        fs::create_dir(&path).expect("a folder");
        let folder = Self {
            _parent: parent,
            path,
        };
        for (file, text) in files {
            folder.write(file, text);
        }
        folder
    }

    /// A copy of a folder.
    pub fn copy_of(source: &Path) -> Self {
        let name = source
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        let folder = Self::new(&name, &[]);
        copy(source, &folder.path);
        folder
    }

    /// Where it lies.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes one file; folders on the way are made.
    pub fn write(&self, file: &str, text: &str) {
        let path = self.path.join(file);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }

    /// Replaces `from` by `to` in one file.
    ///
    /// # Panics
    /// When `from` is not in it.
    pub fn edit(&self, file: &str, from: &str, to: &str) {
        let text = fs::read_to_string(self.path.join(file)).expect("the file");
        assert!(text.contains(from), "`{from}` is not in {file}");
        self.write(file, &text.replace(from, to));
    }
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).expect("a folder").flatten() {
        let target = to.join(entry.file_name());
        if entry.file_type().expect("a type").is_dir() {
            fs::create_dir(&target).expect("a folder");
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).expect("a copy");
        }
    }
}

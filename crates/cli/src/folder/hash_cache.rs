//! Hashes from the last time, so that an unchanged folder is not read again.
//!
//! A hash is trusted only when the file's stamp is the same and was settled when the hash was
//! written: a file that changes twice within one tick of its clock keeps its stamp (the rule of
//! git's racy index).

use std::collections::HashMap;
use std::fs;
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use model::Digest;
use serde::{Deserialize, Serialize};

use super::stamp::Stamp;

/// The layout of the file; another number is another layout.
const VERSION: u32 = 1;

/// The hashes of one folder's files.
#[derive(Debug, Default)]
pub(crate) struct HashCache {
    file: Option<PathBuf>,
    known: HashMap<String, (Stamp, Digest)>,
}

#[derive(Serialize, Deserialize)]
struct Stored {
    version: u32,
    hashes: HashMap<String, (Stamp, Digest)>,
}

impl HashCache {
    /// Loads what is known of `folder` from a file in `caches`. A cache that is missing, broken or
    /// another user's is an empty one.
    pub(crate) fn load(caches: Option<&Path>, folder: &Path) -> Self {
        let Some(caches) = caches else {
            return Self::default();
        };
        let folder = Digest::of(folder.as_os_str().as_encoded_bytes());
        let file = caches.join(format!("hashes-{}.json", folder.short()));
        let known = read(&file).unwrap_or_default();
        Self {
            file: Some(file),
            known,
        }
    }

    /// The hash of the file at `path`, when it still looks as it did.
    pub(crate) fn get(&self, path: &str, stamp: &Stamp) -> Option<Digest> {
        let (known, digest) = self.known.get(path)?;
        (known == stamp).then_some(*digest)
    }

    /// Replaces what is stored by `hashes`, as far as their stamps are settled now. What cannot be
    /// written is hashed again the next time.
    pub(crate) fn store(self, hashes: impl Iterator<Item = (String, Stamp, Digest)>) {
        self.store_at(now_nanos(), hashes);
    }

    fn store_at(self, now: i64, hashes: impl Iterator<Item = (String, Stamp, Digest)>) {
        let settled: HashMap<_, _> = hashes
            .filter(|(_, stamp, _)| stamp.is_settled(now))
            .map(|(path, stamp, digest)| (path, (stamp, digest)))
            .collect();
        if let Some(file) = &self.file
            && settled != self.known
        {
            let _ = write(file, settled);
        }
    }
}

/// Where caches lie: `$XDG_CACHE_HOME/mayfly`, else `~/.cache/mayfly`; nowhere without a home.
pub(crate) fn place() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).map(PathBuf::from);
    let absolute = |path: &PathBuf| path.is_absolute();
    let caches = variable("XDG_CACHE_HOME").filter(absolute);
    let caches = caches.or_else(|| Some(variable("HOME").filter(absolute)?.join(".cache")));
    Some(caches?.join("mayfly"))
}

fn read(file: &Path) -> Option<HashMap<String, (Stamp, Digest)>> {
    let open = fs::File::open(file).ok()?;
    let metadata = open.metadata().ok()?;
    let own = metadata.uid() == nix::unistd::geteuid().as_raw() && metadata.mode() & 0o022 == 0;
    if !own {
        return None;
    }
    let stored: Stored = serde_json::from_reader(io::BufReader::new(open)).ok()?;
    (stored.version == VERSION).then_some(stored.hashes)
}

fn write(file: &Path, hashes: HashMap<String, (Stamp, Digest)>) -> io::Result<()> {
    let folder = file.parent().ok_or(io::ErrorKind::NotFound)?;
    fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(folder)?;
    let stored = Stored {
        version: VERSION,
        hashes,
    };
    let new = file.with_extension(format!("{}.new", std::process::id()));
    let mut open = fs::File::create(&new)?;
    let written = open.write_all(&serde_json::to_vec(&stored)?);
    let moved = written.and_then(|()| fs::rename(&new, file));
    if moved.is_err() {
        let _ = fs::remove_file(&new);
    }
    moved
}

fn now_nanos() -> i64 {
    let now = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    i64::try_from(now.as_nanos()).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    const LATER: i64 = 10_000_000_000;

    struct Case {
        place: tempfile::TempDir,
    }

    impl Case {
        fn new() -> Self {
            let case = Self {
                place: tempfile::tempdir().expect("a folder"),
            };
            case.write("one");
            case
        }

        fn write(&self, content: &str) {
            fs::write(self.file(), content).expect("a file");
        }

        fn file(&self) -> PathBuf {
            self.place.path().join("app.py")
        }

        fn stamp(&self) -> Stamp {
            Stamp::of(&fs::metadata(self.file()).expect("a file"))
        }

        fn caches(&self) -> PathBuf {
            self.place.path().join("caches")
        }

        fn load(&self) -> HashCache {
            HashCache::load(Some(&self.caches()), self.place.path())
        }

        fn store(&self, now: i64) {
            let hash = ("app.py".to_owned(), self.stamp(), Digest::of(b"one"));
            self.load().store_at(now, [hash].into_iter());
        }

        fn known(&self) -> Option<Digest> {
            self.load().get("app.py", &self.stamp())
        }
    }

    #[test]
    fn a_hash_is_known_until_its_file_changes() {
        let case = Case::new();
        assert_eq!(case.known(), None);
        case.store(now_nanos() + LATER);
        assert_eq!(case.known(), Some(Digest::of(b"one")));
        case.write("three");
        assert_eq!(case.known(), None);
    }

    #[test]
    fn a_hash_of_a_file_that_was_just_written_is_not_trusted() {
        let case = Case::new();
        case.store(now_nanos());
        assert_eq!(case.known(), None);
    }

    #[test]
    fn hashes_of_another_folder_or_without_a_cache_are_not_known() {
        let case = Case::new();
        case.store(now_nanos() + LATER);
        let other = HashCache::load(Some(&case.caches()), Path::new("/other"));
        assert_eq!(other.get("app.py", &case.stamp()), None);
        let none = HashCache::load(None, case.place.path());
        assert_eq!(none.get("app.py", &case.stamp()), None);
    }

    #[test]
    fn a_broken_cache_or_one_that_others_can_write_is_an_empty_one() {
        let case = Case::new();
        case.store(now_nanos() + LATER);
        let mut files = fs::read_dir(case.caches()).expect("the caches");
        let file = files.next().expect("one file").expect("its entry").path();
        assert!(files.next().is_none(), "nothing else is left there");
        fs::set_permissions(&file, fs::Permissions::from_mode(0o666)).expect("permissions");
        assert_eq!(case.known(), None);
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("permissions");
        assert!(case.known().is_some());
        fs::write(&file, "{").expect("a file");
        assert_eq!(case.known(), None);
    }
}

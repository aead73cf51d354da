//! What checks know from the last time: files of our own in the caller's cache folder.
//!
//! Such a file is trusted only when nobody else could have written it, when it is whole, and when
//! this very program wrote it: another build may judge otherwise.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use model::Digest;

use crate::folder::hash_cache;

const MAGIC: &[u8; 16] = b"mayfly checked 1";
const DIGEST_BYTES: usize = 32;
/// A larger file is not read, and none is written.
pub(super) const LARGEST: usize = 64 << 20;

/// A file in the cache folder.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    file: PathBuf,
}

impl Kept {
    /// What is kept of `folder` under a name; `None` where there is no cache folder.
    pub(super) fn of(name: &str, folder: &Path) -> Option<Self> {
        Some(Self::in_folder(&hash_cache::place()?, name, folder))
    }

    fn in_folder(caches: &Path, name: &str, folder: &Path) -> Self {
        let folder = Digest::of(folder.as_os_str().as_encoded_bytes());
        let file = caches.join(format!("{name}-{}.bin", folder.short()));
        Self { file }
    }

    /// What was kept, when it can be trusted.
    pub(super) fn read(&self) -> Option<Vec<u8>> {
        let folder = fs::metadata(self.file.parent()?).ok()?;
        let mut file = File::options()
            .read(true)
            .custom_flags(libc::O_NOFOLLOW | libc::O_NONBLOCK)
            .open(&self.file)
            .ok()?;
        let metadata = file.metadata().ok()?;
        let me = nix::unistd::geteuid().as_raw();
        let is_mine = metadata.uid() == me && metadata.mode() & 0o077 == 0;
        let is_in_mine = folder.uid() == me && folder.mode() & 0o022 == 0;
        if !is_mine || !is_in_mine || !metadata.is_file() || metadata.len() > LARGEST as u64 {
            return None;
        }
        let mut bytes = Vec::with_capacity(metadata.len() as usize);
        file.read_to_end(&mut bytes).ok()?;
        let content = bytes.split_off(bytes.len().min(MAGIC.len() + DIGEST_BYTES));
        (bytes == head(&content)?).then_some(content)
    }

    /// Keeps `content` for the next time. What cannot be written is found out again.
    pub(super) fn write(&self, content: &[u8]) {
        if content.len() <= LARGEST {
            let _ = self.try_write(content);
        }
    }

    fn try_write(&self, content: &[u8]) -> io::Result<()> {
        let folder = self.file.parent().ok_or(io::ErrorKind::NotFound)?;
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
        let head = head(content).ok_or(io::ErrorKind::Unsupported)?;
        // Made with mode 0600; what was begun is removed with its value.
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(&head)?;
        file.write_all(content)?;
        file.persist(&self.file)?;
        Ok(())
    }
}

/// What comes before a content that this program wrote.
fn head(content: &[u8]) -> Option<Vec<u8>> {
    let program = fs::metadata("/proc/self/exe").ok()?;
    let (size, modified) = (program.len(), (program.mtime(), program.mtime_nsec()));
    let program = format!("{} {} {size} {modified:?}", program.dev(), program.ino());
    let program = Digest::of(program.as_bytes());
    let sealed = [
        program.as_bytes(),
        Digest::of(content).as_bytes().as_slice(),
    ]
    .concat();
    Some([MAGIC.as_slice(), Digest::of(&sealed).as_bytes()].concat())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::PermissionsExt;

    fn kept(caches: &Path) -> Kept {
        Kept::in_folder(&caches.join("mayfly"), "checks", Path::new("/app"))
    }

    #[test]
    fn what_was_kept_is_read_again_and_only_its_owner_can() {
        let caches = tempfile::tempdir().expect("a folder");
        let kept = kept(caches.path());
        assert_eq!(kept.read(), None);
        kept.write(b"known");
        assert_eq!(kept.read().as_deref(), Some(&b"known"[..]));
        let mode = |path: &Path| fs::metadata(path).expect("it").permissions().mode() & 0o777;
        assert_eq!(mode(&kept.file), 0o600);
        assert_eq!(mode(kept.file.parent().expect("a folder")), 0o700);
    }

    #[test]
    fn what_others_can_write_was_changed_or_cut_off_is_not_trusted() {
        let caches = tempfile::tempdir().expect("a folder");
        let kept = kept(caches.path());
        kept.write(b"known");
        let whole = fs::read(&kept.file).expect("the file");
        let set = |path: &Path, mode| {
            fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("permissions");
        };
        let folder = kept.file.parent().expect("a folder").to_owned();
        set(&kept.file, 0o660);
        assert_eq!(kept.read(), None);
        set(&kept.file, 0o600);
        set(&folder, 0o777);
        assert_eq!(kept.read(), None);
        set(&folder, 0o700);
        assert!(kept.read().is_some());
        for changed in [&whole[..whole.len() - 1], &whole[..20], b"", b"other"] {
            fs::write(&kept.file, changed).expect("a file");
            assert_eq!(kept.read(), None, "{changed:?}");
        }
        let mut other = whole.clone();
        *other.last_mut().expect("a byte") ^= 1;
        fs::write(&kept.file, other).expect("a file");
        assert_eq!(kept.read(), None);
    }
}

//! The server's signing keys in a folder: `keys.json` names them all and says when each counts, and
//! `<id>.pem` is the private part of the one that signs.
//!
//! A folder is made beside its place and then renamed. So a folder without its list was damaged by
//! somebody: a new key is never made in its stead.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use model::Timestamp;
use model::signing_key::{KeyId, Validity};
use p256::ecdsa::signature::hazmat::PrehashSigner;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::elliptic_curve::rand_core::OsRng;
use p256::pkcs8::{DecodePrivateKey, EncodePrivateKey, EncodePublicKey, LineEnding};
use ports::{Key, KeyExport, KeyRing, KeyRingError, SignerError};
use serde::{Deserialize, Serialize};

use crate::public_key::{Hash, PublicKey};
use crate::trust::TrustedKey;
use crate::{export, private_file};

/// The keys of a server. Cheap to clone; all clones are one.
#[derive(Debug, Clone)]
pub struct KeyFolder {
    folder: PathBuf,
    keys: Arc<Mutex<Keys>>,
}

#[derive(Debug)]
struct Keys {
    /// Oldest first, at least one; the last one signs.
    list: Vec<Listed>,
    signing: SigningKey,
}

/// A line of `keys.json`.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Listed {
    id: KeyId,
    public_pem: String,
    #[serde(flatten)]
    validity: Validity,
}

impl KeyFolder {
    /// Opens the keys in `folder`. Where there is no such folder, one is made with a new key that
    /// signs from `at` on.
    pub fn open(folder: &Path, at: Timestamp) -> Result<Self, KeyRingError> {
        if !folder.exists() {
            make(folder, at)?;
        }
        let list = read_list(&folder.join(LIST))?;
        let signing = read_signing(folder, &list)?;
        remove_leftovers(folder, &list).map_err(|cause| private_file::broken(folder, cause))?;
        Ok(Self {
            folder: folder.to_owned(),
            keys: Arc::new(Mutex::new(Keys { list, signing })),
        })
    }

    /// Signs `message` with the current key: ECDSA with SHA-256 in DER, the nonce by RFC 6979, so
    /// that one message has one signature.
    pub(crate) fn sign(
        &self,
        message: &[u8],
        at: Timestamp,
    ) -> Result<(KeyId, Vec<u8>), SignerError> {
        let keys = self.locked();
        let current = keys.current();
        let refused = || SignerError::KeyNotValid {
            key: current.id.short(),
            at,
        };
        if !current.validity.may_sign(at) {
            return Err(refused());
        }
        let hash = Hash::Sha256.of(message);
        let signature: Result<DerSignature, _> = keys.signing.sign_prehash(&hash);
        let signature = signature.map_err(|_| refused())?;
        Ok((current.id, signature.as_bytes().to_vec()))
    }

    /// Every key, for verification.
    pub fn trusted(&self) -> Vec<TrustedKey> {
        let keys = self.locked();
        let read = |listed: &Listed| {
            let key = PublicKey::from_pem(&listed.public_pem).ok()?;
            let validity = listed.validity.clone();
            Some(TrustedKey { key, validity })
        };
        keys.list.iter().filter_map(read).collect()
    }

    fn locked(&self) -> MutexGuard<'_, Keys> {
        self.keys.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Replaces the list on disk, then the one here; then old private keys go.
    fn replace(&self, keys: &mut Keys, list: Vec<Listed>) -> Result<(), KeyRingError> {
        write_list(&self.folder, &list)?;
        keys.list = list;
        remove_leftovers(&self.folder, &keys.list)
            .map_err(|cause| private_file::broken(&self.folder, cause))
    }

    fn take_over(
        &self,
        keys: &mut Keys,
        mut list: Vec<Listed>,
        at: Timestamp,
    ) -> Result<(), KeyRingError> {
        let from = keys.current().validity.from;
        if at < from {
            return Err(KeyRingError::ClockBehind { at, from });
        }
        if let Some(last) = list.last_mut() {
            last.validity = last.validity.clone().ended(at);
        }
        let (signing, listed) = new_key(&self.folder, at)?;
        list.push(listed);
        self.replace(keys, list)?;
        keys.signing = signing;
        Ok(())
    }

    fn rotated(&self, at: Timestamp) -> Result<Key, KeyRingError> {
        let mut keys = self.locked();
        let list = keys.list.clone();
        self.take_over(&mut keys, list, at)?;
        Ok(keys.current().told())
    }

    fn revoked(&self, key: KeyId, from: Timestamp, at: Timestamp) -> Result<Key, KeyRingError> {
        let mut keys = self.locked();
        let mut list = keys.list.clone();
        let found = list.iter_mut().find(|listed| listed.id == key);
        let listed = found.ok_or_else(|| KeyRingError::Missing(key.to_string()))?;
        listed.validity = listed.validity.clone().revoked(from);
        match keys.current().id == key {
            true => self.take_over(&mut keys, list, at)?,
            false => self.replace(&mut keys, list)?,
        }
        Ok(keys.current().told())
    }

    async fn on_disk<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, KeyRingError> + Send + 'static,
    ) -> Result<T, KeyRingError> {
        let folder = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&folder)).await;
        done.map_err(|error| private_file::broken(&self.folder, io::Error::other(error)))?
    }
}

#[async_trait]
impl KeyRing for KeyFolder {
    async fn keys(&self) -> Vec<Key> {
        self.locked().list.iter().map(Listed::told).collect()
    }

    async fn rotate(&self, at: Timestamp) -> Result<Key, KeyRingError> {
        self.on_disk(move |folder| folder.rotated(at)).await
    }

    async fn revoke(
        &self,
        key: KeyId,
        from: Timestamp,
        at: Timestamp,
    ) -> Result<Key, KeyRingError> {
        self.on_disk(move |folder| folder.revoked(key, from, at))
            .await
    }

    async fn export(&self, repository: &str) -> KeyExport {
        export::export(&self.keys().await, repository)
    }
}

impl Keys {
    fn current(&self) -> &Listed {
        self.list.last().expect("a list is never empty")
    }
}

impl Listed {
    fn told(&self) -> Key {
        Key {
            id: self.id,
            public_pem: self.public_pem.clone(),
            validity: self.validity.clone(),
        }
    }
}

const LIST: &str = "keys.json";

fn make(folder: &Path, at: Timestamp) -> Result<(), KeyRingError> {
    let mut unfinished = folder.to_owned();
    unfinished.set_extension("new");
    prepare(&unfinished).map_err(|cause| private_file::broken(&unfinished, cause))?;
    let (_, listed) = new_key(&unfinished, at)?;
    write_list(&unfinished, &[listed])?;
    let parent = folder.parent().unwrap_or(Path::new("."));
    fs::rename(&unfinished, folder)
        .and_then(|()| File::open(parent)?.sync_all())
        .map_err(|cause| private_file::broken(folder, cause))
}

fn prepare(unfinished: &Path) -> io::Result<()> {
    match fs::remove_dir_all(unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(0o700).create(unfinished)
}

/// Makes a key and keeps its private part.
fn new_key(folder: &Path, at: Timestamp) -> Result<(SigningKey, Listed), KeyRingError> {
    let signing = SigningKey::random(&mut OsRng);
    let failed = |error: &dyn std::error::Error| private_file::damaged(folder, error);
    let public_pem = (signing.verifying_key())
        .to_public_key_pem(LineEnding::LF)
        .map_err(|error| failed(&error))?;
    let key = PublicKey::from_pem(&public_pem).map_err(|error| failed(&error))?;
    let private = signing
        .to_pkcs8_pem(LineEnding::LF)
        .map_err(|error| failed(&error))?;
    let id = key.id();
    private_file::write(&private_path(folder, id), private.as_bytes())?;
    let validity = Validity::starting(at);
    let listed = Listed {
        id,
        public_pem,
        validity,
    };
    Ok((signing, listed))
}

fn private_path(folder: &Path, id: KeyId) -> PathBuf {
    folder.join(format!("{id}.pem"))
}

fn write_list(folder: &Path, list: &[Listed]) -> Result<(), KeyRingError> {
    let path = folder.join(LIST);
    let text = serde_json::to_vec_pretty(list);
    let text = text.map_err(|error| private_file::damaged(&path, error))?;
    private_file::write(&path, &text)
}

fn read_list(path: &Path) -> Result<Vec<Listed>, KeyRingError> {
    let text = private_file::read(path)?;
    let list: Vec<Listed> =
        serde_json::from_str(&text).map_err(|error| private_file::damaged(path, error))?;
    for listed in &list {
        let key = PublicKey::from_pem(&listed.public_pem);
        let key = key.map_err(|error| private_file::damaged(path, error))?;
        if key.id() != listed.id {
            let why = format!("key `{}` goes by another id", listed.id.short());
            return Err(private_file::damaged(path, why));
        }
    }
    match list.is_empty() {
        true => Err(private_file::damaged(path, "it names no key")),
        false => Ok(list),
    }
}

fn read_signing(folder: &Path, list: &[Listed]) -> Result<SigningKey, KeyRingError> {
    let current = list.last().map(|listed| listed.id);
    let current = current.ok_or_else(|| private_file::damaged(folder, "it names no key"))?;
    let path = private_path(folder, current);
    let pem = private_file::read(&path)?;
    let signing = SigningKey::from_pkcs8_pem(&pem);
    let signing = signing.map_err(|error| private_file::damaged(&path, error))?;
    let public = signing.verifying_key().to_public_key_der();
    match public.is_ok_and(|der| KeyId::of(der.as_bytes()) == current) {
        true => Ok(signing),
        false => Err(private_file::damaged(&path, "it is another key's")),
    }
}

/// Removes what an interrupted change left, and the private parts of keys that sign no more.
fn remove_leftovers(folder: &Path, list: &[Listed]) -> io::Result<()> {
    let current = list.last().map(|listed| private_path(folder, listed.id));
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if is_ours(&path) && Some(&path) != current.as_ref() {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

/// Whether a private part, or a file that was never renamed to its name.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    name.ends_with(".pem") || name.starts_with(".tmp")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    ports::key_ring_contract!(ring);

    async fn ring() -> (KeyFolder, tempfile::TempDir) {
        let home = tempfile::tempdir().expect("a folder");
        let ring = open(&home).expect("keys");
        (ring, home)
    }

    fn open(home: &tempfile::TempDir) -> Result<KeyFolder, KeyRingError> {
        KeyFolder::open(&home.path().join("keys"), Timestamp::now())
    }

    fn files(home: &tempfile::TempDir) -> Vec<PathBuf> {
        let entries = fs::read_dir(home.path().join("keys")).expect("a folder");
        let mut files: Vec<_> = entries
            .map(|entry| entry.expect("an entry").path())
            .collect();
        files.sort();
        files
    }

    fn private(home: &tempfile::TempDir) -> PathBuf {
        let is_private = |file: &PathBuf| file.extension() == Some("pem".as_ref());
        files(home).into_iter().find(is_private).expect("a key")
    }

    #[tokio::test]
    async fn the_same_key_signs_after_a_restart_and_signs_the_same() {
        let (first, home) = ring().await;
        let again = open(&home).expect("the same keys");
        assert_eq!(first.keys().await, again.keys().await);
        let now = Timestamp::now();
        let signed = first.sign(b"text", now).expect("signed");
        assert_eq!(again.sign(b"text", now).expect("signed"), signed);
        let trusted = again.trusted().remove(0);
        assert!(trusted.key.signed(b"text", &signed.1));
        assert!(!trusted.key.signed(b"test", &signed.1));
    }

    #[tokio::test]
    async fn private_parts_are_for_their_owner_and_go_when_their_key_is_replaced() {
        let (ring, home) = ring().await;
        let mode = |path: &Path| fs::metadata(path).expect("there").permissions().mode() & 0o777;
        assert!(files(&home).iter().all(|file| mode(file) == 0o600));
        assert_eq!(mode(&home.path().join("keys")), 0o700);
        let old = private(&home);
        ring.rotate(Timestamp::now()).await.expect("a new key");
        assert!(!old.exists());
        assert_eq!(files(&home).len(), 2);
    }

    #[tokio::test]
    async fn a_key_that_others_may_read_is_not_used() {
        let (_, home) = ring().await;
        let path = private(&home);
        fs::set_permissions(&path, fs::Permissions::from_mode(0o640)).expect("set");
        let refused = open(&home);
        assert!(matches!(
            refused,
            Err(KeyRingError::Exposed { mode: 0o640, .. })
        ));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("set");
        open(&home).expect("used again");
    }

    #[tokio::test]
    async fn a_damaged_folder_is_told_and_no_new_key_is_made_in_its_stead() {
        let (_, home) = ring().await;
        let list = home.path().join("keys").join(LIST);
        for path in [list, private(&home)] {
            let good = fs::read(&path).expect("there");
            for bad in [&b""[..], &good[..good.len() / 2], b"[]", b"\xff"] {
                fs::write(&path, bad).expect("written");
                let found = open(&home).expect_err("damaged");
                assert!(found.to_string().contains("key file"), "{found}");
            }
            fs::remove_file(&path).expect("removed");
            open(&home).expect_err("a file is missing");
            private_file::write(&path, &good).expect("put back");
            open(&home).expect("whole again");
        }
    }

    #[tokio::test]
    async fn another_keys_private_part_is_refused() {
        let (_, home) = ring().await;
        let (_, other) = ring().await;
        let stolen = fs::read(private(&other)).expect("there");
        private_file::write(&private(&home), &stolen).expect("written");
        assert!(matches!(open(&home), Err(KeyRingError::Damaged { .. })));
    }

    #[tokio::test]
    async fn an_interrupted_first_start_and_an_interrupted_rotation_leave_a_ring_that_opens() {
        let home = tempfile::tempdir().expect("a folder");
        let unfinished = home.path().join("keys.new");
        fs::create_dir(&unfinished).expect("made");
        fs::write(unfinished.join("half.pem"), "-----BEGIN").expect("written");
        let ring = open(&home).expect("keys");
        let before = ring.keys().await;
        new_key(&home.path().join("keys"), Timestamp::now()).expect("made, and never listed");
        assert_eq!(files(&home).len(), 3);
        let again = open(&home).expect("the ring from before");
        assert_eq!(again.keys().await, before);
        assert_eq!(files(&home).len(), 2);
    }

    #[tokio::test]
    async fn a_clock_before_the_keys_beginning_signs_nothing() {
        let (ring, _home) = ring().await;
        let early = Timestamp::now() - jiff::SignedDuration::from_hours(1);
        let refused = ring.sign(b"text", early);
        assert!(matches!(refused, Err(SignerError::KeyNotValid { .. })));
    }
}

//! Checkpoints: signed by the log's own Ed25519 key, and read by whoever has its public part.

use std::fmt;
use std::path::Path;

use base64::prelude::{BASE64_STANDARD, Engine};
use ed25519_dalek::pkcs8::spki::der::pem::LineEnding;
use ed25519_dalek::pkcs8::{DecodePrivateKey, EncodePrivateKey};
use ed25519_dalek::{Signer as _, SigningKey};
use model::Digest;
use model::transparency::Checkpoint;
use p256::elliptic_curve::rand_core::{OsRng, RngCore};
use ports::{KeyRingError, LogError};
use signed_note::{Note, StandardVerifier, VerifierList};
use tlog_tiles::Hash;

use crate::private_file;

/// The key that signs a log's checkpoints. The log is named after it.
#[derive(Clone)]
pub struct LogKey {
    origin: String,
    signing: SigningKey,
}

impl LogKey {
    /// Reads the key in the file `path`; makes one where there is no such file.
    pub fn open(path: &Path) -> Result<Self, KeyRingError> {
        if !path.exists() {
            let mut seed = [0; 32];
            OsRng.fill_bytes(&mut seed);
            let pem = SigningKey::from_bytes(&seed).to_pkcs8_pem(LineEnding::LF);
            let pem = pem.map_err(|error| private_file::damaged(path, error))?;
            private_file::write(path, pem.as_bytes())?;
        }
        let pem = private_file::read(path)?;
        let signing = SigningKey::from_pkcs8_pem(&pem);
        let signing = signing.map_err(|error| private_file::damaged(path, error))?;
        let name = Digest::of(signing.verifying_key().as_bytes());
        let origin = format!("mayfly.local/{}", name.short());
        Ok(Self { origin, signing })
    }

    /// What verifies this key's checkpoints.
    pub fn verifier(&self) -> LogVerifier {
        let key = self.signing.verifying_key();
        LogVerifier {
            key: signed_note::new_ed25519_verifier_key(&self.origin, &key),
            origin: self.origin.clone(),
        }
    }

    /// Promises that the log has `size` entries that hash to `root`.
    pub(crate) fn sign(&self, size: u64, root: Hash) -> Checkpoint {
        let text = format!(
            "{}\n{size}\n{}\n",
            self.origin,
            BASE64_STANDARD.encode(root.0)
        );
        let signature = self.signing.sign(text.as_bytes()).to_bytes();
        let id = self.id().to_be_bytes();
        let signature = BASE64_STANDARD.encode([id.as_slice(), &signature].concat());
        Checkpoint {
            note: format!("{text}\n— {} {signature}\n", self.origin),
            origin: self.origin.clone(),
            size,
            root: Digest::from_bytes(root.0),
        }
    }

    /// Which of the keys with this name it is.
    fn id(&self) -> u32 {
        const ED25519: u8 = 1;
        let key = self.signing.verifying_key().to_bytes();
        signed_note::key_id(&self.origin, &[&[ED25519], key.as_slice()].concat())
    }
}

impl fmt::Debug for LogKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("LogKey").field(&self.origin).finish()
    }
}

/// Reads checkpoints of one log, and refuses all others.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogVerifier {
    key: String,
    origin: String,
}

impl LogVerifier {
    /// From what [`ports::TransparencyLog::verifier_key`] returns: `<origin>+<id>+<key>`.
    pub fn new(key: &str) -> Result<Self, LogError> {
        let foreign = |why: &dyn fmt::Display| LogError::ForeignCheckpoint(why.to_string());
        StandardVerifier::new(key).map_err(|error| foreign(&error))?;
        let (origin, _) = key.split_once('+').unwrap_or_default();
        Ok(Self {
            key: key.into(),
            origin: origin.into(),
        })
    }

    /// The key as texts have it.
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Reads a signed checkpoint.
    pub fn read(&self, note: &str) -> Result<Checkpoint, LogError> {
        let foreign = |why: &dyn fmt::Display| LogError::ForeignCheckpoint(why.to_string());
        let verifier = StandardVerifier::new(&self.key).map_err(|error| foreign(&error))?;
        let known = VerifierList::new(vec![Box::new(verifier)]);
        let read = Note::from_bytes(note.as_bytes()).map_err(|error| foreign(&error))?;
        read.verify(&known).map_err(|error| foreign(&error))?;
        let text = tlog_tiles::Checkpoint::from_bytes(read.text());
        let text = text.map_err(|error| foreign(&error))?;
        if text.origin() != self.origin {
            return Err(foreign(&format_args!("it is of `{}`", text.origin())));
        }
        Ok(Checkpoint {
            origin: text.origin().into(),
            size: text.size(),
            root: Digest::from_bytes(text.hash().0),
            note: note.into(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(home: &tempfile::TempDir, name: &str) -> LogKey {
        LogKey::open(&home.path().join(name)).expect("a key")
    }

    #[test]
    fn a_checkpoint_is_read_with_its_own_key_only() {
        let home = tempfile::tempdir().expect("a folder");
        let (ours, theirs) = (key(&home, "ours.pem"), key(&home, "theirs.pem"));
        let signed = ours.sign(7, Hash([9; 32]));
        assert_eq!(ours.verifier().read(&signed.note).expect("ours"), signed);
        let parsed = LogVerifier::new(ours.verifier().key()).expect("a key");
        assert_eq!(parsed, ours.verifier());
        let foreign = theirs.verifier().read(&signed.note);
        assert!(matches!(foreign, Err(LogError::ForeignCheckpoint(_))));
        assert_eq!(key(&home, "ours.pem").verifier(), ours.verifier());
    }

    #[test]
    fn no_byte_of_a_checkpoint_can_be_changed_and_none_cut_off() {
        let home = tempfile::tempdir().expect("a folder");
        let ours = key(&home, "ours.pem");
        let note = ours.sign(12, Hash([9; 32])).note;
        for at in 0..note.len() {
            let mut changed = note.clone().into_bytes();
            changed[at] = if changed[at] == b'1' { b'2' } else { b'1' };
            let changed = String::from_utf8_lossy(&changed).into_owned();
            ours.verifier().read(&changed).expect_err(&changed);
            let cut = String::from_utf8_lossy(&note.as_bytes()[..at]).into_owned();
            ours.verifier().read(&cut).expect_err(&cut);
        }
    }
}

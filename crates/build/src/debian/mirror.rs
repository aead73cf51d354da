//! Speaks with a Debian mirror, and believes nothing that its signatures do not cover.

use std::fs;
use std::path::{Path, PathBuf};

use liblzma::read::XzDecoder;
use model::{Digest, Timestamp};

use super::DebianError;
use super::index::Index;
use super::keyring::Keyring;
use super::kind::Suite;
use super::pin::{Archive, PinnedPackage};
use super::release::{IndexFile, PACKAGES, Release};
use super::sources::DebianSources;
use crate::fetch::{FetchError, Fetcher};

/// A signed index of indexes is some 150 kB.
const RELEASE_LIMIT: u64 = 8 << 20;
/// A list of packages is some 60 MB when unpacked.
const LIST_LIMIT: u64 = 1 << 30;

/// A mirror, and the folder of what was fetched from it.
#[derive(Debug, Clone)]
pub(super) struct Mirror {
    sources: DebianSources,
    fetcher: Fetcher,
    cache: PathBuf,
}

impl Mirror {
    pub(super) fn new(sources: DebianSources, fetcher: Fetcher, cache: PathBuf) -> Self {
        Self {
            sources,
            fetcher,
            cache,
        }
    }

    /// The lists of a suite: the archive's own, its updates, and security updates, as apt is set.
    pub(super) fn index(&self, suite: Suite, now: Timestamp) -> Result<Index, DebianError> {
        let keyring = Keyring::read(&self.sources.keyrings).ok_or(DebianError::NoKeyring)?;
        let codename = suite.codename();
        let mut parts = vec![(Archive::Main, codename.to_owned())];
        if self.sources.updates {
            parts.push((Archive::Main, format!("{codename}-updates")));
        }
        if self.sources.security.is_some() {
            parts.push((Archive::Security, format!("{codename}-security")));
        }
        let lists = std::thread::scope(|scope| {
            let started: Vec<_> = parts
                .iter()
                .map(|(archive, part)| scope.spawn(|| self.list(*archive, part, &keyring, now)))
                .collect();
            let joined = started
                .into_iter()
                .map(|thread| thread.join().unwrap_or(Err(DebianError::Stopped)));
            joined.collect::<Result<Vec<_>, _>>()
        })?;
        let mut index = Index::default();
        for ((archive, _), text) in parts.iter().zip(lists) {
            index.add(*archive, text);
        }
        Ok(index)
    }

    /// A package's bytes, from the cache or the mirror, checked against its pin.
    pub(super) fn package(&self, pinned: &PinnedPackage) -> Result<Vec<u8>, DebianError> {
        let cached = self.cache.join("debs").join(pinned.sha256.hex());
        if let Ok(bytes) = fs::read(&cached)
            && Digest::of(&bytes) == pinned.sha256
        {
            return Ok(bytes);
        }
        let url = format!("{}/{}", self.base(pinned.archive)?, encoded(&pinned.file));
        let bytes = self.fetcher.get(&url, pinned.size_bytes)?;
        check(&url, &bytes, &pinned.sha256)?;
        keep(&cached, &bytes)?;
        Ok(bytes)
    }

    fn base(&self, archive: Archive) -> Result<&str, DebianError> {
        let base = match archive {
            Archive::Main => self.sources.main.as_deref(),
            // A pin from a machine with security updates, on one without: the main mirror's
            // answer will be 404, and the list is made anew.
            Archive::Security => self
                .sources
                .security
                .as_deref()
                .or(self.sources.main.as_deref()),
        };
        base.ok_or(DebianError::NoMirror)
    }

    fn list(
        &self,
        archive: Archive,
        part: &str,
        keyring: &Keyring,
        now: Timestamp,
    ) -> Result<String, DebianError> {
        let dists = format!("{}/dists/{part}", self.base(archive)?);
        let url = format!("{dists}/InRelease");
        let signed = self.fetcher.get(&url, RELEASE_LIMIT)?;
        let text = keyring
            .signed_text(&signed, now)
            .map_err(|cause| DebianError::Signature {
                url: url.clone(),
                cause,
            })?;
        let release = Release::parse(&text, part, now)
            .map_err(|cause| DebianError::Release { url, cause })?;
        let packed = self.list_file(&dists, &release)?;
        unpack_list(&packed).map_err(|cause| DebianError::List { cause })
    }

    fn list_file(&self, dists: &str, release: &Release) -> Result<Vec<u8>, DebianError> {
        let IndexFile { digest, size_bytes } = &release.index;
        let cached = self.cache.join("lists").join(digest.hex());
        if let Ok(bytes) = fs::read(&cached)
            && Digest::of(&bytes) == *digest
        {
            return Ok(bytes);
        }
        let plain = format!("{dists}/{PACKAGES}");
        let folder = plain.rsplit_once('/').map_or("", |(folder, _)| folder);
        let by_hash = format!("{folder}/by-hash/SHA256/{}", digest.hex());
        let url = if release.by_hash { &by_hash } else { &plain };
        let bytes = match self.fetcher.get(url, *size_bytes) {
            Err(FetchError::Missing(_)) if release.by_hash => self.fetcher.get(&plain, *size_bytes),
            answer => answer,
        }?;
        check(url, &bytes, digest)?;
        keep(&cached, &bytes)?;
        Ok(bytes)
    }
}

fn unpack_list(packed: &[u8]) -> std::io::Result<String> {
    use std::io::Read;
    let mut text = String::with_capacity(packed.len() * 6);
    XzDecoder::new(packed)
        .take(LIST_LIMIT)
        .read_to_string(&mut text)?;
    Ok(text)
}

fn check(url: &str, bytes: &[u8], promised: &Digest) -> Result<(), DebianError> {
    match Digest::of(bytes) == *promised {
        true => Ok(()),
        false => Err(DebianError::WrongContent(crate::fetch::shown(url))),
    }
}

/// Keeps what was fetched; whoever reads it checks its digest, so it need not be flushed.
fn keep(path: &Path, bytes: &[u8]) -> Result<(), DebianError> {
    use std::io::Write;
    let write = || {
        let folder = path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(folder)?;
        let mut file = tempfile::NamedTempFile::new_in(folder)?;
        file.write_all(bytes)?;
        file.persist(path).map_err(|error| error.error)?;
        Ok(())
    };
    write().map_err(|cause| DebianError::Io {
        path: path.to_owned(),
        cause,
    })
}

/// A path as a URL has it: `+` and `~` are written in full, as apt does.
fn encoded(path: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"/-._~:".contains(&b);
    let mut url = String::with_capacity(path.len());
    for byte in path.bytes() {
        match plain(byte) {
            true => url.push(byte as char),
            false => url.push_str(&format!("%{byte:02X}")),
        }
    }
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_written_as_urls_have_them() {
        assert_eq!(
            encoded("pool/g++_1.0~rc1_amd64.deb"),
            "pool/g%2B%2B_1.0~rc1_amd64.deb"
        );
    }
}

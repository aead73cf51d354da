//! What a mirror's signed index of indexes (`InRelease`) says.
//!
//! Source: DebianRepository/Format on the Debian wiki, "Release" files.

use model::{Digest, Timestamp};

use super::control::field;

/// A checked `Release` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Release {
    /// Of `main/binary-amd64/Packages.xz`.
    pub(super) index: IndexFile,
    /// Whether files can be asked for by their digest.
    pub(super) by_hash: bool,
}

/// A file that a release names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct IndexFile {
    /// Its digest.
    pub(super) digest: Digest,
    /// Its size.
    pub(super) size_bytes: u64,
}

/// Where the list of packages lies below a suite.
pub(super) const PACKAGES: &str = "main/binary-amd64/Packages.xz";

/// Why a release file is of no use.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReleaseError {
    /// It is for something else than Debian's suite.
    #[error("it is for `{found}`, not for `{wanted}`")]
    OtherSuite {
        /// What it says.
        found: String,
        /// What was asked for.
        wanted: String,
    },
    /// It was good until a moment that has passed: the mirror stands still, or replays old files.
    #[error("it was valid until {0}")]
    Expired(Timestamp),
    /// The moment until which it is valid cannot be read.
    #[error("`{0}` is no date")]
    BadDate(String),
    /// It names no list of packages.
    #[error("it does not name {PACKAGES}")]
    NoPackages,
}

impl Release {
    /// Reads the signed text. `codename` is what it must be for: `trixie`, `trixie-security`.
    pub(super) fn parse(text: &str, codename: &str, now: Timestamp) -> Result<Self, ReleaseError> {
        let of = |name| field(text, name).unwrap_or_default();
        if of("Origin") != "Debian" || of("Codename") != codename {
            return Err(ReleaseError::OtherSuite {
                found: format!("{} {}", of("Origin"), of("Codename"))
                    .escape_debug()
                    .to_string(),
                wanted: format!("Debian {codename}"),
            });
        }
        if let Some(date) = field(text, "Valid-Until") {
            let until = jiff::fmt::rfc2822::parse(date)
                .map_err(|_| ReleaseError::BadDate(date.escape_debug().to_string()))?
                .timestamp();
            if until < now {
                return Err(ReleaseError::Expired(until));
            }
        }
        Ok(Self {
            index: find_file(of("SHA256"), PACKAGES).ok_or(ReleaseError::NoPackages)?,
            by_hash: of("Acquire-By-Hash").eq_ignore_ascii_case("yes"),
        })
    }
}

/// Each line is `<hex digest> <size> <path>`.
fn find_file(list: &str, wanted: &str) -> Option<IndexFile> {
    list.lines().find_map(|line| {
        let mut words = line.split_whitespace();
        let (digest, size, path) = (words.next()?, words.next()?, words.next()?);
        (path == wanted).then_some(())?;
        Some(IndexFile {
            digest: format!("sha256:{digest}").parse().ok()?,
            size_bytes: size.parse().ok()?,
        })
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(origin: &str, codename: &str, until: &str) -> String {
        let digest = Digest::of(b"list").hex();
        format!(
            "Origin: {origin}\nCodename: {codename}\n{until}Acquire-By-Hash: yes\nMD5Sum:\n 00 5 \
             {PACKAGES}\nSHA256:\n {digest} 1234 main/binary-arm64/Packages.xz\n {digest} 5 {PACKAGES}\n"
        )
    }

    #[test]
    fn only_a_valid_release_of_the_right_suite_is_used() {
        let now = Timestamp::from_second(1_800_000_000).expect("a moment");
        let future = "Valid-Until: Sat, 01 Jan 2050 10:00:00 UTC\n";
        let past = "Valid-Until: Sat, 01 Jan 2022 10:00:00 UTC\n";
        for (text, good) in [
            (text("Debian", "trixie", future), true),
            (text("Debian", "trixie", ""), true),
            (text("Debian", "trixie", past), false),
            (text("Debian", "trixie", "Valid-Until: soon\n"), false),
            (text("Debian", "bookworm", future), false),
            (text("Other", "trixie", future), false),
            ("Origin: Debian\nCodename: trixie\n".to_owned(), false),
        ] {
            let release = Release::parse(&text, "trixie", now);
            assert_eq!(release.is_ok(), good, "{text}: {release:?}");
        }
    }

    #[test]
    fn the_list_of_packages_is_found_by_its_sha256() {
        let release = Release::parse(
            &text("Debian", "trixie", ""),
            "trixie",
            Timestamp::UNIX_EPOCH,
        );
        let release = release.expect("a good file");
        assert_eq!(release.index.digest, Digest::of(b"list"));
        assert_eq!(release.index.size_bytes, 5);
        assert!(release.by_hash);
    }
}

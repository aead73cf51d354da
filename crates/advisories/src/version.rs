//! Orders the versions of an ecosystem. Ranges are compared by this order alone: what libraries call
//! a version requirement leaves prereleases out.

use std::cmp::Ordering;
use std::str::FromStr;

use model::debian_version;
use pep440_rs::Version as Pep440;

/// How versions are ordered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Scheme {
    /// Python: PEP 440.
    Pep440,
    /// Semantic versioning 2.0: npm, Go and Rust.
    Semver,
    /// Debian policy, 5.6.12.
    Debian,
    /// Numbers between dots, which all ecosystems order alike. Nothing else is compared.
    Dotted,
}

/// A version that can be compared with others of its scheme.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Version {
    Pep440(Box<Pep440>),
    Semver(Box<semver::Version>),
    Debian(String),
    Dotted(Vec<u64>),
}

/// The longest version that is read; longer ones are texts.
const LONGEST: usize = 256;

impl Scheme {
    /// Reads a version; none when the scheme does not order it.
    pub(crate) fn parse(self, text: &str) -> Option<Version> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        Some(match self {
            Self::Pep440 => Version::Pep440(Box::new(Pep440::from_str(text).ok()?)),
            Self::Semver => Version::Semver(Box::new(semver(text)?)),
            Self::Debian => Version::Debian(debian(text)?.to_owned()),
            Self::Dotted => Version::Dotted(dotted(text)?),
        })
    }

    /// Reads a version that a range names. Records that were made of NVD's data write `1.2-NA` for
    /// the release `1.2` itself.
    pub(crate) fn parse_end(self, text: &str) -> Option<Version> {
        let release = match self {
            Self::Pep440 => text.strip_suffix("-NA"),
            _ => None,
        };
        self.parse(release.unwrap_or(text))
    }

    /// A text that equal versions share, and no others. A version that cannot be compared is only
    /// equal to itself.
    pub(crate) fn canonical(self, text: &str) -> String {
        match self.parse(text) {
            Some(Version::Pep440(version)) => {
                let release = version.release();
                let zeros = release.iter().rev().take_while(|part| **part == 0).count();
                let kept = release.len().saturating_sub(zeros).max(1);
                let kept = release[..kept].to_vec();
                version.with_release(kept).to_string()
            }
            Some(Version::Semver(mut version)) => {
                version.build = semver::BuildMetadata::EMPTY;
                version.to_string()
            }
            _ => text.trim().to_owned(),
        }
    }

    pub(crate) fn code(self) -> u8 {
        match self {
            Self::Pep440 => 0,
            Self::Semver => 1,
            Self::Debian => 2,
            Self::Dotted => 3,
        }
    }

    pub(crate) fn of_code(code: u8) -> Option<Self> {
        let all = [Self::Pep440, Self::Semver, Self::Debian, Self::Dotted];
        all.into_iter().find(|one| one.code() == code)
    }
}

impl Version {
    /// Which of two versions is older. Versions of two schemes have no order.
    pub(crate) fn compare(&self, other: &Self) -> Option<Ordering> {
        match (self, other) {
            (Self::Pep440(a), Self::Pep440(b)) => Some(a.cmp(b)),
            // Build metadata says nothing about the order.
            (Self::Semver(a), Self::Semver(b)) => Some(a.cmp_precedence(b)),
            (Self::Debian(a), Self::Debian(b)) => Some(debian_version::compare(a, b)),
            (Self::Dotted(a), Self::Dotted(b)) => {
                let length = a.len().max(b.len());
                let padded = |parts: &[u64]| {
                    let parts = parts.iter().copied().chain(std::iter::repeat(0));
                    parts.take(length).collect::<Vec<_>>()
                };
                Some(padded(a).cmp(&padded(b)))
            }
            _ => None,
        }
    }

    /// Without what a distributor appended: `2.0+cu118` is `2.0` with other files. A record that
    /// names `2.0` as the last affected version means both.
    pub(crate) fn public(&self) -> Self {
        match self {
            Self::Pep440(version) if version.is_local() => {
                Self::Pep440(Box::new(version.as_ref().clone().without_local()))
            }
            other => other.clone(),
        }
    }
}

/// A semantic version, also as Go, old npm packages and Go's own releases write it: `v1.2.3`,
/// `1.2`, `go1.22rc1`.
fn semver(text: &str) -> Option<semver::Version> {
    let text = text.strip_prefix("go").unwrap_or(text);
    let text = text.trim_start_matches(['v', '=', ' ']);
    if let Ok(version) = semver::Version::parse(text) {
        return Some(version);
    }
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.');
    let (numbers, rest) = text.split_at(digits.unwrap_or(text.len()));
    let numbers = numbers.trim_end_matches('.');
    let missing = 3_usize.checked_sub(numbers.split('.').count())?;
    let numbers = format!("{numbers}{}", ".0".repeat(missing));
    let rest = match rest.chars().next() {
        Some('a'..='z' | 'A'..='Z') => format!("-{}", spaced(rest)),
        _ => rest.to_owned(),
    };
    semver::Version::parse(&format!("{numbers}{rest}")).ok()
}

/// `rc1` as `rc.1`, so that `rc10` comes after `rc9`.
fn spaced(text: &str) -> String {
    let at = text.find(|c: char| c.is_ascii_digit());
    match at.filter(|at| text[*at..].bytes().all(|b| b.is_ascii_digit())) {
        Some(at) => format!(
            "{}.{}",
            text[..at].trim_end_matches(['.', '-']),
            &text[at..]
        ),
        None => text.to_owned(),
    }
}

fn debian(text: &str) -> Option<&str> {
    let fits = |b: u8| b.is_ascii_alphanumeric() || b".+-:~".contains(&b);
    text.bytes().all(fits).then_some(text)
}

fn dotted(text: &str) -> Option<Vec<u64>> {
    text.split('.').map(|part| part.parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_ordered_as_their_ecosystems_order_them() {
        use Scheme::*;
        for (scheme, older, newer) in [
            (Pep440, "1.0a1", "1.0"),
            (Pep440, "1.0.dev1", "1.0a1"),
            (Pep440, "1.0", "1.0.post1"),
            (Pep440, "1.9", "1.10"),
            (Pep440, "2.0", "1!0.1"),
            (Pep440, "1.0", "1.0+local"),
            (Semver, "1.0.0-alpha.9", "1.0.0-alpha.10"),
            (Semver, "1.0.0-rc.1", "1.0.0"),
            (Semver, "v1.9.0", "v1.10.0"),
            (
                Semver,
                "0.0.0-20200101000000-aaaaaaaaaaaa",
                "0.0.0-20210101000000-aaaaaaaaaaaa",
            ),
            (Semver, "1.22rc1", "go1.22"),
            (Semver, "1.22rc9", "1.22rc10"),
            (Semver, "1.21.9", "1.22"),
            (Debian, "1.0~rc1-1", "1.0-1"),
            (Debian, "3.0.11-1~deb12u2", "3.0.11-1~deb12u10"),
            (Dotted, "1.9", "1.10.0"),
        ] {
            let parse = |text| scheme.parse(text).expect("a version");
            let (a, b) = (parse(older), parse(newer));
            assert_eq!(a.compare(&b), Some(Ordering::Less), "{older} {newer}");
            assert_eq!(b.compare(&a), Some(Ordering::Greater), "{newer} {older}");
        }
    }

    #[test]
    fn equal_versions_have_one_canonical_text() {
        use Scheme::*;
        for (scheme, one, other, equal) in [
            (Pep440, "1.0", "1.0.0", true),
            (Pep440, "v1.0RC1", "1rc1", true),
            (Pep440, "0", "0.0", true),
            (Pep440, "1.0", "1.0+x", false),
            (Pep440, "2004d", "2004D", false),
            (Semver, "v1.2.3", "1.2.3+build", true),
            (Semver, "1.2.3", "1.2.3-0", false),
            (Debian, "1-1", "1-2", false),
            (Dotted, "1.0.Final", "1.0.Final", true),
        ] {
            let canonical = |text| scheme.canonical(text);
            assert_eq!(canonical(one) == canonical(other), equal, "{one} {other}");
        }
    }

    #[test]
    fn what_has_no_order_is_not_compared() {
        for (scheme, text) in [
            (Scheme::Pep440, "2004d"),
            (Scheme::Pep440, ""),
            (Scheme::Semver, "latest"),
            (Scheme::Semver, "1.2.3.4"),
            (Scheme::Debian, "1 2"),
            (Scheme::Dotted, "1.0.Final"),
        ] {
            assert_eq!(scheme.parse(text), None, "{text}");
        }
        assert_eq!(Scheme::Semver.parse(&"1".repeat(10_000)), None);
    }
}

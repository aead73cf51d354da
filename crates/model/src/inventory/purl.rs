//! Package URLs: the one name of a package that all ecosystems share.
//!
//! Source: ECMA-427 (purl), and its type definitions.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A package URL in its canonical form. It is a package's identity.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Purl(String);

impl Purl {
    /// `pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc`.
    ///
    /// `distro` and `upstream` are not in the type's definition; they are what scanners read the
    /// release and the source package from.
    pub fn deb(
        vendor: &str,
        name: &str,
        version: &str,
        qualifiers: &[(&str, Option<String>)],
    ) -> Self {
        let path = [vendor.to_ascii_lowercase(), name.to_ascii_lowercase()];
        Self::new("deb", &path, Some(version), qualifiers)
    }

    /// `pkg:pypi/zope-interface@7.2`: names as the index normalises them (PEP 503).
    pub fn pypi(name: &str, version: &str) -> Self {
        Self::new("pypi", &[pep503(name)], Some(version), &[])
    }

    /// `pkg:npm/%40babel/core@7.0.0`. Old packages with capital letters are other packages than
    /// those without, so letters stay as they are.
    pub fn npm(name: &str, version: &str) -> Self {
        let path: Vec<String> = name.split('/').map(str::to_owned).collect();
        Self::new("npm", &path, Some(version), &[])
    }

    /// `pkg:golang/github.com/go-chi/chi/v5@v5.1.0`.
    pub fn golang(module: &str, version: Option<&str>) -> Self {
        let path: Vec<String> = module.split('/').map(str::to_ascii_lowercase).collect();
        Self::new("golang", &path, version, &[])
    }

    /// `pkg:cargo/serde@1.0.228`.
    pub fn cargo(name: &str, version: &str) -> Self {
        Self::new("cargo", &[name.to_owned()], Some(version), &[])
    }

    /// `pkg:generic/node@22.11.0`.
    pub fn generic(name: &str, version: &str) -> Self {
        Self::new("generic", &[name.to_owned()], Some(version), &[])
    }

    /// The URL as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    fn new(
        kind: &str,
        path: &[String],
        version: Option<&str>,
        qualifiers: &[(&str, Option<String>)],
    ) -> Self {
        let path: Vec<String> = path
            .iter()
            .filter(|part| !part.is_empty())
            .map(|part| encode(part))
            .collect();
        let mut url = format!("pkg:{kind}/{}", path.join("/"));
        if let Some(version) = version.filter(|version| !version.is_empty()) {
            url += "@";
            url += &encode(version);
        }
        // In the order of their keys, as given.
        let mut before = '?';
        for (key, value) in qualifiers {
            if let Some(value) = value.as_deref().filter(|value| !value.is_empty()) {
                url.push(before);
                url += key;
                url.push('=');
                url += &encode(value);
                before = '&';
            }
        }
        Self(url)
    }
}

impl fmt::Display for Purl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A Python package's name as indexes compare it: `Zope.Interface` is `zope-interface`.
pub fn pep503(name: &str) -> String {
    let mut normal = String::with_capacity(name.len());
    for letter in name.chars() {
        match letter {
            '-' | '_' | '.' if normal.ends_with('-') => {}
            '-' | '_' | '.' => normal.push('-'),
            other => normal.push(other.to_ascii_lowercase()),
        }
    }
    normal
}

/// Percent-encodes one part. Only letters, digits and `.-_~:` stay.
pub fn encode(part: &str) -> String {
    let mut encoded = String::with_capacity(part.len());
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                encoded.push(char::from(byte));
            }
            _ => encoded += &format!("%{byte:02X}"),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn purls_are_what_the_specification_writes() {
        let deb = [
            ("arch", Some("amd64".into())),
            ("distro", Some("debian-13".into())),
            ("upstream", Some("gcc-14@14.2.0-19".into())),
        ];
        for (purl, text) in [
            (
                Purl::deb("Debian", "libstdc++6", "1:14.2.0-19+b1", &deb),
                "pkg:deb/debian/libstdc%2B%2B6@1:14.2.0-19%2Bb1?arch=amd64&distro=debian-13&upstream=gcc-14%4014.2.0-19",
            ),
            (
                Purl::deb("debian", "dash", "1", &[("arch", None)]),
                "pkg:deb/debian/dash@1",
            ),
            (
                Purl::pypi("Zope__.Interface", "7.2+local.1"),
                "pkg:pypi/zope-interface@7.2%2Blocal.1",
            ),
            (
                Purl::npm("@babel/core", "7.0.0"),
                "pkg:npm/%40babel/core@7.0.0",
            ),
            (Purl::npm("JSONStream", "1.3.5"), "pkg:npm/JSONStream@1.3.5"),
            (
                Purl::golang(
                    "github.com/Masterminds/semver/v3",
                    Some("v3.2.0+incompatible"),
                ),
                "pkg:golang/github.com/masterminds/semver/v3@v3.2.0%2Bincompatible",
            ),
            (
                Purl::golang("example.org/app", None),
                "pkg:golang/example.org/app",
            ),
            (Purl::cargo("serde", "1.0.228"), "pkg:cargo/serde@1.0.228"),
            (Purl::generic("node", "22.1.0"), "pkg:generic/node@22.1.0"),
        ] {
            assert_eq!(purl.as_str(), text);
        }
    }
}

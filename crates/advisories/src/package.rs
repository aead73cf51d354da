//! The packages that are looked for.

use crate::ecosystem::Ecosystem;

/// A package URL, taken apart.
///
/// Source: ECMA-427 (purl).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Purl {
    /// `pypi`, `npm`, `deb`.
    pub kind: String,
    /// `@scope`, `debian`, `github.com/go-chi`; empty without one.
    pub namespace: String,
    /// The name.
    pub name: String,
    /// The version.
    pub version: Option<String>,
    /// `arch`, `distro`, `upstream`.
    pub qualifiers: Vec<(String, String)>,
}

impl Purl {
    /// Reads a package URL; none when it is none.
    pub fn parse(text: &str) -> Option<Self> {
        let rest = text.strip_prefix("pkg:")?.trim_start_matches('/');
        let rest = rest.split_once('#').map_or(rest, |(rest, _)| rest);
        let (rest, query) = rest.split_once('?').unwrap_or((rest, ""));
        let (kind, rest) = rest.split_once('/')?;
        let (path, version) = match rest.rsplit_once('@') {
            Some((path, version)) if !version.contains('/') => (path, Some(decode(version)?)),
            _ => (rest, None),
        };
        let (namespace, name) = path.rsplit_once('/').unwrap_or(("", path));
        let qualifiers = query.split('&').filter(|pair| !pair.is_empty());
        let qualifiers = qualifiers.map(|pair| {
            let (key, value) = pair.split_once('=')?;
            Some((key.to_ascii_lowercase(), decode(value)?))
        });
        let name = decode(name).filter(|name| !name.is_empty())?;
        Some(Self {
            kind: kind.to_ascii_lowercase(),
            namespace: decode(namespace)?,
            name,
            version: version.filter(|version| !version.is_empty()),
            qualifiers: qualifiers.collect::<Option<_>>()?,
        })
    }

    /// The value of a qualifier.
    pub fn qualifier(&self, key: &str) -> Option<&str> {
        let mut qualifiers = self.qualifiers.iter();
        let found = qualifiers.find(|(name, _)| name == key);
        found.map(|(_, value)| value.as_str())
    }

    /// As its ecosystem writes it: `@scope/name`, a module's path, `group:artifact`.
    fn full_name(&self) -> String {
        match (self.kind.as_str(), self.namespace.as_str()) {
            (_, "") | ("deb" | "pypi", _) => self.name.clone(),
            ("maven", group) => format!("{group}:{}", self.name),
            (_, namespace) => format!("{namespace}/{}", self.name),
        }
    }
}

/// Percent-decodes a part; none when what comes out is no text.
fn decode(text: &str) -> Option<String> {
    if !text.contains('%') {
        return Some(text.to_owned());
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if byte != b'%' {
            bytes.push(byte);
            rest = after;
            continue;
        }
        let hex = std::str::from_utf8(after.get(..2)?).ok()?;
        bytes.push(u8::from_str_radix(hex, 16).ok()?);
        rest = &after[2..];
    }
    String::from_utf8(bytes).ok()
}

/// One package of an image or a lock file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its package URL, by which what is found is told.
    pub purl: String,
    /// The ecosystem; none when vulnerability data cannot know it.
    pub ecosystem: Option<Ecosystem>,
    /// The distribution's release: `13`.
    pub release: Option<String>,
    /// The name by which records know it: Debian's are about source packages.
    pub name: String,
    /// The version by which records know it.
    pub version: Option<String>,
}

impl Package {
    /// The package that a URL names. `deb` packages are looked up by their source package, which the
    /// qualifier `upstream` names, in the release that `distro` names.
    pub fn of_purl(text: &str) -> Option<Self> {
        let purl = Purl::parse(text)?;
        let mut package = Self {
            purl: text.to_owned(),
            ecosystem: purl.ecosystem(),
            release: purl.release(),
            name: purl.full_name(),
            version: purl.version.clone(),
        };
        if let Some(upstream) = purl.qualifier("upstream").filter(|_| purl.kind == "deb") {
            match upstream.split_once('@') {
                Some((name, version)) => package = package.built_from(name, version),
                None => package.name = upstream.to_owned(),
            }
        }
        Some(package)
    }

    /// The same package, looked up by the source package that it was built from.
    #[must_use]
    pub fn built_from(mut self, name: &str, version: &str) -> Self {
        self.name = name.to_owned();
        self.version = Some(version.to_owned());
        self
    }
}

impl Purl {
    fn ecosystem(&self) -> Option<Ecosystem> {
        match (self.kind.as_str(), self.namespace.as_str()) {
            ("deb", "debian" | "") => Some(Ecosystem::Debian),
            ("deb", "ubuntu") => Some(Ecosystem::Other("Ubuntu".to_owned())),
            ("deb", _) => None,
            (kind, _) => Ecosystem::of_purl_type(kind),
        }
    }

    /// `debian-13` is release `13`.
    fn release(&self) -> Option<String> {
        let distro = self.qualifier("distro").filter(|_| self.kind == "deb")?;
        let release = distro
            .rsplit_once('-')
            .map_or(distro, |(_, release)| release);
        // Point releases share their records.
        let release = release.split('.').next().unwrap_or(release);
        (!release.is_empty()).then(|| release.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_purl_names_what_its_ecosystem_knows() {
        for (purl, ecosystem, name, version, release) in [
            (
                "pkg:pypi/flask@2.0",
                Some("PyPI"),
                "flask",
                Some("2.0"),
                None,
            ),
            (
                "pkg:npm/%40babel/core@7.0.0",
                Some("npm"),
                "@babel/core",
                Some("7.0.0"),
                None,
            ),
            (
                "pkg:golang/github.com/go-chi/chi/v5@v5.1.0",
                Some("Go"),
                "github.com/go-chi/chi/v5",
                Some("v5.1.0"),
                None,
            ),
            (
                "pkg:golang/stdlib@1.22.1",
                Some("Go"),
                "stdlib",
                Some("1.22.1"),
                None,
            ),
            (
                "pkg:cargo/serde@1.0.228",
                Some("crates.io"),
                "serde",
                Some("1.0.228"),
                None,
            ),
            (
                "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc",
                Some("Debian"),
                "glibc",
                Some("2.41-12"),
                Some("13"),
            ),
            (
                "pkg:deb/debian/libstdc%2B%2B6@14.2.0-19%2Bb1?distro=debian-12.5&upstream=gcc-14%4014.2.0-19",
                Some("Debian"),
                "gcc-14",
                Some("14.2.0-19"),
                Some("12"),
            ),
            (
                "pkg:maven/org.apache.commons/commons-lang3@3.1",
                Some("Maven"),
                "org.apache.commons:commons-lang3",
                Some("3.1"),
                None,
            ),
            (
                "pkg:generic/node@22.1.0",
                None,
                "node",
                Some("22.1.0"),
                None,
            ),
            ("pkg:pypi/flask", Some("PyPI"), "flask", None, None),
            (
                "pkg:npm/a@1.0.0#src/x",
                Some("npm"),
                "a",
                Some("1.0.0"),
                None,
            ),
        ] {
            let package = Package::of_purl(purl).expect(purl);
            assert_eq!(
                package.ecosystem.as_ref().map(Ecosystem::as_str),
                ecosystem,
                "{purl}"
            );
            assert_eq!(package.name, name, "{purl}");
            assert_eq!(package.version.as_deref(), version, "{purl}");
            assert_eq!(package.release.as_deref(), release, "{purl}");
        }
        for bad in [
            "",
            "flask",
            "pkg:",
            "pkg:pypi",
            "pkg:pypi/",
            "pkg:pypi/a%zz",
            "pkg:pypi/%ff",
        ] {
            assert_eq!(Package::of_purl(bad), None, "{bad}");
        }
    }
}

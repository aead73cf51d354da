//! dpkg's list of packages.
//!
//! Source: dpkg(1), deb-control(5).

use super::control::{Paragraph, paragraphs};
use super::relation::relations;
use crate::problem::{ProblemKind, Problems};
use crate::text::{cut, is_version, shown};
use model::inventory::Source;

/// A package whose files dpkg has unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Deb {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) architecture: Option<String>,
    /// None when it is called as the package is, and has its version.
    pub(crate) source: Option<Source>,
    pub(crate) maintainer: Option<String>,
    pub(crate) homepage: Option<String>,
    /// Relations, each with its alternatives.
    pub(crate) depends: Vec<Vec<String>>,
    pub(crate) provides: Vec<String>,
}

/// Reads a list of packages, or one package's file of `status.d`. What is damaged becomes a
/// problem; what is whole beside it counts.
pub(crate) fn status(path: &str, text: &str, most: usize, problems: &mut Problems) -> Vec<Deb> {
    let mut debs = Vec::new();
    for (number, paragraph) in paragraphs(text).enumerate() {
        if debs.len() >= most {
            problems.add(
                path,
                ProblemKind::TooMany,
                format!("it lists more than {most} packages"),
            );
            break;
        }
        if paragraph.is_odd() {
            let what = format!("paragraph {} has lines that are no fields", number + 1);
            problems.add(path, ProblemKind::Malformed, what);
        }
        match deb(&paragraph) {
            Ok(deb) => debs.extend(deb),
            Err(Bad { kind, what }) => {
                problems.add(path, kind, format!("paragraph {}: {what}", number + 1));
            }
        }
    }
    debs
}

struct Bad {
    kind: ProblemKind,
    what: String,
}

impl Bad {
    fn name(what: &str, value: &str) -> Self {
        Self {
            kind: ProblemKind::BadName,
            what: format!("`{}` is no {what}", shown(cut(value, 100))),
        }
    }
}

fn deb(paragraph: &Paragraph<'_>) -> Result<Option<Deb>, Bad> {
    let missing = |field: &str| Bad {
        kind: ProblemKind::Malformed,
        what: format!("there is no `{field}`"),
    };
    if paragraph
        .get("Status")
        .is_some_and(|status| !is_there(status))
    {
        return Ok(None);
    }
    let name = paragraph.get("Package").ok_or_else(|| missing("Package"))?;
    if !is_name(name) {
        return Err(Bad::name("package's name", name));
    }
    let version = paragraph.get("Version").ok_or_else(|| missing("Version"))?;
    if !is_version(version) {
        return Err(Bad::name("version", version));
    }
    let one_line = |field: &str| {
        let value = paragraph.get(field)?.lines().next()?.trim();
        (!value.is_empty()).then(|| shown(cut(value, 200)))
    };
    let all = |field| relations(paragraph.get(field).unwrap_or_default());
    let architecture = paragraph.get("Architecture").filter(|name| is_name(name));
    Ok(Some(Deb {
        name: name.to_owned(),
        version: version.to_owned(),
        architecture: architecture.map(str::to_owned),
        source: source(paragraph.get("Source"), name, version),
        maintainer: one_line("Maintainer"),
        homepage: one_line("Homepage"),
        depends: [all("Pre-Depends"), all("Depends")].concat(),
        provides: all("Provides").into_iter().flatten().collect(),
    }))
}

/// Whether files of the package are there: its third word says how far dpkg came.
fn is_there(status: &str) -> bool {
    let state = status.split_ascii_whitespace().nth(2);
    !matches!(state, Some("not-installed" | "config-files"))
}

/// `glibc`, or `gcc-12 (12.2.0-14)` when the versions differ.
fn source(field: Option<&str>, name: &str, version: &str) -> Option<Source> {
    let field = field?.trim();
    let (source, other) = match field.split_once(' ') {
        Some((source, rest)) => (source, rest.trim().strip_prefix('(')?.strip_suffix(')')?),
        None => (field, version),
    };
    let named = is_name(source) && is_version(other) && (source, other) != (name, version);
    named.then(|| Source {
        name: source.to_owned(),
        version: other.to_owned(),
    })
}

/// Source: Debian policy, 5.6.1; names of old and other archives have capitals too.
fn is_name(name: &str) -> bool {
    let fits = |byte: u8| byte.is_ascii_alphanumeric() || b"+-._".contains(&byte);
    !name.is_empty() && name.len() <= 200 && name.bytes().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &str = "\
Package: libc6
Status: install ok installed
Architecture: amd64
Source: glibc
Version: 2.41-12
Depends: libgcc-s1, other | dash (>= 1)

Package: removed
Status: deinstall ok config-files
Version: 1

Package: libgcc-s1
Status: hold ok half-configured
Architecture: amd64
Source: gcc-14 (14.2.0-19)
Version: 1:14.2.0-19+b1
Maintainer: Debian GCC <gcc@example.org>
";

    #[test]
    fn packages_that_are_unpacked_are_listed_with_their_source() {
        let mut problems = Problems::default();
        let debs = status("status", STATUS, 10, &mut problems);
        let names: Vec<_> = debs.iter().map(|deb| deb.name.as_str()).collect();
        assert_eq!(names, ["libc6", "libgcc-s1"]);
        assert_eq!(
            debs[0].source.as_ref().expect("a source").version,
            "2.41-12"
        );
        assert_eq!(
            debs[1].source.as_ref().expect("a source").version,
            "14.2.0-19"
        );
        assert_eq!(debs[0].depends, [vec!["libgcc-s1"], vec!["other", "dash"]]);
        assert_eq!(problems.into_sorted(), []);
    }

    #[test]
    fn damage_is_a_problem_and_the_rest_counts() {
        let good = "Package: a\nVersion: 1\n\n";
        for (damage, kind) in [
            ("Package: b\n\n", ProblemKind::Malformed),
            ("Version: 1\n\n", ProblemKind::Malformed),
            (
                "Package: b\nVersion: 1\ngarbage\n\n",
                ProblemKind::Malformed,
            ),
            ("Package: b/../c\nVersion: 1\n\n", ProblemKind::BadName),
            ("Package: b\nVersion: 1 2\n\n", ProblemKind::BadName),
            ("Package: b\u{1b}[2J\nVersion: 1\n\n", ProblemKind::BadName),
            ("\0\0\0\0\n\n", ProblemKind::Malformed),
        ] {
            let mut problems = Problems::default();
            let debs = status("s", &format!("{damage}{good}"), 10, &mut problems);
            assert!(debs.iter().any(|deb| deb.name == "a"), "{damage:?}");
            assert_eq!(problems.into_sorted()[0].kind, kind, "{damage:?}");
        }
        let mut problems = Problems::default();
        assert_eq!(status("s", &good.repeat(5), 3, &mut problems).len(), 3);
        assert_eq!(problems.into_sorted()[0].kind, ProblemKind::TooMany);
    }
}

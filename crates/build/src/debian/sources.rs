//! Which mirror and keyrings the machine's apt uses for Debian.

use std::fs;
use std::path::{Path, PathBuf};

use super::control::{field, paragraphs};

/// Names that Debian's suites go by. Other distributions' suites have other names.
const DEBIAN_SUITES: [&str; 11] = [
    "bullseye",
    "bookworm",
    "trixie",
    "forky",
    "duke",
    "sid",
    "oldoldstable",
    "oldstable",
    "stable",
    "testing",
    "unstable",
];

/// One line or paragraph of apt's sources.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
struct AptSource {
    uris: Vec<String>,
    suites: Vec<String>,
    components: Vec<String>,
    signed_by: Vec<Keyring>,
}

/// Keys that a source is signed by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Keyring {
    /// A file.
    File(PathBuf),
    /// The text of the source itself.
    Inline(String),
}

/// Where Debian's packages come from, and whose signatures count.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DebianSources {
    /// The mirror of the archive itself, without `/` at its end. None when apt has none.
    pub main: Option<String>,
    /// Whether point updates between releases (`<suite>-updates`) are used.
    pub updates: bool,
    /// The mirror of security updates, when apt uses one.
    pub security: Option<String>,
    /// Where the keys are.
    pub keyrings: Vec<Keyring>,
}

impl DebianSources {
    /// Reads the configuration of the machine's apt below `root`, which is `/` but in tests.
    /// `mirror` replaces what apt says about the archive itself.
    pub fn read(root: &Path, mirror: Option<&str>) -> Self {
        let sources = read_sources(root);
        let debian = || sources.iter().filter(|source| is_debian(source));
        let uri_of = |kind: SuiteKind| {
            debian()
                .filter(|source| {
                    source
                        .suites
                        .iter()
                        .any(|suite| kind_of(suite) == Some(kind))
                })
                .find_map(|source| source.uris.iter().find(|uri| is_web(uri)).cloned())
        };
        let mut keyrings: Vec<Keyring> = debian()
            .flat_map(|source| source.signed_by.iter().cloned())
            .collect();
        keyrings.extend(default_keyrings(root));
        let mut seen = Vec::new();
        keyrings.retain(|keyring| {
            let new = !seen.contains(keyring);
            seen.push(keyring.clone());
            new
        });
        Self {
            main: mirror
                .map(str::to_owned)
                .or_else(|| uri_of(SuiteKind::Main))
                .map(trimmed),
            updates: mirror.is_some() || uri_of(SuiteKind::Updates).is_some(),
            security: uri_of(SuiteKind::Security).map(trimmed),
            keyrings,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum SuiteKind {
    Main,
    Updates,
    Security,
}

fn kind_of(suite: &str) -> Option<SuiteKind> {
    let (base, kind) = if let Some(base) = suite.strip_suffix("-security") {
        (base, SuiteKind::Security)
    } else if let Some(base) = suite.strip_suffix("-updates") {
        (base, SuiteKind::Updates)
    } else {
        (suite, SuiteKind::Main)
    };
    DEBIAN_SUITES.contains(&base).then_some(kind)
}

fn is_debian(source: &AptSource) -> bool {
    let main = source
        .components
        .iter()
        .any(|component| component == "main");
    main && source.suites.iter().any(|suite| kind_of(suite).is_some())
}

fn is_web(uri: &str) -> bool {
    uri.starts_with("http://") || uri.starts_with("https://")
}

fn trimmed(uri: String) -> String {
    uri.trim_end_matches('/').to_owned()
}

/// Keys for sources that name none (apt-secure(8)), and Debian's own package of them, which
/// Ubuntu has too.
fn default_keyrings(root: &Path) -> Vec<Keyring> {
    let mut files = files_in(&root.join("etc/apt/trusted.gpg.d"), &["gpg", "asc"]);
    files.push(root.join("etc/apt/trusted.gpg"));
    files.push(root.join("usr/share/keyrings/debian-archive-keyring.gpg"));
    files.retain(|file| file.is_file());
    files.into_iter().map(Keyring::File).collect()
}

fn read_sources(root: &Path) -> Vec<AptSource> {
    let apt = root.join("etc/apt");
    let mut lists = vec![apt.join("sources.list")];
    lists.extend(files_in(&apt.join("sources.list.d"), &["list"]));
    let mut sources = Vec::new();
    for file in lists {
        let text = fs::read_to_string(file).unwrap_or_default();
        sources.extend(text.lines().filter_map(|line| one_line(line, root)));
    }
    for file in files_in(&apt.join("sources.list.d"), &["sources"]) {
        let text = fs::read_to_string(file).unwrap_or_default();
        sources.extend(
            paragraphs(&text)
                .iter()
                .filter_map(|text| paragraph(text, root)),
        );
    }
    sources
}

/// `deb [option=value …] uri suite component …`. Source: sources.list(5).
fn one_line(line: &str, root: &Path) -> Option<AptSource> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let rest = line.strip_prefix("deb")?;
    if !rest.starts_with([' ', '\t']) {
        return None;
    }
    let rest = rest.trim_start();
    let (options, rest) = match rest.strip_prefix('[') {
        Some(rest) => rest.split_once(']')?,
        None => ("", rest),
    };
    let mut words = rest.split_whitespace().map(str::to_owned);
    let mut source = AptSource {
        uris: vec![words.next()?],
        suites: vec![words.next()?],
        components: words.collect(),
        signed_by: Vec::new(),
    };
    for option in options.split_whitespace() {
        if let Some(files) = option.strip_prefix("signed-by=") {
            source.signed_by = keyring_files(files, root);
        }
    }
    Some(source)
}

/// A paragraph of a `.sources` file. Source: sources.list(5), deb822.
fn paragraph(text: &str, root: &Path) -> Option<AptSource> {
    let words = |name| -> Vec<String> {
        let value = field(text, name).unwrap_or_default();
        value
            .lines()
            .filter(|line| !line.trim_start().starts_with('#'))
            .flat_map(str::split_whitespace)
            .map(str::to_owned)
            .collect()
    };
    let disabled = field(text, "Enabled").is_some_and(|value| value.eq_ignore_ascii_case("no"));
    if disabled || !words("Types").iter().any(|kind| kind == "deb") {
        return None;
    }
    let signed_by = field(text, "Signed-By").unwrap_or_default();
    Some(AptSource {
        uris: words("URIs"),
        suites: words("Suites"),
        components: words("Components"),
        signed_by: match signed_by.contains("BEGIN PGP") {
            true => vec![Keyring::Inline(inline_key(signed_by))],
            false => keyring_files(signed_by, root),
        },
    })
}

fn keyring_files(value: &str, root: &Path) -> Vec<Keyring> {
    value
        .split(|c: char| c == ',' || c.is_whitespace())
        .filter_map(|path| path.strip_prefix('/'))
        .map(|path| Keyring::File(root.join(path)))
        .collect()
}

/// Lines begin with a space, and an empty one is ` .`.
fn inline_key(value: &str) -> String {
    let lines = value.lines().map(str::trim);
    lines
        .map(|line| if line == "." { "" } else { line })
        .fold(String::new(), |text, line| text + line + "\n")
}

fn files_in(folder: &Path, extensions: &[&str]) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut files: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| {
            let extension = path.extension().and_then(|extension| extension.to_str());
            extension.is_some_and(|extension| extensions.contains(&extension))
        })
        .collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    fn machine(files: &[(&str, &str)]) -> tempfile::TempDir {
        let root = tempfile::tempdir().expect("a folder");
        for (path, text) in files {
            let path = root.path().join(path);
            fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
            fs::write(path, text).expect("a file");
        }
        root
    }

    const DEB822: &str = "\
Types: deb
# a comment
URIs: http://mirror.example/debian/
Suites: bookworm bookworm-updates
Components: main
Signed-By: /usr/share/keyrings/debian.gpg

Types: deb
URIs: http://mirror.example/security
Suites: bookworm-security
Components: main contrib
Signed-By: /usr/share/keyrings/debian.gpg
";

    #[test]
    fn a_deb822_file_names_mirrors_and_keyring() {
        let root = machine(&[("etc/apt/sources.list.d/debian.sources", DEB822)]);
        let sources = DebianSources::read(root.path(), None);
        assert_eq!(
            sources.main.as_deref(),
            Some("http://mirror.example/debian")
        );
        assert_eq!(
            sources.security.as_deref(),
            Some("http://mirror.example/security")
        );
        assert!(sources.updates);
        let keyring = Keyring::File(root.path().join("usr/share/keyrings/debian.gpg"));
        assert_eq!(sources.keyrings, [keyring]);
    }

    #[test]
    fn one_line_sources_name_them_too() {
        let list = "\
# deb http://commented.example/debian bookworm main
deb-src http://source.example/debian bookworm main
deb cdrom:[Debian]/ bookworm main
deb [arch=amd64 signed-by=/etc/key.gpg] https://mirror.example/debian stable main contrib
deb http://tools.example/apt tools-bookworm main
";
        let root = machine(&[
            ("etc/apt/sources.list", list),
            ("etc/apt/trusted.gpg.d/a.asc", "key"),
        ]);
        let sources = DebianSources::read(root.path(), None);
        assert_eq!(
            sources.main.as_deref(),
            Some("https://mirror.example/debian")
        );
        assert_eq!(sources.security, None);
        assert!(!sources.updates);
        let file = |path: &str| Keyring::File(root.path().join(path));
        assert_eq!(
            sources.keyrings,
            [file("etc/key.gpg"), file("etc/apt/trusted.gpg.d/a.asc")]
        );
    }

    #[test]
    fn other_distributions_have_no_debian_mirror_until_one_is_given() {
        let ubuntu = "\
Types: deb
URIs: http://ubuntu.example/ubuntu
Suites: noble noble-updates
Components: main universe
Signed-By: /usr/share/keyrings/ubuntu.gpg
";
        let root = machine(&[
            ("etc/apt/sources.list.d/ubuntu.sources", ubuntu),
            ("usr/share/keyrings/debian-archive-keyring.gpg", "keys"),
        ]);
        assert_eq!(DebianSources::read(root.path(), None).main, None);
        let sources = DebianSources::read(root.path(), Some("http://mirror.example/debian/"));
        assert_eq!(
            sources.main.as_deref(),
            Some("http://mirror.example/debian")
        );
        assert_eq!(
            sources.keyrings.len(),
            1,
            "never the other distribution's keys"
        );
    }

    #[test]
    fn a_key_may_stand_in_the_source_itself() {
        let text = "\
Types: deb
URIs: http://mirror.example/debian
Suites: trixie
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDME
 -----END PGP PUBLIC KEY BLOCK-----
";
        let root = machine(&[("etc/apt/sources.list.d/a.sources", text)]);
        let sources = DebianSources::read(root.path(), None);
        let key =
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDME\n-----END PGP PUBLIC KEY BLOCK-----\n";
        assert_eq!(sources.keyrings, [Keyring::Inline(key.into())]);
    }
}

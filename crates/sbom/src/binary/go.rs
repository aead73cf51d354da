//! The modules of a Go program.
//!
//! Source: Go, `debug/buildinfo` and `runtime/debug.BuildInfo`.

use super::elf::{Elf, number};
use super::{Bytes, Linked, module};
use model::inventory::Ecosystem;

pub(super) const SECTION: &str = ".go.buildinfo";

const MAGIC: &[u8] = b"\xff Go buildinf:";
/// Modules that one program may have.
const MOST: usize = 20_000;

/// Reads the section. `Ok(None)` is a program that was built without modules and without a version.
pub(super) fn read(
    section: &[u8],
    elf: &Elf<'_, impl Bytes>,
    limit: usize,
) -> Result<Option<Linked>, String> {
    let odd = || "its Go build information is damaged".to_owned();
    // It lies at a multiple of 16.
    let starts = section
        .chunks(16)
        .position(|chunk| chunk.starts_with(MAGIC));
    let info = &section[starts.ok_or_else(odd)? * 16..];
    let flags = *info.get(15).ok_or_else(odd)?;
    let (version, modules) = match flags & 2 {
        0 => pointed(info, flags, elf, limit).ok_or_else(odd)?,
        _ => inline(info).ok_or_else(odd)?,
    };
    let version = std::str::from_utf8(&version).map_err(|_| odd())?;
    let modules = std::str::from_utf8(strip_marks(&modules)).map_err(|_| odd())?;
    linked(version, modules).map(Some)
}

/// Since Go 1.18: both texts follow, with their lengths.
fn inline(info: &[u8]) -> Option<(Vec<u8>, Vec<u8>)> {
    let (version, rest) = counted(info.get(32..)?)?;
    let (modules, _) = counted(rest)?;
    Some((version.to_vec(), modules.to_vec()))
}

fn counted(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut length: usize = 0;
    for (place, byte) in bytes.iter().take(5).enumerate() {
        length |= usize::from(byte & 0x7f) << (7 * place);
        if byte & 0x80 == 0 {
            return bytes.get(place + 1..)?.split_at_checked(length);
        }
    }
    None
}

/// Before: two addresses of strings, each an address and a length.
fn pointed(
    info: &[u8],
    flags: u8,
    elf: &Elf<'_, impl Bytes>,
    limit: usize,
) -> Option<(Vec<u8>, Vec<u8>)> {
    let width = usize::from(*info.get(14)?);
    let big = flags & 1 != 0;
    if width != 4 && width != 8 {
        return None;
    }
    let string = |place: usize| {
        let address = number(info.get(16 + place * width..)?.get(..width)?, big)?;
        if address == 0 {
            return Some(Vec::new());
        }
        let header = elf.at_address(address, 2 * width)?;
        let (text, length) = header.split_at(width);
        let length = usize::try_from(number(length, big)?).ok()?;
        if length > limit {
            return None;
        }
        elf.at_address(number(text, big)?, length)
    };
    Some((string(0)?, string(1)?))
}

/// Sixteen bytes before and after the modules mark where they begin and end.
fn strip_marks(modules: &[u8]) -> &[u8] {
    match modules.len() {
        33.. if modules[modules.len() - 17] == b'\n' => &modules[16..modules.len() - 16],
        _ => &[],
    }
}

fn linked(version: &str, text: &str) -> Result<Linked, String> {
    let mut modules: Vec<(String, Option<String>)> = Vec::new();
    let mut has_main = false;
    let mut commit = Commit::default();
    for line in text.lines() {
        let mut words = line.split('\t');
        let kind = words.next().unwrap_or_default();
        let (path, version) = (words.next().unwrap_or_default(), words.next());
        let version = version.filter(|version| !version.is_empty() && *version != "(devel)");
        let one = (path.to_owned(), version.map(str::to_owned));
        match kind {
            "mod" if modules.is_empty() => {
                has_main = true;
                modules.push(one);
            }
            "dep" => modules.push(one),
            "build" => commit.note(&one.0),
            // What was really built instead of the module before. A folder has no version.
            "=>" => {
                if let Some(last) = modules.last_mut() {
                    last.1 = one.1;
                    if last.1.is_some() {
                        last.0 = one.0;
                    }
                }
            }
            _ => {}
        }
        if modules.len() > MOST {
            return Err("it names more modules than are read".into());
        }
    }
    if has_main && modules[0].1.is_none() {
        modules[0].1 = commit.version();
    }
    if let Some(library) = standard_library(version) {
        modules.push(("stdlib".into(), Some(library)));
    }
    let packages: Result<Vec<_>, String> = modules
        .iter()
        .map(|(path, version)| module(Ecosystem::Go, path, version.as_deref()))
        .collect();
    let packages = packages?;
    // Which module needs which is not said; the program needs all.
    let edges = match has_main {
        true => (1..packages.len()).map(|to| (0, to)).collect(),
        false => Vec::new(),
    };
    Ok(Linked {
        packages,
        edges,
        main: has_main.then_some(0),
    })
}

/// The commit that a program was built from.
#[derive(Default)]
struct Commit {
    revision: String,
    time: String,
    dirty: bool,
}

impl Commit {
    fn note(&mut self, setting: &str) {
        match setting.split_once('=') {
            Some(("vcs.revision", revision)) => self.revision = revision.to_owned(),
            Some(("vcs.time", time)) => self.time = time.to_owned(),
            Some(("vcs.modified", modified)) => self.dirty = modified == "true",
            _ => {}
        }
    }

    /// The version that Go itself gives a commit without a tag:
    /// `v0.0.0-20240609211631-fc37c2fa9de2`. Source: Go modules reference, "Pseudo-versions".
    fn version(&self) -> Option<String> {
        let digits = self.time.bytes().filter(u8::is_ascii_digit);
        let time: String = digits.map(char::from).take(14).collect();
        let short = self.revision.get(..12)?;
        let whole = time.len() == 14 && short.bytes().all(|byte| byte.is_ascii_hexdigit());
        let dirty = if self.dirty { "+dirty" } else { "" };
        whole.then(|| format!("v0.0.0-{time}-{short}{dirty}"))
    }
}

/// `go1.24.1 X:nocoverageredesign` is 1.24.1; compilers in the making have no version.
fn standard_library(version: &str) -> Option<String> {
    let number = version.strip_prefix("go")?.split([' ', '-']).next()?;
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '.';
    let starts = number.starts_with(|c: char| c.is_ascii_digit());
    (starts && number.chars().all(fits)).then(|| number.to_owned())
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A section as the linker writes it.
    pub(in crate::binary) fn section(version: &str, modules: &str) -> Vec<u8> {
        let mut bytes = MAGIC.to_vec();
        bytes.extend([8, 2]);
        bytes.resize(32, 0);
        let marked = [&[1; 16][..], modules.as_bytes(), &[2; 16]].concat();
        for text in [version.as_bytes(), &marked] {
            let mut length = text.len();
            while length > 127 {
                bytes.push(u8::try_from(length & 127).expect("seven bits") | 128);
                length >>= 7;
            }
            bytes.push(u8::try_from(length).expect("seven bits"));
            bytes.extend(text);
        }
        bytes
    }

    pub(in crate::binary) const MODULES: &str = "path\texample.org/app/cmd\nmod\texample.org/app\t(devel)\t\ndep\tgithub.com/A/b\tv1.2.3\th1:x=\ndep\tgithub.com/c/d\tv1.0.0\n=>\tgithub.com/fork/d\tv1.0.1\th1:y=\ndep\tgithub.com/e/f\tv2.0.0\n=>\t./local\t(devel)\t\nbuild\t-trimpath=true\n";

    #[test]
    fn modules_replacements_and_the_standard_library_are_found() {
        let linked = linked("go1.24.1 X:x", MODULES).expect("modules");
        let purls: Vec<_> = linked
            .packages
            .iter()
            .map(|one| one.purl.as_str())
            .collect();
        assert_eq!(
            purls,
            [
                "pkg:golang/example.org/app",
                "pkg:golang/github.com/a/b@v1.2.3",
                "pkg:golang/github.com/fork/d@v1.0.1",
                "pkg:golang/github.com/e/f",
                "pkg:golang/stdlib@1.24.1",
            ]
        );
        assert_eq!((linked.main, linked.edges.len()), (Some(0), 4));
    }

    #[test]
    fn a_program_without_a_version_has_that_of_its_commit() {
        let text = "mod\texample.org/app\t(devel)\t\nbuild\tvcs.revision=fc37c2fa9de2ad77476a6d4a8f1516196b90187e\nbuild\tvcs.time=2024-06-09T21:16:31Z\n";
        for (modified, version) in [
            ("false", "v0.0.0-20240609211631-fc37c2fa9de2"),
            ("true", "v0.0.0-20240609211631-fc37c2fa9de2+dirty"),
        ] {
            let text = format!("{text}build\tvcs.modified={modified}\n");
            let linked = linked("devel", &text).expect("modules");
            assert_eq!(linked.packages[0].version.as_deref(), Some(version));
        }
    }
}

//! What programs carry about the modules that they were linked from.

mod elf;
mod go;
mod runtime;
mod rust;

use std::os::fd::OwnedFd;

use crate::draft::Draft;
use crate::limits::Limits;
use crate::text::is_version;
use crate::tree::read_at;
use elf::Elf;
use model::inventory::Purl;
use model::inventory::{Ecosystem, Package};

pub(crate) use runtime::{program_of, version_in};

/// What one program is made of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Linked {
    /// Modules, without their places.
    pub(crate) packages: Vec<Package>,
    /// Edges between them, by place.
    pub(crate) edges: Vec<(usize, usize)>,
    /// The program's own module.
    pub(crate) main: Option<usize>,
}

impl Linked {
    /// Adds the modules of the program at `path`. Returns the program's own module, or all of them
    /// when none is its own.
    pub(crate) fn settle(self, path: &str, draft: &mut Draft) -> Vec<Purl> {
        let purls: Vec<Purl> = self.packages.iter().map(|one| one.purl.clone()).collect();
        for mut package in self.packages {
            package.found_in = vec![path.to_owned()];
            draft.add(package);
        }
        for (from, to) in self.edges {
            draft.link(&purls[from], &purls[to]);
        }
        match self.main {
            Some(main) => vec![purls[main].clone()],
            None => purls,
        }
    }
}

/// Bytes at places, from a file or from memory.
pub(crate) trait Bytes {
    /// Fills `bytes` from `offset` on, as far as there are some. Returns how many.
    fn fill(&self, bytes: &mut [u8], offset: u64) -> usize;

    /// Exactly `length` bytes, or none.
    fn exact(&self, offset: u64, length: usize) -> Option<Vec<u8>> {
        let mut bytes = vec![0; length];
        (self.fill(&mut bytes, offset) == length).then_some(bytes)
    }
}

impl Bytes for OwnedFd {
    fn fill(&self, bytes: &mut [u8], offset: u64) -> usize {
        read_at(self, bytes, offset).unwrap_or(0)
    }
}

impl Bytes for &[u8] {
    fn fill(&self, bytes: &mut [u8], offset: u64) -> usize {
        let from = usize::try_from(offset).unwrap_or(usize::MAX);
        let rest = self.get(from..).unwrap_or_default();
        let length = rest.len().min(bytes.len());
        bytes[..length].copy_from_slice(&rest[..length]);
        length
    }
}

/// The names of sections that tell of modules.
const SECTIONS: [&str; 2] = [go::SECTION, rust::SECTION];

/// Reads what a program says of its modules. `Ok(None)` is a file that is no program or says
/// nothing; an error is what is wrong with one that does.
pub(crate) fn linked(file: &impl Bytes, limits: &Limits) -> Result<Option<Linked>, String> {
    let Some(elf) = Elf::open(file) else {
        return Ok(None);
    };
    for section in elf.sections(&SECTIONS) {
        let size = usize::try_from(section.size).unwrap_or(usize::MAX);
        if size > limits.program_bytes {
            return Err(format!(
                "its section {} is larger than is read",
                section.name
            ));
        }
        let cut = || format!("its section {} lies outside of the file", section.name);
        let bytes = file.exact(section.offset, size).ok_or_else(cut)?;
        let linked = match section.name {
            go::SECTION => go::read(&bytes, &elf, limits.program_bytes)?,
            _ => rust::read(&bytes, limits.program_bytes)?,
        };
        if let Some(linked) = linked {
            return Ok(Some(linked));
        }
    }
    Ok(None)
}

/// A module whose name and version may be written down.
fn module(ecosystem: Ecosystem, name: &str, version: Option<&str>) -> Result<Package, String> {
    let fits = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\".contains(&byte);
    let clean = !name.is_empty() && name.len() <= 500 && name.bytes().all(fits);
    if !clean || !version.is_none_or(is_version) {
        return Err("it names a module that cannot be one".into());
    }
    let purl = match (ecosystem, version) {
        (Ecosystem::Go, version) => Purl::golang(name, version),
        (_, version) => Purl::cargo(name, version.unwrap_or_default()),
    };
    Ok(Package::new(
        purl,
        ecosystem,
        name,
        version.map(str::to_owned),
    ))
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;

    /// A program with one section besides that of the names.
    pub(crate) fn program(name: &str, section: &[u8]) -> Vec<u8> {
        let names = format!("\0{name}\0.shstrtab\0");
        let (section_at, names_at) = (64, 64 + section.len());
        let table_at = names_at + names.len();
        let mut bytes = b"\x7fELF\x02\x01\x01".to_vec();
        bytes.resize(64, 0);
        bytes[0x28..0x30].copy_from_slice(&(table_at as u64).to_le_bytes());
        for (at, value) in [(0x3a, 64u16), (0x3c, 3), (0x3e, 2)] {
            bytes[at..at + 2].copy_from_slice(&value.to_le_bytes());
        }
        bytes.extend(section);
        bytes.extend(names.bytes());
        let after = u32::try_from(name.len()).expect("short") + 2;
        let rows = [
            (0, 0, 0),
            (1, section_at, section.len()),
            (after, names_at, names.len()),
        ];
        for (name, offset, size) in rows {
            let mut row = vec![0; 64];
            row[..4].copy_from_slice(&u32::to_le_bytes(name));
            row[0x18..0x20].copy_from_slice(&(offset as u64).to_le_bytes());
            row[0x20..0x28].copy_from_slice(&(size as u64).to_le_bytes());
            bytes.extend(row);
        }
        bytes
    }

    pub(crate) fn go_program() -> Vec<u8> {
        program(
            go::SECTION,
            &go::tests::section("go1.24.1", go::tests::MODULES),
        )
    }

    pub(crate) fn rust_program(json: &str) -> Vec<u8> {
        program(rust::SECTION, &rust::tests::section(json))
    }

    fn read(bytes: &[u8]) -> Result<Option<Linked>, String> {
        linked(&bytes, &Limits::default())
    }

    #[test]
    fn modules_are_found_in_programs_and_nowhere_else() {
        let go = read(&go_program()).expect("read").expect("modules");
        assert_eq!(go.packages.len(), 5);
        let json = r#"{"packages": [{"name": "serde", "version": "1.0.1"}]}"#;
        let rust = read(&rust_program(json)).expect("read").expect("crates");
        assert_eq!(rust.packages[0].purl.as_str(), "pkg:cargo/serde@1.0.1");
        for other in [
            &b""[..],
            b"#!/bin/sh\n",
            b"\x7fELF",
            &program(".text", b"x"),
        ] {
            assert_eq!(read(other), Ok(None));
        }
    }

    #[test]
    fn what_looks_like_a_go_program_and_is_none_is_told() {
        for garbage in [&b""[..], b"\xff Go buildinf:", b"not at all", &[0xff; 64]] {
            assert!(read(&program(go::SECTION, garbage)).is_err());
        }
        let mut long = go::tests::section("go1.24.1", go::tests::MODULES);
        long[33 + 8] = 0xff;
        assert!(read(&program(go::SECTION, &long)).is_err());
        let odd = go::tests::section("go1", "mod\texample.org/\u{1b}[2J\tv1\n");
        assert!(read(&program(go::SECTION, &odd)).is_err());
        // The table says that the section lies past the end of the file.
        let mut cut = go_program();
        let table = cut.len() - 128;
        cut[table + 0x18..table + 0x20].copy_from_slice(&u64::MAX.to_le_bytes());
        assert!(read(&cut).is_err());
    }
}

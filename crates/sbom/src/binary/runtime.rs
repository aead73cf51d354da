//! Interpreters that are no package of a distribution: their version is in the program itself.

use super::Bytes;
use model::inventory::Purl;
use model::inventory::{Ecosystem, Package};

/// A program whose version can be found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Program {
    name: &'static str,
    /// What stands before the version.
    before: &'static [u8],
}

/// Node reports itself as `node.js/v22.11.0` to the servers that it speaks with.
const NODE: Program = Program {
    name: "node",
    before: b"node.js/v",
};

/// How much of a program is searched; Node's is some 120 MB.
const SEARCHED: u64 = 256 << 20;
const PIECE: usize = 1 << 18;
/// The longest version, with what stands before it.
const LONGEST: usize = 64;

/// The interpreter that a program of that file name would be.
pub(crate) fn program_of(name: &str) -> Option<Program> {
    (name == "node").then_some(NODE)
}

/// Searches the program for its version.
pub(crate) fn version_in(file: &impl Bytes, program: Program) -> Option<Package> {
    let mut head = [0; 4];
    if file.fill(&mut head, 0) < 4 || head != *b"\x7fELF" {
        return None;
    }
    let mut piece = vec![0; PIECE + LONGEST];
    let mut offset = 0;
    while offset < SEARCHED {
        let got = file.fill(&mut piece, offset);
        if let Some(version) = find(&piece[..got], program.before) {
            let purl = Purl::generic(program.name, &version);
            return Some(Package::new(
                purl,
                Ecosystem::Generic,
                program.name,
                version,
            ));
        }
        if got < piece.len() {
            return None;
        }
        // Pieces overlap, so that nothing is cut in two.
        offset += PIECE as u64;
    }
    None
}

fn find(bytes: &[u8], before: &[u8]) -> Option<String> {
    memchr::memmem::find_iter(bytes, before).find_map(|at| {
        let version = &bytes[at + before.len()..];
        let end = version
            .iter()
            .position(|byte| !byte.is_ascii_digit() && *byte != b'.')?;
        let version = std::str::from_utf8(&version[..end.min(LONGEST)]).ok()?;
        let numbers = version.split('.').filter(|number| !number.is_empty());
        (numbers.count() == 3).then(|| version.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_is_found_even_across_pieces() {
        for padding in [0, PIECE - 6, PIECE - 4, 3 * PIECE + 5] {
            let mut bytes = b"\x7fELF".to_vec();
            bytes.resize(4 + padding, b'n');
            bytes.extend(b"node.js/v<x> node.js/v22.11.0\0rest");
            let found = version_in(&bytes.as_slice(), NODE).expect("a version");
            assert_eq!(found.purl.as_str(), "pkg:generic/node@22.11.0", "{padding}");
        }
        assert_eq!(version_in(&b"\x7fELF node.js/v".as_slice(), NODE), None);
        assert_eq!(
            version_in(&b"#!/bin/sh node.js/v1.2.3\0".as_slice(), NODE),
            None
        );
    }
}

//! The crates of a Rust program that was built with cargo-auditable.
//!
//! Source: cargo-auditable, "Audit data format" (zlib-compressed JSON).

use std::io::Read;

use serde::Deserialize;

use super::{Linked, module};
use model::inventory::Ecosystem;

pub(super) const SECTION: &str = ".dep-v0";

#[derive(Deserialize)]
struct Audit {
    packages: Vec<Crate>,
}

#[derive(Deserialize)]
struct Crate {
    name: String,
    version: String,
    /// `build` for what only built the program; absent for what is in it.
    #[serde(default)]
    kind: Option<String>,
    #[serde(default)]
    dependencies: Vec<usize>,
    #[serde(default)]
    root: bool,
}

/// Reads the section.
pub(super) fn read(section: &[u8], limit: usize) -> Result<Option<Linked>, String> {
    let mut text = Vec::new();
    let unpacked = flate2::read::ZlibDecoder::new(section)
        .take(limit as u64 + 1)
        .read_to_end(&mut text);
    unpacked.map_err(|_| "its list of crates is damaged".to_owned())?;
    if text.len() > limit {
        return Err("its list of crates is larger than is read".into());
    }
    let audit: Audit = serde_json::from_slice(&text).map_err(|cause| cause.to_string())?;
    // Places change when the crates that only built the program are left out.
    let mut places = vec![None; audit.packages.len()];
    let mut packages = Vec::new();
    for (at, one) in audit.packages.iter().enumerate() {
        if one.kind.as_deref().is_none_or(|kind| kind == "runtime") {
            places[at] = Some(packages.len());
            packages.push(module(Ecosystem::Cargo, &one.name, Some(&one.version))?);
        }
    }
    let place = |at: usize| places.get(at).copied().flatten();
    let mut edges = Vec::new();
    for (at, one) in audit.packages.iter().enumerate() {
        let Some(from) = place(at) else { continue };
        let to = one.dependencies.iter().filter_map(|to| place(*to));
        edges.extend(to.map(|to| (from, to)));
    }
    let root = audit.packages.iter().position(|one| one.root);
    Ok(Some(Linked {
        packages,
        edges,
        main: root.and_then(place),
    }))
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use std::io::Write;

    /// A section as cargo-auditable writes it.
    pub(in crate::binary) fn section(json: &str) -> Vec<u8> {
        let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::best());
        packer.write_all(json.as_bytes()).expect("packed");
        packer.finish().expect("packed")
    }

    #[test]
    fn crates_are_found_with_the_edges_between_them() {
        let json = r#"{"packages": [
            {"name": "app", "version": "0.1.0", "source": "local", "dependencies": [1, 2], "root": true},
            {"name": "cc", "version": "1.0.0", "source": "crates.io", "kind": "build"},
            {"name": "serde", "version": "1.0.1", "source": "crates.io", "dependencies": [9]}]}"#;
        let linked = read(&section(json), 1 << 20)
            .expect("read")
            .expect("crates");
        assert_eq!(linked.edges, [(0, 1)]);
        assert_eq!(linked.packages[1].purl.as_str(), "pkg:cargo/serde@1.0.1");
        assert_eq!(linked.main, Some(0));
    }

    #[test]
    fn a_list_that_unpacks_to_much_is_refused() {
        let bomb = section(&" ".repeat(10 << 20));
        assert!(bomb.len() < 100_000);
        assert!(
            read(&bomb, 1 << 20)
                .expect_err("refused")
                .contains("larger")
        );
        assert!(read(b"garbage", 1 << 20).is_err());
        assert!(read(&section("{\"packages\": 1}"), 1 << 20).is_err());
    }
}

//! A package.json, and lock files of every kind.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    sbom::fuzz::node_manifest(data);
    sbom::fuzz::lock_file(data);
});

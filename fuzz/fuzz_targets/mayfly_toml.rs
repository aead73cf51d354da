//! mayfly.toml: a mistake has a place in the file.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::manifest::Manifest;

fuzz_target!(|data: &str| {
    match Manifest::parse(data) {
        Ok(manifest) => drop((manifest.run_config(), manifest.build_limits())),
        Err(error) => {
            assert!(error.line >= 1 && error.column >= 1, "{error}");
            assert!(error.line <= data.split('\n').count() + 1, "{error}");
        }
    }
});

//! A program that may carry Go's or Rust's build information.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    sbom::fuzz::program(data);
});

//! A compressed archive.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/unpacked.rs"]
mod unpacked;
use unpacked::unpacked;

fuzz_target!(|data: &[u8]| {
    unpacked(flate2::read::GzDecoder::new(data));
});

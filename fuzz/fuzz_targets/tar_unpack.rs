//! A hostile archive: nothing lands outside, and no more than is allowed.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/unpacked.rs"]
mod unpacked;
use unpacked::unpacked;

fuzz_target!(|data: &[u8]| {
    unpacked(data);
});

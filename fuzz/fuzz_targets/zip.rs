//! A wheel.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    build::fuzz_tools::zip(data, "a/b", 4096);
});

//! A mirror's lists: control paragraphs, packages, Release, versions.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &str| {
    build::fuzz_debian::control(data);
    build::fuzz_debian::index(data);
    build::fuzz_debian::release(data);
    let (one, other) = data.split_once('\n').unwrap_or((data, ""));
    build::fuzz_debian::versions(one, other);
});

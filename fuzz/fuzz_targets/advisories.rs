//! Vulnerability data: a record, an archive of records, an index, versions, and the words in them. The
//! first byte says which.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 5 {
        0 => advisories::fuzz::record(bytes),
        1 => advisories::fuzz::zip(bytes),
        2 => advisories::fuzz::index(bytes),
        3 => advisories::fuzz::versions(bytes),
        _ => advisories::fuzz::words(bytes),
    }
});

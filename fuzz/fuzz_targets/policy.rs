//! Policies that somebody else wrote, and questions that nobody would ask. The first byte says which.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    match which % 2 {
        0 => policy::fuzz::policy(bytes),
        _ => policy::fuzz::question(bytes),
    }
});

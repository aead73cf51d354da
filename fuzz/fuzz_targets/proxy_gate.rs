//! The edge's gate: heads and chunks of a client.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let Some((cut, bytes)) = data.split_first() else {
        return;
    };
    proxy::fuzzing::gate(bytes, usize::from(*cut));
});

//! An app's own files: what looks for secrets, settings and unescaped places of templates. The first
//! byte says which file it is.

#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    if let Some((which, bytes)) = data.split_first() {
        lint::fuzz::read(*which, &String::from_utf8_lossy(bytes));
    }
});

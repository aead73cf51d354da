//! package.json and the code of a Node app.

#![no_main]

use build::detect::{Folder, detect};
use libfuzzer_sys::fuzz_target;
use model::manifest::Manifest;

fuzz_target!(|data: &str| {
    let mut files = data.split('\u{1}');
    let mut next = || files.next().unwrap_or_default().to_owned();
    let folder = Folder::from_files([
        ("package.json", next()),
        ("server.js", next()),
        ("tsconfig.json", next()),
        ("index.html", next()),
    ]);
    let _ = detect(&folder, &Manifest::default());
});

//! A Debian package: ar(5), and the archive in it.

#![no_main]

use build::layer::Place;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let home = tempfile::tempdir().expect("a folder");
    let root = home.path().join("root");
    std::fs::create_dir(&root).expect("a folder");
    build::fuzz_debian::unpack(data, &Place::new(&root));
    assert_eq!(std::fs::read_dir(home.path()).expect("a folder").count(), 1);
});

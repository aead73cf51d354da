//! The Host of a request.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::host::{self, Address};

fuzz_target!(|data: &str| {
    let written = match host::parse(data, "localhost") {
        None => return,
        Some(Address::App(app)) => format!("{app}.localhost"),
        Some(Address::Release(app, number)) => format!("r{number}-{app}.localhost"),
    };
    assert!(
        data.to_ascii_lowercase().starts_with(&written),
        "{data:?}: {written}"
    );
    assert_eq!(
        host::parse(&written, "localhost"),
        host::parse(data, "localhost")
    );
});

//! What somebody names as to be trusted: a trusted root, a signing configuration, a public key.

#![no_main]

use attest::{PublicKey, Services, TrustedRoot};
use libfuzzer_sys::fuzz_target;
use model::Timestamp;

fuzz_target!(|data: &str| {
    let _ = TrustedRoot::read(data);
    let _ = Services::read(data, Timestamp::UNIX_EPOCH);
    let _ = PublicKey::from_pem(data);
});

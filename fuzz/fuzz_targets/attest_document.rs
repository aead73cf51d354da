//! Signed documents of strangers: an envelope, a bundle, a payload with its signature. The first byte
//! says which. Whoever trusts nobody believes nothing.

#![no_main]

use std::sync::LazyLock;

use attest::{Keyless, Trust, TrustedRoot, layout, media_type};
use libfuzzer_sys::fuzz_target;
use model::{Digest, Timestamp};
use ports::Presented;

static TRUST: LazyLock<Trust> = LazyLock::new(|| {
    let root = include_str!("../../crates/attest/src/keyless/fixtures/public.trusted_root.json");
    Trust::default().with_keyless(Keyless {
        root: TrustedRoot::read(root).expect("a trusted root"),
        identities: Vec::new(),
    })
});

fuzz_target!(|data: &[u8]| {
    let Some((which, bytes)) = data.split_first() else {
        return;
    };
    let kinds = [
        media_type::BUNDLE,
        media_type::ENVELOPE,
        media_type::SIMPLE_SIGNING,
    ];
    let text = String::from_utf8_lossy(bytes).into_owned();
    let annotations = serde_json::json!({ "dev.cosignproject.cosign/signature": "AAAA" });
    let kind = kinds[usize::from(*which) % kinds.len()];
    let presented = Presented {
        kind: None,
        documents: vec![layout::document(kind, text, &annotations)],
        recorded: None,
    };
    let report = TRUST.verify(&Digest::of(b"image"), &[presented], Timestamp::UNIX_EPOCH);
    assert!(report.rows.iter().all(|row| row.outcome.is_err()));
});

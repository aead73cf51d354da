//! A list of files that a client announces.

#![no_main]

use libfuzzer_sys::fuzz_target;
use model::limits::SourceLimits;
use model::snapshot::{Entry, Snapshot, is_clean_path};

fuzz_target!(|data: &[u8]| {
    let Ok(entries) = serde_json::from_slice::<Vec<Entry>>(data) else {
        return;
    };
    let Ok(snapshot) = Snapshot::new(entries, Vec::new(), &SourceLimits::default()) else {
        return;
    };
    assert!(
        snapshot
            .entries
            .iter()
            .all(|entry| is_clean_path(entry.path()))
    );
    let text = serde_json::to_vec(&snapshot.entries).expect("JSON");
    let again = serde_json::from_slice(&text).expect("what was written");
    let again = Snapshot::new(again, Vec::new(), &SourceLimits::default());
    assert_eq!(again.expect("a good one").digest(), snapshot.digest());
});

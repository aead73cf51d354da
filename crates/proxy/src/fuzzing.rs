//! What fuzz targets call.

use crate::gate::{Gate, Phase};

/// Lets the gate see a client's bytes in one piece and in two: how they arrive must not matter.
pub fn gate(bytes: &[u8], cut: usize) {
    let (first, second) = bytes.split_at(cut.min(bytes.len()));
    let whole = see(&[bytes]);
    assert_eq!(whole, see(&[first, second]), "{bytes:?} cut at {cut}");
}

/// Where a client is after its bytes, and whether they passed.
fn see(pieces: &[&[u8]]) -> (Phase, bool) {
    let mut gate = Gate::default();
    let passed = pieces.iter().all(|piece| gate.see(piece).is_ok());
    (gate.phase(), passed)
}

//! What fuzz targets call.

/// Reads one file out of a zip archive; it holds at most `limit_bytes`.
pub fn zip(bytes: &[u8], wanted: &str, limit_bytes: usize) {
    let content = super::zip::read_file(bytes, wanted, limit_bytes);
    assert!(content.is_none_or(|content| content.len() <= limit_bytes));
}

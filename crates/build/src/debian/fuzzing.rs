//! What fuzz targets call.

use std::cmp::Ordering;

use model::debian_version;

use crate::layer::Place;

use super::index::Index;
use super::pin::Archive;
use super::release::Release;
use super::{control, deb};

/// Unpacks a package.
pub fn unpack(bytes: &[u8], place: &Place) {
    let _ = deb::unpack(bytes, place);
}

/// Reads a control file.
pub fn control(text: &str) {
    for paragraph in control::paragraphs(text) {
        for name in ["Package", "Version", "Depends", "SHA256"] {
            let value = control::field(&paragraph, name);
            assert!(value.is_none_or(|value| paragraph.contains(value)));
        }
    }
}

/// Reads a list of packages, and resolves all that it names.
pub fn index(text: &str) {
    let wanted: Vec<String> = control::paragraphs(text)
        .iter()
        .filter_map(|paragraph| control::field(paragraph, "Package"))
        .map(str::to_owned)
        .collect();
    let mut index = Index::default();
    index.add(Archive::Main, text.to_owned());
    let _ = index.resolve("trixie", &wanted);
}

/// Reads a Release file.
pub fn release(text: &str) {
    let _ = Release::parse(text, "trixie", model::Timestamp::UNIX_EPOCH);
}

/// Compares two versions in both directions.
pub fn versions(one: &str, other: &str) {
    let (there, back) = (
        debian_version::compare(one, other),
        debian_version::compare(other, one),
    );
    assert_eq!(there, back.reverse(), "{one:?} {other:?}");
    assert_eq!(
        debian_version::compare(one, one),
        Ordering::Equal,
        "{one:?}"
    );
}

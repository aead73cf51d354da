//! What a client pushes: a manifest, and the names in its path. What is a name is written as it was
//! read.

#![no_main]

use libfuzzer_sys::fuzz_target;

#[path = "../src/registry.rs"]
#[allow(dead_code, unused_imports, unreachable_pub)]
mod registry;
use registry::name::{ContentDigest, Reference, RepositoryName, Tag, UploadId};

fuzz_target!(|data: &[u8]| {
    let _ = registry::manifest::outline(data, None);
    let _ = registry::manifest::outline(data, Some(registry::manifest::INDEX));
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    if let Ok(name) = text.parse::<RepositoryName>() {
        assert_eq!(name.as_str(), text);
        assert!(!text.starts_with('/') && !text.contains(".."));
    }
    if let Ok(tag) = text.parse::<Tag>() {
        assert_eq!(tag.as_str(), text);
        assert!(!text.contains('/'));
    }
    if let Ok(digest) = text.parse::<ContentDigest>() {
        assert_eq!(digest.to_string(), text);
    }
    let _ = text.parse::<Reference>();
    let _ = text.parse::<UploadId>();
});

//! pip's lists of requirements. Only those with an exact version name a package.
//!
//! Source: pip, "Requirements File Format".

use super::{Lock, Named};
use crate::python::requirement;

/// The packages that the list pins, and all that it asks for.
pub(super) fn read(text: &str) -> Lock {
    let mut lock = Lock::default();
    for line in text.replace("\\\r\n", " ").replace("\\\n", " ").lines() {
        let line = line.split(" #").next().unwrap_or(line).trim();
        let line = line.split(" --").next().unwrap_or(line);
        if line.is_empty() || line.starts_with(['#', '-']) || line.contains("://") {
            continue;
        }
        let Some(asked) = requirement(line).filter(|one| one.may_apply()) else {
            continue;
        };
        if let Some(version) = &asked.pinned {
            lock.named.push(Named::pypi(&asked.name, version));
        }
        lock.asked.push(asked);
    }
    lock
}

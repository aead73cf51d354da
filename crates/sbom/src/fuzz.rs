//! Entry points for fuzzers: each parser over arbitrary bytes. They return nothing and must not
//! panic, whatever they are given, nor hold much more memory than that.

use crate::limits::Limits;
use crate::lock::LockKind;
use crate::problem::Problems;
use crate::text::lossy;
use crate::{binary, debian, licence, lock, node, python};

/// dpkg's list of packages.
pub fn dpkg_status(bytes: &[u8]) {
    let mut problems = Problems::default();
    debian::status("status", &lossy(bytes), 10_000, &mut problems);
    problems.into_sorted();
}

/// A Debian copyright file.
pub fn debian_copyright(bytes: &[u8]) {
    let read = debian::copyright(&lossy(bytes));
    if let Some(expression) = read.expression {
        assert!(!expression.is_empty());
    }
}

/// An os-release file.
pub fn os_release(bytes: &[u8]) {
    debian::os_release(&lossy(bytes));
}

/// A METADATA file, and an egg's list of requirements.
pub fn python_metadata(bytes: &[u8]) {
    let text = lossy(bytes);
    python::metadata(&text);
    python::requires_txt(&text);
}

/// One requirement with its marker.
pub fn python_requirement(bytes: &[u8]) {
    if let Some(requirement) = python::requirement(&lossy(bytes)) {
        requirement.may_apply();
    }
}

/// A package.json.
pub fn node_manifest(bytes: &[u8]) {
    let _ = node::manifest(bytes);
}

/// A lock file, read as each kind in turn.
pub fn lock_file(bytes: &[u8]) {
    let text = lossy(bytes);
    for kind in [
        LockKind::Npm,
        LockKind::Pnpm,
        LockKind::Yarn,
        LockKind::Bun,
        LockKind::Uv,
        LockKind::Requirements,
    ] {
        if let Ok(lock) = kind.read(&text) {
            lock::packages("lock", lock.named, 10_000, &mut Problems::default());
        }
    }
}

/// A program with Go's or Rust's build information.
pub fn program(bytes: &[u8]) {
    let _ = binary::linked(&bytes, &Limits::default());
}

/// A licence expression.
pub fn licence_expression(bytes: &[u8]) {
    licence::expression(&lossy(bytes));
}

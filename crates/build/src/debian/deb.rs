//! Unpacks the files of a Debian package; its maintainer scripts never run.
//!
//! Source: deb(5).

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io::Read;

use liblzma::read::XzDecoder;

use super::DebianError;
use crate::layer::{Place, UnpackLimits, unpack_tar};

/// What the list of installed packages says of one that was unpacked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Unpacked {
    /// Its control file.
    pub(super) control: String,
    /// What is kept of it, sorted; folders too.
    pub(super) files: BTreeSet<String>,
}

/// A control file is some two kilobytes.
const CONTROL_LIMIT: u64 = 1 << 20;

/// Unpacks what a base keeps of a package into `place`.
pub(super) fn unpack(deb: &[u8], place: &Place) -> Result<Unpacked, DebianError> {
    let (name, data) = member(deb, "data.tar").ok_or(DebianError::BadPackage)?;
    let files = RefCell::new(BTreeSet::new());
    let keep = |path: &str| {
        let kept = kept_path(path)?;
        files.borrow_mut().insert(kept.clone());
        Some(kept)
    };
    unpack_tar(unpacked(name, data)?, place, UnpackLimits::default(), keep)?;
    Ok(Unpacked {
        control: control(deb)?,
        files: files.into_inner(),
    })
}

/// The text of the package's control file.
fn control(deb: &[u8]) -> Result<String, DebianError> {
    let (name, data) = member(deb, "control.tar").ok_or(DebianError::BadPackage)?;
    let mut archive = tar::Archive::new(unpacked(name, data)?);
    for entry in archive.entries().map_err(|_| DebianError::BadPackage)? {
        let entry = entry.map_err(|_| DebianError::BadPackage)?;
        if matches!(&*entry.path_bytes(), b"./control" | b"control") {
            let mut text = String::new();
            let read = entry.take(CONTROL_LIMIT).read_to_string(&mut text);
            return read.map(|_| text).map_err(|_| DebianError::BadPackage);
        }
    }
    Err(DebianError::BadPackage)
}

fn unpacked<'a>(name: &str, data: &'a [u8]) -> Result<Box<dyn Read + 'a>, DebianError> {
    match name.rsplit_once(".tar") {
        Some((_, ".xz")) => Ok(Box::new(XzDecoder::new(data))),
        Some((_, ".gz")) => Ok(Box::new(flate2::read::GzDecoder::new(data))),
        Some((_, "")) => Ok(Box::new(data)),
        _ => Err(DebianError::BadPackage),
    }
}

/// Finds the member of the archive whose name begins so. Source: ar(5).
fn member<'a>(deb: &'a [u8], begins: &str) -> Option<(&'a str, &'a [u8])> {
    let mut rest = deb.strip_prefix(b"!<arch>\n")?;
    while rest.len() >= 60 {
        let (header, after) = rest.split_at(60);
        let text = |range: std::ops::Range<usize>| std::str::from_utf8(&header[range]).ok();
        let name = text(0..16)?.trim_end().trim_end_matches('/');
        let size: usize = text(48..58)?.trim().parse().ok()?;
        let data = after.get(..size)?;
        if name.starts_with(begins) {
            return Some((name, data));
        }
        rest = after.get(size + size % 2..)?;
    }
    None
}

/// Folders that `/usr` took in (Debian's usr-merge): links stand in their old places.
pub(super) const MERGED: [&str; 4] = ["bin", "lib", "lib64", "sbin"];

/// Where a package's file goes, or `None` for what nobody needs at run time: manuals,
/// translations, examples, files for packagers.
pub(super) fn kept_path(path: &str) -> Option<String> {
    let first = path.split('/').next().unwrap_or_default();
    if MERGED.contains(&path) {
        return None;
    }
    let path = match MERGED.contains(&first) {
        true => format!("usr/{path}"),
        false => path.to_owned(),
    };
    (!is_dropped(&path)).then_some(path)
}

const DROPPED: [&str; 17] = [
    "usr/lib/python3.11/EXTERNALLY-MANAGED",
    "usr/lib/python3.13/EXTERNALLY-MANAGED",
    "usr/lib/udev",
    "usr/share/applications",
    "usr/share/base-files",
    "usr/share/bash-completion",
    "usr/share/bug",
    "usr/share/common-licenses",
    "usr/share/debconf",
    "usr/share/doc-base",
    "usr/share/gcc",
    "usr/share/info",
    "usr/share/lintian",
    "usr/share/locale",
    "usr/share/man",
    "usr/share/menu",
    "usr/share/pixmaps",
];

fn is_dropped(path: &str) -> bool {
    let below = |folder: &str| {
        path.strip_prefix(folder)
            .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
    };
    // Licences stay: they must come with the files, and bills of materials read them. A package
    // may have its folder of documents as a link to a sibling's.
    let doc = path.strip_prefix("usr/share/doc/").is_some_and(|rest| {
        let package = rest.split('/').next().unwrap_or_default();
        rest != package && rest.strip_prefix(package) != Some("/copyright")
    });
    doc || DROPPED.iter().any(|folder| below(folder))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_go_where_merged_usr_has_them_and_manuals_stay_out() {
        for (path, kept) in [
            ("bin/sh", Some("usr/bin/sh")),
            (
                "lib/x86_64-linux-gnu/libc.so.6",
                Some("usr/lib/x86_64-linux-gnu/libc.so.6"),
            ),
            (
                "lib64/ld-linux-x86-64.so.2",
                Some("usr/lib64/ld-linux-x86-64.so.2"),
            ),
            ("usr/bin/env", Some("usr/bin/env")),
            ("libexec/x", Some("libexec/x")),
            ("bin", None),
            ("usr/share/man/man1/sh.1.gz", None),
            ("usr/share/mandatory", Some("usr/share/mandatory")),
            (
                "usr/share/doc/libc6/copyright",
                Some("usr/share/doc/libc6/copyright"),
            ),
            ("usr/share/doc/libstdc++6", Some("usr/share/doc/libstdc++6")),
            ("usr/share/doc/libc6/changelog.gz", None),
            ("usr/share/doc/libc6/examples/copyright", None),
            ("usr/share/locale/de/LC_MESSAGES/x.mo", None),
        ] {
            assert_eq!(kept_path(path).as_deref(), kept, "{path}");
        }
    }

    #[test]
    fn what_is_no_package_is_refused() {
        for bytes in [&b""[..], b"!<arch>\n", b"!<arch>\nshort", b"PK\x03\x04"] {
            assert!(member(bytes, "data.tar").is_none());
        }
        let mut endless = b"!<arch>\n".to_vec();
        endless.extend(format!("{:<48}{:<10}`\n", "data.tar.xz", 99_999_999).into_bytes());
        assert!(member(&endless, "data.tar").is_none());
    }
}

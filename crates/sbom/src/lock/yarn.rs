//! yarn's lock files, of version 1 and of later ones. Their entries are lines at the margin, with
//! what is known about them indented by two.

use super::{Named, at_version};

/// The packages that the lock names.
pub(super) fn read(text: &str) -> Vec<Named> {
    let mut named = Vec::new();
    let mut entry = Entry::default();
    for line in text.lines().chain([""]) {
        if line.starts_with('#') {
            continue;
        }
        match line.strip_prefix("  ") {
            Some(field) if !field.starts_with(' ') => entry.field(field.trim_end()),
            Some(_) => {}
            None => {
                named.extend(std::mem::take(&mut entry).named());
                entry.key = line.trim_end().trim_end_matches(':');
            }
        }
    }
    named
}

#[derive(Default)]
struct Entry<'a> {
    key: &'a str,
    version: Option<&'a str>,
    resolution: Option<&'a str>,
}

impl<'a> Entry<'a> {
    fn field(&mut self, line: &'a str) {
        let Some((name, value)) = line.split_once(' ') else {
            return;
        };
        let value = value.trim().trim_matches('"');
        match name.trim_end_matches(':') {
            "version" => self.version = Some(value),
            "resolution" => self.resolution = Some(value),
            _ => {}
        }
    }

    fn named(self) -> Option<Named> {
        if let Some(resolution) = self.resolution {
            let (name, version) = at_version(resolution)?;
            return Some(Named::npm(name, version));
        }
        let version = self.version?;
        let first = self.key.split(", ").next()?.trim().trim_matches('"');
        let at = first.get(1..)?.find('@')? + 1;
        let (name, range) = (&first[..at], &first[at + 1..]);
        let name = match range.strip_prefix("npm:") {
            // An alias: the range begins with the real name.
            Some(real) => &real[..real.get(1..)?.find('@')? + 1],
            None => name,
        };
        Some(Named::npm(name, version))
    }
}

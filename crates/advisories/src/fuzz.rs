//! Entry points for fuzzers: they must not panic, whatever they are given.

use std::io::Write;
use std::path::Path;

use model::Timestamp;

use crate::archive;
use crate::book::Book;
use crate::database::Database;
use crate::import::Reading;
use crate::interval::{Event, intervals};
use crate::licence::licence_verdict;
use crate::package::Package;
use crate::score;
use crate::version::Scheme;

const SCHEMES: [Scheme; 4] = [
    Scheme::Pep440,
    Scheme::Semver,
    Scheme::Debian,
    Scheme::Dotted,
];

/// A record: read, indexed, and looked up by all names and versions that it has.
pub fn record(bytes: &[u8]) {
    let mut reading = Reading::new(Timestamp::UNIX_EPOCH);
    reading.file("x.json", bytes);
    let Ok((_, book)) = reading.finish(Path::new("x")) else {
        return;
    };
    let book = Book(&book);
    for key in book.keys() {
        let entries = book.entries(key);
        for entry in entries.expect("a sound book") {
            book.title(entry.title).expect("a sound book");
        }
    }
}

/// An archive, in a file.
pub fn zip(bytes: &[u8]) {
    let Ok(mut file) = tempfile::NamedTempFile::new() else {
        return;
    };
    if file.write_all(bytes).is_ok() {
        let _ = archive::visit(file.path(), |_, _| Ok(()));
    }
}

/// An index, in a file, and its content behind a digest that fits.
pub fn index(bytes: &[u8]) {
    let Ok(folder) = tempfile::tempdir() else {
        return;
    };
    let path = folder.path().join("index");
    let purls = ["pkg:pypi/a@1", "pkg:deb/debian/b@1?distro=debian-13"];
    let packages: Vec<_> = purls
        .iter()
        .filter_map(|purl| Package::of_purl(purl))
        .collect();
    for content in [bytes.to_vec(), Database::sealed(bytes)] {
        if std::fs::write(&path, content).is_ok()
            && let Ok(database) = Database::open(&path)
        {
            database.find(&packages);
            database.age_seconds(Timestamp::UNIX_EPOCH);
        }
    }
    let book = Book(bytes);
    for key in book.keys().take(100) {
        for entry in book.entries(key).unwrap_or_default() {
            let _ = book.title(entry.title);
        }
    }
}

/// Two versions in each order, and a range of them.
pub fn versions(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    let (one, other) = text.split_once('\n').unwrap_or((&text, ""));
    for scheme in SCHEMES {
        let events = [Event::Introduced(one.into()), Event::Fixed(other.into())];
        let found = intervals(scheme, &events);
        let (Some(a), Some(b)) = (scheme.parse(one), scheme.parse(other)) else {
            continue;
        };
        let (there, back) = (a.compare(&b), b.compare(&a));
        assert_eq!(
            there,
            back.map(std::cmp::Ordering::reverse),
            "{one:?} {other:?}"
        );
        if there == Some(std::cmp::Ordering::Equal)
            && scheme != Scheme::Debian
            && scheme != Scheme::Dotted
        {
            assert_eq!(
                scheme.canonical(one),
                scheme.canonical(other),
                "{one:?} {other:?}"
            );
        }
        found.intervals.iter().for_each(|interval| {
            interval.contains(scheme, &a);
        });
    }
}

/// A severity, a package URL and a licence.
pub fn words(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    if let Some(tenths) = score::tenths(&text) {
        assert!(tenths <= 100);
    }
    let _ = Package::of_purl(&text);
    let _ = licence_verdict(Some(&text), &["MIT"]);
}

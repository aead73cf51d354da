//! From archives of records to what is found in packages.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use advisories::{
    Change, Database, Import, ImportError, Imported, OpenError, Package, QuirkKind, import,
};
use model::Timestamp;
use model::advisory::{AdvisoryKind, Certainty, Hit, Matches, Rating};
use serde_json::{Value, json};
use zip::write::SimpleFileOptions;

const NOW: &str = "2026-11-25T03:00:00Z";

fn now() -> Timestamp {
    NOW.parse().expect("a time")
}

/// A record with the fields that each one has.
fn record(id: &str, ecosystem: &str, name: &str, affected: Value) -> Value {
    let mut one = json!({"package": {"ecosystem": ecosystem, "name": name}});
    let fields = affected.as_object().cloned().unwrap_or_default();
    one.as_object_mut().expect("an object").extend(fields);
    json!({
        "schema_version": "1.7.0",
        "id": id,
        "modified": "2026-11-24T00:00:00Z",
        "published": "2026-01-01T00:00:00Z",
        "summary": format!("a fault of {name}"),
        "affected": [one],
    })
}

fn range(kind: &str, events: Value) -> Value {
    json!({"ranges": [{"type": kind, "events": events}]})
}

fn with(mut record: Value, key: &str, value: Value) -> Value {
    record[key] = value;
    record
}

fn vector(kind: &str, score: &str) -> Value {
    json!([{"type": kind, "score": score}])
}

const CRITICAL: &str = "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H";

/// A place for archives and an index.
struct Desk {
    folder: tempfile::TempDir,
}

impl Desk {
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self { folder }
    }

    fn index(&self) -> PathBuf {
        self.folder.path().join("osv.index")
    }

    fn archive(&self, name: &str, records: &[Value]) -> PathBuf {
        let files: Vec<_> = records
            .iter()
            .map(|record| {
                let id = record["id"].as_str().expect("an id");
                (format!("{id}.json"), record.to_string().into_bytes())
            })
            .collect();
        self.zip(name, &files)
    }

    fn zip(&self, name: &str, files: &[(String, Vec<u8>)]) -> PathBuf {
        let path = self.folder.path().join(name);
        let mut zip = zip::ZipWriter::new(fs::File::create(&path).expect("a file"));
        for (name, content) in files {
            zip.start_file(name, SimpleFileOptions::default())
                .expect("a zip");
            zip.write_all(content).expect("a zip");
        }
        zip.finish().expect("a zip");
        path
    }

    fn import(&self, archives: &[PathBuf]) -> Result<Imported, ImportError> {
        self.import_with(archives, Change::Plausible)
    }

    fn import_with(&self, archives: &[PathBuf], change: Change) -> Result<Imported, ImportError> {
        let index = self.index();
        import(&Import {
            archives,
            index: &index,
            now: now(),
            change,
        })
    }

    fn open(&self) -> Database {
        Database::open(&self.index()).expect("an index")
    }
}

fn find(database: &Database, purls: &[&str]) -> Matches {
    let packages = purls
        .iter()
        .map(|purl| Package::of_purl(purl).expect("a purl"));
    database.find(&packages.collect::<Vec<_>>())
}

fn ids(matches: &Matches) -> Vec<&str> {
    matches.hits.iter().map(|hit| hit.id.as_str()).collect()
}

fn pypi() -> Vec<Value> {
    let fixed = |introduced: &str, fixed: &str| {
        range(
            "ECOSYSTEM",
            json!([{"introduced": introduced}, {"fixed": fixed}]),
        )
    };
    let mut listed = fixed("0", "1.0");
    listed["versions"] = json!(["0.9", "2004d", "1.5"]);
    vec![
        with(
            record("PYSEC-1", "PyPI", "Zope.Interface", fixed("0", "2.0")),
            "severity",
            vector("CVSS_V3", CRITICAL),
        ),
        record("PYSEC-2", "PyPI", "legacy", listed),
        record(
            "PYSEC-3",
            "PyPI",
            "torch",
            range(
                "ECOSYSTEM",
                json!([{"introduced": "0"}, {"last_affected": "2.0"}]),
            ),
        ),
        with(
            record("PYSEC-4", "PyPI", "gone", fixed("0", "9")),
            "withdrawn",
            json!("2026-01-01T00:00:00Z"),
        ),
        record(
            "PYSEC-5",
            "PyPI",
            "twice",
            json!({"ranges": [
                {"type": "GIT", "repo": "https://example.org/x", "events": [{"introduced": "0"}]},
                {"type": "ECOSYSTEM", "events": [{"introduced": "1.0"}, {"fixed": "1.4"}, {"introduced": "2.0"}, {"fixed": "2.6"}]},
            ]}),
        ),
        record(
            "PYSEC-6",
            "PyPI",
            "odd",
            range(
                "ECOSYSTEM",
                json!([{"introduced": "0"}, {"fixed": "no version"}]),
            ),
        ),
        record(
            "MAL-1",
            "PyPI",
            "requestz",
            range("ECOSYSTEM", json!([{"introduced": "0"}])),
        ),
    ]
}

fn others() -> Vec<(&'static str, Vec<Value>)> {
    let semver = |events| range("SEMVER", events);
    let debian = |fixed| range("ECOSYSTEM", json!([{"introduced": "0"}, {"fixed": fixed}]));
    let mut notice = semver(json!([{"introduced": "0.0.0-0"}]));
    notice["database_specific"] = json!({"informational": "unmaintained"});
    vec![
        (
            "npm",
            vec![
                with(
                    record(
                        "GHSA-1",
                        "npm",
                        "@scope/pkg",
                        semver(json!([{"introduced": "1.0.0"}, {"fixed": "1.2.3"}])),
                    ),
                    "aliases",
                    json!(["CVE-1"]),
                ),
                record("GHSA-2", "npm", "Case", json!({"versions": ["1.0.0"]})),
            ],
        ),
        (
            "Go",
            vec![
                with(
                    record(
                        "GO-1",
                        "Go",
                        "github.com/Azure/thing",
                        semver(json!([{"introduced": "0"}, {"fixed": "1.9.0"}])),
                    ),
                    "modified",
                    json!("0001-01-01T00:00:00Z"),
                ),
                record(
                    "GO-2",
                    "Go",
                    "stdlib",
                    semver(json!([{"introduced": "1.22.0-0"}, {"fixed": "1.22.3"}])),
                ),
            ],
        ),
        (
            "crates.io",
            vec![
                record("RUSTSEC-1", "crates.io", "old", notice),
                record(
                    "RUSTSEC-2",
                    "crates.io",
                    "bad",
                    semver(json!([{"introduced": "0.0.0-0"}, {"fixed": "0.3.1"}])),
                ),
            ],
        ),
        (
            "Debian",
            vec![
                record(
                    "DSA-6001-1",
                    "Debian:13",
                    "openssl",
                    debian("3.5.4-1~deb13u1"),
                ),
                record(
                    "DSA-6002-1",
                    "Debian:12",
                    "openssl",
                    debian("3.0.17-1~deb12u3"),
                ),
                record(
                    "DEBIAN-CVE-3",
                    "Debian:13",
                    "glibc",
                    range("ECOSYSTEM", json!([{"introduced": "0"}])),
                ),
            ],
        ),
        (
            "Maven",
            vec![
                record(
                    "GHSA-3",
                    "Maven",
                    "org.example:lib",
                    range(
                        "ECOSYSTEM",
                        json!([{"introduced": "0"}, {"fixed": "2.17.1"}]),
                    ),
                ),
                record(
                    "GHSA-4",
                    "Maven",
                    "org.example:other",
                    json!({"versions": ["1.0.Final"]}),
                ),
            ],
        ),
    ]
}

/// An index of all of them.
fn full() -> (Desk, Imported) {
    let desk = Desk::new();
    let mut archives = vec![desk.archive("PyPI.zip", &pypi())];
    archives.extend(
        others()
            .iter()
            .map(|(name, records)| desk.archive(&format!("{name}.zip"), records)),
    );
    let imported = desk.import(&archives).expect("sound archives");
    (desk, imported)
}

#[test]
fn packages_are_found_by_their_exact_name_and_the_order_of_their_versions() {
    let (desk, _) = full();
    let database = desk.open();
    for (purl, expected, fixed) in [
        ("pkg:pypi/zope-interface@1.9", vec!["PYSEC-1"], Some("2.0")),
        (
            "pkg:pypi/zope-interface@2.0rc1",
            vec!["PYSEC-1"],
            Some("2.0"),
        ),
        ("pkg:pypi/zope-interface@2.0", vec![], None),
        ("pkg:pypi/zope@1.9", vec![], None),
        ("pkg:pypi/legacy@0.1", vec!["PYSEC-2"], Some("1.0")),
        ("pkg:pypi/legacy@1.5.0", vec!["PYSEC-2"], None),
        ("pkg:pypi/legacy@1.4", vec![], None),
        ("pkg:pypi/legacy@2004d", vec!["PYSEC-2"], Some("1.0")),
        ("pkg:pypi/torch@2.0%2Bcu118", vec!["PYSEC-3"], None),
        ("pkg:pypi/torch@2.0.1", vec![], None),
        ("pkg:pypi/gone@1", vec![], None),
        ("pkg:pypi/twice@2.5", vec!["PYSEC-5"], Some("2.6")),
        ("pkg:pypi/twice@1.5", vec![], None),
        ("pkg:pypi/requestz@9", vec!["MAL-1"], None),
        (
            "pkg:npm/%40scope/pkg@1.2.3-beta.1",
            vec!["GHSA-1"],
            Some("1.2.3"),
        ),
        ("pkg:npm/%40scope/pkg@1.0.0-beta.1", vec![], None),
        ("pkg:npm/Case@v1.0.0", vec!["GHSA-2"], None),
        ("pkg:npm/case@1.0.0", vec![], None),
        (
            "pkg:golang/github.com/azure/thing@v1.8.9%2Bincompatible",
            vec!["GO-1"],
            Some("1.9.0"),
        ),
        ("pkg:golang/stdlib@1.22.2", vec!["GO-2"], Some("1.22.3")),
        ("pkg:golang/stdlib@1.22rc1", vec!["GO-2"], Some("1.22.3")),
        ("pkg:golang/stdlib@1.21.9", vec![], None),
        ("pkg:cargo/bad@0.3.0", vec!["RUSTSEC-2"], Some("0.3.1")),
        ("pkg:cargo/bad@0.3.1", vec![], None),
        (
            "pkg:deb/debian/libssl3t64@3.5.1-1?arch=amd64&distro=debian-13&upstream=openssl",
            vec!["DSA-6001-1"],
            Some("3.5.4-1~deb13u1"),
        ),
        (
            "pkg:deb/debian/libssl3t64@3.5.4-1~deb13u1?distro=debian-13&upstream=openssl",
            vec![],
            None,
        ),
        (
            "pkg:deb/debian/openssl@3.0.11-1~deb12u2?distro=debian-12.5",
            vec!["DSA-6002-1"],
            Some("3.0.17-1~deb12u3"),
        ),
        (
            "pkg:deb/debian/libc6@2.41-12?distro=debian-13&upstream=glibc",
            vec!["DEBIAN-CVE-3"],
            None,
        ),
        (
            "pkg:maven/org.example/lib@2.9.0",
            vec!["GHSA-3"],
            Some("2.17.1"),
        ),
        (
            "pkg:maven/org.example/other@1.0.Final",
            vec!["GHSA-4"],
            None,
        ),
    ] {
        let matches = find(&database, &[purl]);
        assert_eq!(ids(&matches), expected, "{purl}");
        assert!(matches.uncovered.is_empty(), "{purl}");
        let found = matches.hits.first().and_then(|hit| hit.fixed_in.as_deref());
        assert_eq!(found, fixed, "{purl}");
    }
}

#[test]
fn a_hit_tells_how_bad_it_is_and_what_it_is() {
    let (desk, _) = full();
    let database = desk.open();
    let purls = [
        "pkg:pypi/zope-interface@1",
        "pkg:pypi/requestz@1",
        "pkg:cargo/old@1.0.0",
        "pkg:npm/%40scope/pkg@1.1.0",
    ];
    let matches = find(&database, &purls);
    let of = |id: &str| -> Hit {
        matches
            .hits
            .iter()
            .find(|hit| hit.id == id)
            .expect(id)
            .clone()
    };
    assert_eq!(matches.hits[0].id, "MAL-1", "harm by intent comes first");
    assert_eq!(of("MAL-1").kind, AdvisoryKind::Malicious);
    assert_eq!(of("RUSTSEC-1").kind, AdvisoryKind::Notice);
    let hit = of("PYSEC-1");
    assert_eq!(
        (hit.rating, hit.score.map(|score| score.tenths)),
        (Rating::Critical, Some(98))
    );
    assert_eq!(
        (hit.name.as_str(), hit.certainty),
        ("Zope.Interface", Certainty::Certain)
    );
    assert_eq!(hit.summary, "a fault of Zope.Interface");
    assert_eq!(of("GHSA-1").aliases, ["CVE-1"]);
    assert_eq!(of("GHSA-1").rating, Rating::Unknown);
}

#[test]
fn what_could_not_be_looked_for_is_told() {
    let (desk, _) = full();
    let database = desk.open();
    let matches = find(
        &database,
        &[
            "pkg:generic/node@22.1.0",
            "pkg:gem/rails@7.0.0",
            "pkg:deb/debian/openssl@3.0-1?distro=debian-11",
            "pkg:deb/debian/openssl@3.0-1",
            "pkg:pypi/zope-interface",
            "pkg:pypi/zope-interface@not-a-version",
            "pkg:pypi/unknown@not-a-version",
            "pkg:maven/org.example/lib@2.0.Final",
        ],
    );
    assert_eq!(
        matches.uncovered,
        [
            "pkg:generic/node@22.1.0",
            "pkg:gem/rails@7.0.0",
            "pkg:deb/debian/openssl@3.0-1?distro=debian-11",
            "pkg:deb/debian/openssl@3.0-1",
        ]
    );
    assert_eq!(matches.unversioned, ["pkg:pypi/zope-interface"]);
    assert_eq!(
        matches.unreadable,
        [
            "pkg:pypi/zope-interface@not-a-version",
            "pkg:maven/org.example/lib@2.0.Final"
        ]
    );
    // A version without a place in the order is older than all that have one.
    assert_eq!(ids(&matches), ["PYSEC-1", "GHSA-3"]);
    assert!(
        matches
            .hits
            .iter()
            .all(|hit| hit.certainty == Certainty::Assumed)
    );
}

#[test]
fn a_range_that_cannot_be_read_is_taken_for_the_worst_and_said_to_be() {
    let (desk, imported) = full();
    let matches = find(&desk.open(), &["pkg:pypi/odd@7"]);
    assert_eq!(ids(&matches), ["PYSEC-6"]);
    assert_eq!(matches.hits[0].certainty, Certainty::Assumed);
    let pypi = imported
        .facts
        .iter()
        .find(|facts| facts.ecosystem == "PyPI")
        .expect("PyPI");
    assert_eq!(
        pypi.quirks[&QuirkKind::UnreadableVersion].examples,
        ["PYSEC-6"]
    );
    assert_eq!((pypi.records, pypi.withdrawn, pypi.malicious), (6, 1, 1));
    let go = imported
        .facts
        .iter()
        .find(|facts| facts.ecosystem == "Go")
        .expect("Go");
    assert_eq!(go.quirks[&QuirkKind::NoDate].count, 1);
}

#[test]
fn the_age_is_that_of_the_newest_record_that_is_not_in_the_future() {
    let desk = Desk::new();
    let mut records = pypi();
    records.push(with(pypi().remove(0), "id", json!("PYSEC-9")));
    records[7]["modified"] = json!("2027-07-09T15:54:00Z");
    let npm = with(
        others()[0].1[0].clone(),
        "modified",
        json!("2026-09-10T00:00:00Z"),
    );
    let archives = [
        desk.archive("a.zip", &records),
        desk.archive("b.zip", &[npm]),
    ];
    let imported = desk.import(&archives).expect("sound archives");
    assert_eq!(
        imported.facts[0].quirks[&QuirkKind::FutureDate].examples,
        ["PYSEC-9"]
    );
    let database = desk.open();
    let day = 24 * 60 * 60;
    assert_eq!(database.age_seconds(now()), Some(day + 3 * 60 * 60));
    let package = |purl: &str| Package::of_purl(purl).expect("a purl");
    let both = [package("pkg:pypi/a@1"), package("pkg:npm/a@1.0.0")];
    assert_eq!(
        database.age_seconds_for(&both[..1], now()),
        Some(day + 3 * 60 * 60)
    );
    assert_eq!(
        database.age_seconds_for(&both, now()),
        Some(76 * day + 3 * 60 * 60)
    );
    assert_eq!(
        database.age_seconds_for(&[package("pkg:gem/a@1")], now()),
        None
    );
    let long_ago = "2000-01-01T00:00:00Z".parse().expect("a time");
    assert_eq!(database.age_seconds(long_ago), None);
}

#[test]
fn another_ecosystem_takes_its_place_beside_those_that_are_there() {
    let (desk, _) = full();
    let fresh = record(
        "PYSEC-7",
        "PyPI",
        "new",
        range("ECOSYSTEM", json!([{"introduced": "0"}])),
    );
    let records: Vec<_> = pypi().into_iter().chain([fresh]).collect();
    let before = desk.open();
    let imported = desk
        .import(&[desk.archive("again.zip", &records)])
        .expect("a sound archive");
    assert_eq!(imported.kept, ["Debian", "Go", "Maven", "crates.io", "npm"]);
    let after = desk.open();
    let purls = ["pkg:pypi/new@1", "pkg:npm/Case@1.0.0"];
    assert_eq!(ids(&find(&after, &purls)), ["GHSA-2", "PYSEC-7"]);
    assert_eq!(
        ids(&find(&before, &purls)),
        ["GHSA-2"],
        "who has it open goes on with the old one"
    );
    assert_eq!(after.digest(), imported.digest);
    assert_ne!(after.digest(), before.digest());
}

#[test]
fn threads_share_a_database() {
    let (desk, _) = full();
    let database = desk.open();
    std::thread::scope(|scope| {
        for purl in ["pkg:pypi/requestz@1", "pkg:pypi/torch@1.0"] {
            let database = &database;
            scope.spawn(move || assert_eq!(find(database, &[purl]).hits.len(), 1));
        }
    });
}

#[test]
fn equal_archives_make_equal_indexes() {
    let (one, other) = (full().1, full().1);
    assert_eq!(one.digest, other.digest);
}

/// Whether an import fails so, and leaves the index as it was.
fn fails(desk: &Desk, archive: PathBuf, is_expected: impl Fn(&ImportError) -> bool) {
    let before = fs::read(desk.index()).expect("an index");
    let shown = archive.display().to_string();
    let error = desk.import(&[archive]).expect_err(&shown);
    assert!(is_expected(&error), "{error:?}");
    assert_eq!(fs::read(desk.index()).expect("an index"), before, "{error}");
    let files = fs::read_dir(desk.folder.path()).expect("a folder");
    let names = files.map(|file| {
        file.expect("a file")
            .file_name()
            .to_string_lossy()
            .into_owned()
    });
    assert!(!names.into_iter().any(|name| name.starts_with(".tmp")));
}

#[test]
fn what_is_no_sound_archive_changes_nothing() {
    let (desk, _) = full();
    let sound = fs::read(desk.archive("sound.zip", &pypi())).expect("an archive");
    for cut in [
        0,
        1,
        100,
        sound.len() / 2,
        sound.len() - 30,
        sound.len() - 1,
    ] {
        let path = desk.folder.path().join("cut.zip");
        fs::write(&path, &sound[..cut]).expect("a file");
        fails(&desk, path, |error| {
            matches!(error, ImportError::Damaged { .. })
        });
    }
    let mut flipped = sound;
    flipped[60] ^= 0xff;
    let path = desk.folder.path().join("flipped.zip");
    fs::write(&path, flipped).expect("a file");
    fails(&desk, path, |error| {
        matches!(
            error,
            ImportError::Damaged { .. } | ImportError::Unreadable { .. }
        )
    });
    let nothing = desk.zip("nothing.zip", &[]);
    fails(&desk, nothing, |error| {
        matches!(error, ImportError::NoRecords { .. })
    });
    let foreign = desk.zip("foreign.zip", &[("a.txt".into(), b"x".to_vec())]);
    fails(&desk, foreign, |error| {
        matches!(error, ImportError::NoRecords { .. })
    });
    let missing = desk.folder.path().join("missing.zip");
    fails(&desk, missing, |error| {
        matches!(error, ImportError::Open { .. })
    });
    let broken = desk.zip("broken.zip", &[("A-1.json".into(), b"{\"id\":".to_vec())]);
    fails(&desk, broken, |error| {
        matches!(error, ImportError::Unreadable { .. })
    });
    assert!(matches!(desk.import(&[]), Err(ImportError::Nothing)));
}

#[test]
fn an_archive_that_grows_beyond_measure_is_refused_in_bounded_memory() {
    let (desk, _) = full();
    let one = desk.zip("one.zip", &[("A.json".into(), vec![b' '; 20 << 20])]);
    fails(&desk, one, |error| {
        matches!(error, ImportError::TooLarge { .. })
    });
    let many: Vec<_> = (0..5)
        .map(|n| (format!("{n}.json"), vec![b' '; 15 << 20]))
        .collect();
    let many = desk.zip("many.zip", &many);
    fails(&desk, many, |error| {
        matches!(
            error,
            ImportError::TooLarge {
                what: "what it unpacks to",
                ..
            }
        )
    });
}

#[test]
fn one_bad_record_among_many_is_counted_and_left_out() {
    let desk = Desk::new();
    let good = |n: usize| {
        record(
            &format!("A-{n}"),
            "PyPI",
            &format!("p{n}"),
            json!({"versions": ["1"]}),
        )
    };
    let mut files: Vec<_> = (0..200)
        .map(|n| (format!("A-{n}.json"), good(n).to_string().into_bytes()))
        .collect();
    files.push(("A-bad.json".into(), b"\xff\xfe".to_vec()));
    files.push(("other-name.json".into(), good(0).to_string().into_bytes()));
    files.push(("README".into(), b"x".to_vec()));
    let nothing = record("A-none", "PyPI", "none", json!({}));
    files.push(("A-none.json".into(), nothing.to_string().into_bytes()));
    let scored = with(good(300), "severity", vector("CVSS_V3", ""));
    files.push(("A-300.json".into(), scored.to_string().into_bytes()));
    let imported = desk
        .import(&[desk.zip("a.zip", &files)])
        .expect("good enough");
    let quirks = &imported.facts[0].quirks;
    for kind in [
        QuirkKind::Unreadable,
        QuirkKind::Misnamed,
        QuirkKind::Duplicate,
        QuirkKind::Foreign,
        QuirkKind::NoVersions,
        QuirkKind::UnreadableScore,
    ] {
        assert_eq!(quirks[&kind].count, 1, "{kind:?}");
    }
    assert_eq!(ids(&find(&desk.open(), &["pkg:pypi/p0@1"])), ["A-0"]);
}

#[test]
fn records_do_not_vanish_and_dates_do_not_go_back_unless_somebody_looked() {
    let (desk, _) = full();
    let few = desk.archive("few.zip", &pypi()[..3]);
    fails(&desk, few.clone(), |error| {
        matches!(error, ImportError::Shrunk { was: 6, is: 3, .. })
    });
    let old = |record: Value| with(record, "modified", json!("2026-03-01T00:00:00Z"));
    let old = desk.archive("old.zip", &pypi().into_iter().map(old).collect::<Vec<_>>());
    fails(&desk, old, |error| {
        matches!(error, ImportError::Older { .. })
    });
    let future = |record: Value| with(record, "modified", json!("2099-01-01T00:00:00Z"));
    let future = desk.archive(
        "future.zip",
        &pypi().into_iter().map(future).collect::<Vec<_>>(),
    );
    fails(&desk, future, |error| {
        matches!(error, ImportError::Undated { .. })
    });
    desk.import_with(&[few], Change::Any)
        .expect("somebody looked at it");
    let same = desk.archive("one.zip", &pypi());
    let twice = [same.clone(), same];
    assert!(matches!(
        desk.import(&twice),
        Err(ImportError::Twice { .. })
    ));
}

#[test]
fn an_index_that_is_not_whole_is_no_index() {
    let (desk, _) = full();
    let path = desk.index();
    let whole = fs::read(&path).expect("an index");
    let opened = |content: &[u8]| {
        fs::write(&path, content).expect("a file");
        Database::open(&path)
    };
    for at in (0..whole.len()).step_by(97) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1;
        assert!(opened(&damaged).is_err(), "byte {at}");
        assert!(opened(&whole[..at]).is_err(), "cut at {at}");
    }
    assert!(matches!(
        opened(b""),
        Err(OpenError::Foreign { .. } | OpenError::Read { .. })
    ));
    assert!(matches!(
        opened(&whole[..60]),
        Err(OpenError::Damaged { .. })
    ));
    fs::remove_file(&path).expect("a file");
    assert!(matches!(
        Database::open(Path::new(&path)),
        Err(OpenError::Read { .. })
    ));
    fs::write(&path, &whole).expect("a file");
    assert!(Database::open(&path).is_ok());
}

#[test]
fn a_damaged_index_does_not_keep_new_data_out() {
    let (desk, _) = full();
    fs::write(desk.index(), b"rubbish").expect("a file");
    desk.import(&[desk.archive("again.zip", &pypi())])
        .expect("a sound archive");
    assert_eq!(
        ids(&find(&desk.open(), &["pkg:pypi/requestz@1"])),
        ["MAL-1"]
    );
}

//! The packages that an app asks for, as far as they can be judged without a registry.

use advisories::{Database, Package, near_popular};
use model::advisory::{Hit, Origin};
use model::digest::Digest;
use model::finding::{
    self, Confidence, Finding, Fingerprint, Fix, FixKind, FixSafety, Gate, Place, Severity,
};
use model::vulnerable;

use super::declared::{self, Declared};
use super::locked;
use super::{NotChecked, Sources};

/// Lists and locks that are larger are none that anybody wrote.
const LARGEST: u64 = 16 << 20;

/// What was found, and what was not looked at.
#[derive(Debug, Default)]
pub(super) struct Packages {
    pub(super) findings: Vec<Finding>,
    pub(super) not_checked: Vec<NotChecked>,
    near: Vec<Finding>,
}

/// Looks at every list of packages and every lock.
pub(super) fn check(sources: &dyn Sources, advisories: Option<&Database>) -> Packages {
    let mut packages = Packages::default();
    packages.not("dependency names", "no registry is asked without a server");
    if advisories.is_none() {
        packages.not(
            "known vulnerabilities",
            "no current data is here; `mayfly db update` fetches it, and `mayfly up` looks",
        );
    }
    for listed in sources.list() {
        let path = &listed.path;
        let is_read = declared::declares(path) || locked::pins(path);
        if listed.size_bytes > LARGEST || !is_read {
            if advisories.is_some() && locked::is_unread(path) {
                packages.not(path, "packages that it pins are looked at by `mayfly up`");
            }
            continue;
        }
        let Ok(bytes) = sources.read(path) else {
            continue;
        };
        let Ok(text) = std::str::from_utf8(&bytes) else {
            continue;
        };
        packages.names(path, text);
        if let Some(advisories) = advisories {
            packages.pinned(path, text, advisories);
        }
    }
    // Records bring a name of their own.
    finding::stamp(&mut packages.near);
    packages.findings.append(&mut packages.near);
    packages
}

impl Packages {
    fn not(&mut self, what: &str, why: &str) {
        self.not_checked.push(NotChecked {
            what: what.to_owned(),
            why: why.to_owned(),
        });
    }

    fn names(&mut self, path: &str, text: &str) {
        for declared in declared::declared(path, text) {
            if let Some(popular) = near_popular(&declared.ecosystem, &declared.name) {
                self.near.push(near(path, text, &declared, popular));
            }
        }
    }

    fn pinned(&mut self, path: &str, text: &str, advisories: &Database) {
        let pinned = locked::pinned(path, text);
        let packages = pinned.iter().filter_map(|one| Package::of_purl(&one.purl));
        let packages: Vec<Package> = packages.collect();
        let matches = advisories.find(&packages);
        for group in matches.grouped() {
            let line = pinned.iter().find(|one| one.purl == group[0].purl);
            let line = line.map_or(0, |one| one.line);
            self.findings.push(known(path, line, group[0]));
        }
    }
}

fn near(path: &str, text: &str, declared: &Declared, popular: &str) -> Finding {
    let line = text
        .lines()
        .nth(declared.line as usize - 1)
        .unwrap_or_default();
    let end = declared.at + declared.name.len();
    let column = |at: usize| line[..at].chars().count() as u32 + 1;
    let mended = format!("{}{popular}{}", &line[..declared.at], &line[end..]);
    let number = declared.line;
    let patch =
        format!("--- a/{path}\n+++ b/{path}\n@@ -{number},1 +{number},1 @@\n-{line}\n+{mended}\n");
    let name = &declared.name;
    Finding {
        gate: Gate::Dependencies,
        rule_id: "dependency-near-popular".into(),
        severity: Severity::Medium,
        confidence: Confidence::Medium,
        // Of trusting a component that is not what one takes it for.
        cwe: Some(1357),
        file: path.to_owned(),
        line: number,
        column: column(declared.at),
        end: Place {
            line: number,
            column: column(end),
        },
        snippet: name.clone(),
        why: format!(
            "`{name}` is one slip away from `{popular}`, which nearly everybody uses: such names \
             are registered to put foreign code into apps."
        ),
        fix: Some(Fix {
            kind: FixKind::Replace,
            safety: FixSafety::Review,
            from: name.clone(),
            to: popular.to_owned(),
            patch: Some(patch),
            file_digest: Some(Digest::of(text.as_bytes())),
        }),
        next: format!("if `{popular}` is meant, write that; otherwise look who publishes `{name}`"),
        ..blank()
    }
}

fn known(path: &str, line: u32, hit: &Hit) -> Finding {
    Finding {
        file: path.to_owned(),
        line,
        ..vulnerable::finding(hit, Origin::App, &[])
    }
}

/// A finding that says nothing yet.
fn blank() -> Finding {
    Finding {
        fingerprint: Fingerprint(String::new()),
        gate: Gate::Dependencies,
        rule_id: String::new(),
        severity: Severity::Info,
        confidence: Confidence::Low,
        blocks: false,
        cwe: None,
        file: String::new(),
        line: 0,
        column: 0,
        end: Place::default(),
        snippet: String::new(),
        trace: vec![],
        why: String::new(),
        fix: None,
        purl: None,
        path: vec![],
        aliases: vec![],
        introduced_by_this_change: None,
        retryable: false,
        next: String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use advisories::{Change, Import, import};
    use serde_json::json;
    use std::io::Write;

    /// Data about one fault of flask before 2.2.5.
    fn data(folder: &std::path::Path) -> Database {
        let record = json!({
            "schema_version": "1.7.0",
            "id": "PYSEC-1",
            "modified": "2026-11-24T00:00:00Z",
            "published": "2026-01-01T00:00:00Z",
            "summary": "cookies of others are sent",
            "severity": [{
                "type": "CVSS_V3",
                "score": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",
            }],
            "affected": [{
                "package": {"ecosystem": "PyPI", "name": "flask"},
                "ranges": [{
                    "type": "ECOSYSTEM",
                    "events": [{"introduced": "0"}, {"fixed": "2.2.5"}],
                }],
            }],
        });
        let archive = folder.join("PyPI.zip");
        let file = std::fs::File::create(&archive).expect("a file");
        let mut zip = zip::ZipWriter::new(file);
        let options = zip::write::SimpleFileOptions::default();
        zip.start_file("PYSEC-1.json", options).expect("a zip");
        zip.write_all(record.to_string().as_bytes()).expect("a zip");
        zip.finish().expect("a zip");
        let index = folder.join("osv.index");
        let imported = import(&Import {
            archives: &[archive],
            index: &index,
            now: "2026-11-25T03:00:00Z".parse().expect("a time"),
            change: Change::Plausible,
        });
        imported.expect("an index");
        Database::open(&index).expect("an index")
    }

    #[test]
    fn pinned_packages_are_looked_up_where_there_is_data() {
        let folder = tempfile::tempdir().expect("a folder");
        let database = data(folder.path());
        let file = |path: &str, text: &str| (path.to_owned(), text.as_bytes().to_vec());
        let sources = lint::InMemory(vec![
            file("requirements.txt", "requests\nflask==2.0.0\n"),
            file(
                "api/uv.lock",
                "[[package]]\nname = 'flask'\nversion = '2.3.0'\n",
            ),
            file("web/yarn.lock", ""),
        ]);
        let with = check(&sources, Some(&database));
        let found = with
            .findings
            .iter()
            .map(|one| (one.file.as_str(), one.line, one.blocks));
        assert_eq!(found.collect::<Vec<_>>(), [("requirements.txt", 2, true)]);
        assert!(with.findings[0].fingerprint.0.starts_with("v-"));
        let not = |packages: &Packages, what: &str| {
            packages.not_checked.iter().any(|one| one.what == what)
        };
        assert!(not(&with, "web/yarn.lock") && !not(&with, "known vulnerabilities"));
        let without = check(&sources, None);
        assert!(without.findings.is_empty() && not(&without, "known vulnerabilities"));
    }
}

//! Our own crates, matched against RustSec's records with mayfly's own code.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};
use serde::Deserialize;

use crate::advisories::{Advisories, Hit};
use crate::command::{self, command};
use crate::place;

/// What the records are of; `xtask/advisories/README.md` says where they come from.
const DATA_OF: &str = "2026-08-21";
/// A version of a crate of ours that is known to be bad, and by which record.
const CONTROL: (&str, &str, &str) = ("hyper", "0.9.3", "RUSTSEC-2016-0002");

/// What affects us and may, for a while.
#[derive(Debug, Deserialize)]
struct Exemption {
    id: String,
    #[serde(rename = "crate")]
    name: String,
    reason: String,
    /// Its last day.
    until: String,
}

/// Fails when a record is about a crate of ours, in its version, and nobody let it pass.
pub fn check() -> Result<()> {
    let advisories = Advisories::built()?;
    let scratch = tempfile::tempdir()?;
    let index = own_index(&advisories, scratch.path())?;
    let crates = locked()?;
    let purls: Vec<String> = crates.iter().map(|one| one.purl()).collect();
    let found = advisories.find(&index, &purls)?;
    ensure!(
        found.uncovered.is_empty(),
        "not looked up: {:?}",
        found.uncovered
    );
    control(&advisories, &index, &crates)?;
    let exemptions = exemptions()?;
    let open = unexplained(&found.hits, &exemptions);
    for hit in &open {
        eprintln!("{} is affected by {}: {}", hit.purl, hit.id, hit.summary);
    }
    ensure!(
        open.is_empty(),
        "{} records are about crates of ours: update them, or say in xtask/advisories/exemptions.json \
         why not, and until when",
        open.len()
    );
    eprintln!(
        "{} crates, RustSec's records of {DATA_OF}: {} let pass, no other",
        crates.len(),
        found.hits.len()
    );
    Ok(())
}

/// Fails when an export has a record about a crate of ours that the repository lacks.
pub fn is_complete(advisories: &Advisories, export: &Path) -> Result<()> {
    let scratch = tempfile::tempdir()?;
    let own = own_index(advisories, scratch.path())?;
    let full = scratch.path().join("full");
    advisories.import(&full, &[export.to_owned()])?;
    let crates = locked()?;
    let mut purls: Vec<String> = crates.iter().map(|one| one.purl()).collect();
    // Without a version, a crate is told to have records.
    purls.extend(crates.iter().map(|one| format!("pkg:cargo/{}", one.name)));
    let (ours, theirs) = (
        advisories.find(&own, &purls)?,
        advisories.find(&full, &purls)?,
    );
    let ids = |hits: &[Hit]| -> BTreeSet<String> {
        hits.iter()
            .map(|hit| format!("{} {}", hit.id, hit.purl))
            .collect()
    };
    for (what, ours, theirs) in [
        (
            "records about our versions",
            ids(&ours.hits),
            ids(&theirs.hits),
        ),
        ("crates with records", ours.unversioned, theirs.unversioned),
    ] {
        let lacking: Vec<_> = theirs.difference(&ours).collect();
        ensure!(
            lacking.is_empty(),
            "xtask/advisories/rustsec.jsonl lacks {what}: {lacking:?}"
        );
        eprintln!("{what}: {}, none is lacking", theirs.len());
    }
    Ok(())
}

fn own_index(advisories: &Advisories, scratch: &Path) -> Result<PathBuf> {
    let records = place::repository().join("xtask/advisories/rustsec.jsonl");
    let (archive, index) = (scratch.join("rustsec.zip"), scratch.join("rustsec"));
    advisories.pack(&records, &archive)?;
    advisories.import(&index, &[archive])?;
    Ok(index)
}

/// An old version of a crate of ours has to be found: a look-up that finds nothing proves nothing.
fn control(advisories: &Advisories, index: &Path, crates: &BTreeSet<Crate>) -> Result<()> {
    let (name, version, id) = CONTROL;
    ensure!(
        crates.iter().any(|one| one.name == name),
        "`{name}` is no crate of ours any more"
    );
    let purl = format!("pkg:cargo/{name}@{version}");
    let found = advisories.find(index, &[purl])?;
    ensure!(
        found.hits.iter().any(|hit| hit.id == id),
        "{id} is not found for {name} {version}"
    );
    Ok(())
}

/// A crate of the registry, in one version.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Crate {
    name: String,
    version: String,
}

impl Crate {
    fn purl(&self) -> String {
        format!("pkg:cargo/{}@{}", self.name, self.version)
    }
}

/// All crates that our lock files name.
fn locked() -> Result<BTreeSet<Crate>> {
    let mut all = BTreeSet::new();
    for lock in ["Cargo.lock", "fuzz/Cargo.lock"] {
        let path = place::repository().join(lock);
        let text = fs::read_to_string(&path).with_context(|| format!("cannot read `{lock}`"))?;
        let crates = crates(&text);
        ensure!(!crates.is_empty(), "`{lock}` names no crate");
        all.extend(crates);
    }
    Ok(all)
}

/// The crates of a lock file that come from the registry: our own rooms share names with others'
/// crates. cargo writes one field a line.
fn crates(lock: &str) -> Vec<Crate> {
    let tables = lock.split("[[package]]").skip(1);
    let crates = tables.filter_map(|table| {
        let field = |name: &str| {
            let mut lines = table.lines();
            let line = lines.find_map(|line| line.strip_prefix(name)?.strip_prefix(" = \""))?;
            line.strip_suffix('"').map(str::to_owned)
        };
        field("source")?.starts_with("registry+").then_some(())?;
        Some(Crate {
            name: field("name")?,
            version: field("version")?,
        })
    });
    crates.collect()
}

fn exemptions() -> Result<Vec<Exemption>> {
    let path = place::repository().join("xtask/advisories/exemptions.json");
    let exemptions: Vec<Exemption> = serde_json::from_slice(&fs::read(path)?)?;
    let today = command::capture(&mut command("date", ["--utc", "+%F"]))?;
    for one in &exemptions {
        ensure!(
            !one.reason.is_empty(),
            "{} is let pass without a reason",
            one.id
        );
        // Days in this form have the order of their texts.
        let is_day = one.until.len() == 10 && one.until.is_ascii();
        ensure!(
            is_day,
            "{}: `{}` is no day as 2027-01-31",
            one.id,
            one.until
        );
        ensure!(
            one.until.as_str() >= today.trim(),
            "{} was let pass until {}",
            one.id,
            one.until
        );
    }
    Ok(exemptions)
}

fn unexplained<'a>(hits: &'a [Hit], exemptions: &[Exemption]) -> Vec<&'a Hit> {
    let is_exempt = |hit: &&Hit| {
        let mut exemptions = exemptions.iter();
        exemptions.any(|one| {
            let of_crate = format!("pkg:cargo/{}@", one.name);
            one.id == hit.id && hit.purl.starts_with(&of_crate)
        })
    };
    hits.iter().filter(|hit| !is_exempt(hit)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn crates_of_the_registry_are_read_and_our_own_are_not() {
        let lock = "version = 4\n\n[[package]]\nname = \"model\"\nversion = \"0.1.0\"\n\n[[package]]\nname = \"hyper\"\nversion = \"1.2.3\"\nsource = \"registry+https://example.org/index\"\ndependencies = [\n \"model\",\n]\n";
        let read = crates(lock);
        assert_eq!(
            read.iter().map(Crate::purl).collect::<Vec<_>>(),
            ["pkg:cargo/hyper@1.2.3"]
        );
    }

    #[test]
    fn only_the_named_record_of_the_named_crate_is_let_pass() {
        let hit = |id: &str, purl: &str| Hit {
            id: id.into(),
            purl: purl.into(),
            summary: String::new(),
        };
        let exemptions = [Exemption {
            id: "R-1".into(),
            name: "a".into(),
            reason: "so".into(),
            until: "2027-01-01".into(),
        }];
        let hits = [
            hit("R-1", "pkg:cargo/a@1"),
            hit("R-2", "pkg:cargo/a@1"),
            hit("R-1", "pkg:cargo/ab@1"),
        ];
        let open = unexplained(&hits, &exemptions);
        assert_eq!(open.len(), 2);
    }
}

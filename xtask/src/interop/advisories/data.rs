//! Records, as both programs read them, and the packages that are looked up in them.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use serde_json::Value;

use super::pins::{self, Ecosystem, Pin};
use super::records;
use crate::advisories::Advisories;
use crate::place;

/// So many versions of each package with made-up records are looked up.
const MADE_UP: usize = 12;
/// And of each real one: osv-scanner reads every record of an ecosystem for every package.
const EXPORTED: usize = 3;

/// One set of data.
pub(super) struct Data {
    /// Everything of it lies here.
    pub(super) folder: PathBuf,
    /// Where osv-scanner looks for archives.
    pub(super) archives: PathBuf,
    /// Our index of the same archives.
    pub(super) index: PathBuf,
    /// The records by their ids.
    pub(super) records: BTreeMap<String, Value>,
    pub(super) pins: BTreeSet<Pin>,
}

/// The records that are in the repository, and the packages listed beside them.
pub(super) fn made_up(program: &Advisories, folder: &Path) -> Result<Data> {
    let source = place::repository().join("xtask/advisories/made-up");
    let mut data = assembled(program, folder, MADE_UP, |ecosystem, archive| {
        program.pack(
            &source.join(format!("{}.jsonl", ecosystem.as_str())),
            archive,
        )
    })?;
    for line in fs::read_to_string(source.join("pinned.txt"))?.lines() {
        let pin = Pin::read(line).with_context(|| format!("`{line}` is no pinned package"))?;
        data.pins.insert(pin);
    }
    Ok(data)
}

/// Exports as OSV publishes them.
pub(super) fn exported(program: &Advisories, exports: &Path, folder: &Path) -> Result<Data> {
    assembled(program, folder, EXPORTED, |ecosystem, archive| {
        let export = exports.join(ecosystem.as_str()).join("all.zip");
        let copied = fs::copy(&export, archive);
        copied.with_context(|| format!("cannot read `{}`", export.display()))?;
        Ok(())
    })
}

fn assembled(
    program: &Advisories,
    folder: &Path,
    versions: usize,
    archive: impl Fn(Ecosystem, &Path) -> Result<()>,
) -> Result<Data> {
    let archives = folder.join("osv-scalibr");
    let (mut zips, mut all) = (Vec::new(), Vec::new());
    for ecosystem in Ecosystem::ALL {
        let zip = archive_of(&archives, ecosystem);
        fs::create_dir_all(archives.join(ecosystem.as_str()))?;
        archive(ecosystem, &zip)?;
        let list = folder.join(format!("{}.jsonl", ecosystem.as_str()));
        program.unpack(&list, &zip)?;
        all.extend(records(&list)?);
        zips.push(zip);
    }
    let index = folder.join("index");
    program.import(&index, &zips)?;
    let id = |record: &Value| record["id"].as_str().unwrap_or_default().to_owned();
    Ok(Data {
        folder: folder.to_owned(),
        archives,
        index,
        pins: pins::of(&all, versions),
        records: all
            .into_iter()
            .map(|record| (id(&record), record))
            .collect(),
    })
}

fn archive_of(archives: &Path, ecosystem: Ecosystem) -> PathBuf {
    archives.join(ecosystem.as_str()).join("all.zip")
}

/// An index of the same data, one record less.
pub(super) fn without(
    program: &Advisories,
    data: &Data,
    ecosystem: Ecosystem,
    id: &str,
) -> Result<PathBuf> {
    let (list, zip) = (data.folder.join("less.jsonl"), data.folder.join("less.zip"));
    let of_it = records(&data.folder.join(format!("{}.jsonl", ecosystem.as_str())))?;
    let kept = of_it.iter().filter(|record| record["id"] != id);
    let kept: Vec<String> = kept.map(ToString::to_string).collect();
    fs::write(&list, kept.join("\n"))?;
    program.pack(&list, &zip)?;
    let mut zips = vec![zip];
    let others = Ecosystem::ALL
        .into_iter()
        .filter(|other| *other != ecosystem);
    zips.extend(others.map(|other| archive_of(&data.archives, other)));
    let index = data.folder.join(format!("less-{}", ecosystem.as_str()));
    program.import(&index, &zips)?;
    Ok(index)
}

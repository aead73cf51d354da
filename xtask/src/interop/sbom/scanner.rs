//! osv-scanner reads our SPDX: every package, and what is known to be wrong with them. It is offline;
//! the advisories are made up, so that what it must find is known.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::tools::Tools;
use crate::command;

/// Our words for ecosystems, and OSV's. Debian's has its release in it.
const ECOSYSTEMS: [(&str, &str); 5] = [
    ("cargo", "crates.io"),
    ("debian", "Debian"),
    ("go", "Go"),
    ("npm", "npm"),
    ("pypi", "PyPI"),
];

/// A package as the scanner prints it: without scope or path, in small letters here.
type Listed = (String, String, String);

/// Fails when the scanner reads other packages than those of the inventory, or finds other advisories
/// than those about them.
pub fn reads(tools: &Tools, out: &Path, inventory: &Value) -> Result<()> {
    let packages = inventory["packages"].as_array().context("no packages")?;
    let folder = out.join("scanned");
    let expected = advisories(tools, packages, &folder.join("osv-scalibr"))?;
    let document = folder.join("image.spdx.json");
    fs::copy(out.join("spdx.json"), &document)?;
    let found = scan(tools, &document, &folder)?;
    let theirs = found["results"].as_array().into_iter().flatten();
    let theirs = theirs.flat_map(|result| result["packages"].as_array().into_iter().flatten());
    let theirs: Vec<&Value> = theirs.collect();
    same("packages", ours(packages), listed(&theirs))?;
    same("advisories", expected, reported(&theirs))?;
    eprintln!("osv-scanner reads {} packages as they are", theirs.len());
    Ok(())
}

fn same<T: Ord + std::fmt::Debug>(
    what: &str,
    ours: BTreeSet<T>,
    theirs: BTreeSet<T>,
) -> Result<()> {
    let (missed, more) = (
        ours.difference(&theirs).collect::<Vec<_>>(),
        theirs.difference(&ours).collect::<Vec<_>>(),
    );
    let is_same = missed.is_empty() && more.is_empty();
    ensure!(
        is_same,
        "{what}: it misses {missed:?} and has more: {more:?}"
    );
    Ok(())
}

fn ours(packages: &[Value]) -> BTreeSet<Listed> {
    let all = packages.iter().filter_map(|package| {
        let text = |field: &str| package[field].as_str().unwrap_or_default().to_owned();
        let (_, ecosystem) = (ECOSYSTEMS.iter()).find(|(ours, _)| *ours == text("ecosystem"))?;
        Some(listing(ecosystem, &text("name"), &text("version")))
    });
    all.collect()
}

fn listed(theirs: &[&Value]) -> BTreeSet<Listed> {
    let all = theirs.iter().filter_map(|one| {
        let text = |field: &str| one["package"][field].as_str().unwrap_or_default();
        let (ecosystem, _) = text("ecosystem")
            .split_once(':')
            .unwrap_or((text("ecosystem"), ""));
        // The image itself is in no ecosystem.
        let is_package = !ecosystem.is_empty();
        is_package.then(|| listing(ecosystem, text("name"), text("version")))
    });
    all.collect()
}

fn listing(ecosystem: &str, name: &str, version: &str) -> Listed {
    let name = name.rsplit('/').next().unwrap_or(name).to_lowercase();
    let name = match ecosystem {
        // One package has many spellings there (PEP 503).
        "PyPI" => name.replace(['_', '.'], "-"),
        _ => name,
    };
    (ecosystem.to_owned(), name, version.to_owned())
}

fn reported(theirs: &[&Value]) -> BTreeSet<String> {
    let all = theirs
        .iter()
        .flat_map(|one| one["vulnerabilities"].as_array().into_iter().flatten());
    all.filter_map(|one| Some(one["id"].as_str()?.to_owned()))
        .collect()
}

/// For each ecosystem an advisory about one of the packages, and one about a package that is not
/// there. Returns those that must be found.
fn advisories(tools: &Tools, packages: &[Value], database: &Path) -> Result<BTreeSet<String>> {
    let mut expected = BTreeSet::new();
    for (ours, ecosystem) in ECOSYSTEMS {
        let folder = database.join(ecosystem);
        fs::create_dir_all(&folder)?;
        let mut records = vec![record("ABSENT", ecosystem, "mayfly-is-not-there")];
        let mut of_it = packages.iter().filter(|one| one["ecosystem"] == ours);
        // With a scope or a path, where there is one: names must be read whole.
        let has_path = |one: &&Value| one["name"].as_str().is_some_and(|name| name.contains('/'));
        let one = of_it.clone().find(has_path).or_else(|| of_it.next());
        if let Some(package) = one {
            let name = package["name"].as_str().context("a name")?;
            let record = record("PRESENT", &full_name(ecosystem, package), name);
            expected.insert(record["id"].as_str().unwrap_or_default().to_owned());
            records.push(record);
        }
        tools.zip(&records, &folder.join("all.zip"))?;
    }
    ensure!(
        !expected.is_empty(),
        "an image without packages judges nothing"
    );
    Ok(expected)
}

fn record(kind: &str, ecosystem: &str, name: &str) -> Value {
    let id = format!("TEST-{kind}-{}", ecosystem.replace([':', '.'], "-"));
    let range = match ecosystem {
        "crates.io" | "Go" | "npm" => "SEMVER",
        _ => "ECOSYSTEM",
    };
    json!({
        "schema_version": "1.6.0",
        "id": id,
        "modified": "2026-01-01T00:00:00Z",
        "published": "2026-01-01T00:00:00Z",
        "summary": "made up",
        "affected": [{
            "package": { "ecosystem": ecosystem, "name": name },
            "ranges": [{ "type": range, "events": [{ "introduced": "0" }] }],
        }],
    })
}

/// Debian's packages belong to a release: `distro=debian-13` in the URL is OSV's `Debian:13`.
fn full_name(ecosystem: &str, package: &Value) -> String {
    let purl = package["purl"].as_str().unwrap_or_default();
    let release = purl
        .split(['?', '&'])
        .find_map(|part| part.strip_prefix("distro=debian-"));
    match release {
        Some(release) if ecosystem == "Debian" => format!("Debian:{release}"),
        _ => ecosystem.to_owned(),
    }
}

/// The scanner ends with 1 when it finds something, which it has to.
fn scan(tools: &Tools, document: &Path, folder: &Path) -> Result<Value> {
    let mut scan = tools.osv_scanner();
    scan.args([
        "scan",
        "source",
        "--offline-vulnerabilities",
        "--no-resolve",
    ])
    .args(["--all-packages", "--format", "json", "--lockfile"])
    .arg(document)
    .env("OSV_SCALIBR_LOCAL_DB_CACHE_DIRECTORY", folder)
    .env("HOME", folder);
    let line = command::line(&scan);
    let output = scan
        .output()
        .with_context(|| format!("`{line}` cannot be started"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(
        output.status.code() == Some(1),
        "`{line}` found nothing: {said}"
    );
    serde_json::from_slice(&output.stdout).with_context(|| format!("`{line}`: {said}"))
}

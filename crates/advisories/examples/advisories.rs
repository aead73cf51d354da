//! Imports archives, finds the vulnerabilities of packages, and measures both.
//!
//! `advisories pack ZIP RECORDS` (a file, a record a line), `advisories unpack RECORDS ZIP`,
//! `advisories import INDEX ZIP…`, `advisories find INDEX PURLS` (a file, a package URL a line),
//! `advisories requirements INDEX FILE` (pinned requirements of Python), `advisories time INDEX`.

use std::fs::File;
use std::io::{BufWriter, Error, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use advisories::{Change, Database, Ecosystem, Import, Package, import};
use model::Timestamp;
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

type Anything = Result<(), Box<dyn std::error::Error>>;

fn main() -> Anything {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match arguments[..] {
        ["pack", archive, records] => pack(Path::new(archive), records),
        ["unpack", records, archive] => unpack(Path::new(records), Path::new(archive)),
        ["import", index, ref archives @ ..] => read(Path::new(index), archives),
        ["find", index, purls] => find(Path::new(index), &lines(purls, str::to_owned)?),
        ["requirements", index, file] => find(Path::new(index), &lines(file, pinned)?),
        ["time", index] => time(Path::new(index)),
        _ => Err("advisories pack|unpack|import|find|requirements|time …".into()),
    }
}

fn lines(file: &str, purl: impl Fn(&str) -> String) -> Result<Vec<String>, Error> {
    let text = std::fs::read_to_string(file)?;
    let lines = text.lines().map(str::trim).filter(|line| !line.is_empty());
    Ok(lines.map(purl).collect())
}

fn pinned(line: &str) -> String {
    format!("pkg:pypi/{}", line.replace("==", "@"))
}

/// Lays records out as exports are: a file each, named by its id.
fn pack(archive: &Path, records: &str) -> Anything {
    let mut zip = ZipWriter::new(File::create(archive)?);
    for record in lines(records, str::to_owned)? {
        let read: serde_json::Value = serde_json::from_str(&record)?;
        let id = read["id"].as_str().ok_or("a record has no id")?;
        zip.start_file(format!("{id}.json"), SimpleFileOptions::default())?;
        zip.write_all(record.as_bytes())?;
    }
    zip.finish()?;
    Ok(())
}

/// The records of an archive, one a line: for programs that read no archives.
fn unpack(records: &Path, archive: &Path) -> Anything {
    let mut archive = ZipArchive::new(File::open(archive)?)?;
    let mut out = BufWriter::new(File::create(records)?);
    for at in 0..archive.len() {
        let record: serde_json::Value = serde_json::from_reader(archive.by_index(at)?)?;
        writeln!(out, "{record}")?;
    }
    out.flush()?;
    Ok(())
}

fn read(index: &Path, archives: &[&str]) -> Anything {
    let archives: Vec<PathBuf> = archives.iter().map(PathBuf::from).collect();
    let began = Instant::now();
    let imported = import(&Import {
        archives: &archives,
        index,
        now: Timestamp::now(),
        change: Change::Plausible,
    })?;
    println!("{:?}, {} bytes", began.elapsed(), imported.size_bytes);
    for facts in &imported.facts {
        println!("{}", serde_json::to_string(facts)?);
    }
    println!("kept: {:?}; memory: {}", imported.kept, memory());
    Ok(())
}

fn find(index: &Path, purls: &[String]) -> Anything {
    let database = Database::open(index)?;
    let packages: Vec<_> = purls
        .iter()
        .filter_map(|purl| Package::of_purl(purl))
        .collect();
    let matches = database.find(&packages);
    println!("{}", serde_json::to_string_pretty(&matches)?);
    Ok(())
}

/// 2,500 packages that have records, each at some version.
fn time(index: &Path) -> Anything {
    let began = Instant::now();
    let database = Database::open(index)?;
    println!("opened in {:?}; memory: {}", began.elapsed(), memory());
    let mut packages = Vec::new();
    for (kind, ecosystem, version) in [
        ("pypi", Ecosystem::Pypi, "1.2.3"),
        ("golang", Ecosystem::Go, "v1.2.3"),
        ("cargo", Ecosystem::Cargo, "1.2.3"),
        ("npm", Ecosystem::Npm, "1.2.3"),
    ] {
        let names = database.names(&ecosystem);
        let purls = names.map(|name| format!("pkg:{kind}/{}@{version}", name.replace('@', "%40")));
        packages.extend(purls.filter_map(|purl| Package::of_purl(&purl)));
    }
    packages.truncate(2_500);
    for round in 0..3 {
        let began = Instant::now();
        let matches = database.find(&packages);
        let took = began.elapsed();
        println!(
            "round {round}: {} packages, {} hits in {took:?}; memory: {}",
            packages.len(),
            matches.hits.len(),
            memory()
        );
    }
    Ok(())
}

/// What the process holds, by the kernel.
fn memory() -> String {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let lines = status
        .lines()
        .filter(|line| line.starts_with("RssAnon") || line.starts_with("VmHWM"));
    lines
        .map(|line| line.split_whitespace().collect::<Vec<_>>().join(" "))
        .collect::<Vec<_>>()
        .join(", ")
}

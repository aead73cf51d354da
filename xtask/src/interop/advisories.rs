//! What we find of known vulnerabilities, beside osv-scanner: the same records, the same pinned
//! packages. What it finds and we miss is a fault; what only we find has a reason in the record.

mod data;
mod locks;
mod pins;
mod reasons;
mod scanner;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use crate::advisories::Advisories;
use crate::judges::OSV_SCANNER;
use crate::own_crates;
use crate::step::step;
use data::Data;
use pins::{Ecosystem, Pin};
use scanner::Scanner;

/// What is judged beside what is made up.
#[derive(Debug, Clone, Default, clap::Args)]
pub struct Args {
    /// A folder of OSV's exports, `DIR/PyPI/all.zip` and so on: every package in them is looked up
    #[arg(long)]
    osv: Option<PathBuf>,
}

/// A record about a pinned package.
type Found = BTreeSet<(Pin, String)>;

/// Fails when osv-scanner finds what we miss, and when only we find something without a reason.
pub fn run(args: &Args) -> Result<()> {
    let ours = step("our program", Advisories::built)?;
    let scanner = step("osv-scanner", || Ok(Scanner::new(OSV_SCANNER.built()?)))?;
    let judges = Judges { ours, scanner };
    let scratch = tempfile::Builder::new().prefix("mayfly-osv-").tempdir()?;
    step("made-up records", || {
        let data = data::made_up(&judges.ours, &scratch.path().join("made-up"))?;
        judges.agree(&data)?;
        judges.misses_what_is_not_there(&data)
    })?;
    let Some(exports) = &args.osv else {
        return Ok(());
    };
    step("exports", || {
        judges.agree(&data::exported(
            &judges.ours,
            exports,
            &scratch.path().join("exported"),
        )?)
    })?;
    step("records of our own crates", || {
        own_crates::is_complete(&judges.ours, &exports.join("crates.io/all.zip"))
    })
}

struct Judges {
    ours: Advisories,
    scanner: Scanner,
}

/// What both say.
struct Both {
    /// The pins that osv-scanner read.
    read: BTreeSet<Pin>,
    ours: Found,
    theirs: Found,
}

impl Judges {
    fn agree(&self, data: &Data) -> Result<()> {
        let both = self.look_up(data)?;
        both.have_something(data)?;
        let missed: Vec<_> = both.theirs.difference(&both.ours).collect();
        for (pin, id) in missed.iter().take(20) {
            eprintln!("  osv-scanner finds {id} for {}", pin.purl());
        }
        let mut counted: BTreeMap<&str, usize> = BTreeMap::new();
        let mut unexplained = Vec::new();
        for (pin, id) in both.ours.difference(&both.theirs) {
            let record = data
                .records
                .get(id)
                .with_context(|| format!("{id} is no record"))?;
            match reasons::reason(record, pin) {
                Some(reason) => *counted.entry(reason).or_default() += 1,
                None => unexplained.push((pin, id)),
            }
        }
        eprintln!(
            "{} pinned packages: {} findings of osv-scanner's, {} of ours",
            both.read.len(),
            both.theirs.len(),
            both.ours.len()
        );
        for (reason, count) in counted {
            eprintln!("  {count} only ours: {reason}");
        }
        for (pin, id) in unexplained.iter().take(20) {
            eprintln!("  only we find {id} for {}: NO REASON", pin.purl());
        }
        ensure!(
            missed.is_empty(),
            "we miss {} of what osv-scanner finds",
            missed.len()
        );
        ensure!(
            unexplained.is_empty(),
            "{} differences have no reason",
            unexplained.len()
        );
        Ok(())
    }

    fn look_up(&self, data: &Data) -> Result<Both> {
        let (read, theirs) = self.scanner.find(data)?;
        let pins: BTreeMap<String, &Pin> = read.iter().map(|pin| (pin.purl(), pin)).collect();
        let purls: Vec<String> = pins.keys().cloned().collect();
        let found = self.ours.find(&data.index, &purls)?;
        ensure!(
            found.uncovered.is_empty(),
            "we looked up all but {:?}",
            found.uncovered
        );
        let ours = found.hits.into_iter().map(|hit| {
            let pin = pins
                .get(&hit.purl)
                .context("a package that nobody asked for")?;
            Ok(((*pin).clone(), hit.id))
        });
        Ok(Both {
            ours: ours.collect::<Result<_>>()?,
            read,
            theirs,
        })
    }

    /// Each record that both find, taken from our index: osv-scanner has to find it alone.
    fn misses_what_is_not_there(&self, data: &Data) -> Result<()> {
        let whole = self.look_up(data)?;
        for ecosystem in Ecosystem::ALL {
            let of_it = |(pin, _): &&(Pin, String)| pin.ecosystem == ecosystem;
            let found = whole.theirs.iter().find(of_it);
            let (_, id) =
                found.with_context(|| format!("nothing is found in {}", ecosystem.as_str()))?;
            let index = data::without(&self.ours, data, ecosystem, id)?;
            let pins: Vec<String> = whole.read.iter().map(Pin::purl).collect();
            let less = self.ours.find(&index, &pins)?;
            ensure!(
                less.hits.iter().all(|hit| hit.id != *id),
                "{id} is found, and it is not there"
            );
            eprintln!("without {id}, a finding of osv-scanner's is missed");
        }
        Ok(())
    }
}

impl Both {
    /// A comparison of nothing with nothing would agree as well.
    fn have_something(&self, data: &Data) -> Result<()> {
        for ecosystem in Ecosystem::ALL {
            let count =
                |pins: &BTreeSet<Pin>| pins.iter().filter(|pin| pin.ecosystem == ecosystem).count();
            let (asked, read) = (count(&data.pins), count(&self.read));
            let name = ecosystem.as_str();
            eprintln!("{name}: osv-scanner reads {read} of {asked} pinned packages");
            ensure!(
                read > 0 && read * 10 >= asked * 9,
                "osv-scanner does not read the packages of {name}"
            );
            let found = self
                .theirs
                .iter()
                .filter(|(pin, _)| pin.ecosystem == ecosystem)
                .count();
            ensure!(found > 0, "osv-scanner finds nothing in {name}");
        }
        Ok(())
    }
}

/// The records of a file, one a line.
fn records(file: &Path) -> Result<Vec<serde_json::Value>> {
    let text = std::fs::read_to_string(file)?;
    let lines = text.lines().filter(|line| !line.is_empty());
    let read = lines.map(|line| serde_json::from_str(line).with_context(|| line.to_owned()));
    read.collect()
}

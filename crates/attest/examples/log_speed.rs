//! Measures the transparency log: many entries in batches, some one by one, and a verification of
//! the whole.

use std::error::Error;
use std::time::Instant;

use attest::log::{Log, LogKey};

const ENTRIES: u64 = 100_000;
const BATCH: usize = 1_000;
const ALONE: u64 = 1_000;

fn main() -> Result<(), Box<dyn Error>> {
    let home = tempfile::tempdir_in(std::env::current_dir()?)?;
    let key = LogKey::open(&home.path().join("log.pem"))?;
    let entries: Vec<_> = (0..ENTRIES + ALONE).map(entry).collect();
    let mut log = Log::open(&home.path().join("log"), key.clone())?;
    let began = Instant::now();
    for (number, batch) in entries[..ENTRIES as usize].chunks(BATCH).enumerate() {
        log.append((number * BATCH) as u64, batch)?;
    }
    println!(
        "{ENTRIES} entries in batches of {BATCH}: {:?}",
        began.elapsed()
    );
    let began = Instant::now();
    for index in ENTRIES..ENTRIES + ALONE {
        log.append(index, &entries[index as usize..=index as usize])?;
    }
    println!("{ALONE} entries one by one: {:?}", began.elapsed());
    let began = Instant::now();
    drop(log);
    let log = Log::open(&home.path().join("log"), key)?;
    println!("opened: {:?}", began.elapsed());
    let began = Instant::now();
    log.verify_all(&entries)?;
    println!("{} entries verified: {:?}", entries.len(), began.elapsed());
    let began = Instant::now();
    for index in (0..ENTRIES).step_by(1_000) {
        log.prove_inclusion(index)?;
    }
    println!("100 proofs: {:?}", began.elapsed());
    Ok(())
}

/// An entry with the size of a stage's.
fn entry(seq: u64) -> String {
    format!(
        r#"{{"app":"shop","at":"2026-01-01T00:00:00Z","attempt":1,"event":"stage_recorded","evidence":"sha256:{}","run":"0190","seq":{seq},"stage":"build"}}"#,
        "ab".repeat(32)
    )
}

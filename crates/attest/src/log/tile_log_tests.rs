//! What a folder does that the contract does not say: crashes, damage and forgeries.

use std::path::PathBuf;

use tempfile::TempDir;

use super::*;
use crate::log::LogVerifier;

ports::transparency_log_contract!(empty);

async fn empty() -> (TileLog, TempDir) {
    let home = tempfile::tempdir().expect("a folder");
    (TileLog::new(open(&home).expect("a log")), home)
}

fn key(home: &TempDir) -> LogKey {
    LogKey::open(&home.path().join("log.pem")).expect("a key")
}

fn open(home: &TempDir) -> Result<Log, LogError> {
    Log::open(&home.path().join("log"), key(home))
}

fn rebuild(home: &TempDir, entries: &[String]) -> Result<Log, LogError> {
    Log::rebuild(&home.path().join("log"), key(home), entries)
}

fn entries(count: u64) -> Vec<String> {
    (0..count).map(|n| format!("{{\"seq\":{n}}}")).collect()
}

/// A log of `count` entries, one batch after the other.
fn grown_log(count: u64) -> (TempDir, Log) {
    let home = tempfile::tempdir().expect("a folder");
    let mut log = open(&home).expect("a log");
    let all = entries(count);
    let mut first = 0;
    while first < all.len() {
        let end = (first * 2 + 1).min(all.len());
        log.append(first as u64, &all[first..end]).expect("added");
        first = end;
    }
    (home, log)
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        match path.is_dir() {
            true => found.extend(files(&path)),
            false => found.push(path),
        }
    }
    found.sort();
    found
}

#[test]
fn one_history_has_one_root_whatever_the_batches_were() {
    let (_home, log) = grown_log(700);
    let whole = tempfile::tempdir().expect("a folder");
    let mut other = open(&whole).expect("a log");
    let at_once = other.append(0, &entries(700)).expect("added");
    assert_eq!(at_once.root, log.checkpoint().root);
}

#[test]
fn every_entry_of_every_size_is_proven_and_every_size_continues_every_other() {
    let home = tempfile::tempdir().expect("a folder");
    let mut log = open(&home).expect("a log");
    let verifier = log.key.verifier();
    let all = entries(20);
    let mut past = vec![log.checkpoint().clone()];
    for size in 0..all.len() {
        let now = log.append(size as u64, &all[size..=size]).expect("added");
        for index in 0..=size as u64 {
            let proof = log.prove_inclusion(index).expect("a proof");
            assert_eq!(verifier.check_inclusion(&proof).expect("holds"), now);
            let mut other = proof.clone();
            other.entry.push(' ');
            verifier.check_inclusion(&other).expect_err("another entry");
        }
        for old in &past {
            let proof = log.prove_consistency(old.size).expect("a proof");
            let checked = verifier.check_consistency(old, &proof);
            assert_eq!(checked.expect("only grew"), now);
        }
        past.push(now);
    }
}

#[test]
fn a_client_that_remembers_a_checkpoint_refuses_a_rewritten_log() {
    let (home, log) = grown_log(300);
    let verifier = log.key.verifier();
    let remembered = log.checkpoint().clone();
    let mut other = entries(400);
    other[17] = "{\"seq\":17,\"forged\":true}".into();
    // Whoever has the key can sign another past. Only memory finds that out.
    fs::remove_dir_all(home.path().join("log")).expect("removed");
    for size in [250, 300, 400] {
        let forged = rebuild(&home, &other[..size]).expect("signed");
        let from = remembered.size.min(size as u64);
        let proof = forged.prove_consistency(from).expect("a proof");
        let found = verifier.check_consistency(&remembered, &proof);
        assert!(matches!(found, Err(LogError::Rewritten(_))), "{found:?}");
        fs::remove_dir_all(home.path().join("log")).expect("removed");
    }
    let same = rebuild(&home, &entries(400)).expect("the same past");
    let proof = same.prove_consistency(300).expect("a proof");
    verifier
        .check_consistency(&remembered, &proof)
        .expect("only grew");
}

#[test]
fn another_logs_checkpoint_is_refused_by_the_log_and_by_its_clients() {
    let (home, log) = grown_log(10);
    let (_other_home, other) = grown_log(10);
    let foreign = &other.checkpoint().note;
    let found = log.key.verifier().read(foreign);
    assert!(
        matches!(found, Err(LogError::ForeignCheckpoint(_))),
        "{found:?}"
    );
    fs::write(home.path().join("log/checkpoint"), foreign).expect("written");
    assert!(matches!(open(&home), Err(LogError::ForeignCheckpoint(_))));
    let key = "mayfly.local/abc+00000000+AAAA";
    assert!(LogVerifier::new(key).is_err());
}

/// A crash leaves files of the new batch and the old checkpoint, or the new checkpoint and files
/// that should have gone: for each file that the batch writes, the log as it was when only those
/// before it had come.
#[test]
fn a_batch_that_stopped_anywhere_is_handed_in_again() {
    let all = entries(600);
    for (old, new) in [(0, 1), (3, 5), (200, 300), (255, 256), (256, 600)] {
        let complete = grown_log(old as u64);
        let log_folder = complete.0.path().join("log");
        let before = read_all(&log_folder);
        let mut log = complete.1;
        let after_checkpoint = log.append(old as u64, &all[old..new]).expect("added");
        let after = read_all(&log_folder);
        let fresh: Vec<_> = (after.iter())
            .filter(|(path, bytes)| before.get(*path) != Some(*bytes))
            .filter(|(path, _)| !path.ends_with("checkpoint"))
            .collect();
        for count in 0..=fresh.len() {
            fs::remove_dir_all(&log_folder).expect("removed");
            let written = fresh[..count].iter().copied();
            for (path, bytes) in before.iter().chain(written) {
                write(path, bytes);
            }
            if let Some((path, bytes)) = fresh.get(count) {
                write(path, &bytes[..bytes.len() / 2]); // This one was being written.
            }
            write(&log_folder.join(".unfinished-abc"), b"half");
            let mut again = open(&complete.0).expect("the log of the old checkpoint");
            assert!(!log_folder.join(".unfinished-abc").exists());
            assert_eq!(again.checkpoint().size, old as u64);
            again.verify_all(&all[..old]).expect("whole");
            let redone = again.append(old as u64, &all[old..new]).expect("added");
            assert_eq!(redone, after_checkpoint);
            again.verify_all(&all[..new]).expect("whole");
        }
        for (path, bytes) in &before {
            if !path.ends_with("checkpoint") {
                write(path, bytes); // What should have gone is still there.
            }
        }
        let mut again = open(&complete.0).expect("the log of the new checkpoint");
        again.verify_all(&all[..new]).expect("whole");
        again.append(new as u64, &["more".into()]).expect("added");
    }
}

fn read_all(folder: &Path) -> std::collections::BTreeMap<PathBuf, Vec<u8>> {
    let read = |path: PathBuf| (path.clone(), fs::read(path).expect("readable"));
    files(folder).into_iter().map(read).collect()
}

fn write(path: &Path, bytes: &[u8]) {
    fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
    fs::write(path, bytes).expect("written");
}

#[test]
fn a_file_that_is_cut_changed_or_gone_is_found_and_rebuilt_from_the_ledger() {
    let (home, log) = grown_log(700);
    let all = entries(700);
    let promised = log.checkpoint().clone();
    let folder = home.path().join("log");
    assert_eq!(files(&folder).len(), 8);
    for path in files(&folder) {
        let good = fs::read(&path).expect("readable");
        let mut changed = good.clone();
        changed[good.len() / 2] ^= 1;
        for bad in [Some(good[..good.len() / 2].to_vec()), Some(changed), None] {
            match &bad {
                Some(bytes) => fs::write(&path, bytes).expect("written"),
                None => fs::remove_file(&path).expect("removed"),
            }
            let found = open(&home).and_then(|log| log.verify_all(&all));
            let found = found.expect_err("damage that nobody finds");
            let told = matches!(
                found,
                LogError::Damaged { .. } | LogError::ForeignCheckpoint(_)
            );
            assert!(told, "{found:?}");
            let rebuilt = rebuild(&home, &all).expect("the ledger has all");
            assert_eq!(rebuilt.checkpoint(), &promised);
            rebuilt.verify_all(&all).expect("whole");
        }
    }
}

#[test]
fn a_ledger_that_was_edited_cannot_rebuild_the_log() {
    let (home, log) = grown_log(40);
    let mut edited = entries(40);
    edited[3] = "{\"seq\":3,\"edited\":true}".into();
    for other in [&edited[..], &edited[..20], &[]] {
        let refused = rebuild(&home, other);
        assert!(
            matches!(refused, Err(LogError::Rewritten(_))),
            "{refused:?}"
        );
    }
    let found = log.verify_all(&edited).expect_err("an edited row");
    assert_eq!(
        found.to_string(),
        "the log was rewritten: entry 3 is not what the log has"
    );
    rebuild(&home, &entries(50)).expect("the same past, and more");
}

#[test]
fn only_the_newest_width_of_a_tile_stays() {
    let home = tempfile::tempdir().expect("a folder");
    let mut log = open(&home).expect("a log");
    for (n, entry) in entries(300).iter().enumerate() {
        log.append(n as u64, std::slice::from_ref(entry))
            .expect("added");
    }
    let names: Vec<_> = files(&home.path().join("log/tile"))
        .iter()
        .map(|path| path.strip_prefix(home.path()).expect("inside").to_owned())
        .collect();
    let expected = [
        "log/tile/0/000",
        "log/tile/0/001.p/44",
        "log/tile/1/000.p/1",
        "log/tile/entries/000",
        "log/tile/entries/001.p/44",
    ];
    assert_eq!(names, expected.map(PathBuf::from));
}

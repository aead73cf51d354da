//! What every transparency log does. `transparency_log_contract!` makes a test of each sentence.

use super::{LogError, TransparencyLog};

/// Makes a test of each sentence of the log's contract.
///
/// `$make` is an async function without arguments; it returns an empty log, and whatever must live
/// as long.
#[macro_export]
macro_rules! transparency_log_contract {
    ($make:path) => {
        $crate::contract_tests! { $make, $crate::transparency_log::contract,
            an_empty_log_has_a_checkpoint
            a_checkpoint_counts_what_was_appended
            a_batch_that_is_handed_in_again_has_the_effect_of_once
            another_past_is_refused
            entries_without_their_predecessors_are_refused
            an_entry_that_a_bundle_cannot_hold_is_refused
            each_entry_is_proven_and_no_other
            the_whole_log_is_compared_entry_by_entry
            clients_read_the_checkpoint_the_tiles_and_the_entries
        }
    };
}

fn entries(numbers: std::ops::Range<u64>) -> Vec<String> {
    numbers.map(|n| format!("{{\"seq\":{n}}}")).collect()
}

#[expect(missing_docs, reason = "the names are the sentences of the contract")]
mod sentences {
    use super::*;

    pub async fn an_empty_log_has_a_checkpoint(log: &dyn TransparencyLog) {
        let empty = log.checkpoint().await.expect("a checkpoint");
        assert_eq!(empty.size, 0);
        assert_eq!(log.append(0, vec![]).await.expect("nothing to do"), empty);
    }

    pub async fn a_checkpoint_counts_what_was_appended(log: &dyn TransparencyLog) {
        let mut roots = Vec::new();
        for (from, to) in [(0, 1), (1, 5), (5, 300), (300, 301)] {
            let after = log.append(from, entries(from..to)).await.expect("added");
            assert_eq!(after.size, to);
            assert_eq!(log.checkpoint().await.expect("a checkpoint"), after);
            assert!(!roots.contains(&after.root));
            roots.push(after.root);
        }
    }

    pub async fn a_batch_that_is_handed_in_again_has_the_effect_of_once(log: &dyn TransparencyLog) {
        let first = log.append(0, entries(0..7)).await.expect("added");
        for (from, to) in [(0, 7), (3, 5), (6, 7)] {
            let again = log.append(from, entries(from..to)).await.expect("known");
            assert_eq!(again, first);
        }
        let more = log.append(4, entries(4..9)).await.expect("added");
        assert_eq!(more.size, 9);
        log.verify(entries(0..9)).await.expect("the same");
    }

    pub async fn another_past_is_refused(log: &dyn TransparencyLog) {
        let before = log.append(0, entries(0..7)).await.expect("added");
        let other = log.append(6, entries(5..8)).await;
        assert!(matches!(other, Err(LogError::Rewritten(_))), "{other:?}");
        assert_eq!(log.checkpoint().await.expect("a checkpoint"), before);
    }

    pub async fn entries_without_their_predecessors_are_refused(log: &dyn TransparencyLog) {
        let gap = log.append(1, entries(1..2)).await;
        assert!(
            matches!(gap, Err(LogError::Gap { size: 0, first: 1 })),
            "{gap:?}"
        );
    }

    pub async fn an_entry_that_a_bundle_cannot_hold_is_refused(log: &dyn TransparencyLog) {
        let longest = "x".repeat(65_535);
        for bad in [String::new(), format!("{longest}x")] {
            let refused = log.append(0, vec!["good".into(), bad]).await;
            assert!(matches!(refused, Err(LogError::BadEntry { index: 1, .. })));
            assert_eq!(log.checkpoint().await.expect("a checkpoint").size, 0);
        }
        log.append(0, vec![longest]).await.expect("added");
    }

    pub async fn each_entry_is_proven_and_no_other(log: &dyn TransparencyLog) {
        log.append(0, entries(0..300)).await.expect("added");
        let now = log.checkpoint().await.expect("a checkpoint");
        for index in [0, 1, 255, 256, 299] {
            let proof = log.prove_inclusion(index).await.expect("a proof");
            assert_eq!(proof.entry, entries(index..index + 1)[0]);
            assert_eq!(proof.checkpoint, now.note);
        }
        let none = log.prove_inclusion(300).await;
        assert!(matches!(none, Err(LogError::Missing { size: 300, .. })));
        for from in [0, 1, 256, 300] {
            log.prove_consistency(from).await.expect("a proof");
        }
        let none = log.prove_consistency(301).await;
        assert!(matches!(none, Err(LogError::Missing { .. })), "{none:?}");
    }

    pub async fn the_whole_log_is_compared_entry_by_entry(log: &dyn TransparencyLog) {
        log.append(0, entries(0..600)).await.expect("added");
        log.verify(entries(0..600)).await.expect("the same");
        let mut changed = entries(0..600);
        changed[300].push(' ');
        let mut swapped = entries(0..600);
        swapped.swap(0, 599);
        for other in [changed, swapped, entries(0..599), entries(0..601), vec![]] {
            let found = log.verify(other).await;
            assert!(matches!(found, Err(LogError::Rewritten(_))), "{found:?}");
        }
    }

    pub async fn clients_read_the_checkpoint_the_tiles_and_the_entries(log: &dyn TransparencyLog) {
        log.append(0, entries(0..300)).await.expect("added");
        let now = log.checkpoint().await.expect("a checkpoint");
        for (path, size) in [
            ("checkpoint", Some(now.note.len())),
            ("tile/0/000", Some(8192)),
            ("tile/0/001.p/44", Some(44 * 32)),
            ("tile/0/001.p/43", Some(43 * 32)),
            ("tile/1/000.p/1", Some(32)),
            ("tile/0/001.p/45", None),
            ("tile/0/001", None),
            ("tile/2/000", None),
            ("tile/0/../../checkpoint", None),
            ("../keys/log.pem", None),
            ("", None),
        ] {
            let found = log.file(path).await.expect("an answer");
            assert_eq!(found.map(|bytes| bytes.len()), size, "{path}");
        }
        let bundle = log.file("tile/entries/001.p/44").await.expect("an answer");
        let bundle = bundle.expect("a bundle");
        let first = &entries(256..257)[0];
        assert_eq!(bundle[..2], [0, u8::try_from(first.len()).expect("short")]);
        assert!(bundle[2..].starts_with(first.as_bytes()));
    }
}

pub use sentences::*;

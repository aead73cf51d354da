//! What every blob store does. `blob_store_contract!` makes a test of each sentence.

use bytes::Bytes;
use model::Digest;

use super::{BlobError, BlobStore};

/// Makes a test of each sentence of the blob store's contract.
///
/// `$make` is an async function without arguments; it returns a new, empty store, and whatever
/// must live as long as the store does.
#[macro_export]
macro_rules! blob_store_contract {
    ($make:path) => {
        $crate::contract_tests! { $make, $crate::blob_store::contract,
            bytes_come_back_by_their_digest
            an_empty_blob_is_a_blob
            keeping_the_same_bytes_twice_has_the_effect_of_once
            many_blobs_are_kept_with_one_call
            a_broken_promise_keeps_nothing
            a_finished_file_moves_in
            a_blob_that_is_not_there_is_missing
            a_removed_blob_is_gone_and_removing_it_again_is_no_error
            only_what_is_not_there_is_named_as_missing
            the_list_knows_each_blob_its_size_and_when_it_came
            writers_of_the_same_blob_do_not_disturb_each_other
            a_local_path_leads_to_the_content
            a_part_is_read_by_its_place
        }
    };
}

/// Makes one test of each sentence of a suite.
#[doc(hidden)]
#[macro_export]
macro_rules! contract_tests {
    ($make:path, $suite:path, $($sentence:ident)+) => {
        $(
            #[tokio::test]
            async fn $sentence() {
                use $suite as suite;
                let (adapter, _keeps_alive) = $make().await;
                suite::$sentence(&adapter).await;
            }
        )+
    };
}

fn bytes(text: &str) -> Bytes {
    Bytes::copy_from_slice(text.as_bytes())
}

#[expect(missing_docs, reason = "the names are the sentences of the contract")]
mod sentences {
    use super::*;

    pub async fn bytes_come_back_by_their_digest(store: &dyn BlobStore) {
        let large = Bytes::from(vec![7; 3_000_000]);
        for content in [bytes("mayfly"), large] {
            let digest = store.put(content.clone()).await.expect("kept");
            assert_eq!(digest, Digest::of(&content));
            assert!(store.get(&digest).await.expect("there") == content);
        }
    }

    pub async fn a_part_is_read_by_its_place(store: &dyn BlobStore) {
        let digest = store.put(bytes("mayfly")).await.expect("kept");
        for (offset, length, part) in [
            (0, 6, "mayfly"),
            (0, 3, "may"),
            (3, 100, "fly"),
            (5, 1, "y"),
            (6, 10, ""),
            (100, 10, ""),
        ] {
            let read = store.read_part(&digest, offset, length).await;
            assert_eq!(read.expect("there"), bytes(part), "{offset} {length}");
        }
        let absent = Digest::of(b"absent");
        let read = store.read_part(&absent, 0, 1).await;
        assert!(matches!(read, Err(BlobError::Missing(_))), "{read:?}");
    }

    pub async fn an_empty_blob_is_a_blob(store: &dyn BlobStore) {
        let digest = store.put(Bytes::new()).await.expect("kept");
        assert_eq!(store.get(&digest).await.expect("there"), Bytes::new());
        assert_eq!(store.list().await.expect("a list")[0].size_bytes, 0);
    }

    pub async fn keeping_the_same_bytes_twice_has_the_effect_of_once(store: &dyn BlobStore) {
        let first = store.put(bytes("once")).await.expect("kept");
        let second = store.put(bytes("once")).await.expect("kept again");
        let third = store
            .put_all(vec![(None, bytes("once")), (Some(first), bytes("once"))])
            .await
            .expect("kept again");
        assert_eq!((second, third), (first, vec![first, first]));
        assert_eq!(store.list().await.expect("a list").len(), 1);
    }

    pub async fn many_blobs_are_kept_with_one_call(store: &dyn BlobStore) {
        let blobs: Vec<_> = (0..100)
            .map(|n| (None, bytes(&format!("blob {n}"))))
            .collect();
        let digests = store.put_all(blobs.clone()).await.expect("all kept");
        assert_eq!(digests.len(), blobs.len());
        for (digest, (_, content)) in digests.iter().zip(blobs) {
            assert_eq!(store.get(digest).await.expect("there"), content);
        }
        assert_eq!(store.put_all(vec![]).await.expect("nothing to do"), []);
    }

    pub async fn a_broken_promise_keeps_nothing(store: &dyn BlobStore) {
        let promised = Digest::of(b"as promised");
        let blobs = vec![(None, bytes("good")), (Some(promised), bytes("changed"))];
        match store.put_all(blobs).await {
            Err(BlobError::Mismatch { expected, actual }) => {
                assert_eq!((expected, actual), (promised, Digest::of(b"changed")));
            }
            other => panic!("a mismatch was expected, not {other:?}"),
        }
        assert_eq!(store.list().await.expect("a list"), []);
    }

    pub async fn a_finished_file_moves_in(store: &dyn BlobStore) {
        let folder = tempfile::tempdir().expect("a folder");
        for content in ["small".to_owned(), "large ".repeat(2_000_000)] {
            let file = folder.path().join("layer");
            std::fs::write(&file, &content).expect("written");
            let digest = Digest::of(content.as_bytes());
            store.put_file(&file, digest).await.expect("moved in");
            assert!(store.get(&digest).await.expect("there") == content.as_bytes());
            assert!(!file.exists());
            std::fs::write(&file, &content).expect("written");
            store.put_file(&file, digest).await.expect("moved in again");
        }
        assert_eq!(store.list().await.expect("a list").len(), 2);
    }

    pub async fn a_blob_that_is_not_there_is_missing(store: &dyn BlobStore) {
        let digest = Digest::of(b"never kept");
        match store.get(&digest).await {
            Err(BlobError::Missing(named)) => assert_eq!(named, digest),
            other => panic!("a missing blob was expected, not {other:?}"),
        }
    }

    pub async fn a_removed_blob_is_gone_and_removing_it_again_is_no_error(store: &dyn BlobStore) {
        let digest = store.put(bytes("short-lived")).await.expect("kept");
        let other = store.put(bytes("other")).await.expect("kept");
        store.remove(&digest).await.expect("removed");
        store.remove(&digest).await.expect("removed already");
        assert_eq!(
            store.missing(&[digest, other]).await.expect("an answer"),
            [digest]
        );
        store.put(bytes("short-lived")).await.expect("kept again");
        assert_eq!(store.get(&digest).await.expect("there"), "short-lived");
    }

    pub async fn only_what_is_not_there_is_named_as_missing(store: &dyn BlobStore) {
        let there = store.put(bytes("there")).await.expect("kept");
        let absent = [Digest::of(b"absent"), Digest::of(b"gone")];
        let asked = [absent[0], there, absent[1]];
        assert_eq!(store.missing(&asked).await.expect("an answer"), absent);
        assert_eq!(store.missing(&[]).await.expect("an answer"), []);
    }

    pub async fn the_list_knows_each_blob_its_size_and_when_it_came(store: &dyn BlobStore) {
        let before = jiff::Timestamp::now();
        let digests = store
            .put_all(vec![(None, bytes("a")), (None, bytes("bcd"))])
            .await
            .expect("kept");
        let list = store.list().await.expect("a list");
        let size_of = |digest| {
            let found = list.iter().find(|info| info.digest == digest);
            found.map(|info| info.size_bytes)
        };
        assert_eq!(size_of(digests[0]), Some(1));
        assert_eq!(size_of(digests[1]), Some(3));
        let hour = jiff::SignedDuration::from_hours(1);
        for info in &list {
            let age = info.modified_at.duration_since(before).abs();
            assert!(age < hour, "{info:?}");
        }
    }

    pub async fn writers_of_the_same_blob_do_not_disturb_each_other(store: &dyn BlobStore) {
        let content = Bytes::from(vec![3; 200_000]);
        let (a, b, c) = tokio::join!(
            store.put(content.clone()),
            store.put_all(vec![(None, content.clone()), (None, bytes("beside"))]),
            store.put(content.clone()),
        );
        let digest = a.expect("kept");
        assert_eq!(b.expect("kept")[0], digest);
        assert_eq!(c.expect("kept"), digest);
        assert!(store.get(&digest).await.expect("there") == content);
    }

    pub async fn a_local_path_leads_to_the_content(store: &dyn BlobStore) {
        let digest = store.put(bytes("streamed")).await.expect("kept");
        if let Some(path) = store.local_path(&digest).await.expect("an answer") {
            assert_eq!(std::fs::read(path).expect("readable"), b"streamed");
            let absent = store.local_path(&Digest::of(b"absent")).await;
            assert!(matches!(absent, Err(BlobError::Missing(_))), "{absent:?}");
        }
    }
}

pub use sentences::*;

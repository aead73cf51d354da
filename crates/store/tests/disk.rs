//! What only the store in a folder does.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use bytes::Bytes;
use model::Digest;
use model::failure::Remedy;
use ports::blob_store::{BlobError, BlobStore};
use store::{DiskBlobs, ObjectBlobs};

fn path_of(root: &Path, digest: &Digest) -> PathBuf {
    let hex = digest.hex();
    root.join("sha256").join(&hex[..2]).join(hex)
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).expect("there").permissions().mode() & 0o777
}

#[tokio::test]
async fn blobs_lie_under_their_digest_for_their_owners_eyes_only() {
    let folder = tempfile::tempdir().expect("a folder");
    let root = folder.path().join("blobs");
    let store = DiskBlobs::open(&root).expect("a store");
    let digest = store.put(Bytes::from_static(b"x")).await.expect("kept");
    let file = folder.path().join("layer");
    fs::write(&file, b"y").expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).expect("set");
    store.put_file(&file, Digest::of(b"y")).await.expect("kept");
    assert_eq!(mode(&root), 0o700);
    assert_eq!(mode(&path_of(&root, &digest)), 0o600);
    assert_eq!(mode(&path_of(&root, &Digest::of(b"y"))), 0o600);
}

#[tokio::test]
async fn what_an_interrupted_process_was_writing_is_removed_and_blobs_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskBlobs::open(folder.path()).expect("a store");
    let digest = store.put(Bytes::from_static(b"whole")).await.expect("kept");
    let torn = folder.path().join("tmp").join(".tmpAbC123");
    fs::write(&torn, b"half of").expect("written");
    let store = DiskBlobs::open(folder.path()).expect("opened again");
    assert!(!torn.exists());
    assert_eq!(store.get(&digest).await.expect("there"), "whole");
    assert_eq!(store.list().await.expect("a list").len(), 1);
}

#[tokio::test]
async fn a_damaged_blob_is_noticed_and_heals_when_it_is_kept_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let on_disk = DiskBlobs::open(folder.path()).expect("a store");
    let as_objects = ObjectBlobs::in_folder(folder.path()).expect("a store");
    let content = Bytes::from(vec![9; 150_000]);
    let mut flipped = content.to_vec();
    flipped[149_999] ^= 1;
    for store in [&on_disk as &dyn BlobStore, &as_objects] {
        let digest = store.put(content.clone()).await.expect("kept");
        for damage in [&flipped[..], &content[..70_000], b""] {
            fs::write(path_of(folder.path(), &digest), damage).expect("damaged");
            let error = store.get(&digest).await.expect_err("damaged");
            assert!(matches!(error, BlobError::Damaged(named) if named == digest));
            assert!(error.hint().is_some());
            store.put(content.clone()).await.expect("kept again");
            assert!(store.get(&digest).await.expect("healed") == content);
        }
    }
}

#[tokio::test]
async fn a_file_from_another_file_system_is_copied_in() {
    let memory = Path::new("/dev/shm");
    let other = tempfile::tempdir_in(memory).expect("a folder in memory");
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskBlobs::open(folder.path()).expect("a store");
    let file = other.path().join("layer");
    fs::write(&file, b"from afar").expect("written");
    store
        .put_file(&file, Digest::of(b"from afar"))
        .await
        .expect("kept");
    assert!(!file.exists());
    let kept = store.get(&Digest::of(b"from afar")).await;
    assert_eq!(kept.expect("there"), "from afar");
}

#[tokio::test]
async fn foreign_files_in_the_folder_are_not_taken_for_blobs() {
    let folder = tempfile::tempdir().expect("a folder");
    let store = DiskBlobs::open(folder.path()).expect("a store");
    let digest = store.put(Bytes::from_static(b"x")).await.expect("kept");
    let beside = path_of(folder.path(), &digest).with_file_name("README");
    fs::write(beside, b"not a blob").expect("written");
    assert_eq!(store.list().await.expect("a list").len(), 1);
}

//! Every adapter of the blob port passes its contract.

use std::sync::Arc;

use store::{DiskBlobs, ObjectBlobs};
use tempfile::TempDir;

mod on_disk {
    use super::*;

    async fn new_store() -> (DiskBlobs, TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = DiskBlobs::open(&folder.path().join("blobs")).expect("a store");
        (store, folder)
    }

    ports::blob_store_contract!(new_store);
}

mod as_objects_on_disk {
    use super::*;

    async fn new_store() -> (ObjectBlobs, TempDir) {
        let folder = tempfile::tempdir().expect("a folder");
        let store = ObjectBlobs::in_folder(folder.path()).expect("a store");
        (store, folder)
    }

    ports::blob_store_contract!(new_store);
}

mod as_objects_in_memory {
    use super::*;

    async fn new_store() -> (ObjectBlobs, ()) {
        let memory = object_store::memory::InMemory::new();
        (ObjectBlobs::new(Arc::new(memory)), ())
    }

    ports::blob_store_contract!(new_store);
}

//! Adapters of the blob port: a folder on disk, and any object store.

mod disk;
mod object;

pub use disk::DiskBlobs;
pub use object::ObjectBlobs;

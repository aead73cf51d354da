//! Where mayfly keeps things: blobs by their digest, the ledger of what happened, and the OCI
//! registry over both.

pub mod blobs;
pub mod checkout;
pub mod ledger;
pub mod registry;

pub use blobs::{DiskBlobs, ObjectBlobs};
pub use checkout::DiskCheckout;
pub use ledger::SqliteLedger;
pub use registry::Registry;

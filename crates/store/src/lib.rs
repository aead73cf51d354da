//! Where mayfly keeps things: blobs by their digest, and the ledger of what happened.

pub mod blobs;
pub mod checkout;
pub mod ledger;

pub use blobs::{DiskBlobs, ObjectBlobs};
pub use checkout::DiskCheckout;
pub use ledger::SqliteLedger;

//! The first floor: what the delivery of an app needs from the world, one trait a file.
//!
//! Each port stands beside the contract that all its adapters pass (`<port>::contract`, behind the
//! feature `contracts`). Ports speak the model's words; none of them names a tool.

pub mod access;
pub mod blob_store;
pub mod builder;
pub mod cataloguer;
pub mod checker;
pub mod checkout;
pub mod clock;
pub mod decider;
pub mod image_registry;
pub mod key_ring;
pub mod ledger;
pub mod package_gate;
pub mod runtime;
pub mod scanner;
pub mod signer;
pub mod tester;
pub mod traffic;
pub mod transparency_log;
pub mod workshop;

pub use access::{Grant, Right, Scope, Tokens};
pub use blob_store::{BlobError, BlobStore};
pub use builder::{BuildRequest, Builder, Built, ProgressSink, Source};
pub use cataloguer::Cataloguer;
pub use checker::{CheckRequest, Checked, Checker};
pub use checkout::{CheckedOut, Checkout};
pub use clock::{Clock, SystemClock};
pub use decider::Decider;
pub use image_registry::ImageRegistry;
pub use key_ring::{Key, KeyExport, KeyRing, KeyRingError};
pub use ledger::{BlobRelease, Change, Entry, Ledger, LedgerError};
pub use package_gate::{AdmitsAll, Asked, Origin, PackageGate, Requested};
pub use runtime::{Launch, Runtime, RuntimeError, Termination};
pub use scanner::{ScanData, Scanned, Scanner};
pub use signer::{Presented, Recorded, Signer, SignerError};
pub use tester::{TestRequest, Tested, Tester};
pub use traffic::{Route, Target, Traffic};
pub use transparency_log::{LogError, TransparencyLog};
pub use workshop::{Job, JobReport, Workshop, WorkshopError};

//! Says who made what, so that others can check it: keys, signatures, verification and the
//! transparency log.
//!
//! A [`KeyFolder`] holds the server's P-256 keys; a [`KeySigner`] signs statements with the current
//! one, in the forms that cosign 2 and 3 read ([`layout`]); a [`KeylessSigner`] signs as an identity.
//! [`Trust`] verifies what anybody signed.
//! The [`TileLog`] is a C2SP tile log of the ledger's events with an Ed25519 key of its own.

pub mod bundle;
mod dsse;
mod export;
mod key_folder;
mod key_signer;
pub mod keyless;
mod keyless_signer;
pub mod layout;
pub mod log;
pub mod media_type;
mod predicate;
mod private_file;
mod public_key;
mod recorded;
mod simple_signing;
mod statement;
mod trust;

pub use key_folder::KeyFolder;
pub use key_signer::KeySigner;
pub use keyless::{Identity, Keyless, Services, TrustedRoot};
pub use keyless_signer::{IdentityTokens, KeylessSigner};
pub use log::{LogKey, LogVerifier, TileLog};
pub use predicate::predicate;
pub use public_key::{PublicKey, PublicKeyError};
pub use trust::{Trust, TrustedKey};

//! Finds known vulnerabilities of packages in data of the OSV format.
//!
//! [`import`] reads OSV's archives, one an ecosystem, checks them, and writes one compact file, which
//! replaces the last one in one step. [`Database`] maps that file and finds the records of packages:
//! by their exact name, and by the order of versions in their ecosystem. Everything in an archive is
//! foreign: what is damaged is an error, what is odd is counted, and what cannot be compared is taken
//! for the worst.

mod archive;
mod book;
mod bytes;
mod cvss2;
mod database;
mod ecosystem;
mod facts;
pub mod fuzz;
mod import;
mod interval;
mod licence;
mod near;
mod package;
mod record;
mod scanner;
mod score;
mod version;

pub use database::{Database, OpenError};
pub use ecosystem::Ecosystem;
pub use facts::{Facts, Quirk, QuirkKind};
pub use import::{Change, Import, ImportError, Imported, import};
pub use licence::{LicenceVerdict, licence_verdict};
pub use near::near_popular;
pub use package::{Package, Purl};
pub use scanner::OsvScanner;

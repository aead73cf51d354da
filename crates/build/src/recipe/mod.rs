//! How an app's layers are made: what detection described, done with real tools in sandboxes.

mod admission;
mod build;
mod described;
mod job;
mod kit;
mod make;
mod node;
mod python;
mod site;
mod sources;
mod start;
mod suites;

pub use described::{
    Back, FilesRecipe, Front, NodeLock, NodePackages, NodeRecipe, NodeResult, PYTHONS, Pages,
    PythonPackages, PythonRecipe, PythonVersion, Recipe, Start,
};
pub use kit::{Kit, Order, Wheels};
pub use make::{Made, make};
pub(crate) use node::packages_of as node_packages;
pub(crate) use python::packages_of as python_packages;
pub use sources::kept_sources;
pub(crate) use suites::{identity as tests_identity, run as run_tests};

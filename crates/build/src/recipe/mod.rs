//! How an app's layers are made: what detection described, done with real tools in sandboxes.

mod described;

pub use described::{
    Back, FilesRecipe, Front, NodeLock, NodePackages, NodeRecipe, NodeResult, PYTHONS, Pages,
    PythonPackages, PythonRecipe, PythonVersion, Recipe, Start,
};

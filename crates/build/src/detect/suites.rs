//! Which tests an app brings, and how they run.

use model::failure::Failure;
use model::manifest::Manifest;

use crate::detect::folder::Folder;
use crate::detect::{node, python};
use crate::recipe::{Back, Front, NodeRecipe, PythonRecipe, Recipe};

pub use node::suites::NodeSuite;
pub use python::suites::{PythonSuite, PythonTests};

/// An app's own tests.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Suites {
    /// Those in Python; an app has one Python.
    pub python: Option<PythonSuite>,
    /// Those on Node: of a server, of a front end.
    pub node: Vec<NodeSuite>,
    /// Tests that nothing here can run, in a sentence each.
    pub notes: Vec<String>,
}

impl Suites {
    /// Whether there is nothing to run and nothing to say.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// Whether a look for tests is worth its while: only names of files are seen, and the scripts of
/// package.json. An app without tests costs no more than this.
pub fn may_have_tests(folder: &Folder, manifest: &Manifest) -> bool {
    let has = |path: &str| python::suites::is_test(path) || node::suites::is_test(path);
    manifest.tests.command.is_some()
        || folder.files().any(has)
        || folder
            .files()
            .filter(|path| path.rsplit('/').next() == Some("package.json"))
            .filter(|path| path.matches('/').count() <= 1)
            .any(|path| node::suites::has_script(folder, path))
}

/// Finds the tests of an app that is built by `recipe`.
pub fn suites(folder: &Folder, recipe: &Recipe, manifest: &Manifest) -> Result<Suites, Failure> {
    let (python, nodes) = runtimes(recipe);
    let mut found = Suites::default();
    if let Some(command) = &manifest.tests.command {
        match (python, nodes.last()) {
            (Some(python), _) => {
                found.python = Some(python::suites::by_command(folder, python, command)?);
            }
            (None, Some(node)) => found.node.push(NodeSuite::by_command(node, command)),
            (None, None) => found.notes.push(format!(
                "`{command}` of mayfly.toml was not run: the app has neither Python nor Node"
            )),
        }
        return Ok(found);
    }
    if let Some(python) = python {
        found.python = python::suites::find(folder, python)?;
    }
    for node in nodes {
        node::suites::find(folder, node, &mut found)?;
    }
    Ok(found)
}

/// What an app's code can run on. The server comes last.
pub(crate) fn runtimes(recipe: &Recipe) -> (Option<&PythonRecipe>, Vec<&NodeRecipe>) {
    match recipe {
        Recipe::Files(_) => (None, vec![]),
        Recipe::Node(node) => (None, vec![node]),
        Recipe::Python(python) => (Some(python), vec![]),
        Recipe::FrontAndBack { front, back } => {
            let mut nodes: Vec<&NodeRecipe> = match front {
                Front::Built(node) => vec![node],
                Front::Files(_) => vec![],
            };
            match back {
                Back::Node(node) => nodes.push(node),
                Back::Python(python) => return (Some(python), nodes),
            }
            (None, nodes)
        }
    }
}

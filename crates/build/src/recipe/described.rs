//! What a build has to do, as detection describes it.

use std::collections::BTreeMap;

/// Everything that a build of one app has to do.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one in a build")]
pub enum Recipe {
    /// Files that are served as they are.
    Files(FilesRecipe),
    /// A Node server, or a front end that Node builds.
    Node(NodeRecipe),
    /// A Python server.
    Python(PythonRecipe),
    /// A front end beside a back end.
    FrontAndBack {
        /// Where `/` comes from.
        front: Front,
        /// Who answers for what the front end does not have.
        back: Back,
    },
}

/// A front end.
#[derive(Debug, Clone, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "there is one in a build")]
pub enum Front {
    /// Files that are served as they are.
    Files(FilesRecipe),
    /// Files that Node builds; its result is [`NodeResult::Site`].
    Built(NodeRecipe),
}

/// A back end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Back {
    /// On Node; its result is [`NodeResult::Server`].
    Node(NodeRecipe),
    /// On Python.
    Python(PythonRecipe),
}

/// A folder of finished files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilesRecipe {
    /// Where they lie in the source; empty for the source itself.
    pub folder: String,
    /// The pages for `/` and for paths without a file.
    pub pages: Pages,
}

/// Pages with a part of their own in a site; paths are relative to the site.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Pages {
    /// The page for `/` when it is not `index.html`.
    pub index: Option<String>,
    /// The page that answers for paths without a file.
    pub fallback: Option<String>,
}

/// What Node and its packages make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodeRecipe {
    /// Where the app lies in the source; empty for the source itself.
    pub folder: String,
    /// Node's major version: `22`.
    pub version: String,
    /// Its packages; none when it needs none.
    pub packages: Option<NodePackages>,
    /// A shell command that builds it.
    pub build: Option<String>,
    /// What comes out.
    pub result: NodeResult,
}

/// The packages of a Node app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NodePackages {
    /// The text of package.json, with what the code uses and it did not list.
    pub manifest: String,
    /// The lock file, and who wrote it. None when packages were added to the manifest: the lock
    /// would no longer fit.
    pub lock: Option<NodeLock>,
    /// Where they are installed, in the source: the app's folder, or the root of its workspaces.
    /// Empty for the source itself.
    pub root: String,
    /// The text of each workspace's package.json, by its folder below `root`.
    pub members: BTreeMap<String, String>,
    /// The packages that the code imports: these stay when what only the build needs goes.
    pub at_run_time: Vec<String>,
}

/// A lock file of a Node app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NodeLock {
    /// package-lock.json.
    Npm,
    /// npm-shrinkwrap.json, which has package-lock.json's form.
    Shrinkwrap,
    /// yarn.lock.
    Yarn,
    /// pnpm-lock.yaml.
    Pnpm,
    /// bun.lock.
    Bun,
}

impl NodeLock {
    /// All of them, the one that mayfly's installer writes itself first.
    pub const ALL: [Self; 5] = [
        Self::Bun,
        Self::Npm,
        Self::Shrinkwrap,
        Self::Pnpm,
        Self::Yarn,
    ];

    /// The file's name.
    pub fn file_name(self) -> &'static str {
        match self {
            Self::Npm => "package-lock.json",
            Self::Shrinkwrap => "npm-shrinkwrap.json",
            Self::Yarn => "yarn.lock",
            Self::Pnpm => "pnpm-lock.yaml",
            Self::Bun => "bun.lock",
        }
    }
}

/// What comes out of a Node build.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeResult {
    /// A folder of files: the first of these, relative to the app, that is there after the build
    /// and has a page in it.
    Site {
        /// Where to look.
        outputs: Vec<String>,
    },
    /// A server.
    Server(Start),
}

/// What Python and its packages make.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PythonRecipe {
    /// Where the app lies in the source; empty for the source itself.
    pub folder: String,
    /// Which Python.
    pub version: PythonVersion,
    /// Its packages.
    pub packages: PythonPackages,
    /// A shell command that builds it.
    pub build: Option<String>,
    /// How it starts.
    pub start: Start,
}

/// Which Python an app gets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonVersion {
    /// The app or mayfly.toml says which.
    Asked(String),
    /// The newest for which its packages have wheels.
    Newest,
}

/// Versions of Python that there are base images for, newest first.
pub const PYTHONS: [&str; 2] = ["3.13", "3.11"];

impl PythonVersion {
    /// The versions to try, in this order.
    pub fn candidates(&self) -> Vec<&str> {
        match self {
            Self::Asked(version) => vec![version],
            Self::Newest => PYTHONS.to_vec(),
        }
    }
}

/// The packages of a Python app.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PythonPackages {
    /// It needs none.
    None,
    /// Requirements (PEP 508), one a line, sorted as they were listed.
    Listed {
        /// The lines.
        lines: Vec<String>,
        /// The file that lists them, for people; none when they are known by imports alone.
        file: Option<String>,
    },
    /// `uv.lock` beside `pyproject.toml`, and requirements that the code needs beyond it.
    UvLock {
        /// The requirements that it lacks.
        added: Vec<String>,
    },
}

/// How a server starts.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Start {
    /// The command and its arguments.
    pub command: Vec<String>,
    /// Commands that run to their end before it.
    pub before: Vec<Vec<String>>,
    /// Variables that its framework needs.
    pub env: BTreeMap<String, String>,
    /// Where it starts, relative to the app's folder in the source; empty for that folder.
    pub workdir: String,
    /// The port it probably listens on; also the `PORT` that it is given.
    pub port: u16,
}

//! What a recipe works with: bases, programs, registries, the layer shelf and the sandbox.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use model::Digest;
use model::limits::BuildLimits;
use model::plan::Plan;
use ports::workshop::{Bind, Network, Workshop};
use ports::{PackageGate, ProgressSink, Source};

use crate::debian::Bases;
use crate::fetch::certificate_files;
use crate::flight::{Flights, Turn};
use crate::layer::Packer;
use crate::recipe::job::{PROGRAMS, Runner, read};
use crate::tools::Tools;

/// Changes whenever the same inputs would give other layers.
pub(super) const RECIPES: &str = "recipes 1";

/// The parts that recipes share; one for the daemon.
pub struct Kit {
    /// Base images.
    pub bases: Arc<Bases>,
    /// Installers and interpreters.
    pub tools: Arc<Tools>,
    /// Makes and finds layers.
    pub packer: Packer,
    /// Runs commands.
    pub workshop: Arc<dyn Workshop>,
    /// A folder for what was compiled, for all apps.
    pub native: PathBuf,
    /// Python wheels that were built here, for all apps.
    pub wheels: Wheels,
}

/// A folder of wheels that were built here.
pub struct Wheels {
    /// The folder.
    pub(super) folder: PathBuf,
    flights: Flights,
}

impl Wheels {
    /// Keeps wheels in `folder`.
    pub fn new(folder: PathBuf) -> Self {
        Self {
            folder,
            flights: Flights::default(),
        }
    }

    /// Waits until nobody else builds the wheel of this key.
    pub(super) async fn turn(&self, key: Digest) -> Turn {
        self.flights.turn(key).await
    }
}

/// One build's inputs, beside its recipe.
#[derive(Clone, Copy)]
pub struct Order<'a> {
    /// The app's files.
    pub source: &'a Source,
    /// What was decided: packages, patterns of what is kept.
    pub plan: &'a Plan,
    /// Variables that a build may see.
    pub public_env: &'a BTreeMap<String, String>,
    /// Inputs that an earlier build resolved.
    pub pins: &'a BTreeMap<String, Vec<u8>>,
    /// What its commands may use.
    pub limits: BuildLimits,
    /// Who admits packages.
    pub gate: &'a dyn PackageGate,
    /// Who waits.
    pub progress: &'a dyn ProgressSink,
}

impl Kit {
    pub(super) fn runner<'a>(&'a self, order: &Order<'a>) -> Runner<'a> {
        Runner {
            workshop: &*self.workshop,
            progress: order.progress,
            limits: order.limits,
        }
    }
}

/// The machine's certificates, for installers in a sandbox: a bind for each file and the variables
/// that name them.
pub(super) fn certificates() -> (Vec<Bind>, BTreeMap<String, String>) {
    let files = certificate_files();
    let inside = |index: usize| format!("{PROGRAMS}/certificates/{index}.pem");
    let binds = files
        .iter()
        .enumerate()
        .map(|(i, file)| read(file, inside(i)));
    let mut env = BTreeMap::new();
    if !files.is_empty() {
        for name in ["SSL_CERT_FILE", "NODE_EXTRA_CA_CERTS"] {
            env.insert(name.to_owned(), inside(0));
        }
    }
    (binds.collect(), env)
}

/// What an installer may reach: registries, and nothing else.
pub(super) fn registries_only(tools: &Tools) -> Network {
    Network::Only(tools.registry_hosts())
}

/// A tool's name and version, as its folder has it: part of the identity of what it makes.
pub(super) fn version_of(tool: &Path) -> String {
    let folder = tool.parent().and_then(Path::file_name);
    folder.unwrap_or_default().to_string_lossy().into_owned()
}

/// The identity of a layer by all that it is made from.
pub(super) fn key(parts: &[&str]) -> Digest {
    let mut bytes = RECIPES.as_bytes().to_vec();
    for part in parts {
        bytes.extend((part.len() as u64).to_le_bytes());
        bytes.extend(part.as_bytes());
    }
    Digest::of(&bytes)
}

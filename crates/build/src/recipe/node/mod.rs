//! Node: packages resolved once and installed without running their scripts, native modules
//! compiled apart, builds without a network.

mod complaint;
mod install;
mod lock;
mod native;
mod requested;

pub(super) use install::CACHES;

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::failure::Failure;
use model::image::LayerKind;
use model::serving::Process;

use crate::debian::{Base, BaseKind};
use crate::layer::PackedLayer;
use crate::recipe::build::{self, Build, Output, Sees};
use crate::recipe::kit::{Kit, Order};
use crate::recipe::start::{APP, process};
use crate::recipe::{NodeRecipe, Start};

const BASE_PIN: &str = "base.libc";

/// Node and an app's packages, as layers.
pub(super) struct Made {
    pub(super) base: PackedLayer,
    pub(super) node: PackedLayer,
    /// The layer with all packages, when there are some: builds have them.
    pub(super) packages: Option<PackedLayer>,
    /// The layer with those that stay in the image.
    pub(super) lasting: Option<PackedLayer>,
    /// The inputs to keep.
    pub(super) pins: BTreeMap<String, Vec<u8>>,
    /// Whether all of it was there.
    pub(super) cached: bool,
}

impl Made {
    /// The layers of an image that runs on it, lowest first.
    pub(super) fn layers(&self) -> Vec<PackedLayer> {
        let own = [self.base.clone(), self.node.clone()];
        own.into_iter().chain(self.lasting.clone()).collect()
    }

    /// What a build runs on, lowest first.
    pub(super) fn build_layers(&self) -> Vec<PackedLayer> {
        let own = [self.base.clone(), self.node.clone()];
        own.into_iter().chain(self.packages.clone()).collect()
    }

    pub(super) fn dirs(&self) -> Vec<PathBuf> {
        vec![self.base.dir.clone(), self.node.dir.clone()]
    }
}

/// Makes the base, Node and the packages.
pub(super) async fn make(
    kit: &Kit,
    order: &Order<'_>,
    recipe: &NodeRecipe,
) -> Result<Made, Failure> {
    // Fetched side by side; the installation finds its program.
    let (base, node, bun) = tokio::join!(
        base(kit, order, BaseKind::Libc, &order.plan.packages, BASE_PIN),
        kit.tools.node_layer(&recipe.version, &kit.packer),
        async {
            match recipe.packages {
                Some(_) => kit.tools.bun().await.map(drop),
                None => Ok(()),
            }
        },
    );
    bun?;
    let (base, (node, node_cached)) = (base?, node?);
    let mut made = Made {
        base: base.packed,
        node,
        packages: None,
        lasting: None,
        pins: [(BASE_PIN.to_owned(), base.pin)].into(),
        cached: base.cached && node_cached,
    };
    if let Some(packages) = &recipe.packages {
        let installed = install::install(kit, order, recipe, packages, &made).await?;
        made.cached &= installed.cached;
        made.pins.extend(installed.pins);
        made.lasting = Some(installed.lasting.unwrap_or_else(|| installed.all.clone()));
        made.packages = Some(installed.all);
    }
    Ok(made)
}

async fn base(
    kit: &Kit,
    order: &Order<'_>,
    kind: BaseKind,
    packages: &[String],
    pin: &str,
) -> Result<Base, Failure> {
    let pinned = order.pins.get(pin).map(Vec::as_slice);
    kit.bases.base(kind, packages, pinned, order.progress).await
}

/// Where an app's packages are installed, in the source.
fn install_root(recipe: &NodeRecipe) -> &str {
    let packages = recipe.packages.as_ref();
    packages.map_or(&recipe.folder, |packages| &packages.root)
}

/// The name of the lock's pin: a front end and a back end have one each, unless they are workspaces
/// of one root.
/// Name, version and hash of each package that a pin names and that comes from a registry.
pub(crate) fn packages_of(pin: &[u8]) -> Vec<(String, String, String)> {
    let packages = lock::Lock::from_pin(pin).map(|lock| lock.packages());
    let packages = packages.into_iter().flatten();
    let named = |package: lock::Locked| {
        let name = package.name().to_owned();
        let version = package.version.get(name.len() + 1..)?.to_owned();
        (!package.integrity.is_empty()).then_some((name, version, package.integrity))
    };
    packages.filter_map(named).collect()
}

fn lock_pin(recipe: &NodeRecipe) -> String {
    match install_root(recipe) {
        "" => lock::PIN.to_owned(),
        folder => format!("{}:{folder}", lock::PIN),
    }
}

/// Where an app's packages lie in an image, without the `/` at the beginning.
fn packages_path(recipe: &NodeRecipe) -> String {
    modules_of(install_root(recipe))
}

fn modules_of(folder: &str) -> String {
    let app = APP.trim_start_matches('/');
    match folder {
        "" => format!("{app}/node_modules"),
        folder => format!("{app}/{folder}/node_modules"),
    }
}

/// The folders of packages in a layer: the shared one first, then those that workspaces have.
fn packages_paths(recipe: &NodeRecipe, layer: &PackedLayer) -> Vec<String> {
    let members = recipe.packages.iter().flat_map(|packages| {
        let folder = |member: &String| match packages.root.as_str() {
            "" => member.clone(),
            root => format!("{root}/{member}"),
        };
        packages.members.keys().map(folder)
    });
    let own = members.map(|folder| modules_of(&folder));
    let own = own.filter(|path| build::is_folder(&layer.dir.join(path)));
    std::iter::once(packages_path(recipe)).chain(own).collect()
}

/// Where an app finds programs.
pub(super) fn path_variable(recipe: &NodeRecipe) -> String {
    let (own, shared) = (modules_of(&recipe.folder), packages_path(recipe));
    let programs = match own == shared {
        true => format!("/{shared}/.bin"),
        false => format!("/{own}/.bin:/{shared}/.bin"),
    };
    format!("{programs}:/usr/local/bin:/usr/bin:/bin")
}

/// How the server of a Node app runs.
pub(super) fn serve(recipe: &NodeRecipe, start: &Start) -> Process {
    let env = [
        ("PATH", path_variable(recipe)),
        ("NODE_ENV", "production".to_owned()),
        ("NEXT_TELEMETRY_DISABLED", "1".to_owned()),
        // Node's own client ignores proxies unless it is told to use them.
        ("NODE_USE_ENV_PROXY", "1".to_owned()),
    ];
    let env = env.map(|(name, value)| (name.to_owned(), value)).into();
    process(&recipe.folder, start, env)
}

/// All packages of an app, those for development too: where they lie, and their paths in a sandbox.
pub(super) fn packages(recipe: &NodeRecipe, made: &Made) -> Vec<(PathBuf, String)> {
    let packages = made.packages.iter().flat_map(|layer| {
        let paths = packages_paths(recipe, layer).into_iter();
        paths.map(|path| (layer.dir.join(&path), format!("/{path}")))
    });
    packages.collect()
}

/// Runs an app's own build.
pub(super) async fn build(
    kit: &Kit,
    order: &Order<'_>,
    recipe: &NodeRecipe,
    made: &Made,
    sees: &Sees,
    command: &str,
) -> Result<Output, Failure> {
    let env = [
        ("PATH", path_variable(recipe)),
        ("NEXT_TELEMETRY_DISABLED", "1".to_owned()),
        ("ASTRO_TELEMETRY_DISABLED", "1".to_owned()),
        ("GATSBY_TELEMETRY_DISABLED", "1".to_owned()),
        ("NG_CLI_ANALYTICS", "false".to_owned()),
        ("DO_NOT_TRACK", "1".to_owned()),
    ];
    let build = Build {
        command,
        folder: &recipe.folder,
        sees,
        layers: made.dirs(),
        packages: packages(recipe, made),
        caches: &CACHES,
        env: env.map(|(name, value)| (name.to_owned(), value)).into(),
    };
    build::run(kit, order, build).await
}

/// The kind of the layers that only hold packages.
const PACKAGES: LayerKind = LayerKind::Dependencies;

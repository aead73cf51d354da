//! Installs a Node app's packages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use model::failure::Failure;

use super::lock::{self, Lock};
use super::{Made, PACKAGES, complaint, lock_pin, native, packages_path};
use crate::layer::{LayerError, PackedLayer};
use crate::recipe::job::{Command, Done, program, write};
use crate::recipe::kit::{Kit, Order, certificates, key, registries_only, version_of};
use crate::recipe::{NodePackages, NodeRecipe};

/// Installed packages.
pub(super) struct Installed {
    pub(super) layer: PackedLayer,
    pub(super) pins: BTreeMap<String, Vec<u8>>,
    pub(super) cached: bool,
}

/// Scripts of packages never run here: this job has a network.
///
/// Tools that build front ends write caches below the packages; these folders are there for that.
const INSTALL: &str = "
/mayfly/bun install --ignore-scripts --no-progress --backend hardlink
mkdir -p node_modules
";
const INSTALL_LOCKED: &str = "
/mayfly/bun install --ignore-scripts --no-progress --backend hardlink --frozen-lockfile
mkdir -p node_modules
";

/// Folders below the packages that build tools write to.
pub(super) const CACHES: [&str; 4] = [".cache", ".vite", ".vite-temp", ".astro"];

/// Finds the packages' layer, or makes it.
pub(super) async fn install(
    kit: &Kit,
    order: &Order<'_>,
    recipe: &NodeRecipe,
    packages: &NodePackages,
    made: &Made,
) -> Result<Installed, Failure> {
    let manifest = lock::manifest_of(packages);
    let own_lock = packages.lock.and_then(|lock| {
        let folder = order.source.root.join(&recipe.folder);
        let bytes = fs::read(folder.join(lock.file_name())).ok()?;
        Some((lock.file_name(), bytes))
    });
    let input = lock::input_of(
        &manifest,
        own_lock.as_ref().map(|(_, bytes)| bytes.as_slice()),
    );
    let pinned = order.pins.get(&lock_pin(recipe));
    let pinned = pinned.and_then(|pin| Lock::from_pin(pin));
    let bun = kit.tools.bun().await?;
    let work = Work {
        kit,
        order,
        recipe,
        made,
        manifest,
        bun: &bun,
    };
    if let Some(lock) = pinned.clone().filter(|lock| lock.input == input) {
        let key = work.key(&lock);
        if let Some(layer) = kit.packer.recall(&key).await {
            return Ok(Installed {
                layer,
                pins: pins(recipe, &lock, BTreeMap::new()),
                cached: true,
            });
        }
        return work
            .run(input, &[("bun.lock", lock.text.as_bytes())], INSTALL_LOCKED)
            .await;
    }
    // A lock from before keeps the versions that still fit; the app's own comes first.
    let old = pinned
        .as_ref()
        .map(|lock| ("bun.lock", lock.text.as_bytes()));
    let own = own_lock
        .as_ref()
        .map(|(name, bytes)| (*name, bytes.as_slice()));
    let files: Vec<(&str, &[u8])> = own.or(old).into_iter().collect();
    work.run(input, &files, INSTALL).await
}

fn pins(
    recipe: &NodeRecipe,
    lock: &Lock,
    more: BTreeMap<String, Vec<u8>>,
) -> BTreeMap<String, Vec<u8>> {
    let mut pins = more;
    pins.insert(lock_pin(recipe), lock.to_pin());
    pins
}

/// One installation.
struct Work<'a, 'o> {
    kit: &'a Kit,
    order: &'a Order<'o>,
    recipe: &'a NodeRecipe,
    made: &'a Made,
    manifest: String,
    bun: &'a Path,
}

impl Work<'_, '_> {
    fn key(&self, lock: &Lock) -> model::Digest {
        let (base, node) = (&self.made.base.layer.diff_id, &self.made.node.layer.diff_id);
        key(&[
            "node packages",
            &lock.text,
            &base.to_string(),
            &node.to_string(),
            &version_of(self.bun),
            &packages_path(self.recipe),
        ])
    }

    async fn run(
        &self,
        input: model::Digest,
        files: &[(&str, &[u8])],
        script: &str,
    ) -> Result<Installed, Failure> {
        let scratch = self.kit.packer.scratch()?;
        let work = self.kit.packer.scratch()?;
        let manifest = [("package.json", self.manifest.as_bytes())];
        for (name, bytes) in manifest.iter().chain(files) {
            let path = work.path().join(name);
            fs::write(&path, bytes).map_err(|cause| LayerError::at(path)(cause))?;
        }
        let done = self.job(work.path(), script).await?;
        if !done.report.succeeded() {
            return Err(complaint::failure(&done, &self.list()));
        }
        let path = work.path().join("bun.lock");
        let text = fs::read_to_string(&path).unwrap_or_default();
        let lock = Lock { input, text };
        let modules = scratch.path().join(packages_path(self.recipe));
        place(&work.path().join("node_modules"), &modules)?;
        let native = native::compile(
            self.kit,
            self.order,
            self.made,
            self.recipe,
            &lock,
            &modules,
        );
        let more = native.await?;
        let layer = self.kit.packer.adopt(PACKAGES, scratch).await?;
        self.kit.packer.remember(&self.key(&lock), &layer)?;
        Ok(Installed {
            layer,
            pins: pins(self.recipe, &lock, more),
            cached: false,
        })
    }

    async fn job(&self, work: &Path, script: &str) -> Result<Done, Failure> {
        let (mut binds, mut env) = certificates();
        binds.push(program(self.bun, "bun"));
        binds.push(write(work, "/work"));
        let registries = self.kit.tools.registries();
        env.insert("BUN_INSTALL_CACHE_DIR".into(), "/work/.cache".into());
        env.insert("NPM_CONFIG_REGISTRY".into(), registries.npm.clone());
        env.insert("DO_NOT_TRACK".into(), "1".into());
        let command = Command {
            step: "install Node packages",
            layers: self.made.dirs(),
            binds,
            script,
            env,
            workdir: "/work",
            network: registries_only(&self.kit.tools),
        };
        self.kit.runner(self.order).run(command).await
    }

    fn list(&self) -> String {
        match self.recipe.folder.as_str() {
            "" => "package.json".into(),
            folder => format!("{folder}/package.json"),
        }
    }
}

/// Moves the packages to their place in the layer.
fn place(from: &Path, to: &Path) -> Result<(), Failure> {
    let above = to.parent().unwrap_or(to);
    fs::create_dir_all(above).map_err(|cause| LayerError::at(above)(cause))?;
    fs::rename(from, to).map_err(|cause| LayerError::at(to)(cause))?;
    for cache in CACHES {
        let path = to.join(cache);
        fs::create_dir_all(&path).map_err(|cause| LayerError::at(path)(cause))?;
    }
    Ok(())
}

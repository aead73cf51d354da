//! Native modules: compiled without a network, once for all apps of this machine.
//!
//! What was compiled for one app is used for others, so nothing of an app may reach into it. A
//! module is compiled in a tree of its own that has only its archive and those that it depends on,
//! and the key of the result has the hashes of them all.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::Digest;
use model::failure::{Failure, FailureCode};

use super::lock::{Lock, Locked};
use super::{Made, base};
use crate::debian::BaseKind;
use crate::layer::LayerError;
use crate::recipe::NodeRecipe;
use crate::recipe::job::{Command, read, write};
use crate::recipe::kit::{Kit, Order, key};
use crate::recipe::start::quoted;

const BASE_PIN: &str = "base.compiler";

/// Compiles what needs it below `modules`; returns more inputs to keep.
pub(super) async fn compile(
    kit: &Kit,
    order: &Order<'_>,
    made: &Made,
    recipe: &NodeRecipe,
    lock: &Lock,
    modules: &Path,
) -> Result<BTreeMap<String, Vec<u8>>, Failure> {
    let packages = lock.packages();
    let native: Vec<&Locked> = packages
        .iter()
        .filter(|package| package.has_script && needs_compiler(&folder_of(modules, package)))
        .collect();
    if native.is_empty() {
        return Ok(BTreeMap::new());
    }
    let compiler = base(kit, order, BaseKind::Compiler, &[], BASE_PIN).await?;
    let bench = Bench {
        kit,
        order,
        modules,
        layers: vec![compiler.packed.dir.clone(), made.node.dir.clone()],
        headers: kit.tools.node(&recipe.version).await?,
        npm: kit.tools.npm().await?,
        identity: format!(
            "{} {} {}",
            compiler.packed.layer.diff_id,
            kit.tools.node_version(&recipe.version)?,
            made.node.layer.diff_id
        ),
    };
    for package in native {
        let closure = closure(package, &packages);
        bench.provide(package, &closure).await?;
    }
    Ok([(BASE_PIN.to_owned(), compiler.pin)].into())
}

/// Whether a package has code to compile and brings no finished module for this machine.
fn needs_compiler(folder: &Path) -> bool {
    let finished = ["linux-x64", "linux-x64+glibc"];
    let ships = finished
        .iter()
        .any(|name| folder.join("prebuilds").join(name).is_dir());
    // `@parcel/watcher` has its modules in packages of their own, one for each kind of machine.
    let name = folder.file_name().unwrap_or_default().to_string_lossy();
    let beside = ["linux-x64-glibc", "linux-x64-gnu", "linux-x64"];
    let has_package = beside.iter().any(|kind| {
        let package = folder.with_file_name(format!("{name}-{kind}"));
        package.join("package.json").is_file()
    });
    folder.join("binding.gyp").is_file() && !ships && !has_package
}

/// `a/b` is the `b` below `a`; a scope is part of a name.
fn folder_of(modules: &Path, package: &Locked) -> PathBuf {
    modules.join(place_of(&package.place))
}

fn place_of(place: &str) -> String {
    let mut parts = place.split('/');
    let mut names = Vec::new();
    while let Some(part) = parts.next() {
        match part.strip_prefix('@').and_then(|_| parts.next()) {
            Some(rest) => names.push(format!("{part}/{rest}")),
            None => names.push(part.to_owned()),
        }
    }
    names.join("/node_modules/")
}

/// A package and all that it depends on, those that only it sees included.
fn closure<'l>(package: &'l Locked, all: &'l [Locked]) -> Vec<&'l Locked> {
    let mut wanted = vec![package];
    let mut seen: BTreeSet<&str> = [package.place.as_str()].into();
    let mut next = 0;
    while let Some(current) = wanted.get(next).copied() {
        next += 1;
        let inner = format!("{}/", current.place);
        for other in all {
            let depends = current.dependencies.contains(&other.place);
            if (depends || other.place.starts_with(&inner)) && seen.insert(&other.place) {
                wanted.push(other);
            }
        }
    }
    wanted
}

/// Where modules are compiled.
struct Bench<'a, 'o> {
    kit: &'a Kit,
    order: &'a Order<'o>,
    modules: &'a Path,
    layers: Vec<PathBuf>,
    headers: PathBuf,
    npm: PathBuf,
    /// Of everything that is the same for all modules.
    identity: String,
}

impl Bench<'_, '_> {
    /// Puts the compiled module into its package's folder, compiling it when no app had it before.
    async fn provide(&self, package: &Locked, closure: &[&Locked]) -> Result<(), Failure> {
        let shared = self.key(closure).map(|key| self.kit.native.join(key.hex()));
        let target = folder_of(self.modules, package);
        if let Some(kept) = shared.as_ref().filter(|kept| kept.is_dir()) {
            let step = format!("use the compiled {}", package.version);
            self.order.progress.step_started(&step);
            copy_modules(kept, &target)?;
            self.order.progress.step_done(&step, 0.0, true);
            return Ok(());
        }
        let work = self.kit.packer.scratch()?;
        let built = self.compile(package, closure, work.path()).await?;
        copy_modules(&built, &target)?;
        match shared {
            Some(kept) => Ok(keep(&built, &kept)?),
            None => Ok(()),
        }
    }

    /// The identity of the result; `None` when a source has no hash, so that it is not shared.
    fn key(&self, closure: &[&Locked]) -> Option<Digest> {
        let hashes = closure.iter().map(|locked| {
            let hash = !locked.integrity.is_empty();
            hash.then(|| format!("{} {} {}", locked.place, locked.version, locked.integrity))
        });
        let mut hashes: Vec<String> = hashes.collect::<Option<_>>()?;
        hashes.sort();
        Some(key(&["native module", &self.identity, &hashes.join("\n")]))
    }

    /// Compiles in a copy of the package; returns its folder.
    async fn compile(
        &self,
        package: &Locked,
        closure: &[&Locked],
        work: &Path,
    ) -> Result<PathBuf, Failure> {
        for locked in closure.iter().filter(|locked| !is_inner(locked, closure)) {
            let (from, to) = (folder_of(self.modules, locked), folder_of(work, locked));
            copy_tree(&from, &to).map_err(|cause| LayerError::at(to)(cause))?;
        }
        let inside = format!("/build/node_modules/{}", place_of(&package.place));
        let script = script(&folder_of(work, package), &inside);
        let step = format!("compile {}", package.version);
        let command = Command {
            step: &step,
            layers: self.layers.clone(),
            binds: vec![
                write(work, "/build/node_modules"),
                read(&self.headers, "/mayfly/node"),
                read(&self.npm, "/mayfly/npm"),
            ],
            script: &script,
            env: [
                ("npm_config_nodedir", "/mayfly/node"),
                ("npm_config_build_from_source", "true"),
                ("MAKEFLAGS", "-j2"),
                ("SOURCE_DATE_EPOCH", "0"),
            ]
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .into(),
            workdir: "/build",
            network: ports::workshop::Network::None,
        };
        let done = self.kit.runner(self.order).run(command).await?;
        if done.report.succeeded() {
            return Ok(folder_of(work, package));
        }
        let message = format!("the Node package `{}` cannot be compiled", package.version);
        Err(done
            .explain(Failure::new(FailureCode::Dependency, message))
            .hint(format!(
                "use a newer version of {} or one written in JavaScript alone",
                package.name()
            )))
    }
}

/// Whether a package lies in the folder of another one of the same closure.
fn is_inner(package: &Locked, closure: &[&Locked]) -> bool {
    closure
        .iter()
        .any(|other| package.place.starts_with(&format!("{}/", other.place)))
}

/// The module's own compiler call; its install scripts do not run, they would fetch.
fn script(folder: &Path, inside: &str) -> String {
    let manifest = fs::read_to_string(folder.join("package.json")).unwrap_or_default();
    let gyp = "node /mayfly/npm/node_modules/node-gyp/bin/node-gyp.js";
    let command = if manifest.contains("node-pre-gyp install") {
        "node /build/node_modules/@mapbox/node-pre-gyp/bin/node-pre-gyp install --build-from-source"
            .to_owned()
    } else {
        format!("{gyp} rebuild --release")
    };
    let npm = "export npm_config_node_gyp=/mayfly/npm/node_modules/node-gyp/bin/node-gyp.js";
    format!("{npm}\ncd {} && {command}", quoted(inside))
}

/// Copies finished modules (`*.node`) from one package folder to another.
fn copy_modules(from: &Path, to: &Path) -> Result<(), LayerError> {
    for path in modules_in(from).map_err(LayerError::at(from))? {
        let target = to.join(&path);
        let above = target.parent().unwrap_or(to);
        fs::create_dir_all(above)
            .and_then(|()| fs::copy(from.join(&path), &target))
            .map_err(LayerError::at(&target))?;
    }
    Ok(())
}

/// Keeps finished modules for other apps; whole or not at all.
fn keep(built: &Path, kept: &Path) -> Result<(), LayerError> {
    let above = kept.parent().unwrap_or(kept);
    fs::create_dir_all(above).map_err(LayerError::at(above))?;
    let made = tempfile::Builder::new().prefix(".").tempdir_in(above);
    let made = made.map_err(LayerError::at(above))?;
    copy_modules(built, made.path())?;
    match fs::rename(made.path(), kept) {
        Ok(()) => {
            // The folder has another name now; there is nothing left to remove.
            let _ = made.keep();
            Ok(())
        }
        // Another build was faster.
        Err(_) if kept.is_dir() => Ok(()),
        Err(cause) => Err(LayerError::at(kept)(cause)),
    }
}

/// Paths of finished modules below `folder`, relative to it, without what the linker left over.
fn modules_in(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut found = Vec::new();
    for entry in walkdir::WalkDir::new(folder).sort_by_file_name() {
        let entry = entry.map_err(io::Error::other)?;
        let path = entry
            .path()
            .strip_prefix(folder)
            .map_err(io::Error::other)?;
        let left_over = path
            .components()
            .any(|part| part.as_os_str() == "obj.target");
        let is_module = path.extension().is_some_and(|ending| ending == "node");
        if entry.file_type().is_file() && is_module && !left_over {
            found.push(path.to_owned());
        }
    }
    Ok(found)
}

/// Copies files, folders and links; nothing is followed.
pub(super) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    for entry in walkdir::WalkDir::new(from) {
        let entry = entry.map_err(io::Error::other)?;
        let path = entry.path().strip_prefix(from).map_err(io::Error::other)?;
        let target = to.join(path);
        let kind = entry.file_type();
        if kind.is_dir() {
            fs::create_dir_all(&target)?;
        } else if kind.is_symlink() {
            std::os::unix::fs::symlink(fs::read_link(entry.path())?, &target)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &target)?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn locked(place: &str, dependencies: &[&str]) -> Locked {
        Locked {
            place: place.into(),
            version: format!("{place}@1.0.0"),
            integrity: "sha512-x".into(),
            has_script: false,
            dependencies: dependencies.iter().map(|name| (*name).to_owned()).collect(),
        }
    }

    #[test]
    fn what_comes_with_a_module_for_this_machine_is_not_compiled() {
        for (beside, needs) in [
            ("watcher-linux-x64-glibc", false),
            ("watcher-darwin-arm64", true),
        ] {
            let modules = tempfile::tempdir().expect("a folder");
            for folder in ["watcher", beside] {
                fs::create_dir(modules.path().join(folder)).expect("a folder");
            }
            let watcher = modules.path().join("watcher");
            fs::write(watcher.join("binding.gyp"), "{}").expect("a file");
            let package = modules.path().join(beside).join("package.json");
            fs::write(package, "{}").expect("a file");
            assert_eq!(needs_compiler(&watcher), needs, "{beside}");
        }
    }

    #[test]
    fn places_of_a_lock_are_folders() {
        for (place, folder) in [
            ("a", "a"),
            ("a/b", "a/node_modules/b"),
            ("@s/a", "@s/a"),
            ("@s/a/@t/b/c", "@s/a/node_modules/@t/b/node_modules/c"),
        ] {
            assert_eq!(place_of(place), folder);
        }
    }

    #[test]
    fn a_module_is_compiled_with_what_it_depends_on_and_nothing_else() {
        let all = [
            locked("sqlite3", &["bindings", "loop"]),
            locked("bindings", &["path"]),
            locked("path", &[]),
            locked("loop", &["sqlite3"]),
            locked("sqlite3/own", &[]),
            locked("evil", &["sqlite3"]),
        ];
        let names: Vec<&str> = closure(&all[0], &all)
            .iter()
            .map(|locked| locked.place.as_str())
            .collect();
        assert_eq!(
            names,
            ["sqlite3", "bindings", "loop", "sqlite3/own", "path"]
        );
    }
}

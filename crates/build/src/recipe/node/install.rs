//! Installs a Node app's packages.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use model::failure::Failure;

use super::lock::{self, Lock};
use super::{Made, PACKAGES, complaint, install_root, lock_pin, native, packages_path, requested};
use crate::layer::{LayerError, PackedLayer};
use crate::recipe::admission;
use crate::recipe::build::is_folder;
use crate::recipe::job::{Command, program, write};
use crate::recipe::kit::{Kit, Order, certificates, key, registries_only, version_of};
use crate::recipe::{NodePackages, NodeRecipe, NodeResult};

/// Installed packages.
pub(super) struct Installed {
    /// All of them: what a build has.
    pub(super) all: PackedLayer,
    /// Those that stay in the image, when that are fewer.
    pub(super) lasting: Option<PackedLayer>,
    pub(super) pins: BTreeMap<String, Vec<u8>>,
    pub(super) cached: bool,
}

/// Chooses versions: by a lock that is there, as far as it goes. Nothing is installed yet.
const LOCK: &str = "
/mayfly/bun install --lockfile-only --ignore-scripts --no-progress --linker hoisted
";
/// Scripts of packages never run here: this job has a network.
///
/// Workspaces share one folder of packages, as npm makes it. There is no lock when there is nothing
/// to install.
const INSTALL: &str = "
if [ -s bun.lock ]; then
  /mayfly/bun install --ignore-scripts --no-progress --backend hardlink --linker hoisted --frozen-lockfile
fi
mkdir -p node_modules
";
/// Once more without what only the build needs, by the lock and from the cache of the first.
const LASTING: &str = "
cp bun.lock lasting/
cd lasting
if [ -s bun.lock ]; then
  /mayfly/bun install --ignore-scripts --no-progress --backend hardlink --linker hoisted --production --frozen-lockfile $FILTER
fi
mkdir -p node_modules
";

/// Folders below the packages that tools which build front ends write to.
pub(in crate::recipe) const CACHES: [&str; 4] = [".cache", ".vite", ".vite-temp", ".astro"];

/// Finds the packages' layer, or makes it.
pub(super) async fn install(
    kit: &Kit,
    order: &Order<'_>,
    recipe: &NodeRecipe,
    packages: &NodePackages,
    made: &Made,
) -> Result<Installed, Failure> {
    let manifests = lock::manifests_of(packages);
    let own_lock = packages.lock.and_then(|lock| {
        let folder = order.source.root.join(&packages.root);
        let bytes = fs::read(folder.join(lock.file_name())).ok()?;
        Some((lock.file_name(), bytes))
    });
    let input = lock::input_of(
        &manifests,
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
        lasting: lasts_less(recipe, &manifests),
        manifests,
        bun: &bun,
    };
    if let Some(lock) = pinned.clone().filter(|lock| lock.input == input) {
        // Asked whatever is cached: what is known about packages changes.
        work.admit(&lock).await?;
        if let Some(found) = work.found(&lock).await {
            return Ok(found);
        }
        return work.run(lock).await;
    }
    // A lock from before keeps the versions that still fit; the app's own comes first.
    let old = pinned
        .as_ref()
        .map(|lock| ("bun.lock", lock.text.as_bytes()));
    let own = own_lock
        .as_ref()
        .map(|(name, bytes)| (*name, bytes.as_slice()));
    let files: Vec<(&str, &[u8])> = own.or(old).into_iter().collect();
    let lock = work.choose(input, &files).await?;
    work.admit(&lock).await?;
    if let Some(found) = work.found(&lock).await {
        return Ok(found);
    }
    work.run(lock).await
}

/// Whether some packages are there for the build or for other workspaces alone. The start command has the last word: what
/// it names stays.
fn lasts_less(recipe: &NodeRecipe, manifests: &[(String, String)]) -> bool {
    let NodeResult::Server(start) = &recipe.result else {
        return false;
    };
    let mut commands = start.before.iter().chain([&start.command]);
    let only_builds_need = recipe.build.is_some() && lock::has_development(manifests);
    let only_others_need = manifests.len() > 1 && !recipe.folder.is_empty();
    (only_builds_need || only_others_need)
        && commands.all(|command| runs_on_lasting(&command.join(" "), manifests))
}

/// Whether a command's programs are Node's own or of packages that stay, and none of its words
/// names one that goes (`node -r ts-node/register`).
fn runs_on_lasting(command: &str, manifests: &[(String, String)]) -> bool {
    let lists = |section: &str, word: &str| {
        manifests.iter().any(|(_, text)| {
            let manifest: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
            let listed = manifest[section].as_object();
            let names = |name: &String| {
                let rest = word.strip_prefix(name.as_str());
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
            };
            listed.is_some_and(|listed| listed.keys().any(names))
        })
    };
    let is_shell = |word: &&str| ["/bin/sh", "sh", "-c", "exec"].contains(word);
    command.split("&&").all(|part| {
        let mut words = part
            .split_whitespace()
            .skip_while(|word| is_shell(word) || word.contains('='));
        let mut names = part.split(|c: char| c.is_whitespace() || c == '=');
        let program = words.next().unwrap_or("node");
        let runs = ["node", "cd", "mkdir", "echo"].contains(&program);
        (runs || lists("dependencies", program))
            && !names.any(|word| lists("devDependencies", word))
            && !part.contains("node_modules/")
    })
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
    /// Each package.json with its path.
    manifests: Vec<(String, String)>,
    /// Whether what stays is installed apart.
    lasting: bool,
    bun: &'a Path,
}

/// Which packages a layer has.
#[derive(Debug, Clone, Copy)]
enum Part {
    All,
    Lasting,
}

impl Work<'_, '_> {
    fn key(&self, lock: &Lock, part: Part) -> model::Digest {
        let (base, node) = (&self.made.base.layer.diff_id, &self.made.node.layer.diff_id);
        let (base, node) = (base.to_string(), node.to_string());
        let (bun, path) = (version_of(self.bun), packages_path(self.recipe));
        let parts = ["node packages", &lock.text, &base, &node, &bun, &path];
        match part {
            Part::All => key(&parts),
            Part::Lasting => key(&[&parts[..], &["lasting", &self.recipe.folder]].concat()),
        }
    }

    /// What an earlier installation by this lock made.
    async fn found(&self, lock: &Lock) -> Option<Installed> {
        let packer = &self.kit.packer;
        let all = packer.recall(&self.key(lock, Part::All)).await?;
        let lasting = match self.lasting {
            true => Some(packer.recall(&self.key(lock, Part::Lasting)).await?),
            false => None,
        };
        Some(Installed {
            all,
            lasting,
            pins: pins(self.recipe, lock, BTreeMap::new()),
            cached: true,
        })
    }

    /// Asks the installer for a lock, without installing by it.
    async fn choose(&self, input: model::Digest, files: &[(&str, &[u8])]) -> Result<Lock, Failure> {
        let work = self.kit.packer.scratch()?;
        self.write_manifests(work.path())?;
        for (name, bytes) in files {
            let path = work.path().join(name);
            fs::write(&path, bytes).map_err(|cause| LayerError::at(path)(cause))?;
        }
        self.job("choose versions of Node packages", work.path(), LOCK)
            .await?;
        let text = fs::read_to_string(work.path().join("bun.lock")).unwrap_or_default();
        Ok(Lock { input, text })
    }

    async fn admit(&self, lock: &Lock) -> Result<(), Failure> {
        let packages = requested::of_lock(self.order, &self.list(), &self.manifests, lock)?;
        admission::admit(self.order, &packages).await
    }

    /// Installs by a lock whose packages were admitted.
    async fn run(&self, lock: Lock) -> Result<Installed, Failure> {
        let work = self.kit.packer.scratch()?;
        self.write_manifests(work.path())?;
        let path = work.path().join("bun.lock");
        fs::write(&path, &lock.text).map_err(|cause| LayerError::at(path)(cause))?;
        let script = match self.lasting {
            true => {
                self.write_manifests(&work.path().join("lasting"))?;
                format!("{INSTALL}{LASTING}")
            }
            false => INSTALL.to_owned(),
        };
        self.job("install Node packages", work.path(), &script)
            .await?;
        let (all, mut more) = self.layer(work.path(), &lock, Part::All).await?;
        let lasting = match self.lasting {
            true => {
                let from = work.path().join("lasting");
                let (layer, pins) = self.layer(&from, &lock, Part::Lasting).await?;
                more.extend(pins);
                Some(layer)
            }
            false => None,
        };
        Ok(Installed {
            all,
            lasting,
            pins: pins(self.recipe, &lock, more),
            cached: false,
        })
    }

    fn write_manifests(&self, to: &Path) -> Result<(), LayerError> {
        for (name, text) in &self.manifests {
            let path = to.join(name);
            let above = path.parent().unwrap_or(to);
            fs::create_dir_all(above)
                .and_then(|()| fs::write(&path, text))
                .map_err(LayerError::at(&path))?;
        }
        Ok(())
    }

    /// Makes a layer of what was installed in `from`; returns more inputs to keep.
    async fn layer(
        &self,
        from: &Path,
        lock: &Lock,
        part: Part,
    ) -> Result<(PackedLayer, BTreeMap<String, Vec<u8>>), Failure> {
        let scratch = self.kit.packer.scratch()?;
        let modules = scratch.path().join(packages_path(self.recipe));
        place(&from.join("node_modules"), &modules)?;
        // Versions that differ from the shared ones lie in the workspaces themselves.
        let members = self.manifests.iter().filter_map(|(path, _)| {
            let member = path.strip_suffix("/package.json")?;
            let own = from.join(member).join("node_modules");
            is_folder(&own).then_some((member, own))
        });
        let root = modules.parent().unwrap_or(scratch.path());
        for (member, own) in members {
            place(&own, &root.join(member).join("node_modules"))?;
        }
        let native = native::compile(self.kit, self.order, self.made, self.recipe, lock, &modules);
        let more = native.await?;
        let layer = self.kit.packer.adopt(PACKAGES, scratch).await?;
        self.kit.packer.remember(&self.key(lock, part), &layer)?;
        Ok((layer, more))
    }

    async fn job(&self, step: &str, work: &Path, script: &str) -> Result<(), Failure> {
        let (mut binds, mut env) = certificates();
        binds.push(program(self.bun, "bun"));
        binds.push(write(work, "/job"));
        let registries = self.kit.tools.registries();
        // The job's own: the installer keeps unpacked packages by name and version and does not
        // check their hashes again, and an app's own lock says where they are fetched from. A
        // cache for all apps would hand one app's choice to the next.
        env.insert("BUN_INSTALL_CACHE_DIR".into(), "/job/.cache".into());
        env.insert("NPM_CONFIG_REGISTRY".into(), registries.npm.clone());
        env.insert("DO_NOT_TRACK".into(), "1".into());
        if self.manifests.len() > 1 && !self.recipe.folder.is_empty() {
            // What other workspaces need is not the app's; what the app's own need of each other is.
            env.insert(
                "FILTER".into(),
                format!("--filter ./{}", self.recipe.folder),
            );
        }
        let command = Command {
            step,
            layers: self.made.dirs(),
            binds,
            script,
            env,
            workdir: "/job",
            network: registries_only(&self.kit.tools),
        };
        let done = self.kit.runner(self.order).run(command).await?;
        match done.report.succeeded() {
            true => Ok(()),
            false => Err(complaint::failure(self.order, &done, &self.list())),
        }
    }

    fn list(&self) -> String {
        match install_root(self.recipe) {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_start_command_names_stays() {
        let text = r#"{"dependencies":{"next":"1"},"devDependencies":{"typescript":"5","tsx":"4","ts-node":"1"}}"#;
        let manifests = [("package.json".to_owned(), text.to_owned())];
        for (command, lasting) in [
            ("node dist/index.js", true),
            ("next start --port 3000", true),
            ("/bin/sh -c NODE_ENV=production node dist/index.js", true),
            ("tsx src/index.ts", false),
            ("node -r ts-node/register src/index.ts", false),
            ("node --import=tsx src/index.ts", false),
            ("node node_modules/typescript/bin/x.js", false),
            ("some-program", false),
            ("node a.js && prisma migrate deploy", false),
        ] {
            assert_eq!(runs_on_lasting(command, &manifests), lasting, "{command}");
        }
    }
}

//! Runs an app's own build, without a network and with public variables only.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use model::Digest;
use model::failure::{Failure, FailureCode};
use model::keep::KeepRules;
use model::snapshot::{Entry, Mode};
use ports::workshop::{Bind, Network};
use walkdir::WalkDir;

use crate::layer::{Content, LayerError, Node, Scratch, Tree, TreeError};
use crate::recipe::job::{Command, read, write};
use crate::recipe::kit::{Kit, Order};
use crate::recipe::sources::{is_kept, is_of_app};
use crate::recipe::start::APP;

/// What a build runs on.
pub(super) struct Build<'a> {
    /// A shell command.
    pub(super) command: &'a str,
    /// Where it starts, in the source; empty for the source itself.
    pub(super) folder: &'a str,
    /// Which part of the source it sees.
    pub(super) sees: &'a Sees,
    /// Unpacked layers, lowest first.
    pub(super) layers: Vec<PathBuf>,
    /// Packages in the app's own folder: where they lie, and their paths in the sandbox. The
    /// folders named in `caches` below them may be written.
    pub(super) packages: Vec<(PathBuf, String)>,
    /// Folders below the packages that tools write to.
    pub(super) caches: &'a [&'a str],
    /// Its environment beside the public variables.
    pub(super) env: BTreeMap<String, String>,
}

/// An app's files after its build.
pub(super) struct Output {
    /// Holds the files, which go when it is dropped.
    _work: Scratch,
    /// What became of the source, without the packages.
    pub(super) root: PathBuf,
}

/// Runs the build in a copy of the source.
pub(super) async fn run(kit: &Kit, order: &Order<'_>, build: Build<'_>) -> Result<Output, Failure> {
    let work = kit.packer.scratch()?;
    let root = work.path().join("app");
    copy_source(order, build.sees, &root)?;
    let mut binds = vec![write(&root, APP)];
    let modules = modules(&root, &build.packages)?;
    binds.extend(packages(work.path(), &build.packages, build.caches)?);
    let mut env = order.public_env.clone();
    env.extend(build.env);
    let step = format!("build: {}", build.command);
    let workdir = Path::new(APP).join(build.folder);
    let done = kit
        .runner(order)
        .run(Command {
            step: &step,
            layers: build.layers,
            binds,
            script: build.command,
            env,
            workdir: workdir.to_str().unwrap_or(APP),
            network: Network::None,
        })
        .await?;
    if !done.report.succeeded() {
        return Err(done.build_failed(build.command));
    }
    for modules in modules.into_iter().filter(|folder| is_folder(folder)) {
        fs::remove_dir_all(&modules).map_err(LayerError::at(modules))?;
    }
    Ok(Output { _work: work, root })
}

/// Makes the folders that packages are bound to, in a copy of the source.
pub(super) fn modules(
    root: &Path,
    packages: &[(PathBuf, String)],
) -> Result<Vec<PathBuf>, LayerError> {
    let folder = |(_, inside): &(PathBuf, String)| {
        let below = inside.trim_start_matches(APP).trim_start_matches('/');
        let folder = root.join(below);
        make_folder(&folder)?;
        Ok(folder)
    };
    packages.iter().map(folder).collect()
}

/// Binds packages that nobody may write, but for the folders `names` in them: these lie in `work`.
pub(super) fn packages(
    work: &Path,
    packages: &[(PathBuf, String)],
    names: &[&str],
) -> Result<Vec<Bind>, LayerError> {
    let mut binds = Vec::new();
    for (number, (packages, inside)) in packages.iter().enumerate() {
        binds.push(read(packages, inside));
        let own = work.join(format!("caches-{number}"));
        binds.extend(caches(&own, inside, names)?);
    }
    Ok(binds)
}

fn caches(own: &Path, inside: &str, names: &[&str]) -> Result<Vec<Bind>, LayerError> {
    let own = |name: &&str| {
        let folder = own.join(name);
        make_folder(&folder)?;
        Ok(write(folder, format!("{inside}/{name}")))
    };
    names.iter().map(own).collect()
}

/// Which part of a source a build sees; only that part decides whether it runs again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Sees {
    /// All of it.
    All,
    /// This folder.
    Only(String),
    /// All but this folder.
    AllBut(String),
}

impl Sees {
    fn has(&self, path: &str) -> bool {
        let inside = |folder: &str| {
            let below = path.strip_prefix(folder);
            below.is_some_and(|rest| rest.starts_with('/'))
        };
        is_of_app(path)
            && match self {
                Self::All => true,
                Self::Only(folder) => inside(folder),
                Self::AllBut(folder) => !inside(folder),
            }
    }

    /// The identity of what is seen. Kept data is part of it: a build may read it.
    pub(super) fn identity(&self, order: &Order<'_>) -> Digest {
        identity_of(order, |path| self.has(path))
    }
}

/// Copies what a build sees.
pub(super) fn copy_source(order: &Order<'_>, sees: &Sees, to: &Path) -> Result<(), Failure> {
    make_folder(to)?;
    let entries = order.source.snapshot.entries.iter();
    for entry in entries.filter(|entry| sees.has(entry.path())) {
        let path = entry.path();
        let target = to.join(path);
        if let Some(above) = target.parent() {
            make_folder(above)?;
        }
        let copied = match entry {
            Entry::File { .. } => fs::copy(order.source.root.join(path), &target).map(drop),
            Entry::Link { target: to, .. } => std::os::unix::fs::symlink(to, &target),
        };
        copied.map_err(LayerError::at(target))?;
    }
    Ok(())
}

/// Adds what a build left to `tree`, but for the source's own copies of kept data. Links are not
/// followed: a build may have made any.
pub(super) fn add_output(
    tree: &mut Tree,
    order: &Order<'_>,
    output: &Output,
    prefix: &str,
) -> Result<(), Failure> {
    let rules = keep_rules(order)?;
    let entries = order.source.snapshot.entries.iter().map(Entry::path);
    let kept: HashSet<&str> = entries.filter(|path| is_kept(&rules, path)).collect();
    for entry in WalkDir::new(&output.root).min_depth(1) {
        let entry = entry.map_err(|cause| at(&output.root, cause.into()))?;
        let below = entry
            .path()
            .strip_prefix(&output.root)
            .unwrap_or(entry.path());
        let path = below.to_str().ok_or_else(|| {
            let shown = below.display().to_string();
            Failure::from(LayerError::from(TreeError::BadPath(shown)))
        })?;
        if kept.contains(path) {
            continue;
        }
        if let Some(node) = node_of(&entry).map_err(|cause| at(entry.path(), cause))? {
            tree.add(format!("{prefix}/{path}"), node);
        }
    }
    Ok(())
}

/// What a layer has for an entry of a folder; nothing for sockets, pipes and devices.
fn node_of(entry: &walkdir::DirEntry) -> io::Result<Option<Node>> {
    let kind = entry.file_type();
    if kind.is_dir() {
        return Ok(Some(Node::Folder));
    }
    if kind.is_symlink() {
        let target = fs::read_link(entry.path())?;
        return Ok(target.to_str().map(|target| Node::Link(target.to_owned())));
    }
    if !kind.is_file() {
        return Ok(None);
    }
    let executable = entry.metadata()?.permissions().mode() & 0o111 != 0;
    let mode = if executable {
        Mode::Executable
    } else {
        Mode::Plain
    };
    let content = Content::File(entry.path().to_owned());
    Ok(Some(Node::File(content, mode)))
}

fn at(path: &Path, cause: io::Error) -> Failure {
    LayerError::at(path)(cause).into()
}

/// The patterns of what is kept.
pub(super) fn keep_rules(order: &Order<'_>) -> Result<KeepRules, Failure> {
    KeepRules::new(&order.plan.keep).map_err(|cause| {
        Failure::new(FailureCode::BadManifest, cause.to_string())
            .hint("correct `keep` under [run] in mayfly.toml")
    })
}

/// The identity of the files that an unbuilt app's image has: all but kept data.
pub(super) fn app_identity(order: &Order<'_>) -> Result<Digest, Failure> {
    let rules = keep_rules(order)?;
    Ok(identity_of(order, |path| {
        is_of_app(path) && !is_kept(&rules, path)
    }))
}

fn identity_of(order: &Order<'_>, chosen: impl Fn(&str) -> bool) -> Digest {
    let entries = order.source.snapshot.entries.iter();
    let chosen: Vec<&Entry> = entries.filter(|entry| chosen(entry.path())).collect();
    Digest::of(&serde_json::to_vec(&chosen).unwrap_or_default())
}

/// Whether there is a real folder at `path`: what a build made may be a link to anywhere.
pub(super) fn is_folder(path: &Path) -> bool {
    fs::symlink_metadata(path).is_ok_and(|about| about.is_dir())
}

fn make_folder(path: &Path) -> Result<(), LayerError> {
    fs::create_dir_all(path).map_err(LayerError::at(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_build_sees_its_own_part_of_the_source() {
        let only = Sees::Only("web".into());
        let but = Sees::AllBut("api".into());
        for (path, all, in_web, not_api) in [
            ("web/a.js", true, true, true),
            ("website/a.js", true, false, true),
            ("api/a.py", true, false, false),
            ("shared/a.ts", true, false, true),
            ("mayfly.toml", false, false, false),
        ] {
            let seen = (Sees::All.has(path), only.has(path), but.has(path));
            assert_eq!(seen, (all, in_web, not_api), "{path}");
        }
    }
}

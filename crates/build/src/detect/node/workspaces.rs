//! npm workspaces: several packages below one package.json, installed together.

use std::collections::BTreeMap;

use model::failure::Failure;

use crate::detect::folder::Folder;
use crate::detect::node::package::{self, Package};
use crate::detect::node::{Look, look, scripts};

/// No list of workspaces is longer.
const MOST: usize = 100;

/// A root package.json and the packages that it names.
#[derive(Debug, Clone)]
pub(super) struct Workspaces {
    pub(super) root: Package,
    /// By their folders, which are relative to the root's.
    pub(super) members: BTreeMap<String, Package>,
}

/// The workspaces that `folder` is the root or a member of: only the outermost folder is a root.
pub(super) fn around(folder: &Folder) -> Result<Option<Workspaces>, Failure> {
    let top = folder.outermost();
    let Some(root) = package::read(&top)? else {
        return Ok(None);
    };
    let mut members = BTreeMap::new();
    for path in members_of(&top, &root) {
        if let Some(member) = package::read(&top.inside(&path))? {
            members.insert(path, member);
        }
    }
    let belongs = folder.path().is_empty() || members.contains_key(folder.path());
    Ok((belongs && !members.is_empty()).then_some(Workspaces { root, members }))
}

fn members_of(top: &Folder, root: &Package) -> Vec<String> {
    let named = |path: &str| {
        let fits = |glob: &String| matches(glob.trim_start_matches('!'), path);
        let (not, yes): (Vec<_>, Vec<_>) = root
            .workspaces
            .iter()
            .partition(|glob| glob.starts_with('!'));
        yes.into_iter().any(fits) && !not.into_iter().any(fits)
    };
    let folders = top
        .files()
        .filter_map(|path| path.strip_suffix("/package.json"));
    let members = folders.filter(|path| named(path));
    members.take(MOST).map(str::to_owned).collect()
}

/// Whether a glob of folders means `path`: `*` is one part of it, `**` any number of them.
fn matches(glob: &str, path: &str) -> bool {
    fn parts(glob: &[&str], path: &[&str]) -> bool {
        match (glob.split_first(), path.split_first()) {
            (None, None) => true,
            (Some((&"**", rest)), _) => {
                parts(rest, path) || path.split_first().is_some_and(|(_, p)| parts(glob, p))
            }
            (Some((first, glob)), Some((part, path))) => one(first, part) && parts(glob, path),
            _ => false,
        }
    }
    fn one(glob: &str, part: &str) -> bool {
        match glob.split_once('*') {
            Some((start, end)) => {
                let rest = part.strip_prefix(start);
                rest.is_some_and(|rest| rest.ends_with(end))
            }
            None => glob == part,
        }
    }
    let glob = glob.trim_start_matches("./").trim_end_matches('/');
    let (glob, path): (Vec<_>, Vec<_>) = (glob.split('/').collect(), path.split('/').collect());
    parts(&glob, &path)
}

/// The member that is the app, when the root itself is none: the one that the root's start script
/// names, else the server that most speaks for, else the only front end.
pub(in crate::detect) fn app(root: &Folder) -> Result<Option<(Folder, Look)>, Failure> {
    if !root.path().is_empty() {
        return Ok(None);
    }
    let Some(workspaces) = around(root)? else {
        return Ok(None);
    };
    let mut best: Option<(i32, Folder, Look)> = None;
    for path in workspaces.members.keys() {
        let folder = root.inside(path);
        let look = look(&folder)?;
        let weight = match &look.found {
            Some(found) => found.weight,
            None if look.is_front_end(&folder) => 1,
            None => continue,
        };
        let weight = weight + if workspaces.starts(path) { 100 } else { 0 };
        if best.as_ref().is_none_or(|(most, ..)| weight > *most) {
            best = Some((weight, folder, look));
        }
    }
    Ok(best.map(|(_, folder, look)| (folder, look)))
}

impl Workspaces {
    /// The packages that a member, or the root for an empty `path`, does not need to list.
    pub(super) fn known(&self, path: &str) -> Vec<String> {
        let mut known: Vec<String> = self.members.values().filter_map(Package::name).collect();
        let listed = |package: &Package| {
            let all = package.dependencies.iter().chain(&package.dev);
            all.cloned().collect::<Vec<_>>()
        };
        known.extend(listed(&self.root));
        if path.is_empty() {
            known.extend(self.members.values().flat_map(listed));
        }
        known
    }

    /// Whether the root's start script starts the member at `path`.
    fn starts(&self, path: &str) -> bool {
        let start = self.root.scripts.get("start");
        let start = start.or_else(|| self.root.scripts.get("dev"));
        let parts = start.into_iter().flat_map(|start| start.split("&&"));
        parts
            .into_iter()
            .any(|part| self.called(part.trim()).is_some_and(|(at, _)| at == [path]))
    }

    /// The command that builds the member at `path`, from the root's folder: the root's own when it
    /// has one, because that knows which members come first.
    pub(super) fn build(&self, path: &str) -> Option<String> {
        let scripts = self.root.scripts.iter().map(|(name, body)| {
            let parts: Vec<String> = body
                .split("&&")
                .map(|part| self.expanded(part.trim()))
                .collect();
            (name.clone(), parts.join(" && "))
        });
        let scripts: BTreeMap<String, String> = scripts.collect();
        let whole = scripts::expand(&scripts, "build", scripts::DEPTH);
        let is_for = |whole: &String| {
            let names_members = whole.contains("(cd ");
            !names_members || whole.contains(&format!("(cd {path} "))
        };
        whole
            .filter(|whole| !self.calls_a_member(whole) && is_for(whole))
            .or_else(|| self.script(path, "build"))
    }

    /// Whether a command still asks a package manager for a member.
    fn calls_a_member(&self, command: &str) -> bool {
        let mut parts = command.split("&&");
        parts.any(|part| self.called(part.trim()).is_some())
    }

    /// A member's script as a command of the root's folder.
    fn script(&self, path: &str, name: &str) -> Option<String> {
        let member = self.members.get(path)?;
        let body = scripts::expand(&member.scripts, name, scripts::DEPTH)?;
        // The members' own programs lie in their own folders when versions differ.
        Some(format!(
            "(cd {path} && PATH=\"$PWD/node_modules/.bin:$PATH\" && {body})"
        ))
    }

    /// A command of the root with the scripts of members in the place of calls of them.
    fn expanded(&self, command: &str) -> String {
        let Some((paths, script)) = self.called(command) else {
            return command.to_owned();
        };
        let bodies: Vec<String> = paths
            .iter()
            .filter_map(|path| self.script(path, &script))
            .collect();
        match bodies.is_empty() {
            true => command.to_owned(),
            false => bodies.join(" && "),
        }
    }

    /// The members that a command calls through a package manager, and the script that it asks for.
    fn called<'s>(&'s self, command: &'s str) -> Option<(Vec<&'s str>, String)> {
        let words: Vec<&str> = command.split_whitespace().collect();
        let (manager, words) = words.split_first()?;
        if !["npm", "yarn", "pnpm", "bun"].contains(manager) {
            return None;
        }
        let (mut wanted, mut rest, mut all) = (Vec::new(), Vec::new(), false);
        let mut words = words.iter();
        while let Some(word) = words.next() {
            let (option, value) = word.split_once('=').unwrap_or((word, ""));
            match option {
                "--workspaces" | "-ws" => all = true,
                "--if-present" | "--silent" | "-s" => {}
                "-w" | "--workspace" | "--prefix" | "--filter" | "-C" | "--cwd" => {
                    wanted.push(if value.is_empty() {
                        words.next()?
                    } else {
                        value
                    });
                }
                "workspace" if *manager == "yarn" => wanted.push(words.next()?),
                _ => rest.push(*word),
            }
        }
        let script = *rest
            .iter()
            .find(|word| !matches!(**word, "run" | "run-script"))?;
        let is_wanted = |(path, member): &(&String, &Package)| {
            let path = path.as_str();
            let names = [Some(path.to_owned()), member.name()];
            wanted.iter().any(|word| {
                names
                    .iter()
                    .flatten()
                    .any(|name| name == word.trim_start_matches("./"))
            })
        };
        let members = self
            .members
            .iter()
            .filter(|member| all || is_wanted(member));
        let paths: Vec<&str> = members.map(|(path, _)| path.as_str()).collect();
        (!paths.is_empty()).then(|| (paths, script.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn globs_name_folders() {
        for (glob, path, yes) in [
            ("packages/*", "packages/a", true),
            ("packages/*", "packages/a/b", false),
            ("packages/**", "packages/a/b", true),
            ("./server/", "server", true),
            ("apps/web-*", "apps/web-a", true),
            ("apps/web-*", "apps/api", false),
            ("*", "node", true),
        ] {
            assert_eq!(matches(glob, path), yes, "{glob} {path}");
        }
    }

    fn folder(start: &str, build: &str) -> Folder {
        let root = format!(
            r#"{{"name":"all","workspaces":["packages/*","!packages/old"],"scripts":{{"start":"{start}","build":"{build}"}},"devDependencies":{{"typescript":"5"}}}}"#
        );
        Folder::from_files([
            ("package.json", root.as_str()),
            (
                "packages/old/package.json",
                r#"{"name":"old","scripts":{"start":"node a.js"}}"#,
            ),
            (
                "packages/old/a.js",
                "require('http').createServer().listen(1)",
            ),
            (
                "packages/api/package.json",
                r#"{"name":"@a/api","scripts":{"start":"node a.js","build":"tsc"},"dependencies":{"@a/lib":"*"}}"#,
            ),
            (
                "packages/api/a.js",
                "require('http').createServer().listen(3001)",
            ),
            (
                "packages/lib/package.json",
                r#"{"name":"@a/lib","scripts":{"build":"tsc -b"}}"#,
            ),
            (
                "packages/two/package.json",
                r#"{"name":"two","scripts":{"start":"node b.js"}}"#,
            ),
            (
                "packages/two/b.js",
                "require('http').createServer().listen(3002)",
            ),
        ])
    }

    #[test]
    fn the_member_that_the_root_starts_is_the_app() {
        for (start, path) in [
            ("npm start -w two", "packages/two"),
            ("npm run start --workspace=@a/api", "packages/api"),
            ("npm --prefix packages/two start", "packages/two"),
            ("", "packages/api"),
        ] {
            let found = app(&folder(start, ""))
                .expect("good files")
                .expect("an app");
            assert_eq!(found.0.path(), path, "{start}");
        }
    }

    #[test]
    fn the_roots_build_says_which_members_come_first() {
        let path = "PATH=\"$PWD/node_modules/.bin:$PATH\"";
        for (build, expected) in [
            (
                "npm run build -w @a/lib && npm run build -w @a/api",
                format!(
                    "(cd packages/lib && {path} && tsc -b) && (cd packages/api && {path} && tsc)"
                ),
            ),
            ("tsc -b packages/api", "tsc -b packages/api".to_owned()),
        ] {
            let folder = folder("", build);
            let workspaces = around(&folder).expect("good files").expect("workspaces");
            assert_eq!(
                workspaces.build("packages/api").as_deref(),
                Some(expected.as_str())
            );
        }
        let all = folder("", "npm run build --workspaces --if-present");
        let workspaces = around(&all).expect("good files").expect("workspaces");
        let command = workspaces.build("packages/api").expect("a command");
        assert_eq!(command.matches("(cd ").count(), 2, "{command}");
    }
}

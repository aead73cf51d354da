//! The files of a site: chosen from a source, or found in what a build made.

use std::path::{Path, PathBuf};

use model::Digest;
use model::failure::{Failure, FailureCode};
use model::serving::Site;
use model::snapshot::{Entry, Snapshot};
use walkdir::WalkDir;

use crate::detect::pages;
use crate::layer::{LayerError, Tree, TreeError};
use crate::recipe::build::is_folder;
use crate::recipe::kit::Order;
use crate::recipe::sources::is_of_app;
use crate::recipe::{FilesRecipe, Pages};

/// Where a site's files lie in images.
const ROOT: &str = "site";

/// How deep below an output folder a front end's entry page may lie: `dist/name/browser`.
const DEPTH: usize = 3;

/// Adds a site's files from the source. Nothing of a site is kept data: no program writes in it.
pub(super) fn add_files(tree: &mut Tree, order: &Order<'_>, files: &FilesRecipe) -> Site {
    let root = order.source.root.join(&files.folder);
    for (entry, path) in parts(&order.source.snapshot, &files.folder) {
        tree.add_entry(entry, path, &root, ROOT);
    }
    serving(&files.pages)
}

/// The identity of a site's files.
pub(super) fn identity(order: &Order<'_>, files: &FilesRecipe) -> Digest {
    let entries = parts(&order.source.snapshot, &files.folder);
    let entries: Vec<&Entry> = entries.map(|(entry, _)| entry).collect();
    Digest::of(&serde_json::to_vec(&entries).unwrap_or_default())
}

/// The entries of a site and their paths in it.
fn parts<'s>(
    snapshot: &'s Snapshot,
    folder: &'s str,
) -> impl Iterator<Item = (&'s Entry, &'s str)> {
    snapshot
        .entries
        .iter()
        .filter_map(move |entry| Some((entry, path_in_site(entry.path(), folder)?)))
}

/// A file's path in the site; none for what no visitor is meant to see.
fn path_in_site<'p>(path: &'p str, folder: &str) -> Option<&'p str> {
    let inside = match folder {
        "" => path,
        _ => path.strip_prefix(folder)?.strip_prefix('/')?,
    };
    let hidden = |part: &str| part.starts_with('.') && part != ".well-known";
    (is_of_app(path) && !inside.split('/').any(hidden)).then_some(inside)
}

fn serving(pages: &Pages) -> Site {
    Site {
        root: ROOT.into(),
        index: pages.index.clone(),
        fallback: pages.fallback.clone(),
    }
}

/// Adds the files that a build made; `root` is the app's folder after it.
pub(super) fn add_built(tree: &mut Tree, root: &Path, outputs: &[String]) -> Result<Site, Failure> {
    let Some(folder) = outputs.iter().find_map(|output| entry_folder(root, output)) else {
        return Err(no_page(outputs));
    };
    tree.add_folder(&folder, ROOT)
        .map_err(|cause| Failure::from(LayerError::from(cause)))?;
    Ok(serving(&pages_of(&folder)?))
}

/// The folder below `root/output` that the first entry page lies in.
fn entry_folder(root: &Path, output: &str) -> Option<PathBuf> {
    let mut folder = root.to_owned();
    for part in output.split('/') {
        folder.push(part);
        if !is_folder(&folder) {
            return None;
        }
    }
    let walk = WalkDir::new(&folder).max_depth(DEPTH).sort_by_file_name();
    let mut found: Vec<PathBuf> = walk
        .into_iter()
        .filter_map(Result::ok)
        .filter(|entry| entry.file_type().is_file() && entry.file_name() == "index.html")
        .filter_map(|entry| entry.path().parent().map(Path::to_owned))
        .collect();
    found.sort_by_key(|path| path.components().count());
    found.into_iter().next()
}

fn pages_of(folder: &Path) -> Result<Pages, Failure> {
    let mut files = Vec::new();
    for entry in WalkDir::new(folder) {
        let entry = entry.map_err(|cause| {
            let cause = TreeError::Io {
                path: folder.to_owned(),
                cause: cause.into(),
            };
            Failure::from(LayerError::from(cause))
        })?;
        let path = entry.path().strip_prefix(folder).ok();
        if let Some(path) = path.and_then(Path::to_str)
            && entry.file_type().is_file()
        {
            files.push(path.to_owned());
        }
    }
    Ok(pages(files.iter().map(String::as_str)))
}

fn no_page(outputs: &[String]) -> Failure {
    Failure::new(
        FailureCode::BuildFailed,
        "the build made no folder with an index.html",
    )
    .because(format!("looked in {}", outputs.join(", ")))
    .hint("name the folder: `output = \"dist\"` under [build] in mayfly.toml")
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    #[test]
    fn only_the_sites_own_files_are_part_of_it() {
        for (path, folder, inside) in [
            ("index.html", "", Some("index.html")),
            ("data/a.json", "", Some("data/a.json")),
            ("mayfly.toml", "", None),
            (".github/x.yml", "", None),
            (".well-known/x", "", Some(".well-known/x")),
            ("public/index.html", "public", Some("index.html")),
            ("publicity.html", "public", None),
            ("src/main.js", "public", None),
        ] {
            assert_eq!(path_in_site(path, folder), inside, "{path} in {folder:?}");
        }
    }

    #[test]
    fn the_entry_page_is_found_where_tools_put_it() {
        for (file, output, found) in [
            ("dist/index.html", "dist", Some("dist")),
            (
                "dist/app/browser/index.html",
                "dist",
                Some("dist/app/browser"),
            ),
            ("dist/main.js", "dist", None),
            ("a/b/index.html", "a/b", Some("a/b")),
        ] {
            let root = tempfile::tempdir().expect("a folder");
            let path = root.path().join(file);
            fs::create_dir_all(path.parent().expect("a parent")).expect("folders");
            fs::write(&path, "x").expect("a file");
            let expected = found.map(|folder| root.path().join(folder));
            assert_eq!(entry_folder(root.path(), output), expected, "{file}");
        }
    }

    #[test]
    fn a_build_that_links_its_output_elsewhere_shows_nothing_of_the_machine() {
        let (root, outside) = (tempfile::tempdir(), tempfile::tempdir());
        let (root, outside) = (root.expect("a folder"), outside.expect("a folder"));
        fs::write(outside.path().join("index.html"), "secret").expect("a file");
        std::os::unix::fs::symlink(outside.path(), root.path().join("dist")).expect("a link");
        assert_eq!(entry_folder(root.path(), "dist"), None);
        assert!(
            entry_folder(outside.path(), ".").is_some(),
            "the page itself would be found"
        );
    }
}

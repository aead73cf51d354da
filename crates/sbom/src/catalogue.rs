//! Walks an image and asks of each file what it says of packages.

use std::collections::{HashMap, HashSet};
use std::io;
use std::path::PathBuf;

use model::failure::{FailureCode, Remedy};

use crate::binary::{self, Linked};
use crate::debian::{self, Debs};
use crate::draft::Draft;
use crate::limits::Limits;
use crate::lock::{self, LockKind};
use crate::node::{self, MODULES, Modules, Owners};
use crate::problem::{ProblemKind, Problems};
use crate::python::{self, Distribution, Distributions};
use crate::text::lossy;
use crate::tree::{Content, Found, Links, Located, Tree, Visitor};
use model::inventory::Inventory;
use model::inventory::Purl;
use model::inventory::{Package, Runtime};

/// The layers of an image, unpacked, and what it runs on.
#[derive(Debug, Clone, Copy)]
pub struct Image<'a> {
    /// Folders, the lowest layer first. Nobody may write to them meanwhile.
    pub layers: &'a [PathBuf],
    /// What the image needs and does not hold.
    pub runtime: &'a [Runtime],
}

/// Why there is no inventory. What is wrong with an image's files is none of these.
#[derive(Debug, thiserror::Error)]
pub enum SbomError {
    /// A layer is not there.
    #[error("the layer `{path}` cannot be opened")]
    Layer {
        /// Its folder.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
}

impl Remedy for SbomError {
    fn code(&self) -> FailureCode {
        FailureCode::Internal
    }

    fn hint(&self) -> Option<String> {
        Some("run `mayfly up --upgrade` to build the image again".into())
    }
}

/// Lists what is in an image.
///
/// Blocking: it reads some thousand files. Equal layers give equal inventories.
pub fn catalogue(image: &Image<'_>, limits: &Limits) -> Result<Inventory, SbomError> {
    let tree = Tree::open(image.layers);
    let tree = tree.map_err(|(path, cause)| SbomError::Layer { path, cause })?;
    let mut problems = Problems::default();
    let mut gathered = Gathered::new(limits);
    tree.walk(limits, &mut problems, &mut gathered);
    Ok(gathered.settle(&tree, image, problems))
}

/// What the walk has come to so far.
struct Gathered<'a> {
    limits: &'a Limits,
    links: Links,
    os_release: Option<model::inventory::Distribution>,
    debs: Debs,
    /// dpkg's lists of files, by package.
    file_lists: Vec<(String, Located)>,
    pythons: Distributions,
    /// Lists of the files of Python packages, by their folder.
    records: HashMap<String, Located>,
    modules: Modules,
    declared: Vec<Package>,
    programs: Vec<(String, Linked)>,
    interpreters: Vec<(String, Package)>,
    /// How many packages there are so far, whatever their kind.
    listed: usize,
    /// How many dependencies they name.
    needs: usize,
    /// How much is kept of licences' texts.
    text_bytes: usize,
}

impl<'a> Gathered<'a> {
    fn new(limits: &'a Limits) -> Self {
        Self {
            limits,
            links: Links::default(),
            os_release: None,
            debs: Debs::default(),
            file_lists: Vec::new(),
            pythons: Distributions::default(),
            records: HashMap::new(),
            modules: Modules::default(),
            declared: Vec::new(),
            programs: Vec::new(),
            interpreters: Vec::new(),
            listed: 0,
            needs: 0,
            text_bytes: 0,
        }
    }

    /// How many more packages may be listed; notes it when there are none.
    fn room(&mut self, path: &str, problems: &mut Problems) -> usize {
        let room = self.limits.packages.saturating_sub(self.listed);
        if room == 0 {
            let what = format!("there are more than {} packages", self.limits.packages);
            problems.add(path, ProblemKind::TooMany, what);
        }
        room
    }

    /// Whether `more` dependencies may be kept; notes it when not.
    fn may_need(&mut self, more: usize, path: &str, problems: &mut Problems) -> bool {
        self.needs = self.needs.saturating_add(more);
        let fits = self.needs <= self.limits.needs;
        if !fits {
            let what = format!("packages name more than {} others", self.limits.needs);
            problems.add(path, ProblemKind::TooMany, what);
        }
        fits
    }
}

/// What a file is to the cataloguer, by its path alone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sort {
    OsRelease,
    DebStatus,
    DebFiles,
    Copyright,
    Metadata,
    EggRequires,
    Record,
    Manifest,
    Lock(LockKind),
    Program,
    Other,
}

fn sort(path: &str, name: &str) -> Sort {
    match name {
        "os-release" if matches!(path, "etc/os-release" | "usr/lib/os-release") => Sort::OsRelease,
        "status" if path == "var/lib/dpkg/status" => Sort::DebStatus,
        "copyright" if is_doc(path) => Sort::Copyright,
        "METADATA" if folder_ends(path, ".dist-info") => Sort::Metadata,
        "PKG-INFO" if folder_ends(path, ".egg-info") || folder_ends(path, "EGG-INFO") => {
            Sort::Metadata
        }
        "requires.txt" if folder_ends(path, ".egg-info") || folder_ends(path, "EGG-INFO") => {
            Sort::EggRequires
        }
        "RECORD" if folder_ends(path, ".dist-info") => Sort::Record,
        "package.json" => match node::package_folder(path) {
            Some(_) => Sort::Manifest,
            None => Sort::Other,
        },
        _ if path.starts_with("var/lib/dpkg/") => deb_sort(path, name),
        _ if name.ends_with(".egg-info") => Sort::Metadata,
        _ => match LockKind::of(name) {
            Some(kind) if is_the_apps(path) => Sort::Lock(kind),
            Some(_) => Sort::Other,
            None if is_text(name) => Sort::Other,
            None => Sort::Program,
        },
    }
}

fn deb_sort(path: &str, name: &str) -> Sort {
    let below = &path["var/lib/dpkg/".len()..];
    match below.split_once('/') {
        Some(("status.d", file)) if file == name && !name.ends_with(".md5sums") => Sort::DebStatus,
        Some(("info", file)) if file == name && name.ends_with(".list") => Sort::DebFiles,
        _ => Sort::Other,
    }
}

fn is_doc(path: &str) -> bool {
    let package = path
        .strip_prefix("usr/share/doc/")
        .and_then(|rest| rest.strip_suffix("/copyright"));
    package.is_some_and(|package| !package.contains('/'))
}

fn folder_ends(path: &str, ending: &str) -> bool {
    path.rsplit_once('/')
        .is_some_and(|(folder, _)| folder.ends_with(ending))
}

/// Lock files of packages are their authors', and say nothing of this image.
fn is_the_apps(path: &str) -> bool {
    let others = [MODULES, "site-packages", "dist-packages", "doc"];
    !path.split('/').any(|part| others.contains(&part))
}

/// Endings of files that are never programs: they need no look.
const TEXTS: [&str; 36] = [
    "c", "cc", "cjs", "cpp", "css", "csv", "cts", "flow", "gif", "gz", "h", "hpp", "html", "ico",
    "jpg", "js", "json", "map", "md", "mjs", "mo", "mts", "pc", "pem", "png", "po", "pxd", "py",
    "pyc", "pyi", "rst", "svg", "ts", "txt", "xml", "yml",
];

fn is_text(name: &str) -> bool {
    let ending = name.rsplit_once('.').map(|(_, ending)| ending);
    ending.is_some_and(|ending| TEXTS.binary_search(&ending).is_ok())
}

impl Visitor for Gathered<'_> {
    fn file(&mut self, path: &str, name: &str, file: &Found<'_>, problems: &mut Problems) {
        let sort = sort(path, name);
        match sort {
            Sort::Other => {}
            Sort::Program => self.program(path, name, file, problems),
            Sort::DebFiles => {
                if self.file_lists.len() < self.limits.packages {
                    let package = name.trim_end_matches(".list").to_owned();
                    self.file_lists.push((package, file.located()));
                }
            }
            Sort::Record => {
                if self.records.len() < self.limits.packages {
                    let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                    self.records.insert(folder.to_owned(), file.located());
                }
            }
            _ => {
                if let Some(bytes) = self.read(sort, path, file, problems) {
                    self.told(sort, path, &bytes, problems);
                }
            }
        }
    }

    fn wants_link(&self, path: &str, name: &str) -> bool {
        name == MODULES
            || path.starts_with("usr/share/doc/")
            || path.split('/').any(|part| part == MODULES)
            || matches!(
                path,
                "etc/os-release" | "lib" | "usr/share" | "usr/share/doc"
            )
    }

    fn link(&mut self, path: &str, target: &str, problems: &mut Problems) {
        if self.links.bytes() > self.limits.kept_bytes {
            let what = "there are more links than are kept";
            problems.add(path, ProblemKind::TooMany, what);
            return;
        }
        self.links.add(path, target);
    }
}

impl Gathered<'_> {
    fn read(
        &self,
        sort: Sort,
        path: &str,
        file: &Found<'_>,
        problems: &mut Problems,
    ) -> Option<Vec<u8>> {
        let limit = match sort {
            Sort::DebStatus | Sort::Lock(_) => self.limits.list_bytes,
            _ => self.limits.file_bytes,
        };
        match file.read(limit) {
            Ok(Content::Whole(bytes)) => Some(bytes),
            Ok(Content::TooLarge(size)) => {
                let what = format!("it has {size} bytes; no more than {limit} are read");
                problems.add(path, ProblemKind::TooLarge, what);
                None
            }
            Err(cause) => {
                problems.add(path, ProblemKind::Unreadable, cause.to_string());
                None
            }
        }
    }

    fn told(&mut self, sort: Sort, path: &str, bytes: &[u8], problems: &mut Problems) {
        match sort {
            Sort::OsRelease => {
                // The one in /etc counts; it is a link to the other as a rule.
                if self.os_release.is_none() || path.starts_with("etc/") {
                    self.os_release = debian::os_release(&lossy(bytes));
                }
            }
            Sort::DebStatus => self.deb_status(path, bytes, problems),
            Sort::Copyright => self.copyright(path, bytes, problems),
            Sort::Metadata => self.metadata(path, bytes, problems),
            Sort::EggRequires => {
                let folder = path.rsplit_once('/').map_or("", |(folder, _)| folder);
                let requires = python::requires_txt(&lossy(bytes));
                if self.may_need(requires.len(), path, problems) {
                    self.pythons.requires.insert(folder.to_owned(), requires);
                }
            }
            Sort::Manifest => self.manifest(path, bytes, problems),
            Sort::Lock(kind) => self.lock(kind, path, bytes, problems),
            Sort::DebFiles | Sort::Record | Sort::Program | Sort::Other => {}
        }
    }

    fn deb_status(&mut self, path: &str, bytes: &[u8], problems: &mut Problems) {
        let room = self.room(path, problems);
        let debs = debian::status(path, &lossy(bytes), room, problems);
        self.listed += debs.len();
        let debs = debs.into_iter().map(|deb| (path.to_owned(), deb));
        self.debs.packages.extend(debs);
    }

    fn copyright(&mut self, path: &str, bytes: &[u8], problems: &mut Problems) {
        let copyright = debian::copyright(&lossy(bytes));
        if copyright.expression.is_none() {
            return;
        }
        let kept = copyright.texts.values().map(String::len).sum::<usize>();
        self.text_bytes += path.len() + kept;
        if self.text_bytes > self.limits.kept_bytes {
            let what = "there are more texts of licences than are kept";
            problems.add(path, ProblemKind::TooMany, what);
            return;
        }
        self.debs.copyrights.insert(path.to_owned(), copyright);
    }

    fn metadata(&mut self, path: &str, bytes: &[u8], problems: &mut Problems) {
        if self.room(path, problems) == 0 {
            return;
        }
        let Some(mut metadata) = python::metadata(&lossy(bytes)) else {
            let what = "it names no package and version";
            problems.add(path, ProblemKind::Malformed, what);
            return;
        };
        self.listed += 1;
        if !self.may_need(metadata.requires.len(), path, problems) {
            metadata.requires.clear();
        }
        let (site, folder) = site_and_folder(path);
        self.pythons.found.push(Distribution {
            site: site.to_owned(),
            file: path.to_owned(),
            folder: folder.to_owned(),
            metadata,
        });
    }

    fn manifest(&mut self, path: &str, bytes: &[u8], problems: &mut Problems) {
        if self.room(path, problems) == 0 {
            return;
        }
        match node::manifest(bytes) {
            Ok(None) => {}
            Ok(Some(mut manifest)) => {
                self.listed += 1;
                if !self.may_need(manifest.needs.len(), path, problems) {
                    manifest.needs.clear();
                }
                let folder = node::package_folder(path).unwrap_or_default();
                self.modules.found.insert(folder.to_owned(), manifest);
            }
            Err(what) => problems.add(path, ProblemKind::Malformed, what),
        }
    }

    fn lock(&mut self, kind: LockKind, path: &str, bytes: &[u8], problems: &mut Problems) {
        let room = self.room(path, problems);
        match kind.read(&lossy(bytes)) {
            Ok(lock) => {
                let packages = lock::packages(path, lock.named, room, problems);
                self.listed += packages.len();
                self.declared.extend(packages);
                self.pythons.asked.extend(lock.asked);
            }
            Err(what) => problems.add(path, ProblemKind::Malformed, what),
        }
    }

    fn program(&mut self, path: &str, name: &str, file: &Found<'_>, problems: &mut Problems) {
        if !(file.is_executable() || name.contains(".so") || name.ends_with(".node")) {
            return;
        }
        let file = match file.open() {
            Ok(file) => file,
            Err(cause) => {
                problems.add(path, ProblemKind::Unreadable, cause.to_string());
                return;
            }
        };
        if let Some(program) = binary::program_of(name)
            && let Some(package) = binary::version_in(&file, program)
        {
            self.interpreters.push((path.to_owned(), package));
        }
        match binary::linked(&file, self.limits) {
            Ok(None) => {}
            Ok(Some(linked)) => {
                if self.room(path, problems) > 0 {
                    self.listed += linked.packages.len();
                    self.programs.push((path.to_owned(), linked));
                }
            }
            Err(what) => problems.add(path, ProblemKind::Malformed, what),
        }
    }

    fn settle(self, tree: &Tree, image: &Image<'_>, mut problems: Problems) -> Inventory {
        let mut draft = Draft::of(self.os_release);
        let machine = machine(&self.debs);
        let distribution = draft.distribution.clone();
        let deb_purls = self.debs.purls(distribution.as_ref());
        self.debs.settle(&mut draft, &self.links);
        let python_owners = self.pythons.settle(&mut draft, machine, &mut problems);
        let node_owners = self.modules.settle(&mut draft, &self.links, &mut problems);
        self.declared.into_iter().for_each(|one| draft.add(one));
        let places = self.programs.iter().map(|(path, _)| path.clone());
        let places = places.chain(self.interpreters.iter().map(|(path, _)| path.clone()));
        let owners = Owning {
            tree,
            limits: self.limits,
            wanted: places.collect(),
            owners: HashMap::new(),
        };
        let owners = owners
            .debian(&self.file_lists, &deb_purls)
            .python(&self.records, &python_owners)
            .node(&node_owners);
        for (path, linked) in self.programs {
            let own = linked.settle(&path, &mut draft);
            if let Some(owner) = owners.get(&path) {
                own.iter().for_each(|one| draft.link(owner, one));
            }
        }
        for (path, mut package) in self.interpreters {
            // One that a package brought is that package.
            if !owners.contains_key(&path) {
                package.found_in = vec![path];
                draft.add(package);
            }
        }
        for runtime in image.runtime {
            draft.add(runtime.package());
        }
        draft.settle(problems)
    }
}

/// `x/site-packages` and `flask-3.0.0`, of `x/site-packages/flask-3.0.0.dist-info/METADATA`.
fn site_and_folder(path: &str) -> (&str, &str) {
    let folder = match path.ends_with(".egg-info") {
        true => path,
        false => path.rsplit_once('/').map_or("", |(folder, _)| folder),
    };
    let folder = folder.strip_suffix("/EGG-INFO").unwrap_or(folder);
    let (site, name) = folder.rsplit_once('/').unwrap_or(("", folder));
    let endings = [".dist-info", ".egg-info", ".egg"];
    let bare = endings.iter().find_map(|ending| name.strip_suffix(ending));
    (site, bare.unwrap_or(name))
}

/// The machine as Python calls it, by the architecture of the base.
fn machine(debs: &Debs) -> Option<&'static str> {
    let mut architectures = debs
        .packages
        .iter()
        .filter_map(|(_, deb)| deb.architecture.as_deref());
    architectures.find_map(|architecture| match architecture {
        "amd64" => Some("x86_64"),
        "arm64" => Some("aarch64"),
        _ => None,
    })
}

/// Finds out which packages programs are part of, from lists of files that are each read once.
struct Owning<'a> {
    tree: &'a Tree,
    limits: &'a Limits,
    /// Paths of programs.
    wanted: HashSet<String>,
    owners: HashMap<String, Purl>,
}

impl Owning<'_> {
    /// By dpkg's lists.
    fn debian(mut self, lists: &[(String, Located)], purls: &HashMap<String, Purl>) -> Self {
        for (package, list) in lists {
            let Some(purl) = purls.get(package) else {
                continue;
            };
            for line in self.text(list).lines() {
                let file = line.trim_start_matches('/');
                self.note(file.to_owned(), purl);
                // Packages may name a file as it was before /usr took it in.
                if ["bin/", "sbin/", "lib"]
                    .iter()
                    .any(|old| file.starts_with(old))
                {
                    self.note(format!("usr/{file}"), purl);
                }
            }
        }
        self
    }

    /// By RECORD files. Source: Python packaging, "Recording installed projects".
    fn python(mut self, records: &HashMap<String, Located>, owners: &[(String, Purl)]) -> Self {
        for (folder, purl) in owners {
            let Some(record) = records.get(folder) else {
                continue;
            };
            let site = folder.rsplit_once('/').map_or("", |(site, _)| site);
            for line in self.text(record).lines() {
                let file = match line.strip_prefix('"') {
                    Some(quoted) => quoted.split('"').next(),
                    None => line.split(',').next(),
                };
                // Programs lie outside: `../../../bin/flask`.
                let file = Links::default().real(&format!("{site}/{}", file.unwrap_or_default()));
                self.note(file.unwrap_or_default(), purl);
            }
        }
        self
    }

    /// By the folders of Node packages.
    fn node(mut self, owners: &Owners) -> HashMap<String, Purl> {
        for path in &self.wanted {
            if let Some(owner) = owners.of(path) {
                self.owners.insert(path.clone(), owner.clone());
            }
        }
        self.owners
    }

    fn note(&mut self, file: String, purl: &Purl) {
        if self.wanted.contains(&file) {
            self.owners.insert(file, purl.clone());
        }
    }

    fn text(&self, file: &Located) -> String {
        if self.wanted.is_empty() {
            return String::new();
        }
        match self.tree.read(file, self.limits.file_bytes) {
            Ok(Content::Whole(bytes)) => lossy(&bytes).into_owned(),
            // An owner that is not known is an edge that is not drawn.
            Ok(Content::TooLarge(_)) | Err(_) => String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_sorted_by_their_path() {
        assert!(TEXTS.is_sorted());
        for (path, expected) in [
            ("var/lib/dpkg/status", Sort::DebStatus),
            ("var/lib/dpkg/status.d/base", Sort::DebStatus),
            ("var/lib/dpkg/status.d/base.md5sums", Sort::Other),
            ("var/lib/dpkg/info/libc6:amd64.list", Sort::DebFiles),
            ("usr/share/doc/libc6/copyright", Sort::Copyright),
            ("usr/share/doc/a/b/copyright", Sort::Program),
            ("v/site-packages/a-1.dist-info/METADATA", Sort::Metadata),
            ("v/site-packages/a/METADATA", Sort::Program),
            ("v/dist-packages/a-1.egg-info", Sort::Metadata),
            ("v/a-1.egg-info/requires.txt", Sort::EggRequires),
            ("app/node_modules/a/package.json", Sort::Manifest),
            ("app/package.json", Sort::Other),
            ("app/package-lock.json", Sort::Lock(LockKind::Npm)),
            ("app/node_modules/a/yarn.lock", Sort::Other),
            (
                "app/requirements-dev.txt",
                Sort::Lock(LockKind::Requirements),
            ),
            ("app/main.py", Sort::Other),
            ("usr/bin/program", Sort::Program),
        ] {
            let name = path.rsplit('/').next().expect("a name");
            assert_eq!(sort(path, name), expected, "{path}");
        }
    }

    #[test]
    fn the_folder_of_an_installation_names_its_package() {
        for (path, site, folder) in [
            ("s/a-1.dist-info/METADATA", "s", "a-1"),
            ("s/a-1-py3.11.egg-info/PKG-INFO", "s", "a-1-py3.11"),
            ("s/a-1.egg-info", "s", "a-1"),
            ("s/a-1-py3.egg/EGG-INFO/PKG-INFO", "s", "a-1-py3"),
            ("a-1.dist-info/METADATA", "", "a-1"),
        ] {
            assert_eq!(site_and_folder(path), (site, folder), "{path}");
        }
    }
}

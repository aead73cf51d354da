//! A front end beside a back end.

use model::failure::{Failure, FailureCode};

use crate::detect::folder::Folder;
use crate::detect::{node, python, site};
use crate::recipe::{Back, FilesRecipe, Front, Recipe};

/// Names of folders with front ends, the commonest first.
const FRONTS: [&str; 9] = [
    "frontend",
    "client",
    "web",
    "ui",
    "webapp",
    "front",
    "front-end",
    "website",
    "dashboard",
];
/// Names of folders with back ends, the commonest first.
const BACKS: [&str; 8] = [
    "backend", "server", "api", "back", "back-end", "service", "flask", "app",
];

/// A front end and what kind it is.
#[expect(clippy::large_enum_variant, reason = "there is one in a detection")]
pub(super) enum FrontLook {
    /// Built by Node.
    Built(node::Look),
    /// Served as it is.
    Files(site::Look),
}

/// A back end and what kind it is.
pub(super) enum BackLook {
    /// On Node.
    Node(node::Look),
    /// On Python.
    Python(python::Look),
}

/// Both, and where they are.
pub(super) struct Look {
    pub(super) front_folder: Folder,
    pub(super) front: FrontLook,
    pub(super) back_folder: Folder,
    pub(super) back: BackLook,
}

/// Looks for a front end in a folder of its own, and a back end in another or in the root.
pub(super) fn look(folder: &Folder) -> Result<Option<Look>, Failure> {
    let Some((front_folder, front)) = first(folder, &FRONTS, front)? else {
        return Ok(None);
    };
    // `app/main.py` under a requirements.txt of the root is a package of the root's app.
    let own = first(folder, &BACKS, back)?
        .filter(|(inside, _)| lists_packages(inside) || !lists_packages(folder));
    let back = match own {
        Some(found) => Some(found),
        None => back_in_root(folder, &front)?,
    };
    let Some((back_folder, back)) = back else {
        return Ok(None);
    };
    if matches!(front, FrontLook::Files(_)) && serves_itself(&back_folder, front_folder.path()) {
        return Ok(None);
    }
    Ok(Some(Look {
        front_folder,
        front,
        back_folder,
        back,
    }))
}

fn lists_packages(folder: &Folder) -> bool {
    let lists = [
        "requirements.txt",
        "pyproject.toml",
        "package.json",
        "Pipfile",
    ];
    folder.first_of(&lists).is_some()
}

fn first<T>(
    folder: &Folder,
    names: &[&str],
    look: fn(&Folder) -> Result<Option<T>, Failure>,
) -> Result<Option<(Folder, T)>, Failure> {
    // Workspaces often lie in a folder of their own.
    let places = ["", "apps/", "packages/"];
    let paths = places
        .iter()
        .flat_map(|place| names.iter().map(move |name| format!("{place}{name}")));
    for path in paths.filter(|path| folder.has_folder(path)) {
        let inside = folder.inside(&path);
        if let Some(found) = look(&inside)? {
            return Ok(Some((inside, found)));
        }
    }
    Ok(None)
}

fn front(folder: &Folder) -> Result<Option<FrontLook>, Failure> {
    let node = node::look(folder)?;
    if node.is_front_end(folder) {
        return Ok(Some(FrontLook::Built(node)));
    }
    if node.is_server() {
        return Ok(None);
    }
    Ok(site::look(folder).map(FrontLook::Files))
}

fn back(folder: &Folder) -> Result<Option<BackLook>, Failure> {
    let python = python::look(folder)?;
    if python.is_server() {
        return Ok(Some(BackLook::Python(python)));
    }
    let node = node::look(folder)?;
    Ok(node.is_server().then_some(BackLook::Node(node)))
}

/// A server in the root itself, when the front end's own files do not make it one.
fn back_in_root(folder: &Folder, front: &FrontLook) -> Result<Option<(Folder, BackLook)>, Failure> {
    let python = python::look(folder)?;
    if python.is_server() {
        return Ok(Some((folder.clone(), BackLook::Python(python))));
    }
    let node = node::look(folder)?;
    // A root package.json that only calls the front end's scripts is no back end.
    let of_its_own = node.is_server() && matches!(front, FrontLook::Built(_));
    Ok(of_its_own.then(|| (folder.clone(), BackLook::Node(node))))
}

/// Whether the back end's code names the front end's folder: then it serves the files itself.
fn serves_itself(back: &Folder, front: &str) -> bool {
    let name = front.rsplit('/').next().unwrap_or(front);
    back.code(&[".py", ".js", ".ts", ".mjs"])
        .iter()
        .filter(|code| !code.path.starts_with(&format!("{name}/")))
        .any(|code| {
            let quotes = [format!("\"{name}"), format!("'{name}"), format!("/{name}")];
            quotes
                .iter()
                .any(|quoted| code.text.contains(quoted.as_str()))
        })
}

/// The failure of a folder that mayfly.toml takes for both and that is not.
pub(super) fn not_found() -> Failure {
    Failure::new(
        FailureCode::NotSupported,
        "there is no front end beside a back end",
    )
    .because(format!(
        "a front end is looked for in {}; a back end in {} and in the folder itself",
        FRONTS.join(", "),
        BACKS.join(", ")
    ))
    .hint("rename the folders to `frontend` and `backend`, or take `kind` out of mayfly.toml")
}

/// Joins two recipes.
pub(super) fn recipe(
    front: Recipe,
    front_folder: &Folder,
    back: Recipe,
) -> Result<Recipe, Failure> {
    let front = match front {
        Recipe::Node(node) => Front::Built(node),
        Recipe::Files(files) => {
            let parts = [front_folder.path(), &files.folder];
            let parts: Vec<&str> = parts.into_iter().filter(|part| !part.is_empty()).collect();
            Front::Files(FilesRecipe {
                folder: parts.join("/"),
                ..files
            })
        }
        Recipe::Python(_) | Recipe::FrontAndBack { .. } => return Err(not_found()),
    };
    let back = match back {
        Recipe::Node(node) => Back::Node(node),
        Recipe::Python(python) => Back::Python(python),
        Recipe::Files(_) | Recipe::FrontAndBack { .. } => return Err(not_found()),
    };
    Ok(Recipe::FrontAndBack { front, back })
}

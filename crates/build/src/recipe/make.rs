//! From a recipe to the layers of an image.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::Digest;
use model::failure::{Failure, FailureCode};
use model::image::LayerKind;
use model::serving::{Process, Serving, Site};

use crate::layer::{Node, PackedLayer, Tree};
use crate::recipe::build::{self, Build, Output, Sees, app_identity, keep_rules};
use crate::recipe::kit::{Kit, Order, key};
use crate::recipe::sources::{is_kept, is_of_app};
use crate::recipe::start::APP;
use crate::recipe::{Back, FilesRecipe, Front, NodeRecipe, NodeResult, PythonRecipe, Recipe};
use crate::recipe::{node, python, site};

/// What a recipe came to.
#[derive(Debug)]
pub struct Made {
    /// The image's layers, lowest first; the app's own is the last.
    pub layers: Vec<PackedLayer>,
    /// How the image is served.
    pub serving: Serving,
    /// The inputs that were resolved or used again, by name.
    pub pins: BTreeMap<String, Vec<u8>>,
    /// Whether every layer was there already.
    pub cached: bool,
    /// The base that it got, when that was only known now: `python 3.11`.
    pub base: Option<String>,
}

/// Makes all layers of an app. Equal recipes and orders give equal layers.
pub async fn make(kit: &Kit, order: &Order<'_>, recipe: &Recipe) -> Result<Made, Failure> {
    let mut work = Work::new(kit, order);
    let mut tree = Tree::new();
    let (site, server) = match recipe {
        Recipe::Files(files) => (Some(work.files(files, &mut tree)), None),
        Recipe::Node(recipe) if matches!(recipe.result, NodeResult::Site { .. }) => {
            let site = work.front(recipe, &Sees::All, &mut tree).await?;
            (Some(site), None)
        }
        Recipe::Node(recipe) => (None, Some(work.node_server(recipe).await?)),
        Recipe::Python(recipe) => (None, Some(work.python_server(recipe).await?)),
        Recipe::FrontAndBack { front, back } => {
            let site = match front {
                Front::Files(files) => work.files(files, &mut tree),
                Front::Built(recipe) => {
                    work.front(recipe, &beside(recipe, back), &mut tree).await?
                }
            };
            let server = match back {
                Back::Node(recipe) => work.node_server(recipe).await?,
                Back::Python(recipe) => work.python_server(recipe).await?,
            };
            (Some(site), Some(server))
        }
    };
    let files = server.as_ref().map(|server| &server.files);
    work.pack_app(tree, files).await?;
    let serving = match (site, server.map(|server| server.process)) {
        (Some(site), None) => Serving::Site { site },
        (Some(site), Some(process)) => Serving::SiteThenProcess { site, process },
        (None, Some(process)) => Serving::Process { process },
        (None, None) => return Err(nothing_builds()),
    };
    Ok(Made {
        layers: work.layers,
        serving,
        pins: work.pins,
        cached: work.cached,
        base: work.base,
    })
}

/// The part of the source that a front end's build sees: an edit of the back end builds nothing.
fn beside(front: &NodeRecipe, back: &Back) -> Sees {
    let back = match back {
        Back::Node(recipe) => &recipe.folder,
        Back::Python(recipe) => &recipe.folder,
    };
    match back.as_str() {
        "" => Sees::Only(front.folder.clone()),
        folder => Sees::AllBut(folder.to_owned()),
    }
}

/// A server: how it starts, and which files it has.
struct Server {
    process: Process,
    files: AppFiles,
}

/// Where a server's own files come from.
enum AppFiles {
    Source,
    Built(Output),
    /// The whole layer, of an earlier build with the same inputs.
    Cached(PackedLayer),
}

/// One making.
struct Work<'a, 'o> {
    kit: &'a Kit,
    order: &'a Order<'o>,
    layers: Vec<PackedLayer>,
    pins: BTreeMap<String, Vec<u8>>,
    cached: bool,
    base: Option<String>,
    /// All that decides about the app's own layer.
    identity: Vec<String>,
}

impl<'a, 'o> Work<'a, 'o> {
    fn new(kit: &'a Kit, order: &'a Order<'o>) -> Self {
        Self {
            kit,
            order,
            layers: Vec::new(),
            pins: BTreeMap::new(),
            cached: true,
            base: None,
            identity: vec!["app".into()],
        }
    }

    fn files(&mut self, files: &FilesRecipe, tree: &mut Tree) -> Site {
        self.identify("files", site::identity(self.order, files));
        site::add_files(tree, self.order, files)
    }

    /// Builds a front end into `tree`. Its packages are no part of the image.
    async fn front(
        &mut self,
        recipe: &NodeRecipe,
        sees: &Sees,
        tree: &mut Tree,
    ) -> Result<Site, Failure> {
        let NodeResult::Site { outputs } = &recipe.result else {
            return Err(nothing_builds());
        };
        let made = self.node(recipe).await?;
        let built = self.built(recipe, &made, sees).await?;
        self.identify("front", outputs.join(" "));
        site::add_built(
            tree,
            &built.join(APP.trim_start_matches('/')).join(&recipe.folder),
            outputs,
        )
    }

    /// Where all that a front end's build left is unpacked. Kept as a layer of its own that no
    /// image has, so that it is found again.
    async fn built(
        &mut self,
        recipe: &NodeRecipe,
        made: &node::Made,
        sees: &Sees,
    ) -> Result<PathBuf, Failure> {
        let identity = build_identity(self.order, recipe, made, sees);
        self.identify("built", identity);
        let key = key(&["front end", &identity.to_string()]);
        if let Some(found) = self.kit.packer.recall(&key).await {
            return Ok(found.dir);
        }
        self.cached = false;
        let command = recipe.build.as_deref().ok_or_else(nothing_builds)?;
        let output = node::build(self.kit, self.order, recipe, made, sees, command).await?;
        let mut tree = Tree::new();
        let added = tree.add_folder(&output.root, APP.trim_start_matches('/'));
        added.map_err(|cause| Failure::from(crate::layer::LayerError::from(cause)))?;
        let layer = self.kit.packer.pack(LayerKind::App, tree).await?;
        self.kit.packer.remember(&key, &layer)?;
        Ok(layer.dir)
    }

    async fn node(&mut self, recipe: &NodeRecipe) -> Result<node::Made, Failure> {
        let made = node::make(self.kit, self.order, recipe).await?;
        self.pins.extend(made.pins.clone());
        self.cached &= made.cached;
        Ok(made)
    }

    async fn node_server(&mut self, recipe: &NodeRecipe) -> Result<Server, Failure> {
        let NodeResult::Server(start) = &recipe.result else {
            return Err(nothing_builds());
        };
        let made = self.node(recipe).await?;
        self.layers.extend(made.layers());
        let process = node::serve(recipe, start);
        let Some(command) = &recipe.build else {
            return self.unbuilt(process);
        };
        let identity = build_identity(self.order, recipe, &made, &Sees::All);
        self.identify("built", identity);
        let sees = &Sees::All;
        let files = match self.kit.packer.recall(&self.key()).await {
            Some(layer) => AppFiles::Cached(layer),
            None => AppFiles::Built(
                node::build(self.kit, self.order, recipe, &made, sees, command).await?,
            ),
        };
        Ok(Server { process, files })
    }

    async fn python_server(&mut self, recipe: &PythonRecipe) -> Result<Server, Failure> {
        let made = python::make(self.kit, self.order, recipe).await?;
        self.pins.extend(made.pins);
        self.cached &= made.cached;
        self.base = Some(format!("python {}", made.version));
        let below: Vec<String> = made.layers.iter().map(diff_id).collect();
        let dirs = made.layers.iter().map(|layer| layer.dir.clone()).collect();
        self.layers.extend(made.layers);
        let process = python::serve(recipe);
        let Some(command) = &recipe.build else {
            return self.unbuilt(process);
        };
        self.identify("source", Sees::All.identity(self.order));
        self.identify("built", format!("{command}\n{}", below.join("\n")));
        if let Some(layer) = self.kit.packer.recall(&self.key()).await {
            let files = AppFiles::Cached(layer);
            return Ok(Server { process, files });
        }
        let build = Build {
            command,
            folder: &recipe.folder,
            sees: &Sees::All,
            layers: dirs,
            packages: vec![],
            caches: &[],
            env: process.env.clone(),
        };
        let files = AppFiles::Built(build::run(self.kit, self.order, build).await?);
        Ok(Server { process, files })
    }

    fn unbuilt(&mut self, process: Process) -> Result<Server, Failure> {
        self.identify("source", app_identity(self.order)?);
        Ok(Server {
            process,
            files: AppFiles::Source,
        })
    }

    fn identify(&mut self, what: &str, value: impl std::fmt::Display) {
        self.identity.push(format!("{what} {value}"));
    }

    fn key(&self) -> Digest {
        let parts: Vec<&str> = self.identity.iter().map(String::as_str).collect();
        key(&parts)
    }

    /// Puts the app's own layer on top: what is in `tree`, and a server's files.
    async fn pack_app(&mut self, tree: Tree, files: Option<&AppFiles>) -> Result<(), Failure> {
        let key = self.key();
        let found = match files {
            Some(AppFiles::Cached(layer)) => Some(layer.clone()),
            _ => self.kit.packer.recall(&key).await,
        };
        if let Some(found) = found {
            self.layers.push(found);
            return Ok(());
        }
        self.cached = false;
        let mut tree = tree;
        if let Some(files) = files {
            self.add_server(&mut tree, files)?;
        }
        let layer = self.kit.packer.pack(LayerKind::App, tree).await?;
        self.kit.packer.remember(&key, &layer)?;
        self.layers.push(layer);
        Ok(())
    }

    fn add_server(&self, tree: &mut Tree, files: &AppFiles) -> Result<(), Failure> {
        let prefix = APP.trim_start_matches('/');
        tree.add(prefix, Node::Folder);
        // The interpreter's usual name, which Debian's package leaves out.
        if self.base.is_some() {
            let interpreter = Node::Link("/usr/bin/python3".into());
            tree.add("usr/local/bin/python", interpreter);
        }
        if let AppFiles::Built(output) = files {
            return build::add_output(tree, self.order, output, prefix);
        }
        let rules = keep_rules(self.order)?;
        let source = self.order.source;
        let keep = |path: &str| is_of_app(path) && !is_kept(&rules, path);
        tree.add_snapshot(&source.snapshot, &source.root, prefix, keep);
        Ok(())
    }
}

/// The identity of what a Node build makes.
fn build_identity(
    order: &Order<'_>,
    recipe: &NodeRecipe,
    made: &node::Made,
    sees: &Sees,
) -> Digest {
    let mut parts = vec![sees.identity(order).to_string(), recipe.folder.clone()];
    parts.extend(recipe.build.clone());
    parts.extend(made.build_layers().iter().map(diff_id));
    parts.extend(
        order
            .public_env
            .iter()
            .map(|(name, value)| format!("{name}={value}")),
    );
    // What is kept is left out of the result.
    parts.extend(order.plan.keep.iter().cloned());
    let parts: Vec<&str> = parts.iter().map(String::as_str).collect();
    key(&parts)
}

fn diff_id(layer: &PackedLayer) -> String {
    layer.layer.diff_id.to_string()
}

fn nothing_builds() -> Failure {
    Failure::new(
        FailureCode::BuildFailed,
        "there is no command that builds the front end",
    )
    .hint("add a `build` script to its package.json, or set `command` under [build] in mayfly.toml")
}

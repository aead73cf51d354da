//! The builder: from a folder to an image in the blob store, with its layers unpacked.

use std::path::PathBuf;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use futures_util::future::{Either, select};
use model::Digest;
use model::failure::{Failure, FailureCode};
use model::image::Layer;
use model::manifest::Manifest;
use model::plan::Plan;
use ports::{
    BlobStore, BuildRequest, Builder, Built, PackageGate, ProgressSink, Source, TestRequest,
    Tested, Tester, Workshop,
};

use crate::cache::Cache;
use crate::debian::{Bases, DebianSources};
use crate::detect::{Detected, Folder, Suites, detect, may_have_tests, suites};
use crate::fetch::Fetcher;
use crate::image;
use crate::layer::{Packer, Shelf, blocking};
use crate::materials;
use crate::recipe::{
    self, Back, Front, Kit, Made, NodeRecipe, Order, PythonPackages, Recipe, Wheels,
};
use crate::tools::{Registries, Tools};

/// The waits before a registry that did not answer is asked again.
const ASKED_AGAIN_AFTER: [Duration; 2] = [Duration::from_secs(3), Duration::from_secs(10)];

/// How a builder is set up.
#[derive(Debug, Clone)]
pub struct Config {
    /// `$MAYFLY_HOME`: `layers/` and `cache/` below it are the builder's.
    pub home: PathBuf,
    /// A Debian mirror to use in place of apt's.
    pub mirror: Option<String>,
}

/// Makes images of folders: bases from Debian packages, dependencies from the machine's own
/// registries, commands in sandboxes.
pub struct ImageBuilder {
    blobs: Arc<dyn BlobStore>,
    kit: Kit,
    cache: Arc<Cache>,
}

impl ImageBuilder {
    /// Opens the builder's folders, and removes what an earlier daemon left half made. One builder
    /// at a time may use a home.
    pub fn new(
        config: Config,
        blobs: Arc<dyn BlobStore>,
        workshop: Arc<dyn Workshop>,
    ) -> Result<Self, Failure> {
        let downloads = config.home.join("cache");
        let shelf = Shelf::open(&config.home)?;
        let packer = Packer::new(blobs.clone(), shelf.clone());
        let fetcher = Fetcher::of_machine();
        let sources = DebianSources::read("/".as_ref(), config.mirror.as_deref());
        let tools = Tools::new(Registries::of_machine(), fetcher.clone(), &downloads)?;
        let cache = Cache::new(shelf, tools.shelf().clone(), downloads.clone());
        let bases = Bases::new(
            sources,
            fetcher,
            packer.clone(),
            workshop.clone(),
            &downloads,
        );
        Ok(Self {
            blobs,
            kit: Kit {
                bases: Arc::new(bases),
                tools: Arc::new(tools),
                packer,
                workshop,
                native: downloads.join("native"),
                wheels: Wheels::new(downloads.join("wheels")),
            },
            cache: Arc::new(cache),
        })
    }
}

impl ImageBuilder {
    /// Makes the layers, and fetches tools while the base is still in the making.
    async fn make(&self, order: &Order<'_>, recipe: &Recipe) -> Result<Made, Failure> {
        let make = pin!(recipe::make(&self.kit, order, recipe));
        let fetch = pin!(self.fetch_tools(recipe));
        match select(make, fetch).await {
            Either::Left((made, _)) => made,
            Either::Right(((), make)) => make.await,
        }
    }

    /// Whatever fails here fails again where the tool is needed, and is told there.
    async fn fetch_tools(&self, recipe: &Recipe) {
        let tools = &self.kit.tools;
        if needs_uv(recipe) {
            let _ = tools.uv().await;
        }
        if let Some(node) = node_of(recipe) {
            let layer = tools.node_layer(&node.version, &self.kit.packer);
            let bun = async {
                match node.packages {
                    Some(_) => tools.bun().await.map(drop),
                    None => Ok(()),
                }
            };
            let _ = tokio::join!(layer, bun);
        }
    }
}

/// Does work again when a registry did not answer: what came before is cached, and the network of a
/// busy machine fails for moments.
async fn asking_again<T, F: Future<Output = Result<T, Failure>>>(
    progress: &dyn ProgressSink,
    work: impl Fn() -> F,
) -> Result<T, Failure> {
    for wait in ASKED_AGAIN_AFTER {
        match work().await {
            Err(failure) if failure.code == FailureCode::Network => {
                let text = format!("{}; trying again in {} s", failure.message, wait.as_secs());
                progress.notice(&text);
                tokio::time::sleep(wait).await;
            }
            done => return done,
        }
    }
    work().await
}

fn needs_uv(recipe: &Recipe) -> bool {
    match recipe {
        Recipe::Python(python)
        | Recipe::FrontAndBack {
            back: Back::Python(python),
            ..
        } => python.packages != PythonPackages::None,
        _ => false,
    }
}

fn node_of(recipe: &Recipe) -> Option<&NodeRecipe> {
    match recipe {
        Recipe::Node(node)
        | Recipe::FrontAndBack {
            back: Back::Node(node),
            ..
        }
        | Recipe::FrontAndBack {
            front: Front::Built(node),
            ..
        } => Some(node),
        _ => None,
    }
}

#[async_trait]
impl Builder for ImageBuilder {
    fn plan(&self, source: &Source, manifest: &Manifest) -> Result<Plan, Failure> {
        Ok(detect(&Folder::of(source), manifest)?.plan)
    }

    async fn build(
        &self,
        request: BuildRequest,
        gate: &dyn PackageGate,
        progress: &dyn ProgressSink,
    ) -> Result<Built, Failure> {
        let _under_way = self.cache.build_begins();
        let Detected { mut plan, recipe } =
            detect(&Folder::of(&request.source), &request.manifest)?;
        let order = Order {
            source: &request.source,
            plan: &plan,
            public_env: &request.public_env,
            pins: &request.pins,
            limits: request.manifest.build_limits(),
            gate,
            progress,
        };
        let made = asking_again(progress, || self.make(&order, &recipe)).await?;
        let layers = made.layers.into_iter().map(|packed| packed.layer);
        let image = image::write(&self.blobs, layers.collect(), made.serving).await?;
        if let Some(base) = made.base {
            plan.base = base;
        }
        Ok(Built {
            image,
            plan,
            materials: materials::of(&made.pins),
            pins: made.pins,
            cached: made.cached,
        })
    }

    async fn layer(&self, layer: &Layer) -> Result<PathBuf, Failure> {
        Ok(self.kit.packer.unpacked(layer).await?)
    }

    async fn evict(&self, limit_bytes: u64, in_use: &[Digest]) -> Result<u64, Failure> {
        let (cache, in_use) = (self.cache.clone(), in_use.to_vec());
        let freed = blocking(move || cache.evict(limit_bytes, &in_use)).await?;
        self.kit.packer.forget_lost().await?;
        Ok(freed)
    }
}

#[async_trait]
impl Tester for ImageBuilder {
    fn input(&self, request: &TestRequest) -> Result<Option<Digest>, Failure> {
        let suites = self.suites(request)?;
        Ok(suites.map(|(_, suites)| recipe::tests_identity(request, &suites)))
    }

    async fn test(
        &self,
        request: TestRequest,
        gate: &dyn PackageGate,
        progress: &dyn ProgressSink,
    ) -> Result<Tested, Failure> {
        let _under_way = self.cache.build_begins();
        let Some((detected, suites)) = self.suites(&request)? else {
            return Ok(Tested::default());
        };
        let order = Order {
            source: &request.source,
            plan: &detected.plan,
            public_env: &request.public_env,
            pins: &request.pins,
            limits: request.manifest.build_limits(),
            gate,
            progress,
        };
        asking_again(progress, || {
            recipe::run_tests(&self.kit, &order, &request, &detected.recipe, &suites)
        })
        .await
    }
}

impl ImageBuilder {
    fn suites(&self, request: &TestRequest) -> Result<Option<(Detected, Suites)>, Failure> {
        let folder = Folder::of(&request.source);
        if !may_have_tests(&folder, &request.manifest) {
            return Ok(None);
        }
        let detected = detect(&folder, &request.manifest)?;
        let suites = suites(&folder, &detected.recipe, &request.manifest)?;
        Ok((!suites.is_empty()).then_some((detected, suites)))
    }
}

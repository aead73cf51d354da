//! From a release to what the runtime needs to start it.

use std::path::PathBuf;

use model::app::App;
use model::image::{Image, LayerKind};
use model::release::Release;
use model::serving::Process;
use model::{AppName, Failure};
use ports::Launch;
use ports::runtime::Seed;
use ports::traffic::SiteFiles;

use crate::Delivery;

impl Delivery {
    /// Everything that one start of a release's server needs.
    pub(crate) async fn launch(
        &self,
        app: &App,
        release: &Release,
        process: &Process,
        seed: Seed,
    ) -> Result<Launch, Failure> {
        let secrets = self.ports.ledger.env(&app.name, release.env_version).await;
        let secrets = secrets.map_err(|error| Failure::of(&error))?;
        let mut env = release.config.env.clone();
        env.extend(secrets.0);
        Ok(Launch {
            release: release.key.clone(),
            layers: self.layers(&release.image).await?,
            process: process.clone(),
            env,
            limits: release.config.limits,
            keep: release.config.keep.clone(),
            data: self.data_folder(&app.name),
            seed,
            uid_slot: app.uid_slot,
            egress: release.config.egress.clone(),
        })
    }

    /// The files of a release that the proxy serves itself.
    pub(crate) async fn site_files(&self, release: &Release) -> Result<Option<SiteFiles>, Failure> {
        let layer = release
            .image
            .layers
            .iter()
            .rfind(|layer| layer.kind == LayerKind::App);
        let (Some(site), Some(layer)) = (release.image.serving.site(), layer) else {
            return Ok(None);
        };
        let root = self.ports.builder.layer(layer).await?.join(&site.root);
        Ok(Some(SiteFiles {
            root,
            site: site.clone(),
        }))
    }

    /// Where an app's kept files lie.
    pub(crate) fn data_folder(&self, app: &AppName) -> PathBuf {
        self.settings.data.join(app.as_str())
    }

    /// Where the layers of an image are unpacked, lowest first.
    pub(crate) async fn layers(&self, image: &Image) -> Result<Vec<PathBuf>, Failure> {
        let mut folders = Vec::new();
        for layer in &image.layers {
            folders.push(self.ports.builder.layer(layer).await?);
        }
        Ok(folders)
    }
}

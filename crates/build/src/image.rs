//! Writes the OCI config and manifest of an image.
//!
//! Both are canonical JSON: keys sorted, no spaces, no time but 1970. The same layers and the same
//! way of serving give the same digest, on another day and on another machine.
//! Source: OCI image-spec 1.1, config.md and manifest.md.

use std::collections::HashMap;
use std::sync::Arc;

use bytes::Bytes;
use model::Digest;
use model::failure::{Failure, FailureCode, Remedy};
use model::image::{Image, Layer, LayerKind};
use model::serving::{Process, Serving};
use oci_spec::OciSpecError;
use oci_spec::image::{
    Arch, Config, ConfigBuilder, Descriptor, DescriptorBuilder, History, HistoryBuilder,
    ImageConfigurationBuilder, ImageManifestBuilder, MediaType, Os, RootFsBuilder, SCHEMA_VERSION,
    Sha256Digest,
};
use ports::{BlobError, BlobStore};
use serde::Serialize;
use serde_json::{Map, Value};

/// Under this name an image says how mayfly serves it, as the JSON of [`Serving`].
pub const SERVING_LABEL: &str = "dev.mayfly.serving";
/// Under this name a layer's descriptor says what is in it.
pub const LAYER_ANNOTATION: &str = "dev.mayfly.layer";

/// The moment that every image names, so that its digest does not depend on the clock.
const CREATED: &str = "1970-01-01T00:00:00Z";
/// The user that an app runs as: `app` in a base's `/etc/passwd`.
const USER: &str = "1000:1000";

/// Why an image was not written.
#[derive(Debug, thiserror::Error)]
pub enum ImageError {
    /// A value does not fit into the form of an image.
    #[error("the image cannot be described")]
    Spec(#[from] OciSpecError),
    /// It cannot be written as JSON.
    #[error("the image cannot be written as JSON")]
    Json(#[from] serde_json::Error),
    /// The blob store failed.
    #[error("the image cannot be kept")]
    Blob(#[from] BlobError),
}

impl Remedy for ImageError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Blob(cause) => cause.code(),
            Self::Spec(_) | Self::Json(_) => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::Blob(cause) => cause.hint(),
            Self::Spec(_) | Self::Json(_) => None,
        }
    }
}

impl From<ImageError> for Failure {
    fn from(error: ImageError) -> Self {
        Self::of(&error)
    }
}

/// Writes an image of `layers`, lowest first, whose blobs are in the store. Writing the same image
/// twice has the effect of once.
pub async fn write(
    blobs: &Arc<dyn BlobStore>,
    layers: Vec<Layer>,
    serving: Serving,
) -> Result<Image, ImageError> {
    let config = config_of(&layers, &serving)?;
    let config_digest = Digest::of(&config);
    let manifest = manifest_of(&layers, &serving, config_digest, config.len())?;
    let digest = Digest::of(&manifest);
    let both = vec![
        (Some(config_digest), Bytes::from(config)),
        (Some(digest), Bytes::from(manifest)),
    ];
    blobs.put_all(both).await?;
    Ok(Image {
        digest,
        config: config_digest,
        layers,
        serving,
    })
}

fn config_of(layers: &[Layer], serving: &Serving) -> Result<Vec<u8>, ImageError> {
    let diff_ids: Vec<String> = layers
        .iter()
        .map(|layer| layer.diff_id.to_string())
        .collect();
    let history: Vec<History> = layers.iter().map(history_of).collect::<Result<_, _>>()?;
    let image = ImageConfigurationBuilder::default()
        .created(CREATED)
        .architecture(Arch::Amd64)
        .os(Os::Linux)
        .config(run_config(serving)?)
        .rootfs(
            RootFsBuilder::default()
                .typ("layers")
                .diff_ids(diff_ids)
                .build()?,
        )
        .history(history)
        .build()?;
    canonical(&image)
}

fn history_of(layer: &Layer) -> Result<History, OciSpecError> {
    let by = format!("mayfly: {}", kind_name(layer.kind));
    HistoryBuilder::default()
        .created(CREATED)
        .created_by(by)
        .build()
}

/// What another container runtime needs to start the app as mayfly does.
fn run_config(serving: &Serving) -> Result<Config, ImageError> {
    let labels = HashMap::from([(SERVING_LABEL.to_owned(), serving_json(serving)?)]);
    let config = ConfigBuilder::default().labels(labels);
    Ok(match serving.process() {
        None => config.build()?,
        Some(process) => config
            .user(USER)
            .cmd(process.command.clone())
            .env(variables(process))
            .working_dir(process.workdir.clone())
            .exposed_ports(vec![format!("{}/tcp", process.port)])
            .build()?,
    })
}

fn variables(process: &Process) -> Vec<String> {
    let given = process.env.iter();
    given
        .map(|(name, value)| format!("{name}={value}"))
        .collect()
}

fn manifest_of(
    layers: &[Layer],
    serving: &Serving,
    config: Digest,
    config_bytes: usize,
) -> Result<Vec<u8>, ImageError> {
    let described: Vec<Descriptor> = layers.iter().map(describe).collect::<Result<_, _>>()?;
    let annotations = HashMap::from([(SERVING_LABEL.to_owned(), serving_json(serving)?)]);
    let config = DescriptorBuilder::default()
        .media_type(MediaType::ImageConfig)
        .digest(oci_digest(&config)?)
        .size(config_bytes as u64)
        .build()?;
    let manifest = ImageManifestBuilder::default()
        .schema_version(SCHEMA_VERSION)
        .media_type(MediaType::ImageManifest)
        .config(config)
        .layers(described)
        .annotations(annotations)
        .build()?;
    canonical(&manifest)
}

fn describe(layer: &Layer) -> Result<Descriptor, OciSpecError> {
    let kind = kind_name(layer.kind).to_owned();
    DescriptorBuilder::default()
        .media_type(MediaType::ImageLayerGzip)
        .digest(oci_digest(&layer.digest)?)
        .size(layer.size_bytes)
        .annotations(HashMap::from([(LAYER_ANNOTATION.to_owned(), kind)]))
        .build()
}

fn oci_digest(digest: &Digest) -> Result<Sha256Digest, OciSpecError> {
    digest.hex().parse()
}

fn serving_json(serving: &Serving) -> Result<String, ImageError> {
    Ok(String::from_utf8_lossy(&canonical(serving)?).into_owned())
}

fn kind_name(kind: LayerKind) -> &'static str {
    match kind {
        LayerKind::Base => "base",
        LayerKind::Toolchain => "toolchain",
        LayerKind::Dependencies => "dependencies",
        LayerKind::App => "app",
    }
}

/// JSON with the keys of every object sorted, whatever order its maps have in memory.
fn canonical(value: &impl Serialize) -> Result<Vec<u8>, ImageError> {
    Ok(serde_json::to_vec(&sorted(serde_json::to_value(value)?))?)
}

fn sorted(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let mut entries: Vec<(String, Value)> = object.into_iter().collect();
            entries.sort_by(|a, b| a.0.cmp(&b.0));
            let entries = entries.into_iter().map(|(key, value)| (key, sorted(value)));
            Value::Object(Map::from_iter(entries))
        }
        Value::Array(items) => Value::Array(items.into_iter().map(sorted).collect()),
        other => other,
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use model::serving::Site;
    use oci_spec::image::{ImageConfiguration, ImageManifest};

    use super::*;

    fn layer(kind: LayerKind, text: &str) -> Layer {
        Layer {
            kind,
            digest: Digest::of(text.as_bytes()),
            diff_id: Digest::of(text.to_uppercase().as_bytes()),
            size_bytes: 7,
        }
    }

    fn serving() -> Serving {
        Serving::SiteThenProcess {
            site: Site {
                root: "site".into(),
                index: None,
                fallback: None,
            },
            process: Process {
                command: vec!["python".into(), "app.py".into()],
                before: vec![],
                env: BTreeMap::from([("B".into(), "2".into()), ("A".into(), "1".into())]),
                workdir: "/app".into(),
                port: 5000,
            },
        }
    }

    #[test]
    fn an_image_says_truthfully_what_it_holds_and_how_it_starts() {
        let layers = [layer(LayerKind::Base, "a"), layer(LayerKind::App, "b")];
        let config = config_of(&layers, &serving()).expect("a config");
        let manifest = manifest_of(&layers, &serving(), Digest::of(&config), config.len())
            .expect("a manifest");
        let image = ImageConfiguration::from_reader(&config[..]).expect("an OCI config");
        let diff_ids: Vec<String> = layers
            .iter()
            .map(|layer| layer.diff_id.to_string())
            .collect();
        assert_eq!(image.rootfs().diff_ids(), &diff_ids);
        let run = image.config().clone().expect("run options");
        assert_eq!(
            run.env().as_deref(),
            Some(&["A=1".to_owned(), "B=2".into()][..])
        );
        assert_eq!(run.user().as_deref(), Some("1000:1000"));
        let label = run.labels().clone().expect("labels")[SERVING_LABEL].clone();
        assert_eq!(
            serde_json::from_str::<Serving>(&label).expect("a serving"),
            serving()
        );
        let manifest = ImageManifest::from_reader(&manifest[..]).expect("an OCI manifest");
        let digests: Vec<String> = manifest
            .layers()
            .iter()
            .map(|layer| layer.digest().to_string())
            .collect();
        assert_eq!(digests, layers.map(|layer| layer.digest.to_string()));
        assert_eq!(manifest.config().size(), config.len() as u64);
    }

    #[test]
    fn the_same_image_is_written_to_the_same_bytes() {
        let layers = [layer(LayerKind::Base, "a")];
        let first = config_of(&layers, &serving()).expect("a config");
        for _ in 0..20 {
            assert_eq!(config_of(&layers, &serving()).expect("a config"), first);
        }
    }
}

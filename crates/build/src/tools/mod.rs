//! The tools that builds use: uv, bun, Node and npm, fetched once from the registries that the
//! machine's own clients use, and checked against digests that are part of mayfly.

mod archive;
#[cfg(feature = "fuzzing")]
#[doc(hidden)]
pub mod fuzzing;
mod pins;
mod registries;
mod sdists;
mod shelf;
pub(crate) mod zip;

pub use registries::{Machine, Registries};
pub use sdists::Sdist;

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use model::Digest;
use model::failure::{Failure, FailureCode, Remedy};
use model::image::LayerKind;
use model::snapshot::Mode;

use crate::fetch::{FetchError, Fetcher, host_of};
use crate::flight::Flights;
use crate::layer::{Content, LayerError, Node, PackedLayer, Packer, Tree, UnpackError};
use pins::{NpmPin, WheelPin};
pub(crate) use shelf::ToolShelf;

/// Changes whenever the same tool would give another layer.
const NODE_LAYER: &str = "node layer 1";
/// Where images have Node.
const NODE_PROGRAM: &str = "usr/local/bin/node";

/// Why a tool cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ToolError {
    /// The registry did not answer.
    #[error("the registry cannot be used")]
    Fetch(#[from] FetchError),
    /// The registry does not have it.
    #[error("the registry `{registry}` has no `{tool}`")]
    NotThere {
        /// The registry.
        registry: String,
        /// The tool and its version.
        tool: String,
    },
    /// What came is not what mayfly was made with.
    #[error("`{0}` is not the file that this mayfly was made for")]
    WrongContent(String),
    /// What came is not what the registry promised, or what an earlier build got.
    #[error("`{0}` is not the file that it was")]
    ChangedContent(String),
    /// A lock names a place that is no registry of this machine.
    #[error("`{0}` is in no registry that this machine is set to")]
    Elsewhere(String),
    /// It cannot be unpacked.
    #[error("`{0}` cannot be unpacked")]
    BadArchive(String),
    /// Its files cannot be unpacked.
    #[error("its files cannot be unpacked")]
    Unpack(#[from] UnpackError),
    /// The cache cannot be written.
    #[error("`{path}` cannot be written")]
    Io {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// There is no such version.
    #[error("there is no Node {0} to run on")]
    NoNode(String),
    /// The build was stopped.
    #[error("the build was stopped")]
    Stopped,
}

impl Remedy for ToolError {
    fn code(&self) -> FailureCode {
        match self {
            Self::Fetch(_)
            | Self::NotThere { .. }
            | Self::WrongContent(_)
            | Self::ChangedContent(_) => FailureCode::Network,
            Self::Io { cause, .. } if ports::blob_store::is_disk_full(cause) => {
                FailureCode::DiskFull
            }
            Self::NoNode(_) | Self::Elsewhere(_) => FailureCode::BadManifest,
            Self::Stopped => FailureCode::Superseded,
            Self::BadArchive(_) | Self::Unpack(_) | Self::Io { .. } => FailureCode::Internal,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NoNode(_) => Some("write `version = \"22\"` under [build] in mayfly.toml".into()),
            Self::NotThere { .. }
            | Self::WrongContent(_)
            | Self::ChangedContent(_)
            | Self::Fetch(_) => Some(
                "run `mayfly doctor`; the registries are those of `pip config` and `npm config`"
                    .into(),
            ),
            _ if self.code() == FailureCode::DiskFull => {
                Some("free some disk space, then run `mayfly up` again".into())
            }
            _ => None,
        }
    }

    fn is_retryable(&self) -> bool {
        matches!(self, Self::Fetch(cause) if cause.is_retryable())
    }
}

impl From<ToolError> for Failure {
    fn from(error: ToolError) -> Self {
        Self::of(&error)
    }
}

/// Fetches tools once, and finds them again.
pub struct Tools {
    registries: Registries,
    fetcher: Fetcher,
    shelf: ToolShelf,
    flights: Flights,
}

impl Tools {
    /// `cache` is a folder for what is fetched.
    pub fn new(registries: Registries, fetcher: Fetcher, cache: &Path) -> Result<Self, Failure> {
        Ok(Self {
            registries,
            fetcher,
            shelf: ToolShelf::open(cache.join("tools"))?,
            flights: Flights::default(),
        })
    }

    /// The program `uv`, which installs Python packages. Linked statically.
    pub async fn uv(&self) -> Result<PathBuf, Failure> {
        let pin = pins::UV;
        let folder = self
            .tool(&format!("uv-{}", pin.version), move |fetch| {
                fetch.wheel(&pin)
            })
            .await?;
        Ok(folder.join("uv"))
    }

    /// The program `bun`, which installs Node packages and runs build scripts. Needs a C library.
    pub async fn bun(&self) -> Result<PathBuf, Failure> {
        let pin = pins::BUN;
        let keep = |path: &str| (path == "bin/bun").then(|| "bun".to_owned());
        let folder = self.npm_tool("bun", pin, keep).await?;
        Ok(folder.join("bun"))
    }

    /// A folder with `bin/node` and, for native modules, `include/node`. `major` is `22` or `24`.
    pub async fn node(&self, major: &str) -> Result<PathBuf, Failure> {
        let pin = node_pin(major)?;
        let keep = |path: &str| {
            let kept = path == "bin/node" || path.starts_with("include/node/");
            kept.then(|| path.to_owned())
        };
        self.npm_tool("node", pin, keep).await
    }

    /// The exact version of Node that `major` stands for: `22.23.3`.
    pub fn node_version(&self, major: &str) -> Result<&'static str, Failure> {
        Ok(node_pin(major)?.version)
    }

    /// npm's own folder; `bin/npm-cli.js` in it runs on Node.
    pub async fn npm(&self) -> Result<PathBuf, Failure> {
        let keep = |path: &str| {
            let needless = path.starts_with("docs/") || path.starts_with("man/");
            (!needless).then(|| path.to_owned())
        };
        self.npm_tool("npm", pins::NPM, keep).await
    }

    /// The layer with `/usr/local/bin/node`, for images that run on it.
    pub async fn node_layer(
        &self,
        major: &str,
        packer: &Packer,
    ) -> Result<(PackedLayer, bool), Failure> {
        let key = Digest::of(format!("{NODE_LAYER}\0{}", node_pin(major)?.sha512).as_bytes());
        let _turn = self.flights.turn(key).await;
        if let Some(packed) = packer.recall(&key).await {
            return Ok((packed, true));
        }
        let pin = node_pin(major)?;
        let packed = match self.shelf.find(&format!("node-{}", pin.version)) {
            Some(folder) => {
                let program = Content::File(folder.join("bin/node"));
                let mut tree = Tree::new();
                tree.add(NODE_PROGRAM, Node::File(program, Mode::Executable));
                packer.pack(LayerKind::Toolchain, tree).await?
            }
            None => self.fetch_node_layer(pin, packer).await?,
        };
        packer.remember(&key, &packed)?;
        Ok((packed, false))
    }

    /// The hosts that builds may reach, `host` or `host:port`: the registries that pip and npm are
    /// set to, and the hosts that those keep their files on as far as that is known. Call
    /// [`Tools::uv`] first: the Python index names the host of its files.
    pub fn registry_hosts(&self) -> Vec<String> {
        let mut hosts = self.registries.hosts();
        hosts.extend(self.shelf.learnt_hosts());
        hosts.sort();
        hosts.dedup();
        hosts
    }

    /// The registries that pip and npm are set to.
    pub fn registries(&self) -> &Registries {
        &self.registries
    }

    pub(crate) fn shelf(&self) -> &ToolShelf {
        &self.shelf
    }

    /// Fetches Node's program straight into a layer: its headers are needed by few.
    async fn fetch_node_layer(&self, pin: NpmPin, packer: &Packer) -> Result<PackedLayer, Failure> {
        let folder = packer.scratch()?;
        let fetch = self.fetch_into(folder.path());
        let keep = |path: &str| (path == "bin/node").then(|| NODE_PROGRAM.to_owned());
        blocking(move || fetch.npm(&pin, keep)).await?;
        Ok(packer.adopt(LayerKind::Toolchain, folder).await?)
    }

    fn fetch_into(&self, folder: &Path) -> Fetch {
        Fetch {
            registries: self.registries.clone(),
            fetcher: self.fetcher.clone(),
            folder: folder.to_owned(),
            shelf: self.shelf.clone(),
        }
    }

    async fn npm_tool(
        &self,
        short: &str,
        pin: NpmPin,
        keep: impl Fn(&str) -> Option<String> + Send + 'static,
    ) -> Result<PathBuf, Failure> {
        let name = format!("{short}-{}", pin.version);
        self.tool(&name, move |fetch| fetch.npm(&pin, keep)).await
    }

    /// Finds a tool, or makes its folder with `make`.
    async fn tool(
        &self,
        name: &str,
        make: impl FnOnce(&Fetch) -> Result<(), ToolError> + Send + 'static,
    ) -> Result<PathBuf, Failure> {
        let _turn = self.flights.turn(Digest::of(name.as_bytes())).await;
        if let Some(folder) = self.shelf.find(name) {
            return Ok(folder);
        }
        let folder = self.shelf.scratch()?;
        let fetch = self.fetch_into(folder.path());
        let (shelf, name) = (self.shelf.clone(), name.to_owned());
        let made = blocking(move || {
            make(&fetch)?;
            shelf.place(&name, folder)
        });
        Ok(made.await?)
    }
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ToolError> + Send + 'static,
) -> Result<T, ToolError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or(Err(ToolError::Stopped))
}

fn node_pin(major: &str) -> Result<NpmPin, ToolError> {
    match major {
        "22" => Ok(pins::NODE_22),
        "24" => Ok(pins::NODE_24),
        _ => Err(ToolError::NoNode(major.to_owned())),
    }
}

/// One tool in the making.
struct Fetch {
    registries: Registries,
    fetcher: Fetcher,
    folder: PathBuf,
    shelf: ToolShelf,
}

impl Fetch {
    fn wheel(&self, pin: &WheelPin) -> Result<(), ToolError> {
        let url = archive::wheel_url(&self.fetcher, &self.registries.python, pin)?;
        let wheel = self.fetcher.get(&url, archive::LIMIT)?;
        archive::check_sha256(&url, &wheel, pin.sha256)?;
        let program = zip::read_file(&wheel, pin.program, archive::LIMIT as usize)
            .ok_or_else(|| ToolError::BadArchive(pin.file.to_owned()))?;
        self.shelf.learn(host_of(&url));
        let path = self.folder.join(pin.project);
        write_program(&path, &program).map_err(|cause| ToolError::Io { path, cause })
    }

    fn npm(&self, pin: &NpmPin, keep: impl Fn(&str) -> Option<String>) -> Result<(), ToolError> {
        let url = archive::npm_url(&self.fetcher, &self.registries.npm, pin)?;
        let packed = self.fetcher.get(&url, archive::LIMIT)?;
        archive::check_sha512(&url, &packed, pin.sha512)?;
        self.shelf.learn(host_of(&url));
        archive::unpack_npm(&packed, &self.folder, keep)
    }
}

fn write_program(path: &Path, bytes: &[u8]) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    fs::write(path, bytes)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o755))
}

impl From<LayerError> for ToolError {
    fn from(error: LayerError) -> Self {
        match error {
            LayerError::Io { path, cause } => Self::Io { path, cause },
            LayerError::Unpack(cause) => Self::Unpack(cause),
            other => Self::BadArchive(other.to_string()),
        }
    }
}

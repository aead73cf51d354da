//! Finds an image in a registry elsewhere, and all that somebody signed about it.

use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference as Remote, RegistryOperation};
use serde_json::Value;

use super::copy::is_loopback;
use super::credentials::Login;
use super::manifest::{IMAGE, INDEX};

/// What clients accept as a manifest.
const ACCEPTED: [&str; 4] = [
    IMAGE,
    INDEX,
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
];
/// How many documents are looked at; a stranger may have left any number.
const MOST_DOCUMENTS: usize = 256;
/// The largest document.
const LARGEST: u64 = 64 << 20;

/// Why an image elsewhere cannot be looked at.
#[derive(Debug, thiserror::Error)]
pub enum OutsideError {
    /// It is no reference.
    #[error("`{0}` names no image: write `HOST/NAME@sha256:…` or `HOST/NAME:TAG`")]
    NoReference(String),
    /// The registry does not show it.
    #[error("`{registry}` does not show {what}")]
    Refused {
        /// Which registry.
        registry: String,
        /// What.
        what: String,
        /// Why.
        #[source]
        cause: Box<OciDistributionError>,
    },
    /// There is more than anybody would sign.
    #[error("the image has more than {MOST_DOCUMENTS} documents, or one that is too large")]
    TooMuch,
    /// It is not what it says.
    #[error("the registry's answer cannot be read: {0}")]
    Malformed(String),
}

/// A layer of a manifest that is attached to an image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attached {
    /// How to read it.
    pub media_type: String,
    /// Its content.
    pub text: String,
    /// Its annotations, an object.
    pub annotations: Value,
}

/// An image elsewhere.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outside {
    /// Of its manifest: `sha256:…`.
    pub digest: String,
    /// What is attached to it.
    pub attached: Vec<Attached>,
}

/// Finds the image that `reference` names, and everything that is attached to it: by referrers,
/// and by the tags that cosign makes of its digest.
pub async fn find(reference: &str, login: Option<Login>) -> Result<Outside, OutsideError> {
    let remote: Remote = reference
        .parse()
        .map_err(|_| OutsideError::NoReference(reference.to_owned()))?;
    let search = Search {
        client: client(&remote),
        auth: match login {
            Some(login) => RegistryAuth::Basic(login.user, login.secret),
            None => RegistryAuth::Anonymous,
        },
        remote,
    };
    search.all().await
}

/// The registry's host that a reference names.
pub fn host(reference: &str) -> Option<String> {
    let remote: Remote = reference.parse().ok()?;
    Some(remote.registry().to_owned())
}

struct Search {
    client: Client,
    auth: RegistryAuth,
    remote: Remote,
}

impl Search {
    async fn all(&self) -> Result<Outside, OutsideError> {
        let remote = &self.remote;
        let logged_in = self
            .client
            .auth(remote, &self.auth, RegistryOperation::Pull);
        logged_in
            .await
            .map_err(|cause| self.refused("anything", cause))?;
        let (_, digest) = self.manifest(remote).await?;
        let mut attached = Vec::new();
        for manifest in self.manifests(&digest).await? {
            self.layers(&manifest, &mut attached).await?;
        }
        Ok(Outside { digest, attached })
    }

    async fn manifest(&self, place: &Remote) -> Result<(Value, String), OutsideError> {
        let pulled = self.client.pull_manifest_raw(place, &self.auth, &ACCEPTED);
        let what = format!("`{place}`");
        let (bytes, digest) = pulled.await.map_err(|cause| self.refused(&what, cause))?;
        Ok((read(&bytes)?, digest))
    }

    /// The manifests that are attached to the image.
    async fn manifests(&self, digest: &str) -> Result<Vec<Value>, OutsideError> {
        let listed = self
            .client
            .pull_referrers(&self.digested(digest), None)
            .await;
        let listed = listed.map_err(|cause| self.refused("what refers to the image", cause))?;
        if listed.manifests.len() > MOST_DOCUMENTS {
            return Err(OutsideError::TooMuch);
        }
        let mut found = Vec::new();
        for entry in &listed.manifests {
            found.push(self.manifest(&self.digested(&entry.digest)).await?.0);
        }
        for end in ["sig", "att"] {
            let place = self.tagged(format!("{}.{end}", digest.replace(':', "-")));
            match self.manifest(&place).await {
                Ok((manifest, _)) => found.push(manifest),
                // A tag that is not there is no error; what is signed may be elsewhere.
                Err(OutsideError::Refused { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(found)
    }

    async fn layers(
        &self,
        manifest: &Value,
        attached: &mut Vec<Attached>,
    ) -> Result<(), OutsideError> {
        for layer in manifest["layers"].as_array().into_iter().flatten() {
            let size = layer["size"].as_u64().unwrap_or(u64::MAX);
            if attached.len() >= MOST_DOCUMENTS || size > LARGEST {
                return Err(OutsideError::TooMuch);
            }
            let digest = layer["digest"].as_str().unwrap_or_default();
            let mut bytes = Vec::new();
            let place = self.digested(digest);
            let pulled = self.client.pull_blob(&place, digest, &mut bytes).await;
            pulled.map_err(|cause| self.refused(&format!("`{digest}`"), cause))?;
            attached.push(Attached {
                media_type: layer["mediaType"].as_str().unwrap_or_default().to_owned(),
                text: String::from_utf8_lossy(&bytes).into_owned(),
                annotations: layer["annotations"].clone(),
            });
        }
        Ok(())
    }

    fn digested(&self, digest: &str) -> Remote {
        let (registry, repository) = self.place();
        Remote::with_digest(registry, repository, digest.to_owned())
    }

    fn tagged(&self, tag: String) -> Remote {
        let (registry, repository) = self.place();
        Remote::with_tag(registry, repository, tag)
    }

    fn place(&self) -> (String, String) {
        let remote = &self.remote;
        (remote.registry().to_owned(), remote.repository().to_owned())
    }

    fn refused(&self, what: &str, cause: OciDistributionError) -> OutsideError {
        OutsideError::Refused {
            registry: self.remote.registry().to_owned(),
            what: what.to_owned(),
            cause: Box::new(cause),
        }
    }
}

fn read(bytes: &[u8]) -> Result<Value, OutsideError> {
    serde_json::from_slice(bytes).map_err(|error| OutsideError::Malformed(error.to_string()))
}

/// A client that speaks plain HTTP to this machine alone.
fn client(remote: &Remote) -> Client {
    // Another part of the process may have chosen: then that one holds.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let protocol = match is_loopback(remote.registry()) {
        true => ClientProtocol::Http,
        false => ClientProtocol::Https,
    };
    Client::new(ClientConfig {
        protocol,
        ..ClientConfig::default()
    })
}

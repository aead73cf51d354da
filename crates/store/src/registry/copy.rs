//! Copies an image with all that vouches for it to a registry elsewhere.

use std::collections::BTreeSet;
use std::net::IpAddr;

use bytes::Bytes;
use futures_util::TryStreamExt;
use oci_client::client::{ClientConfig, ClientProtocol};
use oci_client::errors::OciDistributionError;
use oci_client::secrets::RegistryAuth;
use oci_client::{Client, Reference as Remote, RegistryOperation};
use serde_json::{Value, json};

use super::Registry;
use super::credentials::Login;
use super::failure::RegistryError;
use super::manifest::{INDEX, outline};
use super::name::{ContentDigest, Reference, RepositoryName, Tag};
use super::record::{Link, ManifestLink, Page, Referrer};

/// What cosign ends its tags with: signatures, attestations, SBOMs.
const ATTACHED: [&str; 3] = ["sig", "att", "sbom"];
/// How many referrers are read at once.
const AT_ONCE: u32 = 64;

/// Why a copy did not arrive.
#[derive(Debug, thiserror::Error)]
pub enum CopyError {
    /// It cannot be read here.
    #[error("the image cannot be read")]
    Source(#[from] RegistryError),
    /// The other registry does not take it.
    #[error("`{registry}` does not take {what}")]
    Refused {
        /// Which registry.
        registry: String,
        /// Which part.
        what: String,
        /// Why.
        #[source]
        cause: Box<OciDistributionError>,
    },
    /// The client cannot be made.
    #[error("nothing can be sent to `{0}`")]
    Client(String),
}

/// A repository of a registry elsewhere.
#[derive(Clone)]
pub struct Destination {
    /// Its host, with a port when it needs one.
    pub registry: String,
    /// The repository there.
    pub repository: String,
    /// The tags that the image gets there.
    pub tags: Vec<Tag>,
    /// Who sends it.
    pub login: Option<Login>,
}

/// What was copied.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Copied {
    /// Manifests: the image, what refers to it, what cosign attached by tag.
    pub manifests: usize,
    /// Blobs that were not there yet.
    pub blobs: usize,
    /// Their size.
    pub sent_bytes: u64,
}

impl Registry {
    /// Copies an image, every manifest that refers to it, and what is attached to it by cosign's
    /// tags. The image's own tags come last: whoever sees them sees all that vouches for it.
    pub async fn copy(
        &self,
        from: &RepositoryName,
        image: &ContentDigest,
        to: &Destination,
    ) -> Result<Copied, CopyError> {
        let mut copy = Copy {
            registry: self,
            from,
            to,
            client: client(to)?,
            seen: BTreeSet::new(),
            copied: Copied::default(),
        };
        copy.log_in().await?;
        copy.all(image).await?;
        let manifest = self.manifest(from, &Reference::Digest(*image)).await?;
        for tag in &to.tags {
            copy.send_manifest(&manifest, &copy.tagged(tag)).await?;
        }
        Ok(copy.copied)
    }
}

/// A copy under way.
struct Copy<'a> {
    registry: &'a Registry,
    from: &'a RepositoryName,
    to: &'a Destination,
    client: Client,
    seen: BTreeSet<ContentDigest>,
    copied: Copied,
}

impl Copy<'_> {
    async fn log_in(&self) -> Result<(), CopyError> {
        let auth = match &self.to.login {
            Some(login) => RegistryAuth::Basic(login.user.clone(), login.secret.clone()),
            None => RegistryAuth::Anonymous,
        };
        let any = Remote::with_tag(
            self.to.registry.clone(),
            self.to.repository.clone(),
            "latest".to_owned(),
        );
        let logged_in = self.client.auth(&any, &auth, RegistryOperation::Push).await;
        logged_in
            .map(drop)
            .map_err(|cause| self.refused("the login", cause))
    }

    /// A manifest, what it names, what refers to it and what is attached to it.
    async fn all(&mut self, digest: &ContentDigest) -> Result<(), CopyError> {
        let mut waiting = vec![*digest];
        while let Some(digest) = waiting.pop() {
            if !self.seen.insert(digest) {
                continue;
            }
            waiting.extend(self.one(&digest).await?);
            let referrers = self.referrers(&digest).await?;
            waiting.extend(
                referrers
                    .iter()
                    .map(|referrer| referrer.manifest.link.digest),
            );
            for referrer in &referrers {
                self.one(&referrer.manifest.link.digest).await?;
            }
            self.tell_referrers(&digest, &referrers).await?;
            waiting.extend(self.attached(&digest).await?);
        }
        Ok(())
    }

    /// A manifest with its blobs, and the manifests that it names, which come before it.
    async fn one(&mut self, digest: &ContentDigest) -> Result<Vec<ContentDigest>, CopyError> {
        let reference = Reference::Digest(*digest);
        let manifest = self.registry.manifest(self.from, &reference).await?;
        let bytes = self.registry.manifest_bytes(&manifest).await?;
        let outline = outline(&bytes, Some(&manifest.media_type))?;
        for blob in &outline.blobs {
            let link = self.registry.blob(self.from, blob).await?;
            self.send_blob(&link).await?;
        }
        for child in &outline.manifests {
            // An index of an index is as deep as it gets in practice; each level is one call.
            Box::pin(self.one(child)).await?;
        }
        let place = self.digested(digest);
        self.send(&place, bytes, &manifest.media_type).await?;
        self.copied.manifests += 1;
        Ok(outline.manifests)
    }

    async fn referrers(&self, subject: &ContentDigest) -> Result<Vec<Referrer>, CopyError> {
        let (mut all, mut after) = (Vec::new(), String::new());
        loop {
            let page = Page {
                after: &after,
                limit: AT_ONCE,
            };
            let found = self
                .registry
                .referrers(self.from, subject, None, page)
                .await?;
            let at_end = found.len() < AT_ONCE as usize;
            all.extend(found);
            match all.last() {
                Some(last) if !at_end => after = last.manifest.link.digest.to_string(),
                _ => return Ok(all),
            }
        }
    }

    /// A registry that does not list referrers itself gets the list as an index, under the tag that
    /// clients look for.
    ///
    /// Source: OCI distribution-spec 1.1, "Referrers Tag Schema".
    async fn tell_referrers(
        &self,
        subject: &ContentDigest,
        referrers: &[Referrer],
    ) -> Result<(), CopyError> {
        if referrers.is_empty() {
            return Ok(());
        }
        let place = self.digested(subject);
        let listed = self.client.pull_referrers(&place, None).await;
        let listed = listed.map_err(|cause| self.refused("a question for referrers", cause))?;
        let knows = |digest: &str| listed.manifests.iter().any(|entry| entry.digest == digest);
        let missing: Vec<&Referrer> = referrers
            .iter()
            .filter(|referrer| !knows(&referrer.manifest.link.digest.to_string()))
            .collect();
        if missing.is_empty() {
            return Ok(());
        }
        let listed = listed.manifests.iter().map(|entry| json!(entry));
        let all: Vec<Value> = listed
            .chain(missing.into_iter().map(Referrer::descriptor))
            .collect();
        let index = json!({ "schemaVersion": 2, "mediaType": INDEX, "manifests": all });
        let tag = subject.to_string().replace(':', "-");
        let place = self.place(tag);
        self.send(&place, index.to_string().into(), INDEX).await
    }

    /// What cosign attached: manifests under tags that are made of the digest.
    async fn attached(&mut self, digest: &ContentDigest) -> Result<Vec<ContentDigest>, CopyError> {
        let mut found = Vec::new();
        for end in ATTACHED {
            let text = format!("{}.{end}", digest.to_string().replace(':', "-"));
            let Ok(tag) = text.parse::<Tag>() else {
                continue;
            };
            let reference = Reference::Tag(tag.clone());
            let manifest = match self.registry.manifest(self.from, &reference).await {
                Err(RegistryError::ManifestUnknown(_)) => continue,
                manifest => manifest?,
            };
            self.one(&manifest.link.digest).await?;
            self.send_manifest(&manifest, &self.tagged(&tag)).await?;
            found.push(manifest.link.digest);
        }
        Ok(found)
    }

    async fn send_manifest(
        &self,
        manifest: &ManifestLink,
        place: &Remote,
    ) -> Result<(), CopyError> {
        let bytes = self.registry.manifest_bytes(manifest).await?;
        self.send(place, bytes, &manifest.media_type).await
    }

    async fn send(&self, place: &Remote, bytes: Bytes, kind: &str) -> Result<(), CopyError> {
        let kind = kind
            .parse()
            .map_err(|_| RegistryError::ManifestInvalid("its media type is none".into()))?;
        let sent = self.client.push_manifest_raw(place, bytes, kind).await;
        let what = format!("the manifest `{place}`");
        sent.map(drop).map_err(|cause| self.refused(&what, cause))
    }

    async fn send_blob(&mut self, link: &Link) -> Result<(), CopyError> {
        let digest = link.digest.to_string();
        let place = self.digested(&link.digest);
        let what = format!("the blob `{digest}`");
        let there = self.client.blob_exists(&place, &digest).await;
        if there.map_err(|cause| self.refused(&what, cause))? {
            return Ok(());
        }
        let content = self.registry.content(link, 0..link.size_bytes).await?;
        let content = content.map_err(OciDistributionError::IoError);
        let sent = self
            .client
            .push_blob_stream(&place, content, &digest, Some(link.size_bytes))
            .await;
        sent.map_err(|cause| self.refused(&what, cause))?;
        self.copied.blobs += 1;
        self.copied.sent_bytes += link.size_bytes;
        Ok(())
    }

    fn digested(&self, digest: &ContentDigest) -> Remote {
        let (registry, repository) = (self.to.registry.clone(), self.to.repository.clone());
        Remote::with_digest(registry, repository, digest.to_string())
    }

    fn tagged(&self, tag: &Tag) -> Remote {
        self.place(tag.to_string())
    }

    fn place(&self, tag: String) -> Remote {
        Remote::with_tag(self.to.registry.clone(), self.to.repository.clone(), tag)
    }

    fn refused(&self, what: &str, cause: OciDistributionError) -> CopyError {
        CopyError::Refused {
            registry: self.to.registry.clone(),
            what: what.to_owned(),
            cause: Box::new(cause),
        }
    }
}

/// A client that speaks plain HTTP to this machine alone.
fn client(to: &Destination) -> Result<Client, CopyError> {
    // Another part of the process may have chosen: then that one holds.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let protocol = match is_loopback(&to.registry) {
        true => ClientProtocol::Http,
        false => ClientProtocol::Https,
    };
    Client::try_from(ClientConfig {
        protocol,
        use_monolithic_push: true,
        ..ClientConfig::default()
    })
    .map_err(|_| CopyError::Client(to.registry.clone()))
}

pub(super) fn is_loopback(registry: &str) -> bool {
    let (host, _port) = registry.rsplit_once(':').unwrap_or((registry, ""));
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let address = host.parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_http_is_for_this_machine_alone() {
        for (registry, plain) in [
            ("127.0.0.1:5000", true),
            ("localhost:5000", true),
            ("localhost", true),
            ("[::1]:5000", true),
            ("reg.example", false),
            ("localhost.example:80", false),
            ("10.0.0.1:5000", false),
        ] {
            assert_eq!(is_loopback(registry), plain, "{registry}");
        }
    }
}

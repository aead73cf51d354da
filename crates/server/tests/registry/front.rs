//! A registry in a temporary folder, asked without a network.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request, StatusCode};
use bytes::Bytes;
use model::{Digest, Timestamp};
use ports::access::{Right, Scope};
use server::registry::{Anonymous, Config, Openness, State, router};
use store::registry::{IssuedToken, Limits, NewToken, RepositoryName, TokenStore};
use store::{DiskBlobs, Registry, SqliteLedger};
use tempfile::TempDir;
use tower::ServiceExt;

/// The OCI image manifest's media type.
pub(crate) const IMAGE: &str = "application/vnd.oci.image.manifest.v1+json";
/// Content that is nowhere.
pub(crate) const NOWHERE: &str =
    "sha256:0000000000000000000000000000000000000000000000000000000000000000";

/// Where a registry keeps things.
pub(crate) enum Home {
    /// Goes with the test.
    Temporary(TempDir),
    /// Stays.
    Kept(PathBuf),
}

impl Home {
    pub(crate) fn path(&self) -> &Path {
        match self {
            Self::Temporary(folder) => folder.path(),
            Self::Kept(folder) => folder,
        }
    }
}

/// A registry, and a token that may write everywhere.
pub(crate) struct Front {
    pub(crate) home: Home,
    pub(crate) ledger: SqliteLedger,
    pub(crate) registry: Registry,
    pub(crate) tokens: TokenStore,
    state: State,
    secret: String,
}

impl Front {
    pub(crate) async fn new() -> Self {
        Self::with(Limits::default(), Anonymous::Refused).await
    }

    pub(crate) async fn with(limits: Limits, anonymous: Anonymous) -> Self {
        let home = tempfile::tempdir().expect("a folder");
        Self::open(Home::Temporary(home), limits, anonymous).await
    }

    pub(crate) async fn open(home: Home, limits: Limits, anonymous: Anonymous) -> Self {
        let path = home.path();
        let ledger = SqliteLedger::open(&path.join("ledger.db"))
            .await
            .expect("a ledger");
        let blobs = Arc::new(DiskBlobs::open(&path.join("blobs")).expect("blobs"));
        let registry = Registry::open(&ledger, blobs, &path.join("uploads"), limits);
        let registry = registry.expect("a registry");
        let tokens = TokenStore::new(&ledger);
        let secret = issue(&tokens, &[("", Right::Write)]).await.secret;
        let state = State::new(Config {
            registry: registry.clone(),
            tokens: Arc::new(tokens.clone()),
            openness: Arc::new(openness),
            anonymous,
        });
        Self {
            home,
            ledger,
            registry,
            tokens,
            state,
            secret,
        }
    }

    /// What is served.
    pub(crate) fn state(&self) -> State {
        self.state.clone()
    }

    /// The token that may write.
    pub(crate) fn secret(&self) -> &str {
        &self.secret
    }

    /// The same folder, as the next process finds it.
    pub(crate) async fn reopened(self, limits: Limits) -> Self {
        self.ledger.close().await;
        Self::open(self.home, limits, Anonymous::Refused).await
    }

    pub(crate) async fn token(&self, scopes: &[(&str, Right)]) -> IssuedToken {
        issue(&self.tokens, scopes).await
    }

    /// Asks with the token that may write.
    pub(crate) fn ask(&self, method: &str, path: &str) -> Ask<'_> {
        self.ask_as(&self.secret, method, path)
    }

    pub(crate) fn ask_as(&self, secret: &str, method: &str, path: &str) -> Ask<'_> {
        let pair = format!("mayfly:{secret}");
        let basic = base64(pair.as_bytes());
        self.ask_without(method, path)
            .header("authorization", &format!("Basic {basic}"))
    }

    pub(crate) fn ask_without(&self, method: &str, path: &str) -> Ask<'_> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", "127.0.0.1:5000");
        Ask {
            front: self,
            request,
            body: Body::empty(),
        }
    }

    /// Pushes a blob in one piece; returns its digest.
    pub(crate) async fn push_blob(&self, repository: &str, content: &[u8]) -> String {
        let digest = Digest::of(content).to_string();
        let path = format!("/v2/{repository}/blobs/uploads/?digest={digest}");
        let answer = self.ask("POST", &path).body(content.to_vec()).await;
        answer.is(StatusCode::CREATED);
        digest
    }

    /// Begins an upload; returns where it is.
    pub(crate) async fn begin(&self, repository: &str) -> String {
        let path = format!("/v2/{repository}/blobs/uploads/");
        let answer = self.ask("POST", &path).await;
        answer
            .is(StatusCode::ACCEPTED)
            .header("location")
            .to_owned()
    }

    /// Pushes an image of one layer under a tag; returns its digest.
    pub(crate) async fn push_image(&self, repository: &str, tag: &str, layer: &[u8]) -> String {
        let config = self.push_blob(repository, b"{}").await;
        let layer_digest = self.push_blob(repository, layer).await;
        let manifest = image(&config, &layer_digest, layer.len(), "");
        let path = format!("/v2/{repository}/manifests/{tag}");
        let put = self.ask("PUT", &path).header("content-type", IMAGE);
        let answer = put.body(manifest).await;
        answer
            .is(StatusCode::CREATED)
            .header("docker-content-digest")
            .to_owned()
    }

    /// What is in the folder of uploads.
    pub(crate) fn uploads(&self) -> Vec<PathBuf> {
        let entries = std::fs::read_dir(self.home.path().join("uploads")).expect("a folder");
        entries
            .map(|entry| entry.expect("an entry").path())
            .collect()
    }
}

/// An image's manifest, with `more` members.
pub(crate) fn image(config: &str, layer: &str, size: usize, more: &str) -> String {
    format!(
        r#"{{"schemaVersion":2,"mediaType":"{IMAGE}",{more}
        "config":{{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"{config}","size":2}},
        "layers":[{{"mediaType":"application/vnd.oci.image.layer.v1.tar","digest":"{layer}","size":{size}}}]}}"#
    )
}

fn openness(repository: &RepositoryName) -> Openness {
    match repository.as_str().starts_with("releases/") {
        true => Openness::ReadOnly,
        false => Openness::Open,
    }
}

async fn issue(tokens: &TokenStore, scopes: &[(&str, Right)]) -> IssuedToken {
    let scope = |&(prefix, right): &(&str, Right)| Scope {
        prefix: prefix.to_owned(),
        right,
    };
    let now = Timestamp::now();
    let new = NewToken {
        label: "test".to_owned(),
        scopes: scopes.iter().map(scope).collect(),
        expires_at: now + Duration::from_secs(3600),
    };
    tokens.issue(new, now).await.expect("issued")
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    use base64::Engine;
    base64::prelude::BASE64_STANDARD.encode(bytes)
}

/// A request that is being written. Awaited, it is sent.
pub(crate) struct Ask<'a> {
    front: &'a Front,
    request: axum::http::request::Builder,
    body: Body,
}

impl Ask<'_> {
    pub(crate) fn header(mut self, name: &str, value: &str) -> Self {
        self.request = self.request.header(name, value);
        self
    }

    /// A body whose length is told.
    pub(crate) fn body(self, bytes: impl Into<Bytes>) -> Self {
        let bytes: Bytes = bytes.into();
        let length = bytes.len().to_string();
        let mut ask = self.header("content-length", &length);
        ask.body = bytes.into();
        ask
    }

    /// A body whose length shows at its end.
    pub(crate) fn stream(mut self, body: Body) -> Self {
        self.body = body;
        self
    }
}

impl<'a> IntoFuture for Ask<'a> {
    type Output = Answer;
    type IntoFuture = std::pin::Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

    fn into_future(self) -> Self::IntoFuture {
        let request = self.request.body(self.body).expect("a request");
        let router = router(self.front.state());
        Box::pin(async move {
            let response = router.oneshot(request).await.expect("an answer");
            let (parts, body) = response.into_parts();
            let body = to_bytes(body, usize::MAX).await.expect("a body");
            Answer {
                status: parts.status,
                headers: parts.headers,
                body,
            }
        })
    }
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: StatusCode,
    headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Answer {
    #[track_caller]
    pub(crate) fn is(&self, status: StatusCode) -> &Self {
        assert_eq!(self.status, status, "{self:?}");
        self
    }

    /// Is a refusal with this code of the specification.
    #[track_caller]
    pub(crate) fn refuses(&self, status: StatusCode, code: &str) -> &Self {
        self.is(status);
        assert_eq!(self.json()["errors"][0]["code"], code, "{self:?}");
        self
    }

    #[track_caller]
    pub(crate) fn header(&self, name: &str) -> &str {
        self.try_header(name)
            .unwrap_or_else(|| panic!("no {name}: {self:?}"))
    }

    pub(crate) fn try_header(&self, name: &str) -> Option<&str> {
        self.headers
            .get(name)
            .map(|value| value.to_str().expect("text"))
    }

    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).expect("JSON")
    }
}

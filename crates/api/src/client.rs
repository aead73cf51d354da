//! The typed client.

use std::collections::BTreeMap;
use std::future::Future;
use std::io;
use std::path::{Path, PathBuf};

use bytes::{Buf, Bytes, BytesMut};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1::{self, SendRequest};
use hyper_util::rt::TokioIo;
use model::advisory::AdvisoryFacts;
use model::event::Event;
use model::exemption::GrantedExemption;
use model::failure::{Failure, FailureCode, Remedy};
use model::inventory::{Diff, Inventory};
use model::progress::{Progress, RunResult};
use model::snapshot::Snapshot;
use model::transparency::Consistency;
use model::{AppName, Digest};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::net::UnixStream;

use crate::gates::{Decided, ExemptRequest, Exempted, ImportRequest, PolicyNow};
use crate::paths;
use crate::supply::{
    AuditReport, Dossier, Export, IssuedToken, KnownKey, PushRequest, Pushed, RevokeRequest,
    TokenRequest, TokenSummary,
};
use crate::types::{
    AppStatus, AppSummary, Destroyed, Health, LogLine, LogQuery, Missing, Query, RollbackRequest,
    StopRequest, UpRequest,
};

/// How many bytes of small files travel in one request.
pub const BATCH_BYTES: usize = 8 * 1024 * 1024;

/// Why a call failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// No daemon listens on the socket.
    #[error("no mayfly daemon listens on `{socket}`")]
    NotRunning {
        /// The socket.
        socket: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// The caller may not use the socket.
    #[error("you may not use the daemon's socket `{socket}`")]
    Forbidden {
        /// The socket.
        socket: PathBuf,
        /// The system's answer.
        #[source]
        cause: io::Error,
    },
    /// The daemon went away during the call.
    #[error("the connection to the daemon broke")]
    Broke(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The daemon's answer could not be read.
    #[error("the daemon's answer could not be read")]
    Answer(#[source] serde_json::Error),
    /// The daemon said no.
    #[error(transparent)]
    Refused(#[from] Failure),
}

impl Remedy for ClientError {
    fn code(&self) -> FailureCode {
        match self {
            Self::NotRunning { .. } | Self::Broke(_) => FailureCode::Unavailable,
            Self::Forbidden { .. } => FailureCode::Forbidden,
            Self::Answer(_) => FailureCode::Internal,
            Self::Refused(failure) => failure.code,
        }
    }

    fn hint(&self) -> Option<String> {
        match self {
            Self::NotRunning { .. } => Some("run `sudo mayfly serve --install`".into()),
            Self::Forbidden { .. } => Some(format!(
                "run `sudo usermod -aG {} $USER`, then log in again",
                paths::GROUP
            )),
            Self::Broke(_) => Some("run `mayfly status` to see how it went on".into()),
            Self::Answer(_) => {
                Some("run `mayfly stop` and `mayfly serve`, so that both have one version".into())
            }
            Self::Refused(failure) => failure.hint.clone(),
        }
    }

    fn is_retryable(&self) -> bool {
        match self {
            Self::NotRunning { .. } | Self::Broke(_) => true,
            Self::Forbidden { .. } | Self::Answer(_) => false,
            Self::Refused(failure) => failure.retryable,
        }
    }
}

impl From<ClientError> for Failure {
    /// What the daemon said stays as it said it.
    fn from(error: ClientError) -> Self {
        match error {
            ClientError::Refused(failure) => failure,
            other => Self::of(&other),
        }
    }
}

/// A connection to the daemon. Calls go one after the other.
pub struct Client {
    sender: SendRequest<Full<Bytes>>,
}

impl Client {
    /// Connects to the daemon of `home`.
    pub async fn connect(home: &Path) -> Result<Self, ClientError> {
        let socket = paths::socket(home);
        let stream = UnixStream::connect(&socket)
            .await
            .map_err(|cause| match cause.kind() {
                io::ErrorKind::PermissionDenied => ClientError::Forbidden {
                    socket: socket.clone(),
                    cause,
                },
                _ => ClientError::NotRunning {
                    socket: socket.clone(),
                    cause,
                },
            })?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(broke)?;
        tokio::spawn(connection);
        Ok(Self { sender })
    }

    /// Who answers.
    pub async fn health(&mut self) -> Result<Health, ClientError> {
        self.get(paths::HEALTH).await
    }

    /// Announces a snapshot; answers which files the daemon lacks.
    pub async fn announce(&mut self, snapshot: &Snapshot) -> Result<Missing, ClientError> {
        self.call(Method::POST, paths::SNAPSHOTS, snapshot).await
    }

    /// Sends files. Each is checked against its digest on the other side.
    pub async fn send_blobs(&mut self, blobs: &[(Digest, Bytes)]) -> Result<(), ClientError> {
        let mut body = BytesMut::new();
        for (digest, content) in blobs {
            frame(&mut body, digest, content);
        }
        let response = self
            .request(Method::POST, paths::BLOBS, body.freeze())
            .await?;
        check(response).await.map(drop)
    }

    /// Starts a run and hands each of its lines to `on_progress`; returns the last.
    pub async fn up<F>(
        &mut self,
        request: &UpRequest,
        on_progress: F,
    ) -> Result<RunResult, ClientError>
    where
        F: FnMut(&Progress),
    {
        let response = self
            .request(Method::POST, paths::RUNS, json(request)?)
            .await?;
        result_of(check(response).await?, on_progress).await
    }

    /// Goes back to an earlier release; streams as a run does.
    pub async fn rollback<F>(
        &mut self,
        app: &AppName,
        request: &RollbackRequest,
        on_progress: F,
    ) -> Result<RunResult, ClientError>
    where
        F: FnMut(&Progress),
    {
        let path = format!("{}/{app}/rollback", paths::APPS);
        let response = self.request(Method::POST, &path, json(request)?).await?;
        result_of(check(response).await?, on_progress).await
    }

    /// Every app.
    pub async fn apps(&mut self) -> Result<Vec<AppSummary>, ClientError> {
        self.get(paths::APPS).await
    }

    /// One app.
    pub async fn app(&mut self, app: &AppName) -> Result<AppStatus, ClientError> {
        self.get(&format!("{}/{app}", paths::APPS)).await
    }

    /// Destroys an app; `restore` brings it back for a while.
    pub async fn destroy(&mut self, app: &AppName) -> Result<Destroyed, ClientError> {
        self.call(Method::DELETE, &format!("{}/{app}", paths::APPS), &())
            .await
    }

    /// Brings a destroyed app back; streams as a run does.
    pub async fn restore<F>(
        &mut self,
        app: &AppName,
        on_progress: F,
    ) -> Result<RunResult, ClientError>
    where
        F: FnMut(&Progress),
    {
        let path = format!("{}/{app}/restore", paths::APPS);
        let response = self.request(Method::POST, &path, Bytes::new()).await?;
        result_of(check(response).await?, on_progress).await
    }

    /// Hands each line of an app's log to `on_line`, until there are no more or it returns `false`.
    pub async fn logs<F>(
        &mut self,
        app: &AppName,
        query: &LogQuery,
        mut on_line: F,
    ) -> Result<(), ClientError>
    where
        F: FnMut(LogLine) -> bool,
    {
        let mut path = format!("{}/{app}/logs?follow={}", paths::APPS, query.follow);
        if let Some(release) = query.release {
            path.push_str(&format!("&release={release}"));
        }
        if let Some(lines) = query.lines {
            path.push_str(&format!("&lines={lines}"));
        }
        let response = self.request(Method::GET, &path, Bytes::new()).await?;
        each_line(check(response).await?, |line| {
            Ok(on_line(serde_json::from_slice(line)?))
        })
        .await
    }

    /// All that vouches for a release: `query` says which.
    pub async fn dossier(&mut self, app: &AppName, query: &Query) -> Result<Dossier, ClientError> {
        self.get(&with(&format!("{}/{app}/dossier", paths::APPS), query))
            .await
    }

    /// What is in a release's image, as mayfly sees it.
    pub async fn inventory(
        &mut self,
        app: &AppName,
        query: &Query,
    ) -> Result<Inventory, ClientError> {
        self.get(&with(&format!("{}/{app}/inventory", paths::APPS), query))
            .await
    }

    /// What is in a release's image, as others read it.
    pub async fn bill(&mut self, app: &AppName, query: &Query) -> Result<Bytes, ClientError> {
        self.bytes(&with(&format!("{}/{app}/sbom", paths::APPS), query))
            .await
    }

    /// What changed in an image since another release.
    pub async fn bill_diff(&mut self, app: &AppName, query: &Query) -> Result<Diff, ClientError> {
        self.get(&with(&format!("{}/{app}/sbom/diff", paths::APPS), query))
            .await
    }

    /// Copies an image to a registry elsewhere.
    pub async fn push(
        &mut self,
        app: &AppName,
        request: &PushRequest,
    ) -> Result<Pushed, ClientError> {
        let path = format!("{}/{app}/push", paths::APPS);
        self.call(Method::POST, &path, request).await
    }

    /// Everything that was ever let pass for an app, oldest first.
    pub async fn exemptions(
        &mut self,
        app: &AppName,
    ) -> Result<Vec<GrantedExemption>, ClientError> {
        self.get(&format!("{}/{app}/exemptions", paths::APPS)).await
    }

    /// Lets something pass for a while.
    pub async fn exempt(
        &mut self,
        app: &AppName,
        request: &ExemptRequest,
    ) -> Result<Exempted, ClientError> {
        let path = format!("{}/{app}/exemptions", paths::APPS);
        self.call(Method::POST, &path, request).await
    }

    /// Takes back what was let pass.
    pub async fn revoke_exemption(
        &mut self,
        app: &AppName,
        id: &str,
    ) -> Result<GrantedExemption, ClientError> {
        let path = format!("{}/{app}/exemptions/{}", paths::APPS, encoded(id));
        self.call(Method::DELETE, &path, &()).await
    }

    /// What holds of an app's exemptions, as an OpenVEX document.
    pub async fn vex(&mut self, app: &AppName) -> Result<Option<Value>, ClientError> {
        self.get(&format!("{}/{app}/vex", paths::APPS)).await
    }

    /// What is known about the vulnerability data; none without any.
    pub async fn advisories(&mut self) -> Result<Option<AdvisoryFacts>, ClientError> {
        self.get(paths::ADVISORIES).await
    }

    /// Takes newer vulnerability data in.
    pub async fn import_advisories(
        &mut self,
        request: &ImportRequest,
    ) -> Result<AdvisoryFacts, ClientError> {
        self.call(Method::POST, paths::ADVISORIES, request).await
    }

    /// The policy that decides now.
    pub async fn policy(&mut self) -> Result<PolicyNow, ClientError> {
        self.get(paths::POLICY).await
    }

    /// What policies decided; `query` says about which runs.
    pub async fn decisions(&mut self, query: &Query) -> Result<Vec<Decided>, ClientError> {
        self.get(&with(paths::DECISIONS, query)).await
    }

    /// The server's keys, oldest first.
    pub async fn keys(&mut self) -> Result<Vec<KnownKey>, ClientError> {
        self.get(paths::KEYS).await
    }

    /// Lets a new key take over; returns it.
    pub async fn rotate_key(&mut self) -> Result<KnownKey, ClientError> {
        self.call(Method::POST, paths::KEYS, &()).await
    }

    /// Revokes a key; returns the one that signs now.
    pub async fn revoke_key(&mut self, request: &RevokeRequest) -> Result<KnownKey, ClientError> {
        let path = format!("{}/revoke", paths::KEYS);
        self.call(Method::POST, &path, request).await
    }

    /// What others need to verify.
    pub async fn export_keys(&mut self, query: &Query) -> Result<Export, ClientError> {
        self.get(&with(&format!("{}/export", paths::KEYS), query))
            .await
    }

    /// Every token of the registry.
    pub async fn tokens(&mut self) -> Result<Vec<TokenSummary>, ClientError> {
        self.get(paths::TOKENS).await
    }

    /// Makes a token.
    pub async fn issue_token(
        &mut self,
        request: &TokenRequest,
    ) -> Result<IssuedToken, ClientError> {
        self.call(Method::POST, paths::TOKENS, request).await
    }

    /// Revokes a token.
    pub async fn revoke_token(&mut self, id: &str) -> Result<(), ClientError> {
        let path = format!("{}/{}", paths::TOKENS, encoded(id));
        self.call(Method::DELETE, &path, &()).await
    }

    /// Events, oldest first; `query` says which.
    pub async fn history(&mut self, query: &Query) -> Result<Vec<Event>, ClientError> {
        self.get(&with(paths::AUDIT, query)).await
    }

    /// Whom the hashes in events stand for, as far as that is not forgotten: user ids.
    pub async fn people(&mut self) -> Result<BTreeMap<String, u32>, ClientError> {
        self.get(&format!("{}/people", paths::AUDIT)).await
    }

    /// Lets nobody tell any more who stands behind a person's hashes.
    pub async fn forget_person(&mut self, uid: u32) -> Result<(), ClientError> {
        let path = format!("{}/people/{uid}", paths::AUDIT);
        self.call(Method::DELETE, &path, &()).await
    }

    /// Compares the whole log with the ledger.
    pub async fn audit(&mut self) -> Result<AuditReport, ClientError> {
        let path = format!("{}/verify", paths::AUDIT);
        self.call(Method::POST, &path, &()).await
    }

    /// The log's newest promise, signed.
    pub async fn checkpoint(&mut self) -> Result<String, ClientError> {
        let bytes = self.bytes(paths::CHECKPOINT).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// What verifies the log's promises.
    pub async fn log_key(&mut self) -> Result<String, ClientError> {
        let bytes = self.bytes(paths::LOG_KEY).await?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }

    /// That the log has only grown since it had `from` entries.
    pub async fn consistency(&mut self, from: u64) -> Result<Consistency, ClientError> {
        self.get(&format!("/v1/log/consistency/{from}")).await
    }

    /// A tile of the log, or a bundle of its entries, by its path below `tile/`.
    pub async fn tile(&mut self, path: &str) -> Result<Bytes, ClientError> {
        self.bytes(&format!("/v1/log/tile/{path}")).await
    }

    /// Ends the daemon; returns when it has said that it will.
    pub async fn stop(&mut self, request: StopRequest) -> Result<(), ClientError> {
        let response = self
            .request(Method::POST, paths::STOP, json(&request)?)
            .await?;
        check(response).await.map(drop)
    }

    async fn bytes(&mut self, path: &str) -> Result<Bytes, ClientError> {
        let response = self.request(Method::GET, path, Bytes::new()).await?;
        let body = check(response).await?.into_body();
        Ok(body.collect().await.map_err(broke)?.to_bytes())
    }

    async fn get<T: DeserializeOwned>(&mut self, path: &str) -> Result<T, ClientError> {
        let response = self.request(Method::GET, path, Bytes::new()).await?;
        read(check(response).await?).await
    }

    async fn call<T: DeserializeOwned>(
        &mut self,
        method: Method,
        path: &str,
        body: &impl Serialize,
    ) -> Result<T, ClientError> {
        let response = self.request(method, path, json(body)?).await?;
        read(check(response).await?).await
    }

    fn request(
        &mut self,
        method: Method,
        path: &str,
        body: Bytes,
    ) -> impl Future<Output = Result<Response<Incoming>, ClientError>> + use<'_> {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(http::header::HOST, "mayfly")
            .header(http::header::CONTENT_TYPE, "application/json")
            .body(Full::new(body));
        async move {
            self.sender.ready().await.map_err(broke)?;
            self.sender
                .send_request(request.map_err(broke)?)
                .await
                .map_err(broke)
        }
    }
}

/// A path with its query.
fn with(path: &str, query: &Query) -> String {
    let pairs = query
        .iter()
        .map(|(name, value)| format!("{name}={}", encoded(value)));
    match pairs.collect::<Vec<_>>().join("&") {
        none if none.is_empty() => path.to_owned(),
        query => format!("{path}?{query}"),
    }
}

fn encoded(text: &str) -> String {
    model::inventory::encode(text)
}

/// Appends one blob to a body of `POST /v1/blobs`: 32 bytes of hash in hex (64 letters), the length
/// as eight bytes, big-endian, then the content.
pub fn frame(body: &mut BytesMut, digest: &Digest, content: &[u8]) {
    body.extend_from_slice(digest.hex().as_bytes());
    body.extend_from_slice(&(content.len() as u64).to_be_bytes());
    body.extend_from_slice(content);
}

/// Takes the next blob off a body of frames. `Ok(None)` at its end; fails on a torn frame.
pub fn unframe(body: &mut Bytes) -> Result<Option<(Digest, Bytes)>, Failure> {
    let torn = || Failure::new(FailureCode::Usage, "the list of blobs is torn");
    if body.is_empty() {
        return Ok(None);
    }
    if body.len() < 72 {
        return Err(torn());
    }
    let hex = body.split_to(64);
    let hex = std::str::from_utf8(&hex).map_err(|_| torn())?;
    let digest = format!("sha256:{hex}").parse().map_err(|_| torn())?;
    let size = usize::try_from(body.get_u64()).map_err(|_| torn())?;
    if body.len() < size {
        return Err(torn());
    }
    Ok(Some((digest, body.split_to(size))))
}

fn broke(cause: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
    ClientError::Broke(cause.into())
}

fn json(value: &impl Serialize) -> Result<Bytes, ClientError> {
    serde_json::to_vec(value)
        .map(Bytes::from)
        .map_err(ClientError::Answer)
}

/// Passes a good answer on; turns any other into the failure that it carries.
async fn check(response: Response<Incoming>) -> Result<Response<Incoming>, ClientError> {
    if response.status().is_success() {
        return Ok(response);
    }
    let status = response.status();
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(broke)?
        .to_bytes();
    Err(serde_json::from_slice(&body)
        .unwrap_or_else(|_| unknown(status))
        .into())
}

fn unknown(status: StatusCode) -> Failure {
    Failure::new(
        FailureCode::Internal,
        format!("the daemon answered {status}"),
    )
}

async fn read<T: DeserializeOwned>(response: Response<Incoming>) -> Result<T, ClientError> {
    let body = response
        .into_body()
        .collect()
        .await
        .map_err(broke)?
        .to_bytes();
    serde_json::from_slice(&body).map_err(ClientError::Answer)
}

async fn result_of<F>(
    response: Response<Incoming>,
    mut on_progress: F,
) -> Result<RunResult, ClientError>
where
    F: FnMut(&Progress),
{
    let mut result = None;
    each_line(response, |line| {
        let progress = serde_json::from_slice(line)?;
        on_progress(&progress);
        match progress {
            Progress::Result(end) => result = Some(Ok(*end)),
            Progress::Error { error } => result = Some(Err(error)),
            _ => {}
        }
        Ok(true)
    })
    .await?;
    let result = result.ok_or_else(|| broke("the stream ended before the run did"))?;
    result.map_err(ClientError::from)
}

/// Calls `on_line` for each line of an NDJSON body until it returns `false`.
async fn each_line<F>(response: Response<Incoming>, mut on_line: F) -> Result<(), ClientError>
where
    F: FnMut(&[u8]) -> Result<bool, serde_json::Error>,
{
    let mut body = response.into_body();
    let mut buffer = BytesMut::new();
    while let Some(frame) = body.frame().await {
        if let Ok(data) = frame.map_err(broke)?.into_data() {
            buffer.extend_from_slice(&data);
        }
        while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
            let line = buffer.split_to(end + 1);
            if !on_line(&line).map_err(ClientError::Answer)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_read_back_as_written_and_torn_ones_are_refused() {
        let mut body = BytesMut::new();
        for content in ["", "one", "two"] {
            frame(
                &mut body,
                &Digest::of(content.as_bytes()),
                content.as_bytes(),
            );
        }
        let whole = body.freeze();
        let mut rest = whole.clone();
        let mut read = Vec::new();
        while let Some((_, content)) = unframe(&mut rest).expect("a whole frame") {
            read.push(content);
        }
        assert_eq!(read, ["", "one", "two"]);
        for cut in [1, 71, 73, whole.len() - 1] {
            let mut torn = whole.slice(..cut);
            let ends = std::iter::from_fn(|| unframe(&mut torn).transpose());
            assert!(ends.take(4).any(|frame| frame.is_err()), "cut at {cut}");
        }
    }
}

//! What a client sends, piece by piece.

use std::time::Duration;

use axum::body::{Body, BodyDataStream};
use axum::http::StatusCode;
use axum::http::header::{CONTENT_LENGTH, EXPECT};
use axum::http::request::Parts;
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt;

use super::answer::Refusal;

/// How long a client may send nothing.
const PATIENCE: Duration = Duration::from_secs(60);
/// How much of a refused body is read and thrown away, so that the client gets to the answer.
const DRAIN_BYTES: usize = 64 * 1024 * 1024;
/// How long that may take.
const DRAIN_WITHIN: Duration = Duration::from_secs(10);

/// A request's body.
pub(super) struct Incoming {
    stream: BodyDataStream,
    /// The client waits for a word before it sends.
    expects: bool,
    length: Option<u64>,
}

impl Incoming {
    pub(super) fn new(parts: &Parts, body: Body) -> Self {
        let length = parts.headers.get(CONTENT_LENGTH);
        Self {
            stream: body.into_data_stream(),
            expects: parts.headers.contains_key(EXPECT),
            length: length.and_then(|length| length.to_str().ok()?.parse().ok()),
        }
    }

    /// The body itself, for a task that outlives the request; an empty one stays.
    pub(super) fn take(&mut self) -> Self {
        let empty = Body::empty().into_data_stream();
        Self {
            stream: std::mem::replace(&mut self.stream, empty),
            expects: self.expects,
            length: self.length,
        }
    }

    /// How long the client says it is.
    pub(super) fn length(&self) -> Option<u64> {
        self.length
    }

    /// The next piece; `None` at the end. Fails when the client goes away or falls silent.
    pub(super) async fn next(&mut self) -> Result<Option<Bytes>, Refusal> {
        match tokio::time::timeout(PATIENCE, self.stream.next()).await {
            Ok(piece) => piece
                .transpose()
                .map_err(|_| Refusal::bad_upload("the body broke off")),
            Err(_) => {
                let text = "nothing came for a minute";
                Err(Refusal::new(StatusCode::REQUEST_TIMEOUT, "UNKNOWN", text))
            }
        }
    }

    /// The whole body; `None` when it is longer than `limit`.
    pub(super) async fn whole(&mut self, limit: usize) -> Result<Option<Bytes>, Refusal> {
        if self.length.is_some_and(|length| length > limit as u64) {
            return Ok(None);
        }
        let mut whole = BytesMut::new();
        while let Some(piece) = self.next().await? {
            if whole.len() + piece.len() > limit {
                return Ok(None);
            }
            whole.extend_from_slice(&piece);
        }
        Ok(Some(whole.freeze()))
    }

    /// Throws away what still comes, within limits.
    pub(super) async fn drain(&mut self) {
        if self.expects {
            return;
        }
        let thrown = async {
            let mut bytes = 0;
            while let Some(Ok(piece)) = self.stream.next().await {
                bytes += piece.len();
                if bytes > DRAIN_BYTES {
                    break;
                }
            }
        };
        // Whoever is slower loses the connection.
        let _ = tokio::time::timeout(DRAIN_WITHIN, thrown).await;
    }
}

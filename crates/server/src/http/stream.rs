//! NDJSON bodies: one object a line, as soon as there is one.

use std::convert::Infallible;

use axum::body::Body;
use axum::http::header::CONTENT_TYPE;
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use futures_util::stream;
use model::progress::{Progress, RunResult};
use model::{Failure, FailureCode};
use serde::Serialize;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::Refusal;

/// Streams what `receiver` gets until its senders are gone.
pub(crate) fn ndjson<T: Serialize + Send + 'static>(
    first: Option<T>,
    receiver: UnboundedReceiver<T>,
) -> Response {
    let lines = stream::unfold((first, receiver), |(first, mut receiver)| async move {
        let value = match first {
            Some(value) => value,
            None => receiver.recv().await?,
        };
        let mut line = serde_json::to_vec(&value).unwrap_or_default();
        line.push(b'\n');
        Some((Ok::<_, Infallible>(Bytes::from(line)), (None, receiver)))
    });
    (
        [(CONTENT_TYPE, "application/x-ndjson")],
        Body::from_stream(lines),
    )
        .into_response()
}

/// Runs `work` in a task of its own, so that it goes on when the caller goes away, and streams what
/// it tells. When it fails before it told anything, the answer is that failure.
pub(crate) async fn progress<F, W>(work: W) -> Result<Response, Refusal>
where
    F: Future<Output = Result<RunResult, Failure>> + Send + 'static,
    W: FnOnce(UnboundedSender<Progress>) -> F,
{
    let (sender, mut receiver) = unbounded_channel();
    let late = sender.clone();
    let working = work(sender);
    let (refuse, refused) = tokio::sync::oneshot::channel();
    tokio::spawn(async move {
        if let Err(failure) = working.await {
            // Whichever the caller still listens to.
            let _ = late.send(Progress::Error {
                error: failure.clone(),
            });
            let _ = refuse.send(failure);
        }
    });
    match receiver.recv().await {
        Some(Progress::Error { error }) => Err(error.into()),
        Some(first) => Ok(ndjson(Some(first), receiver)),
        None => Err(refused.await.unwrap_or_else(|_| lost()).into()),
    }
}

fn lost() -> Failure {
    Failure::new(FailureCode::Internal, "the run ended without a word")
        .hint("run `mayfly status` to see how it went")
}

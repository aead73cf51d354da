//! What this user has seen of servers' logs: a log that forgets or changes something is caught by
//! whoever remembers it.

use std::fs;
use std::path::PathBuf;

use api::{Client, paths};
use model::Digest;
use model::failure::{Failure, FailureCode};
use model::transparency::Checkpoint;
use server::judge::{self, Remembered};

/// Checks that the server's log continues the one that was seen before, and remembers it.
pub(crate) async fn check(client: &mut Client) -> Result<Checkpoint, Failure> {
    let place = place();
    // The promise comes first: the proof is then of this one or of a newer one.
    let newest = client.checkpoint().await?;
    let key = client.log_key().await?;
    let checkpoint = match place.as_ref().and_then(recall) {
        None => judge::first_sight(&key, &newest)?,
        Some(remembered) => {
            let proof = client.consistency(remembered.size()?).await;
            let proof = proof.map_err(Failure::from).map_err(shorter)?;
            remembered.check(&key, &proof)?
        }
    };
    if let Some(place) = place {
        let checkpoint = checkpoint.note.clone();
        remember(&place, &Remembered { key, checkpoint })?;
    }
    Ok(checkpoint)
}

/// Takes the log as it is now: what was seen before is forgotten.
pub(crate) fn forget() -> Result<(), Failure> {
    match place().map(fs::remove_file) {
        Some(Err(error)) if error.kind() != std::io::ErrorKind::NotFound => Err(unwritable(&error)),
        _ => Ok(()),
    }
}

/// A log that has fewer entries than were seen cannot prove anything.
fn shorter(failure: Failure) -> Failure {
    if failure.code != FailureCode::NotFound {
        return failure;
    }
    Failure::new(FailureCode::NotVerified, "this server's log is not what it was")
        .because(failure.message)
        .hint("find out who cut it off; if you have made the server anew yourself, run `mayfly audit trust`")
}

/// Where the memory of this server's log is: one file a home. Nowhere without a home of the user's.
fn place() -> Option<PathBuf> {
    let state = std::env::var_os("XDG_STATE_HOME").map(PathBuf::from);
    let home = || Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/state"));
    let name = Digest::of(paths::home().as_os_str().as_encoded_bytes()).hex();
    Some(state.or_else(home)?.join("mayfly/logs").join(name))
}

fn recall(place: &PathBuf) -> Option<Remembered> {
    serde_json::from_slice(&fs::read(place).ok()?).ok()
}

fn remember(place: &PathBuf, what: &Remembered) -> Result<(), Failure> {
    let text = serde_json::to_vec(what).unwrap_or_default();
    let folder = place.parent().unwrap_or(place);
    let written = fs::create_dir_all(folder)
        .and_then(|()| tempfile::NamedTempFile::new_in(folder))
        .and_then(|file| fs::write(file.path(), text).map(|()| file))
        .and_then(|file| file.persist(place).map_err(|error| error.error));
    written.map(drop).map_err(|error| unwritable(&error))
}

fn unwritable(error: &std::io::Error) -> Failure {
    Failure::new(
        FailureCode::Machine,
        "what was seen of the log cannot be remembered",
    )
    .because(error.to_string())
    .hint("set XDG_STATE_HOME to a folder that you may write to")
}

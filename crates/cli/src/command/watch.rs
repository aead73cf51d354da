//! Watching a run to its end.

use std::cell::RefCell;
use std::future::Future;
use std::pin::pin;
use std::time::Duration;

use api::ClientError;
use model::failure::Failure;
use model::progress::RunResult;

use crate::exit::Exit;
use crate::face::Face;

/// How often the spinner moves.
const TICK: Duration = Duration::from_millis(100);

/// Waits for `run` while the spinner turns.
pub(crate) async fn watch<T>(face: &RefCell<Face>, run: impl Future<Output = T>) -> T {
    let mut run = pin!(run);
    let mut ticks = tokio::time::interval(TICK);
    loop {
        tokio::select! {
            biased;
            end = &mut run => return end,
            _ = ticks.tick() => face.borrow_mut().tick(),
        }
    }
}

/// Shows how a run ended.
pub(crate) fn settle(
    face: &RefCell<Face>,
    end: Result<RunResult, ClientError>,
) -> Result<Exit, Failure> {
    let mut face = face.borrow_mut();
    face.rest();
    let result = end?;
    face.end(&result);
    Ok(Exit::of_run(result.outcome, result.error.as_ref()))
}

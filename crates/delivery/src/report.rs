//! What a run tells the one who waits, and what is kept of it.

use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use model::Stage;
use model::progress::{Progress, StageTiming, Stream, clean_line};
use ports::ProgressSink;
use tokio::sync::mpsc::UnboundedSender;

/// How much of a run's stream is kept with it.
const KEPT_BYTES: usize = 4 * 1024 * 1024;

/// Where a run's progress goes: to whoever listens, and into the run's log.
pub struct Report {
    listener: UnboundedSender<Progress>,
    kept: Mutex<Vec<u8>>,
    timings: Mutex<Vec<StageTiming>>,
}

impl Report {
    /// A report that `listener` hears; that it goes away does not matter.
    pub fn new(listener: UnboundedSender<Progress>) -> Self {
        Self {
            listener,
            kept: Mutex::default(),
            timings: Mutex::default(),
        }
    }

    /// Tells one thing.
    pub fn tell(&self, progress: Progress) {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_BYTES
            && let Ok(mut line) = serde_json::to_vec(&progress)
        {
            line.push(b'\n');
            kept.extend_from_slice(&line);
        }
        drop(kept);
        // Nobody may listen any more: the run goes on.
        let _ = self.listener.send(progress);
    }

    /// Tells something that the user should know.
    pub fn notice(&self, text: impl Into<String>) {
        self.tell(Progress::Notice { text: text.into() });
    }

    /// Begins a stage; it ends with [`StageReport::done`].
    pub fn stage(&self, stage: Stage) -> StageReport<'_> {
        self.tell(Progress::StageStarted { stage });
        StageReport {
            report: self,
            stage,
            begun: Instant::now(),
        }
    }

    /// The stages that ended so far.
    pub fn timings(&self) -> Vec<StageTiming> {
        self.timings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }

    /// Everything told so far, as NDJSON.
    pub fn kept(&self) -> Vec<u8> {
        self.kept
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .clone()
    }
}

/// One stage's part of a report.
pub struct StageReport<'a> {
    report: &'a Report,
    stage: Stage,
    begun: Instant,
}

impl StageReport<'_> {
    /// How long the stage has gone on, in milliseconds.
    pub fn millis(&self) -> u64 {
        u64::try_from(self.begun.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Ends the stage, well or not.
    pub fn done(&self, cached: bool) {
        let timing = StageTiming {
            stage: self.stage,
            seconds: self.begun.elapsed().as_secs_f64(),
            cached,
        };
        self.report
            .timings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(timing.clone());
        self.report.tell(Progress::StageDone { timing });
    }

    /// Counts the stage's time without saying that it went well.
    pub fn failed(&self) {
        let timing = StageTiming {
            stage: self.stage,
            seconds: self.begun.elapsed().as_secs_f64(),
            cached: false,
        };
        self.report
            .timings
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(timing);
    }

    /// Runs one step and tells of its beginning and its good end.
    pub async fn step<T, E>(
        &self,
        step: &str,
        work: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        self.step_started(step);
        let begun = Instant::now();
        let done = work.await?;
        self.step_done(step, begun.elapsed().as_secs_f64(), false);
        Ok(done)
    }
}

impl ProgressSink for StageReport<'_> {
    fn step_started(&self, step: &str) {
        self.report.tell(Progress::StepStarted {
            stage: self.stage,
            step: step.to_owned(),
        });
    }

    fn step_done(&self, step: &str, seconds: f64, cached: bool) {
        self.report.tell(Progress::StepDone {
            stage: self.stage,
            step: step.to_owned(),
            seconds,
            cached,
        });
    }

    fn line(&self, stream: Stream, line: &str) {
        self.report.tell(Progress::Log {
            stage: self.stage,
            stream,
            line: clean_line(line),
        });
    }

    fn notice(&self, text: &str) {
        self.report.notice(text);
    }
}

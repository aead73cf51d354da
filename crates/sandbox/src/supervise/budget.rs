//! The time and the disk that a job may use.

use std::time::{Duration, Instant};

use rustix::event::Timespec;

use super::job;
use crate::events::End;
use crate::plan::JobRole;

/// How often a job's folders are measured, at least.
const MEASURE: Duration = Duration::from_millis(500);
/// Measuring takes at most one part in so many of the time.
const MEASURE_SHARE: u32 = 20;

/// What a job is measured against.
pub(super) struct Budget {
    role: JobRole,
    deadline: Option<Instant>,
    before: u64,
    next: Instant,
}

impl Budget {
    /// Begins to count now.
    pub(super) fn new(role: JobRole) -> Self {
        let seconds = Duration::from_secs(role.limits.seconds.into());
        Self {
            deadline: Instant::now().checked_add(seconds),
            before: job::written_bytes(&role),
            next: Instant::now() + MEASURE,
            role,
        }
    }

    /// Until the next measurement or the deadline.
    pub(super) fn patience(&self) -> Timespec {
        let until = self.deadline.map_or(self.next, |end| end.min(self.next));
        let left = until.saturating_duration_since(Instant::now());
        Timespec {
            tv_sec: left.as_secs() as i64,
            tv_nsec: left.subsec_nanos().into(),
        }
    }

    /// Which limit the job has broken, if any. The disk is measured from time to time only.
    pub(super) fn broken(&mut self, now: Instant) -> Option<End> {
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            return Some(End::TimedOut);
        }
        if now < self.next {
            return None;
        }
        let over = self.is_over();
        let spent = now.elapsed() * MEASURE_SHARE;
        self.next = Instant::now() + spent.max(MEASURE);
        over.then_some(End::DiskLimit)
    }

    /// Whether it has written more than it may.
    pub(super) fn is_over(&self) -> bool {
        let written = job::written_bytes(&self.role).saturating_sub(self.before);
        written > self.role.limits.disk_bytes
    }
}

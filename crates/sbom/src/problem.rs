//! The problems of a catalogue in the making.

pub(crate) use model::inventory::{Problem, ProblemKind};

use crate::text::shown;

/// So many are kept; one more says that there were others.
const KEPT: usize = 1_000;
/// The longest detail, in bytes.
const DETAIL_BYTES: usize = 300;

/// The problems of a catalogue in the making.
#[derive(Debug, Default)]
pub(crate) struct Problems(Vec<Problem>);

impl Problems {
    /// Notes a problem; past a thousand only that there are more.
    pub(crate) fn add(&mut self, path: &str, kind: ProblemKind, detail: impl AsRef<str>) {
        let (path, detail) = match self.0.len() {
            0..KEPT => (shown(path), shown(detail.as_ref())),
            KEPT => (String::new(), "there are more problems than these".into()),
            _ => return,
        };
        self.0.push(Problem {
            path,
            kind,
            detail: crate::text::cut(&detail, DETAIL_BYTES).to_owned(),
        });
    }

    /// All of them, in order.
    pub(crate) fn into_sorted(mut self) -> Vec<Problem> {
        self.0.sort();
        self.0.dedup();
        self.0
    }
}

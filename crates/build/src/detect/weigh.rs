//! What speaks for each kind of app, and how strongly.

use model::plan::Clue;

use crate::detect::folder::Folder;

/// Something that speaks for a kind. The kind with the largest sum wins.
#[derive(Debug, Clone)]
pub(super) struct Signal {
    /// How strongly: 5 for a file that often lies about, 60 for code that starts a server.
    pub(super) weight: i32,
    /// What it is.
    pub(super) clue: Clue,
}

/// A signal of a whole file.
pub(super) fn signal(folder: &Folder, file: &str, weight: i32, says: &str) -> Signal {
    Signal {
        weight,
        clue: Clue {
            file: folder.name_of(file),
            line: None,
            says: says.to_owned(),
        },
    }
}

/// The sum of all weights.
pub(super) fn sum(signals: &[Signal]) -> i32 {
    signals.iter().map(|signal| signal.weight).sum()
}

/// The clues, strongest first.
pub(super) fn clues(mut signals: Vec<Signal>) -> Vec<Clue> {
    signals.sort_by_key(|signal| -signal.weight);
    signals.into_iter().map(|signal| signal.clue).collect()
}

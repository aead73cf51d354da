//! The append-only log of what happened. NDJSON streams, server-sent events and the transparency
//! log read it; nothing ever changes an entry.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::app::AppName;
use crate::digest::Digest;
use crate::release::ReleaseNumber;
use crate::run::{Outcome, RunId};
use crate::stage::Stage;

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts all entries, from 1, without gaps.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The app it is about.
    pub app: AppName,
    /// What happened.
    #[serde(flatten)]
    pub what: Happening,
}

/// What can happen. No secrets and no personal data: entries live longer than both may.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Happening {
    /// An app came into being.
    AppCreated,
    /// Its name was given to another folder or owner.
    AppTakenOver,
    /// A run began.
    RunStarted {
        /// The run.
        run: RunId,
        /// The folder's content.
        snapshot: Digest,
    },
    /// A stage recorded its evidence.
    StageRecorded {
        /// The run.
        run: RunId,
        /// The stage.
        stage: Stage,
        /// Its evidence.
        evidence: Digest,
        /// Which attempt it was.
        attempt: u32,
    },
    /// A run ended.
    RunSettled {
        /// The run.
        run: RunId,
        /// What became of it.
        outcome: Outcome,
    },
    /// A release was recorded; it has no traffic yet.
    ReleaseCreated {
        /// Its number.
        release: ReleaseNumber,
        /// Its image.
        image: Digest,
    },
    /// A release takes all traffic.
    Promoted {
        /// The release.
        release: ReleaseNumber,
        /// The one that served before.
        previous: Option<ReleaseNumber>,
    },
    /// A release ended without traffic.
    ReleaseFailed {
        /// The release.
        release: ReleaseNumber,
    },
    /// Traffic was taken back from a release.
    RolledBack {
        /// The release that lost it.
        release: ReleaseNumber,
    },
    /// A release gave way to a newer run before it had traffic.
    ReleaseSuperseded {
        /// The release.
        release: ReleaseNumber,
    },
    /// A new set of `.env` values; the values themselves are not told.
    EnvSet {
        /// Its version.
        version: u32,
    },
    /// The app was destroyed; it can be restored for a while.
    Destroyed,
    /// A destroyed app came back.
    Restored,
    /// A destroyed app is gone for good, with its data.
    Removed,
}

impl Event {
    /// The bytes that stand for the event in any log: JSON with sorted keys and no white space
    /// (RFC 8785; all values are strings and integers).
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let value = serde_json::to_value(self).unwrap_or_default();
        value.to_string().into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_bytes_have_sorted_keys_and_no_white_space() {
        let event = Event {
            seq: 7,
            at: Timestamp::UNIX_EPOCH,
            app: "shop".parse().expect("a good name"),
            what: Happening::Promoted {
                release: ReleaseNumber::new(2),
                previous: None,
            },
        };
        let text = String::from_utf8(event.canonical_bytes()).expect("UTF-8");
        assert_eq!(
            text,
            r#"{"app":"shop","at":"1970-01-01T00:00:00Z","event":"promoted","previous":null,"release":2,"seq":7}"#
        );
        let back: Event = serde_json::from_str(&text).expect("an event");
        assert_eq!(back, event);
    }
}

//! The append-only log of what happened. NDJSON streams, server-sent events and the transparency
//! log read it; nothing ever changes an entry.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::app::{AppName, Owner};
use crate::digest::Digest;
use crate::policy::Verdict;
use crate::release::ReleaseNumber;
use crate::run::{Outcome, RunId};
use crate::signing_key::KeyId;
use crate::stage::Stage;

/// One entry of the log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Counts all entries, from 1, without gaps.
    pub seq: u64,
    /// When it was recorded.
    pub at: Timestamp,
    /// The app it is about; none when it is about the server.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub app: Option<AppName>,
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
        /// Who asked for it: a hash with a salt that can be forgotten.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        by: Option<Digest>,
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
        /// The evidence of its verification, which names all that was signed about the image.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        verification: Option<Digest>,
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
    /// The server signs with a new key from now on.
    KeyBegun {
        /// The key.
        key: KeyId,
        /// The one that signed before.
        previous: Option<KeyId>,
    },
    /// What a key signed from a moment on does not count any more.
    KeyRevoked {
        /// The key.
        key: KeyId,
        /// From when on.
        from: Timestamp,
    },
    /// Something was let pass for a while.
    ExemptionGranted {
        /// Of all that was granted.
        exemption: Digest,
        /// A fingerprint, a rule, or a vulnerability.
        target: String,
        /// Where in the source.
        path: String,
        /// When it ends.
        until: Timestamp,
        /// Of the reason: its text may name people.
        reason: Digest,
        /// Who granted it: a hash with a salt that can be forgotten.
        by: Digest,
    },
    /// What was let pass no longer is.
    ExemptionRevoked {
        /// Which.
        exemption: Digest,
        /// Who took it back.
        by: Digest,
    },
    /// A policy decides from now on.
    PolicyLoaded {
        /// Of its files.
        policy: Digest,
        /// Where it comes from.
        from: String,
    },
    /// Newer vulnerability data is there.
    AdvisoriesImported {
        /// Of the data.
        data: Digest,
        /// Its newest record that is not dated in the future.
        modified: Option<Timestamp>,
    },
    /// A release that serves was matched against newer vulnerability data.
    Rescanned {
        /// The release.
        release: ReleaseNumber,
        /// What was found, and decided.
        evidence: Digest,
        /// What the policy says of it now.
        verdict: Verdict,
    },
}

impl Event {
    /// The bytes that stand for the event in any log: JSON with sorted keys and no white space
    /// (RFC 8785; all values are strings and integers).
    pub fn canonical_bytes(&self) -> Vec<u8> {
        let value = serde_json::to_value(self).unwrap_or_default();
        value.to_string().into_bytes()
    }
}

/// What stands for a person in an event, which is never erased.
///
/// The salt, random and kept beside the person in the ledger, is what erases them: without it the
/// hash can no longer be told from any other, not even by trying all users.
pub fn stand_in(salt: &Digest, person: Owner) -> Digest {
    Digest::of(format!("{salt} {}", person.uid).as_bytes())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn canonical_bytes_have_sorted_keys_and_no_white_space() {
        let event = Event {
            seq: 7,
            at: Timestamp::UNIX_EPOCH,
            app: Some("shop".parse().expect("a good name")),
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

    #[test]
    fn a_person_has_one_stand_in_for_each_salt() {
        let [ann, bob] = [1000, 1001].map(|uid| Owner { uid });
        let [one, other] = [b"1", b"2"].map(|salt| Digest::of(salt));
        assert_eq!(stand_in(&one, ann), stand_in(&one, ann));
        assert_ne!(stand_in(&other, ann), stand_in(&one, ann));
        assert_ne!(stand_in(&one, bob), stand_in(&one, ann));
    }
}

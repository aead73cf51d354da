//! Exceptions that somebody granted, as the ledger keeps them.

use serde::{Deserialize, Serialize};

use crate::Timestamp;
use crate::app::AppName;
use crate::digest::Digest;
use crate::policy::Exemption;

/// One exception of one app.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GrantedExemption {
    /// Of all that was granted.
    pub id: Digest,
    /// The app.
    pub app: AppName,
    /// What was granted.
    #[serde(flatten)]
    pub exemption: Exemption,
    /// For a vulnerability, why the app is not affected by it; it is affected otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub justification: Option<Justification>,
    /// When somebody took it back.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub revoked_at: Option<Timestamp>,
}

impl GrantedExemption {
    /// A new one.
    pub fn new(app: AppName, exemption: Exemption, justification: Option<Justification>) -> Self {
        let record = serde_json::to_vec(&(&app, &exemption, justification)).unwrap_or_default();
        Self {
            id: Digest::of(&record),
            app,
            exemption,
            justification,
            revoked_at: None,
        }
    }

    /// Whether it lets anything pass at `now`.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.revoked_at.is_none() && now < self.exemption.until
    }
}

/// Why an app is not affected by a vulnerability of one of its packages.
///
/// Source: OpenVEX specification v0.2.0, "Status Justifications".
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Justification {
    /// The package is not there.
    ComponentNotPresent,
    /// The package is there without the faulty code.
    VulnerableCodeNotPresent,
    /// The faulty code is never run.
    VulnerableCodeNotInExecutePath,
    /// The faulty code is never run with anything that a stranger sent.
    VulnerableCodeCannotBeControlledByAdversary,
    /// Something else keeps it from doing harm.
    InlineMitigationsAlreadyExist,
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::CreatorKind;

    #[test]
    fn an_exemption_holds_until_its_end_unless_somebody_took_it_back() {
        let at = |second| Timestamp::from_second(second).expect("a time");
        let exemption = Exemption {
            target: "f-1".into(),
            path: ".".into(),
            until: at(100),
            reason: "it is a demonstration".into(),
            granted_by: "uid:0".into(),
            granted_by_kind: CreatorKind::Person,
            granted_at: at(10),
        };
        let app: AppName = "shop".parse().expect("a name");
        let mut granted = GrantedExemption::new(app.clone(), exemption.clone(), None);
        assert!(granted.holds_at(at(99)));
        assert!(!granted.holds_at(at(100)));
        granted.revoked_at = Some(at(50));
        assert!(!granted.holds_at(at(60)));
        let excused = Some(Justification::ComponentNotPresent);
        assert_ne!(
            GrantedExemption::new(app, exemption, excused).id,
            granted.id
        );
    }
}

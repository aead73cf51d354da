//! What travels about gates: exemptions, vulnerability data, policies.

use std::collections::BTreeMap;
use std::path::PathBuf;

use model::advisory::DataChange;
use model::exemption::{GrantedExemption, Justification};
use model::policy::{Decision, PolicyLoad};
use model::{AppName, RunId, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::Value;

/// Asks to let something pass.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ExemptRequest {
    /// A fingerprint, a rule, or a vulnerability's name.
    pub target: String,
    /// Only at or below this path of the source; everywhere by default.
    pub path: Option<String>,
    /// When it ends.
    pub until: Timestamp,
    /// Why.
    pub reason: String,
    /// For a vulnerability, why the app is not affected by it.
    pub justification: Option<Justification>,
}

/// What was let pass.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Exempted {
    /// The exemption.
    #[serde(flatten)]
    pub granted: GrantedExemption,
    /// For a vulnerability that is known of the app: an OpenVEX document.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub vex: Option<Value>,
}

/// Asks to take in vulnerability data.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ImportRequest {
    /// Archives, one an ecosystem, as this machine names them.
    pub archives: Vec<PathBuf>,
    /// How much they may differ from what is there.
    #[serde(default)]
    pub change: DataChange,
}

/// One decision, with all that is needed to make it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Decided {
    /// The run.
    pub run: RunId,
    /// The app.
    pub app: AppName,
    /// When.
    pub at: Timestamp,
    /// The question.
    pub question: Value,
    /// The policy.
    pub policy: PolicyLoad,
    /// The policy's files, by name.
    pub files: BTreeMap<String, String>,
    /// The answer.
    pub decision: Decision,
}

/// The policy that decides now.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyNow {
    /// Where it comes from.
    #[serde(flatten)]
    pub load: PolicyLoad,
    /// Its files, by name.
    pub files: BTreeMap<String, String>,
}

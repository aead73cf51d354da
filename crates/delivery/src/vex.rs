//! What was let pass of known vulnerabilities, as others read it.

use model::exemption::{GrantedExemption, Justification};
use model::policy::VulnerabilityFacts;
use model::{AppName, Timestamp};
use serde_json::{Value, json};

/// Who says so.
const AUTHOR: &str = "mayfly";

/// The exemptions that are about vulnerabilities of `known`, as an OpenVEX document; none when none
/// is. An app that was not excused is affected, and the statement says until when that is accepted.
///
/// Source: OpenVEX specification v0.2.0.
pub(crate) fn document(
    app: &AppName,
    exemptions: &[GrantedExemption],
    known: &[VulnerabilityFacts],
    now: Timestamp,
) -> Option<Value> {
    let mut statements = Vec::new();
    for granted in exemptions {
        for one in known
            .iter()
            .filter(|one| is_named(one, &granted.exemption.target))
        {
            statements.push(statement(granted, one));
        }
    }
    let newest = exemptions.iter().map(|one| one.exemption.granted_at).max();
    (!statements.is_empty()).then(|| {
        json!({
            "@context": "https://openvex.dev/ns/v0.2.0",
            "@id": format!("urn:mayfly:vex:{app}:{}", now.as_second()),
            "author": AUTHOR,
            "timestamp": newest.unwrap_or(now),
            "version": 1,
            "statements": statements,
        })
    })
}

fn is_named(one: &VulnerabilityFacts, target: &str) -> bool {
    one.fingerprint == target || one.id == target || one.aliases.iter().any(|name| name == target)
}

fn statement(granted: &GrantedExemption, one: &VulnerabilityFacts) -> Value {
    let mut statement = json!({
        "vulnerability": { "name": one.id, "aliases": one.aliases },
        "products": [{ "@id": one.purl }],
        "timestamp": granted.exemption.granted_at,
    });
    let exemption = &granted.exemption;
    match granted.justification {
        Some(justification) => {
            statement["status"] = json!("not_affected");
            statement["justification"] = json!(word(justification));
            statement["impact_statement"] = json!(exemption.reason);
        }
        None => {
            let text = format!("accepted until {}: {}", exemption.until, exemption.reason);
            statement["status"] = json!("affected");
            statement["action_statement"] = json!(text);
        }
    }
    statement
}

fn word(justification: Justification) -> Value {
    serde_json::to_value(justification).unwrap_or_default()
}

//! Findings as SARIF 2.1.0 (OASIS), for code hosts and editors.

use std::collections::BTreeMap;

use model::finding::{Finding, Severity};
use serde_json::{Value, json};

/// The log of one run.
pub(super) fn log(findings: &[Finding]) -> Value {
    let rules: BTreeMap<&str, &Finding> = findings
        .iter()
        .map(|finding| (finding.rule_id.as_str(), finding))
        .collect();
    let rules = rules.values().map(|finding| rule(finding));
    json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "mayfly",
                "version": env!("CARGO_PKG_VERSION"),
                "rules": rules.collect::<Vec<_>>(),
            }},
            "results": findings.iter().map(result).collect::<Vec<_>>(),
        }],
    })
}

fn rule(finding: &Finding) -> Value {
    let tags = finding.cwe.map(|cwe| format!("external/cwe/cwe-{cwe:03}"));
    json!({
        "id": finding.rule_id,
        "shortDescription": { "text": finding.why },
        "properties": { "tags": tags.into_iter().collect::<Vec<_>>() },
    })
}

fn result(finding: &Finding) -> Value {
    let level = match (finding.blocks, finding.severity) {
        (true, _) => "error",
        (false, Severity::Info | Severity::Low) => "note",
        (false, _) => "warning",
    };
    let mut place = json!({ "artifactLocation": { "uri": finding.file } });
    if finding.line > 0 {
        place["region"] = json!({
            "startLine": finding.line, "startColumn": finding.column.max(1),
            "endLine": finding.end.line.max(finding.line),
        });
    }
    json!({
        "ruleId": finding.rule_id,
        "level": level,
        "message": { "text": format!("{} {}", finding.why, finding.next).trim_end() },
        "locations": [{ "physicalLocation": place }],
        "partialFingerprints": { "mayfly/v1": finding.fingerprint.to_string() },
    })
}

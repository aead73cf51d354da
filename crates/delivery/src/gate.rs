//! What a gate that says no tells.

use model::finding::{Finding, FixKind};
use model::policy::{Decision, Message};
use model::{AppName, Failure, FailureCode};

/// How many findings a failure tells in words; all of them are in it as objects.
const TOLD: usize = 5;

/// The failure of a run whose findings are refused.
pub(crate) fn blocked_by_findings(app: &AppName, findings: Vec<Finding>) -> Failure {
    let failure = Failure::new(
        FailureCode::Blocked,
        match findings.len() {
            1 => "one finding stops this release".to_owned(),
            many => format!("{many} findings stop this release"),
        },
    );
    let failure = findings
        .iter()
        .take(TOLD)
        .fold(failure, |failure, one| failure.because(told(one)));
    let failure = match findings.len().saturating_sub(TOLD) {
        0 => failure,
        more => failure.because(format!("and {more} more; `mayfly check` shows all")),
    };
    let hint = hint(app, findings.first().map(|one| one.fingerprint.0.as_str()));
    failure.hint(hint).with_findings(findings)
}

/// The failure of a run that the policy refuses. `known` are findings that its messages may be about.
pub(crate) fn blocked_by_policy(app: &AppName, decision: &Decision, known: &[Finding]) -> Failure {
    let failure = Failure::new(
        FailureCode::Blocked,
        match decision.deny.len() {
            1 => "the policy refuses this release".to_owned(),
            many => format!("the policy refuses this release for {many} reasons"),
        },
    );
    let failure = decision
        .deny
        .iter()
        .take(TOLD)
        .fold(failure, |failure, one| failure.because(said(one)));
    let failure = match decision.deny.len().saturating_sub(TOLD) {
        0 => failure,
        more => failure.because(format!("and {more} more")),
    };
    let first = decision.deny.iter().find_map(exemptible);
    let failure = failure.hint(match (first, decision.deny.first()) {
        (
            None,
            Some(Message {
                next: Some(next), ..
            }),
        ) => next.clone(),
        (first, _) => hint(app, first),
    });
    let is_about = |finding: &&Finding| {
        let fingerprint = Some(finding.fingerprint.0.as_str());
        let mut denied = decision.deny.iter();
        denied.any(|message| message.fingerprint.as_deref() == fingerprint)
    };
    failure.with_findings(known.iter().filter(is_about).cloned().collect())
}

fn exemptible(message: &Message) -> Option<&str> {
    message.fingerprint.as_deref()
}

fn hint(app: &AppName, fingerprint: Option<&str>) -> String {
    let target = fingerprint.unwrap_or("RULE");
    format!(
        "mend it and run `mayfly up` again; somebody else than you may let it pass for a while:\n\
         mayfly exempt {target} --app {app} --until DATE --reason WHY"
    )
}

fn told(finding: &Finding) -> String {
    let place = match (finding.file.as_str(), finding.line) {
        ("", _) => finding.purl.clone().unwrap_or_default(),
        (file, 0) => file.to_owned(),
        (file, line) => format!("{file}:{line}"),
    };
    let mend = finding.fix.as_ref().map(|fix| match fix.kind {
        FixKind::Advice => fix.to.clone(),
        FixKind::Replace => format!("write `{}`", fix.to),
        FixKind::Upgrade => format!("use {} or later", fix.to),
    });
    let mend = mend.unwrap_or_else(|| finding.next.clone());
    format!("{place}: {} ({})\n{mend}", finding.why, finding.rule_id)
}

fn said(message: &Message) -> String {
    match &message.next {
        Some(next) => format!("{} ({})\n{next}", message.msg, message.rule),
        None => format!("{} ({})", message.msg, message.rule),
    }
}

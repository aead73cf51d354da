//! Decides about packages before anything of them is installed or run.

use std::sync::{Mutex, PoisonError};

use async_trait::async_trait;
use model::advisory::{AdvisoryKind, Hit, Origin};
use model::exemption::GrantedExemption;
use model::finding::{
    Confidence, Finding, Fingerprint, Fix, FixKind, FixSafety, Gate, Place, Severity, stamp,
};
use model::inventory::Ecosystem;
use model::{AppName, Failure, FailureCode, vulnerable};
use ports::PackageGate;
use ports::package_gate::{Origin as From, Requested};

use crate::Delivery;
use crate::gate::blocked_by_findings;

/// Admits the packages of one run: none that does harm by intent, unless somebody let it pass. What
/// was asked for is remembered.
pub(crate) struct Admission<'a> {
    delivery: &'a Delivery,
    app: &'a AppName,
    exemptions: Vec<GrantedExemption>,
    seen: Mutex<Seen>,
}

/// What was asked for.
#[derive(Default)]
pub(crate) struct Seen {
    /// Package URLs that the app itself names.
    pub(crate) direct: Vec<String>,
    /// What somebody should look at.
    pub(crate) findings: Vec<Finding>,
}

impl Delivery {
    /// Admits packages for a run of an app.
    pub(crate) async fn admission<'a>(
        &'a self,
        app: &'a AppName,
    ) -> Result<Admission<'a>, Failure> {
        Ok(Admission {
            delivery: self,
            app,
            exemptions: self.exemptions_that_hold(app).await?,
            seen: Mutex::default(),
        })
    }
}

impl Admission<'_> {
    /// What was asked for so far.
    pub(crate) fn seen(&self) -> Seen {
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::take(&mut *seen)
    }

    fn remember(&self, packages: &[Requested]) {
        let direct = packages.iter().filter(|package| package.direct);
        let direct: Vec<&Requested> = direct.collect();
        let mut findings: Vec<Finding> = direct.iter().filter_map(|one| self.odd(one)).collect();
        stamp(&mut findings);
        let mut seen = self.seen.lock().unwrap_or_else(PoisonError::into_inner);
        seen.direct
            .extend(direct.iter().map(|package| package.purl.to_string()));
        seen.findings.append(&mut findings);
    }

    /// A name one slip away from a well-known one, or a package from no registry.
    fn odd(&self, package: &Requested) -> Option<Finding> {
        match &package.origin {
            From::Registry => {
                let known = self.nearest(package.ecosystem, &package.name)?;
                let why = format!(
                    "`{}` is one slip away from the well-known `{known}`; others register such names to be installed by mistake",
                    package.name
                );
                let mend = format!("use `{known}` if that is what you mean");
                Some(finding(
                    "near-popular-name",
                    Severity::Medium,
                    package,
                    why,
                    mend,
                ))
            }
            From::Url { .. } | From::Git { .. } => {
                let why = format!(
                    "`{}` comes from {}, where nobody but its author keeps what is published",
                    package.name, package.origin
                );
                let mend = "use a version from the registry".to_owned();
                Some(finding(
                    "package-outside-registry",
                    Severity::Low,
                    package,
                    why,
                    mend,
                ))
            }
            From::Folder { .. } => None,
        }
    }

    fn is_exempt(&self, hit: &Hit) -> bool {
        let mut targets = self.exemptions.iter().map(|one| &one.exemption.target);
        targets.any(|target| {
            *target == hit.id || *target == hit.fingerprint() || hit.aliases.contains(target)
        })
    }
}

#[async_trait]
impl PackageGate for Admission<'_> {
    async fn admit(&self, packages: &[Requested]) -> Result<(), Failure> {
        self.remember(packages);
        let purls: Vec<String> = packages.iter().map(|one| one.purl.to_string()).collect();
        // Data that cannot be read is told by the scan, which has failed then.
        let Ok(matches) = self.delivery.ports.scanner.find(&purls).await else {
            return Ok(());
        };
        let harmful = matches
            .hits
            .iter()
            .filter(|hit| hit.kind == AdvisoryKind::Malicious && !self.is_exempt(hit));
        let findings: Vec<Finding> = harmful
            .map(|hit| {
                let asked = packages.iter().find(|one| one.purl.to_string() == hit.purl);
                placed(vulnerable::finding(hit, Origin::App, &[]), asked)
            })
            .collect();
        match findings.is_empty() {
            true => Ok(()),
            false => Err(Failure {
                code: FailureCode::Dependency,
                ..blocked_by_findings(self.app, findings)
            }),
        }
    }

    fn nearest(&self, ecosystem: Ecosystem, name: &str) -> Option<String> {
        self.delivery.ports.scanner.nearest(ecosystem, name)
    }
}

/// The finding, where the app asks for the package.
fn placed(finding: Finding, asked: Option<&Requested>) -> Finding {
    let Some(asked) = asked.and_then(|package| package.asked.as_ref()) else {
        return finding;
    };
    Finding {
        gate: Gate::Dependencies,
        file: asked.file.clone(),
        line: asked.line,
        column: u32::from(asked.line > 0),
        end: Place {
            line: asked.line,
            column: u32::from(asked.line > 0),
        },
        ..finding
    }
}

fn finding(
    rule: &str,
    severity: Severity,
    package: &Requested,
    why: String,
    mend: String,
) -> Finding {
    let finding = Finding {
        fingerprint: Fingerprint(String::new()),
        gate: Gate::Dependencies,
        rule_id: rule.to_owned(),
        severity,
        confidence: Confidence::Medium,
        blocks: false,
        cwe: None,
        file: String::new(),
        line: 0,
        column: 0,
        end: Place::default(),
        snippet: package.name.clone(),
        trace: Vec::new(),
        why,
        fix: Some(Fix {
            kind: FixKind::Advice,
            safety: FixSafety::Review,
            from: String::new(),
            to: mend.clone(),
            patch: None,
            file_digest: None,
        }),
        purl: Some(package.purl.to_string()),
        path: Vec::new(),
        aliases: Vec::new(),
        introduced_by_this_change: None,
        retryable: false,
        next: mend,
    };
    placed(finding, Some(package))
}

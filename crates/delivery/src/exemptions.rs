//! What somebody let pass for a while.

use api::gates::{ExemptRequest, Exempted};
use model::app::{App, Owner};
use model::exemption::GrantedExemption;
use model::policy::{CreatorKind, Exemption};
use model::{AppName, Digest, Failure, FailureCode, Stage};
use ports::Change;

use crate::Delivery;
use crate::question::person;
use crate::stage::scan::ScanEvidence;
use crate::vex;

/// The longest time for which anything is let pass, in seconds: a year.
const LONGEST_SECONDS: i64 = 366 * 24 * 60 * 60;

impl Delivery {
    /// Everything that was ever let pass for an app, oldest first.
    pub async fn exemptions(&self, app: &AppName) -> Result<Vec<GrantedExemption>, Failure> {
        let all = self.ports.ledger.exemptions(app).await;
        all.map_err(|error| Failure::of(&error))
    }

    /// What is let pass for an app now.
    pub(crate) async fn exemptions_that_hold(
        &self,
        app: &AppName,
    ) -> Result<Vec<GrantedExemption>, Failure> {
        let now = self.ports.clock.now();
        let mut all = self.exemptions(app).await?;
        all.retain(|granted| granted.holds_at(now));
        Ok(all)
    }

    /// Lets something pass until a day. Neither the app's creator nor anybody but an approver may:
    /// root, or a member of the server's group of approvers.
    pub async fn exempt(
        &self,
        name: &AppName,
        request: ExemptRequest,
        owner: Owner,
    ) -> Result<Exempted, Failure> {
        let app = self.known_app(name).await?;
        self.require_approver(&app, owner)?;
        let now = self.ports.clock.now();
        check(&request, now)?;
        let exemption = Exemption {
            target: request.target,
            path: request.path.unwrap_or_else(|| ".".to_owned()),
            until: request.until,
            reason: request.reason,
            granted_by: person(owner),
            granted_by_kind: CreatorKind::Person,
            granted_at: now,
        };
        let granted = GrantedExemption::new(name.clone(), exemption, request.justification);
        self.record(vec![Change::ExemptionGranted {
            exemption: Box::new(granted.clone()),
            by: owner,
        }])
        .await?;
        let vex = self.vex_of(&app, std::slice::from_ref(&granted)).await;
        Ok(Exempted { granted, vex })
    }

    /// Takes back what was let pass.
    pub async fn revoke_exemption(
        &self,
        name: &AppName,
        id: &str,
        owner: Owner,
    ) -> Result<GrantedExemption, Failure> {
        let app = self.known_app(name).await?;
        self.require_approver(&app, owner)?;
        let all = self.exemptions(name).await?;
        let id = id.strip_prefix("sha256:").unwrap_or(id);
        let mut named = all.into_iter().filter(|one| one.id.hex().starts_with(id));
        let (Some(granted), None) = (named.next(), named.next()) else {
            let text = format!("`{name}` has no single exemption `{id}`");
            return Err(Failure::new(FailureCode::NotFound, text)
                .hint(format!("run `mayfly exempt list --app {name}` to see them")));
        };
        let id: Digest = granted.id;
        self.record(vec![Change::ExemptionRevoked { id, by: owner }])
            .await?;
        let revoked_at = Some(self.ports.clock.now());
        Ok(GrantedExemption {
            revoked_at: granted.revoked_at.or(revoked_at),
            ..granted
        })
    }

    /// What holds of an app's exemptions, as an OpenVEX document.
    pub async fn vex(&self, name: &AppName) -> Result<Option<serde_json::Value>, Failure> {
        let app = self.known_app(name).await?;
        let holding = self.exemptions_that_hold(name).await?;
        Ok(self.vex_of(&app, &holding).await)
    }

    /// The vulnerabilities that `exemptions` name are looked for in the newest run that has a scan:
    /// it may be one that was stopped for them.
    async fn vex_of(
        &self,
        app: &App,
        exemptions: &[GrantedExemption],
    ) -> Option<serde_json::Value> {
        let runs = self.ports.ledger.runs(&app.name, 20).await.ok()?;
        for run in runs {
            let scan: Option<ScanEvidence> = self.found_in(run.id, Stage::Scan).await;
            if let Some(scan) = scan {
                let now = self.ports.clock.now();
                return vex::document(&app.name, exemptions, &scan.vulnerabilities, now);
            }
        }
        None
    }

    fn require_approver(&self, app: &App, owner: Owner) -> Result<(), Failure> {
        if owner == app.owner {
            let text = format!(
                "`{}` is yours, and nobody lets their own app pass",
                app.name
            );
            return Err(Failure::new(FailureCode::Forbidden, text)
                .hint("ask somebody who may: root, or a member of the group `mayfly-approvers`"));
        }
        match (self.settings.may_approve)(owner) {
            true => Ok(()),
            false => Err(Failure::new(
                FailureCode::Forbidden,
                "only root and members of the group `mayfly-approvers` let anything pass",
            )
            .hint("run the command with `sudo`, or as a member of that group")),
        }
    }
}

fn check(request: &ExemptRequest, now: model::Timestamp) -> Result<(), Failure> {
    let usage = |text: &str, hint: &str| Err(Failure::new(FailureCode::Usage, text).hint(hint));
    if request.target.trim().is_empty() {
        return usage(
            "nothing is named that is to pass",
            "name a fingerprint or a rule",
        );
    }
    if request.reason.trim().is_empty() {
        return usage("an exemption needs a reason", "give one with `--reason`");
    }
    if request.until <= now {
        return usage(
            "the end lies in the past",
            "give a later day with `--until`",
        );
    }
    if request.until.as_second() - now.as_second() > LONGEST_SECONDS {
        return usage(
            "an exemption ends within a year",
            "give an earlier day with `--until`",
        );
    }
    Ok(())
}

//! What gates go by: exemptions, policies, what releases came to when they were scanned again.

use model::app::Owner;
use model::event::Happening;
use model::exemption::GrantedExemption;
use model::policy::{PolicyLoad, Verdict};
use model::{Digest, ReleaseKey};
use ports::ledger::LedgerError;

use super::super::failure::{broken, refused};
use super::super::row;
use super::{Writing, app_words};

impl Writing {
    pub(super) async fn exemption_granted(
        &mut self,
        granted: GrantedExemption,
        by: Owner,
    ) -> Result<(), LedgerError> {
        let insert = "INSERT INTO exemptions (id, app, record) VALUES ($1, $2, $3)
            ON CONFLICT (id) DO NOTHING";
        let inserted = sqlx::query(insert)
            .bind(granted.id.to_string())
            .bind(granted.app.as_str())
            .bind(row::json(&granted)?)
            .execute(self.connection())
            .await;
        let conflict = "it is granted already".to_owned();
        let inserted =
            inserted.map_err(|error| refused(error, &app_words(&granted.app), conflict))?;
        if inserted.rows_affected() == 0 {
            return Ok(());
        }
        let told = Happening::ExemptionGranted {
            exemption: granted.id,
            target: granted.exemption.target,
            path: granted.exemption.path,
            until: granted.exemption.until,
            reason: Digest::of(granted.exemption.reason.as_bytes()),
            by: self.stand_in(by).await?,
        };
        self.tell(granted.app, told).await
    }

    /// The first moment stays.
    pub(super) async fn exemption_revoked(
        &mut self,
        id: &Digest,
        by: Owner,
    ) -> Result<(), LedgerError> {
        let app: Option<(String, Option<i64>)> =
            sqlx::query_as("SELECT app, revoked_at FROM exemptions WHERE id = $1")
                .bind(id.to_string())
                .fetch_optional(self.connection())
                .await
                .map_err(broken)?;
        let missing = || LedgerError::Missing(format!("exemption `{id}`"));
        let (app, revoked_at) = app.ok_or_else(missing)?;
        if revoked_at.is_some() {
            return Ok(());
        }
        let at = row::nanos(self.at);
        sqlx::query("UPDATE exemptions SET revoked_at = $2 WHERE id = $1")
            .bind(id.to_string())
            .bind(at)
            .execute(self.connection())
            .await
            .map_err(broken)?;
        let by = self.stand_in(by).await?;
        let told = Happening::ExemptionRevoked { exemption: *id, by };
        self.tell(row::parsed(&app)?, told).await
    }

    pub(super) async fn policy_loaded(&mut self, load: PolicyLoad) -> Result<(), LedgerError> {
        let told = Happening::PolicyLoaded {
            policy: load.digest,
            from: load.origin.to_string(),
        };
        self.tell_of(None, told).await
    }

    pub(super) async fn rescanned(
        &mut self,
        release: ReleaseKey,
        evidence: Digest,
        verdict: Verdict,
    ) -> Result<(), LedgerError> {
        let upsert = "INSERT INTO rescans (app, number, evidence) VALUES ($1, $2, $3)
            ON CONFLICT (app, number) DO UPDATE SET evidence = excluded.evidence";
        let written = sqlx::query(upsert)
            .bind(release.app.as_str())
            .bind(i64::from(release.number.get()))
            .bind(evidence.to_string())
            .execute(self.connection())
            .await;
        let conflict = format!("`{release}` was scanned by somebody else");
        written.map_err(|error| refused(error, &format!("release `{release}`"), conflict))?;
        let told = Happening::Rescanned {
            release: release.number,
            evidence,
            verdict,
        };
        self.tell(release.app, told).await
    }
}

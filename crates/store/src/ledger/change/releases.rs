//! Releases, and the phases of their rollouts.

use model::event::Happening;
use model::release::{Release, ReleaseKey, ReleaseNumber};
use model::rollout::Phase;
use model::transparency::Inclusion;
use ports::ledger::LedgerError;

use super::super::failure::{broken, refused};
use super::super::row;
use super::{Writing, app_words};

impl Writing {
    pub(super) async fn release_created(&mut self, release: Release) -> Result<(), LedgerError> {
        let insert = "INSERT INTO releases (app, number, run, image, env_version, owner_uid,
            created_at, expires_at, phase, image_record, config, verification, seq)
            VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)";
        let seq = i64::try_from(self.next_seq).unwrap_or(i64::MAX);
        let inserted = sqlx::query(insert)
            .bind(release.key.app.as_str())
            .bind(i64::from(release.key.number.get()))
            .bind(release.run.to_string())
            .bind(release.image.digest.to_string())
            .bind(i64::from(release.env_version))
            .bind(i64::from(release.owner.uid))
            .bind(row::nanos(release.created_at))
            .bind(release.expires_at.map(row::nanos))
            .bind(row::json(&release.phase)?)
            .bind(row::json(&release.image)?)
            .bind(row::json(&release.config)?)
            .bind(release.verification.map(|digest| digest.to_string()))
            .bind(seq)
            .execute(self.connection())
            .await;
        let conflict = format!("there is a release `{}` already", release.key);
        inserted.map_err(|error| refused(error, &app_words(&release.key.app), conflict))?;
        let created = Happening::ReleaseCreated {
            release: release.key.number,
            image: release.image.digest,
            verification: release.verification,
        };
        self.tell(release.key.app, created).await
    }

    /// The first proof stays.
    pub(super) async fn proof_kept(
        &mut self,
        key: &ReleaseKey,
        proof: &Inclusion,
    ) -> Result<(), LedgerError> {
        let insert = "INSERT INTO release_proofs (app, number, inclusion) VALUES ($1, $2, $3)
            ON CONFLICT (app, number) DO NOTHING";
        let inserted = sqlx::query(insert)
            .bind(key.app.as_str())
            .bind(i64::from(key.number.get()))
            .bind(row::json(proof)?)
            .execute(self.connection())
            .await;
        let conflict = format!("`{key}` has its proof already");
        inserted.map_err(|error| refused(error, &format!("release `{key}`"), conflict))?;
        Ok(())
    }

    /// Moving to the phase that is recorded has no effect, so that a restart may begin here.
    pub(super) async fn phase_moved(
        &mut self,
        key: ReleaseKey,
        phase: Phase,
    ) -> Result<(), LedgerError> {
        let (before, stable) = self.phase_and_stable(&key).await?;
        let promotes = matches!(phase, Phase::Promoted { .. });
        let serves = stable == Some(key.number);
        if before == phase && (serves || !promotes) {
            return Ok(());
        }
        self.set_phase(&key, &phase).await?;
        if promotes != serves && (promotes || phase.is_settled()) {
            self.set_stable(&key, promotes.then_some(key.number))
                .await?;
        }
        match happening(&key, &phase, stable) {
            Some(what) => self.tell(key.app, what).await,
            None => Ok(()),
        }
    }

    async fn phase_and_stable(
        &mut self,
        key: &ReleaseKey,
    ) -> Result<(Phase, Option<ReleaseNumber>), LedgerError> {
        let select = "SELECT releases.phase, apps.stable FROM releases
            JOIN apps ON apps.name = releases.app
            WHERE releases.app = $1 AND releases.number = $2";
        let found: Option<(String, Option<i64>)> = sqlx::query_as(select)
            .bind(key.app.as_str())
            .bind(i64::from(key.number.get()))
            .fetch_optional(self.connection())
            .await
            .map_err(broken)?;
        let missing = || LedgerError::Missing(format!("release `{key}`"));
        let (phase, stable) = found.ok_or_else(missing)?;
        let stable = stable.map(row::release_number).transpose()?;
        Ok((row::from_json(&phase)?, stable))
    }

    async fn set_phase(&mut self, key: &ReleaseKey, phase: &Phase) -> Result<(), LedgerError> {
        sqlx::query("UPDATE releases SET phase = $3 WHERE app = $1 AND number = $2")
            .bind(key.app.as_str())
            .bind(i64::from(key.number.get()))
            .bind(row::json(phase)?)
            .execute(self.connection())
            .await
            .map_err(broken)?;
        Ok(())
    }

    async fn set_stable(
        &mut self,
        key: &ReleaseKey,
        stable: Option<ReleaseNumber>,
    ) -> Result<(), LedgerError> {
        sqlx::query("UPDATE apps SET stable = $2 WHERE name = $1")
            .bind(key.app.as_str())
            .bind(stable.map(|number| i64::from(number.get())))
            .execute(self.connection())
            .await
            .map_err(broken)?;
        Ok(())
    }
}

/// The event of a phase; none for the first.
fn happening(key: &ReleaseKey, phase: &Phase, stable: Option<ReleaseNumber>) -> Option<Happening> {
    let release = key.number;
    Some(match phase {
        Phase::Starting { .. } => return None,
        Phase::Promoted { .. } => Happening::Promoted {
            release,
            previous: stable.filter(|&previous| previous != release),
        },
        Phase::Failed { .. } => Happening::ReleaseFailed { release },
        Phase::RolledBack { .. } => Happening::RolledBack { release },
        Phase::Superseded => Happening::ReleaseSuperseded { release },
    })
}

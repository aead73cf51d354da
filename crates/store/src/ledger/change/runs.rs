//! Runs, and what their stages recorded.

use model::event::Happening;
use model::evidence::Evidence;
use model::run::{Run, Settled};
use model::{AppName, RunId};
use ports::ledger::LedgerError;

use super::super::failure::{broken, refused};
use super::super::row;
use super::{Writing, app_words};

impl Writing {
    pub(super) async fn run_started(&mut self, run: Run) -> Result<(), LedgerError> {
        let insert = "INSERT INTO runs (id, app, owner_uid, snapshot, started_at, settled)
            VALUES ($1, $2, $3, $4, $5, $6)";
        let settled = run.settled.as_ref().map(row::json).transpose()?;
        let inserted = sqlx::query(insert)
            .bind(run.id.to_string())
            .bind(run.app.as_str())
            .bind(i64::from(run.owner.uid))
            .bind(run.snapshot.to_string())
            .bind(row::nanos(run.started_at))
            .bind(settled)
            .execute(self.connection())
            .await;
        let conflict = format!("{} has started already", run_words(run.id));
        inserted.map_err(|error| refused(error, &app_words(&run.app), conflict))?;
        let started = Happening::RunStarted {
            run: run.id,
            snapshot: run.snapshot,
            by: Some(self.stand_in(run.owner).await?),
        };
        self.tell(run.app, started).await
    }

    /// The first record of an attempt stays; it is not told twice.
    pub(super) async fn stage_recorded(
        &mut self,
        app: AppName,
        evidence: &Evidence,
    ) -> Result<(), LedgerError> {
        self.require_run(&app, evidence.run).await?;
        let insert = "INSERT INTO evidence (run, stage, attempt, seq, record)
            VALUES ($1, $2, $3, $4, $5) ON CONFLICT (run, stage, attempt) DO NOTHING";
        let seq = i64::try_from(self.next_seq).unwrap_or(i64::MAX);
        let inserted = sqlx::query(insert)
            .bind(evidence.run.to_string())
            .bind(evidence.stage.as_str())
            .bind(i64::from(evidence.attempt))
            .bind(seq)
            .bind(row::json(evidence)?)
            .execute(self.connection())
            .await
            .map_err(broken)?;
        if inserted.rows_affected() == 0 {
            return Ok(());
        }
        let recorded = Happening::StageRecorded {
            run: evidence.run,
            stage: evidence.stage,
            evidence: evidence.blob,
            attempt: evidence.attempt,
        };
        self.tell(app, recorded).await
    }

    pub(super) async fn run_settled(
        &mut self,
        app: AppName,
        run: RunId,
        settled: &Settled,
    ) -> Result<(), LedgerError> {
        self.require_run(&app, run).await?;
        let update = "UPDATE runs SET settled = $2 WHERE id = $1 AND settled IS NULL";
        let updated = sqlx::query(update)
            .bind(run.to_string())
            .bind(row::json(settled)?)
            .execute(self.connection())
            .await
            .map_err(broken)?;
        if updated.rows_affected() == 0 {
            let conflict = format!("{} has ended already", run_words(run));
            return Err(LedgerError::Conflict(conflict));
        }
        let outcome = settled.outcome;
        self.tell(app, Happening::RunSettled { run, outcome }).await
    }

    /// Fails when the app has no such run.
    async fn require_run(&mut self, app: &AppName, run: RunId) -> Result<(), LedgerError> {
        let found: Option<i64> =
            sqlx::query_scalar("SELECT 1 FROM runs WHERE id = $1 AND app = $2")
                .bind(run.to_string())
                .bind(app.as_str())
                .fetch_optional(self.connection())
                .await
                .map_err(broken)?;
        let missing = || LedgerError::Missing(format!("{} of {}", run_words(run), app_words(app)));
        found.map(drop).ok_or_else(missing)
    }
}

fn run_words(run: RunId) -> String {
    format!("run `{run}`")
}

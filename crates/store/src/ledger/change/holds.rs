//! Which blobs are needed, by whom, and by which rule they were let go.

use std::collections::BTreeSet;

use model::{AppName, Digest};
use ports::ledger::LedgerError;
use sqlx::QueryBuilder;

use super::super::failure::{broken, refused};
use super::super::row;
use super::{Writing, app_words};

/// How many rows one statement writes; each takes up to four of a statement's parameters.
const ROWS_AT_ONCE: usize = 500;

impl Writing {
    /// A pin holds its blob by itself.
    pub(super) async fn pinned(
        &mut self,
        app: &AppName,
        name: &str,
        blob: Option<Digest>,
    ) -> Result<(), LedgerError> {
        let old: Option<String> =
            sqlx::query_scalar("SELECT blob FROM pins WHERE app = $1 AND name = $2")
                .bind(app.as_str())
                .bind(name)
                .fetch_optional(self.connection())
                .await
                .map_err(broken)?;
        let blob = blob.map(|digest| digest.to_string());
        if old == blob {
            return self.require_app(app).await;
        }
        match &blob {
            Some(blob) => self.set_pin(app, name, blob).await?,
            None => self.forget_pin(app, name).await?,
        }
        let rule = format!("the pin {name} was set anew or forgotten");
        let let_go: Vec<String> = old.into_iter().collect();
        self.note_releases(&pin_holder(app), &let_go, &rule).await
    }

    async fn set_pin(&mut self, app: &AppName, name: &str, blob: &str) -> Result<(), LedgerError> {
        let upsert = "INSERT INTO pins (app, name, blob) VALUES ($1, $2, $3)
            ON CONFLICT (app, name) DO UPDATE SET blob = excluded.blob";
        let written = sqlx::query(upsert)
            .bind(app.as_str())
            .bind(name)
            .bind(blob)
            .execute(self.connection())
            .await;
        let conflict = format!("the pin {name} of `{app}` is taken");
        written.map_err(|error| refused(error, &app_words(app), conflict))?;
        Ok(())
    }

    async fn forget_pin(&mut self, app: &AppName, name: &str) -> Result<(), LedgerError> {
        sqlx::query("DELETE FROM pins WHERE app = $1 AND name = $2")
            .bind(app.as_str())
            .bind(name)
            .execute(self.connection())
            .await
            .map_err(broken)?;
        Ok(())
    }

    pub(super) async fn blobs_held(
        &mut self,
        holder: &str,
        digests: &[Digest],
        rule: &str,
    ) -> Result<(), LedgerError> {
        let held: Vec<String> =
            sqlx::query_scalar("SELECT digest FROM blob_holds WHERE holder = $1")
                .bind(holder)
                .fetch_all(self.connection())
                .await
                .map_err(broken)?;
        let held: BTreeSet<String> = held.into_iter().collect();
        let wanted: BTreeSet<String> = digests.iter().map(Digest::to_string).collect();
        let new: Vec<String> = wanted.difference(&held).cloned().collect();
        let let_go: Vec<String> = held.difference(&wanted).cloned().collect();
        self.hold(holder, &new).await?;
        self.note_releases(holder, &let_go, rule).await?;
        self.unhold(holder, &let_go).await
    }

    async fn hold(&mut self, holder: &str, digests: &[String]) -> Result<(), LedgerError> {
        for some in digests.chunks(ROWS_AT_ONCE) {
            let mut insert = QueryBuilder::new("INSERT INTO blob_holds (holder, digest) ");
            insert.push_values(some, |mut row, digest| {
                row.push_bind(holder).push_bind(digest);
            });
            let inserted = insert.build().execute(self.connection()).await;
            inserted.map_err(broken)?;
        }
        Ok(())
    }

    async fn unhold(&mut self, holder: &str, digests: &[String]) -> Result<(), LedgerError> {
        for some in digests.chunks(ROWS_AT_ONCE) {
            let mut delete = QueryBuilder::new("DELETE FROM blob_holds WHERE holder = ");
            delete.push_bind(holder).push(" AND digest IN ");
            delete.push_tuples(some, |mut row, digest| {
                row.push_bind(digest);
            });
            let deleted = delete.build().execute(self.connection()).await;
            deleted.map_err(broken)?;
        }
        Ok(())
    }

    async fn note_releases(
        &mut self,
        holder: &str,
        digests: &[String],
        rule: &str,
    ) -> Result<(), LedgerError> {
        let at = row::nanos(self.at);
        for some in digests.chunks(ROWS_AT_ONCE) {
            let mut insert =
                QueryBuilder::new("INSERT INTO blob_releases (digest, holder, rule, released_at) ");
            insert.push_values(some, |mut row, digest| {
                row.push_bind(digest).push_bind(holder);
                row.push_bind(rule).push_bind(at);
            });
            let inserted = insert.build().execute(self.connection()).await;
            inserted.map_err(broken)?;
        }
        Ok(())
    }

    /// Lets go of what an app, its releases, its runs and its pins hold.
    pub(super) async fn let_go_of_all(
        &mut self,
        app: &AppName,
        rule: &str,
    ) -> Result<(), LedgerError> {
        let releases = format!("release:{app}.r");
        let holders: Vec<String> = sqlx::query_scalar(
            "SELECT DISTINCT holder FROM blob_holds WHERE holder IN ($1, $2)
                OR substr(holder, 1, length($3)) = $3
                OR holder IN (SELECT 'run:' || id FROM runs WHERE app = $4)",
        )
        .bind(pin_holder(app))
        .bind(format!("app:{app}"))
        .bind(releases)
        .bind(app.as_str())
        .fetch_all(self.connection())
        .await
        .map_err(broken)?;
        for holder in holders {
            self.blobs_held(&holder, &[], rule).await?;
        }
        self.let_go_of_pins(app, rule).await
    }

    async fn let_go_of_pins(&mut self, app: &AppName, rule: &str) -> Result<(), LedgerError> {
        let pinned: Vec<String> = sqlx::query_scalar("SELECT blob FROM pins WHERE app = $1")
            .bind(app.as_str())
            .fetch_all(self.connection())
            .await
            .map_err(broken)?;
        self.note_releases(&pin_holder(app), &pinned, rule).await
    }
}

fn pin_holder(app: &AppName) -> String {
    format!("pin:{app}")
}

//! What stands for people in events, which are never erased.

use model::Digest;
use model::app::Owner;
use model::event::stand_in;
use ports::ledger::LedgerError;
use rand::RngCore;
use rand::rngs::OsRng;

use super::super::failure::{broken, broken_by};
use super::super::row;
use super::Writing;

impl Writing {
    /// What stands for `owner`; the salt is made with the first event that needs it.
    pub(super) async fn stand_in(&mut self, owner: Owner) -> Result<Digest, LedgerError> {
        let known: Option<String> = sqlx::query_scalar("SELECT salt FROM stand_ins WHERE uid = $1")
            .bind(i64::from(owner.uid))
            .fetch_optional(self.connection())
            .await
            .map_err(broken)?;
        let salt = match known {
            Some(salt) => row::parsed(&salt)?,
            None => self.new_salt(owner).await?,
        };
        Ok(stand_in(&salt, owner))
    }

    async fn new_salt(&mut self, owner: Owner) -> Result<Digest, LedgerError> {
        let mut random = [0; 32];
        OsRng.try_fill_bytes(&mut random).map_err(broken_by)?;
        let salt = Digest::from_bytes(random);
        sqlx::query("INSERT INTO stand_ins (uid, salt) VALUES ($1, $2)")
            .bind(i64::from(owner.uid))
            .bind(salt.to_string())
            .execute(self.connection())
            .await
            .map_err(broken)?;
        Ok(salt)
    }

    pub(super) async fn person_forgotten(&mut self, owner: Owner) -> Result<(), LedgerError> {
        sqlx::query("DELETE FROM stand_ins WHERE uid = $1")
            .bind(i64::from(owner.uid))
            .execute(self.connection())
            .await
            .map_err(broken)?;
        Ok(())
    }
}

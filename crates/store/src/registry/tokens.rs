//! Tokens for the registry's clients. A secret is told once, when it is made; the record has its
//! hash. The secret is 256 random bits, so a plain hash is enough.

use async_trait::async_trait;
use model::{Digest, Timestamp};
use ports::access::{Grant, Scope, Tokens};
use ports::ledger::LedgerError;
use rand::RngCore;
use rand::rngs::OsRng;
use sqlx::Row;
use sqlx::sqlite::SqliteRow;

use crate::SqliteLedger;
use crate::ledger::failure::{broken, broken_by};
use crate::ledger::row;

/// What every secret begins with, so that a scanner of leaked secrets can tell it.
const PREFIX: &str = "mayfly_";

/// A token that is wanted.
#[derive(Debug, Clone)]
pub struct NewToken {
    /// For people: who it is for.
    pub label: String,
    /// What it gives.
    pub scopes: Vec<Scope>,
    /// Until when.
    pub expires_at: Timestamp,
}

/// A token that was made.
#[derive(Clone)]
pub struct IssuedToken {
    /// Its name in the record.
    pub id: String,
    /// What its bearer shows. It is told this once.
    pub secret: String,
}

/// A token in the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TokenRecord {
    /// Its name.
    pub id: String,
    /// For people.
    pub label: String,
    /// What it gives.
    pub scopes: Vec<Scope>,
    /// Since when.
    pub created_at: Timestamp,
    /// Until when.
    pub expires_at: Timestamp,
    /// When it was revoked.
    pub revoked_at: Option<Timestamp>,
}

/// Tokens in the ledger.
#[derive(Debug, Clone)]
pub struct TokenStore {
    ledger: SqliteLedger,
}

impl TokenStore {
    /// The tokens of a ledger.
    pub fn new(ledger: &SqliteLedger) -> Self {
        Self {
            ledger: ledger.clone(),
        }
    }

    /// Makes a token.
    pub async fn issue(&self, new: NewToken, now: Timestamp) -> Result<IssuedToken, LedgerError> {
        let mut random = [0; 32];
        OsRng.try_fill_bytes(&mut random).map_err(broken_by)?;
        let secret = format!("{PREFIX}{}", Digest::from_bytes(random).hex());
        let issued = IssuedToken {
            id: uuid::Uuid::now_v7().to_string(),
            secret,
        };
        let insert = "INSERT INTO access_tokens
            (id, label, secret_hash, scopes, created_at, expires_at) VALUES ($1, $2, $3, $4, $5, $6)";
        let mut writing = self.ledger.write().await?;
        sqlx::query(insert)
            .bind(&issued.id)
            .bind(&new.label)
            .bind(hash(&issued.secret))
            .bind(row::json(&new.scopes)?)
            .bind(row::nanos(now))
            .bind(row::nanos(new.expires_at))
            .execute(&mut *writing)
            .await
            .map_err(broken)?;
        writing.commit().await.map_err(broken)?;
        Ok(issued)
    }

    /// Every token, oldest first.
    pub async fn list(&self) -> Result<Vec<TokenRecord>, LedgerError> {
        let rows = sqlx::query("SELECT * FROM access_tokens ORDER BY id")
            .fetch_all(self.ledger.readers())
            .await;
        rows.map_err(broken)?.iter().map(read).collect()
    }

    /// Revokes a token: from now on it gives nothing. `false` when there is none.
    pub async fn revoke(&self, id: &str, now: Timestamp) -> Result<bool, LedgerError> {
        let update = "UPDATE access_tokens SET revoked_at = COALESCE(revoked_at, $2) WHERE id = $1";
        let mut writing = self.ledger.write().await?;
        let updated = sqlx::query(update)
            .bind(id)
            .bind(row::nanos(now))
            .execute(&mut *writing)
            .await
            .map_err(broken)?;
        writing.commit().await.map_err(broken)?;
        Ok(updated.rows_affected() > 0)
    }
}

#[async_trait]
impl Tokens for TokenStore {
    async fn verify(&self, secret: &str, now: Timestamp) -> Result<Option<Grant>, LedgerError> {
        // Looked up by its hash: how long that takes tells nothing about the secret.
        let find = sqlx::query("SELECT * FROM access_tokens WHERE secret_hash = $1")
            .bind(hash(secret))
            .fetch_optional(self.ledger.readers());
        grant(find.await, now)
    }

    async fn still_gives(&self, token: &str, now: Timestamp) -> Result<Option<Grant>, LedgerError> {
        let find = sqlx::query("SELECT * FROM access_tokens WHERE id = $1")
            .bind(token)
            .fetch_optional(self.ledger.readers());
        grant(find.await, now)
    }
}

fn grant(
    found: Result<Option<SqliteRow>, sqlx::Error>,
    now: Timestamp,
) -> Result<Option<Grant>, LedgerError> {
    let token = found.map_err(broken)?.as_ref().map(read).transpose()?;
    let holds = |token: &TokenRecord| token.revoked_at.is_none() && now < token.expires_at;
    Ok(token.filter(holds).map(|token| Grant {
        token: token.id,
        scopes: token.scopes,
    }))
}

fn hash(secret: &str) -> String {
    Digest::of(secret.as_bytes()).hex()
}

fn read(row: &SqliteRow) -> Result<TokenRecord, LedgerError> {
    let revoked: Option<i64> = row.try_get("revoked_at").map_err(broken)?;
    Ok(TokenRecord {
        id: row::text(row, "id")?,
        label: row::text(row, "label")?,
        scopes: row::from_json(&row::text(row, "scopes")?)?,
        created_at: row::moment(row::number(row, "created_at")?)?,
        expires_at: row::moment(row::number(row, "expires_at")?)?,
        revoked_at: revoked.map(row::moment).transpose()?,
    })
}

//! What the registry's tables hold. A link and what it says about its blob are one row, in the
//! ledger's own database: no crash parts what a repository shows from what the garbage rules see.

use std::collections::BTreeMap;

use model::{Digest, Timestamp};
use ports::LedgerError;
use serde_json::{Value, json};
use sqlx::sqlite::SqliteRow;
use sqlx::{Row, SqliteConnection, SqlitePool};

use super::manifest::Outline;
use super::name::{ContentDigest, RepositoryName, Tag};
use crate::ledger::failure::{broken, broken_by};
use crate::ledger::row;

/// Content that a repository links.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// What clients call it.
    pub digest: ContentDigest,
    /// What the blob store calls it.
    pub blob: Digest,
    /// Its size.
    pub size_bytes: u64,
}

/// A manifest of a repository, without its bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManifestLink {
    /// Where its bytes are.
    pub link: Link,
    /// How it is served.
    pub media_type: String,
}

/// A manifest that refers to another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Referrer {
    /// The manifest.
    pub manifest: ManifestLink,
    /// What kind of thing it is.
    pub artifact_type: Option<String>,
    /// Its annotations.
    pub annotations: BTreeMap<String, String>,
}

impl Referrer {
    /// Its entry in a list of referrers.
    pub fn descriptor(&self) -> Value {
        let mut descriptor = json!({
            "mediaType": self.manifest.media_type,
            "digest": self.manifest.link.digest.to_string(),
            "size": self.manifest.link.size_bytes,
        });
        if let Some(kind) = &self.artifact_type {
            descriptor["artifactType"] = json!(kind);
        }
        if !self.annotations.is_empty() {
            descriptor["annotations"] = json!(self.annotations);
        }
        descriptor
    }
}

/// Which part of a list is wanted.
#[derive(Debug, Clone, Copy)]
pub struct Page<'a> {
    /// What comes after this.
    pub after: &'a str,
    /// At most so many.
    pub limit: u32,
}

/// Links a blob. Twice has the effect of once.
pub(super) async fn link_blob(
    connection: &mut SqliteConnection,
    repository: &RepositoryName,
    link: &Link,
) -> Result<(), LedgerError> {
    let insert = "INSERT INTO registry_blobs (repository, digest, blob, size_bytes)
        VALUES ($1, $2, $3, $4) ON CONFLICT (repository, digest) DO NOTHING";
    sqlx::query(insert)
        .bind(repository.as_str())
        .bind(link.digest.to_string())
        .bind(link.blob.to_string())
        .bind(size(link.size_bytes)?)
        .execute(connection)
        .await
        .map_err(broken)?;
    Ok(())
}

/// A blob that a repository links.
pub(super) async fn blob(
    pool: &SqlitePool,
    repository: &RepositoryName,
    digest: &ContentDigest,
) -> Result<Option<Link>, LedgerError> {
    let find = "SELECT digest, blob, size_bytes FROM registry_blobs
        WHERE repository = $1 AND digest = $2";
    let found = sqlx::query(find)
        .bind(repository.as_str())
        .bind(digest.to_string())
        .fetch_optional(pool)
        .await;
    found.map_err(broken)?.as_ref().map(read_link).transpose()
}

/// The repositories that link a blob.
pub(super) async fn repositories_of(
    pool: &SqlitePool,
    digest: &ContentDigest,
) -> Result<Vec<RepositoryName>, LedgerError> {
    let find = "SELECT repository FROM registry_blobs WHERE digest = $1 ORDER BY repository";
    let found: Result<Vec<String>, _> = sqlx::query_scalar(find)
        .bind(digest.to_string())
        .fetch_all(pool)
        .await;
    let found = found.map_err(broken)?;
    found.iter().map(|name| row::parsed(name)).collect()
}

/// Repositories whose names begin with `prefix`, by name.
pub(super) async fn repositories(
    pool: &SqlitePool,
    prefix: &str,
) -> Result<Vec<RepositoryName>, LedgerError> {
    // A name begins with the prefix when it lies between it and the prefix with the last letter.
    let find = "SELECT DISTINCT repository FROM registry_manifests
        WHERE repository >= $1 AND repository < $2 ORDER BY repository";
    let found: Result<Vec<String>, _> = sqlx::query_scalar(find)
        .bind(prefix)
        .bind(format!("{prefix}\u{7f}"))
        .fetch_all(pool)
        .await;
    let found = found.map_err(broken)?;
    found.iter().map(|name| row::parsed(name)).collect()
}

/// Links in one repository what another one links, if it does.
pub(super) async fn mount(
    connection: &mut SqliteConnection,
    from: &RepositoryName,
    to: &RepositoryName,
    digest: &ContentDigest,
) -> Result<(), LedgerError> {
    // One statement: what is unlinked at this moment is not linked anew.
    let copy = "INSERT INTO registry_blobs (repository, digest, blob, size_bytes)
        SELECT $1, digest, blob, size_bytes FROM registry_blobs
            WHERE repository = $2 AND digest = $3
        ON CONFLICT (repository, digest) DO NOTHING";
    sqlx::query(copy)
        .bind(to.as_str())
        .bind(from.as_str())
        .bind(digest.to_string())
        .execute(connection)
        .await
        .map_err(broken)?;
    Ok(())
}

/// Unlinks a blob; `false` when the repository does not link it.
pub(super) async fn unlink_blob(
    connection: &mut SqliteConnection,
    repository: &RepositoryName,
    digest: &ContentDigest,
    at: Timestamp,
) -> Result<bool, LedgerError> {
    let delete = "DELETE FROM registry_blobs WHERE repository = $1 AND digest = $2 RETURNING blob";
    remove(connection, delete, repository, digest, at).await
}

/// Removes a manifest with its tags; `false` when the repository has none.
pub(super) async fn remove_manifest(
    connection: &mut SqliteConnection,
    repository: &RepositoryName,
    digest: &ContentDigest,
    at: Timestamp,
) -> Result<bool, LedgerError> {
    let delete =
        "DELETE FROM registry_manifests WHERE repository = $1 AND digest = $2 RETURNING blob";
    remove(connection, delete, repository, digest, at).await
}

async fn remove(
    connection: &mut SqliteConnection,
    delete: &'static str,
    repository: &RepositoryName,
    digest: &ContentDigest,
    at: Timestamp,
) -> Result<bool, LedgerError> {
    let blob: Option<String> = sqlx::query_scalar(delete)
        .bind(repository.as_str())
        .bind(digest.to_string())
        .fetch_optional(&mut *connection)
        .await
        .map_err(broken)?;
    let Some(blob) = blob else {
        return Ok(false);
    };
    let note = "INSERT INTO blob_releases (digest, holder, rule, released_at)
        VALUES ($1, $2, $3, $4)";
    sqlx::query(note)
        .bind(blob)
        .bind(format!("registry:{repository}"))
        .bind("it was deleted from the repository")
        .bind(row::nanos(at))
        .execute(connection)
        .await
        .map_err(broken)?;
    Ok(true)
}

/// Removes all that a repository links, with its tags. Returns how many links there were.
pub(super) async fn remove_repository(
    connection: &mut SqliteConnection,
    repository: &RepositoryName,
    rule: &str,
    at: Timestamp,
) -> Result<u64, LedgerError> {
    let note = "INSERT INTO blob_releases (digest, holder, rule, released_at)
        SELECT blob, $2, $3, $4 FROM (
            SELECT blob FROM registry_blobs WHERE repository = $1
            UNION SELECT blob FROM registry_manifests WHERE repository = $1)";
    sqlx::query(note)
        .bind(repository.as_str())
        .bind(format!("registry:{repository}"))
        .bind(rule)
        .bind(row::nanos(at))
        .execute(&mut *connection)
        .await
        .map_err(broken)?;
    let mut links = 0;
    for delete in [
        "DELETE FROM registry_manifests WHERE repository = $1",
        "DELETE FROM registry_blobs WHERE repository = $1",
    ] {
        let deleted = sqlx::query(delete)
            .bind(repository.as_str())
            .execute(&mut *connection)
            .await;
        links += deleted.map_err(broken)?.rows_affected();
    }
    Ok(links)
}

/// Keeps a manifest. The same one again may be of another media type, and nothing else.
pub(super) async fn put_manifest(
    connection: &mut SqliteConnection,
    repository: &RepositoryName,
    link: &Link,
    outline: &Outline,
) -> Result<(), LedgerError> {
    let upsert = "INSERT INTO registry_manifests
            (repository, digest, blob, size_bytes, media_type, subject, artifact_type, annotations)
        VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
        ON CONFLICT (repository, digest) DO UPDATE SET media_type = excluded.media_type,
            subject = excluded.subject, artifact_type = excluded.artifact_type,
            annotations = excluded.annotations";
    let annotations = match outline.annotations.is_empty() || outline.subject.is_none() {
        true => None,
        false => Some(row::json(&outline.annotations)?),
    };
    sqlx::query(upsert)
        .bind(repository.as_str())
        .bind(link.digest.to_string())
        .bind(link.blob.to_string())
        .bind(size(link.size_bytes)?)
        .bind(&outline.media_type)
        .bind(outline.subject.map(|subject| subject.to_string()))
        .bind(&outline.artifact_type)
        .bind(annotations)
        .execute(connection)
        .await
        .map_err(broken)?;
    Ok(())
}

/// Moves a tag to a manifest that the repository has.
pub(super) async fn tag(
    connection: &mut SqliteConnection,
    repository: &RepositoryName,
    tag: &Tag,
    digest: &ContentDigest,
) -> Result<(), LedgerError> {
    let upsert = "INSERT INTO registry_tags (repository, tag, digest) VALUES ($1, $2, $3)
        ON CONFLICT (repository, tag) DO UPDATE SET digest = excluded.digest";
    sqlx::query(upsert)
        .bind(repository.as_str())
        .bind(tag.as_str())
        .bind(digest.to_string())
        .execute(connection)
        .await
        .map_err(broken)?;
    Ok(())
}

/// Removes a tag; `false` when there is none.
pub(super) async fn untag(
    connection: &mut SqliteConnection,
    repository: &RepositoryName,
    tag: &Tag,
) -> Result<bool, LedgerError> {
    let delete = "DELETE FROM registry_tags WHERE repository = $1 AND tag = $2";
    let deleted = sqlx::query(delete)
        .bind(repository.as_str())
        .bind(tag.as_str())
        .execute(connection)
        .await;
    Ok(deleted.map_err(broken)?.rows_affected() > 0)
}

/// A manifest by its digest.
pub(super) async fn manifest(
    pool: &SqlitePool,
    repository: &RepositoryName,
    digest: &ContentDigest,
) -> Result<Option<ManifestLink>, LedgerError> {
    let find = "SELECT digest, blob, size_bytes, media_type FROM registry_manifests
        WHERE repository = $1 AND digest = $2";
    let found = sqlx::query(find)
        .bind(repository.as_str())
        .bind(digest.to_string())
        .fetch_optional(pool)
        .await;
    let found = found.map_err(broken)?;
    found.as_ref().map(read_manifest).transpose()
}

/// The manifest that a tag names.
pub(super) async fn tagged(
    pool: &SqlitePool,
    repository: &RepositoryName,
    tag: &Tag,
) -> Result<Option<ManifestLink>, LedgerError> {
    let find = "SELECT m.digest, m.blob, m.size_bytes, m.media_type FROM registry_tags t
        JOIN registry_manifests m ON m.repository = t.repository AND m.digest = t.digest
        WHERE t.repository = $1 AND t.tag = $2";
    let found = sqlx::query(find)
        .bind(repository.as_str())
        .bind(tag.as_str())
        .fetch_optional(pool)
        .await;
    let found = found.map_err(broken)?;
    found.as_ref().map(read_manifest).transpose()
}

/// Tags in the order of their bytes.
pub(super) async fn tags(
    pool: &SqlitePool,
    repository: &RepositoryName,
    page: Page<'_>,
) -> Result<Vec<String>, LedgerError> {
    let find = "SELECT tag FROM registry_tags WHERE repository = $1 AND tag > $2
        ORDER BY tag LIMIT $3";
    sqlx::query_scalar(find)
        .bind(repository.as_str())
        .bind(page.after)
        .bind(i64::from(page.limit))
        .fetch_all(pool)
        .await
        .map_err(broken)
}

/// Whether a repository has a manifest or a blob.
pub(super) async fn is_known(
    pool: &SqlitePool,
    repository: &RepositoryName,
) -> Result<bool, LedgerError> {
    let find = "SELECT EXISTS (SELECT 1 FROM registry_manifests WHERE repository = $1)
        OR EXISTS (SELECT 1 FROM registry_blobs WHERE repository = $1)";
    let found: i64 = sqlx::query_scalar(find)
        .bind(repository.as_str())
        .fetch_one(pool)
        .await
        .map_err(broken)?;
    Ok(found != 0)
}

/// Manifests that refer to `subject`, in the order of their digests.
pub(super) async fn referrers(
    pool: &SqlitePool,
    repository: &RepositoryName,
    subject: &ContentDigest,
    artifact_type: Option<&str>,
    page: Page<'_>,
) -> Result<Vec<Referrer>, LedgerError> {
    let find = "SELECT digest, blob, size_bytes, media_type, artifact_type, annotations
        FROM registry_manifests
        WHERE repository = $1 AND subject = $2 AND digest > $3
            AND ($4 IS NULL OR artifact_type = $4)
        ORDER BY digest LIMIT $5";
    let found = sqlx::query(find)
        .bind(repository.as_str())
        .bind(subject.to_string())
        .bind(page.after)
        .bind(artifact_type)
        .bind(i64::from(page.limit))
        .fetch_all(pool)
        .await;
    found.map_err(broken)?.iter().map(read_referrer).collect()
}

fn size(bytes: u64) -> Result<i64, LedgerError> {
    bytes.try_into().map_err(broken_by)
}

fn read_link(row: &SqliteRow) -> Result<Link, LedgerError> {
    Ok(Link {
        digest: row::parsed(&row::text(row, "digest")?)?,
        blob: row::parsed(&row::text(row, "blob")?)?,
        size_bytes: row::small(row, "size_bytes")?,
    })
}

fn read_manifest(row: &SqliteRow) -> Result<ManifestLink, LedgerError> {
    Ok(ManifestLink {
        link: read_link(row)?,
        media_type: row::text(row, "media_type")?,
    })
}

fn read_referrer(row: &SqliteRow) -> Result<Referrer, LedgerError> {
    let annotations: Option<String> = row.try_get("annotations").map_err(broken)?;
    let annotations = annotations.map(|text| row::from_json(&text)).transpose()?;
    Ok(Referrer {
        manifest: read_manifest(row)?,
        artifact_type: row.try_get("artifact_type").map_err(broken)?,
        annotations: annotations.unwrap_or_default(),
    })
}

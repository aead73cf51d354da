-- What repositories link, for the OCI registry. A link holds its blob by itself, as a pin does.
-- `digest` is the name that clients use (sha256 or sha512), `blob` the store's own.

CREATE TABLE registry_blobs (
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    blob TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX registry_blobs_by_digest ON registry_blobs (digest);
CREATE INDEX registry_blobs_by_blob ON registry_blobs (blob);

CREATE TABLE registry_manifests (
    repository TEXT NOT NULL,
    digest TEXT NOT NULL,
    blob TEXT NOT NULL,
    size_bytes BIGINT NOT NULL,
    media_type TEXT NOT NULL,
    -- What it says about itself, so that referrers are listed without opening each.
    subject TEXT,
    artifact_type TEXT,
    annotations TEXT,
    PRIMARY KEY (repository, digest)
);
CREATE INDEX registry_manifests_by_subject ON registry_manifests (repository, subject, digest)
    WHERE subject IS NOT NULL;
CREATE INDEX registry_manifests_by_blob ON registry_manifests (blob);

CREATE TABLE registry_tags (
    repository TEXT NOT NULL,
    tag TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (repository, tag),
    FOREIGN KEY (repository, digest) REFERENCES registry_manifests (repository, digest)
        ON DELETE CASCADE
);
CREATE INDEX registry_tags_by_digest ON registry_tags (repository, digest);

-- Who may pull and push. The secret itself is nowhere: only its hash is.
CREATE TABLE access_tokens (
    id TEXT PRIMARY KEY,
    label TEXT NOT NULL,
    secret_hash TEXT NOT NULL UNIQUE,
    scopes TEXT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT NOT NULL,
    revoked_at BIGINT
);

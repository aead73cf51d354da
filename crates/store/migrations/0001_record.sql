-- What SQLite and Postgres both read. Moments are nanoseconds since 1970, digests and names text,
-- nested values JSON as the model writes it.

CREATE TABLE apps (
    name TEXT PRIMARY KEY,
    owner_uid BIGINT NOT NULL,
    -- A path is bytes, not always text.
    folder BYTEA NOT NULL,
    local_port BIGINT NOT NULL,
    uid_slot BIGINT NOT NULL UNIQUE,
    created_at BIGINT NOT NULL,
    stable BIGINT,
    destroyed_at BIGINT
);

CREATE TABLE runs (
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    owner_uid BIGINT NOT NULL,
    snapshot TEXT NOT NULL,
    started_at BIGINT NOT NULL,
    settled TEXT
);
CREATE INDEX runs_by_app ON runs (app, started_at);
CREATE INDEX runs_unsettled ON runs (started_at) WHERE settled IS NULL;

CREATE TABLE evidence (
    run TEXT NOT NULL REFERENCES runs (id) ON DELETE CASCADE,
    stage TEXT NOT NULL,
    attempt BIGINT NOT NULL,
    -- The event that told of it; evidence is read in this order.
    seq BIGINT NOT NULL,
    record TEXT NOT NULL,
    PRIMARY KEY (run, stage, attempt)
);

CREATE TABLE releases (
    app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    run TEXT NOT NULL,
    image TEXT NOT NULL,
    env_version BIGINT NOT NULL,
    owner_uid BIGINT NOT NULL,
    created_at BIGINT NOT NULL,
    expires_at BIGINT,
    -- The only column that changes.
    phase TEXT NOT NULL,
    image_record TEXT NOT NULL,
    config TEXT NOT NULL,
    PRIMARY KEY (app, number)
);

-- Secret values stay in a table of their own, so that who may read the rest need not read them.
CREATE TABLE env_sets (
    app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    version BIGINT NOT NULL,
    secrets TEXT NOT NULL,
    PRIMARY KEY (app, version)
);

CREATE TABLE pins (
    app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    name TEXT NOT NULL,
    blob TEXT NOT NULL,
    PRIMARY KEY (app, name)
);

CREATE TABLE blob_holds (
    holder TEXT NOT NULL,
    digest TEXT NOT NULL,
    PRIMARY KEY (holder, digest)
);
CREATE INDEX blob_holds_by_digest ON blob_holds (digest);

-- Who let go of a blob, when, and by which rule.
CREATE TABLE blob_releases (
    digest TEXT NOT NULL,
    holder TEXT NOT NULL,
    rule TEXT NOT NULL,
    released_at BIGINT NOT NULL
);
CREATE INDEX blob_releases_by_digest ON blob_releases (digest, released_at);

-- The log. It outlives its apps, so nothing here refers to them.
CREATE TABLE events (
    seq BIGINT PRIMARY KEY,
    recorded_at BIGINT NOT NULL,
    app TEXT NOT NULL,
    event TEXT NOT NULL,
    canonical BYTEA NOT NULL
);
CREATE INDEX events_by_app ON events (app, seq);

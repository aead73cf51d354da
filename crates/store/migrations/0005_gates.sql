-- What was let pass for a while, and by whom.
CREATE TABLE exemptions (
    id TEXT PRIMARY KEY,
    app TEXT NOT NULL REFERENCES apps (name) ON DELETE CASCADE,
    record TEXT NOT NULL,
    revoked_at BIGINT
);

-- What releases that served came to when they were matched against newer vulnerability data.
CREATE TABLE rescans (
    app TEXT NOT NULL,
    number BIGINT NOT NULL,
    evidence TEXT NOT NULL,
    PRIMARY KEY (app, number),
    FOREIGN KEY (app, number) REFERENCES releases (app, number) ON DELETE CASCADE
);

-- What was signed about a release, and what proves that the transparency log has it.

ALTER TABLE releases ADD COLUMN verification TEXT;
-- The event that told of the release.
ALTER TABLE releases ADD COLUMN seq BIGINT;

CREATE TABLE release_proofs (
    app TEXT NOT NULL,
    number BIGINT NOT NULL,
    inclusion TEXT NOT NULL,
    PRIMARY KEY (app, number),
    FOREIGN KEY (app, number) REFERENCES releases (app, number) ON DELETE CASCADE
);

-- The salt that ties a person to the hash that stands for them in events. Without it, nothing does.
CREATE TABLE stand_ins (
    uid BIGINT PRIMARY KEY,
    salt TEXT NOT NULL
);

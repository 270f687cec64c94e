-- Flow: which paths an errand has used; and what its calls were given and its answers held, as digests under its own key.
ALTER TABLE activity ADD COLUMN paths INTEGER NOT NULL DEFAULT 0;
-- Like a payload, not rebuilt by replay: once the key of an errand is erased, its digests say nothing.
CREATE TABLE carried (call TEXT PRIMARY KEY, task TEXT NOT NULL, leaf INTEGER NOT NULL, path TEXT NOT NULL, seen INTEGER NOT NULL, held INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX carried_task ON carried (task, leaf);
-- How many digests an errand keeps.
CREATE TABLE carrying (task TEXT PRIMARY KEY, held INTEGER NOT NULL) WITHOUT ROWID;

-- Lineage: where values came from. What an answer held, as digests under the key of its task; like a payload, it is not rebuilt by replay.
CREATE TABLE lineage (call TEXT PRIMARY KEY, task TEXT NOT NULL, leaf INTEGER NOT NULL, action TEXT NOT NULL, path TEXT NOT NULL, version INTEGER NOT NULL, held INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX lineage_task ON lineage (task, leaf);
-- Tasks in which the outcome of a call is unknown: from then on no answer vouches. Rebuilt from the ledger.
CREATE TABLE lineage_gap (call TEXT PRIMARY KEY, task TEXT NOT NULL) WITHOUT ROWID;
CREATE INDEX lineage_gap_task ON lineage_gap (task);

-- Leases: what was minted at targets, what is to end there, and what is proven dead. Rebuilt from the ledger by replay.
CREATE TABLE lease (id TEXT PRIMARY KEY, state TEXT NOT NULL, task TEXT NOT NULL, resource TEXT NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX lease_task  ON lease (task, state);
CREATE INDEX lease_state ON lease (state, until);

-- What people connected: the refresh tokens themselves are sealed secrets, and not rebuilt.
CREATE TABLE connection (id TEXT PRIMARY KEY, state TEXT NOT NULL, person TEXT NOT NULL, resource TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX connection_person ON connection (person, state);
CREATE INDEX connection_left ON connection (state) WHERE state IN ('ended', 'pending');

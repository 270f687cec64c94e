-- The operator's ways in: what the digest of each secret gives, never the secret.
CREATE TABLE login (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX login_state ON login (state);

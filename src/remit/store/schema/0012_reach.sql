-- What was seen of targets' rights, the newest of each source; what was seen lies in blob, by its digest.
CREATE TABLE survey (id TEXT PRIMARY KEY, state TEXT NOT NULL, resource TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;

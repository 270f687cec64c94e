-- Proposals that narrow what an agent or a brief may do, and the runs that checked them.
CREATE TABLE rightsize (id TEXT PRIMARY KEY, state TEXT NOT NULL, brief TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX rightsize_brief ON rightsize (brief, state);
-- What scans put forward, each to be answered in one review; where it was seen lies in payload.
CREATE TABLE review (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;

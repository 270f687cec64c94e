-- Who cosigns our heads, and the rule about them: rebuilt from the ledger by replay.
CREATE TABLE witness      (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE witness_rule (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;

-- What they signed, and when each was heard last: not rebuilt. Each line proves itself, and a receipt for each would make
-- a new head to be cosigned.
CREATE TABLE cosignature (size INTEGER NOT NULL, witness TEXT NOT NULL, at INTEGER NOT NULL, line TEXT NOT NULL, PRIMARY KEY (size, witness)) WITHOUT ROWID;
CREATE TABLE heard       (witness TEXT PRIMARY KEY, size INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;

-- Asks and their answers. "used" is moved by the decision's receipt alone; the rest is the record's last receipt.
CREATE TABLE approval (id TEXT PRIMARY KEY, state TEXT NOT NULL, task TEXT NOT NULL, action TEXT NOT NULL, digest TEXT NOT NULL, until INTEGER NOT NULL, uses INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX approval_task ON approval (task, action, state);
CREATE INDEX approval_state ON approval (state, until);

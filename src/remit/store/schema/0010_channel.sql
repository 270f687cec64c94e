-- Channels: how asks reach people, and what they were shown; and which evidence was taken of a task.
-- A card lies beside the ledger with the values of the call that asked, and is erased with them.
CREATE TABLE card (call TEXT PRIMARY KEY, body BLOB) WITHOUT ROWID;
CREATE TABLE evidence (id TEXT PRIMARY KEY, state TEXT NOT NULL, task TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX evidence_task ON evidence (task);
-- Which entry each hook was told of last, by the digest of its address. An outbox: what comes after it is still to be told.
CREATE TABLE hook (id TEXT PRIMARY KEY, leaf INTEGER NOT NULL, tries INTEGER NOT NULL, due INTEGER NOT NULL, trouble TEXT NOT NULL) WITHOUT ROWID;
-- What `/v1` answered to whoever named the request by a key of their own, sealed; without a body while it is under way.
CREATE TABLE reply (id TEXT PRIMARY KEY, request TEXT NOT NULL, until INTEGER NOT NULL, body BLOB) WITHOUT ROWID;

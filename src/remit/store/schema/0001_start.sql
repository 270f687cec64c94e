-- Every table but blob, payload, identity, secret, sealed_key and outbox is rebuilt from the ledger by replay.
CREATE TABLE person     (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE service    (id TEXT PRIMARY KEY, state TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE agent      (id TEXT PRIMARY KEY, state TEXT NOT NULL, name TEXT NOT NULL, owner TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE resource   (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE tool       (id TEXT PRIMARY KEY, state TEXT NOT NULL, resource TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE brief      (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE policy     (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE path       (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE key        (id TEXT PRIMARY KEY, state TEXT NOT NULL, purpose TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE task       (id TEXT PRIMARY KEY, state TEXT NOT NULL, agent TEXT NOT NULL, person TEXT NOT NULL, parent TEXT NOT NULL, brief TEXT NOT NULL, deadline INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE plan       (id TEXT PRIMARY KEY, state TEXT NOT NULL, task TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE credential (id TEXT PRIMARY KEY, state TEXT NOT NULL, task TEXT NOT NULL, expires INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE revocation (id TEXT PRIMARY KEY, state TEXT NOT NULL, kind TEXT NOT NULL, target TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE UNIQUE INDEX agent_name   ON agent (name);
CREATE UNIQUE INDEX service_name ON service (name);
CREATE INDEX agent_owner     ON agent (owner);
CREATE INDEX tool_resource   ON tool (resource);
CREATE INDEX task_agent      ON task (agent, state);
CREATE INDEX task_person     ON task (person, state);
CREATE INDEX task_parent     ON task (parent, state);
CREATE INDEX task_brief      ON task (brief, state);
CREATE INDEX task_deadline   ON task (state, deadline);
CREATE INDEX credential_task ON credential (task, state);

-- What a decision uses up, and where a task stands; written only together with a decision's or an outcome's receipt.
CREATE TABLE usage    (task TEXT NOT NULL, scope TEXT NOT NULL, step INTEGER NOT NULL, uses INTEGER NOT NULL, totals TEXT NOT NULL, recent TEXT NOT NULL, rows INTEGER NOT NULL, PRIMARY KEY (task, scope, step)) WITHOUT ROWID;
CREATE TABLE activity (task TEXT PRIMARY KEY, at INTEGER NOT NULL, leaf INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE flight   (call TEXT PRIMARY KEY, leaf INTEGER NOT NULL, task TEXT NOT NULL, credential TEXT NOT NULL, action TEXT NOT NULL, step INTEGER NOT NULL, plan INTEGER NOT NULL, at INTEGER NOT NULL) WITHOUT ROWID;

-- The leaf of the latest change to what policy sets are compiled from.
CREATE TABLE version (name TEXT PRIMARY KEY, leaf INTEGER NOT NULL) WITHOUT ROWID;

-- The ledger: entries, completed tiles and every signed head.
CREATE TABLE leaf (number INTEGER PRIMARY KEY, hash BLOB NOT NULL, body BLOB NOT NULL);
CREATE TABLE tile (level INTEGER NOT NULL, number INTEGER NOT NULL, body BLOB NOT NULL, PRIMARY KEY (level, number)) WITHOUT ROWID;
CREATE TABLE head (size INTEGER PRIMARY KEY, at INTEGER NOT NULL, note TEXT NOT NULL);

-- Not rebuilt: values that can be erased, public texts by digest, who people are, and what is sealed.
CREATE TABLE payload  (call TEXT PRIMARY KEY, salt BLOB, body BLOB, erased INTEGER NOT NULL DEFAULT 0) WITHOUT ROWID;
CREATE TABLE blob     (digest TEXT PRIMARY KEY, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE identity (issuer TEXT NOT NULL, subject TEXT NOT NULL, person TEXT NOT NULL, name TEXT NOT NULL, PRIMARY KEY (issuer, subject)) WITHOUT ROWID;
CREATE TABLE secret   (purpose TEXT NOT NULL, name TEXT NOT NULL, version INTEGER NOT NULL, sealed BLOB NOT NULL, PRIMARY KEY (purpose, name)) WITHOUT ROWID;
CREATE TABLE sealed_key (id TEXT PRIMARY KEY, purpose TEXT NOT NULL, state TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER, sealed BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE nonce    (kind TEXT NOT NULL, value TEXT NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (kind, value)) WITHOUT ROWID;
CREATE INDEX nonce_until ON nonce (until);
CREATE INDEX identity_person ON identity (person);

-- Who vouches for agents, and by which of their claims each agent is known.
CREATE TABLE attestor (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE binding  (id TEXT PRIMARY KEY, state TEXT NOT NULL, agent TEXT NOT NULL, attestor TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX binding_agent    ON binding (agent, state);
CREATE INDEX binding_attestor ON binding (attestor, state);

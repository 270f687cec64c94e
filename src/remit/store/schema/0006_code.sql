-- Authorization: clients, sessions of people, what they consented to, and the codes and refresh tokens that came of it, by
-- the digest of each text: never the text.
CREATE TABLE client  (id TEXT PRIMARY KEY, state TEXT NOT NULL, agent TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE session (id TEXT PRIMARY KEY, state TEXT NOT NULL, person TEXT NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX session_person ON session (person, state);
CREATE INDEX session_until ON session (until);
CREATE TABLE consent (id TEXT PRIMARY KEY, state TEXT NOT NULL, person TEXT NOT NULL, task TEXT NOT NULL, client TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX consent_person ON consent (person, state);
CREATE INDEX consent_client ON consent (client, state);
CREATE TABLE code    (id TEXT PRIMARY KEY, state TEXT NOT NULL, consent TEXT NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX code_consent ON code (consent, state);
CREATE INDEX code_until ON code (until);
CREATE TABLE refresh (id TEXT PRIMARY KEY, state TEXT NOT NULL, consent TEXT NOT NULL, until INTEGER NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX refresh_consent ON refresh (consent, state);
CREATE INDEX refresh_until ON refresh (until);
-- The newest token (or operator) that said a person's groups, and when that was: what is older says them no more. It lies beside the ledger.
CREATE TABLE grouped (person TEXT PRIMARY KEY, told INTEGER NOT NULL) WITHOUT ROWID;

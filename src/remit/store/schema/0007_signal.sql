-- Who may tell us of people, and what they told.
CREATE TABLE transmitter (id TEXT PRIMARY KEY, state TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE TABLE signal      (id TEXT PRIMARY KEY, state TEXT NOT NULL, person TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX signal_person ON signal (person);
-- What we tell each receiver of others' ends.
CREATE TABLE stream      (id TEXT PRIMARY KEY, state TEXT NOT NULL, service TEXT NOT NULL, body BLOB NOT NULL) WITHOUT ROWID;
CREATE INDEX stream_service ON stream (service);
-- Which node polls a transmitter, until when, and how it goes: not rebuilt.
CREATE TABLE polled (transmitter TEXT PRIMARY KEY, node TEXT NOT NULL, due INTEGER NOT NULL, tries INTEGER NOT NULL, at INTEGER NOT NULL, trouble TEXT NOT NULL) WITHOUT ROWID;

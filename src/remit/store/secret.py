"""Sealed rows: signing keys and secrets as opaque bytes. What they hold is custody's business."""

from remit.store.db import Database

KeyFields = tuple[str, str, str, int, int | None, bytes]
SecretFields = tuple[str, str, int, bytes]


def keys(db: Database) -> list[KeyFields]:
    """All sealed signing keys: kid, purpose, state, since, until, sealed."""
    return [tuple(row) for row in db.all("SELECT id, purpose, state, since, until, sealed FROM sealed_key ORDER BY id")]


def put_key(db: Database, row: KeyFields) -> None:
    """Insert or replace a sealed signing key."""
    db.run(
        "INSERT INTO sealed_key (id, purpose, state, since, until, sealed) VALUES (?, ?, ?, ?, ?, ?)"
        " ON CONFLICT (id) DO UPDATE SET purpose=excluded.purpose, state=excluded.state, since=excluded.since,"
        " until=excluded.until, sealed=excluded.sealed",
        row,
    )


def secrets(db: Database) -> list[SecretFields]:
    """All sealed secrets: purpose, name, version, sealed."""
    return [tuple(row) for row in db.all("SELECT purpose, name, version, sealed FROM secret ORDER BY purpose, name")]


def get_secret(db: Database, purpose: str, name: str) -> SecretFields | None:
    """One sealed secret, or None."""
    row = db.one("SELECT purpose, name, version, sealed FROM secret WHERE purpose = ? AND name = ?", (purpose, name))
    return tuple(row) if row else None


def put_secret(db: Database, row: SecretFields) -> None:
    """Insert or replace a sealed secret."""
    db.run(
        "INSERT INTO secret (purpose, name, version, sealed) VALUES (?, ?, ?, ?)"
        " ON CONFLICT (purpose, name) DO UPDATE SET version=excluded.version, sealed=excluded.sealed",
        row,
    )


def drop_secret(db: Database, purpose: str, name: str) -> None:
    """Remove a sealed secret; one that is not there is no fault."""
    db.run("DELETE FROM secret WHERE purpose = ? AND name = ?", (purpose, name))

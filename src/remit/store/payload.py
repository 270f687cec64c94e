"""What stands beside the ledger: argument values with their salt, public texts by digest, and who people are.

A payload can be erased; its receipt then still proves that there was one, and reads as its digests and the word
"erased".
"""

from remit.store.db import Database


def put(db: Database, call: str, salt: bytes, body: bytes) -> None:
    """Keep the argument values of a call beside its receipt."""
    db.put("INSERT INTO payload (call, salt, body) VALUES (?, ?, ?)", (call, salt, body))


def get(db: Database, call: str) -> tuple[bytes, bytes] | None:
    """Salt and argument values of a call; None when they were erased or never kept."""
    row = db.one("SELECT salt, body FROM payload WHERE call = ? AND erased = 0", (call,))
    return (bytes(row[0]), bytes(row[1])) if row else None


def erase(db: Database, call: str) -> bool:
    """Erase values, salt and what people were shown of them together; the ledger stays as it is."""
    db.run("UPDATE card SET body = NULL WHERE call = ?", (call,))
    return db.run("UPDATE payload SET salt = NULL, body = NULL, erased = 1 WHERE call = ? AND erased = 0", (call,)) == 1


def put_card(db: Database, call: str, body: bytes) -> None:
    """Keep what people are shown about the call that asks."""
    db.put("INSERT INTO card (call, body) VALUES (?, ?)", (call, body))


def get_card(db: Database, call: str) -> bytes | None:
    """What people were shown about a call that asked; None when it was erased or never kept."""
    row = db.one("SELECT body FROM card WHERE call = ? AND body IS NOT NULL", (call,))
    return bytes(row[0]) if row else None


def put_blob(db: Database, digest: str, body: bytes) -> None:
    """Keep a public text (a policy, a tool definition) under its digest."""
    db.run("INSERT INTO blob (digest, body) VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, body))


def get_blob(db: Database, digest: str) -> bytes | None:
    """The public text of this digest, or None."""
    row = db.one("SELECT body FROM blob WHERE digest = ?", (digest,))
    return bytes(row[0]) if row else None


def put_identity(db: Database, issuer: str, subject: str, person: str, name: str) -> None:
    """Remember who a person is at an identity provider."""
    db.run("INSERT INTO identity (issuer, subject, person, name) VALUES (?, ?, ?, ?)", (issuer, subject, person, name))


def person_at(db: Database, issuer: str, subject: str) -> str | None:
    """The person's id for an identity provider's subject, or None."""
    row = db.one("SELECT person FROM identity WHERE issuer = ? AND subject = ?", (issuer, subject))
    return str(row[0]) if row else None


def person_written(db: Database, issuer: str, email: str) -> str | None:
    """The person's id for an e-mail address however it is capitalised; None for nobody, and for more than one."""
    rows = db.all("SELECT person FROM identity WHERE issuer = ? AND lower(subject) = ?", (issuer, email.lower()))
    return str(rows[0][0]) if len(rows) == 1 else None


def names(db: Database, person: str) -> list[tuple[str, str, str]]:
    """Issuer, subject and name by which a person is known; empty once erased."""
    return [tuple(r) for r in db.all("SELECT issuer, subject, name FROM identity WHERE person = ?", (person,))]


def grouped(db: Database, person: str) -> int:
    """When that was said which last said a person's groups; 0 for what nobody said yet."""
    row = db.one("SELECT told FROM grouped WHERE person = ?", (person,))
    return row[0] if row else 0


def regroup(db: Database, person: str, told: int) -> None:
    """Note when a person's groups were said, as those that count now."""
    sql = "INSERT INTO grouped (person, told) VALUES (?, ?) ON CONFLICT (person) DO UPDATE SET told = excluded.told"
    db.run(sql, (person, told))


def forget_person(db: Database, person: str) -> int:
    """Erase who a person is; receipts keep the opaque id."""
    db.run("DELETE FROM grouped WHERE person = ?", (person,))
    return db.run("DELETE FROM identity WHERE person = ?", (person,))


def spend(db: Database, kind: str, value: str, until: int) -> bool:
    """Use up a single-use value (a client assertion's jti); False when it was used before. One atomic statement."""
    sql = "INSERT INTO nonce (kind, value, until) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"
    return db.run(sql, (kind, value, until)) == 1


def spent(db: Database, kind: str, value: str) -> bool:
    """Say whether a single-use value was used."""
    return db.one("SELECT 1 FROM nonce WHERE kind = ? AND value = ?", (kind, value)) is not None


def watch(db: Database, task: str, until: int) -> None:
    """Note until when a run counts as watched. It is no receipt: only that nobody watches any more is one."""
    sql = (
        "INSERT INTO nonce (kind, value, until) VALUES ('watch', ?, ?)"
        " ON CONFLICT (kind, value) DO UPDATE SET until = excluded.until"
    )
    db.run(sql, (task, until))


def watched_until(db: Database, task: str) -> int:
    """Until when a run counts as watched; 0 when that is past and forgotten."""
    row = db.one("SELECT until FROM nonce WHERE kind = 'watch' AND value = ?", (task,))
    return row[0] if row else 0


def expire_nonces(db: Database, now: int) -> int:
    """Forget single-use values that can no longer be accepted anyway; a permit's only once its call has ended."""
    sql = (
        "DELETE FROM nonce WHERE until < ? AND NOT"
        " (kind = 'permit' AND EXISTS (SELECT 1 FROM flight WHERE flight.call = nonce.value))"
    )
    return db.run(sql, (now,))


def overdue(db: Database, now: int, most: int) -> list[tuple[str, int]]:
    """Calls, each with its leaf, that were permitted to others, whose outcome was due before now and never came."""
    sql = (
        "SELECT flight.call, flight.leaf FROM nonce JOIN flight ON flight.call = nonce.value"
        " WHERE nonce.kind = 'permit' AND nonce.until < ? ORDER BY flight.leaf LIMIT ?"
    )
    return [(row[0], row[1]) for row in db.all(sql, (now, most))]

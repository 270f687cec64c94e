"""Cosignatures of our heads, as witnesses gave them, and when each witness was heard last. Each line proves itself."""

from remit.core.moment import Instant
from remit.core.witness import RULE, Watch, Witness, WitnessRule
from remit.store.db import Database
from remit.store.record import Reader


def put(db: Database, witness: str, size: int, at: Instant, line: str) -> None:
    """Keep a cosignature of the head of `size` entries. Of one witness and head the latest stays."""
    db.put(
        "INSERT INTO cosignature (size, witness, at, line) VALUES (?, ?, ?, ?) ON CONFLICT (size, witness)"
        " DO UPDATE SET at=excluded.at, line=excluded.line WHERE excluded.at >= cosignature.at",
        (size, witness, at, line),
    )
    db.put(
        "INSERT INTO heard (witness, size, at) VALUES (?, ?, ?) ON CONFLICT (witness)"
        " DO UPDATE SET size=excluded.size, at=excluded.at WHERE excluded.at >= heard.at",
        (witness, size, at),
    )


def under(db: Database, size: int) -> str:
    """The cosignature lines under the head of `size` entries; empty when there is none."""
    return "".join(row[0] for row in db.all("SELECT line FROM cosignature WHERE size = ? ORDER BY witness", (size,)))


def between(db: Database, after: int, last: int) -> dict[int, str]:
    """The cosignature lines under each head of more than `after` and up to `last` entries, by size."""
    found: dict[int, str] = {}
    for size, line in db.all(
        "SELECT size, line FROM cosignature WHERE size > ? AND size <= ? ORDER BY size, witness", (after, last)
    ):
        found[size] = found.get(size, "") + line
    return found


def widest(db: Database, required: int) -> int:
    """The size of the newest head that at least `required` witnesses cosigned; 0 when there is none."""
    row = db.one(
        "SELECT size FROM cosignature GROUP BY size HAVING count(*) >= ? ORDER BY size DESC LIMIT 1", (required,)
    )
    return int(row[0]) if row else 0


def heard(db: Database) -> dict[str, tuple[int, Instant]]:
    """How many entries each witness cosigned last, and when."""
    return {name: (size, Instant(at)) for name, size, at in db.all("SELECT witness, size, at FROM heard")}


def watch(reader: Reader) -> Watch | None:
    """The rule and the witnesses it is about, read in this transaction; None when there never was a rule."""
    rule = reader.get(WitnessRule, RULE)
    if rule is None:
        return None
    last = heard(reader.db)
    found = reader.where(Witness, "state != 'removed'")
    return Watch(rule, tuple((one, last.get(one.id, (0, Instant(0)))[1]) for one in found))

"""Copying a store to another database, whole: rows, ledger and sealed secrets; and proving that the ledger went on.

The source is held under its write lock while it is read, and takes nothing more once the copy is proven: its heads go
by another name, so that no node can go on with it and sign a second history.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from remit.control.receipt import files
from remit.core.errors import RemitError
from remit.ledger import LedgerFault, note
from remit.ledger.verify import audit
from remit.store import log
from remit.store.db import Database, Row
from remit.store.moved import HEADS, MOVED, refuse_moved

PART: Final = 2000
OWN: Final = "migration"


@dataclass(frozen=True, slots=True)
class Copied:
    """What was copied: rows in all, entries of the ledger, signed heads that were proven consistent."""

    rows: int
    entries: int
    heads: int


def copy(source: Database, target: Database, verifiers: tuple[str, ...]) -> Copied:
    """Copy every table into an empty, migrated store, prove it, and only then let the source take nothing more.

    `verifiers` are the ledger's verifier keys (C2SP note). Refuses a target that holds anything else (`store_taken`);
    a copy that is not proven (`copy_unproven`) is undone. After a crash, copying again takes up where it was.
    """
    refuse_moved(source)
    source.begin()
    try:
        names = sorted(source.tables() - {OWN})
        rows = 0
        if log.newest(target).size == 0:
            with target.transaction():
                rows = sum(_table(source, target, name) for name in names)
        _same(source, target, names)
        heads = _proven(target, verifiers)
        source.define(f"ALTER TABLE {HEADS} RENAME TO {MOVED}")
    except BaseException:
        source.rollback()
        raise
    source.commit()
    return Copied(rows, log.newest(target).size, heads)


def _table(source: Database, target: Database, name: str) -> int:
    if target.one(f"SELECT 1 FROM {name} LIMIT 1"):  # noqa: S608 - the tables are our own
        raise _taken(name)
    count = 0
    for part in _parts(source, name):
        marks = ", ".join("?" * len(part[0]))
        target.many(f"INSERT INTO {name} VALUES ({marks})", part)  # noqa: S608 - see above
        target.flush()
        count += len(part)
    return count


def _parts(db: Database, name: str) -> Iterator[list[Row]]:
    rows = iter(db.all(f"SELECT * FROM {name}"))  # noqa: S608 - see above
    while part := list(islice(rows, PART)):
        yield part


def _same(source: Database, target: Database, names: list[str]) -> None:
    for name in names:
        query = f"SELECT * FROM {name} ORDER BY 1, 2"  # noqa: S608 - see above
        if source.all(query) != target.all(query):
            raise _taken(name)


def _proven(target: Database, verifiers: tuple[str, ...]) -> int:
    """Verify the ledger as a stranger would: every entry, every head's signature, and that each grew from the last."""
    held = dict(files(target))
    count = len(log.heads(target, -1, log.newest(target).size + 1))
    if not count:
        return 0
    try:
        keys = [note.parse_vkey(one) for one in verifiers]
        found = audit(held.get, keys[0].name, keys)
    except LedgerFault as fault:
        raise _unproven(fault.message) from fault
    if not found:
        raise _unproven(found.what)
    return count


def _taken(name: str) -> RemitError:
    return RemitError(
        "store_taken",
        f"The other database holds something else already: its table {name} differs.",
        "Copy into an empty database.",
    )


def _unproven(why: str) -> RemitError:
    return RemitError(
        "copy_unproven",
        f"The copied ledger does not verify: {why}.",
        "Keep using the store as it is; look at it with remit ledger verify.",
    )

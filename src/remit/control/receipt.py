"""The ledger for those who check it: exported, verified, proved, and replayed against the tables (law 9)."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from remit.control.authority import Authority
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.receipt import decode
from remit.ledger import checkpoint, merkle, note, proof
from remit.ledger.export import export
from remit.ledger.log import nodes
from remit.store import cosignature, forgotten, log
from remit.store.apply import REBUILT, apply
from remit.store.db import Database
from remit.store.migrate import migrate, packaged
from remit.store.opening import open_db

PART: Final = 4096


def files(db: Database) -> Iterator[tuple[str, bytes]]:
    """Every file of an export, as paths and bytes, from one snapshot: entries, tiles, heads, checkpoint."""
    size = log.newest(db).size
    yield from export(_entries(db, size), _heads(db, size), _leaves(db, size))


def prove(authority: Authority, leaf: int) -> bytes:
    """A self-contained proof that entry `leaf` is in the ledger (C2SP tlog-proof). `not_found` when there is none."""
    head = log.newest(authority.view)
    if not 0 <= leaf < head.size:
        raise RemitError("not_found", f"The ledger has no entry {leaf}.", f"It holds entries 0 to {head.size - 1}.")
    get = nodes(head.size, lambda level, index, width: log.read_tile(authority.view, level, index, width))
    hashes = merkle.inclusion_proof(leaf, head.size, get)
    signed = (head.note + cosignature.under(authority.view, head.size)).encode()
    return proof.encode(proof.Bundle(leaf, tuple(hashes), signed))


def head_size(text: str) -> int:
    """The size that a signed head speaks of."""
    return checkpoint.parse(note.parse(text.encode()).text).size


def replay(authority: Authority, scratch: Path) -> list[str]:
    """Rebuild every table from the ledger in an empty store at `scratch`; return what differs, table by table."""
    twin = open_db(scratch)
    migrate(twin, authority.clock.now(), packaged())
    view = authority.view
    size = log.newest(view).size
    twin.begin()
    for number, body in enumerate(_entries(view, size)):
        try:
            apply(twin, number, decode(body))
        except RemitError as fault:
            return [f"entry {number}: {fault.message}"]
    twin.commit()
    since = forgotten.before(log.newest(view).at)
    found = [line for table in REBUILT for line in _differences(table, view, twin, since)]
    twin.close()
    return found


def _differences(table: str, ours: Database, theirs: Database, since: Instant) -> Iterator[str]:
    """What differs in one table; of those that time alone forgets, what is not past."""
    within, given = (" WHERE until >= ?", (since,)) if table in forgotten.TABLES else ("", ())
    query = f"SELECT * FROM {table}{within} ORDER BY 1, 2"  # noqa: S608 - the tables are our own list
    one, other = ours.all(query, given), theirs.all(query, given)
    if one != other:
        missing, extra = set(map(repr, other)) - set(map(repr, one)), set(map(repr, one)) - set(map(repr, other))
        yield f"{table}: {len(extra)} rows that no receipt explains, {len(missing)} that only the ledger has"


def _entries(db: Database, size: int) -> Iterator[bytes]:
    for start in range(0, size, PART):
        yield from log.entries(db, start, min(start + PART, size))


def _leaves(db: Database, size: int) -> Iterator[bytes]:
    for start in range(0, size, PART):
        yield from log.leaves(db, start, min(start + PART, size))


def _heads(db: Database, size: int) -> Iterator[bytes]:
    after = -1
    while part := log.heads(db, after):
        cosigned = cosignature.between(db, after, part[-1].size)
        for head in part:
            if head.size <= size:
                yield (head.note + cosigned.get(head.size, "")).encode()
        after = part[-1].size

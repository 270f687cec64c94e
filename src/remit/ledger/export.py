"""Lay a log out as files: C2SP tlog-tiles plus `heads`, as (path, bytes) pairs for whoever writes or serves them.

What comes out is what `verify.audit` reads. Entries and leaf hashes are streamed; heads are kept until the end.
"""

from collections.abc import Iterable, Iterator
from itertools import islice

from remit.ledger import LedgerFault, checkpoint, note, tile
from remit.ledger.log import Edge
from remit.ledger.merkle import leaf_hash
from remit.ledger.verify import CHECKPOINT, HEADS


def export(
    entries: Iterable[bytes], heads: Iterable[bytes], leaves: Iterable[bytes] | None = None
) -> Iterator[tuple[str, bytes]]:
    """Yield every file of the log: bundles and tiles as they fill, the partial ones, `heads`, and `checkpoint` last.

    `heads` are the signed notes, oldest first. `leaves` are the leaf hashes stored when the entries were appended: give
    them, so that an entry altered in the store since then is named by its index; without them tiles are computed from
    the entries as they are now, and an altered one shows as a head whose root does not hold. Nothing is judged here.
    Faults: `entry_too_long`, `hash_invalid`, and `export_short` when the last head is not of this size, or there is no
    head, or `leaves` end before the entries.
    """
    edge, stream, stored = Edge.empty(), iter(entries), iter(leaves) if leaves is not None else None
    while part := list(islice(stream, tile.WIDTH)):
        hashes = [leaf_hash(entry) for entry in part] if stored is None else list(islice(stored, len(part)))
        if len(hashes) != len(part):
            raise _short("There are fewer leaf hashes than entries.")
        yield tile.entries_path(edge.size // tile.WIDTH, len(part)), tile.encode_bundle(part)
        for full in edge.append(hashes):
            yield full.path, full.data
    for rest in edge.partials():
        yield rest.path, rest.data
    signed = list(heads)
    if not signed or checkpoint.parse(note.parse(signed[-1]).text).size != edge.size:
        raise _short("The last head's size is not the number of entries.")
    yield HEADS, tile.encode_bundle(signed)
    yield CHECKPOINT, signed[-1]


def _short(message: str) -> LedgerFault:
    return LedgerFault("export_short", message, "Export entries, leaf hashes and heads from one and the same snapshot.")

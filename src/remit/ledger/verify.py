"""The offline auditor: reads an exported log and names the first thing that is wrong. Needs no server and no database.

It recomputes everything from the entries: each leaf against its tile, each higher tile, the root at the size of every
signed head. One tree grows from start to end, so heads that all hold are consistent with each other by construction.
The layout is C2SP tlog-tiles plus `heads`; see docs/spec/ledger.md.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from remit.ledger import LedgerFault, checkpoint, cosignature, note, tile
from remit.ledger.checkpoint import Checkpoint
from remit.ledger.log import Edge
from remit.ledger.merkle import HASH_SIZE, leaf_hash
from remit.ledger.note import Verifier

Read = Callable[[str], bytes | None]
"""`read(path)`: the file's bytes, or None when there is none."""

Check = Callable[[int, bytes], str | None]
"""`check(index, entry)`: what is wrong with an entry, or None. Called once per entry, in order."""

CHECKPOINT: Final = "checkpoint"
HEADS: Final = "heads"


@dataclass(frozen=True, slots=True)
class Cosigned:
    """What one witness cosigned of the heads that hold: how many, the size of the newest, and when (POSIX seconds)."""

    name: str
    heads: int = 0
    size: int = 0
    at: int = 0


@dataclass(frozen=True, slots=True)
class Audit:
    """The auditor's finding. `size` and `heads` say how far it got: entries and signed heads that hold.

    `cosigned` has an entry for each witness that was asked about, in that order.
    """

    ok: bool
    index: int | None
    what: str
    size: int
    heads: int
    cosigned: tuple[Cosigned, ...] = ()

    def __bool__(self) -> bool:
        return self.ok


class _BadError(Exception):
    """Stops the walk at the first thing that is wrong; never leaves this module."""

    def __init__(self, index: int | None, what: str) -> None:
        super().__init__(what)
        self.index = index
        self.what = what


def audit(
    read: Read,
    origin: str,
    keys: Sequence[Verifier],
    check: Check | None = None,
    expect: Checkpoint | None = None,
    witnesses: Sequence[cosignature.Witness] = (),
) -> Audit:
    """Audit the export of the log `origin`, whose heads are signed by `keys`.

    `check` judges each entry's content. `expect` is the newest head that the auditor already trusts: a log that ends
    before it, or has another root at its size, is not ok. Without it, a log cut back to an older signed head cannot be
    told from a young log. A cosignature by one of `witnesses` must hold; that there is one is not required. Malformed
    files are findings, not faults; nothing is raised but what `read` or `check` raise.
    """
    walk = _Walk(read, origin, keys, check, expect)
    walk.witnesses = witnesses
    walk.cosigned = {one.name: Cosigned(one.name) for one in witnesses}
    try:
        walk.run()
    except _BadError as bad:
        return Audit(False, bad.index, bad.what, walk.edge.size, walk.heads, tuple(walk.cosigned.values()))
    return Audit(True, None, "", walk.edge.size, walk.heads, tuple(walk.cosigned.values()))


class _Walk:
    """One pass over an export: the growing edge, and the signed heads that are still to come."""

    def __init__(
        self, read: Read, origin: str, keys: Sequence[Verifier], check: Check | None, expect: Checkpoint | None
    ) -> None:
        self.edge, self.heads = Edge.empty(), 0
        self._read, self._origin, self._keys, self._check, self._expect = read, origin, keys, check, expect
        self.witnesses: Sequence[cosignature.Witness] = ()
        self.cosigned: dict[str, Cosigned] = {}
        self._lines: list[cosignature.Cosignature] = []
        self._listed: list[bytes] = []
        self._next: Checkpoint | None = None
        self._known = 0

    def run(self) -> None:
        """Walk the whole export; raise `_BadError` at the first thing that is wrong."""
        newest = self._file(CHECKPOINT, None)
        size = self._head(newest, CHECKPOINT, None).size
        self._expected(size)
        self._list(newest)
        self._step(size)
        self._settle(size)
        for start in range(0, size, tile.WIDTH):
            leaves, bad = self._bundle(start, min(tile.WIDTH, size - start))
            self._grow(leaves, size)
            if bad:
                raise bad
        for part in self.edge.partials():
            self._compare(part)

    def _file(self, path: str, index: int | None) -> bytes:
        data = self._read(path)
        if data is None:
            raise _BadError(index, f"{path} is missing")
        return data

    def _head(self, data: bytes, label: str, index: int | None) -> Checkpoint:
        try:
            head, verdict = checkpoint.open_signed(data, self._origin, self._keys)
        except LedgerFault as fault:
            raise _BadError(index, f"{label}: {fault.message}") from None
        if not verdict:
            raise _BadError(index, f"{label}: {verdict.what}")
        return head

    def _expected(self, size: int) -> None:
        expect = self._expect
        if expect and expect.origin != self._origin:
            raise _BadError(None, "the head to expect is another log's")
        if expect and size < expect.size:
            raise _BadError(size, f"the log ends after {size} entries; {expect.size} were known to be in it")

    def _list(self, newest: bytes) -> None:
        """Read every signed head, oldest first; the last one must be the checkpoint, byte for byte."""
        try:
            self._listed = tile.decode_bundle(self._file(HEADS, None))
        except LedgerFault:
            raise _BadError(None, f"{HEADS}: ends inside a head") from None
        if not self._listed or self._listed[-1] != newest:
            raise _BadError(None, f"{HEADS}: the last head is not the checkpoint")

    def _step(self, size: int) -> None:
        """Open the next head, if there is one. Sizes never go down, and never past the checkpoint's."""
        self._known, self._next = self.edge.size, None
        if self.heads < len(self._listed):
            head = self._head(self._listed[self.heads], f"head {self.heads}", self._known)
            if not self._known <= head.size <= size:
                raise _BadError(self._known, f"head {self.heads}: its size {head.size} is out of order")
            self._lines, wrong = cosignature.held(note.parse(self._listed[self.heads]), self.witnesses)
            if wrong:
                raise _BadError(self._known, f"head {self.heads}: {wrong}")
            self._next = head

    def _settle(self, size: int) -> None:
        """Compare the root with whatever stands signed or known for the tree's present size."""
        expect = self._expect
        if expect and expect.size == self.edge.size and expect.root != self.edge.root():
            raise _BadError(None, f"the tree of {expect.size} entries is not the one that was known")
        while self._next and self._next.size == self.edge.size:
            if self._next.root != self.edge.root():
                span = f"entries {self._known} to {self.edge.size - 1}"
                raise _BadError(self._known, f"head {self.heads}: {span} do not give its root")
            self.heads += 1
            for line in self._lines:
                before = self.cosigned[line.name]
                self.cosigned[line.name] = Cosigned(line.name, before.heads + 1, self.edge.size, line.at)
            self._step(size)

    def _grow(self, leaves: Sequence[bytes], size: int) -> None:
        """Take leaves into the tree, stopping at each size that has a head."""
        at = 0
        while at < len(leaves):
            stops = [head.size - self.edge.size for head in (self._next, self._expect) if head]
            count = min(stop for stop in (*stops, len(leaves) - at) if stop > 0)
            for full in self.edge.append(leaves[at : at + count]):
                self._compare(full)
            at += count
            self._settle(size)

    def _bundle(self, start: int, width: int) -> tuple[Sequence[bytes], _BadError | None]:
        """Return the leaf hashes of the good entries of a bundle, and what is wrong with the first bad one."""
        path = tile.entries_path(start // tile.WIDTH, width)
        entries = list(tile.split_bundle(data := self._file(path, start)))
        leaves = [leaf_hash(entry) for entry in entries]
        part = tile.tile_path(0, start // tile.WIDTH, width)
        row = self._file(part, start)
        good, bad = width, None
        if b"".join(leaves) != row or sum(map(len, entries)) + 2 * width != len(data):
            good = _agreeing(leaves[:width], row)
            bad = _BadError(start + good, f"{path} and {part} disagree about entry {start + good}")
            if good == width:
                bad = _BadError(start + good - 1, f"{path} or {part} has bytes after its last entry")
        if self._check:
            for index, entry in enumerate(entries[:good], start):
                if found := self._check(index, entry):
                    return leaves[: index - start], _BadError(index, found)
        return leaves[:good], bad

    def _compare(self, part: tile.Tile) -> None:
        """Compare a tile above the leaves with the one that was computed from the entries."""
        if not part.level:
            return
        first = part.index * tile.WIDTH << 8 * part.level
        row = self._file(part.path, first)
        if row != part.data:
            whole = [part.data[at : at + HASH_SIZE] for at in range(0, len(part.data), HASH_SIZE)]
            at = min(_agreeing(whole, row), part.width - 1)
            raise _BadError(first + (at << 8 * part.level), f"{part.path} is not what the entries below it give")


def _agreeing(hashes: Sequence[bytes], row: bytes) -> int:
    """Return how many hashes from the start stand at their place in `row`."""
    for at, known in enumerate(hashes):
        if row[at * HASH_SIZE : (at + 1) * HASH_SIZE] != known:
            return at
    return len(hashes)

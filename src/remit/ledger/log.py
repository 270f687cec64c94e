"""The growing log: its right edge, kept so that an append hashes each new node once and a root costs O(log n).

An `Edge` owns two rows of immutable bytes: the complete subtrees that no larger one contains yet (a binary counter, as
RFC 6962 §2.1 splits), and per tile level the hashes beyond the last full tile. A copy is therefore a copy of two short
lists: take one before a transaction, drop the other when it fails.
"""

from collections.abc import Sequence
from typing import Final, Self

from remit.ledger import LedgerFault
from remit.ledger.merkle import EMPTY_ROOT, HASH_SIZE, LARGEST, Get, node_hash, pairs, root
from remit.ledger.tile import FULL, WIDTH, ReadTile, Tile, partial_width

_NONE: Final = b""


class Edge:
    """The right edge of a tree of any size. Not shared between threads; its owner is whoever appends."""

    __slots__ = ("_rows", "_tops", "size")

    def __init__(self, size: int, tops: list[bytes], rows: list[bytes]) -> None:
        """Take the parts as they are; use `empty` or `restore`."""
        self.size = size
        self._tops = tops  # [height] -> the complete subtree of 2**height leaves that waits for its sibling, or b""
        self._rows = rows  # [level] -> the hashes of the partial tile

    @classmethod
    def empty(cls) -> Self:
        """Return the edge of a tree without leaves."""
        return cls(0, [], [])

    @classmethod
    def restore(cls, size: int, read: ReadTile) -> Self:
        """Rebuild the edge of a tree of `size` from stored tiles.

        Wanted: the partial tile of level 0 (the tail's leaf hashes). One of a higher level may be missing: it
        is computed from the full tiles below it, which must be there. What is read is not checked against a root:
        compare `root()` with the signed head. Faults: `tile_missing`, `tile_invalid`, `tile_range`.
        """
        if not 0 <= size <= LARGEST:
            raise LedgerFault("tile_range", f"No log has {size} entries.", "Give the size of the signed head.")
        tops: list[bytes] = []
        rows: list[bytes] = []
        for level in range(-(-size.bit_length() // 8)):
            width = partial_width(size, level)
            row = _partial(size, level, width, read) if width else _NONE
            rows.append(row)
            hashes = _cut(row)
            for height in range(8):
                start = width >> (height + 1) << (height + 1)
                tops.append(root(hashes[start : start + (1 << height)]) if width >> height & 1 else _NONE)
        return cls(size, tops, rows)

    def copy(self) -> Self:
        """Return an edge that grows apart from this one; O(log n)."""
        return type(self)(self.size, self._tops.copy(), self._rows.copy())

    def append(self, leaf_hashes: Sequence[bytes]) -> list[Tile]:
        """Append leaf hashes; return the full tiles that this completed, lowest level first, each 8,192 bytes."""
        if any(len(leaf) != HASH_SIZE for leaf in leaf_hashes):
            raise LedgerFault("hash_invalid", "A leaf hash is 32 bytes.", "Hash the entry with merkle.leaf_hash.")
        tops, full = self._tops, list[Tile]()
        row, height = list(leaf_hashes), 0
        while row:
            if height == len(tops):
                tops.append(_NONE)
            if not height & 7:
                full += self._fill(height >> 3, row)
            if tops[height]:
                row.insert(0, tops[height])
            tops[height] = row.pop() if len(row) & 1 else _NONE
            row = pairs(row)
            height += 1
        self.size += len(leaf_hashes)
        return full

    def root(self) -> bytes:
        """Return the tree's root; at most one hash per set bit of the size."""
        whole = _NONE
        for top in self._tops:
            if top:
                whole = node_hash(top, whole) if whole else top
        return whole or EMPTY_ROOT

    def partials(self) -> list[Tile]:
        """Return the partial tiles of every level that has one: what a published head of this size must serve."""
        return [Tile(level, self.size >> 8 * (level + 1), row) for level, row in enumerate(self._rows) if row]

    def _fill(self, level: int, nodes: Sequence[bytes]) -> list[Tile]:
        """Put new nodes of a tile level into its partial tile; cut off what is full."""
        if level == len(self._rows):
            self._rows.append(_NONE)
        row = self._rows[level] + b"".join(nodes)
        index = self.size >> 8 * (level + 1)
        count = len(row) // FULL
        self._rows[level] = row[count * FULL :]
        return [Tile(level, index + at, row[at * FULL : (at + 1) * FULL]) for at in range(count)]


def nodes(size: int, read: ReadTile) -> Get:
    """Return the `get` of merkle's proofs over the tiles of a log of `size` entries. Each tile is read once.

    Faults: `tile_missing`, `tile_invalid`; a node that the size has no complete subtree for is `tile_range`.
    """
    seen: dict[tuple[int, int], list[bytes]] = {}

    def get(height: int, index: int) -> bytes:
        level, low = divmod(height, 8)
        if height < 0 or index < 0 or (index + 1) << height > size:
            raise LedgerFault("tile_range", "The log has no such complete subtree.", "Ask within the log's size.")
        number, start = divmod(index << low, WIDTH)
        if (level, number) not in seen:
            full = (number + 1) << 8 * (level + 1) <= size
            width = WIDTH if full else partial_width(size, level)
            row = _whole(level, number, read) if full else _partial(size, level, width, read)
            seen[level, number] = _cut(row)
        return root(seen[level, number][start : start + (1 << low)])

    return get


def _partial(size: int, level: int, width: int, read: ReadTile) -> bytes:
    """Return the partial tile of a level, computed from the full tiles below when it is not kept."""
    index = size >> 8 * (level + 1)
    row = read(level, index, width)
    if row is None and level:
        first = index * WIDTH
        row = b"".join(root(_cut(_whole(level - 1, first + at, read))) for at in range(width))
    return _sized(row, level, index, width)


def _whole(level: int, index: int, read: ReadTile) -> bytes:
    return _sized(read(level, index, WIDTH), level, index, WIDTH)


def _sized(row: bytes | None, level: int, index: int, width: int) -> bytes:
    if row is None:
        raise LedgerFault(
            "tile_missing", f"Tile {index} of level {level} is missing.", "Restore the ledger's tiles from a backup."
        )
    if len(row) != width * HASH_SIZE:
        raise LedgerFault(
            "tile_invalid",
            f"Tile {index} of level {level} does not hold {width} hashes.",
            "Restore the ledger's tiles from a backup.",
        )
    return row


def _cut(row: bytes) -> list[bytes]:
    return [row[at : at + HASH_SIZE] for at in range(0, len(row), HASH_SIZE)]

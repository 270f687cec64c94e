"""C2SP tlog-tiles: where a tile or an entry bundle lives, and its bytes.

A tile holds up to 256 hashes of 32 bytes; a bundle up to 256 entries, each after its length as a big-endian uint16, so
an entry is 65,535 bytes at most. Faults: `tile_range`, `tile_path_invalid`, `entry_too_long`, `bundle_invalid`.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from remit.ledger import LedgerFault
from remit.ledger.merkle import HASH_SIZE

WIDTH: Final = 256
FULL: Final = WIDTH * HASH_SIZE
"""Bytes in a full tile."""

ENTRY_MAX: Final = 65_535
LEVEL_MAX: Final = 63

ReadTile = Callable[[int, int, int], bytes | None]
"""`read(level, index, width)`: a tile's bytes, or None when it is not kept."""

_PATH = re.compile(r"tile/(entries|0|[1-9][0-9]?)/((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Tile:
    """Hashes in a row: `data` from position `index * 256` of `level`. A full tile never changes again."""

    level: int
    index: int
    data: bytes

    @property
    def width(self) -> int:
        """Hashes in this tile, 1 to 256."""
        return len(self.data) // HASH_SIZE

    @property
    def path(self) -> str:
        """Where this tile lives."""
        return tile_path(self.level, self.index, self.width)


def tile_path(level: int, index: int, width: int = WIDTH) -> str:
    """Return `tile/<L>/<N>`, with `.p/<W>` when the tile is partial."""
    if not 0 <= level <= LEVEL_MAX:
        raise LedgerFault("tile_range", f"There is no tile level {level}.", "Use a level from 0 to 63.")
    return _path(str(level), index, width)


def entries_path(index: int, width: int = WIDTH) -> str:
    """Return `tile/entries/<N>`, with `.p/<W>` when the bundle is partial."""
    return _path("entries", index, width)


def parse_path(path: str) -> tuple[int | None, int, int]:
    """Return (level, index, width) of a tile path; level None for an entry bundle. Refuses any other spelling."""
    found = _PATH.fullmatch(path)
    if found:
        level = None if found[1] == "entries" else int(found[1])
        index, width = int(found[2].replace("/", "").replace("x", "")), int(found[3] or WIDTH)
        if (level is None or level <= LEVEL_MAX) and _path(found[1], index, width) == path:
            return level, index, width
    raise LedgerFault("tile_path_invalid", "This is not the path of a tile.", "Use tile/<level>/<index>[.p/<width>].")


def encode_bundle(entries: Iterable[bytes]) -> bytes:
    """Return the entries one after the other, each after its length."""
    return b"".join(part for entry in entries for part in (_length(entry), entry))


def decode_bundle(data: bytes) -> list[bytes]:
    """Return the entries of a bundle. Refuses one that ends inside an entry."""
    entries = list(split_bundle(data))
    if sum(map(len, entries)) + 2 * len(entries) != len(data):
        raise LedgerFault("bundle_invalid", "The bundle ends inside an entry.", "Fetch or export the bundle again.")
    return entries


def split_bundle(data: bytes) -> Iterator[bytes]:
    """Yield the entries that are whole; stop where the bytes end, also when that is inside an entry."""
    position, end = 0, len(data)
    while position + 2 <= end:
        start = position + 2
        position = start + (data[position] << 8 | data[position + 1])
        if position > end:
            return
        yield data[start:position]


def partial_width(size: int, level: int) -> int:
    """Return how many hashes the last tile of `level` holds beyond the full ones, in a log of `size` entries."""
    return size >> 8 * level & 0xFF


def _length(entry: bytes) -> bytes:
    if len(entry) > ENTRY_MAX:
        raise LedgerFault(
            "entry_too_long",
            f"An entry of {len(entry)} bytes does not fit: a bundle holds {ENTRY_MAX} bytes per entry.",
            "Keep the payload beside the ledger and put its digest into the entry.",
        )
    return len(entry).to_bytes(2, "big")


def _path(kind: str, index: int, width: int) -> str:
    if index < 0 or not 1 <= width <= WIDTH:
        raise LedgerFault("tile_range", "There is no such tile.", "Use an index from 0 and a width from 1 to 256.")
    digits = str(index)
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    number = "/".join([*("x" + group for group in groups[:-1]), groups[-1]])
    return f"tile/{kind}/{number}" if width == WIDTH else f"tile/{kind}/{number}.p/{width}"

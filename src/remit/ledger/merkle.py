"""The Merkle tree of RFC 6962 §2.1 (the same tree as RFC 9162 §2.1), SHA-256: hashes, roots, proofs and their checks.

Sizes and indexes count leaves from 0. Builders raise `LedgerFault` (`proof_range`) for what no tree has; checkers never
raise: proofs come from elsewhere, and whatever is wrong with one makes it False.
"""

from collections.abc import Callable, Sequence
from hashlib import sha256
from typing import Final

from remit.ledger import LedgerFault

HASH_SIZE: Final = 32
EMPTY_ROOT: Final = sha256(b"").digest()
"""The root of a tree without leaves (RFC 6962 §2.1)."""

LARGEST: Final = (1 << 63) - 1
"""The largest size we accept: what a signed 64-bit reader can still hold."""

Get = Callable[[int, int], bytes]
"""`get(height, index)`: the hash of the index-th complete subtree of 2**height leaves; height 0 is a leaf hash."""


def leaf_hash(entry: bytes) -> bytes:
    """Hash one entry: SHA-256(0x00 || entry)."""
    return sha256(b"\x00" + entry).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash an inner node: SHA-256(0x01 || left || right)."""
    return sha256(b"\x01" + left + right).digest()


def root(hashes: Sequence[bytes]) -> bytes:
    """Return the tree hash over leaf hashes in order; `EMPTY_ROOT` for none."""
    if not hashes:
        return EMPTY_ROOT
    row = list(hashes)
    while len(row) > 1:
        # A last node without a sibling climbs as it is: RFC 6962 splits at the largest power of two.
        odd = row.pop() if len(row) & 1 else None
        row = pairs(row)
        if odd is not None:
            row.append(odd)
    return row[0]


def pairs(row: Sequence[bytes]) -> list[bytes]:
    """Hash an even row of nodes two by two into the row above."""
    return [sha256(b"\x01" + left + right).digest() for left, right in zip(row[::2], row[1::2], strict=True)]


def range_root(start: int, end: int, get: Get) -> bytes:
    """Return the hash of leaves [start, end) as the RFC splits them; `start` is where such a subtree can start."""
    peaks = []
    while start < end:
        height = (end - start).bit_length() - 1
        peaks.append(get(height, start >> height))
        start += 1 << height
    whole = peaks.pop()
    while peaks:
        whole = node_hash(peaks.pop(), whole)
    return whole


def inclusion_proof(index: int, size: int, get: Get) -> list[bytes]:
    """Return PATH(index, D[size]) of RFC 6962 §2.1.1, the leaf's sibling first."""
    if not 0 <= index < size <= LARGEST:
        raise _range(f"A tree of {size} entries has no entry {index}.")
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(range_root(middle, end, get))
            end = middle
        else:
            path.append(range_root(start, middle, get))
            start = middle
    path.reverse()
    return path


def verify_inclusion(index: int, size: int, leaf: bytes, proof: Sequence[bytes], tree_root: bytes) -> bool:
    """Check an inclusion proof (RFC 9162 §2.1.3.2). `leaf` must be computed from the record, never taken on trust."""
    if not 0 <= index < size <= LARGEST or not _hashes((leaf, tree_root, *proof)):
        return False
    position, last, found = index, size - 1, leaf
    for step in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            found = node_hash(step, found)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            found = node_hash(found, step)
        position >>= 1
        last >>= 1
    return last == 0 and found == tree_root


def consistency_proof(old: int, new: int, get: Get) -> list[bytes]:
    """Return PROOF(old, D[new]) of RFC 6962 §2.1.2; empty for equal sizes. Size 0 has no proof, and is refused."""
    if not 0 < old <= new <= LARGEST:
        raise _range(f"There is no consistency proof from {old} to {new} entries.")
    start, end, path, whole = 0, new, [], True
    while old < end:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(range_root(middle, end, get))
            end = middle
        else:
            path.append(range_root(start, middle, get))
            start, whole = middle, False
    if not whole:
        path.append(range_root(start, end, get))
    path.reverse()
    return path


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Check a consistency proof (RFC 9162 §2.1.4.2).

    From size 0 to anything larger nothing is proved, so the answer is False; equal sizes want equal roots and no proof.
    """
    if not 0 <= old <= new <= LARGEST or not _hashes((old_root, new_root, *proof)):
        return False
    if old == new:
        return not proof and old_root == new_root
    if old == 0 or not proof:
        return False
    steps = list(proof) if old & (old - 1) else [old_root, *proof]
    position, last = old - 1, new - 1
    while position & 1:
        position >>= 1
        last >>= 1
    was = now = steps[0]
    for step in steps[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            was, now = node_hash(step, was), node_hash(step, now)
            while not position & 1 and position:
                position >>= 1
                last >>= 1
        else:
            now = node_hash(now, step)
        position >>= 1
        last >>= 1
    return last == 0 and was == old_root and now == new_root


def _split(count: int) -> int:
    """Return the largest power of two below `count` (2 at least)."""
    return 1 << ((count - 1).bit_length() - 1)


def _hashes(values: Sequence[bytes]) -> bool:
    return all(len(value) == HASH_SIZE for value in values)


def _range(message: str) -> LedgerFault:
    return LedgerFault("proof_range", message, "Ask for an entry or a size that the tree has.")

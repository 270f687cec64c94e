"""Judges what several nodes did: a history by one observer, what the upstream saw, the ledger, the published heads.

Pure. Instants are nanoseconds of one monotonic clock. What had no answer may have happened, or may not: it is held to
nothing that it did not show, but what arrived upstream counts as allowed whatever its caller heard.
"""

import hashlib
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum


class Said(StrEnum):
    """What the caller heard."""

    ALLOWED = "allowed"
    REFUSED = "refused"
    DONE = "done"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Event:
    """One act from its invocation to its return. `name` is a call's own name; `on` is the task that it rests on, or
    that is revoked; `once` is the single-use thing that it spends, if any."""

    kind: str
    node: str
    name: str
    on: str
    invoked: int
    returned: int
    said: Said
    once: str = ""


@dataclass(frozen=True, slots=True)
class Head:
    """A head that some node published."""

    node: str
    size: int
    root: bytes


def late(history: Iterable[Event], arrived: Iterable[str]) -> list[str]:
    """Calls that began after a revocation of their task had returned, and were allowed or arrived all the same."""
    events, there = list(history), set(arrived)
    over: dict[str, int] = {}
    for one in events:
        if one.kind == "revoke" and one.said is Said.DONE:
            over[one.on] = min(one.returned, over.get(one.on, one.returned))
    return [
        f"late: {one.name} at {one.node} began after the revocation of {one.on} had returned"
        for one in events
        if one.kind == "call" and one.on in over and one.invoked > over[one.on]
        if one.said is Said.ALLOWED or one.name in there
    ]


def twice(history: Iterable[Event], most: Mapping[str, int] | None = None) -> list[str]:
    """Single-use things that succeeded more than once, or more often than `most` says of them."""
    spent = Counter(one.once for one in history if one.once and one.said in {Said.ALLOWED, Said.DONE})
    return [
        f"twice: {name} succeeded {count} times" for name, count in spent.items() if count > (most or {}).get(name, 1)
    ]


def unanswered(history: Iterable[Event]) -> list[str]:
    """Acts that got no yes and no no. For histories in which nothing was hurt: then each has an answer."""
    return [f"unanswered: {one.kind} {one.name} at {one.node}" for one in history if one.said is Said.UNKNOWN]


def leafless(history: Iterable[Event], arrived: Iterable[str], recorded: Iterable[str]) -> list[str]:
    """Calls that were allowed or arrived, without an allowing entry of the ledger; and those that arrived twice."""
    kept, came = set(recorded), Counter(arrived)
    told = {one.name for one in history if one.kind == "call" and one.said is Said.ALLOWED}
    found = [f"leafless: {name} was let through without a leaf" for name in sorted((told | set(came)) - kept)]
    return found + [f"repeated: {name} arrived {count} times" for name, count in came.items() if count > 1]


def roots(entries: Sequence[bytes], sizes: Collection[int]) -> dict[int, bytes]:
    """The root of the first so many entries, for each size there is (RFC 6962 section 2.1); in one pass over them."""
    found, full = {}, []
    for size, entry in enumerate(entries, 1):
        full.append(hashlib.sha256(b"\x00" + entry).digest())
        for _ in range((size & -size).bit_length() - 1):
            right, left = full.pop(), full.pop()
            full.append(hashlib.sha256(b"\x01" + left + right).digest())
        if size in sizes:
            root = full[-1]
            for left in full[-2::-1]:
                root = hashlib.sha256(b"\x01" + left + root).digest()
            found[size] = root
    if 0 in sizes:
        found[0] = hashlib.sha256().digest()
    return found


def forked(heads: Iterable[Head], entries: Sequence[bytes]) -> list[str]:
    """Heads that do not sign a prefix of this one ledger. Prefixes of one list are consistent with each other."""
    heads = list(heads)
    true = roots(entries, {one.size for one in heads})
    found = []
    for head in heads:
        if head.size > len(entries):
            found.append(f"lost: {head.node} published size {head.size}, the ledger has {len(entries)}")
            continue
        if head.root != true[head.size]:
            found.append(f"forked: {head.node} published another root of size {head.size}")
    return found

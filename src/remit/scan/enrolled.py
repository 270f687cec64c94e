"""The agents that a scan met, as they would be registered: a client's file, a service, a unit or a job is one. Pure.

An agent's name ends with a fingerprint of where it was met, so that the next scan of the same place knows it again.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass

from remit.scan.sight import Met


@dataclass(frozen=True, slots=True)
class Proposed:
    """An agent to propose: its name, where it was met, what it is for as far as that tells, and what it is given."""

    name: str
    file: str
    line: int
    purpose: str
    resources: tuple[str, ...]


def proposed(seen: Iterable[Met]) -> tuple[Proposed, ...]:
    """The agents of what was met, by name. The servers of one client's file are what one agent is given."""
    clients: dict[str, list[Met]] = defaultdict(list)
    found: dict[str, Proposed] = {}
    for one in seen:
        if one.sort == "server":
            clients[one.file].append(one)
        else:
            name = _named(one.name.partition("/")[0], one.file, f"{one.sort} {one.name}")
            purpose = f"Met as the {one.sort} {_plain(one.name)}; say here what it is for."
            found[name] = Proposed(name, one.file, one.line, purpose, ())
    for file, servers in clients.items():
        folder = file.rpartition("/")[0].rpartition("/")[2].strip(".") or "client"
        name = _named(folder, file, "client")
        given = tuple(sorted({_slug(one.name) for one in servers}))
        purpose = f"Met as a client of {len(given)} servers; say here what it is for."
        found[name] = Proposed(name, file, min(one.line for one in servers), purpose, given)
    return tuple(found[name] for name in sorted(found))


def _named(word: str, file: str, what: str) -> str:
    mark = hashlib.sha256(f"{file}\0{what}".encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_slug(word)[:50].strip('-')}-{mark}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")[:63] or "agent"


def _plain(text: str) -> str:
    return "".join(c for c in text if c.isprintable())[:80]

"""Join: a target's own log held against the ledger. What was done there and no decision explains is a gap.

An act under a lease's name, or by its token, is explained by one allowed call of the same task, path and resource, with
the same verb, that was decided before it and had not ended before it; each call explains one act, or those that the
target says came of one request. A tool's call says nothing of what its program does at the target: it explains whatever
was done while it was under way. Everybody else's acts are counted, but those of an actor that is said to be ours.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from remit.core.canonical import Json
from remit.core.lease import Lease
from remit.core.moment import LAST, Instant
from remit.core.receipt import DECIDED, OUTCOME, decode
from remit.core.resource import split
from remit.core.target_log import Act
from remit.store import lease as leases
from remit.store import log
from remit.store.db import Database
from remit.store.record import Reader

SLACK_MS: Final = 2_000
"""How far the clocks of Remit and a target may lie apart."""
PART: Final = 2_000
STATEMENTS: Final = {
    "copy": ("select", "insert"),
    "explain": ("select",),
    "with": ("select", "insert", "update", "delete"),
}
"""Statements whose calls go by the verb of what they hold."""
LOOSE: Final = ("http:", "mcp:")
"""Calls whose kind is not what the target calls it."""


@dataclass(frozen=True, slots=True)
class Gap:
    """An act that no decision explains, and why none does."""

    act: Act
    why: str


@dataclass(frozen=True, slots=True)
class Joined:
    """What a log holds: acts and the entry that explains each, gaps, and how many acts were not under our names."""

    explained: tuple[tuple[Act, int], ...]
    gaps: tuple[Gap, ...]
    others: int


@dataclass(slots=True)
class _Call:
    leaf: int
    task: str
    path: str
    action: str
    at: Instant
    ended: int = LAST
    used: bool = False


def join(db: Database, acts: Iterable[Act], slack: int = SLACK_MS, ours: str = "") -> Joined:
    """Hold the acts of one target's log against this ledger. Whatever the actor `ours` did there counts as ours."""
    calls, leases_of, acts = _calls(db), _Leases(Reader(db)), list(acts)
    groups: dict[tuple[str, str], _Call] = {}
    explained: list[tuple[Act, int]] = []
    gaps: list[Gap] = []
    others = 0
    for act in sorted(acts, key=lambda one: (one.at, one.line)):
        one = leases_of.found(act)
        if one is None and not act.name and not (ours and act.user == ours):
            others += 1
            continue
        key = (act.mark, act.group)
        found = (groups.get(key) if act.group else None) or _explain(act, one, calls, slack)
        if isinstance(found, str):
            gaps.append(Gap(act, found))
            continue
        if act.group:
            groups[key] = found
        found.used = not found.action.startswith("mcp:")
        explained.append((act, found.leaf))
    return Joined(tuple(explained), tuple(gaps), others)


def _explain(act: Act, one: Lease | None, calls: dict[str, list[_Call]], slack: int) -> "_Call | str":
    if one is None:
        return f"no lease of this ledger has this {'name' if act.name else 'token'}"
    if one.died and act.at > one.died + slack:
        return "its lease was proven dead before"
    mine = [call for call in calls.get(one.task, ()) if call.path == one.path.value]
    at_place = [call for call in mine if split(call.action)[0] == one.resource and not call.used]
    verbs = STATEMENTS.get(act.verb, (act.verb,))
    fitting = [call for call in at_place if split(call.action)[1] in verbs or call.action.startswith(LOOSE)]
    for call in fitting:
        if call.at - slack <= act.at <= call.ended + slack:
            return call
    return "no allowed call of its task is left that did this then" if mine else "no call of its task was allowed"


class _Leases:
    """Leases by what a target calls them: their name, or the mark of their token."""

    def __init__(self, reader: Reader) -> None:
        self._reader, self._named = reader, dict[str, Lease | None]()
        self._marked: dict[str, Lease] | None = None

    def found(self, act: Act) -> Lease | None:
        """The lease of this ledger that an act was done by."""
        if act.mark and self._marked is None:
            self._marked = {one.mark: one for one in self._reader.where(Lease) if one.mark}
        if act.mark and self._marked and act.mark in self._marked:
            return self._marked[act.mark]
        if act.name and act.name not in self._named:
            mine = leases.of_task(self._reader, act.name.removeprefix("remit_")[:30])
            self._named[act.name] = next((one for one in mine if one.name == act.name), None)
        return self._named.get(act.name)


def _calls(db: Database) -> dict[str, list[_Call]]:
    """Every allowed call, by task, with when it ended."""
    found: dict[str, list[_Call]] = {}
    by_id: dict[str, _Call] = {}
    size, start = log.newest(db).size, 0
    while start < size:
        for leaf, body in enumerate(log.entries(db, start, min(size, start + PART)), start):
            said: dict[str, Json] = decode(body)
            if said["kind"] == DECIDED and said["decision"] == "allow" and "task" in said:
                one = _Call(leaf, said["task"], said.get("path", ""), said["action"], said["at"])
                by_id[said["call"]] = one
                found.setdefault(one.task, []).append(one)
            elif said["kind"] == OUTCOME and said["call"] in by_id:
                by_id[said["call"]].ended = said["at"]
        start += PART
    return found

"""What to read together with the write lock, on a store across a network: one exchange in place of a dozen.

What the decisions of a credential on an action read last time is a hint of what the next one will read, never an
answer: all that a decision rests on is read in its own transaction (law 1), and what was not foreseen is read when it
is asked for.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from remit.store.db import Reads, Row
from remit.store.log import EMPTY, Head

Place = tuple[str, str]
"""A table and an id in it."""
Hint = tuple[str, str]
"""A credential's id and an action."""

MOST_HINTS: Final = 4096
MOST_PLACES: Final = 2048
_ALWAYS: Final = (
    "SELECT '@head' AS kind, note AS id, CAST(NULL AS BYTEA) AS body, size AS a, at AS b"
    " FROM (SELECT size, at, note FROM head ORDER BY size DESC LIMIT 1) AS newest"
    " UNION ALL SELECT '@version', name, NULL, leaf, 0 FROM version"
)
_ACTIVITY: Final = " UNION ALL SELECT '@activity' || paths, task, NULL, at, leaf FROM activity WHERE task = ANY(?)"
_ACTIVE: Final = "@activity"
"""The mark of a task's paths follows it: a row has no other room."""
_RECORD: Final = " UNION ALL SELECT '{0}', id, body, 0, 0 FROM {0} WHERE id = ANY(?)"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What was read under the lock: the newest head, the versions, and the bodies of rows; None for a row that is not.

    `active` has for each task instant and leaf of its latest act and the mark of its paths, as in the table `activity`.
    """

    head: Head
    versions: Mapping[str, int]
    bodies: Mapping[Place, bytes | None]
    active: Mapping[str, tuple[int, int, int]]


@dataclass(frozen=True, slots=True)
class Ahead:
    """The one statement to run with the lock, in PostgreSQL's words, and how to understand its rows."""

    places: frozenset[Place] = frozenset()
    reads: Reads = ((_ALWAYS, ()),)

    def understood(self, rows: Iterable[Row]) -> Foreseen:
        """Turn the rows of the statement into what they say. What was asked for and is not among them is not there."""
        head = EMPTY
        versions: dict[str, int] = {}
        bodies: dict[Place, bytes | None] = dict.fromkeys(self.places)
        active = {identity: (0, -1, 0) for table, identity in self.places if table == "task"}
        for kind, identity, body, a, b in rows:
            if kind == "@head":
                head = Head(a, b, identity)
            elif kind == "@version":
                versions[identity] = a
            elif kind.startswith(_ACTIVE):
                active[identity] = a, b, int(kind.removeprefix(_ACTIVE))
            else:
                bodies[kind, identity] = body
        return Foreseen(head, versions, bodies, active)


class Foresight:
    """Owned by one Authority; learns on the thread of its writer and is asked on that of the loop."""

    def __init__(self) -> None:
        self._hints: dict[Hint, frozenset[Place]] = {}

    def learn(self, hint: Hint, places: Iterable[Place]) -> None:
        """Remember which rows the facts of this credential and action were put together from."""
        if len(self._hints) >= MOST_HINTS:
            self._hints.clear()
        self._hints[hint] = frozenset(places)

    def ahead(self, hints: Iterable[Hint]) -> Ahead:
        """The reads that the decisions of these will want."""
        places: set[Place] = set()
        for hint in hints:
            places |= self._hints.get(hint, frozenset())
            if len(places) >= MOST_PLACES:
                break
        if not places:
            return Ahead()
        by: dict[str, list[str]] = {}
        for table, identity in sorted(places):
            by.setdefault(table, []).append(identity)
        tasks = by.get("task", [])
        text = _ALWAYS + _ACTIVITY + "".join(_RECORD.format(table) for table in by)
        return Ahead(frozenset(places), ((text, (tasks, *by.values())),))

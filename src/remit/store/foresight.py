"""What to read together with the write lock, on a store across a network: one exchange in place of a dozen.

What the decisions of a credential on an action read last time is a hint of what the next one will read, never an
answer: all that a decision rests on is read in its own transaction (law 1), and what was not foreseen is read when it
is asked for.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from remit.core.moment import Instant
from remit.store.db import Reads
from remit.store.log import Head

Place = tuple[str, str]
"""A table and an id in it."""
Hint = tuple[str, str]
"""A credential's id and an action."""

MOST_HINTS: Final = 4096
MOST_PLACES: Final = 2048
_HEAD: Final = "SELECT size, at, note FROM head ORDER BY size DESC LIMIT 1"
_VERSIONS: Final = "SELECT name, leaf FROM version"
_ACTIVITY: Final = "SELECT task, at, leaf FROM activity WHERE task = ANY(?)"


@dataclass(frozen=True, slots=True)
class Foreseen:
    """What was read under the lock: the newest head, the versions, and the bodies of rows; None for a row that is not.

    `active` has for each task the instant and the leaf of its latest act, as the table `activity` has it.
    """

    head: Head
    versions: Mapping[str, int]
    bodies: Mapping[Place, bytes | None]
    active: Mapping[str, tuple[int, int]]


@dataclass(frozen=True, slots=True)
class Ahead:
    """The reads to make with the lock, and how to understand their rows."""

    places: frozenset[Place] = frozenset()
    reads: Reads = field(default=((_HEAD, ()), (_VERSIONS, ())))

    def understood(self, rows: Sequence[Sequence[tuple[Any, ...]]]) -> Foreseen:
        """Turn the rows of `reads`, in their order, into what they say."""
        head = Head(*rows[0][0]) if rows[0] else Head(0, Instant(0), "")
        bodies: dict[Place, bytes | None] = dict.fromkeys(self.places)
        active: dict[str, tuple[int, int]] = {}
        if self.places:
            bodies |= {(table, identity): body for table, identity, body in rows[2]}
            active = {identity: (0, -1) for table, identity in self.places if table == "task"}
            active |= {task: (at, leaf) for task, at, leaf in rows[3]}
        return Foreseen(head, dict(rows[1]), bodies, active)


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
        each = (f"SELECT '{table}', id, body FROM {table} WHERE id = ANY(?)" for table in by)  # noqa: S608 - our nouns
        tasks = by.get("task", [])
        records = (" UNION ALL ".join(each), tuple(by.values()))
        return Ahead(frozenset(places), ((_HEAD, ()), (_VERSIONS, ()), records, (_ACTIVITY, (tasks,))))

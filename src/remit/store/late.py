"""Statements that wait to be sent together: put in groups for one exchange, in an order that changes nothing.

Pure. Statements on different tables commute (there are no foreign keys between ours, and no triggers); on one table
their order is kept. A savepoint, or whatever names no table, keeps its place among all.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Final

from remit.core.errors import RemitError
from remit.store.db import Value

_TABLE: Final = re.compile(r"(?:INSERT INTO|UPDATE|DELETE FROM) (\w+)")


@dataclass(frozen=True, slots=True)
class Late:
    """One statement that nobody waits for. With a `fault`, it must change one row."""

    text: str
    params: Sequence[Value]
    fault: RemitError | None = None


@dataclass(slots=True)
class Group:
    """One statement for several rows. With a `fault`, each must change one row."""

    text: str
    fault: RemitError | None
    rows: list[Sequence[Value]] = field(default_factory=list)


def grouped(waiting: Iterable[Late]) -> list[Group]:
    """Put statements of one text on one table together, as long as no other statement on that table stands between."""
    groups: list[Group] = []
    latest: dict[str, Group] = {}
    for one in waiting:
        match = _TABLE.match(one.text)
        if match is None:
            latest.clear()
            groups.append(Group(one.text, None, [one.params]))
            continue
        group = latest.get(match[1])
        if group is None or group.text != one.text or (group.fault is None) != (one.fault is None):
            group = latest[match[1]] = Group(one.text, one.fault)
            groups.append(group)
        group.rows.append(one.params)
    return groups

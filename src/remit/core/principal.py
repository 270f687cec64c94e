"""A Person or a Service: the principals whose authority an act rests on.

People stand in receipts by opaque id alone. Who a person is at their identity provider is kept apart (store/identity)
and can be erased without breaking the ledger.
"""

from typing import Final

from remit.core import ids
from remit.core.lifecycle import Lifecycle
from remit.core.record import Record

LIFE: Final = Lifecycle("principal", {"active": {"left": "gone"}, "gone": {}})


class Person(Record, frozen=True, kw_only=True, tag_field="noun", tag="person"):
    """A human being whose authority can be delegated, known by an opaque id."""

    id: str
    state: str = "active"
    groups: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ids.parse("per", self.id)
        _known(self.state)
        for group in self.groups:
            ids.name("group", group)


class Service(Record, frozen=True, kw_only=True, tag_field="noun", tag="service"):
    """A piece of the company's own software that may dispatch tasks; it is never an agent."""

    id: str
    name: str
    owner: str
    keys: tuple[dict[str, str], ...] = ()
    state: str = "active"

    def __post_init__(self) -> None:
        ids.parse("svc", self.id)
        ids.name("service", self.name)
        ids.parse("per", self.owner)
        _known(self.state)


def _known(state: str) -> None:
    if state not in LIFE.table:
        LIFE.after(state, "read")

"""What a brief says of lineage: who may vouch, which values flow where, and what becomes of what nobody vouches for."""

import re
from collections.abc import Mapping
from typing import Final

import msgspec

from remit.core.errors import RemitError
from remit.core.resource import split

FLOWS: Final = 40
RECORDS: Final = frozenset({"any", "named"})
_POINTER = re.compile(r"(/[^/\x00-\x1f]{1,128}){1,16}")


class Flow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, rename={"source": "from"}):
    """One argument may take its value from one tool's answers: `to` is ACTION#POINTER, `from` ACTION or ACTION#POINTER.

    `where` holds the call that answered to arguments: `request` for one that the request names, else the very text.
    `record` is `named` when only records count that the request names.
    """

    to: str
    source: str
    where: Mapping[str, str] = msgspec.field(default_factory=dict)
    record: str = "any"

    def __post_init__(self) -> None:
        action, mark, pointer = self.to.partition("#")
        origin, _, field = self.source.partition("#")
        split(action)
        split(origin)
        if not mark or not _POINTER.fullmatch(pointer) or (field and not _POINTER.fullmatch(field)):
            raise _invalid("A flow leads from ACTION or ACTION#POINTER to ACTION#POINTER.")
        if self.record not in RECORDS or len(self.where) > 8:
            raise _invalid("A flow takes any record or a named one, and at most 8 conditions.")

    @property
    def origin(self) -> tuple[str, str]:
        """The action and the field that it comes from; an empty field is the whole answer."""
        action, _, field = self.source.partition("#")
        return action, field

    @property
    def end(self) -> tuple[str, str]:
        """The action and the argument that it leads to."""
        action, _, pointer = self.to.partition("#")
        return action, pointer


class Rules(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The lineage rule of a brief.

    `acts` is `request` when an act must be meant by the request, `plan` when the plan's steps say enough. `unvouched`
    is what becomes of a value that nobody vouches for: `ask`, `refuse`, or `allow`, which only records; `groups` are
    who is asked. `undirected` is how often a task may write without any destination or object. `trusted` are more
    tools whose answers vouch, and `parameters` values that the brief itself vouches for.
    """

    acts: str = "request"
    unvouched: str = "ask"
    groups: tuple[str, ...] = ()
    undirected: int = 1
    trusted: tuple[str, ...] = ()
    parameters: Mapping[str, tuple[str, ...]] = msgspec.field(default_factory=dict)
    flows: tuple[Flow, ...] = ()

    def __post_init__(self) -> None:
        if self.acts not in {"request", "plan"} or self.unvouched not in {"ask", "refuse", "allow"}:
            raise _invalid("acts is request or plan, and unvouched is ask, refuse or allow.")
        if self.unvouched == "ask" and not self.groups:
            raise _invalid("Somebody must be asked: name groups, or let unvouched refuse.")
        if not 0 <= self.undirected <= 1000 or len(self.flows) > FLOWS or len(self.parameters) > 100:
            raise _invalid("It has at most 40 flows, 100 parameters and 1000 undirected writes.")
        for action in self.trusted:
            split(action)


def _invalid(why: str) -> RemitError:
    return RemitError("lineage_invalid", f"This lineage rule was refused. {why}", "See docs/spec/lineage.md.")

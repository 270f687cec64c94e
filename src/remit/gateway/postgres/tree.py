"""The grammar's tree, taken apart: what a node holds, and the rights that a statement was found to need."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from remit.core.errors import RemitError
from remit.gateway.postgres.value import Value

LOCATIONS: Final = frozenset(
    {
        "location", "stmt_location", "stmt_len", "list_start", "list_end", "rexpr_list_start", "rexpr_list_end",
        "name_location",
    }
)  # fmt: skip
"""Where something stands in the text; the only fields that mean nothing."""


@dataclass(frozen=True, slots=True)
class Act:
    """One right that a statement needs: a verb on one relation or function. `None` stands for what the verb has not."""

    verb: str
    relation: str
    columns: tuple[str, ...] | None = None
    where: tuple[tuple[str, Value], ...] | None = None
    values: tuple[tuple[str, Value], ...] | tuple[Value, ...] | None = None


def refused(what: str, code: str = "statement_refused") -> RemitError:
    """The fault for a statement that may not be."""
    return RemitError(code, what, "Ask for a plan that holds what you need, in plain SQL.")


def only(node: Any, *names: str) -> None:
    """Refuse a node that holds anything but these fields."""
    for held, _ in node.ListFields():
        if held.name not in names and held.name not in LOCATIONS:
            raise refused(f"{type(node).__name__} with {held.name} is not understood here.", "statement_unclassified")


def inner(node: Any) -> tuple[str, Any]:
    """What a Node holds: its kind and itself."""
    kind = node.WhichOneof("node")
    if kind is None:
        return "", None
    return kind, getattr(node, kind)


def strings(nodes: Iterable[Any]) -> list[str]:
    """A list of String nodes as text."""
    found = []
    for one in nodes:
        if one.WhichOneof("node") != "string":
            raise refused("A name holds what is no name.", "statement_unclassified")
        found.append(one.string.sval)
    return found

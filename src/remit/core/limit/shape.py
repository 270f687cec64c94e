"""What every argument limit is: frozen, tagged, able only to refuse."""

from typing import Any, ClassVar, Protocol

from remit.core.canonical import Json
from remit.core.errors import RemitError

MOST = 1000
"""The longest list of entries that one limit may hold."""


class ArgumentLimit(Protocol):
    """One bound on one argument. The plan or brief that holds it owns it."""

    tag: ClassVar[str]
    """The permanent name of the limit in JSON; it is never given to another meaning."""

    def allows(self, value: Json) -> bool:
        """Say whether the value may pass. A value of the wrong type does not; nothing is raised."""

    def covers(self, other: "ArgumentLimit") -> bool:
        """Say whether all that `other` allows is allowed here. False when that cannot be shown."""

    def to_json(self) -> dict[str, Json]:
        """Write the limit as its JSON form, which parses to an equal limit."""

    def says(self) -> str:
        """Say in a few words what is allowed."""


def invalid(why: str) -> RemitError:
    """Build the fault for a limit that cannot be read."""
    return RemitError("limit_invalid", f"This limit was refused. {why}", "Write the limit as docs/spec/limits.md says.")


def entries(what: str, value: Json) -> tuple[Any, ...]:
    """Read a list of 1 to `MOST` entries, none of them twice once built."""
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST:
        raise invalid(f"{what} takes a list of 1 to {MOST} entries.")
    return tuple(value)

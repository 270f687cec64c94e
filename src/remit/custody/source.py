"""A source lends authority at one target: mints for a task, lends to one call, drops, and proves that it is gone.

Control owns the lease rows and their states, and calls a source outside every transaction. Each verb can be repeated:
`name` is deterministic, so a retried mint or drop reaches the same thing at the target.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.secret import Secret


class Gone(StrEnum):
    """What a probe found at the target; `nothing` was made there, and the agent never held what was lent."""

    GONE = "gone"
    LIVE = "live"
    UNKNOWN = "unknown"
    NOTHING = "nothing"


@dataclass(frozen=True, slots=True)
class Description:
    """What a source can promise: whether each mint is new at the target, and whether a drop ends it there."""

    kind: str
    dynamic: bool
    says: str


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be minted, written down before: deterministic name, task, path, and when it must end."""

    name: str
    task: TaskId
    path: TrustPath
    until: Instant


@dataclass(frozen=True, slots=True)
class Lent:
    """What goes upstream with one call or one process, never to the agent."""

    headers: tuple[tuple[str, Secret], ...] = ()
    environ: tuple[tuple[str, Secret], ...] = ()

    def secrets(self) -> tuple[Secret, ...]:
        """All values in it, for redaction on the way back."""
        return tuple(value for _, value in (*self.headers, *self.environ))


@dataclass(frozen=True, slots=True)
class Minted:
    """A credential that now exists at the target. `secret` is None when there is nothing of its own to keep."""

    name: str
    until: Instant
    secret: Secret | None


class Source(Protocol):
    """One kind of target. Faults are `RemitError`; a target that cannot be reached is never taken for a success."""

    def describe(self) -> Description:
        """Return what this source can promise."""
        ...

    def mint(self, intent: Intent) -> Minted:
        """Make the credential at the target, ending at the intent's deadline at the latest."""
        ...

    def lend(self, minted: Minted) -> Lent:
        """Return what to inject upstream. Control calls this only with a permit in hand."""
        ...

    def drop(self, name: str) -> None:
        """End it at the target. Dropping what is gone already is a success."""
        ...

    def probe(self, name: str) -> Gone:
        """Look at the target itself, not at our records."""
        ...

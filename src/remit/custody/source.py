"""A source makes authority at one target: mints for a task, lends to one call, drops, and proves that it is gone.

Control owns the lease rows and their states, and calls a source outside every transaction, in a bounded pool for each
target. Each verb can be repeated: `name` is deterministic, so a retried mint or drop reaches the same thing at the
target. What each source can truly take back stands in its `Description`, on a ladder.
"""

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, Protocol, runtime_checkable

from remit.core.errors import RemitError
from remit.core.ids import TaskId
from remit.core.moment import Instant
from remit.core.step import Step
from remit.core.trust import TrustPath
from remit.custody.secret import Secret

OWED: Final = "token_owed"
"""The fault of a drop that has more to take back than what was lent: no end of that is the end of this."""


class Gone(StrEnum):
    """What a probe found at the target; `nothing` was made there, and the agent never held what was lent."""

    GONE = "gone"
    LIVE = "live"
    UNKNOWN = "unknown"
    NOTHING = "nothing"


class Rung(StrEnum):
    """How good the credential of a target is, best first: the ladder that every target stands on."""

    PER_TASK = "per-task"
    SHORT = "short-lived"
    BROKERED = "brokered static"
    STATIC = "static in the agent"


@dataclass(frozen=True, slots=True)
class Description:
    """What a source can promise: its rung, whether each mint is new at the target, and whether a drop ends it there.

    `longest` are the milliseconds after which the target itself has ended any mint with all that is open under it, 0
    where it does not. `shown` says how far that was shown: `target` against the real thing, `partial` against a
    stand-in.
    """

    kind: str
    rung: Rung
    dynamic: bool
    revocable: bool
    says: str
    longest: int = 0
    shown: str = "target"


@dataclass(frozen=True, slots=True)
class Intent:
    """What is about to be minted, written down before: deterministic name, task, path, steps, and when it must end.

    `person` is who the delegated path acts for, by opaque id; `labels` travel to the target. `life` is milliseconds
    from now; `left` says how many are left until the mint may no more happen; `random` draws bytes;
    `held` is what that person gave for this target, and nobody else.
    """

    name: str
    task: TaskId
    path: TrustPath
    until: Instant
    life: int = 60_000
    steps: tuple[Step, ...] = ()
    person: str = ""
    labels: tuple[tuple[str, str], ...] = ()
    left: Callable[[], int] = lambda: 10_000
    random: Callable[[int], bytes] = bytes
    held: Secret | None = None


@dataclass(frozen=True, slots=True)
class Lent:
    """What goes upstream with one call or one process, never to the agent. `user` and `password` log in.

    `bare` are values that stand within others, to be taken out of answers by themselves.
    """

    headers: tuple[tuple[str, Secret], ...] = ()
    environ: tuple[tuple[str, Secret], ...] = ()
    user: str = ""
    password: Secret | None = None
    bare: tuple[Secret, ...] = ()

    def secrets(self) -> tuple[Secret, ...]:
        """All values in it, for redaction on the way back."""
        own = () if self.password is None else (self.password,)
        return (*own, *self.bare, *(value for _, value in (*self.headers, *self.environ)))


def bearer(token: Secret, variable: str = "") -> Lent:
    """A token as the Authorization header says it (RFC 6750), and as the variable of a program, if one is named."""
    environ = ((variable, token),) if variable else ()
    return Lent(headers=(("authorization", Secret(b"Bearer " + token.reveal())),), environ=environ, bare=(token,))


@dataclass(frozen=True, slots=True)
class Minted:
    """A credential at the target. `secret` is None when there is nothing of its own, or when it was never recorded.

    `ends` is when the target itself ends it, where that is not `until`: it is not lent after `until` in any case.
    `renewed` takes the place of what the person gave, where a target exchanges that at each use. `mark` is what the
    target's own log calls it, where that is not its name. `owed` is what its source left of a mint that failed.
    """

    name: str
    until: Instant
    secret: Secret | None
    renewed: Secret | None = None
    ends: Instant | None = None
    mark: str = ""
    owed: Secret | None = None


class Source(Protocol):
    """One target. Faults are `RemitError`; a target that cannot be reached is never taken for a success.

    Called from several threads at once.
    """

    def describe(self) -> Description:
        """Return what this source can promise."""
        ...

    def mint(self, intent: Intent) -> Minted:
        """Make the credential at the target, ending there by itself no later than the intent's life allows.

        Past the mint's deadline (`intent.left`) it must not come to be, however late its words reach the target.
        """
        ...

    def lend(self, minted: Minted) -> Lent:
        """Return what to inject upstream. Control calls this only with a permit in hand; nothing is asked of anyone."""
        ...

    def drop(self, minted: Minted) -> None:
        """End it at the target, and what is open under it. Dropping what is gone already is a success."""
        ...

    def probe(self, minted: Minted) -> Gone:
        """Look at the target itself, not at our records: try to use it, and look whether it is there."""
        ...

    def reach(self, minted: Minted) -> tuple[str, ...]:
        """What it can touch, as the target itself says: one line each, such as `select public.orders (id, total)`."""
        ...

    def found(self) -> tuple[str, ...]:
        """The names of ours that stand at the target now, whoever made them; empty where a target cannot say."""
        ...

    def close(self) -> None:
        """Let go of connections. What was minted stays as it is."""
        ...


@runtime_checkable
class Parts(Protocol):
    """A source of what people connected: it takes back what a person gave, too."""

    def part(self, held: Secret) -> Gone:
        """End what this person gave at the provider, and look whether it is gone. Doing it twice is a success."""
        ...

    def newest(self, held: Secret) -> Secret:
        """What that has become by now, where the provider exchanges it for another at a use; else it itself."""
        ...


@runtime_checkable
class Owes(Protocol):
    """A source whose mint may fail with more to take back than a name tells."""

    def owed(self, name: str) -> Secret | None:
        """What is to be taken back of this mint, for whichever node drops it; None when that is nothing."""
        ...


def late() -> RemitError:
    """What a mint past its deadline is."""
    return RemitError("mint_late", "The mint came too late to count.", "Send the call again.")


def unknown() -> RemitError:
    """What lending is when nothing was recorded of a mint."""
    return RemitError("lease_ended", "What this lease minted is not known.", "Send the call again.")

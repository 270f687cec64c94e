"""What a gate needs of the side that decides: enter, decide, borrow, note, seen.

Everything answers through a callback, so that the authority may decide a whole batch of waiting calls in one transaction
and answer only after its commit. Callbacks are called on the gate's own thread. No callback is ever called twice.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.decision import Deny
from remit.core.resource import Resource
from remit.core.trust import TrustPath


@dataclass(frozen=True, slots=True)
class Entry:
    """A credential whose text is genuine and is for this resource. It says who is asking, and allows nothing."""

    credential: str
    task: str
    agent: str
    path: TrustPath
    resource: str
    thumb: str = ""
    ticket: object = None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A presentation that is no entry: answered 401 with this OAuth error, counted, never written."""

    error: str
    what: str


@dataclass(frozen=True, slots=True)
class Permit:
    """Proof that this very call was allowed and that the ledger says so. The only thing that can forward or borrow.

    Built in one place, after the commit of its receipt. `until` is on the authority's monotonic clock that counts suspend,
    in milliseconds; past it the call is decided again. `visible` are the tools and kinds that a list may show.
    """

    call: str
    digest: bytes
    leaf: int
    task: str
    path: TrustPath
    resource: str
    until: int
    visible: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lent:
    """What is put on the call on its way upstream, and the values that must not come back in an answer."""

    headers: tuple[tuple[bytes, bytes], ...] = ()
    environment: tuple[tuple[str, str], ...] = ()
    hidden: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Fault:
    """The authority could not decide or note: refuse. Never an allow."""

    code: str
    what: str


class Authority(Protocol):
    """The side that decides, lends and notes. `origin` names the open decided call that a reverse call hangs on."""

    def resource(self, name: str) -> Resource | None:
        """The registered resource of this name, for its address; says nothing about who may use it."""

    def enter(self, presented: str, resource: str) -> Entry | Unknown:
        """Check a presented credential's text: signature, type, audience, life."""

    def decide(self, call: Call, entry: Entry, origin: str, done: Callable[[Permit | Deny | Fault], None]) -> None:
        """Decide a call; answer with a Permit only after its receipt is durably committed."""

    def fresh(self, permit: Permit) -> bool:
        """Say, just before the first byte goes upstream, whether the permit still holds."""

    def borrow(self, permit: Permit) -> Lent | Fault:
        """Lend what this permit's call needs upstream."""

    def note(self, permit: Permit, result: Mapping[str, Json], done: Callable[[Fault | None], None]) -> None:
        """Record how the call ended; the answer may leave only after `done(None)`."""

    def live(self, credentials: Sequence[str]) -> frozenset[str]:
        """Which of these credentials still stand, read fresh from the store: streams of the others are cut."""

    def seen(self, resource: str, tools: Mapping[str, Json], done: Callable[[frozenset[str]], None]) -> None:
        """Hold the tool definitions that the upstream gives now against the pins; answer with those that differ."""

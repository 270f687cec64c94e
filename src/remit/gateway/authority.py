"""What a gate needs of the side that decides: enter, decide, borrow, note, seen.

Everything slow answers through a callback, so that the authority may decide a whole batch of waiting calls in one
transaction and answer only after its commit. Callbacks are called on the gate's own thread, and never twice.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import Json
from remit.core.permit import BARE, Entry, Fault, Leaf, Lent, Manner, Permit, Unknown
from remit.core.resource import Resource


class Authority(Protocol):
    """The side that decides, lends and notes. `origin` names the open decided call that a reverse call hangs on."""

    def resource(self, name: str) -> Resource | Fault | None:
        """The registered resource of this name, for its address; says nothing about who may use it.

        A Fault when it cannot be looked up, which is not the same as there being none.
        """

    def enter(self, presented: str, resource: str, manner: Manner = BARE) -> Entry | Unknown:
        """Check a presented credential's text: signature, type, audience, life; and that its key is there."""

    def between(self, job: Callable[[], None]) -> None:
        """Do a job once no transaction is under way: at once, or when the one that is has ended."""

    def decide(self, call: Call, entry: Entry, origin: str, done: Callable[[Permit | Deny | Fault], None]) -> None:
        """Decide a call; answer with a Permit only after its receipt is durably committed."""

    def refuse(self, call: Call, entry: Entry, why: Deny, done: Callable[[Deny | Fault], None]) -> None:
        """Record a call that the gate refused before any decision; the refusal may leave after `done`.

        It is told why: `why`, or what the credential rests on and is no more.
        """

    def fresh(self, permit: Permit) -> bool:
        """Say, just before the first byte goes upstream, whether the permit still holds."""

    def borrow(self, permit: Permit) -> Lent | Fault:
        """Lend what this permit's call needs upstream."""

    def note(self, permit: Permit, result: Mapping[str, Json], done: Callable[[Fault | None], None]) -> None:
        """Record how the call ended; the answer may leave only after `done(None)`, and on a Fault it must not.

        Where `permit.counted` is not empty, an "ok" result must say how many `rows` the answer holds.
        """

    def live(self, credentials: Sequence[str]) -> frozenset[str]:
        """Which of these credentials still stand, read fresh from the store: streams of the others are cut."""

    def waits(self, entry: Entry, approval: str) -> bool:
        """Whether this approval of the entry's own task still waits for people, read fresh."""

    def open(self, tasks: Sequence[str]) -> frozenset[str]:
        """Which of these tasks are still open, read fresh: what runs for the others is stopped."""

    def definitions(self, resource: str) -> Mapping[str, Json] | Fault:
        """The pinned definitions of a resource's tools, by name: what a gate understands its requests by."""

    def seen(self, resource: str, tools: Mapping[str, Json], done: Callable[[frozenset[str]], None]) -> None:
        """Hold the tool definitions that the upstream gives now against the pins; answer with those that differ."""


class Forwarding(Authority, Protocol):
    """The side that decides, as a gate needs it that is told where a request goes, not for which resource it is."""

    def apis(self) -> Sequence[Resource] | Fault:
        """The registered APIs, for their addresses; says nothing about who may use them."""

    def anywhere(self, presented: str, manner: Manner = BARE) -> Entry | Unknown:
        """Check a credential's text as `enter` does, at whichever resource it is for."""

    def leaf(self, task: str, host: str) -> Leaf | Fault:
        """A certificate for this host under the task's own authority."""

"""Runs one call through `enforce.step`: each command is carried out, and what came of it is the next event."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final

from remit.core.call import Call
from remit.core.permit import Entry, Fault, Lent, Permit
from remit.gateway.authority import Authority
from remit.gateway.enforce import (
    IDLE,
    Answer,
    Arrived,
    Borrow,
    Borrowed,
    Decide,
    Decided,
    Event,
    Forward,
    Note,
    Noted,
    Refuse,
    Release,
    State,
    step,
)

_NOTHING: Final = Lent()
Carry = Callable[[Permit, Lent], Awaitable[Event | None]]
"""Carries a permitted call to its target; None when the answer will come another way, to `go`."""


class Run:
    """One call on its way through the states; owned by the exchange that it belongs to. `bare`: it borrows nothing.

    Whatever stops it between forwarding and noting, the outcome is recorded as unknown.
    """

    __slots__ = ("_authority", "_bare", "_carry", "_loop", "state")

    def __init__(
        self, authority: Authority, carry: Carry, loop: asyncio.AbstractEventLoop, *, bare: bool = False
    ) -> None:
        self._authority = authority
        self._bare = bare
        self._carry = carry
        self._loop = loop
        self.state: State = IDLE

    async def start(self, call: Call, entry: Entry, origin: str = "") -> Answer | Refuse | None:
        """Take a call from its arrival to its answer, or to where it is parked (None)."""
        return await self.go(Arrived(call, entry, origin))

    async def go(self, event: Event | None) -> Answer | Refuse | None:
        """Go on from this event."""
        while event is not None:
            self.state, commands = step(self.state, event)
            event = None
            for command in commands:
                match command:
                    case Decide(call, entry, origin):
                        event = Decided(await decided(self._authority, call, entry, origin, self._loop))
                    case Borrow(permit):
                        event = Borrowed(_NOTHING if self._bare else self._authority.borrow(permit))
                    case Forward(_, permit, lent):
                        event = await self._forward(permit, lent)
                    case Note(permit, result):
                        noted: asyncio.Future[Fault | None] = self._loop.create_future()
                        self._authority.note(permit, result, setter(noted))
                        event = Noted(await noted)
                    case Release(permit):
                        release(self._authority, permit)
                    case Answer() | Refuse():
                        return command
        return None

    async def _forward(self, permit: Permit, lent: Lent) -> Event | None:
        try:
            return await self._carry(permit, lent)
        except BaseException:
            self._authority.note(permit, {"result": "unknown"}, nobody())
            raise


async def decided(
    authority: Authority, call: Call, entry: Entry, origin: str, loop: asyncio.AbstractEventLoop
) -> Any:  # Permit | Deny | Fault, kept loose because a future carries it
    """Have one call decided; the answer comes after the commit of its receipt."""
    answer: asyncio.Future[Any] = loop.create_future()
    authority.decide(call, entry, origin, setter(answer))
    return await answer


def setter(future: "asyncio.Future[Any]") -> Callable[[Any], None]:
    """A callback that resolves a future, unless whoever waited has left."""

    def resolve(value: Any) -> None:
        if not future.done():
            future.set_result(value)

    return resolve


def release(authority: Authority, permit: Permit) -> None:
    """Record that nothing was sent; nobody waits for it."""
    authority.note(permit, {"result": "not_sent"}, nobody())


def nobody() -> Callable[[object], None]:
    """A callback for whom nobody waits: a fault then leaves the outcome unknown, which is what the ledger says."""
    return lambda _: None

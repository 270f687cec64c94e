"""Seats: how many connections a gate of sockets takes, and who sits in them. Owned by one gate, on its loop.

Whoever has shown no credential that counts is a stranger: it has `FIRST_S` to show one, an address has `EACH` of them,
and when the house is full the stranger who has waited longest goes, not who comes. Who is known is counted by agent.
"""

import asyncio
from collections import Counter
from collections.abc import Hashable
from typing import Final, Protocol

FIRST_S: Final = 10.0
"""Seconds from the first octet of a connection, TLS and all, until a credential that counts was shown."""
EACH: Final = 128
"""Strangers from one address."""


class Sitting(Hashable, Protocol):
    """One connection."""

    def abort(self) -> None:
        """End it now."""


class Seats:
    """`enter` and `leave` each connection once; `known` as often as it shows a credential that counts."""

    def __init__(self, most: int, per_agent: int) -> None:
        self.most = most
        self.per_agent = per_agent
        self._strangers: dict[Sitting, tuple[str, asyncio.TimerHandle]] = {}
        self._near: dict[str, dict[Sitting, None]] = {}
        self._known: dict[Sitting, str] = {}
        self._agents: Counter[str] = Counter()

    def enter(self, one: Sitting, address: str) -> bool:
        """Take a seat as a stranger; False when every seat is taken by somebody known."""
        same = self._near.get(address, {})
        if len(same) >= EACH:
            self._turn_out(next(iter(same)))
        if len(self._strangers) + len(self._known) >= self.most:
            if not self._strangers:
                return False
            self._turn_out(next(iter(self._strangers)))
        timer = asyncio.get_running_loop().call_later(FIRST_S, self._turn_out, one)
        self._strangers[one] = address, timer
        self._near.setdefault(address, {})[one] = None
        return True

    def known(self, one: Sitting, agent: str) -> bool:
        """A credential of this agent was shown and counts; False when the agent has all the seats that it may have."""
        if self._known.get(one) == agent:
            return True
        if self._agents[agent] >= self.per_agent or not self._leave(one):
            return False
        self._known[one] = agent
        self._agents[agent] += 1
        return True

    def leave(self, one: Sitting) -> None:
        """The connection is gone."""
        self._leave(one)

    def _turn_out(self, one: Sitting) -> None:
        if self._leave(one):
            one.abort()

    def _leave(self, one: Sitting) -> bool:
        """Free its seat; whether it had one."""
        stranger = self._strangers.pop(one, None)
        if stranger is not None:
            where, timer = stranger
            timer.cancel()
            same = self._near[where]
            del same[one]
            if not same:
                del self._near[where]
            return True
        agent = self._known.pop(one, None)
        if agent is not None:
            self._agents -= Counter((agent,))
        return agent is not None

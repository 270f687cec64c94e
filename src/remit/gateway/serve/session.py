"""What the gate remembers between requests: legacy sessions, contacts with servers. It authorises nothing."""

import asyncio
import secrets
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from remit.core.permit import Entry, Permit
from remit.gateway.mcp.headers import Repeated
from remit.gateway.mcp.message import Message
from remit.gateway.upstream.sse import Event

IDLE_S: Final = 3600.0
RECHECK_S: Final = 60.0
EACH_TASK: Final = 64
PARKED: Final = 256


@dataclass(slots=True)
class Contact:
    """When a server's tool definitions were last held against the pins, what is hidden since, what headers repeat."""

    checked: float = -RECHECK_S
    hidden: frozenset[str] = frozenset()
    repeated: dict[str, Repeated] = field(default_factory=dict)
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    def current(self, now: float) -> bool:
        """Whether the definitions need not be read again yet."""
        return now - self.checked < RECHECK_S

    def stale(self) -> None:
        """Have them read again before the next call."""
        self.checked = -RECHECK_S


class Parked(Protocol):
    """A call whose stream ended before its response."""

    data: bytes

    async def resume(self, response: Message, last: Event | None) -> bool:
        """Settle it with the response that came on another stream; say whether it may leave."""

    async def lose(self) -> None:
        """End it: the response never came."""


@dataclass(slots=True)
class Session:
    """One legacy session between a client and the gate, bound to task, key and resource.

    `leads` says whether the client can lead a person to an address.
    `asked` are the server's requests that the client has not answered, `parked` the calls whose stream ended before
    their response, by the JSON-RPC id that the response will have.
    """

    id: str
    task: str
    thumb: str
    resource: str
    version: str
    used: float
    upstream: str = ""
    bridged: bool = False
    leads: bool = False
    contact: Contact = field(default_factory=Contact)
    asked: dict[Any, tuple[Permit, str]] = field(default_factory=dict)
    parked: dict[Any, Parked] = field(default_factory=dict)

    def holds(self, entry: Entry) -> bool:
        """Whether this entry may speak in it."""
        return self.task == entry.task and self.thumb == entry.thumb and self.resource == entry.resource


class Sessions:
    """All legacy sessions of one gate."""

    def __init__(self) -> None:
        self._held: dict[str, Session] = {}

    def __len__(self) -> int:
        return len(self._held)

    def make(self, entry: Entry, version: str, now: float) -> tuple[Session, list[Session]]:
        """Begin a session; also returns the task's oldest ones that had to give way."""
        session = Session(secrets.token_urlsafe(24), entry.task, entry.thumb, entry.resource, version, now)
        mine = [one for one in self._held.values() if one.task == entry.task]
        old = sorted(mine, key=lambda one: one.used)[: max(0, len(mine) + 1 - EACH_TASK)]
        for one in old:
            del self._held[one.id]
        self._held[session.id] = session
        return session, old

    def find(self, text: str, entry: Entry, now: float) -> Session | None:
        """The session of this id, if the entry may speak in it."""
        session = self._held.get(text)
        if session is None or not session.holds(entry):
            return None
        session.used = now
        return session

    def drop(self, session: Session) -> None:
        """Forget a session."""
        self._held.pop(session.id, None)

    def take(self, now: float, *, closed: frozenset[str] | None = None) -> list[Session]:
        """Forget what is idle or belongs to these tasks; return it."""
        gone = [s for s in self._held.values() if now - s.used > IDLE_S or (closed is not None and s.task in closed)]
        for one in gone:
            del self._held[one.id]
        return gone

    def tasks(self) -> set[str]:
        """Whose sessions these are."""
        return {one.task for one in self._held.values()}

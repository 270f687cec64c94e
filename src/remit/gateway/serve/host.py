"""What exchanges and legs need of the gate that they belong to."""

import asyncio
from dataclasses import dataclass, field
from typing import Any, Protocol

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.permit import Entry
from remit.core.redact import Redactor
from remit.core.resource import Resource
from remit.gateway.authority import Authority
from remit.gateway.mcp.message import Message, Wrong
from remit.gateway.serve.asgi import Outlet
from remit.gateway.serve.session import Sessions


@dataclass(frozen=True, slots=True)
class Settings:
    """Bounds in octets and seconds: of a request's body, of an answer or event, of a target's silence.

    `origins` are further web origins whose pages may speak to the gate.
    """

    body: int = 4 * 1024 * 1024
    answer: int = 32 * 1024 * 1024
    patience: float = 60.0
    origins: frozenset[str] = field(default_factory=frozenset)


class Host(Protocol):
    """The gate, as its exchanges and legs see it."""

    authority: Authority
    settings: Settings
    sessions: Sessions
    running: set[Any]
    page: str

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop that it lives on."""

    def read(self, data: bytes) -> Message | Wrong:
        """Read what a target sent."""

    def redactor(self, hidden: tuple[bytes, ...]) -> Redactor:
        """What takes these values out of answers."""

    def observe(self, exchange: Any) -> None:
        """Watch whether the client of this exchange leaves."""

    async def refused(
        self, out: Outlet, entry: Entry, call: Call, why: Deny, message: Message | None, *, modern: bool = False
    ) -> bool:
        """Record a refusal of the gate's own, before it is told; say whether it has been told already."""

    async def turn_away(
        self, out: Outlet, entry: Entry, resource: Resource, status: int, why: Deny, message: Message | None = None
    ) -> None:
        """Refuse a request of an agent that is known, before it is a call: recorded like any denial, then told."""

    async def finish(self, exchange: Any, verdict: object) -> None:
        """Answer an exchange that has ended."""

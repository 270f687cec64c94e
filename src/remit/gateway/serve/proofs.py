"""Proofs that arrive together are checked together.

Checking a signature among other work costs twice what it costs after another one: its tables are large, and what runs
between pushes them out of the processor's caches. So a request with a proof waits for the end of the loop's turn, and
for that of the transaction under way, since it can be decided in the next one at the earliest; all that have come by
then are checked one after another.
"""

import asyncio
from collections.abc import Sequence
from typing import Final, final

from remit.core.permit import Entry, Manner, Unknown
from remit.gateway.authority import Authority
from remit.gateway.serve.asgi import Scope
from remit.gateway.serve.challenge import CERTIFICATE

MOST: Final = 64
"""How many are checked in one go, so that the loop is not held for longer than some milliseconds."""
Waiting = tuple["asyncio.Future[Entry | Unknown]", str, str, Manner]


@final
class Proofs:
    """Owned by a gate, on its loop."""

    __slots__ = ("_authority", "_waiting")

    def __init__(self, authority: Authority) -> None:
        self._authority = authority
        self._waiting: list[Waiting] = []

    async def presented(
        self, scope: Scope, shown: Sequence[bytes], proofs: Sequence[bytes], resource: str, url: str
    ) -> Entry | Unknown | None:
        """Check what an HTTP request shows: its `Authorization` and `DPoP` fields, and the certificate that it came by.

        `url` is what a proof must be for. None when it shows no credential, or more than one.
        """
        if len(shown) != 1:
            return None
        scheme, _, token = shown[0].partition(b" ")
        scheme, certificate = scheme.lower(), scope.get(CERTIFICATE, "")
        if scheme not in (b"bearer", b"dpop") or not token.isascii():
            return None
        text = token.strip().decode()
        if scheme == b"bearer" and not proofs and not certificate:
            return self._authority.enter(text, resource)
        texts = tuple(one.decode("latin-1") for one in proofs)
        return await self.enter(text, resource, Manner(scheme.decode(), texts, scope["method"], url, certificate))

    def enter(self, text: str, resource: str, manner: Manner) -> "asyncio.Future[Entry | Unknown]":
        """Check a credential and what proves its key, with the others of this turn."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[Entry | Unknown] = loop.create_future()
        if not self._waiting:
            loop.call_soon(self._authority.between, self._check)
        self._waiting.append((future, text, resource, manner))
        return future

    def _check(self) -> None:
        turn, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._authority.between, self._check)
        for future, text, resource, manner in turn:
            if future.done():
                continue
            try:
                future.set_result(self._authority.enter(text, resource, manner))
            except Exception as fault:  # noqa: BLE001 - whoever waits for it must hear of it, and the others go on
                future.set_exception(fault)

"""Hearing: one security event is proved and done, whatever brought it: pushed to us (RFC 8935) or polled (RFC 8936)."""

from dataclasses import dataclass
from typing import Final

from remit.control import signal
from remit.control.authority import Authority
from remit.control.batch import Batch
from remit.core.errors import RemitError
from remit.core.signal import VERIFY, Transmitter
from remit.custody.jwk import PublicKey, usable
from remit.custody.jws import TokenRefusal
from remit.custody.secevent import Event, verify_event
from remit.web.fetch import ask, unreachable
from remit.web.keysets import AGAIN_MS, KEPT_MS, KeySets
from remit.web.site import do

LARGEST: Final = 16 * 1024
"""Bytes of one event, at most."""
KEY: Final = "invalid_key"
_KEY: Final = frozenset({"token_key_unknown", "token_signature", "token_algorithm"})
_SAID: Final = {"event_issuer": "invalid_issuer", "event_audience": "invalid_audience"}


@dataclass(frozen=True, slots=True)
class Wrong:
    """Why an event was not taken, as RFC 8935 section 2.4 writes it."""

    err: str
    description: str


class Hearing:
    """Owned by a face, on its loop. The keys of transmitters are kept for five minutes."""

    def __init__(self, authority: Authority, batch: Batch) -> None:
        self._authority, self._batch = authority, batch
        self._keys: KeySets[tuple[PublicKey, ...]] = KeySets(authority.clock.steady)

    async def hear(self, source: Transmitter, text: str, named: str = "") -> Wrong | None:
        """Prove an event of this transmitter and do what it ends; None once that is committed, or when it ends nothing.

        `named` is the `jti` that it must have. Raises what may be otherwise the next time: its keys cannot be had
        (`issuer_unreachable`), it was removed meanwhile (`transmitter_gone`), the store is away.
        """
        if len(text) > LARGEST:
            return Wrong("invalid_request", "The event is too long.")
        found = await self._proved(source, text)
        if isinstance(found, TokenRefusal):
            return Wrong(KEY if found.code in _KEY else _SAID.get(found.code, "invalid_request"), found.what)
        if named and found.id != named:
            return Wrong("invalid_request", "The event has another jti than it is called by.")
        if found.kind != VERIFY:
            try:
                await do(self._batch, f"signal:{source.name}", lambda change: signal.hear(change, source, found))
            except RemitError as fault:
                if fault.code != "subject_foreign":
                    raise
                return Wrong("access_denied", fault.message)
        return None

    async def _proved(self, source: Transmitter, text: str) -> Event | TokenRefusal:
        async def fetch(_: tuple[PublicKey, ...] | None) -> tuple[PublicKey, ...]:
            found = usable(await ask(source.keys_url))
            if not found:
                raise unreachable()
            return found

        def proved(known: tuple[PublicKey, ...]) -> Event | TokenRefusal:
            now = self._authority.clock.now()
            return verify_event(text, issuer=source.issuer, audience=source.audience, now=now, keys=known)

        found = proved(await self._keys.of(source.keys_url, fetch, KEPT_MS))
        if isinstance(found, TokenRefusal) and found.code in _KEY:
            return proved(await self._keys.of(source.keys_url, fetch, AGAIN_MS))
        return found

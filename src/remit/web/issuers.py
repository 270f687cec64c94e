"""Identity providers: whose ID tokens say who a person is, and the keys they publish.

Keys are fetched over https (http on loopback only), without redirects or proxies, within limits of time and size, in a
thread; kept for five minutes, and fetched again for an unknown key at most every ten seconds.
"""

import asyncio
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass, field
from http.client import HTTPException
from typing import Final

import anyio
import anyio.to_thread

from remit.core.canonical import Json, read
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.assertion import Identity, claimed, verify_identity
from remit.custody.jwk import PublicKey, usable
from remit.custody.jws import TokenRefusal
from remit.web.settings import Issuer, safe

KEPT_MS: Final = 5 * 60_000
AGAIN_MS: Final = 10_000
LARGEST: Final = 256 * 1024
PATIENCE_S: Final = 5


@dataclass(slots=True)
class _Keys:
    found: tuple[PublicKey, ...] = ()
    at: int = -KEPT_MS
    tried: int = -AGAIN_MS
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)


@dataclass(frozen=True, slots=True)
class Known:
    """A person's identity as an issuer of ours proved it, and who may act for them when the token says so."""

    issuer: Issuer
    identity: Identity
    may_act: Json


class Issuers:
    """All configured issuers. `steady` is a monotonic clock in milliseconds."""

    def __init__(self, issuers: tuple[Issuer, ...], steady: Callable[[], int]) -> None:
        self._by_url = {one.url: one for one in issuers}
        self._steady = steady
        self._keys = {one.url: _Keys() for one in issuers}

    async def identify(self, token: str, now: Instant) -> Known | TokenRefusal:
        """Prove a person's ID token. Raises `issuer_unreachable` when the keys cannot be had."""
        said = claimed(token)
        if isinstance(said, TokenRefusal):
            return said
        named = said.get("iss")
        issuer = self._by_url.get(named) if isinstance(named, str) else None
        if issuer is None:
            return TokenRefusal("identity_issuer", "The token is from another issuer.")
        found = self._prove(token, issuer, now, await self._keys_of(issuer, KEPT_MS))
        if isinstance(found, TokenRefusal) and found.code in ("token_key_unknown", "token_signature"):
            found = self._prove(token, issuer, now, await self._keys_of(issuer, AGAIN_MS))
        if isinstance(found, TokenRefusal):
            return found
        return Known(issuer, found, said.get("may_act"))

    @staticmethod
    def _prove(token: str, issuer: Issuer, now: Instant, keys: tuple[PublicKey, ...]) -> Identity | TokenRefusal:
        return verify_identity(token, issuer=issuer.url, audience=issuer.audience, now=now, keys=keys)

    async def _keys_of(self, issuer: Issuer, oldest: int) -> tuple[PublicKey, ...]:
        kept = self._keys[issuer.url]
        async with kept.lock:
            now = self._steady()
            if now - kept.at < oldest:
                return kept.found
            if now - kept.tried < AGAIN_MS:
                if now - kept.at < KEPT_MS:
                    return kept.found
                raise _unreachable()
            kept.tried = now
            kept.found = await _published(issuer)
            kept.at = now
            return kept.found


async def _published(issuer: Issuer) -> tuple[PublicKey, ...]:
    """The keys that an issuer publishes now (`issuer_unreachable`)."""
    where = issuer.jwks
    if not where:
        said = await _json(issuer.url.rstrip("/") + "/.well-known/openid-configuration")
        where = said.get("jwks_uri", "") if isinstance(said, dict) and said.get("issuer") == issuer.url else ""
    if not safe(str(where)):
        raise _unreachable()
    keys = usable(await _json(str(where)))
    if not keys:
        raise _unreachable()
    return keys


async def _json(url: str) -> Json:
    try:
        with anyio.fail_after(2 * PATIENCE_S):
            return read(await anyio.to_thread.run_sync(_get, url, abandon_on_cancel=True))
    except (OSError, HTTPException, ValueError, TimeoutError, RemitError) as fault:
        raise _unreachable() from fault


def _get(url: str) -> bytes:
    opener = urllib.request.OpenerDirector()
    for one in (urllib.request.HTTPHandler(), urllib.request.HTTPSHandler()):
        opener.add_handler(one)
    request = urllib.request.Request(url, headers={"Accept": "application/json"})  # noqa: S310 - `safe` saw it
    with opener.open(request, timeout=PATIENCE_S) as answer:
        if answer.status != 200:
            raise ValueError(answer.status)
        data: bytes = answer.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise ValueError(len(data))
    return data


def _unreachable() -> RemitError:
    return RemitError(
        "issuer_unreachable",
        "The identity provider's keys cannot be read, so nobody's token can be checked.",
        "Check that its discovery and key set answer with JSON over https, then try again in ten seconds.",
    )

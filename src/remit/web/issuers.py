"""Identity providers: whose ID tokens say who a person is, and the keys they publish.

Keys are kept for five minutes, and fetched again for an unknown key at most every ten seconds.
"""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from remit.core.agent import Agent
from remit.core.canonical import Json
from remit.core.moment import Instant
from remit.custody.assertion import Identity, claimed, verify_identity
from remit.custody.grant import TYPE as ID_JAG
from remit.custody.grant import Granted, kind, verify_grant, verify_plain
from remit.custody.jwk import PublicKey, usable
from remit.custody.jws import TokenRefusal
from remit.web.fetch import ask, unreachable
from remit.web.settings import Issuer, safe

KEPT_MS: Final = 5 * 60_000
AGAIN_MS: Final = 10_000


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
        self._said: dict[str, tuple[int, dict[str, Json]]] = {}

    async def identify(self, token: str, now: Instant) -> Known | TokenRefusal:
        """Prove a person's ID token. Raises `issuer_unreachable` when the keys cannot be had."""
        said = claimed(token)
        if isinstance(said, TokenRefusal):
            return said
        named = said.get("iss")
        issuer = self._by_url.get(named) if isinstance(named, str) else None
        if issuer is None:
            return TokenRefusal("identity_issuer", "The token is from another issuer.")
        found = await self.prove(issuer, token, now)
        return found if isinstance(found, TokenRefusal) else Known(issuer, found, said.get("may_act"))

    async def granted(self, text: str, ours: str, agent: Agent, now: Instant) -> tuple[Issuer, Granted] | TokenRefusal:
        """Prove an assertion of an issuer whose assertions count here, for this agent (`issuer_unreachable`).

        A plain one (RFC 7523) counts only for the agents that the issuer vouches for people to.
        """
        said = claimed(text)
        named = None if isinstance(said, TokenRefusal) else said.get("iss")
        issuer = self._by_url.get(named) if isinstance(named, str) else None
        plain = kind(text) != ID_JAG
        counts = issuer is not None and (
            not {agent.id, agent.name}.isdisjoint(issuer.vouches_to) if plain else issuer.assertions
        )
        if issuer is None or not counts:
            return TokenRefusal("grant_issuer", "The assertion is from no issuer whose assertions count here.")

        def proved(keys: tuple[PublicKey, ...]) -> Granted | TokenRefusal:
            verify = verify_plain if plain else verify_grant
            return verify(text, issuer=issuer.url, ours=ours, client=agent.id, now=now, keys=keys)

        found = proved(await self._keys_of(issuer, KEPT_MS))
        if isinstance(found, TokenRefusal) and found.code in ("token_key_unknown", "token_signature"):
            found = proved(await self._keys_of(issuer, AGAIN_MS))
        return found if isinstance(found, TokenRefusal) else (issuer, found)

    async def prove(self, issuer: Issuer, token: str, now: Instant) -> Identity | TokenRefusal:
        """Prove an ID token of exactly this issuer; a key that is not known is asked for again."""
        found = self._prove(token, issuer, now, await self._keys_of(issuer, KEPT_MS))
        if isinstance(found, TokenRefusal) and found.code in ("token_key_unknown", "token_signature"):
            found = self._prove(token, issuer, now, await self._keys_of(issuer, AGAIN_MS))
        return found

    async def discovered(self, issuer: Issuer) -> dict[str, Json]:
        """What a provider says of itself, read at most once in five minutes (`issuer_unreachable`)."""
        at, said = self._said.get(issuer.url, (0, {}))
        if said and self._steady() - at < KEPT_MS:
            return said
        found = await ask(issuer.url.rstrip("/") + "/.well-known/openid-configuration")
        if not isinstance(found, dict) or found.get("issuer") != issuer.url:
            raise unreachable()
        self._said[issuer.url] = self._steady(), found
        return found

    @staticmethod
    def _prove(token: str, issuer: Issuer, now: Instant, keys: tuple[PublicKey, ...]) -> Identity | TokenRefusal:
        return verify_identity(
            token, issuer=issuer.url, audience=issuer.audience, now=now, keys=keys, groups=issuer.groups_claim
        )

    async def _keys_of(self, issuer: Issuer, oldest: int) -> tuple[PublicKey, ...]:
        kept = self._keys[issuer.url]
        if self._steady() - kept.at < oldest:
            # Not behind the lock: whoever shows an unknown key has it asked for, and nobody else waits for that.
            return kept.found
        async with kept.lock:
            now = self._steady()
            if now - kept.at < oldest:
                return kept.found
            if now - kept.tried < AGAIN_MS:
                if now - kept.at < KEPT_MS:
                    return kept.found
                raise unreachable()
            kept.tried = now
            kept.found = await _published(issuer)
            kept.at = now
            return kept.found


async def _published(issuer: Issuer) -> tuple[PublicKey, ...]:
    """The keys that an issuer publishes now (`issuer_unreachable`)."""
    where = issuer.jwks
    if not where:
        said = await ask(issuer.url.rstrip("/") + "/.well-known/openid-configuration")
        where = said.get("jwks_uri", "") if isinstance(said, dict) and said.get("issuer") == issuer.url else ""
    if not safe(str(where)):
        raise unreachable()
    keys = usable(await ask(str(where)))
    if not keys:
        raise unreachable()
    return keys

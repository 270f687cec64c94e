"""Attestors at the token endpoint: whose agent a platform's token speaks for, proved with the platform's keys of now.

A trust bundle is read anew as its keys are; one of a lower sequence than the one before is not taken.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from remit.core.attestor import Attestor, Binding, spiffe_id
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.assertion import claimed
from remit.custody.attestation import Attestation, Bundle, attest, attest_shown, bundle
from remit.custody.jws import TokenRefusal
from remit.custody.svid import carries_chain
from remit.store.record import Reader
from remit.web.fetch import ask, unreachable
from remit.web.keysets import AGAIN_MS, KEPT_MS, KeySets
from remit.web.settings import safe

_AGAIN: Final = frozenset({"token_key_unknown", "token_signature", "svid_root"})


@dataclass(frozen=True, slots=True)
class Attested:
    """A token that was proved, the attestor that it is of and the binding that it meets."""

    attestor: Attestor
    binding: Binding
    found: Attestation


class Attestors:
    """Who vouches, as registered; keeps their keys. `ours` is our issuer identifier."""

    def __init__(self, ours: str, steady: Callable[[], int]) -> None:
        self._ours = ours
        self._keys: KeySets[Bundle] = KeySets(steady)

    async def judge(self, reader: Reader, text: str, agent: str, now: Instant) -> Attested | TokenRefusal:
        """Prove a token and find whose agent it is; with `agent` it must be that one's.

        Raises `issuer_unreachable` when the keys cannot be had. A token of nobody registered costs no request.
        """
        attestor = self._of(reader, text)
        if attestor is None:
            return TokenRefusal("attestation_issuer", "Nobody that is registered vouches so.")
        bound = list(reader.where(Binding, "attestor = ? AND state = 'active'", (attestor.name,)))
        if not any(agent in ("", one.agent) for one in bound):
            return TokenRefusal("attestation_unbound", "No agent is known by a token of this attestor.")
        found = attest(text, attestor=attestor, ours=self._ours, now=now, trusted=await self._bundle(attestor, KEPT_MS))
        if isinstance(found, TokenRefusal) and found.code in _AGAIN and not attestor.keys:
            trusted = await self._bundle(attestor, AGAIN_MS)
            found = attest(text, attestor=attestor, ours=self._ours, now=now, trusted=trusted)
        if isinstance(found, TokenRefusal):
            return found
        return self._met(reader, attestor, found, agent)

    async def judge_shown(
        self, reader: Reader, chain: tuple[bytes, ...], domain: str, agent: str, now: Instant
    ) -> Attested | TokenRefusal:
        """Prove the X.509-SVID that a connection showed and find whose agent it is; with `agent` that one's.

        `agent` may also be the SPIFFE id itself. Raises as `judge` does.
        """
        found = reader.where(Attestor, "state = 'active'")
        attestor = next((one for one in found if one.issuer == f"spiffe://{domain}"), None)
        if attestor is None:
            return TokenRefusal("attestation_issuer", "Nobody that is registered vouches so.")
        said = attest_shown(chain, attestor=attestor, now=now, trusted=await self._bundle(attestor, KEPT_MS))
        if isinstance(said, TokenRefusal) and said.code in _AGAIN and not attestor.keys:
            trusted = await self._bundle(attestor, AGAIN_MS)
            said = attest_shown(chain, attestor=attestor, now=now, trusted=trusted)
        if isinstance(said, TokenRefusal):
            return said
        named = "" if agent == said.payload["sub"] else agent
        return self._met(reader, attestor, said, named)

    @staticmethod
    def _met(reader: Reader, attestor: Attestor, found: Attestation, agent: str) -> Attested | TokenRefusal:
        """Whose agent this is: of the one agent that a binding with all these claims names."""
        bound = reader.where(Binding, "attestor = ? AND state = 'active'", (attestor.name,))
        met = [one for one in bound if agent in ("", one.agent) and one.holds(found.payload)]
        if len({one.agent for one in met}) != 1:
            return TokenRefusal("attestation_unbound", "Its claims are not those of one agent that is known here.")
        return Attested(attestor, met[0], found)

    def _of(self, reader: Reader, text: str) -> Attestor | None:
        """The attestor that a token names: by its issuer, or by the trust domain of its subject."""
        said = claimed(text, chain=carries_chain(text))
        if isinstance(said, TokenRefusal):
            return None
        domain = spiffe_id(said.get("sub"))
        for one in reader.where(Attestor, "state = 'active'"):
            if one.issuer == (f"spiffe://{domain}" if one.kind == "spiffe" else said.get("iss")):
                return one
        return None

    async def _bundle(self, attestor: Attestor, oldest: int) -> Bundle:
        if attestor.keys:
            return bundle(json.loads(attestor.keys))

        async def fetch(before: Bundle | None) -> Bundle:
            try:
                found = bundle(await ask(attestor.keys_url or await _discovered(attestor.issuer)))
            except RemitError as fault:
                raise unreachable() from fault
            return before if before is not None and found.sequence < before.sequence else found

        return await self._keys.of(f"{attestor.issuer} {attestor.keys_url}", fetch, oldest)


async def _discovered(issuer: str) -> str:
    """Where an issuer publishes its keys, by OpenID Connect discovery (`issuer_unreachable`)."""
    said = await ask(issuer.rstrip("/") + "/.well-known/openid-configuration")
    where = said.get("jwks_uri", "") if isinstance(said, dict) and said.get("issuer") == issuer else ""
    if not safe(str(where)):
        raise unreachable()
    return str(where)

"""Who asks at the OAuth endpoints: an agent, proved by its own key, by a platform that vouches for it, or by a secret.

`private_key_jwt` (RFC 7523): an assertion by the agent's registered key, for our issuer identifier, counts once. A
platform's token (the same parameters, or `jwt-spiffe` for a JWT-SVID) counts for the agent that its claims are bound
to. A shared secret counts only where the settings say so.
"""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request

from remit.control.change import Change
from remit.control.credential import Proved
from remit.control.principal import token_digest
from remit.core.agent import Agent
from remit.core.attestor import SECRET, Attestor, Binding
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody import certificate
from remit.custody.assertion import Assertion, claimed, verify_assertion
from remit.custody.jwk import read_set
from remit.custody.jws import TokenRefusal
from remit.custody.svid import carries_chain
from remit.store import payload
from remit.web.attestors import Attested
from remit.web.intake import basic
from remit.web.proving import CHAIN, DER, ISSUERS
from remit.web.rate import limit
from remit.web.site import Site

ASSERTION: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
NAMED: Final = "urn:remit:"
"""How a certificate names the agent that it was issued to, in a URI of its subject alternative name."""
SPIFFE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-spiffe"


@dataclass(frozen=True, slots=True)
class Certified:
    """A certificate that the connection showed: it is proved by TLS, and there is nothing of it to use up."""

    digest: str


@dataclass(frozen=True, slots=True)
class Client:
    """An agent that was proved, by what is not used up yet: an assertion, a platform's token, or its secret."""

    agent: Agent
    shown: Assertion | Attested | Binding | Certified

    def enter(self, change: Change) -> Agent:
        """Use what was shown up, in the transaction that it is for; refuse a second use, or what counts no more."""
        agent, shown = change.need(Agent, self.agent.id), self.shown
        if agent.state == "retired":
            raise _refused("This agent is no longer here.")
        change.keep()
        if isinstance(shown, Assertion | Certified) and agent.keys != self.agent.keys:
            raise _refused("This agent has other keys now.")
        if isinstance(shown, Assertion):
            self._spend(change, f"{agent.id} {shown.id}", shown.expires)
        elif isinstance(shown, Binding):
            if change.reader.get(Binding, shown.id) != shown:
                raise _refused("This secret counts no more.")
        elif isinstance(shown, Attested):
            self._attested(change, shown)
        return agent

    def proved(self, change: Change) -> Proved:
        """How and when this agent proved itself: by its own key or a secret now, by a platform when that said so."""
        if isinstance(self.shown, Attested):
            return Proved(self.shown.found.made, self.shown.binding.id)
        return Proved(change.now, self.shown.id if isinstance(self.shown, Binding) else "")

    def _attested(self, change: Change, shown: Attested) -> None:
        now_is = change.reader.get(Binding, shown.binding.id), change.reader.get(Attestor, shown.attestor.name)
        if now_is != (shown.binding, shown.attestor):
            raise _refused("What vouches for this agent counts no more.")
        if not shown.found.shown and (shown.found.once or shown.attestor.once):
            if not shown.found.proof:
                raise _refused("This attestor's tokens count once, and this one has no jti.")
            self._spend(change, f"{shown.attestor.name} {shown.found.proof}", shown.found.expires)

    @staticmethod
    def _spend(change: Change, value: str, until: Instant) -> None:
        if not payload.spend(change.db, "assertion", value, until):
            raise _refused("This assertion was used before.")


async def authenticate(site: Site, request: Request, form: Mapping[str, list[str]]) -> Client:
    """Prove who the client is (`invalid_client`), and that it does not ask too often (`rate_exceeded`).

    `issuer_unreachable` when a platform's keys cannot be had.
    """
    found = await _proved(site, request, form)
    limit(site.rates, request, found.agent.id)
    return found


async def _proved(site: Site, request: Request, form: Mapping[str, list[str]]) -> Client:
    field = request.headers.get("authorization", "")
    if "client_secret" in form or field[:6].lower() == "basic ":
        return _by_secret(site, field, form)
    kinds, texts, names = (form.get(name, []) for name in ("client_assertion_type", "client_assertion", "client_id"))
    if not kinds and not texts and len(names) < 2 and (der := request.scope.get(DER)):
        issuers = request.scope.get(ISSUERS, ())
        return await _by_certificate(site, "".join(names), (der, *request.scope.get(CHAIN, ())), issuers)
    if len(kinds) != 1 or kinds[0] not in (ASSERTION, SPIFFE) or len(texts) != 1:
        raise _refused("A client authenticates by a client assertion and nothing else.")
    said = claimed(texts[0], chain=carries_chain(texts[0]))
    named = None if isinstance(said, TokenRefusal) else said.get("sub")
    if isinstance(named, str) and named.startswith("agt_") and kinds[0] == ASSERTION:
        if names and names != [named]:
            raise _refused("The assertion is another client's.")
        return _by_key(site, named, texts[0])
    if not isinstance(named, str):
        raise _refused("The assertion cannot be read.")
    found = await site.attestors.judge(site.reader(), texts[0], names[0] if names else "", site.now())
    if isinstance(found, TokenRefusal):
        raise _refused(found.what)
    if kinds[0] == SPIFFE and found.attestor.kind != "spiffe":
        raise _refused("This assertion is no JWT-SVID.")
    return Client(_agent(site, found.binding.agent), found)


async def _by_certificate(site: Site, named: str, chain: tuple[bytes, ...], issuers: tuple[str, ...]) -> Client:
    """The certificate of the connection (RFC 8705 section 2): registered itself, or issued to this agent by name.

    A self-signed one counts by its digest with one of the agent's keys (`x5t#S256`) and never by a name, which it gave
    itself; TLS, or the proxy, has checked by whom any other was issued. What is an agent's own key vouches for nobody,
    whatever it says of itself. An X.509-SVID counts by the bundle of its trust domain alone, for the agent that its
    SPIFFE id is bound to; `client_id` is that agent, the SPIFFE id, or left out.
    """
    der, digest = chain[0], certificate.digest(chain[0])
    one = site.reader().get(Agent, named)
    registered = one is not None and any(hmac.compare_digest(key.get("x5t#S256", ""), digest) for key in one.keys)
    domain = certificate.workload(der)
    if domain is not None and not registered:
        found = await site.attestors.judge_shown(site.reader(), chain, domain, named, site.now())
        if isinstance(found, TokenRefusal):
            raise _refused(found.what)
        return Client(_agent(site, found.binding.agent), found)
    agent = _agent(site, named)
    named_here = f"{NAMED}{agent.id}" in certificate.issued_names(der)
    above = {*issuers, *map(certificate.digest, chain[1:])}
    if not registered and (not named_here or _an_agents(site, above)):
        raise _refused("This certificate is of no agent here, or of another one.")
    return Client(agent, Certified(digest))


def _an_agents(site: Site, digests: set[str]) -> bool:
    """Say whether one of these certificates is an agent's registered key, in whatever state the agent is."""
    found = site.reader().where(Agent) if digests else ()
    return any(key.get("x5t#S256") in digests for one in found for key in one.keys)


def _by_key(site: Site, named: str, text: str) -> Client:
    agent = _agent(site, named)
    if not agent.keys:
        raise _refused("The assertion is of no agent that has a key here.")
    keys = read_set({"keys": list(agent.keys)})
    found = verify_assertion(text, client=agent.id, issuer=site.authority.issuer, now=site.now(), keys=keys)
    if isinstance(found, TokenRefusal):
        raise _refused(found.what)
    return Client(agent, found)


def _by_secret(site: Site, field: str, form: Mapping[str, list[str]]) -> Client:
    """A shared secret (RFC 6749 section 2.3.1): only where the settings let this weak way in."""
    named, secret = form.get("client_id", [""])[0], form.get("client_secret", [""])[0]
    if not site.settings.weak_client_secrets:
        raise _refused("A client authenticates by a client assertion; shared secrets are not let in here.")
    if field:
        if secret or "client_assertion" in form:
            raise _refused("One way of authentication is used, not two.")
        given = basic(field)
        if given is None:
            raise _refused("The Authorization field cannot be read.")
        if named not in ("", given[0]):
            raise _refused("The secret is another client's.")
        named, secret = given
    digest = token_digest(secret)
    for one in site.reader().where(Binding, "agent = ? AND state = 'active'", (named,)):
        if one.attestor == SECRET and hmac.compare_digest(one.digest, digest):
            return Client(_agent(site, one.agent), one)
    raise _refused("This secret is of no agent here.")


def _agent(site: Site, named: str) -> Agent:
    agent = site.reader().get(Agent, named)
    if agent is None or agent.state == "retired":
        raise _refused("The assertion is of no agent that has a key here.")
    return agent


def _refused(why: str) -> RemitError:
    return RemitError(
        "invalid_client", why, "Prove the agent anew: by its registered key (RFC 7523), or as it is bound."
    )

"""Who asks at the OAuth endpoints: an agent, proved by a `private_key_jwt` assertion that counts once."""

from collections.abc import Mapping
from dataclasses import dataclass

from remit.control.change import Change
from remit.core.agent import Agent
from remit.core.errors import RemitError
from remit.custody.assertion import Assertion, claimed, verify_assertion
from remit.custody.jwk import read_set
from remit.custody.jws import TokenRefusal
from remit.store import payload
from remit.web.site import Site

ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


@dataclass(frozen=True, slots=True)
class Client:
    """An agent whose assertion was proved, and not yet used up."""

    agent: Agent
    assertion: Assertion

    def enter(self, change: Change) -> Agent:
        """Use the assertion up, in the transaction that it is for; refuse a second use, or keys that are others now."""
        agent = change.need(Agent, self.agent.id)
        if agent.state == "retired" or agent.keys != self.agent.keys:
            raise _refused("This agent is no longer here.")
        change.keep()
        if not payload.spend(change.db, "assertion", f"{agent.id} {self.assertion.id}", self.assertion.expires):
            raise _refused("This assertion was used before.")
        return agent


def authenticate(site: Site, form: Mapping[str, list[str]]) -> Client:
    """Prove who the client is (RFC 7523 section 3), by its registered keys alone (`invalid_client`)."""
    kinds, texts, names = (form.get(name, []) for name in ("client_assertion_type", "client_assertion", "client_id"))
    if "client_secret" in form or kinds != [ASSERTION] or len(texts) != 1:
        raise _refused("A client authenticates by private_key_jwt and nothing else.")
    said = claimed(texts[0])
    named = None if isinstance(said, TokenRefusal) else said.get("sub")
    if not isinstance(named, str) or (names and names != [named]):
        raise _refused("The assertion cannot be read, or is another client's.")
    agent = site.reader().get(Agent, named)
    if agent is None or agent.state == "retired" or not agent.keys:
        raise _refused("The assertion is of no agent that has a key here.")
    keys = read_set({"keys": list(agent.keys)})
    found = verify_assertion(texts[0], client=agent.id, issuer=site.authority.issuer, now=site.now(), keys=keys)
    if isinstance(found, TokenRefusal):
        raise _refused(found.what)
    return Client(agent, found)


def _refused(why: str) -> RemitError:
    return RemitError("invalid_client", why, "Sign a new assertion (RFC 7523) with the agent's registered key.")

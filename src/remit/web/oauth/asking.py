"""Who asks at the code flow: a client that an operator added, that registered itself, or that a document describes.

A public client is known by its id alone, and proves each code by PKCE; a confidential one proves its agent's key, and
one that came with keys of its own proves one of these.
"""

from dataclasses import dataclass

from remit.control import client as clients
from remit.control.change import Change
from remit.control.client import Described
from remit.core.agent import Agent
from remit.core.client import Client
from remit.core.errors import RemitError
from remit.custody.assertion import Assertion, claimed, verify_assertion
from remit.custody.jwk import PublicKey, read_set
from remit.custody.jws import TokenRefusal
from remit.store import payload
from remit.web import client_keys
from remit.web.client import ASSERTION
from remit.web.document import described
from remit.web.intake import Form
from remit.web.site import Site


@dataclass(frozen=True, slots=True)
class Proved:
    """A client at an endpoint that programs ask, with its assertion when it is a confidential one."""

    client: Client | Described
    assertion: Assertion | None = None
    keys: tuple[dict[str, str], ...] = ()

    def enter(self, change: Change) -> Client:
        """The client as it is bound now, its assertion used up (`invalid_client`)."""
        found = change.reader.get(Client, self.client.id)
        if found is None or found.state != "live":
            raise refused("This client is not known here.")
        if self.keys and change.need(Agent, found.agent).keys != self.keys:
            raise refused("The agent has other keys now.")
        self.spend(change)
        return found

    def spend(self, change: Change) -> None:
        """Use the assertion up (`invalid_client`)."""
        one = self.assertion
        if one is None:
            return
        change.keep()
        if not payload.spend(change.db, "assertion", f"{one.client} {one.id}", one.expires):
            raise refused("This assertion was used before.")


async def client_of(site: Site, client_id: str) -> Client | Described | None:
    """The client of this id: bound already, or what it says of itself where the settings let such clients ask."""
    bound = clients.found(site.reader(), client_id)
    if bound is not None:
        return bound if bound.state == "live" else None
    if client_id.startswith(("https://", "http://")):
        return await described(site, client_id)
    return clients.opened(site.authority, client_id) if site.settings.client_registration else None


async def bound(site: Site, asked: Form) -> Proved:
    """The bound client that asks for a token (`invalid_client`)."""
    if "client_secret" in asked:
        raise refused("No client of this server has a secret.")
    if "client_assertion" in asked:
        return await _keyed(site, asked)
    names = asked.get("client_id", [])
    found = clients.found(site.reader(), names[0]) if len(names) == 1 else None
    if found is None or found.state != "live":
        raise refused("This client is not known here.")
    if found.confidential or found.keyed:
        raise refused("This client proves a key.")
    return Proved(found)


async def pushing(site: Site, asked: Form) -> Proved:
    """The client that pushes a request, which nobody may have bound yet (`invalid_client`)."""
    if "client_secret" in asked:
        return await bound(site, asked)
    if "client_assertion" in asked:
        return await _keyed(site, asked, unbound=True)
    names = asked.get("client_id", [])
    found = await client_of(site, names[0]) if len(names) == 1 else None
    if found is None or found.keyed or (isinstance(found, Client) and found.confidential):
        raise refused("This client is not known here, or proves a key.")
    return Proved(found)


async def _keyed(site: Site, asked: Form, *, unbound: bool = False) -> Proved:
    """A client that proves a key: its agent's, or one of its own, then perhaps before anybody bound it."""
    kinds, texts, names = (asked.get(name, []) for name in ("client_assertion_type", "client_assertion", "client_id"))
    said = claimed(texts[0]) if kinds == [ASSERTION] and len(texts) == 1 else None
    named = said.get("sub") if isinstance(said, dict) else None
    if not isinstance(named, str) or (names and names != [named]):
        raise refused("The assertion cannot be read, or is another client's.")

    def verify(keys: tuple[PublicKey, ...]) -> Assertion | TokenRefusal:
        return verify_assertion(texts[0], client=named, issuer=site.authority.issuer, now=site.now(), keys=keys)

    found: Client | Described | None = clients.found(site.reader(), named)
    if found is None and unbound:
        found = await client_of(site, named)
    if found is not None and found.keyed:
        if isinstance(found, Client) and found.state != "live":
            raise refused("This client is not known here.")
        proved = await client_keys.proved(site, found, named, verify)
        if isinstance(proved, TokenRefusal):
            raise refused(proved.what)
        return Proved(found, proved)
    agent = site.reader().get(Agent, found.agent) if isinstance(found, Client) else None
    if not isinstance(found, Client) or not found.confidential or agent is None or not agent.keys:
        raise refused("The assertion is of no client that has a key here.")
    if agent.state == "retired":
        raise refused("The assertion is of no client that has a key here.")
    proved = verify(read_set({"keys": list(agent.keys)}))
    if isinstance(proved, TokenRefusal):
        raise refused(proved.what)
    return Proved(found, proved, agent.keys)


def refused(why: str) -> RemitError:
    """A client that is not known, or did not prove itself."""
    return RemitError("invalid_client", why, "Register the client here, or sign a new assertion with its agent's key.")

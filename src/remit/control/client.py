"""Clients: programs that speak OAuth, each bound to one registered agent, by an operator or with a person's first yes.

A client never says for which agent it stands (law 4). What nobody has bound yet has no record: a client that registered
itself carries what it said in its own id, sealed, and a document is read anew, so that strangers leave nothing here.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

import msgspec

from remit.control import agent as agents
from remit.control import review as reviews
from remit.control import revocation
from remit.control.authority import Authority
from remit.control.change import Change
from remit.core import ids
from remit.core.agent import Agent
from remit.core.canonical import b64, unb64
from remit.core.client import LIFE, Client
from remit.core.consent import Consent
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.record import changed
from remit.store.record import Reader

DYNAMIC: Final = "dyn."
LONGEST: Final = 4096
MONTH: Final = 30 * 24 * 3_600_000
_WRAP: Final = "client"


@dataclass(frozen=True, slots=True)
class Described:
    """What is known of a client by its id alone: how it calls itself, where its answers go, how it came to be known."""

    id: str
    name: str
    redirects: tuple[str, ...]
    kind: str
    keys: tuple[dict[str, str], ...] = ()
    keys_url: str = ""

    @property
    def keyed(self) -> bool:
        """Whether it proves a key of its own."""
        return bool(self.keys or self.keys_url)

    def standing_for(self, agent: str) -> Client:
        """The record of this client, bound to an agent."""
        return Client(
            id=self.id, agent=agent, name=self.name, redirects=self.redirects, kind=self.kind, keys=self.keys,
            keys_url=self.keys_url,
        )  # fmt: skip


class _Sealed(msgspec.Struct, frozen=True, omit_defaults=True):
    name: str
    redirects: tuple[str, ...]
    keys: tuple[dict[str, str], ...] = ()
    keys_url: str = ""


def identity(client_id: str) -> str:
    """The id of the record of this client: its own when an operator added it, else made from a digest."""
    if client_id.startswith("cli_"):
        return client_id
    return ids.make("cli", hashlib.sha256(client_id.encode()).digest()[:16])


def found(reader: Reader, client_id: str) -> Client | None:
    """The client that is bound under this id, or None."""
    if not 0 < len(client_id) <= LONGEST or not client_id.isascii():
        return None
    if client_id.startswith("cli_") and not ids.known("cli", client_id):
        return None
    one = reader.get(Client, identity(client_id))
    return one if one is not None and (one.kind == "registered") is client_id.startswith("cli_") else None


def sealed(
    authority: Authority,
    name: str,
    redirects: tuple[str, ...],
    keys: tuple[dict[str, str], ...] = (),
    keys_url: str = "",
) -> str:
    """The id of a client that registers itself: what it said, sealed. Refuses what could be no client."""
    Described(identity("x"), name, redirects, "dynamic", keys, keys_url).standing_for(ids.make("agt", bytes(16)))
    said = _Sealed(name, redirects, keys, keys_url)
    text = DYNAMIC + b64(authority.vault.wrap(_WRAP, msgspec.json.encode(said)))
    if len(text) > LONGEST:
        raise RemitError("redirect_invalid", "These are too many addresses.", "Register fewer, or shorter ones.")
    return text


def opened(authority: Authority, client_id: str) -> Described | None:
    """What a client that registered itself had said; None for an id that is not ours."""
    if not client_id.startswith(DYNAMIC) or not client_id.isascii() or len(client_id) > LONGEST:
        return None
    text = client_id.removeprefix(DYNAMIC)
    try:
        # One spelling alone: by another, a client that was ended would be one that nobody knows yet.
        said = msgspec.json.decode(authority.vault.unwrap(_WRAP, unb64(text)) or b"", type=_Sealed)
    except (RemitError, ValueError, msgspec.MsgspecError):
        return None
    return Described(identity(client_id), said.name, said.redirects, "dynamic", said.keys, said.keys_url)


def add(change: Change, *, agent: str, name: str, redirects: tuple[str, ...], confidential: bool, by: str) -> Client:
    """Let a client stand for an agent. A confidential one proves the agent's key, so the agent must have one."""
    one = change.need(Agent, agent)
    if confidential and not one.keys:
        raise RemitError(
            "client_invalid", "This agent has no key to prove.", "Register its key, or leave the client public."
        )
    made = Client(
        id=change.authority.make("cli"), agent=agent, name=name, redirects=redirects, confidential=confidential
    )
    change.record("client.added", made, by)
    return made


def bind(change: Change, one: Described, agent: str, by: str) -> Client:
    """The record of a client that was described, bound to this agent unless it is bound already."""
    known = change.reader.get(Client, one.id)
    if known is not None:
        if known.state != "live":
            raise RemitError("client_ended", "This client was ended.", "Ask the operator.")
        return known
    made = one.standing_for(agent)
    change.record("client.added", made, by)
    return made


def propose(change: Change, one: Described, person: str) -> Client:
    """Put a client forward for a review, as an agent of its own, owned by who brought it. Until then it may nothing."""
    name = f"{_slug(one.name)}-{one.id[4:10]}"
    made = agents.propose(
        change, name=name, owner=person, purpose=f"Came by itself, as {one.name}.",
        review_due=Instant(change.now + MONTH), by=person,
    )  # fmt: skip
    reviews.open_for(change, made, {"client": one.name, "redirects": list(one.redirects)}, person)
    return bind(change, one, made.id, person)


def end(change: Change, client_id: str, by: str, because: str = "") -> Client:
    """End a client and all that came of it: consents, with their tasks, credentials, codes and refresh tokens."""
    one = change.need(Client, client_id)
    gone = changed(one, state=LIFE.after(one.state, "ended"))
    change.record("client.ended", gone, by, because)
    for given in list(change.reader.where(Consent, "client = ? AND state = 'live'", (client_id,))):
        revocation.revoke(change, "consent", given.id, by, "its client was ended")
    return gone


def _slug(name: str) -> str:
    kept = "".join(c if c.isascii() and c.isalnum() else "-" for c in name.lower()).strip("-")
    return kept[:40].strip("-") or "client"

"""Attestors and bindings: registered, removed, bound and unbound by the operator; each is a receipt."""

import json
from collections.abc import Mapping

from remit.control import credential
from remit.control.change import Change
from remit.control.principal import token_digest
from remit.core.agent import Agent
from remit.core.attestor import BOUND, LIFE, SECRET, Attestor, Binding, narrow
from remit.core.canonical import b64
from remit.core.credential import Credential
from remit.core.errors import RemitError
from remit.core.record import changed
from remit.custody.attestation import bundle
from remit.store.record import Reader


def add(change: Change, attestor: Attestor, by: str) -> Attestor:
    """Register who vouches, or put other keys in force for it. Another issuer under a known name is refused."""
    before = change.reader.get(Attestor, attestor.name)
    same = (
        before is None or before.state != "active" or (before.kind, before.issuer) == (attestor.kind, attestor.issuer)
    )
    if not same:
        raise RemitError("name_taken", f"There is an attestor {attestor.name} already.", "Choose another name.")
    if attestor.keys:
        bundle(json.loads(attestor.keys))
    change.record("attestor.added", attestor, by)
    return attestor


def remove(change: Change, name: str, by: str, because: str = "") -> Attestor:
    """Trust it no more: its bindings end, and with them what agents were given by them."""
    attestor = change.need(Attestor, name)
    gone = changed(attestor, state=LIFE.after(attestor.state, "removed"))
    change.record("attestor.removed", gone, by, because)
    for one in list(change.reader.where(Binding, "attestor = ? AND state = 'active'", (name,))):
        unbind(change, one.id, by, "its attestor was removed")
    return gone


def bind(change: Change, agent_id: str, attestor: str, claims: Mapping[str, str], by: str) -> Binding:
    """Say by which claims of which attestor an agent is known (`binding_invalid`, `binding_taken`)."""
    agent, source = change.need(Agent, agent_id), change.need(Attestor, attestor)
    if agent.state == "retired" or source.state != "active":
        raise RemitError("binding_invalid", "This agent or attestor is not here any more.", "Name one that is.")
    narrow(source.kind, claims)
    made = Binding(
        id=change.authority.make("bnd"), agent=agent_id, attestor=attestor, claims=dict(claims), made=change.now
    )
    for one in change.reader.where(Binding, "attestor = ? AND state = 'active'", (attestor,)):
        if one.claims == made.claims:
            raise RemitError("binding_taken", "These claims are bound to an agent already.", "Unbind that one first.")
    change.record("agent.bound", made, by)
    return made


def give_secret(change: Change, agent_id: str, by: str) -> tuple[Binding, str]:
    """Give an agent a shared secret, in place of the one before. Weak: whoever sees it is the agent. Shown once."""
    if change.need(Agent, agent_id).state == "retired":
        raise RemitError("binding_invalid", "This agent is not here any more.", "Name one that is.")
    for one in list(change.reader.where(Binding, "agent = ? AND state = 'active'", (agent_id,))):
        if one.attestor == SECRET:
            unbind(change, one.id, by, "another was given")
    text = f"rcs_{b64(change.authority.random(32))}"
    made = Binding(
        id=change.authority.make("bnd"), agent=agent_id, attestor=SECRET, digest=token_digest(text), made=change.now
    )
    change.record("agent.bound", made, by, "a shared secret: weak")
    return made, text


def shared_secrets(reader: Reader) -> list[Binding]:
    """The bindings by a shared secret that stand: each is a weakness."""
    return list(reader.where(Binding, "attestor = ? AND state = 'active'", (SECRET,)))


def unbind(change: Change, binding_id: str, by: str, because: str = "") -> Binding:
    """End a binding. What the agent was given by it counts no more from this receipt on."""
    binding = change.need(Binding, binding_id)
    gone = changed(binding, state=BOUND.after(binding.state, "unbound"))
    change.record("agent.unbound", gone, by, because)
    live = change.reader.where(Credential, "state = 'active' AND expires > ?", (change.now,))
    for one in [each for each in live if each.binding == binding_id]:
        credential.end(change, one.id, by, "its binding ended")
    return gone

"""Attestors and bindings in the ledger, and what an agent is given by them, on a store of each kind."""

import pytest

from remit.control import attestor, credential
from remit.control.credential import Proved
from remit.core.answer import Deny
from remit.core.attestor import Attestor, Binding
from remit.core.permit import Permit
from remit.core.trust import TrustPath
from tests.kit import stores
from tests.kit.nouns import code
from tests.kit.told import kinds
from tests.kit.world import World, read_call

SOURCE = Attestor(name="p", kind="oidc", issuer="https://idp.test", audience="https://remit.test")


@pytest.mark.parametrize("kind", stores.KINDS)
def test_what_was_given_by_a_binding_is_refused_once_it_ends(kind, tmp_path):
    world = World(stores.place(kind, tmp_path / "store")).settle()
    world.act(lambda c: attestor.add(c, SOURCE, "operator"))
    one = world.act(lambda c: attestor.bind(c, world.agent.id, "p", {"sub": "x"}, "operator"))
    task = world.a_task()
    given = {"task_id": task.id, "agent_id": world.agent.id}
    now = world.authority.clock.now()
    made = world.act(lambda c: credential.give(c, **given, path=TrustPath.OWN, proved=Proved(now, one.id)))
    plain = world.a_credential(task.id)
    entries = [world.enter(each.text) for each in (made, plain)]
    assert all(isinstance(world.decide(read_call(), each), Permit) for each in entries)
    world.act(lambda c: attestor.unbind(c, one.id, "operator"))
    assert [world.decide(read_call(), each).__class__ for each in entries] == [Deny, Permit]
    assert code(world.act, lambda c: attestor.unbind(c, one.id, "operator")) == "transition_refused"
    assert [each for each in kinds(world) if "bound" in each or "attestor" in each] == [
        "attestor.added", "agent.bound", "agent.unbound",
    ]  # fmt: skip
    world.close()


def test_one_secret_stands_at_a_time_and_its_text_is_kept_nowhere(tmp_path):
    tmp_path.chmod(0o700)
    world = World(tmp_path).settle()
    first, text = world.act(lambda c: attestor.give_secret(c, world.agent.id, "operator"))
    second, _ = world.act(lambda c: attestor.give_secret(c, world.agent.id, "operator"))
    assert world.act(lambda c: c.need(Binding, first.id)).state == "ended"
    assert attestor.shared_secrets(world.act(lambda c: c.reader)) == [second]
    assert text.encode() not in (tmp_path / "remit.db").read_bytes()
    world.close()

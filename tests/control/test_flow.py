"""An errand that uses both paths, as it happens: label, rule, what policy and receipts see, and the flow rebuilt."""

import pytest

from remit.control import brief, policy
from remit.control.flow import flow
from remit.core.call import Call
from remit.core.permit import Permit
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.store import payload
from tests.kit.told import kinds, size, told
from tests.kit.world import COMMON, read_call

pytestmark = pytest.mark.parametrize("world", ["sqlite"], indirect=True)
WATCHED = """
@id("no-blend") forbid(principal, action == Action::"mcp:notes/read_note", resource)
when { context.task.blended && context.task.risk == "high" };
"""


class Mixed:
    def __init__(self, world, **members):
        self.world = world
        world.act(lambda c: brief.apply(c, world.a_brief(**members), "operator"))
        self.task = world.a_task(person=world.owner.id)
        self.own = world.enter(world.a_credential(self.task.id).text)
        self.delegated = world.enter(world.a_credential(self.task.id, TrustPath.DELEGATED, world.owner.id).text)

    def now(self, task=None):
        return self.world.act(lambda c: c.need(Task, (task or self.task).id))

    def flow(self):
        return self.world.act(lambda c: flow(c.reader, c.need(Task, self.task.id)))

    def read(self, entry, path="/notes/a", **answer):
        found = self.world.decide(read_call(path), entry)
        if isinstance(found, Permit) and answer:
            self.world.note(found, **answer)
        return found


def test_the_call_that_mixes_labels_its_errand_in_its_own_transaction(world):
    place = Mixed(world)
    place.read(place.own)
    assert (place.now().blended, "blended" in told(world)[-1]) == (0, False)
    before = size(world)
    place.read(place.delegated)
    assert kinds(world, before) == ["task.blended", "call.decided"]
    assert place.now().blended == told(world)[-1]["at"]
    assert told(world)[-1]["blended"] is True
    before = size(world)
    place.read(place.own)
    assert kinds(world, before) == ["call.decided"], "it is labelled once"


@pytest.mark.parametrize(("rule", "code"), [("read_only", "blended_read_only"), ("refuse", "blended_refused")])
def test_the_call_that_would_mix_is_held_to_the_brief_and_leaves_no_label(world, rule, code):
    place = Mixed(world, blended=rule)
    place.read(place.own)
    assert place.read(place.delegated).code == code
    assert place.now().blended == 0
    assert isinstance(place.read(place.own), Permit), "the path that it has stays open"


def test_where_people_are_asked_their_yes_lets_it_mix(world):
    place = Mixed(world, blended="ask", approvers=("ops",))
    place.read(place.own)
    waits = place.read(place.delegated)
    assert (waits.code, place.now().blended) == ("approval_pending", 0)


def test_policy_sees_that_it_is_blended(world):
    place = Mixed(world)
    layers = {"common": COMMON | {"watch.cedar": WATCHED}, "delegated": {}, "own": {}}
    world.act(lambda c: policy.apply(c, layers, 1, "operator"))
    assert isinstance(place.read(place.own), Permit)
    assert place.read(place.delegated).code == "policy_forbids"


def test_a_refused_call_a_list_and_a_session_use_no_path(world):
    place = Mixed(world)
    place.read(place.own, "/etc")
    world.decide(Call("mcp:notes/@list", {}), place.own)
    place.read(place.delegated)
    assert place.now().blended == 0


def test_a_child_blends_what_is_above_it_and_its_receipts_name_that(world):
    place = Mixed(world)
    place.read(place.own)
    child = world.a_task(parent=place.task.id, person=place.task.person)
    entry = world.enter(world.a_credential(child.id, TrustPath.DELEGATED, world.owner.id).text)
    world.decide(read_call(), entry)
    assert told(world)[-1]["above"] == [place.task.id]
    assert place.now().blended > 0
    assert place.now(child).blended > 0


def test_what_crossed_what_switched_and_what_is_not_known(world):
    place = Mixed(world)
    first = place.read(place.delegated, "/notes/inbox", answer={"order": 480213})
    place.read(place.own, "/notes/480213", result="error")
    place.read(place.own, "/etc")
    place.read(place.own, "/notes/late")
    found = place.flow()
    assert [(one.what, one.code) for one in found.acts] == [
        ("done", ""), ("error", ""), ("refused", "argument_refused"), ("open", "")
    ]  # fmt: skip
    assert [(one.path, one.subject) for one in found.lanes] == [
        ("delegated", world.owner.id), ("own", world.agent.id)
    ]  # fmt: skip
    assert [(one.before, one.after) for one in found.switches] == [(0, 1)]
    ((source, target, at, to),) = [(one.source, one.target, one.source_at, one.target_at) for one in found.crossings]
    assert (source, target, at, to) == (first.call, found.acts[1].call, "/order", "/path")
    assert found.acts[3].gaps == ("outcome unknown",)
    world.act(lambda c: (c.keep(), payload.erase(c.db, first.call)))
    world.act(lambda c: (c.keep(), payload.erase(c.db, f"flow:{place.task.id}")))
    gone = place.flow()
    assert gone.acts[0].gaps == ("values erased",)
    assert any("erased" in gap for gap in gone.gaps)
    assert gone.crossings == found.crossings, "what the ledger says stays"


def test_an_answer_that_was_not_seen_is_a_gap(world):
    place = Mixed(world)
    place.read(place.delegated, answer=None)
    world.note(place.read(place.delegated))
    assert [one.gaps for one in place.flow().acts] == [(), ("what it answered is not remembered",)]

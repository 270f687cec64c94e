"""What an API answered on one trust path and is given to a call on the other is an edge in the record, over HTTP."""

import json
from types import SimpleNamespace

import pytest

from remit.control import credential, resource, task
from remit.control.flow import flow
from remit.core.task import Task
from remit.core.trust import TrustPath
from remit.gateway.api.openapi import read
from remit.gateway.serve import passing
from tests.kit.shopapi import DOCUMENT, NAME, pay, step
from tests.kit.told import size, told

STEPS = (step("list_orders"), step("read_order"), step("read_order", path="delegated"))
ORDER = "order-480213"


@pytest.fixture(scope="module")
def target():
    with pay(STEPS) as made:
        tools, _ = read(DOCUMENT)
        for name in ("list_orders", "read_order"):
            made.act(lambda c, one=name: resource.pin_tool(c, NAME, one, tools[one], "operator", reads=True))
        yield made


@pytest.fixture
def errand(target):
    """A task for a person, with a credential on each path, at an API that answers with one order."""
    owner, agent = target.world.owner.id, target.world.agent.id
    given = {"brief": "target", "agent": agent, "requester": owner, "person": owner, "by": owner}
    made = target.act(lambda c: task.open_task(c, **given))

    def paper(path, **whose):
        return target.act(lambda c: credential.give(c, task_id=made.id, agent_id=agent, path=path, **whose)).text

    target.upstream.page = json.dumps([{"id": ORDER, "open": True}]).encode()
    own, delegated = paper(TrustPath.OWN), paper(TrustPath.DELEGATED, person_id=owner)
    yield SimpleNamespace(id=made.id, own=own, delegated=delegated)
    target.upstream.page = b""


def asked(target, token, path=""):
    """Read all orders, or one; what the receipt of the decision says."""
    before = size(target.world)
    target.ask(f"/http/pay/orders{path}", token=token)
    (said,) = [one for one in told(target.world, before) if one["kind"] == "call.decided"]
    assert said["decision"] == "allow", said
    return said


def test_a_value_of_an_answer_that_goes_out_on_the_other_path_is_named(target, errand):
    first = asked(target, errand.own)
    assert "blended" not in first
    assert "crossings" not in asked(target, errand.own, f"/{ORDER}"), "on its own path nothing crosses"
    other = asked(target, errand.delegated, f"/{ORDER}")
    assert other["blended"] is True
    assert other["crossings"] == [{"call": first["call"], "from": "/0/id", "to": "/id"}]
    (edge,) = target.act(lambda c: flow(c.reader, c.need(Task, errand.id))).crossings
    assert (edge.source, edge.target, edge.source_at, edge.target_at) == (
        first["call"], other["call"], "/0/id", "/id",
    )  # fmt: skip
    assert target.act(lambda c: c.need(Task, errand.id)).blended > 0


def test_what_no_answer_held_and_what_a_call_was_given_itself_crosses_nothing(target, errand):
    asked(target, errand.own)
    assert "crossings" not in asked(target, errand.delegated, "/order-999999")
    given = asked(target, errand.own, "/order-777777")
    assert given["blended"] is True
    assert "crossings" not in asked(target, errand.delegated, "/order-777777"), "the agent gave it to both by itself"


def test_a_gate_that_does_not_hand_its_answers_over_leaves_no_edge(target, errand, monkeypatch):
    """The fault that would go unseen: the answer is passed on, and nobody knows its values again."""
    monkeypatch.setattr(passing, "held", lambda *_: None)
    asked(target, errand.own)
    assert "crossings" not in asked(target, errand.delegated, f"/{ORDER}")

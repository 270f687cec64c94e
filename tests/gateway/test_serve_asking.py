"""A call that waits for a yes leads the person in front of the client to a page, and only there is a yes."""

import json
import threading
import time

import pytest

from remit.control import approval, policy, principal
from remit.core.approval import Approval
from remit.gateway.serve.legs import HEARD_S
from tests.kit.agent import ENVELOPE, LEGACY, META, MODERN, Agent
from tests.kit.gate import NAME, gate_for
from tests.kit.upstream import TOOLS, small

COMMON = f'@id("all") permit(principal, action in Action::"mcp:{NAME}", resource);'
NEVER = '@id("no-wipe") forbid(principal, action == Action::"mcp:notes/wipe", resource);'
ASK = f'@ask("people") permit(principal, action == Action::"mcp:{NAME}/echo", resource);'
ABLE = ENVELOPE | {META + "clientCapabilities": {"elicitation": {"form": {}, "url": {}}}}
ECHO = {"name": "echo", "arguments": {"text": "hello"}}
KEY = "remit/approval"


@pytest.fixture(scope="module")
def place():
    with small(MODERN, LEGACY) as server, gate_for(server.url, tools=TOOLS) as gate:
        layers = {"common": {"base.cedar": f"{COMMON}\n{NEVER}"}, "delegated": {}, "own": {"ask.cedar": ASK}}
        gate.act(lambda c: policy.apply(c, layers, 1, "operator"))
        ann = gate.act(lambda c: principal.add_person(c, "local", "ann", "Ann", ("people",), "operator")).id
        yield gate, server, ann


@pytest.fixture
def agent(place):
    """An agent in a task of its own, so that nothing waits in it yet."""
    gate, _, _ = place
    return Agent(gate.url, gate.another()[1])


def say(gate, ann, identity, *, yes=True):
    shown = gate.act(lambda c: c.need(Approval, identity)).shown
    gate.act(lambda c: approval.answer(c, identity, ann, yes=yes, shown=shown, via="test"))


def asked(agent, **more):
    return agent.ask("tools/call", {"_meta": dict(ABLE), **ECHO, **more})


def answered(found, action):
    given = found.last["result"]
    return {"inputResponses": {KEY: {"action": action}}, "requestState": given["requestState"]}


def test_a_modern_client_is_led_to_the_page_and_its_call_goes_on_once_somebody_said_yes_there(place, agent):
    gate, server, ann = place
    found = asked(agent)
    given = found.last["result"]
    assert given["resultType"] == "input_required"
    request = given["inputRequests"][KEY]
    identity = given["requestState"].removeprefix("remit:")
    assert request["method"] == "elicitation/create"
    assert request["params"]["mode"] == "url"
    assert request["params"]["url"] == f"{gate.mcp.page}/{identity}"
    before = len(server.ran())
    told = []
    thread = threading.Thread(target=lambda: told.append(asked(agent, **answered(found, "accept"))))
    thread.start()
    time.sleep(0.8)
    assert not told, "it waits for the person, whatever the client says"
    say(gate, ann, identity)
    thread.join(60)
    assert told[0].text == "hello"
    assert len(server.ran()) == before + 1
    assert KEY not in json.dumps(server.bodies[-1]), "the upstream hears nothing of it"


@pytest.mark.parametrize("action", ["decline", "cancel", "anything"])
def test_what_the_client_answers_is_neither_yes_nor_no(place, agent, action):
    gate, server, _ = place
    found, before = asked(agent), len(server.ran())
    again = asked(agent, **answered(found, action))
    assert again.code == "approval_pending", "it is told as a refusal: nobody is asked in a circle"
    assert len(server.ran()) == before
    identity = found.last["result"]["requestState"].removeprefix("remit:")
    assert gate.act(lambda c: c.need(Approval, identity)).state == "pending"


def test_an_accept_that_nobody_followed_is_refused_after_a_while(place, agent, monkeypatch):
    monkeypatch.setattr("remit.gateway.serve.legs.HEARD_S", 0.6)
    assert asked(agent, **answered(asked(agent), "accept")).code == "approval_pending"


def test_a_state_of_another_task_waits_for_nothing(place, agent):
    gate, _, _ = place
    other = asked(Agent(gate.url, gate.another()[1]))
    began = time.monotonic()
    found = asked(agent, **answered(other, "accept"))
    assert found.code == "approval_pending"
    assert time.monotonic() - began < HEARD_S / 2
    assert found.last["result"]["_meta"]["remit/approval"] not in json.dumps(other.last)


def test_a_client_that_cannot_lead_anybody_gets_the_refusal(place, agent):
    assert agent.call("echo", {"text": "hello"}).code == "approval_pending"
    only_form = ENVELOPE | {META + "clientCapabilities": {"elicitation": {"form": {}}}}
    assert agent.ask("tools/call", {"_meta": only_form, **ECHO}).code == "approval_pending"


def test_what_an_upstream_is_being_told_is_never_asked_about(place, agent):
    found = asked(agent, inputResponses={"theirs": {"action": "accept"}}, requestState="theirs")
    assert found.code == "approval_pending"


def test_a_legacy_client_is_told_by_an_error_that_names_the_page(place, agent):
    gate, _, ann = place
    params = {
        "protocolVersion": LEGACY,
        "capabilities": {"elicitation": {"url": {}}},
        "clientInfo": {"name": "t", "version": "1"},
    }
    agent.session = agent.old("initialize", params).headers["mcp-session-id"]
    agent.notify("notifications/initialized")
    fault = agent.old_call("echo", {"text": "hello"}).last["error"]
    assert fault["code"] == -32042
    one = fault["data"]["elicitations"][0]
    assert (one["mode"], one["url"]) == ("url", f"{gate.mcp.page}/{one['elicitationId']}")
    say(gate, ann, one["elicitationId"])
    assert agent.old_call("echo", {"text": "hello"}).text == "hello"
    plain = Agent(gate.url, gate.another()[1])
    plain.hello()
    assert plain.old_call("echo", {"text": "hello"}).code == "approval_pending"

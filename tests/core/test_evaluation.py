"""Evaluation: an AuthZEN request read into a call. The whole table of cases runs in tests/web/test_access.py."""

import pytest

from remit.core.answer import Deny
from remit.core.errors import RemitError
from remit.core.evaluation import Semantic, parts, question

AGENT = "agt_" + "a" * 26
ONE = {
    "subject": {"type": "identity", "id": AGENT},
    "action": {"name": "tools/call"},
    "resource": {"type": "tool", "id": "notes/read_note"},
    "context": {"credential": "secret-text", "arguments": {"path": "/a"}},
}


def test_a_question_names_the_call_and_never_shows_the_credential():
    said = question(ONE)
    assert said.call.action == "mcp:notes/read_note"
    assert said.call.arguments == {"path": "/a"}
    assert (said.subject, said.credential) == (AGENT, "secret-text")
    assert "secret-text" not in repr(said)


@pytest.mark.parametrize(
    ("method", "kind", "identity", "action", "arguments"),
    [
        ("resources/read", "resource", "file:///x", "mcp:notes/@read", {"uri": "file:///x"}),
        ("prompts/get", "prompt", "greet", "mcp:notes/@prompt", {"name": "greet", "arguments": {"path": "/a"}}),
    ],
)
def test_what_a_gate_would_decide_is_what_is_asked_here(method, kind, identity, action, arguments):
    resource = {"type": kind, "id": identity, "properties": {"server": "notes"}}
    said = question(ONE | {"action": {"name": method}, "resource": resource})
    assert (said.call.action, said.call.arguments) == (action, arguments)


def test_arguments_that_are_left_out_are_no_argument_of_a_prompt():
    resource = {"type": "prompt", "id": "greet", "properties": {"server": "notes"}}
    asked = ONE | {"action": {"name": "prompts/get"}, "resource": resource, "context": {"credential": "c"}}
    assert question(asked).call.arguments == {"name": "greet"}
    assert question(ONE | {"context": {"credential": "c"}}).call.arguments == {}
    with pytest.raises(RemitError):
        question(ONE | {"context": {"credential": "c", "arguments": None}})


@pytest.mark.parametrize("server", ["", "Notes", "a/b", "*", "no\ntes", 7, None])
def test_a_server_that_cannot_be_is_mapped_to_nothing(server):
    resource = {"type": "resource", "id": "x", "properties": {"server": server}}
    found = question(ONE | {"action": {"name": "resources/read"}, "resource": resource})
    assert isinstance(found, Deny)
    assert found.code == "action_unmapped"


def test_a_list_fills_in_defaults_whole_and_says_how_it_is_gone_through():
    semantic, items = parts(ONE | {"evaluations": [{}, {"context": {}}], "options": {"x": 1}})
    assert semantic is Semantic.ALL
    assert items == [ONE, ONE | {"context": {}}]
    assert parts(ONE) is None
    with pytest.raises(RemitError):
        parts([ONE])

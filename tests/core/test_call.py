import pytest

from remit.core.call import Call
from remit.core.canonical import digest
from tests.kit.nouns import code


def test_a_digest_is_over_action_and_arguments_and_no_order():
    one = Call("mcp:notes/read_note", {"path": "/a", "n": 1})
    assert one.digest == digest({"action": "mcp:notes/read_note", "arguments": {"n": 1, "path": "/a"}})
    assert one.digest == Call("mcp:notes/read_note", {"n": 1, "path": "/a"}).digest
    assert (one.resource, one.kind) == ("notes", "read_note")


@pytest.mark.parametrize("arguments", [{"path": "/b"}, {}, {"path": "/a", "x": None}, {"path": ["/a"]}])
def test_another_call_has_another_digest(arguments):
    assert Call("mcp:notes/read_note", {"path": "/a"}).digest != Call("mcp:notes/read_note", arguments).digest


def test_a_call_that_cannot_be_is_refused():
    assert code(Call, "notes/read", {}) == "action_invalid"
    assert code(Call, "mcp:notes/read", {"x": float("nan")}) == "json_invalid"
    assert code(Call, "mcp:notes/read", {"x": "\ud800"}) == "json_invalid"

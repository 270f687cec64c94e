import pytest

from remit.core.call import Call, kept
from remit.core.canonical import b64, digest
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


def test_a_call_that_was_kept_is_the_same_call_and_other_values_are_none():
    for action, arguments in (
        ("mcp:notes/read_note", {"path": "/a", "more": [1, {"b": None}], "half": 0.5, "\u00e9": "x"}),
        ("sql:erp/select", {"relation": "public.order"}),
        ("sql:erp/select", {"relation": 7}),
        ("mcp:notes/@list", {}),
    ):
        call = Call(action, arguments)
        again = kept(action, call.text, b64(call.digest))
        assert again == call
        assert (again.text, again.relation, again.kind) == (call.text, call.relation, call.kind)
        assert kept(action, call.text.replace(b":", b": "), b64(call.digest)) == call
        assert kept(action, b'{"path":"/b"}', b64(call.digest)) is None
        assert kept("mcp:notes/wipe", call.text, b64(call.digest)) is None
    assert code(kept, "notes", b"{}", "x") == "action_invalid"

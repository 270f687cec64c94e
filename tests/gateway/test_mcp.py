"""The pure part of the MCP gate: messages, calls, headers, lists, bridges, answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.answer import Deny
from remit.core.call import Call
from remit.core.canonical import write
from remit.core.permit import Fault
from remit.gateway.mcp import answer, bridge, headers, lists, message, method, reverse
from remit.gateway.mcp.message import Message, Wrong, parse

META = {"io.modelcontextprotocol/protocolVersion": "2026-07-28", "io.modelcontextprotocol/clientCapabilities": {}}


def request(name, params=None, number=1):
    found = message.shape({"jsonrpc": "2.0", "id": number, "method": name, "params": params or {}})
    assert isinstance(found, Message)
    return found


@pytest.mark.parametrize(
    ("body", "number"),
    [
        (b"[]", -32600),
        (b"1", -32600),
        (b'{"id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"1.0","id":1,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":null,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1.5,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":true,"method":"ping"}', -32600),
        (b'{"jsonrpc":"2.0","id":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"result":1,"error":{}}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","result":1}', -32600),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":[]}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":"ping","params":null}', -32602),
        (b'{"jsonrpc":"2.0","id":1,"method":7}', -32600),
        (b"{", -32700),
    ],
)
def test_what_is_no_message_is_refused(body, number):
    found = parse(body)
    assert isinstance(found, Wrong)
    assert found.number == number


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_refused(data):
    assert isinstance(parse(data), Message | Wrong)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(), lambda v: st.lists(v) | st.dictionaries(st.text(), v)
    )
)
def test_any_parameters_are_a_call_or_a_refusal(value):
    for name in ("tools/call", "resources/read", "prompts/get", "completion/complete", "tools/list", "initialize"):
        for params in (
            {"name": value},
            {"uri": value, "arguments": value},
            {"name": "t", "arguments": value, "cursor": value},
        ):
            for modern in (True, False):
                assert isinstance(method.call("r", request(name, params), modern=modern), Call | Deny)


@pytest.mark.parametrize(
    ("name", "params", "action", "arguments"),
    [
        ("tools/call", {"name": "t", "arguments": {"a": 1}, "_meta": {}}, "mcp:r/t", {"a": 1}),
        ("tools/call", {"name": "t"}, "mcp:r/t", {}),
        ("resources/read", {"uri": "x:y"}, "mcp:r/@read", {"uri": "x:y"}),
        (
            "prompts/get",
            {"name": "p", "arguments": {"a": "b"}},
            "mcp:r/@prompt",
            {"name": "p", "arguments": {"a": "b"}},
        ),
        ("completion/complete", {"ref": {}, "_meta": {}}, "mcp:r/@complete", {"ref": {}}),
        ("tools/list", {"cursor": "c"}, "mcp:r/@list", {"method": "tools/list", "cursor": "c"}),
    ],
)
def test_each_method_is_the_call_that_it_says(name, params, action, arguments):
    found = method.call("r", request(name, params), modern=True)
    assert isinstance(found, Call)
    assert (found.action, dict(found.arguments)) == (action, arguments)


@pytest.mark.parametrize(
    ("name", "modern"),
    [
        ("initialize", True),
        ("ping", True),
        ("resources/subscribe", True),
        ("server/discover", False),
        ("tasks/get", False),
    ],
)
def test_a_method_of_the_other_era_is_unknown(name, modern):
    found = method.call("r", request(name, {"uri": "x"}), modern=modern)
    assert isinstance(found, Deny)
    assert found.code == "method_unknown"


def test_a_task_augmented_call_is_refused():
    assert isinstance(method.call("r", request("tools/call", {"name": "t", "task": {}}), modern=False), Deny)


@given(st.text(max_size=40))
def test_a_header_value_survives_its_spelling(text):
    told = headers.encoded(text)
    assert told.isascii()
    assert headers.decoded(told) == text


@pytest.mark.parametrize("text", ["=?base64?!!?=", "=?base64?YQ?=", "=?base64?YR==?=", "=?base64?/w==?="])
def test_a_spelling_that_is_not_clean_agrees_with_nothing(text):
    assert headers.decoded(text) is None


@pytest.mark.parametrize(
    ("schema", "count"),
    [
        ({"properties": {"a": {"type": "string", "x-mcp-header": "A"}}}, 1),
        ({"properties": {"a": {"type": "object", "properties": {"b": {"type": "integer", "x-mcp-header": "B"}}}}}, 1),
        ({"properties": {"a": {"type": "number", "x-mcp-header": "A"}}}, 0),
        ({"properties": {"a": {"type": "string", "x-mcp-header": "A B"}}}, 0),
        ({"properties": {n: {"type": "string", "x-mcp-header": n} for n in ("a", "A")}}, 0),
        ({"items": {"type": "string", "x-mcp-header": "A"}}, 0),
        ({"type": "string", "x-mcp-header": "A"}, 0),
        (None, 0),
    ],
)
def test_only_a_clean_annotation_counts(schema, count):
    assert len(headers.annotated(schema)) == count


@pytest.mark.parametrize(
    ("value", "said", "agrees"),
    [
        (42, b"42", True),
        (42, b"42.0", True),
        (42, b"4_2", False),
        (42, b"43", False),
        (True, b"true", True),
        (None, b"x", False),
    ],
)
def test_an_argument_and_its_header_are_one_value(value, said, agrees):
    kind = "boolean" if value is True else "integer"
    repeated = headers.annotated({"properties": {"a": {"type": kind, "x-mcp-header": "A"}}})
    found = headers.agree_on_arguments({b"mcp-param-a": [said]}, repeated, {"a": value})
    assert (found is None) is agrees


def test_a_repeated_header_is_refused():
    asked = request("tools/call", {"name": "t", "_meta": META})
    given = {b"mcp-protocol-version": [b"2026-07-28"], b"mcp-method": [b"tools/call"], b"mcp-name": [b"t"]}
    assert headers.agree(given, asked) is None
    assert headers.agree(given | {b"mcp-name": [b"t", b"u"]}, asked) is not None


def test_what_goes_upstream_is_written_from_the_body():
    repeated = headers.annotated({"properties": {"a": {"type": "string", "x-mcp-header": "A"}}})
    made = dict(headers.onward(request("tools/call", {"name": "t", "arguments": {"a": "\u00e9"}}), repeated))
    assert made[b"mcp-name"] == b"t"
    assert headers.decoded(made[b"mcp-param-a"].decode()) == "\u00e9"


def test_a_list_holds_what_is_visible_and_not_hidden():
    tools = [{"name": "a"}, {"name": "b"}, {"name": "c"}, {"nameless": 1}, "odd"]
    shown = lists.filtered("tools/list", {"tools": tools, "ttlMs": 9e9}, {"a", "b"}, {"b"}, modern=True)
    assert shown["tools"] == [{"name": "a"}]
    assert (shown["cacheScope"], shown["ttlMs"]) == ("private", 0)
    assert lists.filtered("prompts/list", {"prompts": [1]}, {"@read"}, set(), modern=False) == {"prompts": []}
    assert lists.filtered("resources/list", {"resources": [1]}, {"@read"}, set(), modern=False) == {"resources": [1]}


def test_two_tools_of_one_name_are_neither():
    found = lists.definitions({"tools": [{"name": "a", "x": 1}, {"name": "a", "x": 2}]})
    assert found == {"a": {"twice": "a"}}


@pytest.mark.parametrize("modern", [True, False])
def test_a_refusal_is_a_tool_error_and_a_fault_is_not(modern):
    asked = request("tools/call", {"name": "t"})
    told = answer.refused(asked, Deny("plan_outside", "x" * 900), modern=modern)
    assert told["result"]["isError"] is True
    assert len(told["result"]["content"][0]["text"]) <= 400
    assert told["result"]["_meta"] == {"remit/code": "plan_outside"}
    assert answer.refused(asked, Fault("store_failed", "No."), modern=modern)["error"]["code"] == -32603
    assert (
        answer.refused(request("resources/read"), Deny("plan_outside", "No."), modern=modern)["error"]["code"] == -32001
    )


def test_what_is_noted_of_an_answer():
    body = message.result(1, {"structuredContent": {"rows": [1, 2, 3]}, "content": []})
    noted = answer.outcome(body, len(write(body)))
    assert (noted["result"], noted["rows"]) == ("ok", 3)
    assert "digest" in noted
    assert answer.outcome(message.error(1, -1, "x"), 1) == {"result": "error", "bytes": 1}
    assert answer.rows({"structuredContent": {"a": [1], "b": [2]}}) is None


def test_each_bridge_is_undone_by_the_other():
    asked = request("tools/call", {"name": "t", "arguments": {"a": 1}, "_meta": META | {"progressToken": 1}})
    old = message.shape(bridge.to_legacy(asked))
    assert isinstance(old, Message)
    assert old.params == {"name": "t", "arguments": {"a": 1}, "_meta": {"progressToken": 1}}
    new = message.shape(bridge.to_modern(old))
    assert isinstance(new, Message)
    assert new.params["_meta"] == META | {"progressToken": 1, "io.modelcontextprotocol/clientInfo": bridge.INFO}
    told = bridge.from_legacy("tools/list", message.result(1, {"tools": []}))
    assert told["result"] == {"tools": [], "resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
    assert bridge.from_modern(told) == message.result(1, {"tools": []})
    assert bridge.from_modern(message.result(1, {"resultType": "input_required"})) is None


def test_a_request_of_the_server_is_a_call_in_reverse():
    found = reverse.call("r", {"method": "elicitation/create", "params": {"message": "?", "_meta": {}}})
    assert isinstance(found, Call)
    assert (found.action, dict(found.arguments)) == ("mcp:r/@elicitation", {"message": "?"})
    assert isinstance(reverse.call("r", {"method": "tools/call"}), Deny)
    assert isinstance(reverse.call("r", {}), Deny)


def test_what_a_result_asks_for_is_found():
    asked = {"a": {"method": "roots/list"}, "b": 7}
    assert reverse.wanted({"resultType": "input_required", "inputRequests": asked}) == [{"method": "roots/list"}, {}]
    assert reverse.wanted({"resultType": "input_required", "inputRequests": 5}) == [{}]
    assert reverse.wanted({"resultType": "complete", "inputRequests": asked}) == []


@pytest.mark.parametrize(
    "given",
    [
        {b"mcp-method": [b"ping"]},
        {b"mcp-name": [b"wipe"]},
        {b"mcp-protocol-version": [b"2025-11-25"], b"meta": [b"2026-07-28"]},
    ],
)
def test_what_a_legacy_request_repeats_must_agree_all_the_same(given):
    meta = (
        {"_meta": {"io.modelcontextprotocol/protocolVersion": given[b"meta"][0].decode()}} if b"meta" in given else {}
    )
    said = request("tools/call", {"name": "echo", **meta})
    assert isinstance(headers.contradicts(given, said), Wrong)
    assert (
        headers.contradicts(
            {b"mcp-method": [b"tools/call"], b"mcp-name": [b"echo"]}, request("tools/call", {"name": "echo"})
        )
        is None
    )


def test_a_call_that_may_have_been_done_is_not_called_undone():
    asked = request("tools/call", {"name": "pay"})
    sure = answer.refused(asked, Fault("upstream_unreachable", "The server is away."), modern=True)
    unsure = answer.refused(asked, Fault("upstream_closed", "The process ended.", unsure=True), modern=True)
    assert sure["error"]["message"].startswith("Not done: ")
    assert unsure["error"]["message"].startswith("Outcome unknown: ")
    assert "check before" in unsure["error"]["message"]

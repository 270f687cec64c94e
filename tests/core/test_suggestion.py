"""What is proposed for a tool list: read back as it would be at registration, and strict where a name says nothing."""

import pytest

from remit.core.brief import Brief
from remit.core.connector import read
from remit.core.record import load
from remit.core.suggestion import suggest
from tests.kit.nouns import AGENT, code

TEXT = {"type": "string"}
TOOLS = [
    {
        "name": "search_mails",
        "inputSchema": {"type": "object", "properties": {"query": TEXT}},
        "outputSchema": {
            "type": "object",
            "properties": {
                "mails": {
                    "type": "array",
                    "items": {
                        "type": "object",
                        "properties": {"id": TEXT, "sender": TEXT, "subject": TEXT, "body": TEXT},
                    },
                }
            },
        },
    },
    {
        "name": "send_mail",
        "inputSchema": {
            "type": "object",
            "properties": {"recipients": {"type": "array", "items": TEXT}, "body": TEXT, "priority": TEXT},
            "required": ["recipients", "body"],
        },
        "outputSchema": {"type": "object", "properties": {"id": TEXT}},
    },
    {"name": "deleteFile", "inputSchema": {"type": "object", "properties": {"file_id": TEXT}, "required": ["file_id"]}},
    {"name": "get_page", "inputSchema": {"type": "object", "properties": {"url": TEXT}}},
    {"name": "audit", "annotations": {"readOnlyHint": True}, "inputSchema": {"type": "object"}},
]


def test_names_and_schemas_say_what_a_tool_is() -> None:
    shapes = read(suggest("office", TOOLS)["connector"])
    assert {name: one.effect for name, one in shapes.items()} == {
        "search_mails": "read", "send_mail": "write", "deleteFile": "write", "get_page": "read", "audit": "read",
    }  # fmt: skip
    send = shapes["send_mail"].arguments
    assert {place: (one.role, one.kind) for place, one in send.items()} == {
        "/recipients/*": ("destination", "email"), "/body": ("content", "text"),
    }  # fmt: skip
    assert (shapes["deleteFile"].verbs, shapes["deleteFile"].arguments["/file_id"].role) == (("delete",), "object")
    assert shapes["get_page"].reaches
    assert not shapes["search_mails"].reaches
    assert {place: (one.by, one.names) for place, one in shapes["search_mails"].results.items()} == {
        "/mails/*/id": ("service", False), "/mails/*/sender": ("service", False), "/mails/*/subject": ("", True),
    }  # fmt: skip
    assert shapes["send_mail"].results["/id"].by == "minted"
    assert not any(one.trusted for one in shapes.values())


def test_a_request_leaves_the_reads_and_the_acts_that_it_may_mean() -> None:
    found = suggest("office", {"tools": TOOLS}, "Please send a mail to Bob about the page.", "office")["brief"]
    actions = [one["action"] for one in found["steps"]]
    assert actions == [f"mcp:office/{name}" for name in ("search_mails", "send_mail", "get_page", "audit")]
    assert load(Brief, found | {"agents": [AGENT]}).steps[1].optional == {"priority"}


@pytest.mark.parametrize("tools", [None, {}, "x", [1], [{"name": "a b"}], [{"name": 3}], [{"name": "x"}] * 201])
def test_what_is_no_tool_list_is_refused(tools: object) -> None:
    assert code(suggest, "office", tools) == "tools_invalid"


def test_a_schema_of_any_form_is_read() -> None:
    deep: dict[str, object] = {}
    for _ in range(50):
        deep = {"type": "object", "properties": {"a": deep}, "anyOf": [deep, 3]}
    loop = {"$ref": "#/$defs/a", "$defs": {"a": {"properties": {"id": {"$ref": "#/$defs/a"}}}}}
    for schema in (
        loop,
        {"$ref": "#/nowhere"},
        {"$ref": 3},
        None,
        [],
        {"properties": 3},
        {"properties": {"id": None}},
        {"anyOf": [{"items": 1}]},
        deep,
    ):
        suggest("office", [{"name": "x", "inputSchema": schema, "outputSchema": schema}])

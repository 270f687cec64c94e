"""Operations from an OpenAPI document, requests as one of them, and the fields that pass; without a socket."""

import pytest

from remit.core.errors import RemitError
from remit.core.operation import Request
from remit.gateway.api.fields import back, countable, location, there
from remit.gateway.api.openapi import read
from remit.gateway.api.operations import Operations, quoted, typed
from remit.gateway.api.rows import rows
from tests.kit.shopapi import DOCUMENT

TOOLS, LEFT = read(DOCUMENT)


def code(work, *words, **more):
    with pytest.raises(RemitError) as refused:
        work(*words, **more)
    return refused.value.code


def test_a_document_becomes_typed_operations_and_says_what_it_leaves_out():
    assert TOOLS["refund"]["http"] == {"method": "POST", "path": "/refunds", "body": True}
    assert TOOLS["refund"]["inputSchema"]["properties"]["amount"] == {"type": "number"}
    assert TOOLS["refund"]["inputSchema"]["required"] == ["order"]
    assert TOOLS["read_order"]["inputSchema"]["required"] == ["id"]
    assert sorted(LEFT) == [
        "GET /files/{name}.txt: its path is not made of whole segments",
        "POST /form: its body is nothing that can be decided",
    ]  # fmt: skip


ONE = {"get": {"operationId": "a"}}


SPACED = {"get": {"operationId": "a b"}}
NONE = [
    [], {}, {"openapi": "2.0"}, {"openapi": "3.0.0", "paths": {}}, {"openapi": "3.0.0", "paths": {"/a": []}},
    {"openapi": "3.0.0", "paths": {"/a": ONE, "/b": ONE}}, {"openapi": "3.0.0", "paths": {"/a": SPACED}},
]  # fmt: skip


@pytest.mark.parametrize("document", NONE)
def test_what_is_no_document_is_refused(document):
    assert code(read, document) == "openapi_invalid"


def test_references_that_lead_in_a_circle_or_elsewhere_are_left_out():
    said = {"$ref": "#/x"}
    document = {
        "openapi": "3.0.0",
        "x": said,
        "paths": {"/a": ONE, "/b": {"get": {"operationId": "b", "parameters": [said]}}},
    }
    assert read(document)[1] == ["GET /b: its references have no end"]
    document["paths"]["/b"]["get"]["parameters"] = [{"$ref": "https://evil.test/x"}]
    assert read(document)[1] == ["GET /b: it refers to another document"]


def test_what_goes_upstream_is_written_from_what_was_decided():
    known = Operations("pay", TOOLS)
    asked = known.asked(Request("GET", "/orders/o-%C3%A9%20x"), "/v1")
    assert (asked.target, dict(asked.call.arguments)) == (b"/v1/orders/o-%C3%A9%20x", {"id": "o-é x"})
    asked = known.asked(Request("GET", "/orders", "limit=3&open=false"), "")
    assert (asked.target, dict(asked.call.arguments)) == (b"/orders?limit=3&open=false", {"limit": 3, "open": False})
    body = b' {"amount": 1.50, "order": "o-1"} '
    asked = known.asked(Request("POST", "/refunds", kind="application/json", body=body), "/v1")
    assert asked.body == b'{"amount":1.5,"order":"o-1"}'
    assert asked.call.action == "http:pay/refund"


def test_text_becomes_a_number_only_when_it_is_written_as_one():
    assert [typed("7", "integer"), typed("-3", "integer"), typed("1.5", "number"), typed("x", "string")] == [
        7,
        -3,
        1.5,
        "x",
    ]
    for value, kind in (("07", "integer"), ("1e3", "number"), ("1.50", "number"), ("True", "boolean"), ("", "integer"),
                        ("9007199254740993", "integer")):  # fmt: skip
        assert code(typed, value, kind) == "argument_type"
    assert quoted("a/b?c=d&é") == "a%2Fb%3Fc%3Dd%26%C3%A9"


def test_fields_pass_by_name_and_only_as_plain_text():
    kept = there([(b"accept", b"a/b"), (b"x-user", b"root"), (b"authorization", b"Bearer x")], body=True)
    assert kept == [(b"accept", b"a/b"), (b"accept-encoding", b"identity"), (b"content-type", b"application/json")]
    assert code(there, [(b"x-user", b"\xff")], body=False) == "header_invalid"
    assert code(there, [(b"accept", b"a"), (b"accept", b"b")], body=False) == "header_invalid"
    assert countable([(b"accept", b"*/*"), (b"range", b"bytes=0-1")]) == [(b"range", b"bytes=0-1")]
    assert countable([(b"accept", b'a/xml;x=",application/json"')]) == []
    found = back([(b"etag", b"1"), (b"set-cookie", b"a"), (b"location", b"/v1/x")], "http://a", "/v1", "/http/pay")
    assert found == [(b"etag", b"1"), (b"location", b"/http/pay/x"), (b"cache-control", b"no-store")]


PLACES = {
    "/v1/a?b=c": "/a?b=c", "http://a/v1/a": "/a", "/v1": "", "https://a/v1/a": None, "//a/v1": None, "/v2": None,
    "/v1/../x": None, "/v1//x": None, "http://a@evil.test/v1/x": None, "http://a.evil.test/v1": None, "x": None,
    "/v1/a#b": None, "/v1/\\evil": None, "/v1evil": None, "javascript:alert(1)": None, "/v1/a\r\nx: y": None,
    "/v1/%2e%2e/x": None, "/v1/a%2E%2e/x": None,
}  # fmt: skip


@pytest.mark.parametrize(("value", "expected"), PLACES.items())
def test_http_09_a_location_leads_back_through_the_gate_or_nowhere(value, expected):
    assert location(value, "http://a", "/v1") == expected


ANSWERS = [
    ("application/json", b"[]", 0), ("application/json", b"{}", 1), ("application/json", b" [1, [2, 3]]", 2),
    ("application/hal+json", b'{"a": {"b": [1, 2]}, "c": [3]}', 3), ("application/json", b'{"n": 1, "n": 2}', 16),
    ("text/event-stream", b"data: a\n\n: note\n\ndata: b\n\n", 2), ("text/csv", b"a,b\r\n1,2\r\n\r\n", 2),
    ("application/x-ndjson", b"{}\n{}\n", 2), ("text/plain", b"a\nb", 1), ("", b"", 1),
]  # fmt: skip


@pytest.mark.parametrize(("kind", "body", "expected"), ANSWERS)
def test_rows_are_counted_high_where_they_cannot_be_told(kind, body, expected):
    assert rows(kind.encode(), body) == expected

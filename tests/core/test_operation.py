"""Operation: one reading of an HTTP request, and every second one refused."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from remit.core.errors import RemitError
from remit.core.operation import Request, found, operation, path_segments, query_pairs
from tests.house.tree import ROOT
from tests.oracle.operation import agree, readings

VECTORS = json.loads((ROOT / "tests/vectors/access/requests.json").read_text(encoding="utf-8"))
KNOWN = [one for one in (operation(name, said) for name, said in VECTORS["operations"].items()) if one]


def request(method, path, query, body, **more):
    kind = "application/json" if body else ""
    return Request(**({"method": method, "path": path, "query": query, "kind": kind, "body": body.encode()} | more))


def code(asked, known=KNOWN):
    with pytest.raises(RemitError) as caught:
        found(known, asked)
    return caught.value.code


@pytest.mark.parametrize(("method", "path", "query", "body", "name", "arguments"), VECTORS["good"])
def test_a_plain_request_is_one_operation(method, path, query, body, name, arguments):
    assert found(KNOWN, request(method, path, query, body)) == (name, arguments)


@pytest.mark.parametrize(("method", "path", "query", "body", "refused"), VECTORS["bad"])
def test_http_03_what_could_be_read_otherwise_is_refused(method, path, query, body, refused):
    assert code(request(method, path, query, body)) == refused


@pytest.mark.parametrize("name", ["x-http-method-override", "x-original-url", "x-rewrite-url", "upgrade"])
def test_a_header_that_names_another_request_is_refused(name):
    assert code(request("GET", "/", "", "", headers=frozenset({"accept", name}))) == "request_ambiguous"


@pytest.mark.parametrize("name", ["_method", "_METHOD", "x-http-method-override"])
def test_an_argument_that_names_another_method_is_refused_wherever_it_stands(name):
    known = [operation("a", {"http": {"method": "POST", "path": "/a", "body": True}})]
    said = {"kind": "application/json", "body": json.dumps({name: "DELETE"}).encode()}
    assert code(Request("POST", "/a", **said), known) == "request_ambiguous"
    assert code(Request("POST", "/a", f"{name}=DELETE"), known) == "request_ambiguous"


def test_two_operations_of_one_request_are_refused_and_other_bodies_too():
    twice = [*KNOWN, operation("other", {"http": {"method": "GET", "path": "/{page}"}})]
    assert code(request("GET", "/admin", "", ""), twice) == "operation_ambiguous"
    assert found(twice, request("GET", "/about", "", "")) == ("other", {"page": "about"})
    assert code(request("PUT", "/orders/o-1", "", "a=b", kind="text/plain")) == "body_refused"
    assert code(request("GET", "/" + "a" * 9_000, "", "")) == "request_ambiguous"
    assert code(request("GET", "/find", "q=" + "a" * 9_000, "")) == "request_ambiguous"


@pytest.mark.parametrize(
    "said",
    [
        None,
        {},
        {"http": "GET /"},
        {"http": {"method": "BREW", "path": "/"}},
        {"http": {"method": "GET", "path": "orders"}},
        {"http": {"method": "GET", "path": "/a//b"}},
        {"http": {"method": "GET", "path": "/a/../b"}},
        {"http": {"method": "GET", "path": "/a/x{id}"}},
        {"http": {"method": "GET", "path": "/{id}/{ID}"}},
        {"http": {"method": "GET", "path": "/a%20b"}},
        {"http": {"method": "GET", "path": "/", "body": 1}},
        {"http": {"method": "GET", "path": "/", "hosts": []}},
    ],
)
def test_a_definition_without_one_plain_form_is_no_operation(said):
    assert operation("one", said) is None


PIECES = st.sampled_from(
    [
        *(
            "a",
            "o-1",
            ".",
            "..",
            "/",
            "//",
            "%2e",
            "%2E",
            "%2f",
            "%5c",
            "\\",
            "%25",
            "%252f",
            "%61",
            ";",
            "%3b",
            "+",
            "%20",
        ),
        *("%C3%A9", "%ff", "é", "%00", "?", "#", " ", "~", ":", "@", "=", "&", "%26", "%2B", "orders", "%zz", "%"),
    ]
)
TEXTS = st.lists(PIECES, max_size=6).map("".join)


@settings(max_examples=3_000, derandomize=True, database=None, deadline=None)
@given(TEXTS, TEXTS)
def test_what_is_taken_is_what_every_reader_sees(path, query):
    try:
        segments, pairs = path_segments(f"/{path}"), query_pairs(query)
    except RemitError:
        return
    assert agree(f"/{path}", query)
    assert readings(f"/{path}", query)[0] == (("", *(segments or ("",))), tuple(pairs))


def test_the_twin_sees_what_is_ambiguous():
    ambiguous = ["/a/../b", "/a%2Fb", "/a//b", "/a\\b", "/a%252Fb", "/a;b", "/a/"]
    assert not any(agree(path, "") for path in ambiguous)
    assert not any(agree("/", query) for query in ("a=1&a=2", "a=1&A=2", "a=b+c", "a=%2541", "a=1;b=2"))
    assert agree("/orders/o-1", "q=a%20b")

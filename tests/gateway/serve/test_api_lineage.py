"""What an API has answered vouches for what is done next, at the HTTP gate as at the others: exactly what was seen."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from remit.core.canonical import write
from remit.core.connector import Argument, Field, Shape
from remit.core.lineage.rules import Rules
from remit.gateway.api.rows import held
from remit.gateway.mcp.answer import plain
from tests.kit.shopapi import pay, step
from tests.kit.told import told

STEPS = (step("list_orders"), step("read_order"), step("refund"), step("echo"), step("events"))
SHAPES = {
    "list_orders": Shape(effect="read", results={"/*/id": Field(by="service", of="order")}),
    "refund": Shape(
        effect="write",
        arguments={"/order": Argument(role="object", kind="id", of="order"), "/amount": Argument(role="free")},
    ),
}
RULE = Rules(acts="plan", unvouched="refuse", undirected=1000, trusted=("http:pay/list_orders",))


@pytest.fixture
def target():
    with pay(STEPS, shapes=SHAPES, lineage=RULE) as made:
        yield made


def refund(target, order="o-1"):
    body = json.dumps({"order": order, "amount": 5}).encode()
    status, _, said = target.ask("/http/pay/refunds", "POST", body, content_type="application/json")
    return status, json.loads(said).get("code", "")


def remembered(target):
    ((count,),) = target.on_loop(lambda: target.world.authority.view.all("SELECT count(*) FROM lineage"))
    return count


def test_an_object_is_touched_only_once_an_answer_has_named_it(target):
    assert refund(target) == (403, "value_undeclared")
    assert target.ask("/http/pay/orders")[0] == 200
    assert refund(target) == (200, "")
    assert refund(target, "o-9") == (403, "value_undeclared")
    places = [one["lineage"]["from"] for one in told(target.world) if "lineage" in one]
    assert [one["/order"].partition(":")[0] for one in places if one] == ["nobody", "trusted", "nobody"]


TWICE = (b'[{"id": "o-1"}', b'[{"id": "o-1", "id": "o-2"}]', b"o-1", b'{"id": NaN}', b'[{"id": "\\ud800"}]')


def test_an_answer_that_cannot_be_read_in_one_way_vouches_for_nothing(target):
    for target.upstream.page in TWICE:
        assert target.ask("/http/pay/orders")[0] == 200
        assert remembered(target) == 0
        assert refund(target) == (403, "value_undeclared")


def test_an_answer_that_failed_or_is_no_json_vouches_for_nothing(target):
    for path in ("/http/pay/echo", "/http/pay/packed"):
        assert target.ask(path)[0] >= 400
    target.upstream.over.set()
    assert target.ask("/http/pay/events")[0] == 200
    assert remembered(target) == 0


VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.text(st.characters(exclude_categories=("Cs",))),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_an_api_is_read_as_a_tool_that_says_the_same(value):
    said = write(value)
    assert held(b"application/json", said) == (plain({"content": [{"type": "text", "text": said.decode()}]}),)
    assert held(b"application/problem+json", said) == held(b"application/json", said)
    assert [held(kind, said) for kind in (b"text/plain", b"application/x-ndjson", b"text/event-stream", b"")] == 4 * [
        None
    ]

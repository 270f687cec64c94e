"""The AuthZEN access request profile: a denial that people may turn, its handle, and the evaluation that decides."""

from contextlib import contextmanager

import pytest

from remit.control import approval, policy, principal
from remit.core.approval import Approval
from tests.kit.approving import asking
from tests.kit.door import SHOP, door, give
from tests.kit.site import site

REQUESTS = "/access/v1/requests"
URN = "urn:openid:authzen:access-request:error:"


@contextmanager
def asked_at(folder):
    folder.chmod(0o700)
    with door(folder) as one:
        layers = {"common": SHOP, "delegated": {}, "own": {"a.cedar": asking("staff")}}
        one.site.act(lambda c: policy.apply(c, layers, 1, "operator"))
        one.ann = one.site.act(lambda c: principal.add_person(c, "local", "ann", "Ann", ("staff",), "operator")).id
        yield one


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    with asked_at(tmp_path_factory.mktemp("door")) as one:
        yield one


def evaluated(shop, path, **more):
    context = {"credential": shop.credential, "arguments": {"path": path}} | more
    return shop.evaluate(context=context).json


def denied(shop, path):
    return evaluated(shop, path)["context"]


def submission(shop, context, path):
    denial = {"evaluation_id": context["evaluation_id"], "expires_at": context["access_request"]["expires_at"]}
    given = shop.evaluation(context={"arguments": {"path": path}})
    return given | {"denial": denial}


def submit(shop, body, token=None, **headers):
    return shop.site.send(REQUESTS, body, shop.token if token is None else token, **headers)


def answer(shop, identity, *, yes=True):
    shown = shop.site.act(lambda c: c.need(Approval, identity)).shown
    given = {"yes": yes, "shown": shown, "via": "test"}
    shop.site.act(lambda c: approval.answer(c, identity, shop.ann, **given))


def task(shop, handle, token=None):
    return shop.site.get(f"{REQUESTS}/{handle}", shop.token if token is None else token)


def test_the_metadata_names_it(shop):
    found = shop.site.get("/.well-known/authzen-configuration", "").json
    assert found["access_request_endpoint"].endswith(REQUESTS)
    assert "urn:openid:authzen:capability:access-request" in found["capabilities"]


def test_a_denial_is_asked_about_approved_and_evaluated_again(shop):
    said = evaluated(shop, "/notes/one")
    assert said["decision"] is False
    context = said["context"]
    assert (context["code"], context["reason"]) == ("approval_pending", "approval_required")
    assert context["access_request"]["endpoint"].endswith(REQUESTS)
    made = submit(shop, submission(shop, context, "/notes/one"))
    handle = made.json["task"]
    assert (made.status, handle["status"], made.headers["location"]) == (202, "pending", handle["status_endpoint"])
    assert submit(shop, submission(shop, context, "/notes/one")).json == made.json, "once is enough"
    assert task(shop, handle["id"]).json["task"]["status"] == "pending"
    assert evaluated(shop, "/notes/one")["decision"] is False
    answer(shop, handle["id"])
    done = task(shop, handle["id"]).json
    assert (done["task"]["status"], done["result"]["mode"]) == ("approved", "reevaluate")
    reference = done["result"]["approval"]
    assert evaluated(shop, "/notes/other", approval=reference)["decision"] is False, "a reference opens nothing"
    assert evaluated(shop, "/notes/one", approval=reference)["decision"] is True
    assert evaluated(shop, "/notes/one", approval=reference)["decision"] is False, "it was used up"
    assert task(shop, handle["id"]).json["task"]["status"] == "expired"


def test_a_no_is_told_and_asks_no_more(shop):
    context = denied(shop, "/notes/two")
    handle = submit(shop, submission(shop, context, "/notes/two")).json["task"]["id"]
    answer(shop, handle, yes=False)
    told = task(shop, handle).json
    assert told["task"]["status"] == "denied"
    assert "result" not in told
    assert "access_request" not in denied(shop, "/notes/two")


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": {"type": "tool", "id": "notes/write_note"}},
        {"context": {"arguments": {"path": "/notes/elsewhere"}}},
        {"context": {}},
        {"subject": {"type": "agent", "id": "agt_" + "a" * 26}},
        {"denial": {"evaluation_id": "apr_" + "a" * 26, "expires_at": "2026-01-01T00:00:00.000Z"}},
        {"denial": {}},
        {"denial": "x"},
    ],
    ids=str,
)
def test_what_was_not_denied_is_bound_to_nothing(shop, changes):
    context = denied(shop, "/notes/three")
    found = submit(shop, submission(shop, context, "/notes/three") | changes)
    assert (found.status, found.json["type"]) == (400, f"{URN}invalid_denial_binding")
    assert found.headers["content-type"] == "application/problem+json"


def test_another_expiry_is_not_the_denials(shop):
    context = denied(shop, "/notes/four")
    denial = {"evaluation_id": context["evaluation_id"], "expires_at": "2099-01-01T00:00:00.000Z"}
    assert submit(shop, submission(shop, context, "/notes/four") | {"denial": denial}).status == 400


def test_only_the_service_that_was_denied_may_ask_and_look(shop):
    context = denied(shop, "/notes/five")
    _, other = give(shop.site, "other-edge")
    body = submission(shop, context, "/notes/five")
    assert submit(shop, body, other).json["type"] == f"{URN}invalid_denial_binding"
    handle = submit(shop, body).json["task"]["id"]
    assert (task(shop, handle, other).status, task(shop, handle, other).json["type"]) == (404, f"{URN}unknown_task")
    assert task(shop, handle, "").status == 401
    assert submit(shop, body, "").status == 401
    assert task(shop, "apr_nonsense").json["type"] == f"{URN}unknown_task"


def test_a_key_of_another_request_is_refused(shop):
    one, two = denied(shop, "/notes/six"), denied(shop, "/notes/seven")
    first, second = submission(shop, one, "/notes/six"), submission(shop, two, "/notes/seven")
    key = {"idempotency-key": "k1"}
    assert [submit(shop, first, headers=key).status for _ in range(2)] == [202, 202]
    found = submit(shop, second, headers=key)
    assert (found.status, found.json["type"]) == (409, f"{URN}duplicate_request")


def test_a_key_outlives_the_node_that_saw_it_and_is_its_services_alone(tmp_path):
    """The same store behind another process: the first answer again, and no other request under the key."""
    key = {"idempotency-key": "k1"}
    with asked_at(tmp_path) as shop:
        one, two = denied(shop, "/notes/six"), denied(shop, "/notes/seven")
        first, second = submission(shop, one, "/notes/six"), submission(shop, two, "/notes/seven")
        said = submit(shop, first, headers=key)
        assert said.status == 202
        _, other = give(shop.site, "other-edge")
        assert submit(shop, first, other, headers=key).status == 400, "another service was answered by it"
        assert submit(shop, first, headers={"idempotency-key": "x" * 257}).json["type"] == f"{URN}invalid_request"
    with site(tmp_path, settled=False) as anew:
        replayed = anew.send(REQUESTS, first, shop.token, headers=key)
        assert (replayed.status, replayed.json) == (202, said.json)
        assert (replayed.headers["idempotent-replayed"], replayed.headers["location"]) == (
            "true", said.headers["location"],
        )  # fmt: skip
        assert anew.send(REQUESTS, second, shop.token, headers=key).json["type"] == f"{URN}duplicate_request"
        assert anew.send(REQUESTS, first, other, headers=key).status == 400

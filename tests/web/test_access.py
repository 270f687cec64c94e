"""AuthZEN 1.0 against a real server: the cases that its certification tries, in our own words, and ours besides."""

import json
from collections import Counter

import pytest

from tests.house.tree import ROOT
from tests.kit.door import door, give
from tests.kit.site import ADMIN, ask

CASES = json.loads((ROOT / "tests/vectors/access/evaluations.json").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def shop(tmp_path_factory):
    folder = tmp_path_factory.mktemp("door")
    folder.chmod(0o700)
    with door(folder) as one:
        yield one


def filled(value, shop):
    text = json.dumps(value).replace("$agent", shop.bot).replace("$credential", shop.credential)
    return text.encode()


def said(answer):
    """True for a yes, the code for a no or a fault."""
    if "decision" not in answer:
        return answer["code"]
    assert answer["decision"] in (True, False)
    return True if answer["decision"] else answer["context"]["code"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_case(case, shop):
    answer = shop.site.send(
        case["path"], filled(case["body"], shop), shop.token, kind=case.get("kind", "application/json")
    )
    assert answer.status == case["status"], answer.body
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"].startswith("application/json")
    found = answer.json.get("evaluations", answer.json)
    assert ([said(one) for one in found] if isinstance(found, list) else said(found)) == case["said"]
    assert shop.credential.encode() not in answer.body


def test_the_certifications_scenario_in_our_terms(shop):
    """Two records, of which one is archived; an agent with a task for the other, and bob, who is an admin by name."""
    told = {}
    for record in ("/notes/record-1", "/archive/record-2"):
        for tool, more in (("read_note", {}), ("write_note", {"text": "t"})):
            context = {"credential": shop.credential, "arguments": {"path": record} | more}
            resource = {"type": "tool", "id": f"notes/{tool}"}
            told[tool, record] = shop.evaluate(resource=resource, context=context).json["decision"]
            named = {"type": "user", "id": "bob", "properties": {"role": "admin"}}
            assert not shop.evaluate(subject=named, resource=resource, context=context).json["decision"]
    assert told == {
        ("read_note", "/notes/record-1"): True,
        ("write_note", "/notes/record-1"): True,
        ("read_note", "/archive/record-2"): False,
        ("write_note", "/archive/record-2"): False,
    }


@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("path", ["/access/v1/evaluation", "/access/v1/evaluations", "/access/v1/outcome"])
def test_only_post_is_answered(path, method, shop):
    assert shop.site.send(path, b"{}", shop.token, method=method).status == 405


@pytest.mark.parametrize("token", ["", "wrong", ADMIN, "the agent's own"])
def test_who_is_no_service_is_401(token, shop):
    given = shop.credential if token.startswith("the") else token
    for path in ("/access/v1/evaluation", "/access/v1/evaluations", "/access/v1/outcome"):
        answer = shop.site.send(path, shop.evaluation(), given)
        assert answer.status == 401
        assert answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"a":1,"a":2}', b'{"a":NaN}', b"[" * 100])
def test_a_body_that_is_no_json_is_400(body, shop):
    answer = shop.site.send("/access/v1/evaluation", body, shop.token)
    assert (answer.status, answer.json["code"]) == (400, "json_invalid")


def test_the_requests_id_comes_back_and_nothing_that_no_header_may_hold(shop):
    head = {"authorization": f"Bearer {shop.token}", "content-type": "application/json", "x-request-id": "req-7"}
    url = f"{shop.site.url}/access/v1/evaluation"
    assert ask(url, "POST", json.dumps(shop.evaluation()).encode(), head).headers["x-request-id"] == "req-7"
    assert ask(url, "POST", b"{", head).headers["x-request-id"] == "req-7"
    assert ask(url, "POST", b"{}", head | {"authorization": ""}).headers["x-request-id"] == "req-7"
    assert "x-request-id" not in ask(url, "POST", b"{", head | {"x-request-id": "a" * 257}).headers


def test_the_metadata_names_this_origin_and_no_search(shop):
    answer = ask(f"{shop.site.url}/.well-known/authzen-configuration")
    issuer = shop.site.world.authority.issuer
    assert answer.status == 200
    assert answer.json["policy_decision_point"] == issuer
    assert answer.json["access_evaluation_endpoint"] == f"{issuer}/access/v1/evaluation"
    assert not [name for name in answer.json if "search" in name]
    assert ask(f"{shop.site.url}/access/v1/search/subject", "POST", b"{}").status == 404


def test_each_yes_is_a_permit_of_its_own_with_its_leaf_in_the_ledger(shop):
    answers = [shop.evaluate().json["context"] for _ in range(3)]
    answers += [one["context"] for one in shop.evaluations([{}, {}]).json["evaluations"]]
    assert len({one["permit"] for one in answers}) == 5
    assert all(0 < one["life_ms"] <= 1_000 for one in answers)
    receipts = dict(shop.decided())
    for one in answers:
        receipt = receipts[one["leaf"]]
        assert (receipt["call"], receipt["decision"], receipt["service"]) == (one["permit"], "allow", shop.service)


def test_uses_are_counted_over_a_whole_list(shop):
    write = {
        "resource": {"type": "tool", "id": "shop/put_order"},
        "context": {"credential": shop.credential, "arguments": {"order": "o-1", "amount": 1}},
    }
    found = Counter(said(one) for one in shop.evaluations([write] * 6).json["evaluations"])
    assert found == {True: 2, "uses_spent": 4}


def test_an_outcome_is_noted_once_by_who_asked(shop):
    permit = shop.evaluate().json["context"]["permit"]
    _, other = give(shop.site, "other")
    assert shop.told(permit, token=other).status == 409
    assert shop.told(permit, "perhaps").json["code"] == "outcome_invalid"
    assert shop.told(permit, bytes=-1).status == 400
    noted = shop.told(permit, status=200, bytes=12, ms=3)
    assert noted.status == 200
    receipt = shop.site.get(f"/v1/receipts/{noted.json['leaf']}").json["receipt"]
    assert {"call": permit, "result": "ok", "status": 200, "told": "service"}.items() <= receipt.items()
    again = shop.told(permit)
    assert (again.status, again.json["code"]) == (409, "outcome_unknown_call")
    assert shop.told("cal_" + "a" * 26).status == 409
    assert shop.told("x").status == 400


def test_after_revoke_has_returned_nothing_is_allowed(tmp_path):
    tmp_path.chmod(0o700)
    with door(tmp_path) as one:
        permit = one.evaluate().json["context"]["permit"]
        stopped = one.site.send("/v1/revocations", {"kind": "task", "target": one.task, "because": "enough"}).json
        assert permit in json.dumps(stopped)
        assert said(one.evaluate().json) == "task_ended"
        assert one.told(permit, "cut").status == 200


def test_a_service_whose_token_was_replaced_or_that_left_is_nobody(tmp_path):
    tmp_path.chmod(0o700)
    with door(tmp_path) as one:
        new = one.site.send(f"/v1/services/{one.service}/token", {}).json["text"]
        assert one.evaluate().status == 401
        one.token = new
        assert one.evaluate().json["decision"]
        assert new not in one.site.get(f"/v1/services/{one.service}").body.decode()
        assert one.site.send(f"/v1/services/{one.service}/token", {}, one.credential).status in (401, 403)
        one.site.send("/v1/revocations", {"kind": "service", "target": one.service, "because": "gone"})
        assert one.evaluate().status == 401
        assert one.site.send(f"/v1/services/{one.service}/token", {}).status == 409

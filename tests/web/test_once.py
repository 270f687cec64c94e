"""`Idempotency-Key` at `/v1`: a retry gets the first answer, and nothing is done a second time (CTRL-05)."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from remit.control import task
from remit.control.sweep import sweep
from remit.core.credential import Credential
from remit.core.moment import Instant
from remit.store import reply
from tests.kit.asking import code
from tests.kit.proving import Holder
from tests.kit.world import ISSUER
from tests.web.test_approval import asked

KEY = {"idempotency-key": "8e03978e-40d5-43dd-bc93-6894a57f9324"}
RUN = {"brief": "notes", "agent": "bot", "requester": "olga"}


def leaves(place):
    return place.read(lambda view: view.one("SELECT count(*) FROM leaf")[0])


def twice(place, path, body, token=None):
    """The same request two times: the first answer, after the second was found to be it and to have done nothing."""
    given = {"token": token} if token else {}
    first = place.send(path, body, headers=KEY, **given)
    before = leaves(place)
    again = place.send(path, body, headers=KEY, **given)
    assert (again.status, again.json) == (first.status, first.json)
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers
    assert again.headers["content-type"] == first.headers["content-type"]
    assert leaves(place) == before
    return first


def opened(place):
    return place.read(lambda view: view.one("SELECT count(*) FROM task")[0])


def test_ctrl_05_a_mint_whose_answer_was_lost_is_answered_again_and_its_secret_rests_sealed(place):
    before = opened(place)
    first = twice(place, "/v1/runs", RUN)
    assert first.status == 201
    assert opened(place) == before + 1
    assert first.headers["cache-control"] == "no-store"
    rows = place.read(lambda view: view.all("SELECT body FROM reply"))
    assert rows
    assert all(first.json["credential"].encode() not in bytes(body) for (body,) in rows)
    other = place.send("/v1/runs", RUN, headers={"idempotency-key": "another"})
    assert other.json["credential"] != first.json["credential"]


def test_ctrl_05_a_revocation_is_made_once(place):
    made = place.send("/v1/runs", RUN).json["task"]["id"]
    said = twice(place, "/v1/revocations", {"kind": "task", "target": made})
    assert (said.status, said.json["tasks"]) == (201, [made])
    assert len(place.get("/v1/revocations").json["items"]) == 1


def test_ctrl_05_a_yes_is_given_once(place):
    waits, _ = asked(place)
    shown = place.get(f"/v1/approvals/{waits}", place.person).json["shown"]
    said = twice(place, f"/v1/approvals/{waits}", {"answer": "yes", "shown": shown}, place.person)
    assert said.json["state"] == "approved"
    without = place.send(f"/v1/approvals/{waits}", {"answer": "yes", "shown": shown}, place.person)
    assert code(without, 409) == "approval_closed"


@pytest.mark.parametrize(
    ("path", "body"),
    [("/v1/runs", RUN | {"labels": {"ticket": "T-2"}}), ("/v1/runs?x=1", RUN), ("/v1/revocations", RUN)],
)
def test_one_key_is_of_one_request(place, path, body):
    place.send("/v1/runs", RUN, headers=KEY)
    before = opened(place)
    assert code(place.send(path, body, headers=KEY), 422) == "idempotency_key_reused"
    assert opened(place) == before


def test_another_callers_key_is_another_key(place):
    waits, _ = asked(place)
    place.send("/v1/runs", RUN, headers=KEY)
    shown = place.get(f"/v1/approvals/{waits}", place.person).json["shown"]
    said = place.send(f"/v1/approvals/{waits}", {"answer": "no", "shown": shown}, place.person, headers=KEY)
    assert said.json["state"] == "denied"


def test_who_is_nobody_learns_nothing_of_a_key(place):
    place.send("/v1/runs", RUN, headers=KEY)
    assert code(place.send("/v1/runs", RUN, "not-a-token", headers=KEY), 401) == "unauthenticated"


@pytest.mark.parametrize("key", ["", "x" * 257])
def test_a_key_that_is_none_is_told(place, key):
    before = opened(place)
    assert code(place.send("/v1/runs", RUN, headers={"idempotency-key": key}), 400) == "idempotency_key_invalid"
    assert opened(place) == before


def test_what_was_refused_may_be_asked_again_under_its_key(place):
    refused = place.send("/v1/revocations", {"kind": "task", "target": "tsk_" + "a" * 26}, headers=KEY)
    assert code(refused, 404) == "not_found"
    made = place.send("/v1/runs", RUN).json["task"]["id"]
    assert place.send("/v1/revocations", {"kind": "task", "target": made}, headers=KEY).status == 201


def test_what_was_begun_by_a_node_that_died_is_not_begun_again(place, monkeypatch):
    monkeypatch.setattr(reply, "answered", lambda *_: None)
    assert place.send("/v1/runs", RUN, headers=KEY).status == 201
    before = opened(place)
    assert code(place.send("/v1/runs", RUN, headers=KEY), 409) == "idempotency_unfinished"
    assert opened(place) == before


def test_at_the_same_time_one_is_done(place):
    before = opened(place)
    with ThreadPoolExecutor(8) as pool:
        said = list(pool.map(lambda _: place.send("/v1/runs", RUN, headers=KEY), range(8)))
    assert opened(place) == before + 1
    done = [one.json for one in said if one.status == 201]
    assert done
    assert all(one == done[0] for one in done)
    assert {one.json["code"] for one in said if one.status != 201} <= {"idempotency_unfinished"}


def test_an_agent_proves_its_key_once_for_a_named_request(place):
    by, holder = place.world.owner.id, Holder(now=lambda: place.world.authority.clock.now() // 1000)
    errand = place.act(lambda c: task.open_task(c, brief="notes", agent=place.bot, requester=by, by=by))
    place.token(place.bot, errand.id)
    spare = place.act(lambda c: next(c.reader.where(Credential, "task = ?", (errand.id,)))).id
    token = place.token(place.bot, errand.id, holder.proof(f"{ISSUER}/oauth/token")).json["access_token"]
    path = f"/v1/credentials/{spare}/end"

    def send():
        head = {"dpop": holder.proof(f"{ISSUER}{path}", token), "authorization": f"DPoP {token}"}
        return place.send(path, {}, "", headers=KEY | head)

    first = send()
    assert (first.status, first.json) == (200, {"ended": [spare]})
    again = send()
    assert (again.json, again.headers["idempotent-replayed"]) == (first.json, "true")


def test_time_forgets_a_key(place):
    place.send("/v1/runs", RUN, headers=KEY)
    day = 24 * 3_600_000
    at = place.world.authority.clock.now()
    assert place.act(lambda c: reply.expire(c.db, Instant(at + day - 60_000), 10)) == 0
    assert place.act(lambda c: (c.keep(), reply.expire(c.db, Instant(at + day + 60_000), 10)))[1] == 1
    assert "idempotent-replayed" not in place.send("/v1/runs", RUN, headers=KEY).headers


def test_the_sweep_forgets_what_is_past(place):
    place.act(lambda c: (c.keep(), reply.begin(c.db, "past", "one", Instant(1))))
    place.world.authority.forgot = Instant(0)
    place.act(sweep)
    assert place.act(lambda c: reply.get(c.db, "past")) is None

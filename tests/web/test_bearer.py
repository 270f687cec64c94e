"""Who asks at /v1, and what is none of their business."""

import pytest

from remit.control import task
from tests.kit.asking import code
from tests.kit.site import ADMIN
from tests.kit.world import steps


def test_deleg_10_ids_of_others_open_nothing(place):
    given = {"brief": "notes", "agent": place.other, "requester": place.world.owner.id, "by": "operator"}
    theirs = place.act(lambda c: task.open_task(c, **given)).id
    foreign = place.token(place.other, theirs).json["authorization_details"][0]["task"]
    crd = place.get(f"/v1/credentials?task={foreign}").json["items"][0]["id"]
    plan = {"steps": [steps()[0].to_json()]}
    for token in (place.held, place.person):
        for path in (f"/v1/tasks/{theirs}", f"/v1/credentials?task={theirs}", f"/v1/receipts?task={theirs}"):
            assert code(place.get(path, token), 404) == "not_found"
        assert code(place.send(f"/v1/tasks/{theirs}/close", {}, token), 404) == "not_found"
        assert code(place.send(f"/v1/credentials/{crd}/end", {}, token), 404) == "not_found"
    assert code(place.send(f"/v1/tasks/{theirs}/plan", plan, place.held), 404) == "not_found"
    assert place.get(f"/v1/tasks/{theirs}").json["state"] == "open"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", ADMIN[:-1], ADMIN + "x", "é" * 40])
def test_a_token_of_nobody_is_refused(place, token):
    head = {"authorization": f"Bearer {token}".encode().decode("latin-1")}
    answer = place.get("/v1/status", "", **head)
    assert code(answer, 401) == "unauthenticated"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not token or token not in answer.body.decode()

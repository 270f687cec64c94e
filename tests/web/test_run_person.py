"""A run that a person consents to, at the API: asked by the operator, given by the person, watched as any run is."""

import pytest

from remit.control import brief
from remit.core.budget import Budget
from tests.kit.asking_people import company
from tests.kit.signin import query

ASKED = {"brief": "notes", "agent": "bot"}
BACK = "http://127.0.0.1:51999/remit-run"
DETAILS = '[{"type":"remit_task","brief":"notes"}]'


@pytest.fixture
def one(tmp_path):
    tmp_path.chmod(0o700)
    with company(tmp_path) as found:
        yield found


def test_a_person_is_asked_and_what_they_give_is_watched_and_ended_by_who_runs_it(one):
    told = one.site.send("/v1/runs/asking", ASKED)
    assert told.status == 200
    asked = told.json
    assert (asked["issuer"], asked["redirect"]) == (one.site.world.authority.issuer, "http://127.0.0.1/remit-run")
    assert one.site.send("/v1/runs/asking", ASKED).json == asked
    given = {"client_id": asked["client"], "redirect_uri": BACK}
    back = one.answer(one.page(**given, resource=None, authorization_details=DETAILS)).headers["location"]
    assert query(back)["iss"] == asked["issuer"]
    made = one.token(**given, code=query(back)["code"]).json
    (detail,) = made["authorization_details"]
    where = f"/v1/runs/{detail['task']}"
    shown = one.site.get(f"{where}/gates").json
    assert (shown["task"]["watched"], shown["task"]["person"]) == (True, one.pia)
    assert shown["gates"]["mcp"] == ["notes"]
    assert one.site.send(f"{where}/watch", {}).status == 200
    assert one.site.send(f"{where}/credential", {}).json["code"] == "credential_refused"
    held = made["access_token"]
    for path, token, status in (("/gates", held, 403), ("/gates", "", 401)):
        assert one.site.get(f"{where}{path}", token=token).status == status
    assert one.site.send("/v1/runs/asking", ASKED, token=held).status == 403
    assert one.site.send(f"{where}/end", {}).json == {"ended": [detail["task"]]}
    renewed = one.renew(made["refresh_token"], client_id=asked["client"])
    assert (renewed.status, renewed.json["error"]) == (400, "invalid_grant")


def test_nobody_is_asked_for_what_others_would_have_to_agree_to(one):
    world = one.site.world
    held = world.a_brief(
        agents=(one.bot,), dispatchers=("group:staff",), replan="ask", approvers=("ops",),
        budget=Budget(writes=1, over="ask"),
    )  # fmt: skip
    one.site.act(lambda c: brief.apply(c, held, "operator"))
    given = {"client_id": one.site.send("/v1/runs/asking", ASKED).json["client"], "redirect_uri": BACK}
    told = query(one.page(**given, resource=None, authorization_details=DETAILS).headers["location"])
    assert (told["error"], "a command cannot wait" in told["error_description"]) == ("access_denied", True)

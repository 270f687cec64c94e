"""Parameters of a request: shown to the person, held to in the task, and refused by name where they are wrong."""

import json

import pytest

from remit.core.call import Call
from remit.core.permit import Permit
from remit.core.task import Plan
from remit.store.record import Reader
from tests.kit.asking_people import BACK, CHALLENGE, GATE, company, error_of, fields_of
from tests.kit.signin import query
from tests.kit.site import ADMIN


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    folder.chmod(0o700)
    with company(folder, door_rate=0) as one:
        yield one


def record(firm, kind, identity):
    return firm.site.act(lambda c: Reader(c.db).get(kind, identity))


def details(**members):
    return json.dumps([{"type": "remit_task", "brief": "notes"} | members])


def test_parameters_are_shown_and_end_in_the_task_and_a_call_beyond_them_is_refused(firm):
    asked = details(parameters={"path": {"subpath": "/notes/mine"}}, actions=["mcp:notes/read_note"])
    text = firm.page(authorization_details=asked).body.decode()
    assert "Only with <code>path: within /notes/mine</code>" in text
    assert "path within /notes/mine" in text
    held = firm.token(code=firm.code(authorization_details=asked)).json["access_token"]
    entry = firm.site.world.enter(held)
    plan = record(firm, Plan, f"{entry.task}:1")
    (step,) = plan.steps
    assert step.to_json()["arguments"] == {"path": [{"subpath": "/notes/mine"}]}
    assert decided(firm, entry, "/notes/mine/a") is True
    assert decided(firm, entry, "/notes/yours") == "argument_refused"
    exact = details(parameters={"path": "/notes/a", "text": "<b>x</b>"}, actions=["mcp:notes/write_note"])
    body = firm.page(authorization_details=exact).body.decode()
    assert "path: exactly /notes/a" in body
    assert "<b>x" not in body


def decided(firm, entry, path):
    found = []
    call = Call("mcp:notes/read_note", {"path": path})
    firm.site.loop.call_soon_threadsafe(lambda: firm.site.world.gate.decide(call, entry, "", found.append))
    while not found:
        firm.site.act(lambda c: None)
    return isinstance(found[0], Permit) or found[0].code


def test_what_parameters_say_stands_in_what_the_person_agrees_to(firm):
    """A page that was shown for some parameters is no yes to others."""
    page = firm.page(authorization_details=details(parameters={"path": "/notes/a"}))
    plain = firm.page(authorization_details=details())
    assert fields_of(page)["request"] != fields_of(plain)["request"]
    code = query(firm.answer(page).headers["location"])["code"]
    told = firm.token(code=code).json
    task = told["authorization_details"][0]["task"]
    named = [one.to_json()["arguments"]["path"] for one in record(firm, Plan, f"{task}:1").steps if one.arguments]
    assert all({"equals": "/notes/a"} in one for one in named)
    again = firm.renew(told["refresh_token"]).json
    for one in (told, again):
        assert one["authorization_details"][0]["parameters"] == {"path": "/notes/a"}, "said as it was granted"
    seen = firm.site.form("/oauth/introspect", {"token": again["access_token"]}, authorization=f"Bearer {ADMIN}")
    assert seen.json["authorization_details"][0]["parameters"] == {"path": "/notes/a"}
    whole = firm.token(code=query(firm.answer(plain).headers["location"])["code"]).json
    assert "parameters" not in whole["authorization_details"][0]


@pytest.mark.parametrize(
    "wrong",
    [
        "x", [], 1, {"path": []}, {"path": {"unknown": "x"}}, {"path": {"subpath": "/a", "prefix": "/a"}}, {"": "x"},
        {"path": {"subpath": None}},
        {"path": "/etc/passwd"}, {"path": {"subpath": "/etc"}}, {"folder": "/notes"}, {"path": "x" * 5000},
        {str(n): n for n in range(17)}, {"amount": 99},
    ],
    ids=str,
)  # fmt: skip
def test_parameters_that_are_none_or_beyond_the_brief_are_refused_by_name(firm, wrong):
    asked = details(parameters=wrong)
    assert error_of(firm.browser().get(firm.asking(authorization_details=asked))) == "invalid_authorization_details"
    said = {"response_type": "code", "client_id": firm.client, "redirect_uri": BACK, "resource": GATE}
    said |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256", "authorization_details": asked}
    pushed = firm.site.form("/oauth/par", said)
    assert pushed.status == 201 or pushed.json["error"] == "invalid_authorization_details"

"""`/v1/tasks/{id}/plan` and `/flow`: a wider plan ends what was and waits; a budget holds an opening."""

from remit.control import brief
from remit.core.budget import Budget
from tests.kit.asking import code
from tests.kit.world import steps

NARROW = {"action": "mcp:notes/read_note", "path": "own", "arguments": {"path": [{"subpath": "/notes"}]}}


def ruled(place, **members):
    wanted = place.world.a_brief(agents=(place.bot,), replan="ask", approvers=("ops",), **members)
    place.act(lambda c: brief.apply(c, wanted, "operator"))


def test_a_wider_plan_over_http_ends_what_was_and_waits_for_people(place):
    ruled(place)
    assert place.send(f"/v1/tasks/{place.task}/plan", {"steps": [NARROW]}, place.held).status == 201
    held = place.token(place.bot, place.task).json["access_token"]
    asked = place.send(f"/v1/tasks/{place.task}/plan", {"steps": [NARROW, steps()[1].to_json()]}, held)
    assert (asked.status, asked.json["is"], asked.json["version"]) == (202, "wider", 3)
    assert asked.json["approval"].startswith("apr_")
    assert code(place.get("/v1/tasks", held), 401) == "unauthenticated", "what it gave has ended"
    card = place.get(f"/v1/approvals/{asked.json['approval']}").json["card"]
    assert (card["added"], len(card["plan"])) == ([1], 2)
    found = place.get(f"/v1/tasks/{place.task}/flow").json
    assert (found["task"], found["risk"], found["acts"]) == (place.task, "normal", [])


def test_an_opening_beyond_the_budget_is_refused_or_waits(place):
    owner = place.world.owner.id
    opening = {"brief": "notes", "agent": place.bot, "requester": owner, "steps": [steps()[1].to_json()]}
    ruled(place, budget=Budget(writes=2))
    assert code(place.send("/v1/tasks", opening), 403) == "reach_over"
    ruled(place, budget=Budget(writes=2, over="ask"))
    made = place.send("/v1/tasks", opening)
    assert (made.status, made.json["state"], made.json["held"]) == (202, "suspended", "reach")
    assert code(place.send(f"/v1/tasks/{made.json['id']}/resume", {}), 409) == "task_waits"
    ruled(place, budget=Budget(writes=3))
    assert place.send("/v1/tasks", opening).status == 201

"""`/v1` by noun: who may see and do what."""

from remit.control import agent, brief, task
from remit.store import log
from tests.kit.asking import code, opened
from tests.kit.world import COMMON, DAY, TOOLS, steps


def test_the_operator_registers_reads_and_stops(place):
    owner, key = place.world.owner.id, {"kty": "EC", "crv": "P-256", "alg": "ES256"}
    key |= {name: place.keys[place.bot].as_dict(private=False)[name] for name in ("x", "y")}
    made = {"name": "third", "owner": owner, "purpose": "Tests.", "ceiling": ["mcp:notes/*"], "keys": [key]}
    made["review_due"] = place.world.authority.clock.now() + DAY
    added = place.send("/v1/agents", made)
    assert added.status == 201
    identity = added.json["id"]
    assert code(place.send("/v1/agents", made), 409) == "name_taken"
    assert place.get(f"/v1/agents/{identity}").json["name"] == "third"
    assert place.send(f"/v1/agents/{identity}/transfer", {"owner": place.pia}).json["owner"] == place.pia
    assert place.send(f"/v1/agents/{identity}/suspend", {}).json["state"] == "suspended"
    due = {"review_due": place.world.authority.clock.now() + DAY}
    assert place.send(f"/v1/agents/{identity}/review", due).json["state"] == "active"
    assert place.send(f"/v1/agents/{identity}/retire", {}).json["state"] == "retired"
    assert code(place.send(f"/v1/agents/{identity}/review", due), 409) == "transition_refused"
    person = place.send("/v1/people", {"issuer": "local", "subject": "x", "name": "X", "groups": ["ops"]})
    assert person.json["groups"] == ["ops"]
    assert place.send("/v1/services", {"name": "crm", "owner": owner}).json["id"].startswith("svc_")
    crm = {
        "name": "crm",
        "url": "http://127.0.0.1:9",
        "domain": "office",
        "owner": owner,
        "tools": list(TOOLS.values()),
    }
    assert place.send("/v1/resources", crm).status == 201
    assert len(place.get("/v1/resources/crm").json["tools"]) == len(TOOLS)
    other = {"name": "second", "purpose": "P.", "dispatchers": [owner], "agents": [place.bot], "domains": ["office"]}
    assert place.send("/v1/briefs", other | {"steps": [steps()[0].to_json()]}).json["version"] == 1
    asks = {"replan": "ask", "approvers": ["ops"], "path_approvers": {"own": ["audit"]}}
    assert place.send("/v1/briefs", other | asks | {"steps": [steps()[0].to_json()]}).json["path_approvers"]
    assert code(place.send("/v1/briefs", other | {"steps": [{"action": "mcp:none/x", "path": "own"}]}), 422)
    assert len(place.get("/v1/agents?limit=2").json["items"]) == 2
    second = place.get(f"/v1/agents?limit=2&after={place.get('/v1/agents?limit=2').json['next']}").json
    assert len(second["items"]) == 2
    assert "next" not in second


def test_one_that_was_proposed_is_reviewed_with_its_ceiling(place):
    due = place.world.authority.clock.now() + DAY
    put = {"name": "came", "owner": place.world.owner.id, "purpose": "Came.", "review_due": due, "by": "x"}
    where = f"/v1/agents/{place.act(lambda c: agent.propose(c, **put)).id}/review"
    assert code(place.send(where, {"review_due": due}), 409) == "ceiling_missing"
    done = place.send(where, {"review_due": due, "ceiling": ["mcp:notes/read_note"]}).json
    assert (done["state"], done["ceiling"]) == ("active", ["mcp:notes/read_note"])
    assert code(place.send(where, {"review_due": due, "ceiling": ["mcp:notes/*"]}), 409) == "ceiling_fixed"


def test_log_15_no_request_creates_redirects_or_ends_a_record(place):
    """Where the record goes is in the settings file alone: there is no address that takes it, whoever asks."""
    size = place.read(log.newest).size
    places = (
        "/v1/sinks",
        "/v1/ledger",
        "/v1/ledger/sinks",
        "/v1/settings",
        "/v1/log",
        "/log/checkpoint",
        "/log/tile/0/0",
    )
    for path in places:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            answer = place.send(
                path, {"path": "/etc/cron.d/x", "socket": "/run/x.sock", "enabled": False}, method=method
            )
            assert answer.status in (404, 405), (method, path)
    assert place.read(log.newest).size == size


def test_a_revocation_answers_when_nothing_more_is_allowed(place):
    stopped = place.send("/v1/revocations", {"kind": "task", "target": place.task, "because": "enough"})
    assert stopped.json["tasks"] == [place.task]
    assert code(place.get("/v1/tasks", place.held), 401) == "unauthenticated"
    assert code(place.send("/v1/revocations", {"kind": "task", "target": "tsk_" + "a" * 26}), 404)
    assert code(place.send("/v1/revocations", {"kind": "moon", "target": "x"}), 400)
    assert place.send("/v1/paths/own/open", {}).json["since"] > 0


def test_an_agent_reads_plans_narrower_and_closes_and_nothing_else(place):
    assert [one["id"] for one in place.get("/v1/tasks", place.held).json["items"]] == [place.task]
    assert place.get(f"/v1/agents/{place.bot}", place.held).status == 200
    assert code(place.get(f"/v1/agents/{place.other}", place.held), 404)
    for path in (
        "/v1/agents",
        "/v1/people",
        "/v1/resources",
        "/v1/policies",
        "/v1/status",
        "/metrics",
        "/v1/receipts/1",
    ):
        assert code(place.get(path, place.held), 403) == "forbidden"
    opening = {"brief": "notes", "agent": place.bot}
    assert code(place.send("/v1/tasks", opening, place.held), 403) == "forbidden", "law 4"
    narrow = {"action": "mcp:notes/read_note", "path": "own", "arguments": {"path": [{"subpath": "/notes/a"}]}}
    wider = narrow | {"arguments": {"path": [{"subpath": "/"}]}}
    assert code(place.send(f"/v1/tasks/{place.task}/plan", {"steps": [wider]}, place.held), 403) == "plan_outside"
    assert code(place.get("/v1/tasks", place.held), 401) == "unauthenticated", (
        "what a wider plan asks for ends what was"
    )
    held = place.token(place.bot, place.task).json["access_token"]
    made = place.send(f"/v1/tasks/{place.task}/plan", {"steps": [narrow]}, held)
    assert (made.json["version"], made.json["is"], made.status) == (3, "narrower", 201)
    assert code(place.get("/v1/tasks", held), 401) == "unauthenticated", "the older version's credential ended"
    fresh = place.token(place.bot, place.task).json
    assert fresh["scope"] == "mcp:notes/read_note"
    assert place.send(f"/v1/tasks/{place.task}/close", {}, fresh["access_token"]).json == {"ended": [place.task]}


def test_a_person_opens_sees_and_closes_their_own_tasks(place):
    assert place.get("/v1/tasks", place.person).json["items"] == []
    for listed in ((place.world.owner.id,), ("group:staff",)):
        wanted = place.world.a_brief(agents=(place.bot,), dispatchers=listed)
        place.act(lambda c, wanted=wanted: brief.apply(c, wanted, "operator"))
        made = place.send("/v1/tasks", {"brief": "notes", "agent": place.bot}, place.person)
        assert made.status == (201 if listed == ("group:staff",) else 403)
    assert place.send(f"/v1/tasks/{made.json['id']}/close", {}, place.person).status == 200
    one = place.send("/v1/tasks", {"brief": "notes", "agent": place.bot, "labels": {"ticket": "7"}}, place.person).json
    assert (one["requester"], one["person"]) == (place.pia, place.pia)
    posing = {"brief": "notes", "agent": place.bot, "requester": place.world.owner.id}
    assert code(place.send("/v1/tasks", posing, place.person), 400) == "member_invalid"
    assert [t["id"] for t in place.get("/v1/tasks", place.person).json["items"]] == sorted([one["id"], made.json["id"]])
    assert place.get(f"/v1/receipts?task={one['id']}", place.person).json["items"]
    assert place.send(f"/v1/tasks/{one['id']}/close", {}, place.person).json == {"ended": [one["id"]]}


def test_policies_are_applied_with_their_tests_or_not_at_all(place):
    layers = {"common": COMMON, "delegated": {}, "own": {}}
    assert place.get("/v1/policies").json["common"]["files"] == COMMON
    assert code(place.send("/v1/policies", layers | {"tests": {}}, method="PUT"), 422) == "policy_tests_missing"
    broken = layers | {"common": {"a.cedar": "permit("}, "tests": {}}
    assert place.send("/v1/policies", broken, method="PUT").status == 422
    assert place.get("/v1/policies").json["common"]["files"] == COMMON


def test_a_held_task_is_resumed_by_who_opened_it_and_its_drift_is_read(place):
    one = place.send("/v1/tasks", {"brief": "notes", "agent": place.bot}, place.person).json
    place.act(lambda c: task.suspend(c, one["id"], "gate"))
    assert code(place.send(f"/v1/tasks/{place.task}/resume", {}, place.held), 403) == "forbidden"
    assert place.send(f"/v1/tasks/{one['id']}/resume", {}, place.person).json["state"] == "open"
    assert code(place.send(f"/v1/tasks/{one['id']}/resume", {}), 409) == "transition_refused"
    told = place.get(f"/v1/tasks/{one['id']}/drift", place.person).json["items"]
    assert [(each["what"], each["plan"]) for each in told] == [("planned", 1)]
    assert code(place.get(f"/v1/tasks/{one['id']}/drift", place.held), 404) == "not_found"


def test_a_credential_of_an_ended_task_is_ended_wherever_it_is_listed(place):
    open_one, over = (opened(place, place.bot) for _ in range(2))
    for one in (open_one, over):
        assert place.token(place.bot, one).status == 200

    def states(asked):
        return {one["task"]: one["state"] for one in place.get(f"/v1/credentials?{asked}").json["items"]}

    assert [states(f"task={one}")[one] for one in (open_one, over)] == ["active", "active"]
    place.act(lambda c: task.end(c, over, "complete", "agent"))
    assert [states(f"task={one}")[one] for one in (open_one, over)] == ["active", "ended"]
    live, ended = states("state=active"), states("state=ended")
    assert (open_one in live, over in live) == (True, False)
    assert (open_one in ended, over in ended) == (False, True)
    assert code(place.get("/v1/credentials?state=gone"), 400) == "member_invalid"

"""`/v1`, `/log` and the pages that operators watch: who may see and do what, and what bad input comes to."""

import json
import socket

import pytest

from remit.control import brief, principal, task
from remit.core.call import Call
from remit.ledger import checkpoint, note
from remit.ledger.merkle import leaf_hash, root
from remit.ledger.proof import parse
from remit.ledger.tile import decode_bundle
from remit.web.problem import status
from remit.web.settings import Issuer, admin_digest
from tests.kit.site import ADMIN, idp, site
from tests.kit.world import COMMON, DAY, TOOLS, steps


@pytest.fixture
def place(tmp_path):
    tmp_path.chmod(0o700)
    with idp() as provider, site(tmp_path, issuers=(Issuer(provider.url, "remit"),)) as one:
        one.bot, one.other = one.agent("bot"), one.agent("other")
        one.pia = one.act(
            lambda c: principal.add_person(c, provider.url, "pia-at-idp", "Pia", ("staff",), "operator")
        ).id
        wide = one.world.a_brief(agents=(one.bot, one.other), dispatchers=(one.world.owner.id, "group:staff"))
        one.act(lambda c: brief.apply(c, wide, "operator"))
        given = {"brief": "notes", "agent": one.bot, "requester": one.world.owner.id, "by": "operator"}
        one.task = one.act(lambda c: task.open_task(c, **given)).id
        one.held = one.token(one.bot, one.task).json["access_token"]
        one.person = provider.token(one.world.authority.clock.now() // 1000)
        yield one


def code(answer, number):
    assert answer.status == number, answer.body
    assert answer.json.keys() == {"code", "message", "remedy"}
    assert all(answer.json.values())
    return answer.json["code"]


def test_the_operator_registers_reads_and_stops(place):
    owner, key = place.world.owner.id, {"kty": "EC", "crv": "P-256", "alg": "ES256"}
    key |= {name: place.keys[place.bot].as_dict(private=False)[name] for name in ("x", "y")}
    made = {"name": "third", "owner": owner, "purpose": "Tests.", "ceiling": ["mcp:notes/*"], "keys": [key]}
    made["review_due"] = place.world.authority.clock.now() + DAY
    agent = place.send("/v1/agents", made)
    assert agent.status == 201
    identity = agent.json["id"]
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
    assert code(place.send("/v1/briefs", other | {"steps": [{"action": "mcp:none/x", "path": "own"}]}), 422)
    assert len(place.get("/v1/agents?limit=2").json["items"]) == 2
    second = place.get(f"/v1/agents?limit=2&after={place.get('/v1/agents?limit=2').json['next']}").json
    assert len(second["items"]) == 2
    assert "next" not in second


def test_a_revocation_answers_when_nothing_more_is_allowed(place):
    stopped = place.send("/v1/revocations", {"kind": "task", "target": place.task, "because": "enough"})
    assert stopped.json["tasks"] == [place.task]
    assert code(place.get("/v1/tasks", place.held), 401) == "unauthenticated"
    assert code(place.send("/v1/revocations", {"kind": "task", "target": "tsk_" + "a" * 26}), 404)
    assert code(place.send("/v1/revocations", {"kind": "moon", "target": "x"}), 400)
    assert place.send("/v1/paths/own/open", {}).json["since"] > 0


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
    assert place.send(f"/v1/tasks/{place.task}/plan", {"steps": [narrow]}, place.held).json["version"] == 2
    assert code(place.get("/v1/tasks", place.held), 401) == "unauthenticated", "the older version's credential ended"
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


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'{"a":1,"a":2}', b'{"brief":NaN}', b"[" * 100, b"\xff", b"\xef\xbb\xbf{}"]
)
def test_malformed_json_is_refused(place, body):
    assert code(place.send("/v1/tasks", body), 400) in ("json_invalid", "member_invalid")


def test_bad_input_gets_a_code_and_a_remedy(place):
    assert code(place.send("/v1/tasks", {"brief": "notes"}), 400) == "member_invalid"
    assert code(place.send("/v1/revocations", {"kind": "task", "target": "x", "more": 1}), 400) == "member_invalid"
    assert code(place.send("/v1/tasks", {}, kind="text/plain"), 415) == "media_type"
    assert code(place.send("/v1/tasks", b'"' + b"x" * 1_100_000 + b'"'), 413) == "body_too_large"
    assert code(place.get("/v1/tasks/nonsense"), 400) == "id_invalid"
    assert code(place.get("/v1/agents?limit=0"), 400) == "query_invalid"
    assert code(place.get("/v1/agents?limit=1&limit=2"), 400) == "query_invalid"
    assert code(place.get("/v1/agents?colour=red"), 400) == "query_invalid"
    assert code(place.get("/v1/receipts/99999"), 404) == "not_found"
    assert code(place.get("/v1/receipts/-1"), 404) == "not_found"
    assert code(place.get("/v1/nothing"), 404) == "not_found"
    assert code(place.send("/v1/status", {}), 405) == "method_refused"
    wrong = {"name": "a", "owner": place.pia, "purpose": "P", "ceiling": [], "keys": [{"kty": "oct", "k": "AAAA"}]}
    assert code(place.send("/v1/agents", wrong | {"review_due": 9_000_000_000_000}), 400) == "jwk_invalid"
    assert place.get("/healthz").status == 200, "the process lives"


@pytest.mark.parametrize("token", ["", "x", "a.b.c", ADMIN[:-1], ADMIN + "x", "é" * 40])
def test_a_token_of_nobody_is_refused(place, token):
    head = {"authorization": f"Bearer {token}".encode().decode("latin-1")}
    answer = place.get("/v1/status", "", **head)
    assert code(answer, 401) == "unauthenticated"
    assert answer.headers["www-authenticate"] == "Bearer"
    assert not token or token not in answer.body.decode()


def test_policies_are_applied_with_their_tests_or_not_at_all(place):
    layers = {"common": COMMON, "delegated": {}, "own": {}}
    assert place.get("/v1/policies").json["common"]["files"] == COMMON
    assert code(place.send("/v1/policies", layers | {"tests": {}}, method="PUT"), 422) == "policy_tests_missing"
    broken = layers | {"common": {"a.cedar": "permit("}, "tests": {}}
    assert place.send("/v1/policies", broken, method="PUT").status == 422
    assert place.get("/v1/policies").json["common"]["files"] == COMMON


def test_the_ledger_is_read_and_proved_from_outside(place):
    text = place.get("/log/checkpoint", token="").body
    head = checkpoint.parse(note.parse(text).text)
    width = head.size
    assert width < 256
    tile = place.get(f"/log/tile/0/000.p/{width}", token="")
    assert tile.headers["cache-control"].endswith("immutable")
    assert code(place.get(f"/log/tile/entries/000.p/{width}", token=""), 401)
    assert code(place.get(f"/log/tile/entries/000.p/{width}", place.held), 403)
    entries = decode_bundle(place.get(f"/log/tile/entries/000.p/{width}").body)
    hashes = [leaf_hash(one) for one in entries]
    assert b"".join(hashes) == tile.body
    assert root(hashes) == head.root
    shown = place.get(f"/v1/receipts/{width - 1}").json
    assert parse(shown["proof"].encode()).index == width - 1
    assert shown["receipt"] == json.loads(entries[-1])
    for path in (
        f"0/000.p/{width + 1}",
        "0/000",
        "0/001",
        "1/000",
        "0/0",
        "x/000",
        "0/000.p/0",
        "entries/../0/000",
        "64/000",
    ):
        assert code(place.get(f"/log/tile/{path}", token=""), 404) == "not_found"


def test_entries_are_public_only_when_the_settings_say_so(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path, public_log=True) as one:
        assert len(decode_bundle(one.get("/log/tile/entries/000.p/3", token="").body)) == 3


def test_a_tasks_receipts_hold_its_decisions_and_outcomes(place):
    entry = place.world.enter(place.held)
    allowed = decide(place, entry, "/notes/a")
    decide(place, entry, "/etc/passwd")
    place.loop.call_soon_threadsafe(place.world.gate.note, allowed, {"result": "ok"}, lambda _: None)
    place.act(lambda c: None)
    kinds = [one["receipt"]["kind"] for one in place.get(f"/v1/receipts?task={place.task}").json["items"]]
    assert kinds[-3:] == ["call.decided", "call.decided", "call.outcome"]
    text = place.get("/metrics").body.decode()
    assert 'remit_calls_total{answer="allow",code=""} 1' in text
    assert 'answer="deny",code="' in text
    assert "remit_calls_in_flight 0" in text
    place.world.gate.enter("garbage", "notes")
    assert "remit_unknown_total{reason=" in place.get("/metrics").body.decode()
    assert place.task not in text


def decide(place, entry, path):
    found = []
    call = Call("mcp:notes/read_note", {"path": path})
    place.loop.call_soon_threadsafe(place.world.gate.decide, call, entry, "", found.append)
    place.act(lambda c: None)
    return found[0]


def test_not_ready_says_what_is_wrong(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path, settled=False) as one:
        answer = one.get("/readyz", token="")
        assert answer.status == 503
        assert {"policy", "path_own", "key_missing"} & {check["code"] for check in answer.json["checks"]}
        assert one.get("/healthz", token="").status == 200


def test_every_answer_carries_the_security_headers_and_the_gate_its_own(place):
    for path in ("/healthz", "/v1/status", "/nothing", "/oauth/jwks", "/log/checkpoint"):
        headers = place.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["x-frame-options"] == "DENY"
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
    gate = place.get("/mcp/notes")
    assert (gate.status, gate.body) == (418, b"the gate")


def test_a_client_that_goes_away_in_the_middle_harms_nothing(place):
    host, port = place.url.removeprefix("http://").split(":")
    for _ in range(5):
        with socket.create_connection((host, int(port))) as line:
            line.sendall(
                b"POST /v1/tasks HTTP/1.1\r\nhost: x\r\ncontent-length: 900\r\ncontent-type: application/json\r\n\r\n{"
            )
    assert place.get("/readyz").json["status"] == "ready"


def test_a_fault_has_the_status_of_its_kind():
    known = {"not_found": 404, "store_busy": 503, "clock_jumped": 503, "policy_untested": 422, "json_invalid": 400}
    assert {one: status(one) for one in known} == known
    with pytest.raises(Exception, match="too short"):
        admin_digest("short")

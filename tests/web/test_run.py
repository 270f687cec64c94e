"""`/v1/runs`: the operator's alone; the first answer carries the credential and where the gates are."""

GIVEN = {"brief": "notes", "agent": "bot", "requester": "olga"}


def test_a_run_is_opened_renewed_shown_and_ended(place):
    made = place.send("/v1/runs", GIVEN | {"labels": {"ticket": "T-1"}})
    assert made.status == 201
    body = made.json
    assert body["task"]["watched"] is True
    assert body["gates"] == {
        "mcp": ["notes"], "http": [], "postgres": [], "ports": {"postgres": 0, "forward": 0}, "secured": False,
        "authority": "",
    }  # fmt: skip
    assert body["left_out"] == ["mcp:notes/read_note", "mcp:notes/wipe", "mcp:notes/write_note"]
    assert 0 < body["expires_in"] <= 120
    assert made.headers["cache-control"] == "no-store"
    where = f"/v1/runs/{body['task']['id']}"
    again = place.send(f"{where}/credential", {}).json
    assert again["credential"] != body["credential"]
    assert place.send(f"{where}/watch", {}).json == {"until_ms": 60_000}
    shown = place.get(where).json
    assert (shown["calls"], shown["leases"]) == ({"done": 0, "open": 0, "refused": 0}, [])
    assert place.send(f"{where}/end", {}).json == {"ended": [body["task"]["id"]]}
    assert place.get(where).json["task"]["state"] == "ended"
    assert place.send(f"{where}/end", {}).json == {"ended": []}
    assert place.send(f"{where}/credential", {}).json["code"] == "credential_refused"


def test_nobody_but_the_operator_gets_an_agents_credential(place):
    body = place.send("/v1/runs", GIVEN).json
    where, held = f"/v1/runs/{body['task']['id']}", body["credential"]
    for token, status in ((held, 403), ("", 401), ("x" * 43, 401)):
        assert place.send("/v1/runs", GIVEN, token=token).status == status
        assert place.send(f"{where}/credential", {}, token=token).status == status
        assert place.send(f"{where}/end", {}, token=token).status == status
        assert place.send(f"{where}/watch", {}, token=token).status == status
        assert place.get(where, token=token).status == status
    assert place.get(f"/v1/tasks/{body['task']['id']}", token=held).status == 200


def test_a_task_that_is_no_run_is_none_here(place):
    other = place.task
    for path in (f"/v1/runs/{other}/credential", f"/v1/runs/{other}/end", f"/v1/runs/{other}/watch"):
        assert place.send(path, {}).status == 404
    assert place.get(f"/v1/runs/{other}/gates").status == 404


def test_where_nobody_signs_in_no_person_is_asked(place):
    told = place.send("/v1/runs/asking", {"brief": "notes", "agent": "bot"})
    assert (told.status, told.json["code"]) == (403, "sign_in_missing")


def test_what_is_wrong_is_told(place):
    assert place.send("/v1/runs", {"brief": "notes"}).json["code"] == "member_invalid"
    assert place.send("/v1/runs", GIVEN | {"agent": "nobody"}).json["code"] == "not_found"
    assert place.send("/v1/runs", GIVEN | {"labels": {"a": 1}}).json["code"] == "member_invalid"
    assert place.send("/v1/runs", GIVEN | {"requester": "pia", "steps": []}).json["code"] == "plan_invalid"

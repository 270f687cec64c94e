"""`/v1/rightsize`: the operator proposes, applies and takes back; people of the brief's groups answer."""

import pytest

from remit.control import brief, credential, task
from remit.core.call import Call
from remit.core.trust import TrustPath
from tests.kit.asking import code

FEW = {"calls": 4, "tasks": 2, "days": 1, "since": 0, "brief": "notes"}


@pytest.fixture
def busy(place):
    """Two tasks that read below one folder, under a brief that the group staff answers for."""
    world, by = place.world, place.world.owner.id
    asks = world.a_brief(agents=(place.bot,), dispatchers=(by, "group:staff"), approvers=("staff",))
    place.act(lambda c: brief.apply(c, asks, "operator"))
    for _ in range(2):
        errand = place.act(lambda c: task.open_task(c, brief="notes", agent=place.bot, requester=by, by=by))
        given = {"task_id": errand.id, "agent_id": place.bot, "path": TrustPath.OWN, "person_id": ""}
        entry = world.enter(place.act(lambda c, given=given: credential.give(c, **given)).text)
        for name in ("a/1", "a/2", "a/3/x"):
            reads(place, entry, f"/notes/{name}")
    return place


def reads(place, entry, path):
    found = []
    call = Call("mcp:notes/read_note", {"path": path})
    place.loop.call_soon_threadsafe(place.world.gate.decide, call, entry, "", found.append)
    for _ in range(200):
        if found:
            return found[0]
        place.act(lambda _: None)
    raise AssertionError("nobody answered")


def test_a_proposal_is_made_answered_applied_watched_and_taken_back(busy):
    made = busy.send("/v1/rightsize", FEW)
    assert made.status == 201
    (one,) = made.json["briefs"]
    assert (one["used"], one["replay"]["allowed"], one["replay"]["fail"]) == (1, 6, 0)
    assert "notes/wipe" in made.json["unused"]["tools"]
    where = f"/v1/rightsize/{one['proposal']}"
    seen = busy.get(where, busy.person).json
    assert seen["body"]["brief"]["steps"][0]["arguments"] == {"path": [{"subpath": "/notes/a"}]}
    assert list(seen["elsewhere"]["policy"]) == ["delegated", "own"]
    assert [each["id"] for each in busy.get("/v1/rightsize?brief=notes").json["items"]] == [one["proposal"]]
    assert busy.send(f"{where}/replay", {}).json["allowed"] == 6
    assert code(busy.send(f"{where}/apply", {}), 403) == "rightsize_unapproved"
    assert code(busy.send(where, {"answer": "yes", "shown": "other"}, busy.person), 409) == "rightsize_moved"
    assert busy.send(where, {"answer": "yes", "shown": seen["shown"]}, busy.person).json["state"] == "approved"
    assert busy.send(f"{where}/apply", {}).json["state"] == "applied"
    assert len(busy.get("/v1/briefs/notes").json["steps"]) == 1
    assert busy.send(f"{where}/watch", {}).json["refused"] == 0
    assert busy.send(f"{where}/rollback", {}).json["state"] == "undone"
    assert len(busy.get("/v1/briefs/notes").json["steps"]) == 6
    other = busy.send("/v1/rightsize", FEW).json["briefs"][0]["proposal"]
    assert busy.send(f"/v1/rightsize/{other}/drop", {}).json["state"] == "dropped"
    assert busy.get(f"/v1/rightsize/{other}").json["body"] is None


def test_nobody_else_proposes_or_applies(busy):
    one = busy.send("/v1/rightsize", FEW).json["briefs"][0]["proposal"]
    for path in ("", f"/{one}/apply", f"/{one}/rollback", f"/{one}/drop", f"/{one}/replay", f"/{one}/watch"):
        assert busy.send(f"/v1/rightsize{path}", {}, busy.person).status == 403
        assert busy.send(f"/v1/rightsize{path}", {}, busy.held).status == 403
    assert code(busy.send("/v1/rightsize", FEW | {"calls": 0}), 400) == "rightsize_invalid"
    assert code(busy.send("/v1/rightsize", FEW | {"brief": "none"}), 404) == "not_found"
    assert code(busy.send(f"/v1/rightsize/rsz_{'a' * 26}/apply", {}), 404) == "not_found"
    assert code(busy.send(f"/v1/rightsize/{one}/watch", {}), 409) == "rightsize_unapplied"


def test_a_call_that_was_allowed_since_it_was_proposed_holds_it_back(busy):
    world, by = busy.world, busy.world.owner.id
    one = busy.send("/v1/rightsize", FEW).json["briefs"][0]["proposal"]
    where = f"/v1/rightsize/{one}"
    seen = busy.get(where, busy.person).json
    assert busy.send(where, {"answer": "yes", "shown": seen["shown"]}, busy.person).json["state"] == "approved"
    errand = busy.act(lambda c: task.open_task(c, brief="notes", agent=busy.bot, requester=by, by=by))
    given = {"task_id": errand.id, "agent_id": busy.bot, "path": TrustPath.OWN, "person_id": ""}
    text = busy.act(lambda c: credential.give(c, **given)).text
    reads(busy, busy.act(lambda _: world.enter(text)), "/notes/b/1")
    assert code(busy.send(f"{where}/apply", {}), 409) == "rightsize_fails"
    assert busy.send(f"{where}/apply", {"anyway": True}).json["state"] == "applied"

"""What operators watch."""

from remit.core.call import Call
from tests.kit.site import site


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


def test_not_ready_says_what_is_wrong(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path, settled=False) as one:
        answer = one.get("/readyz", token="")
        assert answer.status == 503
        assert {"policy", "path_own", "key_missing"} & {check["code"] for check in answer.json["checks"]}
        assert one.get("/healthz", token="").status == 200


def decide(place, entry, path):
    found = []
    call = Call("mcp:notes/read_note", {"path": path})
    place.loop.call_soon_threadsafe(place.world.gate.decide, call, entry, "", found.append)
    place.act(lambda c: None)
    return found[0]

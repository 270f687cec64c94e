"""Streams and events, as values."""

from remit.core.receipt import change, encode
from remit.core.stream import event, may_tell
from remit.core.told import REVOKED, opaque
from tests.kit.nouns import NOON, PERSON, agent, code, named, stream, task


def test_what_cannot_be_a_stream_is_refused():
    for members in ({"audience": ""}, {"events": ("x",)}, {"state": "on"}, {"asked": "x" * 513}):
        assert code(stream, **members) == "stream_invalid"
    assert code(stream, id="str_x") == "id_invalid"


def test_an_entry_before_the_stream_tells_it_nothing():
    gone = change("agent.suspended", agent(state="suspended"), NOON, "operator")
    assert may_tell(encode(gone))
    assert event(stream(since=5), 4, gone, "https://r.example", opaque) is None
    told = event(stream(since=5), 5, gone, "https://r.example", opaque)
    assert told.payload["iat"] == NOON // 1000
    assert told.jti == told.payload["jti"] == f"{stream().id}.5"
    assert not may_tell(encode(change("agent.reviewed", agent(), NOON, "operator")))
    entities = []
    for by in ("operator", named("per", "b"), PERSON, "sgn_x", "sweep"):
        over = change("task.ended", task(state="ended", because="revoked", person=PERSON), NOON, by)
        said = event(stream(), 5, over, "https://r.example", opaque).payload["events"][REVOKED]
        entities.append(said["initiating_entity"])
    assert entities == ["admin", "admin", "user", "policy", "policy"]
    alive = change("task.ended", task(state="ended", because="idle"), NOON, "sweep")
    assert event(stream(), 5, alive, "https://r.example", opaque) is None

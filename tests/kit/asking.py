"""What tests of the web face ask again and again."""

from remit.control import task


def opened(one, agent, **more):
    given = {"brief": "notes", "agent": agent, "requester": one.world.owner.id, "by": one.world.owner.id} | more
    return one.act(lambda c: task.open_task(c, **given)).id


def error(answer, status=400):
    assert answer.status == status, answer.body
    assert answer.headers["cache-control"] == "no-store"
    assert answer.json["error_description"]
    return answer.json["error"]


def code(answer, number):
    assert answer.status == number, answer.body
    assert answer.json.keys() == {"code", "message", "remedy"}
    assert all(answer.json.values())
    return answer.json["code"]


def decided(place, call, entry):
    """Decide on the server's own thread."""
    found = []
    place.loop.call_soon_threadsafe(lambda: place.world.gate.decide(call, entry, "", found.append))
    for _ in range(500):
        place.act(lambda c: None)
        if found:
            return found[0]
    raise AssertionError("no decision came")

"""`/v1/reviews`: the operator sees what was put forward and answers it; nobody else does."""

import pytest

from remit.control import review
from remit.control.review import Acting, Server
from remit.core.grant import Step
from remit.core.resource import Upstream
from tests.kit.asking import code
from tests.kit.world import DAY

READ = Step.from_json({"action": "mcp:mail/read", "path": "delegated"})


@pytest.fixture
def met(place):
    """One agent with one server, put forward."""
    by, said = place.world.owner.id, {"file": "/site/.mcp.json", "line": 3}
    server = Server("mail", Upstream(url="http://127.0.0.1:9/mail"), by, said)
    acting = Acting("site-1", "Met.", by, ("mail",), (READ,), said)
    due = place.world.authority.clock.now() + DAY
    place.one = place.act(lambda c: review.open_review(c, [server], [acting], due, by))
    place.due = due
    return place


def test_the_operator_sees_and_answers_it(met):
    where = f"/v1/reviews/{met.one.id}"
    assert [one["id"] for one in met.get("/v1/reviews?state=open").json["items"]] == [met.one.id]
    seen = met.get(where).json
    assert seen["waits"] == ["resource/mail", "agent/site-1", "brief/site-1"]
    assert seen["body"]["items"][0]["file"] == "/site/.mcp.json"
    said = {"shown": seen["shown"], "review_due": met.due, "approve": ["*"], "refuse": ["brief/site-1"]}
    assert code(met.send(where, said | {"shown": "other"}), 409) == "review_moved"
    assert code(met.send(where, said | {"approve": ["none"]}), 404) == "not_found"
    assert code(met.send(where, said | {"approve": ["brief/site-1"], "refuse": []}), 409) == "review_lacks"
    done = met.send(where, said).json
    assert (done["state"], done["left"]) == ("closed", {})
    assert met.get("/v1/resources/mail").json["state"] == "active"
    assert met.get("/v1/briefs/site-1").json["state"] == "refused"
    assert code(met.send(where, said), 409) == "transition_refused"


def test_nobody_else_sees_or_answers_it(met):
    where = f"/v1/reviews/{met.one.id}"
    for token in (met.person, met.held):
        assert met.get("/v1/reviews", token).status == 403
        assert met.get(where, token).status == 403
        assert met.send(where, {"shown": "x", "review_due": met.due}, token).status == 403
    assert met.get("/v1/resources/mail").json["state"] == "proposed"

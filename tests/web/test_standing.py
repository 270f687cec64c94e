"""What became of a credential, asked over a real server."""

import pytest

from remit.control import brief, revocation
from remit.core.agent import Agent
from remit.core.answer import Deny
from remit.core.record import changed
from remit.core.trust import TrustPath
from tests.kit.asking import decided, error
from tests.kit.site import ADMIN
from tests.kit.world import read_call


def test_an_assertion_used_to_introspect_is_used_up_too(place):
    again = place.client(place.bot)
    assert place.form("/oauth/introspect", {"token": "x"} | again).json == {"active": False}
    assert error(place.form("/oauth/introspect", {"token": "x"} | again), 401) == "invalid_client"
    asked = {"grant_type": "client_credentials", "task": place.task} | again
    assert error(place.form("/oauth/token", asked), 401) == "invalid_client"


def test_oauth_14_a_cut_off_ends_what_was_issued_before_it(place):
    token = place.token(place.bot, place.task).json["access_token"]
    told = {"token": token} | place.client(place.bot)
    assert place.form("/oauth/introspect", told).json["active"] is True
    place.act(lambda c: revocation.revoke(c, "path", "own", "operator"))
    assert place.form("/oauth/introspect", {"token": token} | place.client(place.bot)).json == {"active": False}
    assert error(place.token(place.bot, place.task)) == "invalid_grant"
    place.act(lambda c: revocation.open_path(c, TrustPath.DELEGATED, "operator"))
    assert place.form("/oauth/introspect", {"token": token} | place.client(place.bot)).json == {"active": False}
    assert place.get("/v1/tasks", token).status == 401


def test_oauth_15_nobody_introspects_or_revokes_what_is_not_theirs(place):
    token = place.token(place.bot, place.task).json["access_token"]
    assert place.form("/oauth/introspect", {"token": token} | place.client(place.other)).json == {"active": False}
    assert place.form("/oauth/revoke", {"token": token} | place.client(place.other)).status == 200
    assert place.form("/oauth/introspect", {"token": token}, authorization=f"Bearer {ADMIN}").json["active"] is True
    assert error(place.form("/oauth/introspect", {"token": token}), 401) == "invalid_client"
    assert place.form("/oauth/revoke", {"token": token} | place.client(place.bot)).status == 200
    assert place.form("/oauth/introspect", {"token": token} | place.client(place.bot)).json == {"active": False}


@pytest.mark.parametrize("end", ["brief", "review"])
def test_what_no_gate_would_heed_is_not_active(place, end):
    told = {"token": place.token(place.bot, place.task).json["access_token"]}
    entry = place.world.enter(told["token"])
    assert place.form("/oauth/introspect", told | place.client(place.bot)).json["active"] is True

    def work(change):
        if end == "brief":
            brief.withdraw(change, "notes", "operator")
        else:
            one = change.need(Agent, place.bot)
            change.record("agent.reviewed", changed(one, review_due=change.now), "operator")

    place.act(work)
    assert isinstance(decided(place, read_call(), entry), Deny)
    assert place.form("/oauth/introspect", told | place.client(place.bot)).json == {"active": False}

"""A person who takes their time to sign in, or whose request is long, gets to its page or is told what to do."""

import json
from types import SimpleNamespace
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest

from remit.core.errors import RemitError
from remit.web.oauth.request import pushed
from tests.kit.asking_people import BACK, CHALLENGE, GATE, company
from tests.kit.browser import Browser
from tests.kit.signin import path_of, query


@pytest.fixture(scope="module")
def firm(tmp_path_factory):
    folder = tmp_path_factory.mktemp("firm")
    folder.chmod(0o700)
    with company(folder, door_rate=0) as one:
        yield one


def test_who_came_in_time_may_take_longer_to_sign_in_than_a_pushed_request_lasts(firm):
    said = {"response_type": "code", "client_id": firm.client, "redirect_uri": BACK, "resource": GATE}
    made = firm.site.form("/oauth/par", said | {"code_challenge": CHALLENGE, "code_challenge_method": "S256"})
    where = f"/oauth/authorize?{urlencode({'client_id': firm.client, 'request_uri': made.json['request_uri']})}"
    led = Browser(firm.site.url).get(where)
    assert led.status == 303
    following = path_of(query(led.headers["location"])["next"])
    assert firm.browser().get(following).status == 200
    later = dict(parse_qsl(urlsplit(following).query))
    authority = firm.site.world.authority

    def after(minutes):
        return SimpleNamespace(authority=authority, now=lambda: authority.clock.now() + minutes * 60_000)

    with pytest.raises(RemitError, match="too old"):
        pushed(after(2), {"client_id": firm.client, "request_uri": made.json["request_uri"]})
    asked, _, again = pushed(after(9), later)
    assert (asked["resource"], again) == (GATE, later["request_uri"]), "and not longer each time"
    with pytest.raises(RemitError, match="too old"):
        pushed(after(11), later)


def test_what_no_browser_would_keep_is_said_before_the_person_signs_in_in_vain(firm):
    details = json.dumps([{"type": "remit_task", "labels": {f"l{n}": "x" * 200 for n in range(15)}}])
    asking = firm.asking(authorization_details=details)
    strange = Browser(firm.site.url)
    told = strange.get(path_of(strange.get(asking).headers["location"]))
    assert told.status == 403
    assert b"Sign in first, at /signin" in told.body
    assert firm.browser().get(asking).status == 200
    led = strange.get(path_of(strange.get(firm.asking()).headers["location"]))
    assert (led.status, len(led.headers["set-cookie"]) < 4096) == (303, True)

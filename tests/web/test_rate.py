"""Knocking too often holds back the one address that does it, and nobody who was named."""

import pytest

from remit.control import brief
from remit.web.rate import MOST, Buckets, Rate, network
from tests.kit.asking import opened
from tests.kit.asking_people import company
from tests.kit.browser import Browser
from tests.kit.site import ask, site


class Hand:
    now = 0


@pytest.fixture
def rate():
    Hand.now = 0
    return Rate(3, lambda: Hand.now)


def test_each_request_to_the_door_counts_and_of_the_token_endpoint_only_what_failed(rate):
    assert [rate.held("/oauth/authorize", "192.0.2.1") for _ in range(4)] == [False, False, False, True]
    assert not rate.held("/oauth/authorize", "192.0.2.2"), "another address"
    assert not rate.held("/v1/tasks", "192.0.2.1"), "another part of the house"
    assert rate.held("/oauth/token", "192.0.2.1")
    for _ in range(10):
        assert not rate.held("/oauth/token", "192.0.2.3")
        rate.heard("/oauth/token", "192.0.2.3", 200)
        rate.heard("/oauth/token", "192.0.2.3", 503)
    for _ in range(3):
        rate.heard("/oauth/token", "192.0.2.3", 401)
    assert rate.held("/oauth/token", "192.0.2.3")
    Hand.now = 60_000
    assert not rate.held("/oauth/token", "192.0.2.3")


def test_an_ipv6_network_is_one_knocker_and_a_flood_of_them_is_bounded(rate):
    assert network("2001:db8::1") == network("2001:db8::2") != network("2001:db8:0:1::1")
    assert network("::ffff:192.0.2.1") != network("::ffff:192.0.2.2")
    for n in range(20_000):
        rate.held("/signin", f"10.{n >> 16}.{n >> 8 & 255}.{n & 255}")
    assert len(rate._counts) <= 10_000


def test_zero_holds_nobody_back():
    rate = Rate(0, lambda: 0)
    assert not any(rate.held("/signin", "x") for _ in range(1000))


def test_who_knocks_too_often_is_told_to_wait(tmp_path):
    tmp_path.chmod(0o700)
    with company(tmp_path, door_rate=8) as firm:
        mine = Browser(firm.site.url)
        answers = [mine.get(firm.asking()) for _ in range(9)]
        assert [one.status for one in answers] == [303] * 8 + [429]
        assert answers[-1].json["code"] == "rate_exceeded"
        assert answers[-1].headers["retry-after"] == "60"
        assert firm.token(code="x").status == 429
        assert firm.site.get("/healthz", "").status == 200


def test_a_clients_bucket_is_its_own_and_fills_again(rate):
    buckets = Buckets(6, lambda: Hand.now)
    assert [buckets.wait("a", "192.0.2.1") for _ in range(7)] == [0] * 6 + [10]
    assert buckets.wait("b", "192.0.2.1") == 0, "another client of the same address"
    assert buckets.wait("a", "192.0.2.2") == 0, "the same client from elsewhere"
    Hand.now = 4_000
    assert buckets.wait("a", "192.0.2.1") == 6
    Hand.now = 10_000
    assert [buckets.wait("a", "192.0.2.1") for _ in range(2)] == [0, 10]
    Hand.now = 10_000_000
    assert [buckets.wait("a", "192.0.2.1") for _ in range(7)] == [0] * 6 + [10], "never more than a minute's worth"
    assert not any(Buckets(0, lambda: 0).wait("a", "x") for _ in range(1000))


def test_a_flood_of_clients_is_forgotten_and_locks_nobody_out(rate):
    buckets = Buckets(1, lambda: Hand.now)
    for n in range(MOST + 500):
        assert buckets.wait(f"client {n}", "192.0.2.1") == 0
    assert len(buckets._held) == MOST
    assert buckets.wait("client 0", "192.0.2.1") == 0, "who was forgotten begins anew"
    assert buckets.wait(f"client {MOST + 499}", "192.0.2.1") == 60


@pytest.fixture
def busy(tmp_path):
    tmp_path.chmod(0o700)
    with site(tmp_path, client_rate=4, door_rate=0) as one:
        one.bot, one.other = one.agent("bot"), one.agent("other")
        wide = one.world.a_brief(agents=(one.bot, one.other), dispatchers=(one.world.owner.id,))
        one.act(lambda c: brief.apply(c, wide, "operator"))
        one.task, one.theirs = opened(one, one.bot), opened(one, one.other)
        yield one


def test_one_clients_flood_holds_back_that_client_alone_at_every_endpoint(busy):
    answers = [busy.token(busy.bot, busy.task) for _ in range(5)]
    assert [one.status for one in answers] == [200] * 4 + [429]
    assert answers[-1].json["error"] == "temporarily_unavailable"
    assert answers[-1].headers["retry-after"] in ("14", "15")
    text = answers[0].json["access_token"]
    for path in ("/oauth/introspect", "/oauth/revoke"):
        assert busy.form(path, {"token": text} | busy.client(busy.bot)).status == 429, path
    assert busy.token(busy.other, busy.theirs).status == 200
    assert busy.form("/oauth/introspect", {"token": "x"} | busy.client(busy.other)).json == {"active": False}


def test_who_only_says_a_clients_name_takes_nothing_from_it(busy):
    for _ in range(8):
        wrong = {"grant_type": "client_credentials", "task": busy.task} | busy.client(busy.other)
        assert busy.form("/oauth/token", wrong | {"client_id": busy.bot}).status == 401
    used = busy.client(busy.bot)
    asked = {"grant_type": "client_credentials", "task": busy.task}
    assert [busy.form("/oauth/token", asked | used).status for _ in range(2)] == [200, 401]
    assert busy.token(busy.bot, busy.task).status == 200


def test_clients_of_the_code_flow_are_held_back_one_by_one(tmp_path):
    tmp_path.chmod(0o700)
    with company(tmp_path, door_rate=0, client_rate=3) as firm:
        statuses = [firm.token(code="x").status for _ in range(4)]
        assert statuses == [400, 400, 400, 429]
        pushed = ask(f"{firm.site.url}/oauth/par", "POST", b"client_id=" + firm.client.encode(), FORM)
        assert (pushed.status, pushed.json["error"]) == (429, "temporarily_unavailable")


FORM = {"content-type": "application/x-www-form-urlencoded"}

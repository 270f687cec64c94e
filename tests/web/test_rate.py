"""Knocking too often holds back the one address that does it, and nobody who was named."""

import pytest

from remit.web.rate import Rate, network
from tests.kit.asking_people import company
from tests.kit.browser import Browser


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

"""A target that says a little now and then, for ever: whoever asks it is let go, whichever source asks."""

import threading
import time

import pytest

from remit.core.moment import Instant
from remit.custody import bounded
from remit.custody.secret import Secret
from remit.custody.sources.provider import Provider
from remit.custody.sources.rest import Api
from remit.custody.sources.sts import StsSource
from tests.custody.sources import refused
from tests.kit.dripping import ENDLESS, dripping
from tests.kit.leasing import AWS


@pytest.fixture(params=ENDLESS)
def place(request):
    with dripping(request.param) as port:
        yield f"{'https' if request.param == 'tls' else 'http'}://127.0.0.1:{port}/"


def through_rest(place, _):
    return refused(lambda _: Api("kubernetes", "It", place).ask("GET", "/x", {}), None)


def to_a_provider(place, _):
    return refused(lambda _: Provider("remit", Secret(b"secret-of-ours")).post(place, {"a": "b"}), None)


def to_aws(place, _):
    secret, settings = Secret(b"AKIAEXAMPLE:secret-of-the-broker"), AWS | {"sts": place, "iam": place}
    source = StsSource(secret, settings, lambda: Instant(1_700_000_000_000))
    return refused(lambda _: source.call("sts", {"Action": "x"}), None)


@pytest.mark.parametrize("ask", [through_rest, to_a_provider, to_aws])
def test_one_deadline_is_for_the_whole_request(place, monkeypatch, ask):
    monkeypatch.setattr(bounded, "WHOLE_S", 0.4)
    before, began = threading.active_count(), time.monotonic()
    assert ask(place, None) == "target_unavailable", "what was cut was taken for an answer"
    assert time.monotonic() - began < 60, "each wait was bounded, and not the whole"
    until = time.monotonic() + 60
    while threading.active_count() > before + 1:
        assert time.monotonic() < until, "a thread is left"
        time.sleep(0.02)

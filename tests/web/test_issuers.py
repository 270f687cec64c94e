"""Identity providers that redirect, lie or say too much; each is a clear error and never a person."""

import asyncio
from contextlib import contextmanager

import pytest

from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody.jws import TokenRefusal
from remit.web.fetch import LARGEST
from remit.web.issuers import Issuers
from remit.web.settings import Issuer
from tests.kit.site import idp, serving

NOW = Instant(1_790_000_000_000)


def identify(issuers, token):
    return asyncio.run(issuers.identify(token, NOW))


def test_a_person_is_proved_by_discovery_or_by_a_named_key_set():
    with idp() as one:
        for jwks in ("", one.url + "/jwks"):
            found = identify(Issuers((Issuer(one.url, "remit", jwks),), lambda: 0), one.token(NOW // 1000))
            assert found.identity.subject == "pia-at-idp"
            assert found.issuer.url == one.url


def test_keys_are_kept_five_minutes_and_asked_for_again_every_ten_seconds_at_most():
    clock = [0]
    with idp() as one:
        issuers = Issuers((Issuer(one.url, "remit"),), lambda: clock[0])
        asked = []
        for at in (0, 60_000, 299_999, 300_000):
            clock[0] = at
            assert not isinstance(identify(issuers, one.token(NOW // 1000)), TokenRefusal)
            asked.append(one.asked)
        assert asked == [1, 1, 1, 2]
        one.rotate()
        stranger = one.token(NOW // 1000)
        one.keys.pop(0)
        for at in (310_001, 310_002, 319_999, 320_002):
            clock[0] = at
            assert identify(issuers, stranger).code == "token_key_unknown"
            asked.append(one.asked)
        assert asked[4:] == [3, 3, 3, 4]


@contextmanager
def saying(status, body=b"", headers=()):
    async def app(scope, receive, send):
        await send({"type": "http.response.start", "status": status, "headers": list(headers)})
        await send({"type": "http.response.body", "body": body})

    with serving(app) as (url, _):
        yield url


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b"{}"),
        (200, b'{"keys":[]}'),
        (200, b'{"keys":[{"kty":"oct","k":"AAAA"}]}'),
        (200, b'{"keys":[],"keys":[]}'),
        (200, b" " * (LARGEST + 1)),
        (404, b""),
        (500, b""),
    ],
)
def test_a_key_set_that_cannot_be_used_is_a_clear_error(status, body):
    with idp() as one, saying(status, body) as url:
        issuers = Issuers((Issuer(one.url, "remit", url),), lambda: 0)
        for _ in range(2):
            with pytest.raises(RemitError) as caught:
                identify(issuers, one.token(NOW // 1000))
            assert caught.value.code == "issuer_unreachable"


def test_a_redirect_is_not_followed_and_discovery_must_name_the_issuer():
    with idp() as one:
        with saying(302, headers=[(b"location", f"{one.url}/jwks".encode())]) as away:
            issuers = Issuers((Issuer(one.url, "remit", away),), lambda: 0)
            with pytest.raises(RemitError, match="cannot be read"):
                identify(issuers, one.token(NOW // 1000))
        said = f'{{"issuer":"https://other.test","jwks_uri":"{one.url}/jwks"}}'.encode()
        with saying(200, said) as liar, pytest.raises(RemitError, match="cannot be read"):
            identify(Issuers((Issuer(liar, "remit"),), lambda: 0), one.token(NOW // 1000, iss=liar))
        assert one.asked == 0


def test_nobody_waits_for_keys_that_a_stranger_has_asked_for():
    clock = [0]

    async def run(one, issuers, stranger):
        forged = asyncio.create_task(issuers.identify(stranger, NOW))
        await asyncio.to_thread(one.held.wait, 20)
        known = await asyncio.wait_for(issuers.identify(one.token(NOW // 1000), NOW), 5)
        assert known.identity.subject == "pia-at-idp"
        assert not forged.done(), "the provider was slow enough to see it"
        one.hold.set()
        assert (await forged).code == "token_key_unknown"

    with idp() as one:
        issuers = Issuers((Issuer(one.url, "remit"),), lambda: clock[0])
        identify(issuers, one.token(NOW // 1000))
        clock[0] = 10_001
        one.rotate()
        stranger = one.token(NOW // 1000)
        one.keys.pop(0)
        one.hold.clear()
        one.held.clear()
        asyncio.run(run(one, issuers, stranger))

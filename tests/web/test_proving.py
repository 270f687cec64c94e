"""Bound credentials at the token door: no proof is loose, and no exchange loosens what is bound."""

import http.client
import urllib.parse

import pytest
from joserfc.jwk import ECKey

from tests.kit.asking import error
from tests.kit.tokens import peer_sign
from tests.kit.world import ISSUER

KEY = ECKey.generate_key("P-256")


def proof(place, jwk=None, alg="ES256", **said):
    now = place.world.authority.clock.now() // 1000
    body = {"htm": "POST", "htu": f"{ISSUER}/oauth/token", "iat": now, "jti": "once"} | said
    return peer_sign(KEY, {"typ": "dpop+jwt", "alg": alg, "jwk": jwk or KEY.as_dict(private=False)}, body)


def asked(place):
    return {"grant_type": "client_credentials", "task": place.task} | place.client(place.bot)


def test_dpop_06_two_proofs_are_refused(place):
    parts = urllib.parse.urlsplit(place.url)
    connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=10)
    data = urllib.parse.urlencode(asked(place)).encode()
    connection.putrequest("POST", "/oauth/token")
    connection.putheader("content-type", "application/x-www-form-urlencoded")
    connection.putheader("content-length", str(len(data)))
    connection.putheader("dpop", proof(place, jti="one"))
    connection.putheader("dpop", proof(place, jti="two"))
    connection.endheaders(data)
    answer = connection.getresponse()
    assert (answer.status, b"invalid_dpop_proof" in answer.read()) == (400, True)
    connection.close()


@pytest.mark.parametrize("text", ["private", "x" * 65_536, "eyJhbGciOiJub25lIn0.e30.", "eyJhbGciOiJIUzI1NiJ9.e30.AAAA"])
def test_dpop_06_a_proof_that_is_none_is_refused_and_not_said_again(place, text):
    private = KEY.as_dict(private=True)
    answer = place.form("/oauth/token", asked(place), dpop=proof(place, private) if text == "private" else text)
    assert answer.status in (400, 431)
    assert private["d"].encode() not in answer.body


def test_dpop_07_what_is_bound_is_never_exchanged_for_less(place):
    bound = place.form("/oauth/token", asked(place), dpop=proof(place)).json
    assert bound["token_type"] == "DPoP"
    kind = "urn:ietf:params:oauth:token-type:"
    for name in ("access_token", "jwt", "id_token"):
        for more in ({}, {"requested_token_type": f"{kind}access_token"}):
            answer = place.exchange(
                place.bot, place.task, bound["access_token"], subject_token_type=kind + name, **more
            )
            assert error(answer) == "invalid_request"

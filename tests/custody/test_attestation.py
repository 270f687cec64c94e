"""Key sets and trust bundles as others publish them, and tokens held against an independent SPIFFE implementation."""

import json
import subprocess

import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from remit.core.attestor import Attestor
from remit.core.moment import Instant
from remit.custody import svid
from remit.custody.attestation import Attestation, attest, bundle
from remit.custody.jws import TokenRefusal
from tests.kit import peers
from tests.kit.nouns import code
from tests.kit.tokens import NOW
from tests.kit.vouching import DOMAIN, Authority, Platform, certificate, svid_assertion

SOURCE = Attestor(
    name="td", kind="spiffe", issuer=f"spiffe://{DOMAIN}", audience="remit", keys_url="https://td.example/bundle"
)
SUBJECT = f"spiffe://{DOMAIN}/agent/bot"
LIVE = 2_000_000_000
"""Seconds, in the future of the clock of this machine: the peer reads its own."""
PEER = """
import json, sys
from spiffe import JwtBundle, JwtSvid, TrustDomain, X509Bundle
asked = json.load(sys.stdin)
domain, data = TrustDomain(asked["domain"]), json.dumps(asked["bundle"]).encode()
bundle = JwtBundle.parse(domain, data)
said = []
for text in asked["tokens"]:
    try:
        said.append(str(JwtSvid.parse_and_validate(text, bundle, {asked["audience"]}).spiffe_id))
    except Exception as fault:
        said.append("")
print(json.dumps(said))
"""


def test_keys_that_do_not_count_are_left_out_and_nothing_left_is_refused():
    one = Platform()
    one.rotate("EC")
    one.roots = [Authority().certificate]
    said = one.bundle("jwt-svid")
    more = [
        {"kty": "oct", "k": "AAAA", "use": "jwt-svid"},
        {"use": "x509-svid"},
        {"use": "x"},
        1,
        {"use": "x509-svid", "x5c": ["AA"]},
    ]
    found = bundle(said | {"keys": [*said["keys"], *more]})
    assert (len(found.keys), len(found.roots), found.sequence) == (1, 1, 1)
    for nothing in ({}, {"keys": []}, {"keys": more}, [], None, {"keys": "x"}):
        assert code(bundle, nothing) == "bundle_empty"


def test_an_independent_spiffe_library_says_the_same_of_bundles_and_tokens():
    one = Platform(url="unused")
    one.rotate("EC")
    other = Platform(url="unused")
    other.rotate("EC")
    now = Instant((LIVE - 100) * 1000)
    good = {"iss": None, "sub": SUBJECT, "aud": ["remit"], "iat": NOW // 1000, "exp": LIVE}
    tokens = {
        "good": one.token(0, **good),
        "another audience": one.token(0, **(good | {"aud": ["crm"]})),
        "no audience": one.token(0, **(good | {"aud": None})),
        "no end": one.token(0, **(good | {"exp": None})),
        "no subject": one.token(0, **(good | {"sub": None})),
        "no SPIFFE id": one.token(0, **(good | {"sub": "bot"})),
        "over": one.token(0, **(good | {"exp": 1_000_000_000})),
        "another's key": other.token(0, **good),
        "no token": "x.y.z",
    }
    published = one.bundle("jwt-svid")
    asked = {"domain": DOMAIN, "bundle": published, "tokens": list(tokens.values()), "audience": "remit"}
    ran = subprocess.run(
        [str(peers.python("spiffe")), "-c", PEER], input=json.dumps(asked), capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stderr
    theirs = json.loads(ran.stdout)
    ours = [attest(text, attestor=SOURCE, ours="us", now=now, trusted=bundle(published)) for text in tokens.values()]
    assert theirs == [SUBJECT] + [""] * 8
    for name, said, found in zip(tokens, theirs, ours, strict=True):
        assert isinstance(found, Attestation) == bool(said), (name, found)


def test_a_token_is_refused_for_what_is_wrong_with_it():
    one = Platform(url="unused")
    one.rotate()
    trusted, now = bundle(one.bundle("jwt-svid")), Instant(NOW)
    good = {"iss": None, "sub": SUBJECT, "aud": "remit"}
    for changes, expected in (
        ({"aud": ["remit", "b"]}, "attestation_audience"),
        ({"sub": "spiffe://other.example/a"}, "attestation_domain"),
        ({"exp": NOW // 1000 + 90_000}, "attestation_life"),
        ({"exp": NOW // 1000 - 1}, "token_expired"),
    ):
        found = attest(one.token(NOW // 1000, **(good | changes)), attestor=SOURCE, ours="us", now=now, trusted=trusted)
        assert isinstance(found, TokenRefusal)
        assert found.code == expected
    found = attest(one.token(NOW // 1000, **good), attestor=SOURCE, ours="us", now=now, trusted=trusted)
    assert isinstance(found, Attestation)
    assert (found.made, found.once) == (NOW // 1000 * 1000, False)


@pytest.mark.parametrize("listed", [[], "x", ["AA"], [1], ["A" * 10] * 5])
def test_a_chain_that_is_none_is_refused(listed):
    key = ec.generate_private_key(ec.SECP256R1())
    text = svid_assertion(key, [certificate(Authority(), None, key.public_key())], sub=SUBJECT)
    assert svid.carries_chain(text)
    assert svid.root({"x5c": listed}) is None

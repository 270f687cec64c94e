"""Credentials: the JOSE attacks, and joserfc as the second opinion."""

import base64
import hmac
import json
import socket
from dataclasses import replace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st
from joserfc import jwt as peer_jwt
from joserfc.jwk import ECKey, KeySet

from remit.core.canonical import b64, unb64
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.core.trust import TrustPath
from remit.custody.jws import LONGEST, TokenRefusal
from remit.custody.signer import Purpose
from remit.custody.token import REMEMBERED, Claims, Memory, acting, issue, verify
from tests.kit.tokens import CRM, GIT, ISSUER, NOW, claims, dice, forge, header, payload, signer

OURS = signer()
PATH = TrustPath.DELEGATED
GOOD = issue(claims(), OURS)


def read(token, now=NOW, audience=GIT, keys=OURS, memory=None):
    fresh = Memory() if memory is None else memory
    return verify(token, issuer=ISSUER, audience=audience, now=now, keys=keys, memory=fresh)


def code(token, **more):
    found = read(token, **more)
    assert isinstance(found, TokenRefusal), "accepted"
    return found.code


def body(**changes):
    said = payload(claims()) | changes
    return {k: v for k, v in said.items() if v is not None}


def test_what_is_issued_is_what_is_read():
    made = claims(actor="agt_bot", thumbprint="A" * 43)
    assert read(issue(made, OURS)) == made


def test_joserfc_accepts_what_we_issue():
    keys = KeySet.import_key_set(OURS.jwks(NOW))
    found = peer_jwt.decode(GOOD, keys, algorithms=["ES256"])
    assert found.claims == payload(claims())
    assert found.header == header(OURS)


@given(st.integers(1, 2**31 - 1), st.text("abcß-_/:.", min_size=1, max_size=40), st.integers(1, 86_400))
def test_we_accept_what_joserfc_signs_with_our_key(plan, subject, life):
    private = OURS.active(Purpose.TOKEN_DELEGATED).private
    assert isinstance(private, ec.EllipticCurvePrivateKey)
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    made = claims(plan=plan, subject=subject, expires=Instant(NOW + life * 1000))
    token = peer_jwt.encode(header(OURS), payload(made), ECKey.import_key(pem), algorithms=["ES256"])
    assert read(token) == made


@given(st.integers(0, len(GOOD) - 1), st.sampled_from("Aa0-_.=+/ \n"))
def test_joserfc_and_we_refuse_every_altered_character_alike(at, other):
    token = GOOD[:at] + other + GOOD[at + 1 :]
    keys = KeySet.import_key_set(OURS.jwks(NOW))
    if token == GOOD:
        assert isinstance(read(token), Claims)
        return
    try:
        peer_jwt.decode(token, keys, algorithms=["ES256"])
        peer_says = True
    except Exception:  # noqa: BLE001 (any refusal of the peer's is a refusal)
        peer_says = False
    ours_says = isinstance(read(token), Claims)
    assert not ours_says
    # The peer is looser about spelling and nothing else: what it still takes decodes to the very same bytes.
    if peer_says:
        last = [unb64_loose(part) for part in token.split(".")]
        assert last == [unb64_loose(part) for part in GOOD.split(".")]


def unb64_loose(part):
    return base64.urlsafe_b64decode(part + "===")


@pytest.mark.parametrize("alg", ["none", "None", "nOnE", None, ""])
def test_jose_01_unsigned_token_is_refused(alg):
    head = {k: v for k, v in (header(OURS) | {"alg": alg}).items() if v is not None}
    unsigned = f"{b64(json.dumps(head).encode())}.{b64(json.dumps(body()).encode())}"
    for signature in ("", GOOD.split(".")[2]):
        assert code(f"{unsigned}.{signature}") in {"token_algorithm", "token_header"}
    assert code(unsigned) == "token_malformed"


def test_jose_02_public_key_is_no_hmac_secret():
    key = OURS.active(Purpose.TOKEN_DELEGATED)
    assert key.public is not None
    spki, raw = serialization.PublicFormat.SubjectPublicKeyInfo, serialization.PublicFormat.UncompressedPoint
    pem = key.public.public.public_bytes(serialization.Encoding.PEM, spki)
    secrets = [
        pem,
        pem.rstrip(b"\n"),
        key.public.public.public_bytes(serialization.Encoding.DER, spki),
        key.public.public.public_bytes(serialization.Encoding.X962, raw),
        json.dumps(dict(key.jwk or {})).encode(),
    ]
    for secret in secrets:
        text = f"{b64(json.dumps(header(OURS, alg='HS256')).encode())}.{b64(json.dumps(body()).encode())}"
        assert code(f"{text}.{b64(hmac.digest(secret, text.encode(), 'sha256'))}") == "token_algorithm"
        claimed = f"{b64(json.dumps(header(OURS)).encode())}.{b64(json.dumps(body()).encode())}"
        assert code(f"{claimed}.{b64(hmac.digest(secret, claimed.encode(), 'sha256'))}") == "token_signature"


def test_jose_04_keys_in_the_header_are_never_used(monkeypatch):
    dialled = []
    monkeypatch.setattr(socket.socket, "connect", lambda *where: dialled.append(where))
    theirs = signer("attacker")
    jwk = dict(theirs.active(Purpose.TOKEN_DELEGATED).jwk or {})
    brought = [{"jwk": jwk}, {"jku": "https://evil.test/jwks.json"}, {"x5c": ["MIIB"]}, {"x5u": "https://evil.test/c"}]
    for more in brought:
        for kid in (header(theirs), header(OURS), {"alg": "ES256", "typ": "at+jwt"}):
            assert code(forge(theirs, kid | more, body(), PATH)) == "token_header"
            assert code(forge(OURS, kid | more, body(), PATH)) == "token_header"
    assert dialled == []


@pytest.mark.parametrize(
    "more",
    [
        {"crit": ["bork"], "bork": "x"},
        {"crit": []},
        {"crit": ["exp"]},
        {"b64": False, "crit": ["b64"]},
        {"b64": True},
        {"crit": None},
    ],
)
def test_jose_05_critical_extensions_are_refused(more):
    assert code(forge(OURS, header(OURS) | more, body(), PATH)) == "token_header"
    # Under a header that says EdDSA, too.
    assert code(forge(OURS, header(OURS, alg="EdDSA") | more, body(), PATH)) == "token_header"


def test_jose_07_duplicate_members_are_refused():
    said = json.dumps(body())
    for double in ('"sub":"user:alice","sub":"user:admin",', '"aud":["https://a"],"aud":["https://b"],'):
        assert code(forge(OURS, header(OURS), f"{{{double}{said[1:]}".encode(), PATH)) == "token_json"
    # The same member in another spelling, and in the header.
    spelled = f'{{"s\\u0075b":"user:admin",{said[1:]}'.encode()
    assert code(forge(OURS, header(OURS), spelled, PATH)) == "token_json"
    head = f'{{"alg":"none",{json.dumps(header(OURS))[1:]}'.encode()
    assert code(forge(OURS, head, said.encode(), PATH)) == "token_json"


NUMBERS = {
    "missing": b"",
    "text": b'"exp":"9999999999",',
    "huge": b'"exp":1e400,',
    "nan": b'"exp":NaN,',
    "negative": b'"exp":-1,',
    "beyond": b'"exp":9223372036854775808,',
    "fraction": b'"exp":1790000600.5,',
    "true": b'"exp":true,',
}


def test_jose_10_numeric_claims_are_refused_each_for_its_own_reason():
    rest = json.dumps(body(exp=None))[1:].encode()
    found = {name: read(forge(OURS, header(OURS), b"{" + n + rest, PATH)) for name, n in NUMBERS.items()}
    year_2099 = 4_070_908_800
    found["iat_2099"] = read(forge(OURS, header(OURS), body(iat=year_2099, exp=year_2099 + 60), PATH))
    found["nbf"] = read(forge(OURS, header(OURS), body(nbf=body()["exp"] + 1), PATH))
    refused = {name: r for name, r in found.items() if isinstance(r, TokenRefusal)}
    assert refused.keys() == found.keys()
    assert {name: r.code for name, r in refused.items()} == {
        "missing": "token_exp_missing",
        "text": "token_exp_type",
        "huge": "token_json",
        "nan": "token_json",
        "negative": "token_exp_negative",
        "beyond": "token_exp_range",
        "fraction": "token_exp_type",
        "true": "token_exp_type",
        "iat_2099": "token_iat_future",
        "nbf": "token_nbf",
    }


def test_jose_11_another_spelling_is_another_token():
    head, said, signature = GOOD.split(".")
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    trailing = [signature[:-1] + alphabet[alphabet.index(signature[-1]) ^ bit] for bit in (1, 2, 3)]
    spelled = [f"{head}.{said}.{other}" for other in trailing]
    spelled += [
        f"{GOOD}=",
        f"{GOOD}==",
        f" {GOOD}",
        f"{GOOD}\n",
        f"{head} .{said}.{signature}",
        f"{head}=.{said}.{signature}",
    ]
    spelled += [GOOD.replace("-", "+").replace("_", "/")] if set("-_") & set(GOOD) else []
    spelled += [f"{head}.{said}.{signature[:9]}\n{signature[9:]}", f"{GOOD}.", f".{GOOD}", f"{GOOD}\u0660"]
    memory = Memory()
    assert isinstance(read(GOOD, memory=memory), Claims)
    for text in spelled:
        assert code(text, memory=memory) in {"token_encoding", "token_malformed"}, text


def test_jose_11_a_mirrored_signature_keeps_the_same_id():
    head, said, signature = GOOD.split(".")
    order = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
    raw = unb64(signature)
    mirrored = raw[:32] + (order - int.from_bytes(raw[32:], "big")).to_bytes(32, "big")
    found = read(f"{head}.{said}.{b64(mirrored)}")
    assert isinstance(found, Claims)
    assert found.id == claims().id, "revocation is on the id: no spelling has another"


@pytest.mark.parametrize("size", [1, 31, 63, 65, 71, 72, 128])
def test_signature_of_another_length_is_refused(size):
    assert code(f"{GOOD.rsplit('.', 1)[0]}.{b64(bytes([1]) * size)}") == "token_signature"


def test_deleg_02_other_kinds_of_token_are_refused():
    for kind in ("JWT", "jwt", "AT+JWT", "application/at+jwt", "id_token", "rt+jwt", None):
        head = {k: v for k, v in (header(OURS) | {"typ": kind}).items() if v is not None}
        assert code(forge(OURS, head, body(), PATH)) == "token_type"
    theirs = signer("untrusted")
    same_kid = header(OURS)
    assert code(forge(theirs, same_kid, body(), PATH)) == "token_signature"
    assert code(forge(theirs, header(theirs), body(), PATH)) == "token_key_unknown"
    assert code(forge(OURS, header(OURS), body(iss="https://other.test"), PATH)) == "token_issuer"
    assert code("refresh-token-opaque") == "token_malformed"


def test_audience_is_matched_exactly():
    for near in (GIT + "/", GIT[:-1], GIT + ".evil", GIT.upper(), "https://remit.test", CRM):
        assert code(GOOD, audience=near) == "token_audience"
    assert code(forge(OURS, header(OURS), body(aud=GIT), PATH)) == "token_claim_invalid"
    assert code(forge(OURS, header(OURS), body(aud=[]), PATH)) == "token_claim_invalid"
    assert code(forge(OURS, header(OURS), body(aud=None), PATH)) == "token_claim_missing"


def test_a_remembered_token_is_still_judged_each_time():
    ours, memory = signer("life"), Memory()
    token = issue(claims(), ours)
    assert isinstance(read(token, keys=ours, memory=memory), Claims)
    assert len(memory) == 1
    assert code(token, keys=ours, memory=memory, audience=CRM) == "token_audience"
    assert isinstance(read(token, keys=ours, memory=memory, now=Instant(NOW + 599_999)), Claims)
    assert code(token, keys=ours, memory=memory, now=Instant(NOW + 600_000)) == "token_expired"
    assert code(token, keys=ours, memory=memory, now=Instant(NOW - 60_001)) == "token_iat_future"
    assert isinstance(read(token, keys=ours, memory=memory, now=Instant(NOW - 60_000)), Claims)
    ours.rotate(Purpose.TOKEN_DELEGATED, NOW, keep=5_000)
    assert isinstance(read(token, keys=ours, memory=memory, now=Instant(NOW + 4_999)), Claims)
    assert code(token, keys=ours, memory=memory, now=Instant(NOW + 5_000)) == "token_key_state"
    kid = header(signer("life"))["kid"]
    ours.retire(str(kid), NOW)
    assert code(token, keys=ours, memory=memory) == "token_key_unknown"


def test_a_memory_never_speaks_for_another_signer_with_the_same_kid():
    memory = Memory()
    assert isinstance(read(GOOD, memory=memory), Claims)
    assert code(GOOD, memory=memory, keys=signer("stranger")) == "token_key_unknown"


def test_memory_is_bounded_and_only_holds_what_is_proved():
    memory = Memory(8)
    tokens = [issue(claims(plan=n), OURS) for n in range(1, 30)]
    for token in tokens:
        read(token, memory=memory)
        assert len(memory) <= 8
        assert code(token[:-2] + "AA", memory=memory) in {"token_signature", "token_encoding"}
        assert len(memory) <= 8
    assert memory.get(tokens[-1]) is not None
    assert memory.get(tokens[0]) is None
    assert memory.get(tokens[-1][:-2] + "AA") is None
    assert REMEMBERED == 4096


@pytest.mark.parametrize(
    "changes",
    [
        {"remit_plan": 0},
        {"remit_plan": True},
        {"remit_plan": "1"},
        {"remit_path": "both"},
        {"remit_task": "tsk_1"},
        {"jti": "x"},
        {"sub": ""},
        {"sub": "a\nb"},
        {"act": {"sub": "agt_a", "act": {"sub": "agt_a"}}},
        {"act": {"sub": "agt_a", "act": None}},
        {"act": {"sub": "agt_a", "act": {"sub": "agt_b", "iss": "x"}}},
        {"act": acting(tuple(f"agt_{n}" for n in range(10)))},
        {"act": "agt_a"},
        {"cnf": {"jkt": "short"}},
        {"cnf": {"jkt": "A" * 43, "jwk": {}}},
        {"aud": [GIT, GIT]},
    ],
)
def test_claims_of_the_wrong_kind_are_refused(changes):
    assert code(forge(OURS, header(OURS), body(**changes), PATH)) == "token_claim_invalid"


def test_unknown_claims_lives_and_lengths_are_refused():
    assert code(forge(OURS, header(OURS), body(scope="all"), PATH)) == "token_claim_unknown"
    assert code(forge(OURS, header(OURS), body(exp=NOW // 1000), PATH)) == "token_life"
    assert code(forge(OURS, header(OURS), body(exp=NOW // 1000 + 86_401), PATH)) == "token_life"
    assert code("a" * (LONGEST + 1)) == "token_length"
    assert code("") == "token_length"
    assert code(forge(OURS, header(OURS, zip="DEF"), body(), PATH)) == "token_header"
    assert code(forge(OURS, header(OURS, cty="JWT"), body(), PATH)) == "token_header"
    assert code(forge(OURS, header(OURS, extra=1), body(), PATH)) == "token_header"


def test_nothing_is_issued_that_could_not_be_verified():
    for wrong in (claims(plan=0), claims(audience=""), claims(expires=NOW), claims(thumbprint="x"), claims(subject="")):
        with pytest.raises(RemitError) as caught:
            issue(wrong, OURS)
        assert caught.value.code == "claims_invalid"
    with pytest.raises(RemitError) as caught:
        issue(replace(claims(), audience=tuple(f"{GIT}/{n}" for n in range(400))), OURS)
    assert caught.value.code == "claims_invalid"


@given(st.text(max_size=200) | st.binary(max_size=200).map(lambda b: b.decode("latin-1")))
def test_any_text_is_refused_and_nothing_is_raised(text):
    assert isinstance(read(text), TokenRefusal)


@given(st.binary(max_size=120), st.binary(max_size=120))
def test_any_signed_bytes_are_refused_and_nothing_is_raised(head, said):
    assert isinstance(read(forge(OURS, head, said, PATH)), TokenRefusal)
    assert isinstance(read(forge(OURS, header(OURS), said, PATH)), TokenRefusal)


def test_dice_are_repeatable():
    assert issue(claims(), signer()) == GOOD
    assert dice("a")(4) != dice("b")(4)

"""What an authority held to less may not vouch for: path lengths, name constraints, and what nobody here reads."""

import base64
import json
import time

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from remit.core.canonical import b64
from remit.core.moment import Instant
from remit.custody import certificate as der
from remit.custody import svid
from remit.custody.jws import Refused
from tests.kit.vouching import DOMAIN, Authority, certificate

UNREAD = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.99999.1"), b"\x05\x00")


def only(*names: str, never: tuple[str, ...] = ()) -> x509.NameConstraints:
    """Constraints to URIs of these hosts, and none of those."""
    kept, out = ([x509.UniformResourceIdentifier(one) for one in each] for each in (names, never))
    return x509.NameConstraints(kept or None, out or None)


def judged(above: list[dict[str, object]], leaf: dict[str, object] | None = None) -> str:
    """What comes of a leaf under these authorities, the root first: its id, or why it was refused."""
    made: list[Authority] = []
    for number, more in enumerate(above):
        one, by = Authority(name=f"ca{number}"), made[-1] if made else None
        given = {"ca": True, "uri": f"spiffe://{DOMAIN}", "subject": one.name, **more}
        one.certificate = certificate(by or one, by, one.key.public_key(), **given)
        made.append(one)
    key = ec.generate_private_key(ec.SECP256R1())
    chain = [certificate(made[-1], None, key.public_key(), **(leaf or {}))]
    chain += [one.certificate for one in reversed(made[1:])]
    listed = [one.public_bytes(Encoding.DER) for one in chain]
    try:
        return svid.shown(listed, [made[0].certificate], DOMAIN, Instant(int(time.time() * 1000)))[0]
    except Refused as fault:
        return fault.refusal.code


GOOD = f"spiffe://{DOMAIN}/agent/bot"


@pytest.mark.parametrize(
    ("above", "expected"),
    [
        ([{}, {}, {}], GOOD),
        ([{"length": 1}, {"length": 0}], GOOD),
        ([{"length": 2}, {"length": 1}, {"length": 0}], GOOD),
        ([{}, {"length": 0}, {}], "svid_chain"),
        ([{"length": 0}, {}], "svid_chain"),
        ([{"length": 1}, {}, {}], "svid_chain"),
    ],
)
def test_an_authority_makes_no_more_authorities_than_it_may(above, expected):
    assert judged(above) == expected


@pytest.mark.parametrize(
    ("constraint", "expected"),
    [
        (only(DOMAIN), GOOD),
        (only("other.example", DOMAIN.upper()), GOOD),
        (only(".example"), GOOD),
        (x509.NameConstraints([x509.DNSName("other.example")], None), GOOD),
        (only("other.example"), "svid_chain"),
        (only(f".{DOMAIN}"), "svid_chain"),
        (only(never=(DOMAIN,)), "svid_chain"),
        (only(DOMAIN, never=(".example",)), "svid_chain"),
    ],
)
@pytest.mark.parametrize("at", [0, 1])
def test_an_authority_vouches_for_no_name_beyond_its_constraints(constraint, expected, at):
    above: list[dict[str, object]] = [{}, {}]
    above[at]["more"] = (constraint,)
    assert judged(above) == expected


def test_what_is_critical_and_not_read_here_is_refused():
    assert judged([{}, {"more": (UNREAD,)}]) == "svid_chain"
    assert judged([{"more": (UNREAD,)}, {}]) == "svid_chain"
    assert judged([{}], {"more": (UNREAD,)}) == "svid_chain"


KEY, CURVE = bytes.fromhex("06072a8648ce3d0201"), bytes.fromhex("06082a8648ce3d030107")
NAME = GOOD.encode()
SPOILT = {
    "a key of no kind": (1, KEY, KEY[:-1] + b"\x09"),
    "a curve of nobody": (1, CURVE, CURVE[:-1] + b"\x7f"),
    "a leaf's key of no kind": (0, KEY, KEY[:-1] + b"\x09"),
    "a name of X.400": (0, bytes([0x86, len(NAME)]) + NAME, bytes([0xA3, len(NAME)]) + NAME),
    "a name of EDI": (0, bytes([0x86, len(NAME)]) + NAME, bytes([0xA5, len(NAME)]) + NAME),
    "a version of no standard": (1, b"\xa0\x03\x02\x01\x02", b"\xa0\x03\x02\x01\x07"),
}
"""What a stranger writes into a certificate of a chain, at which place: no library knows it."""


@pytest.mark.parametrize("spoilt", SPOILT)
def test_a_certificate_that_nobody_can_read_is_refused_and_breaks_nothing(spoilt):
    root, above = Authority(name="root"), Authority(name="above")
    root.certificate = certificate(root, None, root.key.public_key(), ca=True, uri=f"spiffe://{DOMAIN}")
    given = {"ca": True, "uri": f"spiffe://{DOMAIN}", "subject": "above"}
    above.certificate = certificate(root, root, above.key.public_key(), **given)
    leaf = certificate(above, None, ec.generate_private_key(ec.SECP256R1()).public_key())
    chain = [one.public_bytes(Encoding.DER) for one in (leaf, above.certificate)]
    now = Instant(int(time.time() * 1000))
    assert svid.shown(chain, [root.certificate], DOMAIN, now)[0] == GOOD
    place, what, instead = SPOILT[spoilt]
    assert what in chain[place]
    chain[place] = chain[place].replace(what, instead)
    with pytest.raises(Refused) as why:
        svid.shown(chain, [root.certificate], DOMAIN, now)
    assert why.value.refusal.code in ("svid_chain", "svid_leaf")
    assert der.names(chain[0]) in ((), (GOOD,))
    assert der.issued_names(chain[0]) in ((), (GOOD,))
    x5c = [base64.b64encode(one).decode() for one in chain]
    head = {"alg": "ES256", "x5c": x5c}
    text = ".".join(b64(json.dumps(one).encode()) for one in (head, {"sub": GOOD})) + ".AAAA"
    with pytest.raises(Refused) as why:
        svid.leaf(text, [root.certificate], DOMAIN, now)
    assert why.value.refusal.code in ("svid_chain", "svid_leaf")

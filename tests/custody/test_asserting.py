"""Remit's own client assertions; that a real library takes them stands in tests/web/console/test_signin.py."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from remit.custody.asserting import assertion
from remit.custody.secret import Secret
from tests.kit.nouns import NOON, code


def pem(key):
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


@pytest.mark.parametrize(
    "wrong", [b"", b"not a key", pem(ec.generate_private_key(ec.SECP384R1())), pem(x25519.X25519PrivateKey.generate())]
)
def test_what_does_not_sign_is_refused(wrong):
    given = {"client": "remit", "audience": "https://idp.test", "id": "x", "now": NOON}
    assert code(lambda: assertion(Secret(wrong), **given)) == "key_invalid"

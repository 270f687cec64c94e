"""Certificates of clients, read: their digest, and the names that somebody else put into them."""

import base64
import hashlib

import pytest

from remit.core.canonical import unb64
from remit.custody import certificate
from tests.cli.test_certificates import ALONE, AUTHORITY, ISSUED, certify


def test_the_digest_is_sha_256_of_the_der():
    assert unb64(certificate.digest(ALONE.der)) == hashlib.sha256(ALONE.der).digest()


def test_a_name_counts_only_when_somebody_else_gave_it():
    itself = certify("bot", None, "urn:remit:agt")
    assert certificate.names(itself.der) == ("urn:remit:agt",)
    assert certificate.issued_names(itself.der) == ()
    assert certificate.issued_names(certify("bot", AUTHORITY, "urn:remit:agt").der) == ("urn:remit:agt",)
    assert certificate.issued_names(b"no certificate") == ()


@pytest.mark.parametrize("spoil", [lambda t: t[1:], lambda t: t[:-1], lambda t: t + b", " + t, lambda t: t.upper()])
def test_a_field_holds_one_byte_sequence(spoil):
    field = b":" + base64.b64encode(ISSUED.der) + b":"
    assert certificate.from_field(field) == ISSUED.der
    assert certificate.from_field(spoil(field)) is None

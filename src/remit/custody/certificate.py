"""A client's TLS certificate: its digest, by which a credential is bound to it (RFC 8705), and the names it carries."""

import base64
from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.x509.oid import ExtensionOID

from remit.core.attestor import spiffe_id
from remit.core.permit import x5t

LONGEST: Final = 16 * 1024
UNREADABLE: Final = (
    ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion, x509.UnsupportedGeneralNameType,
    x509.DuplicateExtension, x509.ExtensionNotFound,
)  # fmt: skip
"""What is raised over a certificate that is not as it should be, by whichever of its parts is looked at."""


def digest(der: bytes) -> str:
    """The `x5t#S256` of a certificate: base64url of SHA-256 over its DER."""
    return x5t(der)


def names(der: bytes) -> tuple[str, ...]:
    """The URIs in a certificate's subject alternative name; none for what is no certificate."""
    try:
        found = x509.load_der_x509_certificate(der).extensions.get_extension_for_oid(
            ExtensionOID.SUBJECT_ALTERNATIVE_NAME
        )
    except UNREADABLE:
        return ()
    value = found.value
    if not isinstance(value, x509.SubjectAlternativeName):
        return ()
    return tuple(value.get_values_for_type(x509.UniformResourceIdentifier))


def issued_names(der: bytes) -> tuple[str, ...]:
    """The URIs that somebody else put into a certificate: none for a self-issued one, which says what it likes."""
    try:
        found = x509.load_der_x509_certificate(der)
        itself = found.issuer == found.subject
    except UNREADABLE:
        return ()
    return () if itself else names(der)


def workload(der: bytes) -> str | None:
    """The trust domain of the SPIFFE id in a certificate that has one; what else it says is for others to judge."""
    return next((domain for one in names(der) if (domain := spiffe_id(one)) is not None), None)


def chain_field(value: bytes) -> tuple[bytes, ...]:
    """The certificates of a `Client-Cert-Chain` field (RFC 9440 section 2.3); none for what is no such list."""
    parts = value.split(b",") if len(value) <= LONGEST else []
    found = [from_field(one) for one in parts]
    return tuple(one for one in found if one is not None) if None not in found else ()


def from_field(value: bytes) -> bytes | None:
    """The certificate in a `Client-Cert` field (RFC 9440 section 2.2): one byte sequence; None for anything else."""
    text = value.strip()
    if len(text) > LONGEST or len(text) < 3 or text[:1] != b":" or text[-1:] != b":":
        return None
    try:
        der = base64.b64decode(text[1:-1], validate=True)
        x509.load_der_x509_certificate(der)
    except UNREADABLE:
        return None
    return der

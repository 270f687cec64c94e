"""X.509-SVIDs (SPIFFE X509-SVID): a certificate whose one URI names the workload, under a root of its trust domain."""

import base64
import itertools
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Final, TypeVar

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from remit.core.attestor import spiffe_id
from remit.core.canonical import Json, b64
from remit.core.errors import RemitError
from remit.core.moment import Instant
from remit.custody import jws
from remit.custody.certificate import UNREADABLE
from remit.custody.jwk import PublicKey, read_key
from remit.custody.jws import Refused

T = TypeVar("T", bound=x509.ExtensionType)
DEEPEST: Final = 4
"""Certificates in a chain, the leaf among them and the root not."""
_READ: Final = (
    x509.BasicConstraints, x509.KeyUsage, x509.ExtendedKeyUsage, x509.SubjectAlternativeName, x509.NameConstraints,
)  # fmt: skip
"""What is judged here; anything else that is critical refuses its certificate (RFC 5280 section 4.2)."""


def root(entry: Mapping[str, Json]) -> x509.Certificate | None:
    """The authority of a bundle's entry (`x5c`, one certificate); None when it is none."""
    listed = entry.get("x5c")
    try:
        return _read(listed[0]) if isinstance(listed, list) and len(listed) == 1 else None
    except Refused:
        return None


def carries_chain(text: str) -> bool:
    """Say whether a token brings certificates in its header."""
    try:
        return "x5c" in jws.parse(text, chain=True).header
    except Refused:
        return False


def leaf(text: str, roots: Sequence[x509.Certificate], domain: str, now: Instant) -> tuple[PublicKey, str]:
    """The key and the SPIFFE id of the certificate that a token brings, once its chain leads to a root."""
    listed = jws.parse(text, chain=True).header.get("x5c")
    if not isinstance(listed, list) or not 1 <= len(listed) <= DEEPEST:
        raise Refused("svid_chain", "x5c holds one to four certificates.")
    chain = [_read(one) for one in listed]
    try:
        subject = _judged(chain, roots, domain, now)
        return _key(chain[0]), subject
    except UNREADABLE:
        raise Refused("svid_chain", "x5c holds a certificate that cannot be read.") from None


def shown(
    listed: Sequence[bytes], roots: Sequence[x509.Certificate], domain: str, now: Instant
) -> tuple[str, int, int]:
    """The SPIFFE id of the certificate that a connection showed, once its chain leads to a root; and its two ends.

    `listed` is DER, the leaf first. The ends are seconds since 1970. That its key is held, TLS has shown.
    """
    if not 1 <= len(listed) <= DEEPEST:
        raise Refused("svid_chain", "A client shows one to four certificates.")
    try:
        chain = [x509.load_der_x509_certificate(one) for one in listed]
        subject, leaf = _judged(chain, roots, domain, now), chain[0]
        return subject, int(leaf.not_valid_before_utc.timestamp()), int(leaf.not_valid_after_utc.timestamp())
    except UNREADABLE:
        raise Refused("svid_chain", "What the client showed holds a certificate that cannot be read.") from None


def _judged(chain: Sequence[x509.Certificate], roots: Sequence[x509.Certificate], domain: str, now: Instant) -> str:
    """The id of a workload of this trust domain, whose chain holds together and leads to a root, each valid now."""
    subject = _workload(chain[0])
    if spiffe_id(subject) != domain:
        raise Refused("attestation_domain", "The certificate is of another trust domain.")
    moment = datetime.fromtimestamp(now / 1000, UTC)
    if any(not one.not_valid_before_utc <= moment <= one.not_valid_after_utc for one in chain):
        raise Refused("svid_expired", "A certificate of the chain is not valid now.")
    for below, above in itertools.pairwise(chain):
        if not _signs(above) or not _issued(below, above):
            raise Refused("svid_chain", "The chain does not hold together.")
    led = [
        one
        for one in roots
        if _issued(chain[-1], one) and _signs(one) and one.not_valid_before_utc <= moment <= one.not_valid_after_utc
    ]
    if not led:
        raise Refused("svid_root", "The chain leads to no root of this trust domain.")
    if not any(_kept([*chain, one], domain) for one in led):
        raise Refused("svid_chain", "An authority of the chain may not vouch for this.")
    return subject


def _kept(path: Sequence[x509.Certificate], domain: str) -> bool:
    """Say whether every authority of a path, the leaf first, was held to what it may do (RFC 5280 section 6.1).

    How many authorities may stand below it, the hosts of URIs that it is limited to, and nothing critical unread.
    """
    host, below = domain.lower(), 0
    try:
        for one in path:
            if any(each.critical and not isinstance(each.value, _READ) for each in one.extensions):
                return False
        for one in path[1:]:
            limits, names = _extension(one, x509.BasicConstraints), _extension(one, x509.NameConstraints)
            if limits is None or (limits.path_length is not None and limits.path_length < below):
                return False
            if names is not None and not _named(names, host):
                return False
            below += one.subject != one.issuer
    except (x509.DuplicateExtension, ValueError):
        return False
    return True


def _named(names: x509.NameConstraints, host: str) -> bool:
    """Say whether constraints let a URI of this host be named; of other sorts of names they say nothing of it."""

    def has(listed: Sequence[x509.GeneralName] | None) -> list[bool]:
        texts = [one.value.lower() for one in listed or () if isinstance(one, x509.UniformResourceIdentifier)]
        return [host.endswith(text) if text.startswith(".") else host == text for text in texts]

    permitted = has(names.permitted_subtrees)
    return (not permitted or any(permitted)) and not any(has(names.excluded_subtrees))


def _read(text: Json) -> x509.Certificate:
    try:
        return x509.load_der_x509_certificate(base64.b64decode(str(text), validate=True))
    except UNREADABLE:
        raise Refused("svid_chain", "x5c holds certificates in base64.") from None


def _workload(one: x509.Certificate) -> str:
    """The SPIFFE id of a leaf certificate: one URI, no authority, for signing (X509-SVID sections 2 to 4)."""
    try:
        names = one.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        usage = one.extensions.get_extension_for_class(x509.KeyUsage)
        limits = _extension(one, x509.BasicConstraints)
        purposes = _extension(one, x509.ExtendedKeyUsage)
    except (x509.ExtensionNotFound, x509.DuplicateExtension, ValueError):
        raise Refused("svid_leaf", "The certificate is no X.509-SVID.") from None
    uris = names.get_values_for_type(x509.UniformResourceIdentifier)
    signs = usage.value.key_cert_sign or usage.value.crl_sign
    if len(uris) != 1 or not usage.critical or not usage.value.digital_signature or signs or (limits and limits.ca):
        raise Refused("svid_leaf", "The certificate is no X.509-SVID of a workload.")
    if purposes and ExtendedKeyUsageOID.CLIENT_AUTH not in purposes:
        raise Refused("svid_leaf", "The certificate is not for clients.")
    return uris[0]


def _signs(one: x509.Certificate) -> bool:
    """Say whether a certificate may sign others."""
    try:
        limits, usage = _extension(one, x509.BasicConstraints), _extension(one, x509.KeyUsage)
    except (x509.DuplicateExtension, ValueError):
        return False
    return limits is not None and limits.ca and (usage is None or usage.key_cert_sign)


def _issued(below: x509.Certificate, above: x509.Certificate) -> bool:
    try:
        below.verify_directly_issued_by(above)
    except (ValueError, TypeError, InvalidSignature):
        return False
    return True


def _extension(one: x509.Certificate, kind: type[T]) -> T | None:
    try:
        return one.extensions.get_extension_for_class(kind).value
    except x509.ExtensionNotFound:
        return None


def _key(one: x509.Certificate) -> PublicKey:
    public = one.public_key()
    try:
        if isinstance(public, ec.EllipticCurvePublicKey) and public.curve.name == "secp256r1":
            point = public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint)
            return read_key({"kty": "EC", "crv": "P-256", "x": b64(point[1:33]), "y": b64(point[33:])})
        if isinstance(public, rsa.RSAPublicKey):
            numbers = public.public_numbers()
            size = (numbers.n.bit_length() + 7) // 8
            n, e = b64(numbers.n.to_bytes(size, "big")), b64(numbers.e.to_bytes(3, "big"))
            return read_key({"kty": "RSA", "n": n, "e": e})
    except (RemitError, OverflowError):
        pass
    raise Refused("svid_leaf", "The certificate's key is not P-256, or RSA of 2048 bits or more.")

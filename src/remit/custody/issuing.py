"""A certificate authority that exists for one task: what a program trusts that speaks to its targets through Remit.

Its key is derived from the root key and the task's id whenever it is needed, and stored nowhere; every node of the same
root derives the same one. It vouches for the names it was made with and for no others (RFC 5280 section 4.2.1.10), and
ends with the task. Pure but for the keys of leaves, which are drawn for each.
"""

import datetime as dt
import hashlib
import ipaddress
from collections.abc import Sequence
from typing import Final

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import BestAvailableEncryption, Encoding, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID

from remit.core.address import literal
from remit.core.moment import Instant
from remit.core.permit import Leaf

SEED: Final = 48
"""Octets that a key is derived from: a scalar taken from so many is even enough (FIPS 186-5 A.2.1)."""
EARLIER_MS: Final = 5 * 60_000
"""How far a program's clock may be behind ours."""
_ORDER: Final = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_EVERY: Final = (ipaddress.ip_network("0.0.0.0/0"), ipaddress.ip_network("::/0"))
_USES: Final = (
    "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
    "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
)  # fmt: skip


def authority(seed: bytes, task: str, hosts: Sequence[str], begins: Instant, ends: Instant) -> bytes:
    """The certificate of a task's authority, as PEM: for these hosts alone, from the task's opening to its deadline."""
    key = _key(seed)
    builder = _begun(_named(task), _named(task), key.public_key(), begins, ends)
    builder = builder.serial_number(_serial(seed, b"authority"))
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
    builder = builder.add_extension(_usage("key_cert_sign"), critical=True)
    builder = builder.add_extension(_only(hosts), critical=True)
    made = builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
    return _signed(made, key).public_bytes(Encoding.PEM)


def leaf(seed: bytes, task: str, host: str, begins: Instant, ends: Instant, drawn: bytes) -> Leaf:
    """A certificate for one host under the task's authority, with a key of its own.

    The key is sealed under a passphrase from `drawn` (32 random octets), so that it can be handed to TLS in a file.
    """
    own, above, passphrase = ec.generate_private_key(ec.SECP256R1()), _key(seed), drawn.hex().encode()
    builder = _begun(_named("A host behind Remit"), _named(task), own.public_key(), begins, ends)
    builder = builder.serial_number(_serial(drawn, host.encode()))
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(_usage("digital_signature"), critical=True)
    builder = builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
    builder = builder.add_extension(x509.SubjectAlternativeName([_name(host)]), critical=False)
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(above.public_key())
    made = _signed(builder.add_extension(identifier, critical=False), above)
    sealed = own.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(passphrase))
    return Leaf(made.public_bytes(Encoding.PEM), sealed, passphrase, ends)


def _begun(
    subject: x509.Name, issuer: x509.Name, public: ec.EllipticCurvePublicKey, begins: Instant, ends: Instant
) -> x509.CertificateBuilder:
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(public)
    return builder.not_valid_before(_moment(begins - EARLIER_MS)).not_valid_after(_moment(ends))


def _key(seed: bytes) -> ec.EllipticCurvePrivateKey:
    return ec.derive_private_key(int.from_bytes(seed, "big") % (_ORDER - 1) + 1, ec.SECP256R1())


def _signed(builder: x509.CertificateBuilder, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    return builder.sign(key, SHA256(), ecdsa_deterministic=True)


def _serial(key: bytes, of: bytes) -> int:
    """A positive serial of at most 20 octets (RFC 5280 section 4.1.2.2), the same for the same."""
    return int.from_bytes(hashlib.blake2b(of, digest_size=16, key=key[:64]).digest(), "big") + 1


def _only(hosts: Sequence[str]) -> x509.NameConstraints:
    """These hosts, and of the kind of name that none of them is, none at all."""
    names = [_name(host) for host in hosts]
    texts = [one for one in names if isinstance(one, x509.DNSName)]
    places = [x509.IPAddress(ipaddress.ip_network(one.value)) for one in names if isinstance(one, x509.IPAddress)]
    permitted: list[x509.GeneralName] = [*texts, *places]
    excluded: list[x509.GeneralName] = []
    if not texts:
        excluded.append(x509.DNSName(""))
    if not places:
        excluded += [x509.IPAddress(one) for one in _EVERY]
    return x509.NameConstraints(permitted or None, excluded or None)


def _name(host: str) -> x509.DNSName | x509.IPAddress:
    address = literal(host)
    return x509.DNSName(host) if address is None else x509.IPAddress(address)


def _named(text: str) -> x509.Name:
    owner = x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, "Remit")
    return x509.Name([owner, x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])


def _usage(use: str) -> x509.KeyUsage:
    return x509.KeyUsage(**{one: one == use for one in _USES})


def _moment(at: int) -> dt.datetime:
    return dt.datetime.fromtimestamp(max(0, at) // 1000, dt.UTC)

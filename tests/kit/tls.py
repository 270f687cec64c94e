"""A certificate authority of the kit's own, for servers on loopback: names and addresses, for a day."""

import datetime as dt
import ipaddress
import ssl
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


def certificates(folder: Path, names: tuple[str, ...] = ("localhost",)) -> tuple[Path, Path]:
    """Make an authority and a leaf with its key for loopback and these names; their files."""
    now = dt.datetime.now(dt.UTC)

    def named(text: str) -> x509.Name:
        return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, text)])

    def issue(subject: x509.Name, key: ec.EllipticCurvePrivateKey, extension: x509.ExtensionType) -> bytes:
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(named("ca")).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - dt.timedelta(1))
        builder = builder.not_valid_after(now + dt.timedelta(1)).add_extension(extension, critical=True)
        return builder.sign(authority, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)

    authority, leaf = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    places = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), *(x509.DNSName(name) for name in names)]
    key = leaf.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "ca.pem").write_bytes(issue(named("ca"), authority, x509.BasicConstraints(ca=True, path_length=None)))
    (folder / "leaf.pem").write_bytes(issue(named("leaf"), leaf, x509.SubjectAlternativeName(places)) + key)
    return folder / "ca.pem", folder / "leaf.pem"


def server_side(leaf: Path) -> ssl.SSLContext:
    """The context of a server with this leaf and key."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(leaf)
    return made


def names(pem: bytes) -> list[str]:
    """The hosts that a certificate is for; of an authority those that it may vouch for."""
    made = x509.load_pem_x509_certificate(pem)
    try:
        only = made.extensions.get_extension_for_class(x509.NameConstraints).value.permitted_subtrees or []
        return [str(one.value) for one in only]
    except x509.ExtensionNotFound:
        own = made.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return [str(one.value) for one in own]

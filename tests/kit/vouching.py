"""Platforms that vouch for workloads: a key set over real HTTP, tokens signed by joserfc, and a SPIFFE trust domain."""

import base64
import datetime as dt
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from joserfc.jwk import ECKey, RSAKey

from tests.kit.site import serving
from tests.kit.tokens import peer_sign

DOMAIN = "td.example"


@dataclass
class Platform:
    """One issuer. `asked` counts who read its keys; `answer` is said in place of the bundle when it is set."""

    url: str = ""
    keys: list[tuple[str, Any]] = field(default_factory=list)
    roots: list[x509.Certificate] = field(default_factory=list)
    asked: int = 0
    sequence: int = 1
    answer: bytes | None = None

    def rotate(self, kind: str = "RSA") -> None:
        """Sign with a new key; the others stay published."""
        made = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key("P-256")
        self.keys.insert(0, (f"key{len(self.keys)}", made))

    def token(self, now: int, **claims: Any) -> str:
        """A token of five minutes, with what is None left out."""
        kid, key = self.keys[0]
        said = {"iss": self.url, "iat": now, "exp": now + 300, "jti": f"t{now}"} | claims
        alg = "RS256" if isinstance(key, RSAKey) else "ES256"
        return peer_sign(key, {"alg": alg, "kid": kid}, {k: v for k, v in said.items() if v is not None})

    def bundle(self, use: str = "sig") -> dict[str, Any]:
        """What it publishes."""
        public = [{**key.as_dict(private=False), "kid": kid, "use": use} for kid, key in self.keys]
        roots = [{"kty": "EC", "use": "x509-svid", **_point(one), "x5c": [_der(one)]} for one in self.roots]
        extra = {"spiffe_sequence": self.sequence, "spiffe_refresh_hint": 60} if use == "jwt-svid" else {}
        return {"keys": [*public, *roots], **extra}

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        """Discovery, keys, and the bundle endpoint of a trust domain."""
        if scope["path"] == "/.well-known/openid-configuration":
            body = json.dumps({"issuer": self.url, "jwks_uri": f"{self.url}/jwks"}).encode()
        else:
            self.asked += 1
            use = "jwt-svid" if scope["path"] == "/bundle" else "sig"
            body = self.answer or json.dumps(self.bundle(use)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


@contextmanager
def platform(kind: str = "RSA") -> Iterator[Platform]:
    """A running platform with one key."""
    one = Platform()
    one.rotate(kind)
    with serving(one.app) as (url, _):
        one.url = url
        yield one


@dataclass
class Authority:
    """A SPIFFE certificate authority: issues X.509-SVIDs, good ones and such as no authority should."""

    key: Any = field(default_factory=lambda: ec.generate_private_key(ec.SECP256R1()))
    certificate: Any = None
    name: str = "authority"

    def __post_init__(self) -> None:
        self.certificate = self.certificate or certificate(
            self, None, self.key.public_key(), ca=True, uri=f"spiffe://{DOMAIN}"
        )


def certificate(by: Authority, above: Any, public: Any, **more: Any) -> x509.Certificate:
    """A certificate over `public`, signed by `by`; `more` says what is unusual about it."""
    given = {"ca": False, "uri": f"spiffe://{DOMAIN}/agent/bot", "days": 1, "sign": False, "purposes": True} | more
    start = dt.datetime.now(dt.UTC) - dt.timedelta(days=2)
    end = start + dt.timedelta(days=2 + given["days"])
    of, issuer = (
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, each)])
        for each in (given.get("subject", by.name if given["ca"] else "workload"), by.name)
    )
    uris = given["uri"] if isinstance(given["uri"], list) else [given["uri"]]
    built = (
        x509.CertificateBuilder()
        .subject_name(of).issuer_name(issuer).public_key(public).serial_number(x509.random_serial_number())
        .not_valid_before(start).not_valid_after(end)
        .add_extension(x509.BasicConstraints(ca=given["ca"], path_length=given.get("length")), critical=True)
        .add_extension(x509.SubjectAlternativeName([x509.UniformResourceIdentifier(u) for u in uris]), critical=False)
        .add_extension(
            x509.KeyUsage(
                digital_signature=not given["ca"], content_commitment=False, key_encipherment=False,
                data_encipherment=False, key_agreement=False, key_cert_sign=given["ca"] or given["sign"],
                crl_sign=given["ca"], encipher_only=False, decipher_only=False,
            ),
            critical=True,
        )
    )  # fmt: skip
    if not given["ca"] and given["purposes"]:
        both = [ExtendedKeyUsageOID.CLIENT_AUTH, ExtendedKeyUsageOID.SERVER_AUTH]
        built = built.add_extension(x509.ExtendedKeyUsage(both), critical=False)
    for extension in given.get("more", ()):
        built = built.add_extension(extension, critical=True)
    return built.sign(above.key if above else by.key, SHA256())


def svid_assertion(private: Any, chain: list[x509.Certificate], **claims: Any) -> str:
    """A client assertion by an X.509-SVID's key, with its chain in the header."""
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return peer_sign(ECKey.import_key(pem), {"alg": "ES256", "x5c": [_der(one) for one in chain]}, claims)


def _der(one: x509.Certificate) -> str:
    return base64.b64encode(one.public_bytes(Encoding.DER)).decode()


def _point(one: x509.Certificate) -> dict[str, str]:
    numbers = one.public_key().public_numbers()
    x, y = (base64.urlsafe_b64encode(n.to_bytes(32, "big")).rstrip(b"=").decode() for n in (numbers.x, numbers.y))
    return {"crv": "P-256", "x": x, "y": y}

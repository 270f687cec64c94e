"""A P-256 key of the gate's own at a target: signs client assertions (RFC 7523) and DPoP proofs (RFC 9449)."""

import hashlib
import secrets
import time
from collections.abc import Mapping
from typing import Final, final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from remit.core.canonical import Json, b64, canon
from remit.core.errors import RemitError

ASSERTION_S: Final = 60
_ECDSA: Final = ec.ECDSA(SHA256())


@final
class Key:
    """Owned by the client of one target. Its private half leaves nowhere."""

    __slots__ = ("_private", "public", "thumb")

    def __init__(self, private: ec.EllipticCurvePrivateKey) -> None:
        self._private = private
        numbers = private.public_key().public_numbers()
        x, y = (b64(one.to_bytes(32, "big")) for one in (numbers.x, numbers.y))
        self.public: dict[str, Json] = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        self.thumb = b64(hashlib.sha256(canon(self.public)).digest())

    def proof(self, method: str, url: str, nonce: str, token: str = "") -> str:
        """A fresh DPoP proof for one request; with `token`, for showing that one."""
        said: dict[str, Json] = {
            "htm": method, "htu": url.partition("#")[0].partition("?")[0], "iat": int(time.time()),
            "jti": secrets.token_urlsafe(16),
        }  # fmt: skip
        if token:
            said["ath"] = b64(hashlib.sha256(token.encode()).digest())
        if nonce:
            said["nonce"] = nonce
        return self._signed({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.public}, said)

    def assertion(self, client: str, issuer: str) -> str:
        """A client assertion whose audience is that issuer and nothing else."""
        now = int(time.time())
        said: dict[str, Json] = {
            "iss": client, "sub": client, "aud": issuer, "iat": now, "exp": now + ASSERTION_S,
            "jti": secrets.token_urlsafe(16),
        }  # fmt: skip
        return self._signed({"typ": "JWT", "alg": "ES256", "kid": self.thumb}, said)

    def _signed(self, header: Mapping[str, Json], said: Mapping[str, Json]) -> str:
        text = f"{b64(canon(dict(header)))}.{b64(canon(dict(said)))}"
        r, s = decode_dss_signature(self._private.sign(text.encode(), _ECDSA))
        return f"{text}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"


def fresh() -> Key:
    """A key that nobody knows yet: for binding tokens, where nothing is registered."""
    return Key(ec.generate_private_key(ec.SECP256R1()))


def from_pem(pem: bytes) -> Key:
    """Read a private key. Refuses all but P-256 without a passphrase (`upstream_key`)."""
    try:
        found = serialization.load_pem_private_key(pem, None)
    except (ValueError, TypeError) as fault:
        raise _wrong() from fault
    if not isinstance(found, ec.EllipticCurvePrivateKey) or not isinstance(found.curve, ec.SECP256R1):
        raise _wrong()
    return Key(found)


def _wrong() -> RemitError:
    return RemitError(
        "upstream_key", "The gate's key for this target cannot be read.", "Store a P-256 private key as PEM (PKCS#8)."
    )

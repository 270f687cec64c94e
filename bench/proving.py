"""A P-256 key of a client that is measured with: signs assertions and proofs, cheaply."""

import json
import secrets
import time
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from remit.core.canonical import b64, canon
from remit.custody.jwk import thumbprint

ECDSA = ec.ECDSA(SHA256())


class Key:
    """`scalar` is its private half in hexadecimal: it goes to the load's process, and dies with the run."""

    def __init__(self, scalar: str = "") -> None:
        self.scalar = scalar or f"{secrets.randbelow(1 << 255) + 1:x}"
        self._private = ec.derive_private_key(int(self.scalar, 16), ec.SECP256R1())
        numbers = self._private.public_key().public_numbers()
        x, y = (b64(one.to_bytes(32, "big")) for one in (numbers.x, numbers.y))
        self.public = {"kty": "EC", "crv": "P-256", "x": x, "y": y}
        self.thumb = thumbprint(self.public)
        self._head = b64(canon({"typ": "dpop+jwt", "alg": "ES256", "jwk": self.public}))
        self._plain = b64(canon({"typ": "JWT", "alg": "ES256", "kid": self.thumb}))

    def sign(self, head: str, said: dict[str, Any]) -> str:
        text = f"{head}.{b64(json.dumps(said).encode())}"
        r, s = decode_dss_signature(self._private.sign(text.encode(), ECDSA))
        return f"{text}.{b64(r.to_bytes(32, 'big') + s.to_bytes(32, 'big'))}"

    def proof(self, url: str, digest: str, name: str) -> str:
        """A DPoP proof for one POST with the token of this digest; none for a request that has none yet."""
        said = {"htm": "POST", "htu": url, "iat": int(time.time()), "jti": name}
        return self.sign(self._head, said | ({"ath": digest} if digest else {}))

    def identity(self, issuer: str, subject: str) -> str:
        """An ID token of a person for this installation, good for an hour."""
        now = int(time.time())
        said = {"iss": issuer, "sub": subject, "aud": "remit", "iat": now, "exp": now + 3600, "auth_time": now}
        return self.sign(self._plain, said)

    def assertion(self, client: str, audience: str) -> str:
        """A client assertion (RFC 7523) that counts once, for four minutes."""
        now = int(time.time())
        said = {"iss": client, "sub": client, "aud": audience, "iat": now, "exp": now + 240}
        return self.sign(self._plain, said | {"jti": secrets.token_urlsafe(16)})

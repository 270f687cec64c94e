"""A signing key of somebody who is not Remit: an agent's, or an identity provider's. ES256 (RFC 7518 section 3.4)."""

import json
from collections.abc import Mapping

from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from remit.core.canonical import Json, b64
from remit.custody.jwk import thumbprint


class Key:
    """A fresh P-256 key; `public` is its JWK, and the private half never leaves the object."""

    def __init__(self) -> None:
        self._private = ec.generate_private_key(ec.SECP256R1())
        numbers = self._private.public_key().public_numbers()
        form = {"kty": "EC", "crv": "P-256", "x": b64(numbers.x.to_bytes(32)), "y": b64(numbers.y.to_bytes(32))}
        self.public: dict[str, str] = form | {"kid": thumbprint(form), "alg": "ES256"}

    def sign(self, claims: Mapping[str, Json]) -> str:
        """A compact JWS over these claims (RFC 7515)."""
        head = {"alg": "ES256", "typ": "JWT", "kid": self.public["kid"]}
        text = ".".join(b64(json.dumps(part).encode()) for part in (head, dict(claims)))
        r, s = decode_dss_signature(self._private.sign(text.encode(), ec.ECDSA(SHA256())))
        return f"{text}.{b64(r.to_bytes(32) + s.to_bytes(32))}"

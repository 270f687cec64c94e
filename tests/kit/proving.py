"""A client that holds a key and proves it with each request (RFC 9449), made by joserfc and not by us."""

import base64
import hashlib
import itertools
import time
from dataclasses import dataclass, field
from typing import Any

from joserfc.jwk import ECKey

from tests.kit.agent import Agent, Told
from tests.kit.tokens import peer_sign


@dataclass
class Holder:
    """A P-256 key and the proofs made with it; `now` gives the client's clock in seconds."""

    key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256"))
    now: Any = time.time
    count: Any = field(default_factory=lambda: itertools.count(1))

    @property
    def thumb(self) -> str:
        """Its RFC 7638 thumbprint."""
        return str(self.key.thumbprint())

    def proof(self, url: str, token: str = "", method: str = "POST", head: Any = None, **said: Any) -> str:
        """A proof for one request; `said` replaces claims, and those that are None are left out."""
        body = {"htm": method, "htu": url, "iat": int(self.now()), "jti": f"{self.thumb}-{next(self.count)}"}
        if token:
            body["ath"] = digest(token)
        body = {name: value for name, value in (body | said).items() if value is not None}
        header = {"typ": "dpop+jwt", "alg": "ES256", "jwk": self.key.as_dict(private=False)} | (head or {})
        return peer_sign(self.key, header, body)


@dataclass
class Prover(Agent):
    """An agent at a gate whose credential is bound to a key; each request carries a new proof."""

    holder: Holder = field(default_factory=Holder)
    nonce: str = ""

    def headers(self, **more: str) -> dict[str, str]:
        """The headers that every request has, with a proof for a POST unless one is given."""
        given = super().headers(authorization=f"DPoP {self.token}")
        if "dpop" not in more:
            given["dpop"] = self.holder.proof(self.url, self.token, nonce=self.nonce or None)
        return given | {name.replace("_", "-"): value for name, value in more.items()}

    def raw(self, data: bytes, headers: dict[str, str], method: str = "POST") -> Told:
        """Send these bytes, and keep the nonce that comes back."""
        told = super().raw(data, headers, method)
        self.nonce = told.headers.get("dpop-nonce", self.nonce)
        return told


def digest(token: str) -> str:
    """The `ath` of a token."""
    return base64.urlsafe_b64encode(hashlib.sha256(token.encode()).digest()).rstrip(b"=").decode()

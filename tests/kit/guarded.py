"""A target that wants a token: its authorization server and itself on one port, strict in what they take.

Client credentials by `private_key_jwt`, bound by DPoP, with nonces from both; what came is kept to be looked at.
"""

import base64
import hashlib
import json
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs

from joserfc import jwt
from joserfc.jwk import ECKey

from remit.core.moment import Instant
from remit.custody.jws import TokenRefusal
from remit.custody.proof import verify_proof
from tests.kit.site import serving
from tests.kit.upstream import Server, reply

CLIENT = "remit-at-the-target"


class Guard:
    """`issuer` is what its resource metadata name, `says` what the server's own metadata do."""

    def __init__(self, key: ECKey) -> None:
        self.key = key
        self.inner = Server(("2026-07-28", "2025-11-25"))
        self.url = self.issuer = self.says = self.resource = ""
        self.tokens: dict[str, str] = {}
        self.forms: list[dict[str, str]] = []
        self.life = 300
        self.proofs: set[str] = set()
        self.nonce = "first"
        self.broken = ""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"]
        if path == "/mcp":
            await self.mcp(scope, receive, send)
        elif path == "/token":
            await self.token(scope, receive, send)
        elif path == "/.well-known/oauth-protected-resource/mcp":
            said = {"resource": self.resource, "authorization_servers": [self.issuer], "scopes_supported": ["tools"]}
            await answer(send, 200, said)
        elif path.startswith("/.well-known/oauth-authorization-server"):
            said = {
                "issuer": self.says,
                "token_endpoint": f"{self.url}/token",
                "token_endpoint_auth_methods_supported": ["private_key_jwt"],
                "dpop_signing_alg_values_supported": ["ES256"],
            }
            await answer(send, 200, said)
        else:
            await answer(send, 404, {})

    async def token(self, scope: Any, receive: Any, send: Any) -> None:
        form = {name: values[0] for name, values in parse_qs((await receive())["body"].decode()).items()}
        self.forms.append(form)
        if self.broken:
            await answer(send, 400, {"error": self.broken, "error_description": "secret words of theirs"})
            return
        proof = self.proved(scope, f"{self.url}/token")
        if isinstance(proof, str):
            await answer(send, 400, {"error": proof}, nonce=self.nonce)
            return
        claims = jwt.decode(form["client_assertion"], self.key, algorithms=["ES256"]).claims
        assert (claims["iss"], claims["sub"], claims["aud"]) == (CLIENT, CLIENT, self.url)
        assert (form["grant_type"], form["resource"]) == ("client_credentials", self.resource)
        made = secrets.token_urlsafe(40)
        self.tokens[made] = proof.thumb
        await answer(send, 200, {"access_token": made, "token_type": "DPoP", "expires_in": self.life})

    async def mcp(self, scope: Any, receive: Any, send: Any) -> None:
        heads = dict(scope["headers"])
        scheme, _, token = heads.get(b"authorization", b"").decode().partition(" ")
        where = f'resource_metadata="{self.url}/.well-known/oauth-protected-resource/mcp"'
        proof = self.proved(scope, f"{self.url}/mcp", token) if scheme == "DPoP" else "invalid_token"
        if isinstance(proof, str) or self.tokens.get(token) != proof.thumb:
            error = proof if isinstance(proof, str) else "invalid_token"
            await answer(send, 401, {}, nonce=self.nonce, challenge=f'DPoP error="{error}", {where}')
            return
        await self.inner(scope, receive, send)

    def proved(self, scope: Any, url: str, token: str = "") -> Any:
        texts = [value.decode() for name, value in scope["headers"] if name == b"dpop"]
        if len(texts) != 1:
            return "invalid_dpop_proof"
        now = Instant(int(time.time() * 1000))
        found = verify_proof(texts[0], method="POST", url=url, now=now, token=token)
        if isinstance(found, TokenRefusal) or found.id in self.proofs:
            return "invalid_dpop_proof"
        self.proofs.add(found.id)
        body = texts[0].split(".")[1]
        said = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
        return found if said.get("nonce") == self.nonce else "use_dpop_nonce"

    def turn(self) -> None:
        """Give another nonce from now on."""
        self.nonce = hashlib.sha256(self.nonce.encode()).hexdigest()


async def answer(send: Any, status: int, said: Any, nonce: str = "", challenge: str = "") -> None:
    more = [(b"dpop-nonce", nonce.encode())] if nonce else []
    more += [(b"www-authenticate", challenge.encode())] if challenge else []
    await reply(send, status, json.dumps(said).encode(), more)


@contextmanager
def guarded(key: ECKey) -> Iterator[Guard]:
    """Serve one for as long as the block lasts."""
    guard = Guard(key)
    with serving(guard) as (url, _):
        guard.url = guard.issuer = guard.says = url
        guard.resource = f"{url}/mcp"
        yield guard

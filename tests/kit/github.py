"""GitHub as far as an App's installation asks it: a stand-in, written from GitHub's reference. Partial.

It holds the App's public key and checks each assertion; a token counts until it revokes itself. An independent client
and GitHub's own OpenAPI document are held against it in `tests/peers/test_stand_ins.py`.
"""

import secrets
from datetime import UTC, datetime, timedelta

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from joserfc import jwt
from joserfc.jwk import RSAKey

from tests.kit.answering import Answering, Asked

APP, INSTALLATION = "Iv23liExampleApp", "4242"
HELD = {"contents": "write", "issues": "write", "metadata": "read", "pull_requests": "read"}
"""What the App was installed with: a token can hold less, never more."""
PLACES = ("docs", "reports", "site")
LEVELS = ("read", "write", "admin")


def pem(key: rsa.RSAPrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


class GitHub:
    """`tokens` by what they may do. `wider` is a GitHub that gives every permission and repository it has."""

    def __init__(self) -> None:
        self.key = rsa.generate_private_key(65537, 2048)
        self.tokens: dict[str, tuple[dict[str, str], list[str]]] = {}
        self.wider = False
        self._server = Answering(self._answer)
        self.url, self.seen = self._server.url, self._server.seen

    def close(self) -> None:
        self._server.close()

    def _answer(self, asked: Asked) -> tuple[int, dict | None]:
        if asked.path.startswith("/app"):
            if not self._app(asked.bearer):
                return 401, {"message": "A JSON web token could not be decoded", "status": "401"}
            if (asked.method, asked.path) == ("GET", f"/app/installations/{INSTALLATION}"):
                return 200, {"id": int(INSTALLATION), "permissions": HELD, "repository_selection": "selected"}
            if (asked.method, asked.path) == ("POST", f"/app/installations/{INSTALLATION}/access_tokens"):
                return self._token(asked.json)
        token = asked.headers.get("authorization", "").partition(" ")[2]
        if token not in self.tokens:
            return 401, {"message": "Bad credentials", "status": "401"}
        if (asked.method, asked.path) == ("DELETE", "/installation/token"):
            del self.tokens[token]
            return 204, None
        if (asked.method, asked.path) == ("GET", "/installation/repositories"):
            places = [_repository(name) for name in self.tokens[token][1]]
            return 200, {"total_count": len(places), "repositories": places}
        return 404, {"message": "Not Found", "status": "404"}

    def _app(self, text: str) -> bool:
        try:
            claims = jwt.decode(text, RSAKey.import_key(self.key.public_key()), algorithms=["RS256"]).claims
        except Exception:  # noqa: BLE001 - whatever it is, it is no assertion of this App
            return False
        now = datetime.now(UTC).timestamp()
        lives = now - 120 < claims["iat"] <= now < claims["exp"] <= claims["iat"] + 660
        return lives and str(claims["iss"]) == APP

    def _token(self, said: dict) -> tuple[int, dict]:
        wanted, places = said.get("permissions", HELD), said.get("repositories", list(PLACES))
        for name, level in wanted.items():
            if name not in HELD or LEVELS.index(level) > LEVELS.index(HELD[name]):
                return 422, {"message": "The permissions requested are not granted to this installation."}
        if not set(places) <= {*PLACES}:
            return 422, {"message": "There is at least one repository that does not exist or is not accessible."}
        given = HELD if self.wider else wanted | {"metadata": "read"}
        places = list(PLACES) if self.wider else places
        token, ends = f"ghs_{secrets.token_hex(18)}", datetime.now(UTC) + timedelta(hours=1)
        self.tokens[token] = (given, places)
        return 201, {
            "token": token, "expires_at": ends.strftime("%Y-%m-%dT%H:%M:%SZ"), "permissions": given,
            "repository_selection": "selected", "repositories": [_repository(name) for name in places],
        }  # fmt: skip


def _repository(name: str) -> dict:
    return {"id": 1 + PLACES.index(name), "name": name, "full_name": f"acme/{name}", "private": True}

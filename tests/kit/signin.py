"""An identity provider with a code flow, as wrong as a test wants it, and people who sign in there by a browser."""

import base64
import hashlib
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode, urlsplit

from remit.core.canonical import b64
from tests.kit.browser import Browser
from tests.kit.site import Answer, Idp, serving


@dataclass
class Provider(Idp):
    """Whoever asks is signed in at once, as `subject`. `said` replaces members of the ID token, `lies` of discovery."""

    subject: str = "pia-at-idp"
    said: dict[str, Any] = field(default_factory=dict)
    lies: dict[str, Any] = field(default_factory=dict)
    secret: str = "the-idp-secret"
    now: int = 0
    begun: dict[str, dict[str, str]] = field(default_factory=dict)
    proofs: list[dict[str, str]] = field(default_factory=list)
    answers: dict[str, str] = field(default_factory=dict)
    person: tuple[int, Any] = (200, {})
    """What userinfo answers beside its `sub`, and its status."""
    shown: list[str] = field(default_factory=list)

    async def app(self, scope: Any, receive: Any, send: Any) -> None:
        match scope["path"]:
            case "/.well-known/openid-configuration":
                said = {"issuer": self.url, "jwks_uri": f"{self.url}/jwks", "token_endpoint": f"{self.url}/token"}
                said |= {"authorization_endpoint": f"{self.url}/authorize"} | self.lies
                await told(send, 200, json.dumps(said).encode())
            case "/authorize":
                asked = dict(parse_qsl(scope["query_string"].decode()))
                code = f"code-{len(self.begun)}"
                self.begun[code] = asked
                back = {"code": code, "state": asked["state"], "iss": self.url} | self.answers
                place = f"{asked['redirect_uri']}?{urlencode(back)}"
                await told(send, 303, b"", (b"location", place.encode()))
            case "/userinfo":
                status, said = self.person
                self.shown.append(dict(scope["headers"]).get(b"authorization", b"").decode())
                body = {"sub": self.subject} | said if isinstance(said, dict) else said
                await told(send, status, json.dumps(body).encode())
            case "/token":
                body = b""
                while (message := await receive()) and (body := body + message.get("body", b"")) is not None:
                    if not message.get("more_body"):
                        break
                await told(send, *self.token_for(dict(parse_qsl(body.decode())), dict(scope["headers"])))
            case _:
                await super().app(scope, receive, send)

    def token_for(self, asked: dict[str, str], headers: dict[bytes, bytes]) -> tuple[int, bytes]:
        """What the token endpoint answers: the client and the verifier must be right."""
        self.proofs.append(asked | {"authorization": headers.get(b"authorization", b"").decode()})
        begun = self.begun.pop(asked.get("code", ""), None)
        basic = base64.b64encode(f"remit:{self.secret}".encode()).decode()
        proved = headers.get(b"authorization", b"").decode() == f"Basic {basic}" or "client_assertion" in asked
        digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
        held = base64.urlsafe_b64encode(digest).decode().rstrip("=")
        if begun is None or not proved or held != begun["code_challenge"]:
            return 400, b'{"error":"invalid_grant"}'
        text = self.token(self.now, self.subject, **({"nonce": begun["nonce"], "auth_time": self.now} | self.said))
        return 200, json.dumps({"id_token": text, "access_token": "theirs", "token_type": "Bearer"}).encode()


async def told(send: Any, status: int, body: bytes, *headers: tuple[bytes, bytes]) -> None:
    head = [(b"content-type", b"application/json"), *headers]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


@contextmanager
def provider(**members: Any) -> Iterator[Provider]:
    """A running identity provider with one key."""
    one = Provider(**members)
    one.hold.set()
    one.rotate()
    with serving(one.app) as (url, _):
        one.url = url
        yield one


def there(location: str) -> str:
    """Have the provider answer, and return where it leads."""
    answer = ask_once(location)
    assert answer.status == 303, answer.body
    return answer.headers["location"]


def ask_once(url: str) -> Answer:
    parts = urlsplit(url)
    return Browser(f"{parts.scheme}://{parts.netloc}").get(f"{parts.path}?{parts.query}")


def path_of(location: str) -> str:
    """The path and query of an address of ours, whatever port it was written with."""
    parts = urlsplit(location)
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def sign_in(browser: Browser, following: str = "/console") -> Answer:
    """Go through the whole sign-in; the answer that sets the session's cookie."""
    begun = browser.get(f"/signin?{urlencode({'next': following})}")
    assert begun.status == 303, begun.body
    return browser.get(path_of(there(begun.headers["location"])))


def word_of(browser: Browser) -> str:
    """The word that the forms of this browser's person carry."""
    return b64(hashlib.sha256(b"person's form " + browser.cookies["remit-person"].encode()).digest())


def query(location: str) -> dict[str, str]:
    """The parameters of an address."""
    return {name: values[0] for name, values in parse_qs(urlsplit(location).query).items()}

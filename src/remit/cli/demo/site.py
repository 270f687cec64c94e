"""What the demo needs beside Remit: a handbook behind a proxy with a password, and an OIDC issuer for people."""

import base64
import hmac
import json
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final, TypeAlias
from urllib.parse import urlsplit

from remit.cli.demo.key import Key

HOST: Final = "handbook.example"
PUBLIC: Final = "/public/"
_Answer: TypeAlias = Callable[[str, dict[str, str]], tuple[int, str, bytes]]


class Site:
    """A forward proxy that serves the handbook to whoever knows the password, and keeps what it was asked for.

    The password is the secret that Remit holds and the agent never sees. Owned by the run; close it at the end.
    """

    def __init__(self, password: str) -> None:
        self._pages: dict[str, str] = {}
        self._asked: list[str] = []
        self.served = 0
        self.refused = 0
        self._word = b"Basic " + base64.b64encode(f"remit:{password}".encode())
        self._server = _Server(self._answer)
        self.port = self._server.port

    def page(self, path: str, text: str) -> None:
        """Put a page on the site."""
        self._pages[path] = text

    def asked(self) -> list[str]:
        """Every URL that somebody asked for, in order."""
        return list(self._asked)

    def close(self) -> None:
        """Stop."""
        self._server.close()

    def _answer(self, path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        if not hmac.compare_digest(headers.get("proxy-authorization", "").encode(), self._word):
            self.refused += 1
            return 407, "text/plain", b"Who are you?"
        self._asked.append(path)
        self.served += 1
        parts = urlsplit(path)
        text = self._pages.get(parts.path) if parts.hostname == HOST else None
        return (404, "text/plain", b"There is no such page.") if text is None else (200, "text/markdown", text.encode())


class Issuer:
    """A small OpenID provider: discovery, keys, and a sign-in that gives an ID token. Owned by the run."""

    def __init__(self, audience: str) -> None:
        self._key = Key()
        self._audience = audience
        self._server = _Server(self._answer)
        self.url = f"http://127.0.0.1:{self._server.port}"

    def sign_in(self, subject: str, name: str) -> str:
        """The ID token of a person who just signed in (OIDC Core section 2), good for five minutes."""
        now = int(time.time())
        said = {
            "iss": self.url,
            "aud": self._audience,
            "sub": subject,
            "name": name,
            "iat": now,
            "exp": now + 300,
            "auth_time": now,
        }
        return self._key.sign(said)

    def close(self) -> None:
        """Stop."""
        self._server.close()

    def _answer(self, path: str, headers: dict[str, str]) -> tuple[int, str, bytes]:
        del headers
        if path == "/.well-known/openid-configuration":
            said: object = {
                "issuer": self.url,
                "jwks_uri": f"{self.url}/keys",
                "id_token_signing_alg_values_supported": ["ES256"],
            }
        elif path == "/keys":
            said = {"keys": [self._key.public]}
        else:
            return 404, "application/json", b"{}"
        return 200, "application/json", json.dumps(said).encode()


class _Server:
    def __init__(self, answer: _Answer) -> None:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                status, kind, body = answer(self.path, {name.lower(): value for name, value in self.headers.items()})
                self.send_response(status)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name that is overridden
                del format, args

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port: int = self._http.server_address[1]
        self._thread = threading.Thread(target=self._http.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()
        self._thread.join(5)

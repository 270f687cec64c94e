"""A transmitter that is polled (RFC 8936), of the standard library and joserfc alone: nothing of it is ours."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey


class Transmitter:
    """Holds events until they are acknowledged or refused. `answers` are what it says instead, while there are any.

    An answer is a status, or a body with 200. With a `client`, what it says to prove itself, a poll wants the newest of
    the `tokens` that are given at `/token`: to this client, or to the form that `admits` lets in. `grants` are what was
    asked there, `asked` the bodies that came; `holds` is how long a poll may wait.
    """

    def __init__(self, kind: str = "RSA") -> None:
        self.key = RSAKey.generate_key(2048) if kind == "RSA" else ECKey.generate_key("P-256")
        self.algorithm = "RS256" if kind == "RSA" else "ES256"
        self.sets: dict[str, str] = {}
        self.acked: list[str] = []
        self.errors: dict[str, Any] = {}
        self.asked: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.answers: list[Any] = []
        self.keys = True
        self.holds = 2.0
        self.client = ""
        self.tokens: list[str] = []
        self.admits: Any = None
        self.grants: list[tuple[str, str]] = []
        self.at_once = 1000
        self.on_ack: Any = None
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), handler(self))
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def jwks(self) -> bytes:
        public = {**self.key.as_dict(private=False), "kid": "k1", "alg": self.algorithm, "use": "sig"}
        return json.dumps({"keys": [public]}).encode()

    def done(self, body: dict[str, Any]) -> None:
        """Take what a poll says of events that were told."""
        for name in body.get("ack", []):
            if self.on_ack:
                self.on_ack(name)
            self.sets.pop(name, None)
            self.acked.append(name)
        for name, why in body.get("setErrs", {}).items():
            self.sets.pop(name, None)
            self.errors[name] = why

    def held(self, body: dict[str, Any]) -> bytes:
        """What there is to tell; a poll that may wait does."""
        until = time.monotonic() + self.holds
        while not body["returnImmediately"] and not self.sets and time.monotonic() < until:
            time.sleep(0.01)
        most = min(body["maxEvents"], self.at_once)
        held = list(self.sets.items())
        return json.dumps({"sets": dict(held[:most]), "moreAvailable": len(held) > most}).encode()

    def tell(self, payload: dict[str, Any], named: str = "", **head: Any) -> str:
        """Hold an event, signed; its name."""
        given = {"alg": self.algorithm, "kid": "k1", "typ": "secevent+jwt"} | head
        text = jws.serialize_compact(given, json.dumps(payload).encode(), self.key, algorithms=[given["alg"]])
        name = named or payload["jti"]
        self.sets[name] = text
        return str(name)

    def door(self, path: str, shown: str | None, text: bytes) -> tuple[int, bytes] | None:
        """A token for whoever is the client (RFC 6749 section 4.4), or that a poll is not let in; None when it is."""
        if path != "/token":
            wrong = self.client and shown not in [f"Bearer {held}" for held in self.tokens[-1:]]
            return (401, b"") if wrong else None
        self.grants.append((str(shown), text.decode()))
        if not self.admits(text.decode()) if self.admits else shown != self.client:
            return 401, b'{"error":"invalid_client"}'
        self.tokens.append(f"token-{len(self.tokens)}")
        return 200, json.dumps({"access_token": self.tokens[-1], "token_type": "Bearer", "expires_in": 60}).encode()

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(60)
        self.server.server_close()


def handler(one: Transmitter) -> type[BaseHTTPRequestHandler]:
    """What answers for this transmitter."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.say(200 if one.keys else 503, one.jwks())

        def do_POST(self) -> None:
            text = self.rfile.read(int(self.headers["content-length"]))
            early = one.door(self.path, self.headers["authorization"], text)
            if early is not None:
                self.say(*early)
                return
            body = json.loads(text)
            one.asked.append(body)
            one.headers.append({k.lower(): v for k, v in self.headers.items()})
            told = one.answers.pop(0) if one.answers else None
            if isinstance(told, int):
                self.say(told, b"")
            elif told is not None:
                self.say(200, told if isinstance(told, bytes) else json.dumps(told).encode())
            else:
                one.done(body)
                self.say(200, one.held(body))

        def say(self, status: int, body: bytes) -> None:
            self.send_response(status)
            if status == 302:
                self.send_header("location", f"{one.url}/elsewhere")
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    return Handler

"""A transmitter of other people's making that is polled (RFC 8936): the standard library and joserfc, nothing of ours."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from joserfc import jws
from joserfc.jwk import ECKey, RSAKey


class Transmitter:
    """Holds events until they are acknowledged or refused. `answers` are what it says instead, while there are any.

    An answer is a status, or a body with 200. `asked` are the bodies that came; `holds` is how long a poll may wait.
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
        self.at_once = 1000
        self.on_ack: Any = None
        one = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                public = {**one.key.as_dict(private=False), "kid": "k1", "alg": one.algorithm, "use": "sig"}
                self.say(200 if one.keys else 503, json.dumps({"keys": [public]}).encode())

            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                one.asked.append(body)
                one.headers.append({k.lower(): v for k, v in self.headers.items()})
                if one.answers:
                    told = one.answers.pop(0)
                    if isinstance(told, int):
                        self.say(told, b"")
                    else:
                        self.say(200, told if isinstance(told, bytes) else json.dumps(told).encode())
                    return
                for name in body.get("ack", []):
                    if one.on_ack:
                        one.on_ack(name)
                    one.sets.pop(name, None)
                    one.acked.append(name)
                for name, why in body.get("setErrs", {}).items():
                    one.sets.pop(name, None)
                    one.errors[name] = why
                until = time.monotonic() + one.holds
                while not body["returnImmediately"] and not one.sets and time.monotonic() < until:
                    time.sleep(0.01)
                most = min(body["maxEvents"], one.at_once)
                held = list(one.sets.items())
                self.say(200, json.dumps({"sets": dict(held[:most]), "moreAvailable": len(held) > most}).encode())

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

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))
        self.thread.start()

    def tell(self, payload: dict[str, Any], named: str = "", **head: Any) -> str:
        """Hold an event, signed; its name."""
        given = {"alg": self.algorithm, "kid": "k1", "typ": "secevent+jwt"} | head
        text = jws.serialize_compact(given, json.dumps(payload).encode(), self.key, algorithms=[given["alg"]])
        name = named or payload["jti"]
        self.sets[name] = text
        return str(name)

    def close(self) -> None:
        self.server.shutdown()
        self.thread.join(5)
        self.server.server_close()

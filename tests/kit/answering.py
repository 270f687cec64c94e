"""A small HTTP server of a test, on a thread of its own: one function answers every request, and all are kept."""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit


@dataclass(frozen=True)
class Asked:
    """One request. `json` and `form` are its body, as far as it is one."""

    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]
    body: bytes = b""
    form: dict[str, str] = field(default_factory=dict)

    @property
    def json(self) -> Any:
        return json.loads(self.body or b"{}")

    @property
    def bearer(self) -> str:
        word, _, rest = self.headers.get("authorization", "").partition(" ")
        return rest if word.lower() == "bearer" else ""


class Answering:
    """Serves `answer(asked) -> (status, JSON or None[, headers])` on a free port of 127.0.0.1."""

    def __init__(self, answer: Callable[[Asked], tuple[Any, ...]]) -> None:
        seen: list[Asked] = []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: object) -> None:
                """Say nothing."""

            def handle_one_request(self) -> None:
                try:
                    super().handle_one_request()
                except OSError:
                    self.close_connection = True

            def _answered(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length") or 0))
                parts = urlsplit(self.path)
                form = "form" in (self.headers.get("content-type") or "")
                asked = Asked(
                    self.command, parts.path, dict(parse_qsl(parts.query)),
                    {name.lower(): value for name, value in self.headers.items()}, body,
                    dict(parse_qsl(body.decode(), keep_blank_values=True)) if form else {},
                )  # fmt: skip
                seen.append(asked)
                status, said, *more = answer(asked)
                sent = b"" if said is None else json.dumps(said).encode()
                self.send_response(status)
                for name, value in ({"content-type": "application/json"} | (more[0] if more else {})).items():
                    self.send_header(name, value)
                self.send_header("content-length", str(len(sent)))
                self.end_headers()
                self.wfile.write(sent)

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return self._answered
                raise AttributeError(name)

        self.seen = seen
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(60)

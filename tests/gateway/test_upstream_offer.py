"""Asking a target for its tools: over HTTP in both revisions, over stdio, and servers that answer what they like."""

import asyncio
import json
import sys
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from remit.core.errors import RemitError
from remit.core.resource import Upstream
from remit.gateway.upstream.offer import Offer, offered

Answer = Callable[[dict[str, Any], bytes], tuple[int, str, bytes]]
TOOL = {"name": "add", "inputSchema": {"type": "object"}}


def result(message: dict[str, Any], value: Any) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "result": value}).encode()


def fault(message: dict[str, Any]) -> bytes:
    return json.dumps({"jsonrpc": "2.0", "id": message["id"], "error": {"code": -32601, "message": "no"}}).encode()


def ask(answer: Answer, *, modern: bool = False, **more: Any) -> tuple[Offer, list[bytes]]:
    """Serve one HTTP upstream whose replies the test writes, and ask it."""
    seen: list[bytes] = []

    class Upside(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            head = b"".join(f"{name.lower()}: {value}\r\n".encode() for name, value in self.headers.items())
            body = self.rfile.read(int(self.headers["content-length"]))
            seen.append(head)
            status, kind, told = answer(json.loads(body), head)
            self.send_response(status)
            for name, value in (("content-type", kind), ("mcp-session-id", "s1"), ("content-length", str(len(told)))):
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(told)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Upside) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            place = f"http://127.0.0.1:{server.server_address[1]}/mcp"
            return asyncio.run(offered(Upstream(url=place, modern=modern), **more)), seen
        finally:
            server.shutdown()
            thread.join()


def legacy(message: dict[str, Any], _: bytes) -> tuple[int, str, bytes]:
    if message["method"] == "initialize":
        return 200, "application/json", result(message, {"protocolVersion": "2025-11-25"})
    if "id" not in message:
        return 202, "text/plain", b""
    return 200, "application/json", result(message, {"tools": [TOOL]})


def test_an_older_server_is_greeted_and_asked_with_its_session_and_secret() -> None:
    offer, seen = ask(legacy, headers=[(b"x-key", b"hunter2hunter2")])
    assert offer == Offer({"add": TOOL}, modern=False)
    assert len(seen) == 3
    assert b"mcp-session-id: s1\r\n" in seen[-1]
    assert b"mcp-protocol-version: 2025-11-25\r\n" in seen[-1]
    assert all(b"x-key: hunter2hunter2\r\n" in head for head in seen)


@pytest.mark.parametrize("refusal", ["fault", "plain", "empty"])
def test_a_server_of_the_newer_revision_alone_is_asked_in_it(refusal: str) -> None:
    def modern(message: dict[str, Any], head: bytes) -> tuple[int, str, bytes]:
        if b"mcp-protocol-version: 2026-07-28" not in head:
            told = {"fault": fault(message) if "id" in message else b"", "plain": b"Bad Request", "empty": b""}[refusal]
            return 400, "text/plain" if refusal == "plain" else "application/json", told
        assert b"mcp-method: tools/list\r\n" in head
        assert message["params"]["_meta"]["io.modelcontextprotocol/protocolVersion"] == "2026-07-28"
        return 200, "application/json", result(message, {"tools": [TOOL]})

    assert ask(modern)[0].modern
    assert ask(modern, modern=True)[0] == Offer({"add": TOOL}, modern=True)


def test_pages_and_streamed_answers_are_read_to_their_end() -> None:
    def paged(message: dict[str, Any], head: bytes) -> tuple[int, str, bytes]:
        if message["method"] != "tools/list":
            return legacy(message, head)
        last = message["params"].get("cursor") == "2"
        page = {"tools": [TOOL | {"name": "b" if last else "a"}]} | ({} if last else {"nextCursor": "2"})
        note = b'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/message","params":{}}\n\n'
        return 200, "text/event-stream", note + b"event: message\ndata: " + result(message, page) + b"\n\n"

    assert list(ask(paged)[0].tools) == ["a", "b"]


LISTS: dict[str, Any] = {
    "no list": {"tools": {}},
    "no tools": {"tools": []},
    "a tool without a name": {"tools": [{}]},
    "one name twice": {"tools": [TOOL, TOOL]},
    "no end": {"tools": [], "nextCursor": "1"},
    "no object": 7,
}


@pytest.mark.parametrize("case", LISTS)
def test_what_is_no_list_of_tools_is_refused(case: str) -> None:
    def strange(message: dict[str, Any], head: bytes) -> tuple[int, str, bytes]:
        return (
            (200, "application/json", result(message, LISTS[case]))
            if message["method"] == "tools/list"
            else legacy(message, head)
        )

    with pytest.raises(RemitError) as caught:
        ask(strange)
    assert caught.value.code == "upstream_garbage"


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(401, b"", "upstream_unauthorized"), (200, b"<html>", "upstream_garbage"), (500, b"oops", "upstream_garbage"),
     (200, b'{"a":1,"a":2}', "upstream_garbage")],
)  # fmt: skip
def test_what_is_no_answer_is_refused(status: int, body: bytes, code: str) -> None:
    with pytest.raises(RemitError) as caught:
        ask(lambda *_: (status, "application/json", body))
    assert caught.value.code == code


def test_an_upstream_that_is_not_there_is_refused() -> None:
    with pytest.raises(RemitError) as caught:
        asyncio.run(offered(Upstream(url="http://127.0.0.1:9/mcp")))
    assert caught.value.code == "upstream_unreachable"


@pytest.mark.parametrize(
    ("program", "code"),
    [("raise SystemExit", "upstream_closed"), ("print('hello', flush=True); input()", "upstream_garbage")],
)
def test_a_program_that_is_no_server_is_refused(program: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "s.py").write_text(program, encoding="utf-8")
    with pytest.raises(RemitError) as caught:
        asyncio.run(offered(Upstream(argv=(sys.executable, str(tmp_path / "s.py")))))
    assert caught.value.code in {code, "upstream_closed"}

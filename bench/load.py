"""The load: `python -m bench.load URL TOKEN CLIENTS SECONDS [KEY]`. Each client keeps one call open; arguments change.

With KEY, the hexadecimal scalar of a P-256 key, the token is bound to it and each call carries a new proof (RFC 9449).

Raw sockets and a C parser, so that it costs little of the machine that it shares with what is measured; the same
program for each of the three. Prints one JSON line: calls, calls per second, milliseconds at the median and the 99th
percentile.
"""

import asyncio
import hashlib
import json
import sys
import time
from typing import Any
from urllib.parse import urlsplit

import httptools
import uvloop

from bench.places import quantile
from bench.proving import Key
from remit.core.canonical import b64

WARM = 0.15
MADE = 4000
"""Proofs made beforehand for each second of a run."""


class Client(asyncio.Protocol):
    """One connection with one call open at a time."""

    def __init__(self, run: "Run", number: int) -> None:
        self.run, self.number = run, number
        self.parser: Any = None
        self.transport: Any = None
        self.begun, self.count = 0.0, 0
        self.body = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.count += 1
        self.body = b""
        text = self.run.text.replace(b"@@@@@@@@", b"%02d%06d" % (self.number, self.count))
        if self.run.key is not None:
            text = text.replace(b"@PROOF@", self.run.proofs.pop() if self.run.proofs else self.run.proof())
        self.begun = time.perf_counter()
        self.transport.write(text)

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        now = time.perf_counter()
        if self.parser.get_status_code() != 200 or b'"ok lorem' not in self.body:
            self.run.fail(f"{self.parser.get_status_code()} {self.body[:300]!r}")
            return
        self.run.ended(now, now - self.begun)
        if now < self.run.until:
            asyncio.get_running_loop().call_soon(self.ask)
        else:
            self.run.left -= 1
            self.transport.close()
            if not self.run.left:
                self.run.over.set_result(None)

    def connection_lost(self, _: Exception | None) -> None:
        if time.perf_counter() < self.run.until:
            self.run.fail("the connection was lost")


class Run:
    """One run of some clients for some seconds."""

    def __init__(self, url: str, token: str, clients: int, seconds: float, key: str = "") -> None:
        self.made = 0
        self.url, self.key, self.name = url, Key(key) if key else None, f"{time.time_ns()}-"
        self.digest = b64(hashlib.sha256(token.encode()).digest())
        shown = f"DPoP {token}\r\ndpop: @PROOF@" if key else f"Bearer {token}"
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # Made before: what signing costs a client is not to fall on the processor beside the one that is measured.
        self.proofs = [self.proof() for _ in range(int(MADE * (seconds + WARM)))] if self.key else []
        self.left = clients
        self.start = time.perf_counter() + WARM
        self.until = self.start + seconds
        self.taken: list[float] = []
        parts = urlsplit(url)
        self.place = (parts.hostname, parts.port)
        meta = {
            "io.modelcontextprotocol/protocolVersion": "2026-07-28",
            "io.modelcontextprotocol/clientCapabilities": {},
        }
        params = {"name": "read_page", "arguments": {"path": "/pages/@@@@@@@@"}, "_meta": meta}
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": params}).encode()
        self.text = (
            f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: {shown}\r\n"
            "content-type: application/json\r\naccept: application/json, text/event-stream\r\n"
            "mcp-protocol-version: 2026-07-28\r\nmcp-method: tools/call\r\nmcp-name: read_page\r\n"
            f"content-length: {len(body)}\r\n\r\n"
        ).encode() + body

    def proof(self) -> bytes:
        """One more proof for this run; none where no key is to be proved."""
        self.made += 1
        return self.key.proof(self.url, self.digest, f"{self.name}{self.made}").encode() if self.key else b""

    def ended(self, now: float, taken: float) -> None:
        if now >= self.start:
            self.taken.append(taken)

    def fail(self, why: str) -> None:
        if not self.over.done():
            self.over.set_exception(SystemExit(f"a call failed: {why}"))


async def main() -> None:
    url, token, clients, seconds, *key = sys.argv[1:]
    loop = asyncio.get_running_loop()
    run = Run(url, token, int(clients), float(seconds), *key)
    for number in range(int(clients)):
        await loop.create_connection(lambda number=number: Client(run, number), *run.place)  # type: ignore[misc]
    await run.over
    ms = [one * 1e3 for one in run.taken]
    found = {
        "calls": len(ms),
        "rps": len(ms) / float(seconds),
        "p50_ms": quantile(ms, 0.5),
        "p99_ms": quantile(ms, 0.99),
    }
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    uvloop.run(main())

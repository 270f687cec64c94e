"""The load of a token endpoint: `python -m bench.posts FILE CLIENTS SECONDS`. Each request of FILE is sent once.

FILE is JSON: a URL, fields that every request has, and bodies; or `chains`, refresh tokens of which each client takes
one, and sends what it got for it the next time. Prints one JSON line: requests, and how many a second. A request
that is refused, or a file that runs out, fails the run.
"""

import asyncio
import json
import sys
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httptools
import uvloop


class Poster(asyncio.Protocol):
    """One connection with one request open at a time."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        self.parser: Any = None
        self.transport: Any = None
        self.body = b""
        self.token = run.chains.pop() if run.chains else ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.parser = httptools.HttpResponseParser(self)
        self.body = b""
        if self.token:
            self.transport.write(self.run.request(f"{self.run.form}&refresh_token={self.token}"))
            return
        if not self.run.requests:
            self.run.fail("there were too few requests for this long")
            return
        self.transport.write(self.run.requests.pop())

    def data_received(self, data: bytes) -> None:
        self.parser.feed_data(data)

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        if self.parser.get_status_code() != 200:
            self.run.fail(f"{self.parser.get_status_code()} {self.body[:300]!r}")
            return
        now = time.perf_counter()
        self.run.done += 1
        if self.token:
            self.token = json.loads(self.body)["refresh_token"]
        if now < self.run.until:
            asyncio.get_running_loop().call_soon(self.ask)
            return
        self.run.left -= 1
        self.transport.close()
        if not self.run.left and not self.run.over.done():
            self.run.over.set_result(now)


class Run:
    """One run of some clients for some seconds."""

    def __init__(self, said: dict[str, Any], clients: int, seconds: float) -> None:
        parts = urlsplit(said["url"])
        self.place = (parts.hostname, parts.port)
        fields = "".join(f"{name}: {value}\r\n" for name, value in said["fields"].items())
        self.head = f"POST {parts.path} HTTP/1.1\r\nhost: {parts.netloc}\r\n{fields}"
        self.requests = [self.request(one) for one in said["bodies"]]
        self.chains: list[str] = said.get("chains", [])
        self.form: str = said.get("form", "")
        self.over: asyncio.Future[float] = asyncio.get_running_loop().create_future()
        self.left, self.done = clients, 0
        self.start = time.perf_counter()
        self.until = self.start + seconds

    def request(self, body: str) -> bytes:
        return f"{self.head}content-length: {len(body)}\r\n\r\n{body}".encode()

    def fail(self, why: str) -> None:
        if not self.over.done():
            self.over.set_exception(SystemExit(f"a request failed: {why}"))


async def main(said: dict[str, Any]) -> None:
    _, clients, seconds = sys.argv[1:]
    run = Run(said, int(clients), float(seconds))
    for _ in range(int(clients)):
        await asyncio.get_running_loop().create_connection(lambda: Poster(run), *run.place)
    ended = await run.over
    sys.stdout.write(json.dumps({"requests": run.done, "per_s": run.done / (ended - run.start)}) + "\n")


if __name__ == "__main__":
    uvloop.run(main(json.loads(Path(sys.argv[1]).read_text())))

"""An HTTP API to be measured, a bare proxy before it, and the load: `python -m bench.rest upstream | proxy | load`.

`proxy URL` stands before it; `load URL TOKEN CLIENTS SECONDS` keeps one request open for each client, each time for
another page.
"""

import asyncio
import json
import sys
from typing import Any
from urllib.parse import urlsplit

import uvloop

from bench.load import Client, Run
from bench.places import quantile
from bench.served import App, answer, body_of, listening, say, serve
from remit.gateway.upstream.origin import parse
from remit.gateway.upstream.pool import Pool
from remit.gateway.upstream.reply import Reply

TEXT = json.dumps({"text": "ok " + "lorem ipsum dolor sit amet " * 34}).replace(": ", ":").encode()


async def upstream(_: dict[str, Any], receive: Any, send: Any) -> None:
    """An API that answers about one kilobyte."""
    await body_of(receive)
    await answer(send, 200, TEXT)


def proxied(url: str) -> App:
    """A bare proxy that decides nothing, on the gate's own pool."""
    origin, base = parse(url)
    pool = Pool(origin)

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        body = await body_of(receive)
        kept = [(name, value) for name, value in scope["headers"] if name == b"accept"]
        reply = await pool.request(scope["method"].encode(), base + scope["raw_path"], kept, body)
        if not isinstance(reply, Reply):
            await answer(send, 502, b"{}")
            return
        await answer(send, reply.status, await reply.read(1 << 22))

    return app


class Reads(Run):
    """A run of reading pages."""

    def __init__(self, url: str, token: str, clients: int, seconds: float) -> None:
        super().__init__(url, token, clients, seconds)
        parts = urlsplit(url)
        self.text = (
            f"GET {parts.path}/pages/@@@@@@@@ HTTP/1.1\r\nhost: {parts.netloc}\r\nauthorization: Bearer {token}\r\n"
            "accept: application/json\r\n\r\n"
        ).encode()


async def load(url: str, token: str, clients: str, seconds: str) -> None:
    loop = asyncio.get_running_loop()
    run = Reads(url, token, int(clients), float(seconds))
    for number in range(int(clients)):
        await loop.create_connection(lambda number=number: Client(run, number), *run.place)  # type: ignore[misc]
    await run.over
    ms = [one * 1e3 for one in run.taken]
    found = {"rps": len(ms) / float(seconds), "p50_ms": quantile(ms, 0.5), "p99_ms": quantile(ms, 0.99)}
    sys.stdout.write(json.dumps(found) + "\n")


async def plain(app: App) -> None:
    with listening() as bound:
        say(url=f"http://127.0.0.1:{bound.getsockname()[1]}", token="none")
        await serve(app, bound)


def main() -> None:
    role, *rest = sys.argv[1:]
    if role == "load":
        uvloop.run(load(*rest))
    else:
        uvloop.run(plain(upstream if role == "upstream" else proxied(rest[0])))


if __name__ == "__main__":
    main()

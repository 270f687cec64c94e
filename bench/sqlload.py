"""The load on a database: `python -m bench.sqlload PORT USER DATABASE PASSWORD CLIENTS SECONDS`.

Each client runs one prepared statement over and over, with another parameter each time; the same program for the
database itself and for the gate before it. Prints one JSON line: statements, per second, milliseconds.
"""

import asyncio
import json
import struct
import sys
import time

import uvloop

from bench.places import quantile
from tests.kit.pgwire import SYNC, bind, execute, frame, hello, parse

TEXT = "SELECT abalance FROM pgbench_accounts WHERE aid = $1"
WARM = 0.15


async def reply(reader: asyncio.StreamReader, last: bytes) -> bytes:
    """Read up to a message of this kind; what came before it in one piece."""
    seen = b""
    while True:
        head = await reader.readexactly(5)
        body = await reader.readexactly(struct.unpack("!i", head[1:])[0] - 4)
        seen += head[:1]
        if head[:1] == b"E":
            raise SystemExit(f"a statement failed: {body!r}")
        if head[:1] == last:
            return seen


async def client(number: int, words: list[str], until: float, start: float, taken: list[float]) -> None:
    port, user, database, password = words
    reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
    writer.write(hello(user=user, database=database))
    if password:
        await reply(reader, b"R")
        writer.write(frame(b"p", password.encode() + b"\0"))
    await reply(reader, b"Z")
    writer.write(parse("s", TEXT) + SYNC)
    await reply(reader, b"Z")
    count = number
    while (begun := time.perf_counter()) < until:
        count = (count * 7919 + 13) % 100_000
        writer.write(bind("", "s", str(count + 1).encode()) + execute() + SYNC)
        if b"D" not in await reply(reader, b"Z"):
            raise SystemExit("no row came back")
        if begun >= start:
            taken.append(1e3 * (time.perf_counter() - begun))
    writer.close()


async def main() -> None:
    *words, clients, seconds = sys.argv[1:]
    start = time.perf_counter() + WARM
    taken: list[float] = []
    await asyncio.gather(*(client(one, words, start + float(seconds), start, taken) for one in range(int(clients))))
    found = {
        "per_s": len(taken) / float(seconds), "p50_ms": quantile(taken, 0.5), "p99_ms": quantile(taken, 0.99),
    }  # fmt: skip
    sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    uvloop.run(main())

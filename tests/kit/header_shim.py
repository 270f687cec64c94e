"""A relay that adds one header: the conformance suite has no way to send a token, so this stands before a gate.

`header_shim.py --to URL` listens on a loopback port and prints its own URL, with the same path, on standard output.
Each request goes on unchanged, `Host` and `Origin` included, but for its `Authorization`, which is set to the bearer
token in the environment variable SHIM_TOKEN. One request is one connection, so that bodies and event streams pass as
the bytes they are, and a client that leaves takes its upstream connection with it.
"""

import argparse
import asyncio
import os
from contextlib import suppress
from urllib.parse import urlsplit

LEFT_OUT = (b"authorization:", b"connection:", b"keep-alive:")


def rewritten(head: bytes, token: str) -> bytes:
    """A request head that carries this token, and asks for the connection to end with the answer."""
    first, *fields = head.removesuffix(b"\r\n\r\n").split(b"\r\n")
    kept = [field for field in fields if not field.lower().startswith(LEFT_OUT)]
    return b"\r\n".join([first, *kept, b"Authorization: Bearer " + token.encode(), b"Connection: close"]) + b"\r\n\r\n"


async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    with suppress(ConnectionError):
        while data := await source.read(65536):
            sink.write(data)
            await sink.drain()


async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, to: tuple[str, int], token: str) -> None:
    with suppress(ConnectionError, asyncio.IncompleteReadError):
        head = await reader.readuntil(b"\r\n\r\n")
        upstream_reader, upstream = await asyncio.open_connection(*to)
        try:
            upstream.write(rewritten(head, token))
            ways = [asyncio.create_task(pump(reader, upstream)), asyncio.create_task(pump(upstream_reader, writer))]
            _, left = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in left:
                way.cancel()
            await asyncio.gather(*left, return_exceptions=True)
        finally:
            upstream.close()
    writer.close()


async def serve(url: str, token: str) -> None:
    parts = urlsplit(url)
    to = (parts.hostname or "127.0.0.1", parts.port or 80)
    server = await asyncio.start_server(lambda r, w: relay(r, w, to, token), "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}{parts.path}", flush=True)  # noqa: T201
    await server.serve_forever()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="A relay that adds one header")
    parser.add_argument("--to", required=True)
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(parser.parse_args().to, os.environ["SHIM_TOKEN"]))

"""A real NATS server, from the package index, on a port of 127.0.0.1."""

import json
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.ports import free

PROGRAM = Path(sys.executable).parent / "nats-server"


@contextmanager
def nats(port: int = 0, watch: int = 0) -> Iterator[str]:
    """A server for as long as the block runs: its URL. At the port `watch` it says who listens (see `listeners`)."""
    port = port or free()
    words = [str(PROGRAM), "-a", "127.0.0.1", "-p", str(port), *(["-m", str(watch)] if watch else [])]
    server = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 60
        while not _listens(port):
            assert server.poll() is None, "the bus ended"
            assert time.monotonic() < end, "the bus does not listen"
            time.sleep(0.02)
        yield f"nats://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


def listeners(watch: int, subject: str) -> int:
    """How many connections of the server that is watched there have subscribed to this subject."""
    with urllib.request.urlopen(f"http://127.0.0.1:{watch}/connz?subs=1", timeout=60) as answer:
        return sum(subject in one.get("subscriptions_list", ()) for one in json.load(answer)["connections"])


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0

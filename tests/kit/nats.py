"""A real NATS server, from the package index, on a port of 127.0.0.1."""

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit.ports import free

PROGRAM = Path(sys.executable).parent / "nats-server"


@contextmanager
def nats(port: int = 0) -> Iterator[str]:
    """A server for as long as the block runs: its URL."""
    port = port or free()
    server = subprocess.Popen(
        [str(PROGRAM), "-a", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
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


def _listens(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0

"""Programs of the kit, running for as long as a test needs them."""

import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.kit import peers

START = 120.0


@contextmanager
def everything(*, token: Path | None = None, journal: Path | None = None) -> Iterator[str]:
    """The fixture MCP server over HTTP: its URL. It serves none but who carries what stands in the file `token`."""
    command = [str(peers.python("mcp2")), str(peers.KIT / "everything_server.py")]
    command += ["--token-file", str(token)] if token else []
    command += ["--journal", str(journal)] if journal else []
    with _url(command, {}) as url:
        yield url


def everything_stdio(*, journal: Path | None = None) -> list[str]:
    """What to run for the fixture MCP server on standard input and output."""
    command = [str(peers.python("mcp2")), str(peers.KIT / "everything_server.py"), "--stdio"]
    return [*command, "--journal", str(journal)] if journal else command


@contextmanager
def shim(url: str, token: str) -> Iterator[str]:
    """A relay to this URL that adds this bearer token: its own URL."""
    with _url([sys.executable, str(peers.KIT / "header_shim.py"), "--to", url], {"SHIM_TOKEN": token}) as own:
        yield own


@contextmanager
def _url(command: list[str], extra: dict[str, str]) -> Iterator[str]:
    """The URL that a program prints as its first line; the program ends with the block."""
    with tempfile.TemporaryFile() as errors:
        process = subprocess.Popen(
            command,
            env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"} | extra,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
        )
        assert process.stdout is not None
        with process.stdout:
            try:
                url = line_from(process.stdout.fileno(), START)
                if not url:
                    errors.seek(0)
                    raise AssertionError(f"{command[1]} did not start: {errors.read().decode()[-2000:]}")
                yield url
            finally:
                process.terminate()
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()


def line_from(descriptor: int, limit: float) -> str:
    """The next line that arrives within so many seconds, or an empty one."""
    line, end = b"", time.monotonic() + limit
    while not line.endswith(b"\n"):
        if not select.select([descriptor], [], [], max(0.0, end - time.monotonic()))[0]:
            return ""
        byte = os.read(descriptor, 1)
        if not byte:
            return ""
        line += byte
    return line.decode().strip()

"""A program behind the forward gate, octet by octet: for tests that say what no real client would say."""

import base64
import json
import re
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509

from remit.control import forward
from tests.kit.tls import certificates


@contextmanager
def trusting(folder: Path) -> Iterator[Path]:
    """A certificate of the API's own for localhost, in a file with its key, which the gate finds trusted."""
    trusted, leaf = certificates(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(trusted))
        yield leaf


def host(made: Any) -> str:
    """Where the API is."""
    return f"localhost:{made.behind}"


def authority(made: Any) -> bytes:
    """The certificate of the task's own authority, as PEM."""
    world = made.world
    found: bytes = made.act(lambda c: forward.certificate(world.authority, c.reader, made.task.id))
    return found


def loaded(pem: bytes) -> x509.Certificate:
    """The certificate, taken apart."""
    return x509.load_pem_x509_certificate(pem)


def shown(token: str, scheme: str = "Bearer") -> bytes:
    """The field that carries a credential to a proxy."""
    text = base64.b64encode(f"remit:{token}".encode()).decode() if scheme.lower() == "basic" else token
    return f"proxy-authorization: {scheme} {text}".encode()


def ask(port: int, *lines: bytes, body: bytes = b"") -> tuple[int, bytes]:
    """Say these lines to the proxy and read all that comes; the status and the whole answer."""
    with socket.create_connection(("127.0.0.1", port), timeout=60) as conn:
        conn.sendall(b"\r\n".join([*lines, b"connection: close", b"", body]))
        return answer(conn)


def answer(conn: Any) -> tuple[int, bytes]:
    """Everything until the other side ends: the status (0 for none) and the octets."""
    data = b""
    try:
        while more := conn.recv(65536):
            data += more
    except (ConnectionResetError, ssl.SSLError):
        pass
    return (int(data.split(b" ", 2)[1]) if data.startswith(b"HTTP/") else 0), data


def code(data: bytes) -> str:
    """Our code in an answer."""
    return str(json.loads(data.partition(b"\r\n\r\n")[2])["code"])


def connect(made: Any, host: str, *more: bytes, token: str = "") -> tuple[socket.socket, bytes]:
    """Ask for a tunnel to HOST:PORT; the connection and the head of the answer, or a refusal whole."""
    conn = socket.create_connection(("127.0.0.1", made.proxy), timeout=60)
    fields = [f"host: {host}".encode(), *more] if not any(one.startswith(b"host:") for one in more) else list(more)
    conn.sendall(b"\r\n".join([f"CONNECT {host} HTTP/1.1".encode(), shown(token or made.token), *fields, b"", b""]))
    data = b""
    while b"\r\n\r\n" not in data and (piece := conn.recv(65536)):
        data += piece
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)\r\n", data)
    while length and len(data.partition(b"\r\n\r\n")[2]) < int(length[1]) and (piece := conn.recv(65536)):
        data += piece
    return conn, data


def tunnel(made: Any, host: str, name: str = "", trusted: bytes = b"") -> ssl.SSLSocket:
    """An open tunnel to HOST:PORT with TLS in it, for `name` if that is another than the host's."""
    conn, head = connect(made, host)
    assert head.startswith(b"HTTP/1.1 200"), head
    context = ssl.create_default_context(cadata=(trusted or authority(made)).decode())
    plain = host.rpartition(":")[0]
    context.check_hostname = not name
    return context.wrap_socket(conn, server_hostname=name or plain)


def inside(made: Any, *lines: bytes, body: bytes = b"", name: str = "") -> tuple[int, bytes]:
    """One request in a tunnel of its own."""
    with tunnel(made, host(made), name) as conn:
        conn.sendall(b"\r\n".join([*lines, b"connection: close", b"", body]))
        return answer(conn)


def outcome(made: Any, result: str) -> bool:
    """Wait until the newest tunnel is noted to have ended in this way."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        entries = made.entries()
        calls = [one["call"] for one in entries if one.get("action") == "http:pay/@session"]
        found = {one["call"]: one["result"] for one in entries if one["kind"] == "call.outcome"}
        if calls and found.get(calls[-1]) == result:
            return True
        time.sleep(0.02)
    return False

"""A client of protocol 3 that sends what it is told, octet by octet."""

import socket
import struct
from typing import Any


def frame(kind: bytes, body: bytes = b"") -> bytes:
    """One frame."""
    return kind + struct.pack("!i", len(body) + 4) + body


def hello(code: int = 196608, **parameters: str) -> bytes:
    """A start-up packet."""
    body = struct.pack("!I", code)
    for name, value in parameters.items():
        body += name.encode() + b"\0" + value.encode() + b"\0"
    if parameters:
        body += b"\0"
    return struct.pack("!i", len(body) + 4) + body


def parse(name: str, text: str) -> bytes:
    """A Parse."""
    return frame(b"P", name.encode() + b"\0" + text.encode() + b"\0\0\0")


def bind(portal: str, name: str, *values: bytes) -> bytes:
    """A Bind of text parameters."""
    body = b"".join(struct.pack("!i", len(one)) + one for one in values)
    return frame(
        b"B", portal.encode() + b"\0" + name.encode() + b"\0\0\0" + struct.pack("!h", len(values)) + body + b"\0\0"
    )


def execute(portal: str = "") -> bytes:
    """An Execute of all rows."""
    return frame(b"E", portal.encode() + b"\0\0\0\0\0")


def query(text: str) -> bytes:
    """A simple query."""
    return frame(b"Q", text.encode() + b"\0")


SYNC = frame(b"S")


class Client:
    """A connection; `log_in` begins a session."""

    def __init__(self, port: int, host: str = "127.0.0.1") -> None:
        self.socket = socket.create_connection((host, port), timeout=60)
        self.number = b""

    def send(self, *parts: bytes) -> "Client":
        """Send octets."""
        self.socket.sendall(b"".join(parts))
        return self

    def exactly(self, count: int) -> bytes:
        """So many octets; fewer at the end."""
        data = b""
        while len(data) < count:
            more = self.socket.recv(count - len(data))
            if not more:
                break
            data += more
        return data

    def frame(self) -> tuple[bytes, bytes]:
        """The next frame; two empty texts at the end."""
        head = self.exactly(5)
        if len(head) < 5:
            return b"", b""
        return head[:1], self.exactly(struct.unpack("!i", head[1:])[0] - 4)

    def until(self, last: bytes = b"Z") -> list[tuple[bytes, bytes]]:
        """The frames up to one of this kind, or to the end."""
        found = []
        while True:
            kind, body = self.frame()
            found.append((kind, body))
            if kind in (last, b""):
                return found

    def log_in(self, token: str, user: str = "remit", database: str = "shop", **more: str) -> "Client":
        """Begin a session with a password."""
        self.send(hello(user=user, database=database, **more))
        assert self.frame() == (b"R", b"\0\0\0\x03")
        self.send(frame(b"p", token.encode() + b"\0"))
        told = self.until()
        assert told[-1][0] == b"Z", [error(body) for kind, body in told if kind == b"E"]
        self.number = next(body for kind, body in told if kind == b"K")
        return self

    def close(self) -> None:
        """Leave."""
        self.socket.close()


def error(body: bytes) -> dict[str, str]:
    """An ErrorResponse by field."""
    return {chr(part[0]): part[1:].decode() for part in body.split(b"\0") if part}


def codes(frames: list[tuple[bytes, bytes]]) -> list[str]:
    """The frames in short: their kinds, and of errors our code or the SQLSTATE."""
    found: list[Any] = []
    for kind, body in frames:
        if kind == b"E":
            said = error(body)
            found.append(said["D"].removeprefix("code ") if said.get("D", "").startswith("code ") else said["C"])
        elif kind == b"Z":
            found.append(f"Z{body.decode()}")
        else:
            found.append(kind.decode())
    return found

"""Frames of protocol 3: one octet of kind, four of length (which counts itself), a body.

A length that is below four, negative or above the bound ends the connection before a byte of the body is kept.
Source: PostgreSQL documentation, chapter "Frontend/Backend Protocol", message formats.
"""

import struct
from typing import Final

from remit.core.errors import RemitError

MOST: Final = 16 * 1024 * 1024
"""The longest body from a client, in octets."""
MOST_BACK: Final = 64 * 1024 * 1024
"""The longest body from a server, in octets: no larger answer could leave anyway."""
_HEAD: Final = struct.Struct("!ci")
_LONG: Final = struct.Struct("!i")
_SHORT: Final = struct.Struct("!h")


class Frames:
    """Puts the octets that come in together into frames. Owned by one connection and one direction of it."""

    __slots__ = ("_at", "_data", "_most")

    def __init__(self, most: int = MOST) -> None:
        self._data = bytearray()
        self._at = 0
        self._most = most

    def feed(self, data: bytes) -> None:
        """Take what came in."""
        if self._at:
            del self._data[: self._at]
            self._at = 0
        self._data += data

    def take(self) -> tuple[bytes, bytes] | None:
        """The next whole frame as kind and body, or None. Refuses a length that cannot be (`frame_invalid`)."""
        at, data = self._at, self._data
        if len(data) - at < 5:
            return None
        kind, length = _HEAD.unpack_from(data, at)
        if not 4 <= length <= self._most:
            raise invalid("A message has a length that cannot be.")
        end = at + 1 + length
        if len(data) < end:
            return None
        self._at = end
        return kind, bytes(memoryview(data)[at + 5 : end])

    def widen(self, most: int) -> None:
        """Take longer frames from now on."""
        self._most = most

    @property
    def rest(self) -> int:
        """How many octets wait for the rest of their frame."""
        return len(self._data) - self._at


def frame(kind: bytes, body: bytes = b"") -> bytes:
    """Build one frame."""
    return kind + _LONG.pack(len(body) + 4) + body


def text(value: str) -> bytes:
    """A string as it stands in a message: UTF-8, ended by a zero octet."""
    data = value.encode()
    if b"\0" in data:
        raise invalid("A text holds a zero octet.")
    return data + b"\0"


class Body:
    """Reads one message's body from front to end; what is missing or left over is refused (`frame_invalid`)."""

    __slots__ = ("_at", "_data")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def text(self) -> str:
        """A string ended by a zero octet."""
        end = self._data.find(b"\0", self._at)
        if end < 0:
            raise invalid("A text in a message has no end.")
        try:
            value = self._data[self._at : end].decode()
        except UnicodeDecodeError as fault:
            raise invalid("A text in a message is not UTF-8.") from fault
        self._at = end + 1
        return value

    def octet(self) -> bytes:
        """One octet."""
        return self.octets(1)

    def octets(self, count: int) -> bytes:
        """So many octets."""
        if count < 0 or self._at + count > len(self._data):
            raise invalid("A message ends too early.")
        found = self._data[self._at : self._at + count]
        self._at += count
        return found

    def short(self) -> int:
        """A signed number of two octets."""
        return int(_SHORT.unpack(self.octets(2))[0])

    def long(self) -> int:
        """A signed number of four octets."""
        return int(_LONG.unpack(self.octets(4))[0])

    def rest(self) -> bytes:
        """All that is left."""
        return self.octets(len(self._data) - self._at)

    def end(self) -> None:
        """Refuse what is left over."""
        if self._at != len(self._data):
            raise invalid("A message holds more than it should.")


def invalid(why: str) -> RemitError:
    """The fault for octets that are no message."""
    return RemitError("frame_invalid", why, "Speak protocol 3 as PostgreSQL documents it.")

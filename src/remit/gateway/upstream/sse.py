"""Event streams (WHATWG HTML section 9.2): read them in pieces of any size, and write them. Pure.

Data stays octets: whoever reads it as JSON refuses what is not UTF-8, where a browser would put U+FFFD.
"""

import re
from dataclasses import dataclass
from typing import Final

from remit.core.errors import RemitError

_BOM: Final = b"\xef\xbb\xbf"
_BREAK: Final = re.compile(rb"\r\n|\n|\r")


@dataclass(frozen=True, slots=True)
class Event:
    """One event. `id` and `retry` (milliseconds) stood in this very event: nothing is left over from an earlier one.

    Refuses (`event_invalid`) what cannot be written down: line breaks or NUL in `id` and `name`, CR in `data`, a
    negative `retry`.
    """

    data: bytes
    name: str = "message"
    id: str | None = None
    retry: int | None = None

    def __post_init__(self) -> None:
        text = self.name + (self.id or "")
        if b"\r" in self.data or "\r" in text or "\n" in text or "\0" in text or (self.retry or 0) < 0:
            raise RemitError(
                "event_invalid",
                "This event cannot be written as an event stream.",
                "Leave line breaks and NUL out of the id and the name, and CR out of the data.",
            )

    def encode(self) -> bytes:
        """Write the event with LF line ends; reading it gives the same event back."""
        lines = [b"data: " + line for line in self.data.split(b"\n")]
        if self.retry is not None:
            lines.insert(0, b"retry: %d" % self.retry)
        if self.name != "message":
            lines.insert(0, b"event: " + self.name.encode())
        if self.id is not None:
            lines.insert(0, b"id: " + self.id.encode())
        return b"\n".join(lines) + b"\n\n"


COMMENT: Final = b":\n\n"
"""A line that says nothing, to keep a quiet stream open."""


class Reader:
    """Reads one stream. `last_id` and `retry` are what a client would use to connect again.

    An event that the stream does not finish is dropped, as the standard says. Refuses (`upstream_too_large`) an event
    of more than `limit` octets; the reader is of no use afterwards.
    """

    __slots__ = (
        "_after_cr",
        "_data",
        "_first",
        "_held",
        "_id",
        "_limit",
        "_name",
        "_own_retry",
        "_tail",
        "last_id",
        "retry",
    )

    def __init__(self, limit: int = 16 * 1024 * 1024) -> None:
        self._limit = limit
        self._tail: list[bytes] = []
        self._data: list[bytes] = []
        self._held = 0
        self._name = ""
        self._id: str | None = None
        self._own_retry: int | None = None
        self._after_cr = False
        self._first = True
        self.last_id = ""
        self.retry: int | None = None

    def feed(self, chunk: bytes) -> list[Event]:
        """Take the next octets; give the events that they complete."""
        if not chunk:
            return []
        if self._after_cr and chunk[0] == 0x0A:
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        pieces = _BREAK.split(chunk)
        events: list[Event] = []
        for piece in pieces[:-1]:
            self._hold(len(piece))
            if self._tail:
                self._tail.append(piece)
                piece = b"".join(self._tail)  # noqa: PLW2901  # the line that this piece ends
                self._tail = []
            event = self._line(piece)
            if event is not None:
                events.append(event)
        if pieces[-1]:
            self._hold(len(pieces[-1]))
            self._tail.append(pieces[-1])
        return events

    def _hold(self, size: int) -> None:
        self._held += size
        if self._held > self._limit:
            raise RemitError(
                "upstream_too_large",
                f"An event of the stream is larger than {self._limit} octets.",
                "Ask the upstream for less at a time.",
            )

    def _line(self, line: bytes) -> Event | None:
        if self._first:
            self._first = False
            line = line.removeprefix(_BOM)
        if not line:
            return self._dispatch()
        field, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if field == b"data":
            self._data.append(value)
        elif field == b"event":
            self._name = value.decode(errors="replace")
        elif field == b"id":
            if b"\0" not in value:
                self._id = self.last_id = value.decode(errors="replace")
        elif field == b"retry" and value.isdigit() and len(value) <= 15:
            self._own_retry = self.retry = int(value)
        return None

    def _dispatch(self) -> Event | None:
        event = None
        if self._data:
            name = self._name.replace("\0", "\ufffd") or "message"
            event = Event(b"\n".join(self._data), name, self._id, self._own_retry)
        self._data = []
        self._name = ""
        self._id = self._own_retry = None
        self._held = 0
        return event
